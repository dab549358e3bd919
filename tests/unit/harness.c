/*
 * harness.c -- see harness.h. The registry is the engine's own.
 */
#include "tests/unit/harness.h"

#include "core/base/buf.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FIELDS = 32 };

static struct registry *registry;

const char *
harness_build(void)
{
	static char found[PATH_MAX];
	const char *given = getenv("SECOR_BUILD");
	char *unit;

	if (given == NULL || *given == '\0')
		given = "/proc/self/exe";
	cr_assert_not_null(realpath(given, found), "%s: %m", given);
	unit = strstr(found, "/unit/");
	if (unit != NULL)
		*unit = '\0'; /* the binary's variant */
	return found;
}

static void
forget(void)
{
	registry_free(registry);
	registry = NULL;
}

const struct plugin *
harness_plugin(const char *kind_and_name)
{
	const struct plugin *plugin = NULL;
	struct secor_err err = {""};
	char *folder, *use, *word;
	int kind = 0;

	word = mem_dup(kind_and_name, strcspn(kind_and_name, "/"));
	for (int i = SECOR_TRANSFORMER; i <= SECOR_TOKEN; i++)
		kind = strcmp(kind_name(i), word) == 0 ? i : kind;
	cr_assert_neq(kind, 0, "no kind of plugin: %s", kind_and_name);
	free(word);
	if (registry == NULL) {
		folder = mem_text("%s/plugins", harness_build());
		registry = registry_new(folder, 1);
		free(folder);
		(void)atexit(forget);
	}
	use = strchr(kind_and_name, '/');
	cr_assert_not_null(use);
	cr_assert_eq(registry_find(registry, kind, use + 1, ".", &plugin, &err),
	    SECOR_OK, "%s", err.text);
	return plugin;
}

int
harness_set(const struct plugin *plugin, void *conf, const char *key,
    const char *value, struct secor_err *err)
{
	struct options opts = plugin_options(plugin);
	const struct secor_option *row = options_find(&opts, key);

	cr_assert_not_null(
	    row, "%s has no option '%s'", plugin->desc.name, key);
	return options_set_text(row, conf, value, err);
}

void *
harness_conf(const struct plugin *plugin, ...)
{
	struct options opts = plugin_options(plugin);
	void *conf = options_new(&opts);
	struct secor_err err = {""};
	const char *key;
	va_list ap;

	va_start(ap, plugin);
	while ((key = va_arg(ap, const char *)) != NULL) {
		const char *value = va_arg(ap, const char *);

		cr_assert_eq(harness_set(plugin, conf, key, value, &err),
		    SECOR_OK, "%s", err.text);
	}
	va_end(ap);
	return conf;
}

void
harness_conf_free(const struct plugin *plugin, void *conf)
{
	struct options opts = plugin_options(plugin);

	options_free(&opts, conf);
}

static void
note(const struct secor_check *check, const char *key, const char *text)
{
	buf_printf(check->arg, "%s%s%s\n", key != NULL ? key : "",
	    key != NULL ? ": " : "", text);
}

static char *
run_check(const struct plugin *plugin, const void *conf, int no_time)
{
	struct buf text = {0};
	struct secor_check check = {
	    sizeof(check), note, &text, no_time, SECOR_COMPAT_NONE};

	buf_puts(&text, "");
	if (plugin->desc.check != NULL)
		plugin->desc.check(conf, &check);
	return buf_take(&text);
}

char *
harness_check(const struct plugin *plugin, const void *conf)
{
	return run_check(plugin, conf, 0);
}

char *
harness_check_no_time(const struct plugin *plugin, const void *conf)
{
	return run_check(plugin, conf, 1);
}

void
harness_expect_complaint(const struct plugin *plugin, void *conf,
    const char *key, const char *value, const char *want)
{
	struct secor_err err = {""};
	char *got;

	cr_assert_eq(harness_set(plugin, conf, key, value, &err), SECOR_OK,
	    "%s", err.text);
	got = harness_check(plugin, conf);
	cr_assert_eq(strncmp(got, want, strlen(want)), 0, "%s: %s", value, got);
	cr_assert(want[0] != '\0' || got[0] == '\0', "%s", got);
	free(got);
	harness_conf_free(plugin, conf);
}

int
harness_open_with(const struct plugin *plugin, const struct secor_open *with,
    void **self, struct secor_err *err)
{
	return plugin_open(plugin, with, self, err);
}

void *
harness_open(const struct plugin *plugin, const void *conf, ...)
{
	const char *fields[MOST_FIELDS];
	struct secor_err err = {""};
	struct secor_open with = {
	    .size = sizeof(with), .conf = conf, .host = plugin->host};
	void *self = NULL;
	va_list ap;

	va_start(ap, conf);
	for (const char *field; (field = va_arg(ap, const char *)) != NULL;) {
		cr_assert_lt(with.fields.count, MOST_FIELDS);
		fields[with.fields.count++] = field;
	}
	va_end(ap);
	with.fields.items = fields;
	cr_assert_eq(harness_open_with(plugin, &with, &self, &err), SECOR_OK,
	    "%s", err.text);
	return self;
}

void
harness_close(const struct plugin *plugin, void *self)
{
	plugin_close(plugin, self);
}

struct secor_message
harness_message_bytes(const void *value, size_t len)
{
	struct secor_message message = {
	    .size = sizeof(message),
	    .partition = 3,
	    .topic = "events",
	    .offset = 42,
	    .timestamp_ms = 1405908000000,
	    .timestamp_type = SECOR_TIMESTAMP_CREATE,
	    .value = {value, len},
	};

	return message;
}

struct secor_message
harness_message(const char *value)
{
	return harness_message_bytes(value, value != NULL ? strlen(value) : 0);
}
