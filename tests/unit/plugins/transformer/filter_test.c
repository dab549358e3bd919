/*
 * filter_test.c -- which messages are kept.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct plugin *plugin;

static void
set_up(void)
{
	plugin = harness_plugin("transformer/filter");
}

TestSuite(filter, .init = set_up);

/* "keep", "drop", or the reason; offset 42, header h=two behind h=one. */
static const char *
fate(const void *conf, const char *value, const char *key)
{
	static char text[1024];
	struct secor_header headers[] = {
	    {"h", {"one", 3}}, {"x", {NULL, 0}}, {"h", {"two", 3}}};
	struct secor_message in = harness_message(value), out;
	void *self = harness_open(plugin, conf, NULL);
	struct secor_err err;
	int keep = 1, rc;

	in.headers = headers;
	in.header_count = 3;
	in.key = (struct secor_bytes){key, key == NULL ? 0 : strlen(key)};
	out = in;
	rc = plugin->ops.transformer->transform(self, &in, &out, &keep, &err);
	(void)snprintf(text, sizeof(text), "%s",
	    rc != SECOR_OK ? err.text
	    : keep	   ? "keep"
			   : "drop");
	cr_expect(rc != SECOR_OK || out.value.ptr == in.value.ptr);
	harness_close(plugin, self);
	return text;
}

Test(filter, conditions_decide)
{
	static const struct {
		const char *of, *name, *condition, *argument;
		const char *value, *key, *fate; /* with action: keep */
	} rows[] = {
	    {"value", NULL, "pattern", "^a.*b$", "axxb", NULL, "keep"},
	    {"value", NULL, "pattern", "^a.*b$", "axxbc", NULL, "drop"},
	    {"value", NULL, "equals", "[a, b]", "b", NULL, "keep"},
	    {"value", NULL, "equals", "[a, b]", "bb", NULL, "drop"},
	    {"key", NULL, "equals", "[k]", "", "k", "keep"},
	    {"key", NULL, "equals", "[k]", "", NULL, "drop"},
	    {"key", NULL, "exists", "true", "", "", "keep"},
	    {"key", NULL, "exists", "true", "", NULL, "drop"},
	    {"header", "h", "equals", "[two]", "", NULL, "keep"},
	    {"header", "h", "equals", "[one]", "", NULL, "drop"},
	    {"header", "x", "exists", "true", "", NULL, "drop"},
	    {"header", "y", "exists", "true", "", NULL, "drop"},
	    {"field", "a.b", "equals", "[1]", "{\"a\":{\"b\":1}}", NULL,
		"keep"},
	    {"field", "a.b", "equals", "[x]", "{\"a\":{\"b\":\"\\u0078\"}}",
		NULL, "keep"},
	    {"field", "a", "exists", "true", "{\"a\":{}}", NULL, "keep"},
	    {"field", "a", "exists", "true", "{\"a\":null}", NULL, "drop"},
	    {"field", "a", "pattern", "", "{\"b\":1}", NULL, "drop"},
	    {"offset", NULL, "equals", "[42]", "", NULL, "keep"},
	    {"offset", NULL, "sample", "100%", "", NULL, "keep"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const char *const actions[] = {"keep", "drop"};

		for (int k = 0; k < 2; k++) {
			void *conf =
			    harness_conf(plugin, "of", rows[i].of, "action",
				actions[k], rows[i].condition, rows[i].argument,
				rows[i].name == NULL ? NULL : rows[i].of,
				rows[i].name, NULL);
			int kept = strcmp(rows[i].fate, "keep") == 0;

			cr_expect_str_eq(fate(conf, rows[i].value, rows[i].key),
			    kept == (k == 0) ? "keep" : "drop", "row %zu", i);
			harness_conf_free(plugin, conf);
		}
	}
}

Test(filter, no_json_is_a_bad_message)
{
	void *conf = harness_conf(
	    plugin, "of", "field", "field", "a", "exists", "true", NULL);

	cr_expect(
	    strncmp(fate(conf, "plain", NULL), "not a JSON object", 17) == 0);
	harness_conf_free(plugin, conf);
}

Test(filter, pattern_that_takes_too_long_is_a_bad_message)
{
	void *conf = harness_conf(plugin, "pattern", "^(a+)+$", NULL);

	cr_expect_str_eq(
	    fate(conf, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", NULL),
	    "the pattern takes too long: it gave up");
	harness_conf_free(plugin, conf);
}

/* 479470107 / 2^31 is 22.33 %. */
Test(filter, sample_is_by_murmur2)
{
	void *conf =
	    harness_conf(plugin, "action", "keep", "sample", "22.4%", NULL);

	cr_expect_str_eq(fate(conf, "abc", NULL), "keep");
	harness_conf_free(plugin, conf);
	conf = harness_conf(plugin, "action", "keep", "sample", "22.3%", NULL);
	cr_expect_str_eq(fate(conf, "abc", NULL), "drop");
	harness_conf_free(plugin, conf);
}

Test(filter, looks_at_headers_only_when_they_are_named)
{
	void *conf = harness_conf(plugin, "pattern", "a", NULL);

	cr_expect_eq(plugin->ops.transformer->looks(conf), 0);
	cr_expect_eq(plugin->ops.transformer->looks_at, 0);
	harness_conf_free(plugin, conf);
	conf = harness_conf(plugin, "of", "header", "header", "h", NULL);
	cr_expect_eq(
	    plugin->ops.transformer->looks(conf), SECOR_LOOKS_AT_HEADERS);
	harness_conf_free(plugin, conf);
}

Test(filter, check_complains)
{
	static const struct {
		const char *key, *value, *more, *more_value, *complaint;
	} rows[] = {
	    {"of", "key", NULL, NULL, "needs one condition: "},
	    {"pattern", "a", "equals", "[b]", "needs one condition: "},
	    {"pattern", "(", NULL, NULL, "pattern: missing "},
	    {"of", "field", "exists", "true", "field: goes with of: field"},
	    {"field", "a", "exists", "true", "field: goes with of: field"},
	    {"of", "header", "exists", "true", "header: goes with of:"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(plugin, rows[i].key, rows[i].value,
		    rows[i].more, rows[i].more_value, NULL);
		char *check = harness_check(plugin, conf);

		cr_expect(strncmp(check, rows[i].complaint,
			      strlen(rows[i].complaint)) == 0,
		    "row %zu: %s", i, check);
		free(check);
		harness_conf_free(plugin, conf);
	}
}
