/*
 * logfmt_test.c -- lines to pairs, the fields asked for and the time.
 */
#include "tests/unit/plugins/parser/parsing.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* With the fields `a`, `http.status` and `ts`, which is the time. */
static struct parsing *
parser_new(const char *key, const char *value)
{
	return parsing_open("parser/logfmt", "a http.status ts", "time_field",
	    "ts", key, value, NULL);
}

static void
expect_text(
    const struct parsing *p, size_t i, const char *text, const char *row)
{
	cr_expect(parsing_field_is(p, i, text), "%s: '%.*s'", row,
	    (int)p->fields[i].len, p->fields[i].ptr);
}

Test(logfmt, pairs_give_their_values)
{
	static const struct {
		const char *text;
		const char *a, *status; /* NULL: null */
	} rows[] = {
	    {"ts=1 a=x http.status=200", "x", "200"},
	    {"a=x ts=1", "x", NULL},
	    {"  a=x \t ts=1  \r\n", "x", NULL},
	    {"a ts=1 http.status=", NULL, ""},
	    {"a=\"\" ts=\"1\"", "", NULL},
	    {"a=\"x y = z\" ts=1", "x y = z", NULL},
	    {"a=\"\\\"\\\\\\n\\t\\u00e9\\/\" ts=1", "\"\\\n\t\xc3\xa9/", NULL},
	    {"a=\"\\ud83d\\ude00\" ts=1", "\xf0\x9f\x98\x80", NULL},
	    {"a=/q?x=1&y==2 ts=1", "/q?x=1&y==2", NULL},
	    {"a==x ts=1", "=x", NULL},
	    {"a=x a=y ts=1", "y", NULL},
	    {"a=\"x\\n\" a ts=1", NULL, NULL},
	    {"a=\"x\\n\" a=\"y\\n\" ts=1 http.status=\"\\t\"", "y\n", "\t"},
	    {"aa=x A=x .a=x ts=1 status=3", NULL, NULL},
	    {"a=\xff\xfe\xc3 ts=1", "\xff\xfe\xc3", NULL},
	    {"a=\"two\nlines\" ts=1", "two\nlines", NULL},
	    {"\xc3\xa9=1 {}=2 ts=1", NULL, NULL},
	};
	struct parsing *p = parser_new(NULL, NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_text(p, rows[i].text), SECOR_OK, "%s: %s",
		    rows[i].text, p->err.text);
		expect_text(p, 0, rows[i].a, rows[i].text);
		expect_text(p, 1, rows[i].status, rows[i].text);
		expect_text(p, 2, "1", rows[i].text);
		cr_expect_eq(p->time_ms, 1000);
	}
	parsing_close(p);
}

Test(logfmt, garbage_is_rejected_with_its_reason)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
	    {"", "there are no pairs"},
	    {"  \n", "there are no pairs"},
	    {"ts=1 =x", "a value without a key: pair 2"},
	    {"\"ts\"=1", "a value without a key: pair 1"},
	    {"ts=1 a=\"x", "no end of a quote: pair 2"},
	    {"ts=1 a=\"", "no end of a quote: pair 2"},
	    {"ts=1 a=\"x\\\"", "no end of a quote: pair 2"},
	    {"ts=1 a=\"x\\", "no end of a quote: pair 2"},
	    {"ts=1 b=\"\\x41\"", "an escape that is none: pair 2"},
	    {"ts=1 b=\"\\u12g4\"", "an escape that is none: pair 2"},
	    {"ts=1 a=\"x\"y", "a byte between pairs that is no blank: pair 2"},
	    {"ts=1 a=x\"y\"", "a byte between pairs that is no blank: pair 2"},
	    {"ts=1 a\"x\"", "a byte between pairs that is no blank: pair 2"},
	    {"ts=1\na=2", "a byte between pairs that is no blank: pair 1"},
	    {"ts=1 a=\x01", "a byte between pairs that is no blank: pair 2"},
	    {"a=1", "no time: field 'ts' is missing"},
	    {"ts", "no time: field 'ts' is null"},
	    {"ts=x", "no time: field 'ts' is neither a number nor ISO-8601"},
	};
	struct parsing *p = parser_new(NULL, NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_text(p, rows[i].text), SECOR_REJECT, "%s",
		    rows[i].text);
		cr_expect_str_eq(p->err.text, rows[i].why);
	}
	cr_expect_eq(parsing_text(p, NULL), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "the value is null");
	cr_expect_eq(parsing_bytes(p, "ts=1 a=\0", 8), SECOR_REJECT);
	parsing_close(p);
}

Test(logfmt, time_has_a_format_and_may_be_missing)
{
	struct parsing *p = parser_new("time_format", "yyyy-MM-dd HH:mm");

	cr_expect_eq(parsing_text(p, "ts=\"2014-07-30 10:53\""), SECOR_OK);
	cr_expect_eq(p->time_ms, 1406717580000);
	parsing_close(p);
	p = parser_new("time_missing", "kafka");
	cr_expect_eq(parsing_text(p, "a=1"), SECOR_OK);
	cr_expect_eq(p->time_ms, 1405908000000);
	cr_expect_eq(parsing_text(p, "ts=x"), SECOR_REJECT);
	parsing_close(p);
}

Test(logfmt, with_kafka_time_nothing_is_looked_for)
{
	struct parsing *p = parsing_open("parser/logfmt", NULL, NULL);

	cr_expect_eq(parsing_text(p, "a=1"), SECOR_OK);
	cr_expect_eq(p->time_ms, SECOR_NO_TIME);
	parsing_close(p);
}

Test(logfmt, wrong_options_are_complained_about)
{
	const struct plugin *plugin = harness_plugin("parser/logfmt");
	const char *names[] = {"a b"};
	void *conf = harness_conf(plugin, NULL);
	struct secor_open with = {.size = sizeof(with),
	    .conf = conf,
	    .host = plugin->host,
	    .fields = {names, 1},
	    .no_time = 1};
	char *text = harness_check(plugin, conf);
	struct secor_err err;
	void *self = NULL;

	cr_expect_str_eq(
	    text, "time_field: is needed (or time_source: kafka)\n");
	free(text);
	cr_expect_eq(
	    harness_open_with(plugin, &with, &self, &err), SECOR_FATAL);
	cr_expect_str_eq(err.text, "field 'a b' cannot be a key");
	harness_conf_free(plugin, conf);
}
