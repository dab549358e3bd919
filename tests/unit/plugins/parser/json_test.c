/*
 * json_test.c -- time and fields of messages. Numbers in comments are those of
 * the original's vectors; where it guessed 1970, the message is a bad one.
 */
#include "tests/unit/plugins/parser/parsing.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* With the fields `country`, `meta.id` and `tags`. */
static struct parsing *
parser_new(const char *time_field, const char *key, const char *value)
{
	return parsing_open("parser/json", "country meta.id tags", "time_field",
	    time_field, key, value, NULL);
}

Test(json, time_is_found_at_its_path)
{
	static const struct {
		const char *time_field, *text;
		int64_t ms;
	} rows[] = {
	    {"timestamp", "{\"timestamp\":\"1405911096\"}", /* 18 */
		1405911096000},
	    {"meta_data.created", /* 22 */
		"{\"meta_data\":{\"created\":\"1405911096123\"}}",
		1405911096123},
	    {"timestamp", "{\"timestamp\":1405970352.9}", 1405970352900},
	    {"timestamp", "{\"timestamp\":1.405970352123E12}", /* 38 */
		1405970352123},
	    {"timestamp", "{\"timestamp\":-1}", -1000}, /* 41 */
	    {"timestamp", "{\"timestamp\":0}", 0},	/* 42 */
	    {"meta_data\\.created",			/* 57 */
		"{\"meta_data.created\":1405911096123}", 1405911096123},
	    {"t", "{\"t\":\"2014-07-30T10:53:20.001Z\"}", 1406717600001},
	    {"t", "{\"t\":\"2014-07-30T10:53:20.001\\u005a\"}", 1406717600001},
	    {"t", "{\"t\":1,\"t\":2}", 2000},
	    {"country", "{\"country\":5}", 5000},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parsing *p = parser_new(rows[i].time_field, NULL, NULL);

		cr_expect_eq(parsing_text(p, rows[i].text), SECOR_OK, "%s: %s",
		    rows[i].text, p->err.text);
		cr_expect_eq(p->time_ms, rows[i].ms, "%s: %lld", rows[i].text,
		    (long long)p->time_ms);
		parsing_close(p);
	}
}

Test(json, message_without_time_is_rejected_with_its_reason)
{
	static const char bad[] = "is neither a number nor ISO-8601";
	static const struct {
		const char *text, *reason;
	} rows[] = {
	    {"{}", "is missing"}, /* 21, 54 */
	    {"{\"a\":{}}", "is missing"},
	    {"{\"a\":5}", "is missing"},
	    {"{\"a\":null}", "is missing"}, /* 55 */
	    {"{\"a\":[{\"t\":1}]}", "is missing"},
	    {"{\"a.t\":1405911096123}", "is missing"}, /* 54 */
	    {"{\"a\":{\"t\":null}}", "is null"},
	    {"{\"a\":{\"t\":true}}", "is true"},
	    {"{\"a\":{\"t\":false}}", "is false"},
	    {"{\"a\":{\"t\":[1]}}", "is an array"},
	    {"{\"a\":{\"t\":{\"t\":1}}}", "is an object"},
	    {"{\"a\":{\"t\":\"\"}}", bad},
	    {"{\"a\":{\"t\":\"abc\"}}", bad}, /* 47 */
	    {"{\"a\":{\"t\":\"0x10\"}}", bad},
	    {"{\"a\":{\"t\":\"Infinity\"}}", bad}, /* 44 */
	    {"{\"a\":{\"t\":\"2014-02-30\"}}",
		"is a day or time that does not exist"},
	    {"{\"a\":{\"t\":1e30}}", "is out of years 0001 to 9999"},
	};
	struct parsing *p = parser_new("a.t", NULL, NULL);
	char want[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_text(p, rows[i].text), SECOR_REJECT, "%s",
		    rows[i].text);
		(void)snprintf(want, sizeof(want), "no time: field 'a.t' %s",
		    rows[i].reason);
		cr_expect_str_eq(
		    p->err.text, want, "%s: %s", rows[i].text, p->err.text);
		cr_expect_eq(p->time_ms, SECOR_NO_TIME);
	}
	parsing_close(p);
}

Test(json, message_that_is_no_object_is_rejected)
{
	static const char *const bad[] = {NULL, "", "null", "[1]", "{bad json",
	    "{\"t\":1405970352", /* 48 */
	    "{'t':1405970352}",	 /* 51 */
	    "{t:1405970352}", "{\"t\":1} trailing" /* 52 */};
	struct parsing *p = parser_new("t", NULL, NULL);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(parsing_text(p, bad[i]), SECOR_REJECT);
		cr_expect_eq(
		    strncmp(p->err.text, "not a JSON object: ", 19), 0);
	}
	parsing_close(p);
}

Test(json, fields_are_their_text)
{
	static const struct {
		const char *text;
		const char *want[3];
	} rows[] = {
	    {"{\"t\":1}", {NULL, NULL, NULL}},
	    {"{\"t\":1,\"country\":\"DE\",\"meta\":{\"id\":7},\"tags\":true}",
		{"DE", "7", "true"}},
	    {"{\"tags\":1.50e1,\"meta\":{\"id\":\"\"},\"country\":null,"
	     "\"t\":1}",
		{NULL, "", "1.50e1"}},
	    {"{\"t\":\"1\",\"country\":\"a\\/b\\u00e9\",\"tags\":\"\\ud83d\"}",
		{"a/b\xc3\xa9", NULL, "\xef\xbf\xbd"}},
	};
	struct parsing *p = parser_new("t", NULL, NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_text(p, rows[i].text), SECOR_OK);
		cr_expect_eq(p->time_ms, 1000);
		for (size_t f = 0; f < 3; f++)
			cr_expect(parsing_field_is(p, f, rows[i].want[f]),
			    "%s: %zu is '%.*s'", rows[i].text, f,
			    (int)p->fields[f].len, p->fields[f].ptr);
	}
	parsing_close(p);
}

Test(json, field_that_is_no_scalar_is_rejected)
{
	struct parsing *p = parser_new("t", NULL, NULL);

	cr_expect_eq(
	    parsing_text(p, "{\"t\":1,\"meta\":{\"id\":{}}}"), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "field 'meta.id' is an object");
	cr_expect_eq(parsing_text(p, "{\"t\":1,\"tags\":[]}"), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "field 'tags' is an array");
	parsing_close(p);
}

Test(json, options_decide_the_unit_and_zone)
{
	struct parsing *p = parser_new("t", "time_format", "millis");

	cr_expect_eq(parsing_text(p, "{\"t\":1405970352}"), SECOR_OK);
	cr_expect_eq(p->time_ms, 1405970352);
	parsing_close(p);
	p = parser_new("t", "time_format", "iso8601");
	cr_expect_eq(parsing_text(p, "{\"t\":20140730}"), SECOR_REJECT);
	cr_expect_str_eq(
	    p->err.text, "no time: field 't' is a number, not ISO-8601 text");
	cr_expect_eq(parsing_text(p, "{\"t\":\"20140730\"}"), SECOR_OK);
	parsing_close(p);
	p = parser_new("t", "timezone", "Asia/Kolkata");
	cr_expect_eq(
	    parsing_text(p, "{\"t\":\"2014-07-30T10:53:20\"}"), SECOR_OK);
	cr_expect_eq(p->time_ms, 1406697800000);
	parsing_close(p);
}

Test(json, with_kafka_time_nothing_is_looked_for)
{
	struct parsing *p = parsing_open("parser/json", NULL, NULL);

	cr_expect_eq(parsing_text(p, "{\"a\":1}"), SECOR_OK);
	cr_expect_eq(p->time_ms, SECOR_NO_TIME);
	parsing_close(p);
}

Test(json, wrong_options_are_complained_about)
{
	const struct plugin *json = harness_plugin("parser/json");
	void *conf = harness_conf(json, "timezone", "Mars/Olympus", NULL);
	char *text = harness_check(json, conf);

	cr_expect_str_eq(text, "timezone: there is no such time zone\n"
			       "time_field: is needed (or time_source: "
			       "kafka)\n");
	free(text);
	harness_conf_free(json, conf);
	conf = harness_conf(json, "time_field", "a..b", NULL);
	text = harness_check(json, conf);
	cr_expect_str_eq(text, "time_field: a name is empty\n");
	free(text);
	harness_conf_free(json, conf);
}

Test(json, field_that_is_no_path_is_fatal)
{
	const struct plugin *json = harness_plugin("parser/json");
	void *conf = harness_conf(json, "time_field", "t", NULL);
	const char *fields[] = {"ok", "a."};
	struct secor_open with = {.size = sizeof(with),
	    .conf = conf,
	    .host = json->host,
	    .fields = {fields, 2}};
	struct secor_err err;
	void *self = NULL;

	cr_expect_eq(harness_open_with(json, &with, &self, &err), SECOR_FATAL);
	cr_expect_str_eq(err.text, "field 'a.': a name is empty");
	cr_expect_null(self);
	harness_conf_free(json, conf);
}
