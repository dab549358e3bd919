/*
 * migration.c -- the whole file, section by section, and what sections share.
 */
#include "core/cli/migrate/migration.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- remarks ---- */

static void
say(struct migration *m, enum remark remark, const char *key, const char *fmt,
    va_list ap)
{
	const struct property *found =
	    key != NULL ? properties_find(m->properties, key) : NULL;
	struct buf text = {0};
	char piece[1024];

	(void)vsnprintf(piece, sizeof(piece), fmt, ap);
	if (key != NULL)
		buf_printf(&text, "%s: ", key);
	buf_puts(&text, piece);
	m->todo += remark == REMARK_TODO;
	m->say(m->arg, remark, found != NULL ? &found->place : NULL, text.ptr);
	buf_fini(&text);
}

#define SAY(remark)                           \
	{                                     \
		va_list ap;                   \
		va_start(ap, fmt);            \
		say(m, remark, key, fmt, ap); \
		va_end(ap);                   \
	}

void
todo(struct migration *m, const char *key, const char *fmt, ...)
    SAY(REMARK_TODO)

	void warn(struct migration *m, const char *key, const char *fmt, ...)
	    SAY(REMARK_WARNING)

		void note(struct migration *m, const char *key, const char *fmt,
		    ...) SAY(REMARK_NOTE)

    /* ---- old keys ---- */

    const char *old_text(const struct migration *m, const char *key)
{
	const char *value = properties_get(m->properties, key);
	const struct key_row *row = key_row(key);

	if (value != NULL)
		return value;
	return row != NULL && row->def != NULL ? row->def : "";
}

int
old_given(const struct migration *m, const char *key)
{
	const char *value = properties_get(m->properties, key);

	return value != NULL && *value != '\0';
}

static int
parse_number(const char *text, int64_t *number)
{
	char *end;
	int hex = strncasecmp(text, "0x", 2) == 0;

	if (!isdigit((unsigned char)text[0]) && text[0] != '-')
		return 0;
	errno = 0;
	*number = strtoll(text, &end, hex ? 16 : 10);
	return *end == '\0' && errno == 0;
}

int64_t
old_number(struct migration *m, const char *key)
{
	const struct key_row *row = key_row(key);
	const char *value = old_text(m, key);
	int64_t number = 0;

	if (parse_number(value, &number))
		return number;
	if (properties_get(m->properties, key) != NULL)
		todo(m, key, "'%s' is no number: the original would stop",
		    value);
	if (row != NULL && row->def != NULL)
		(void)parse_number(row->def, &number);
	return number;
}

int
old_flag(struct migration *m, const char *key)
{
	static const char *const YES[] = {"true", "yes", "on", "t", "y"};
	static const char *const NO[] = {"false", "no", "off", "f", "n"};
	const struct key_row *row = key_row(key);
	const char *value = old_text(m, key);

	for (size_t i = 0; i < sizeof(YES) / sizeof(*YES); i++) {
		if (strcasecmp(value, YES[i]) == 0)
			return 1;
		if (strcasecmp(value, NO[i]) == 0)
			return 0;
	}
	todo(m, key, "'%s' is neither true nor false: the original would stop",
	    value);
	return row != NULL && row->def != NULL && strcmp(row->def, "true") == 0;
}

char *
old_class(
    const char *class_name, const char *package, const char *const *endings)
{
	size_t len = strlen(package), n;

	if (strncmp(class_name, package, len) != 0 ||
	    strchr(class_name + len, '.') != NULL)
		return NULL;
	class_name += len;
	n = strlen(class_name);
	for (size_t i = 0; endings[i] != NULL; i++) {
		size_t end = strlen(endings[i]);

		if (n > end && strcmp(class_name + n - end, endings[i]) == 0)
			return mem_dup(class_name, n - end);
	}
	return mem_dup(class_name, n);
}

/* ---- YAML ---- */

char *
yaml_text(const char *text)
{
	static const struct secor_option row = {
	    .key = "text", .type = SECOR_TYPE_STRING, .offset = 0};

	return options_show(&row, &text);
}

void
yaml_section(struct migration *m, const char *name)
{
	buf_printf(&m->yaml, "\n%s:\n", name);
	m->section = name;
}

void
yaml_raw(struct migration *m, int indent, const char *key, const char *value)
{
	buf_printf(&m->yaml, "%*s%s: %s\n", indent, "", key, value);
}

void
yaml_put(struct migration *m, int indent, const char *key, const char *value)
{
	char *text = yaml_text(value);

	yaml_raw(m, indent, key, text);
	free(text);
}

void
yaml_number(struct migration *m, int indent, const char *key, int64_t value)
{
	buf_printf(
	    &m->yaml, "%*s%s: %lld\n", indent, "", key, (long long)value);
}

void
yaml_secret(struct migration *m, int indent, const char *key, const char *name,
    const char *old_key)
{
	buf_printf(&m->yaml, "%*s%s: \"${%s}\"\n", indent, "", key, name);
	todo(m, old_key,
	    "secrets are not copied: set %s in the environment of the "
	    "service, or write file:PATH",
	    name);
}

static void
put_row(struct migration *m, const struct key_row *row, int indent)
{
	int64_t number = row->unit != UNIT_NONE ? old_number(m, row->key) : 0;
	char text[64];

	if (row->flags & KEY_SECRET) {
		(void)snprintf(text, sizeof(text), "KAFKA_%s", row->target);
		for (char *at = text; *at != '\0'; at++)
			*at = *at == '.' ? '_'
					 : (char)toupper((unsigned char)*at);
		yaml_secret(m, indent, row->target, text, row->key);
		return;
	}
	switch (row->unit) {
	case UNIT_MS:
		show_duration(number, text, sizeof(text));
		break;
	case UNIT_S:
		show_duration(number * 1000, text, sizeof(text));
		break;
	case UNIT_BYTES:
		show_size(number, text, sizeof(text));
		break;
	default:
		yaml_put(m, indent, row->target, old_text(m, row->key));
		return;
	}
	yaml_raw(m, indent, row->target, text);
}

void
yaml_rows(struct migration *m, const char *section, int indent)
{
	for (size_t i = 0; i < key_row_count; i++) {
		const struct key_row *row = &key_rows[i];

		if (row->target != NULL && strcmp(row->section, section) == 0 &&
		    old_given(m, row->key))
			put_row(m, row, indent);
	}
}

/* A value in a comment: one line, not a long one. */
static void
put_value(struct buf *out, const char *value)
{
	size_t n = 0;

	for (; *value != '\0' && n < 60; value++, n++) {
		if ((unsigned char)*value < ' ' || *value == 127)
			buf_printf(out, "\\x%02x", (unsigned char)*value);
		else
			buf_putc(out, *value);
	}
	if (*value == '\0')
		return;
	while ((*value & 0xc0) == 0x80) /* not in the middle of a character */
		buf_putc(out, *value++);
	buf_puts(out, "...");
}

static void
put_gone(
    struct migration *m, const struct key_row *row, const struct property *one)
{
	if (m->section == NULL || strcmp(m->section, row->section) != 0)
		yaml_section(m, row->section);
	buf_printf(&m->yaml, "  # %s", one->key);
	if ((row->flags & KEY_SECRET) == 0 && *one->items[0] != '\0') {
		buf_puts(&m->yaml, " = ");
		put_value(&m->yaml, one->items[0]);
	}
	buf_printf(&m->yaml, ": %s\n", row->why);
}

static void
put_gone_of(struct migration *m, const char *section,
    const struct property *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct key_row *row = key_row(list[i].key);

		if (row != NULL && row->why != NULL && row->section != NULL &&
		    strcmp(row->section, section) == 0 &&
		    properties_find(m->properties, list[i].key) == &list[i])
			put_gone(m, row, &list[i]);
	}
}

void
yaml_gone(struct migration *m, const char *section)
{
	const struct properties *all = m->properties;

	put_gone_of(m, section, all->items, all->count);
	put_gone_of(m, section, all->defines, all->define_count);
}

/* ---- what is there ---- */

static const struct plugin *
find_plugin(
    struct migration *m, int kind, const char *name, struct secor_err *err)
{
	const struct plugin *plugin = NULL;

	if (registry_find(m->registry, kind, name, ".", &plugin, err) !=
	    SECOR_OK)
		return NULL;
	return plugin;
}

int
need_plugin(struct migration *m, int kind, const char *name, const char *key)
{
	struct secor_err err = {""};

	if (m->registry == NULL || find_plugin(m, kind, name, &err) != NULL)
		return 1;
	todo(m, key, "the %s '%s' is not there: %s", kind_name(kind), name,
	    err.text);
	return 0;
}

int
has_option(struct migration *m, int kind, const char *name, const char *option)
{
	struct secor_err err = {""};
	const struct plugin *plugin;
	struct options opts;

	if (m->registry == NULL)
		return 1;
	plugin = find_plugin(m, kind, name, &err);
	if (plugin == NULL)
		return 0;
	opts = plugin_options(plugin);
	return options_find(&opts, option) != NULL;
}

/* ---- all keys ---- */

static void
look_at_key(struct migration *m, const char *key)
{
	const struct key_row *row = key_row(key);
	const char *near;

	if (row != NULL && (row->flags & KEY_UNREAD) != 0) {
		const char *value = properties_get(m->properties, key);

		/* as it was shipped: nobody expected anything */
		if (*value == '\0' || strcmp(value, "false") == 0)
			return;
		warn(m, key, "the original never read this key; %s", row->why);
		return;
	}
	if (row != NULL)
		return;
	near = key_near(key);
	if (near != NULL)
		warn(m, key,
		    "no such key, it had no effect; did you mean '%s'?", near);
	else
		warn(m, key, "no such key: is it read by a class of your own?");
}

/* What the last version of the original stops for. */
static void
look_for_needed(struct migration *m)
{
	struct buf missing = {0};
	size_t n = 0;

	for (size_t i = 0; i < key_row_count; i++) {
		const struct key_row *row = &key_rows[i];

		if ((row->flags & KEY_NEEDED) == 0 ||
		    properties_find(m->properties, row->key) != NULL)
			continue;
		buf_printf(&missing, "%s%s", n++ > 0 ? ", " : "", row->key);
	}
	if (n > 0)
		note(m, NULL,
		    "the last version of the original would not start with "
		    "this file, which lacks %s",
		    missing.ptr);
	buf_fini(&missing);
}

static void
look_at_keys(struct migration *m)
{
	const struct properties *all = m->properties;

	for (size_t i = 0; i < all->count; i++)
		look_at_key(m, all->items[i].key);
	for (size_t i = 0; i < all->define_count; i++)
		if (properties_find(all, all->defines[i].key) ==
		    &all->defines[i])
			look_at_key(m, all->defines[i].key);
	look_for_needed(m);
}

char *
migrate(struct migration *m)
{
	static void (*const SECTIONS[])(struct migration *) = {migrate_kafka,
	    migrate_transformers, migrate_parser, migrate_partitioner,
	    migrate_format, migrate_stage, migrate_batch, migrate_store,
	    migrate_bad_messages, migrate_notifiers, migrate_finalize,
	    migrate_layout, migrate_http, migrate_reporters, migrate_engine,
	    migrate_overrides};

	look_at_keys(m);
	old_parser_find(m);
	buf_puts(&m->yaml,
	    "# Made by secor migrate of a property file of the Secor in Java: "
	    "docs/MIGRATE.md.\n");
	if (old_parser_needs_compat(m))
		buf_puts(&m->yaml, "\ncompat: secor # the original's paths\n");
	for (size_t i = 0; i < sizeof(SECTIONS) / sizeof(*SECTIONS); i++)
		SECTIONS[i](m);
	free(m->group);
	free(m->new_group);
	m->group = m->new_group = NULL;
	return buf_take(&m->yaml);
}
