/*
 * field.c -- partitioner: one level a field, `country=DE`.
 *
 * Values are those of the parser, byte for byte; the engine escapes them. A
 * field that is null is missing; an empty one is not (its level then has Hive's
 * name for nothing).
 */
#include <secor/partitioner.h>
#include <stdlib.h>
#include <string.h>

struct field_conf {
	struct secor_strings fields;
	struct secor_pairs names;
	int bare;
	int missing;
	const char *default_value;
};

enum { MISSING_REJECT, MISSING_DEFAULT };

static const char *const missing_choices[] = {"reject", "default", NULL};

struct field {
	const struct field_conf *conf;
	char *names[SECOR_MAX_LEVELS];
};

static const struct secor_option options[] = {
    SECOR_OPTION(STRINGS, struct field_conf, fields, "fields", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_OUTPUT,
	"paths of the fields, one level each, like [country, meta.app]"),
    SECOR_OPTION(PAIRS, struct field_conf, names, "names", NULL,
	SECOR_OPTION_OUTPUT,
	"names of levels by field; else the last name of the path"),
    SECOR_OPTION(BOOL, struct field_conf, bare, "bare", "false",
	SECOR_OPTION_OUTPUT, "levels are values alone, without name="),
    SECOR_OPTION_CHOICE(struct field_conf, missing, "missing", "reject",
	missing_choices, SECOR_OPTION_OUTPUT,
	"a message without the field is a bad one, or gets the default"),
    SECOR_OPTION(STRING, struct field_conf, default_value, "default_value",
	NULL, SECOR_OPTION_OUTPUT,
	"value for missing: default; else __HIVE_DEFAULT_PARTITION__"),
};

static const char *
field_given_name(const struct field_conf *conf, const char *path)
{
	for (size_t i = 0; i < conf->names.count; i++) {
		if (strcmp(conf->names.items[i].key, path) == 0)
			return conf->names.items[i].value;
	}
	return NULL;
}

/* The last name of a path, without escapes, into `to`. */
static void
field_last_name(const char *path, char *to)
{
	size_t n = 0;

	for (const char *p = path; *p != '\0'; p++) {
		if (*p == '.') {
			n = 0;
			continue;
		}
		if (*p == '\\' && p[1] != '\0')
			p++;
		to[n++] = *p;
	}
	to[n] = '\0';
}

/* The name of the level, owned by the caller; NULL: no memory. */
static char *
field_name(const struct field_conf *conf, const char *path)
{
	const char *given = field_given_name(conf, path);
	char *name;

	if (conf->bare)
		return strdup("");
	if (given != NULL)
		return strdup(given);
	name = malloc(strlen(path) + 1);
	if (name != NULL)
		field_last_name(path, name);
	return name;
}

static int
field_is_listed(const struct field_conf *conf, const char *path)
{
	for (size_t i = 0; i < conf->fields.count; i++) {
		if (strcmp(conf->fields.items[i], path) == 0)
			return 1;
	}
	return 0;
}

__attribute__((format(printf, 3, 4))) static void
field_complain(
    const struct secor_check *check, const char *key, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	check->complain(check, key, text);
}

/* No two levels of one name: readers keep only one of them. */
static void
field_check_same(const struct field_conf *conf, const struct secor_check *check)
{
	for (size_t i = 0; i < conf->fields.count; i++) {
		char *name = field_name(conf, conf->fields.items[i]);

		for (size_t j = 0; name != NULL && j < i; j++) {
			char *other = field_name(conf, conf->fields.items[j]);

			if (other != NULL && strcmp(name, other) == 0)
				field_complain(check, "fields",
				    "'%s' and '%s' give levels of the same "
				    "name '%s' (see names)",
				    conf->fields.items[j],
				    conf->fields.items[i], name);
			free(other);
		}
		free(name);
	}
}

static void
field_check(const void *conf, const struct secor_check *check)
{
	const struct field_conf *c = conf;

	if (c->fields.count > SECOR_MAX_LEVELS)
		field_complain(
		    check, "fields", "more than %d levels", SECOR_MAX_LEVELS);
	else if (c->fields.count == 0)
		field_complain(check, "fields", "names no field");
	else if (!c->bare)
		field_check_same(c, check);
	if (c->bare && c->names.count > 0)
		field_complain(check, "names", "does nothing with bare: true");
	for (size_t i = 0; i < c->names.count; i++) {
		const struct secor_pair *pair = &c->names.items[i];

		if (!field_is_listed(c, pair->key))
			field_complain(check, "names",
			    "'%s' is none of the fields", pair->key);
		if (pair->value[0] == '\0')
			field_complain(check, "names",
			    "'%s' has an empty name (see bare)", pair->key);
	}
	if (c->default_value != NULL && c->missing != MISSING_DEFAULT)
		field_complain(check, "default_value",
		    "does nothing without missing: default");
}

static void
field_describe(const void *conf, uint32_t *inputs, struct secor_strings *fields)
{
	const struct field_conf *c = conf;

	*inputs = 0;
	*fields = c->fields;
}

static void
field_close(void *self)
{
	struct field *field = self;

	if (field == NULL)
		return;
	for (size_t i = 0; i < SECOR_MAX_LEVELS; i++)
		free(field->names[i]);
	free(field);
}

static int
field_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct field_conf *conf = with->conf;
	struct field *field;

	if (conf->fields.count > SECOR_MAX_LEVELS)
		return secor_fail(
		    err, SECOR_FATAL, "fields: more than %d", SECOR_MAX_LEVELS);
	field = calloc(1, sizeof(*field));
	if (field == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	field->conf = conf;
	for (size_t i = 0; i < conf->fields.count; i++) {
		field->names[i] = field_name(conf, conf->fields.items[i]);
		if (field->names[i] == NULL) {
			field_close(field);
			return secor_fail(err, SECOR_FATAL, "out of memory");
		}
	}
	*self = field;
	return SECOR_OK;
}

static int
field_route(void *self, const struct secor_route_in *in,
    struct secor_route_out *out, struct secor_err *err)
{
	const struct field *field = self;
	const struct field_conf *conf = field->conf;

	for (size_t i = 0; i < conf->fields.count; i++) {
		struct secor_level_text *level = &out->levels[i];

		level->name.ptr = field->names[i];
		level->name.len = strlen(field->names[i]);
		level->value = in->fields[i];
		if (level->value.ptr != NULL)
			continue;
		if (conf->missing == MISSING_REJECT)
			return secor_fail(err, SECOR_REJECT,
			    "field '%s' is missing", conf->fields.items[i]);
		level->value.ptr = conf->default_value;
		level->value.len = conf->default_value != NULL
				       ? strlen(conf->default_value)
				       : 0;
	}
	out->level_count = (uint32_t)conf->fields.count;
	return SECOR_OK;
}

static const struct secor_partitioner_ops ops = {
    .size = sizeof(ops),
    .describe = field_describe,
    .open = field_open,
    .route = field_route,
    .close = field_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARTITIONER,
    "field",
    SECOR_VERSION,
    "one level a field of the message",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct field_conf),
    field_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
