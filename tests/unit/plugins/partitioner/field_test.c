/*
 * field_test.c -- levels of fields: names, missing values, and complaints.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct plugin *plugin;

static void
set_up(void)
{
	plugin = harness_plugin("partitioner/field");
}

TestSuite(field, .init = set_up);

/* "name=value/..." with "-" for a null value, or the reason. */
static const char *
path(const void *conf, const char *first, const char *second)
{
	static char text[512];
	struct secor_bytes fields[2] = {{first, first ? strlen(first) : 0},
	    {second, second ? strlen(second) : 0}};
	struct secor_route_in in = {.size = sizeof(in),
	    .time_ms = SECOR_NO_TIME,
	    .fields = fields,
	    .field_count = 2};
	struct secor_route_out out = {.size = sizeof(out)};
	void *self = harness_open(plugin, conf, NULL);
	struct secor_err err;
	size_t n = 0;

	if (plugin->ops.partitioner->route(self, &in, &out, &err) != SECOR_OK)
		n = (size_t)snprintf(text, sizeof(text), "%s", err.text);
	for (uint32_t i = 0; i < out.level_count; i++) {
		const struct secor_level_text *l = &out.levels[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s=%.*s",
		    i > 0 ? "|" : "", (int)l->name.len, l->name.ptr,
		    l->value.ptr != NULL ? (int)l->value.len : 1,
		    l->value.ptr != NULL ? l->value.ptr : "-");
	}
	harness_close(plugin, self);
	return text;
}

Test(field, values_come_as_they_are)
{
	void *conf =
	    harness_conf(plugin, "fields", "[country, meta.app]", NULL);

	cr_expect_str_eq(path(conf, "DE", "web"), "country=DE|app=web");
	cr_expect_str_eq(path(conf, "a/b=..", ""), "country=a/b=..|app=");
	harness_conf_free(plugin, conf);
}

Test(field, one_field_may_be_a_scalar)
{
	void *conf = harness_conf(plugin, "fields", "type", NULL);

	cr_expect_str_eq(path(conf, "event1", NULL), "type=event1");
	harness_conf_free(plugin, conf);
}

Test(field, names_are_given_or_the_last_of_the_path)
{
	void *conf = harness_conf(plugin, "fields", "[a\\.b, x.c\\\\d]",
	    "names", "{x.c\\\\d: e}", NULL);

	cr_expect_str_eq(path(conf, "1", "2"), "a.b=1|e=2");
	harness_conf_free(plugin, conf);
}

Test(field, bare_levels_have_no_name)
{
	void *conf = harness_conf(
	    plugin, "fields", "[country, type]", "bare", "true", NULL);

	cr_expect_str_eq(path(conf, "DE", "x"), "=DE|=x");
	harness_conf_free(plugin, conf);
}

Test(field, missing_value_is_rejected_or_gets_the_default)
{
	void *conf = harness_conf(plugin, "fields", "[country, type]", NULL);

	cr_expect_str_eq(path(conf, "DE", NULL), "field 'type' is missing");
	harness_conf_free(plugin, conf);
	conf = harness_conf(
	    plugin, "fields", "[country, type]", "missing", "default", NULL);
	cr_expect_str_eq(path(conf, NULL, "x"), "country=-|type=x");
	harness_conf_free(plugin, conf);
	conf = harness_conf(plugin, "fields", "[country, type]", "missing",
	    "default", "default_value", "none", NULL);
	cr_expect_str_eq(path(conf, NULL, "x"), "country=none|type=x");
	cr_expect_str_eq(path(conf, "", "x"), "country=|type=x");
	harness_conf_free(plugin, conf);
}

Test(field, wrong_options_are_complained_about)
{
	static const struct {
		const char *fields, *key, *value, *complaint;
	} rows[] = {
	    {"[a, b]", NULL, NULL, ""},
	    {"[]", NULL, NULL, "fields: names no field\n"},
	    {"[a,b,c,d,e,f,g,h,i]", NULL, NULL, "fields: more than 8 levels\n"},
	    {"[a, b.a]", NULL, NULL,
		"fields: 'a' and 'b.a' give levels of the same name 'a' (see "
		"names)\n"},
	    {"[a, b.a]", "names", "{b.a: c}", ""},
	    {"[a, b]", "names", "{c: d}", "names: 'c' is none of the fields\n"},
	    {"[a, b]", "default_value", "x",
		"default_value: does nothing without missing: default\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(plugin, "fields", rows[i].fields,
		    rows[i].key, rows[i].value, NULL);
		char *text = harness_check(plugin, conf);

		cr_expect_str_eq(text, rows[i].complaint, "%s", text);
		free(text);
		harness_conf_free(plugin, conf);
	}
}

Test(field, empty_name_is_complained_about)
{
	struct options opts = plugin_options(plugin);
	void *conf = harness_conf(plugin, "fields", "[a]", NULL);
	const char *keys[] = {"a"}, *values[] = {""};
	struct secor_err err;
	char *text;

	cr_assert_eq(options_set_list(options_find(&opts, "names"), conf, keys,
			 values, 1, &err),
	    SECOR_OK);
	text = harness_check(plugin, conf);
	cr_expect_str_eq(text, "names: 'a' has an empty name (see bare)\n");
	free(text);
	harness_conf_free(plugin, conf);
}

Test(field, names_with_bare_are_complained_about)
{
	void *conf = harness_conf(
	    plugin, "fields", "[a]", "bare", "true", "names", "{a: b}", NULL);
	char *text = harness_check(plugin, conf);

	cr_expect_str_eq(text, "names: does nothing with bare: true\n");
	free(text);
	harness_conf_free(plugin, conf);
}

Test(field, looks_at_its_fields_only)
{
	void *conf = harness_conf(plugin, "fields", "[a, b.c]", NULL);
	struct secor_strings fields = {NULL, 0};
	uint32_t inputs = 7;

	plugin->ops.partitioner->describe(conf, &inputs, &fields);
	cr_expect_eq(inputs, 0);
	cr_assert_eq(fields.count, 2);
	cr_expect_str_eq(fields.items[0], "a");
	cr_expect_str_eq(fields.items[1], "b.c");
	cr_expect_null(plugin->ops.partitioner->span);
	harness_conf_free(plugin, conf);
}
