/*
 * delimited_test.c -- rows to cells, columns by name and number, the time.
 */
#include "tests/unit/plugins/parser/parsing.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Of columns a, b, c and the time in c, with one more option, and the fields a,
 * b and 3. */
static struct parsing *
parser_new(const char *key, const char *value)
{
	return parsing_open("parser/delimited", "a b 3", "columns", "[a, b, c]",
	    "time_field", "c", key, value, NULL);
}

struct row {
	const char *text;
	const char *a, *b; /* NULL: null; a NULL and b NULL: rejected */
	const char *why;
};

static void
expect_text(
    const struct parsing *p, size_t i, const char *text, const char *row)
{
	cr_expect(parsing_field_is(p, i, text), "%s: '%.*s'", row,
	    (int)p->fields[i].len, p->fields[i].ptr);
}

static void
expect_rows(
    const char *key, const char *value, const struct row *rows, size_t n)
{
	struct parsing *p = parser_new(key, value);

	for (size_t i = 0; i < n; i++) {
		int rc = parsing_text(p, rows[i].text);

		if (rows[i].why != NULL) {
			cr_expect_eq(rc, SECOR_REJECT, "%s", rows[i].text);
			cr_expect_str_eq(p->err.text, rows[i].why);
			continue;
		}
		cr_expect_eq(rc, SECOR_OK, "%s: %s", rows[i].text, p->err.text);
		expect_text(p, 0, rows[i].a, rows[i].text);
		expect_text(p, 1, rows[i].b, rows[i].text);
		cr_expect_eq(p->time_ms, 1000);
	}
	parsing_close(p);
}
#define EXPECT(key, value, rows) \
	expect_rows(key, value, rows, sizeof(rows) / sizeof((rows)[0]))

Test(delimited, row_is_cells_with_and_without_quotes)
{
	static const struct row rows[] = {
	    {"x,y,1", "x", "y", NULL},
	    {"x,y,1\n", "x", "y", NULL},
	    {"x,y,1\r\n", "x", "y", NULL},
	    {",,1", "", "", NULL},
	    {"\"x\",\"y\",\"1\"", "x", "y", NULL},
	    {"\"\",\"y,z\",1", "", "y,z", NULL},
	    {"\"a\"\"b\",\"\"\"\",1", "a\"b", "\"", NULL},
	    {"\"two\nlines\",\"\r\n\",1", "two\nlines", "\r\n", NULL},
	    {"a\"b,c\",1", "a\"b", "c\"", NULL},
	    {" x , \"y\",1", " x ", " \"y\"", NULL},
	    {"\\N,\xff\xfe,1", "\\N", "\xff\xfe", NULL},
	    {"", NULL, NULL, "the value is empty"},
	    {"\r\n", NULL, NULL, "the value is empty"},
	    {"x,y", NULL, NULL, "wrong number of columns: 2 instead of 3"},
	    {"x,y,1,2", NULL, NULL, "wrong number of columns: 4 instead of 3"},
	    {"x,y,1\n\n", NULL, NULL, "more than one line: column 3"},
	    {"x,y,1\nx,y,1", NULL, NULL, "more than one line: column 3"},
	    {"x,y\rz,1", NULL, NULL, "more than one line: column 2"},
	    {"x,\"y,1", NULL, NULL, "no end of a quote: column 2"},
	    {"x,\"", NULL, NULL, "no end of a quote: column 2"},
	    {"x,\"y\"\"", NULL, NULL, "no end of a quote: column 2"},
	    {"x,\"y\"z,1", NULL, NULL, "text behind a quote: column 2"},
	    {"x,\"y\" ,1", NULL, NULL, "text behind a quote: column 2"},
	    {"x,y,z", NULL, NULL,
		"no time: column 'c' is neither a number nor ISO-8601"},
	    {"x,y,", NULL, NULL,
		"no time: column 'c' is neither a number nor ISO-8601"},
	};

	EXPECT(NULL, NULL, rows);
}

Test(delimited, bytes_of_the_syntax_are_options)
{
	static const struct row tab[] = {{"x\t\"y\t\"\t1", "x", "y\t", NULL}};
	static const struct row bar[] = {{"x|y,|1", "x", "y,", NULL}};
	static const struct row plain[] = {
	    {"\"x\",\"\"y\",1", "\"x\"", "\"\"y\"", NULL}};
	static const struct row single[] = {{"'x,','y''',1", "x,", "y'", NULL}};
	static const struct row escape[] = {
	    {"x\\,,\"y\\\"\"\"\",1", "x,", "y\"\"", NULL},
	    {"\\\\,\\\",1", "\\", "\"", NULL},
	    {"x\\\ny,z,1", "x\ny", "z", NULL},
	    {"x,y,1\\", NULL, NULL, "nothing behind an escape: column 3"},
	    {"x,\"y\\\"", NULL, NULL, "no end of a quote: column 2"},
	    {"x,\"y\\", NULL, NULL, "no end of a quote: column 2"},
	};
	static const struct row trim[] = {
	    {"  x y\t, \"y \" ,\t1 ", "x y", "y ", NULL},
	    {" ,\t, 1", "", "", NULL},
	};
	static const struct row null[] = {
	    {"\\N,\"\\N\",1", NULL, "\\N", NULL},
	    {"x,\\N,\\N", NULL, NULL, "no time: column 'c' is null"},
	};
	static const struct row any[] = {
	    {"x,y,1,2,3", "x", "y", NULL},
	    {"x", NULL, NULL, "no time: column 'c' is not in the row"},
	};

	EXPECT("delimiter", "tab", tab);
	EXPECT("delimiter", "|", bar);
	EXPECT("quote", "none", plain);
	EXPECT("quote", "'", single);
	EXPECT("escape", "\\", escape);
	EXPECT("trim", "true", trim);
	EXPECT("null_text", "\\N", null);
	EXPECT("column_count", "any", any);
}

Test(delimited, columns_without_names_are_numbers)
{
	struct parsing *p =
	    parsing_open("parser/delimited", "1 2 4", "time_field", "2", NULL);

	cr_expect_eq(parsing_text(p, "x,1"), SECOR_OK);
	expect_text(p, 0, "x", "1");
	expect_text(p, 1, "1", "2");
	expect_text(p, 2, NULL, "4");
	cr_expect_eq(parsing_text(p, "x,1,y,z,,"), SECOR_OK);
	expect_text(p, 2, "z", "4");
	cr_expect_eq(p->time_ms, 1000);
	parsing_close(p);
}

Test(delimited, missing_time_may_be_another)
{
	struct parsing *p = parser_new("time_missing", "kafka");

	cr_expect_eq(parsing_text(p, "x,y,"), SECOR_REJECT);
	parsing_close(p);
	p = parser_new("time_invalid", "kafka");
	cr_expect_eq(parsing_text(p, "x,y,"), SECOR_OK);
	cr_expect_eq(p->time_ms, 1405908000000);
	parsing_close(p);
	p = parser_new("time_format", "dd/MMM/yyyy:HH:mm:ss Z");
	cr_expect_eq(
	    parsing_text(p, "x,y,10/Oct/2000:13:55:36 -0700"), SECOR_OK);
	cr_expect_eq(p->time_ms, 971211336000);
	parsing_close(p);
}

Test(delimited, null_value_is_rejected)
{
	struct parsing *p = parser_new(NULL, NULL);

	cr_expect_eq(parsing_text(p, NULL), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "the value is null");
	parsing_close(p);
}

/* Larger than the scratch was before: no cell may move. */
Test(delimited, long_quoted_cells_stay_where_they_are)
{
	struct parsing *p = parser_new(NULL, NULL);
	size_t n = 100000;
	char *text = malloc(2 * n + 16);
	char *at = text;

	cr_assert_not_null(text);
	for (int cell = 0; cell < 2; cell++) {
		*at++ = '"';
		memset(at, '"', n);
		at += n;
		memcpy(at, "\",", 2);
		at += 2;
	}
	*at++ = '1';
	cr_expect_eq(parsing_bytes(p, text, (size_t)(at - text)), SECOR_OK,
	    "%s", p->err.text);
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(p->fields[i].len, n / 2);
		for (size_t k = 0; k < p->fields[i].len; k++)
			cr_assert_eq(p->fields[i].ptr[k], '"');
	}
	free(text);
	parsing_close(p);
}

Test(delimited, with_kafka_time_nothing_is_looked_for)
{
	struct parsing *p = parsing_open("parser/delimited", NULL, NULL);

	cr_expect_eq(parsing_text(p, "x"), SECOR_OK);
	cr_expect_eq(p->time_ms, SECOR_NO_TIME);
	parsing_close(p);
}

Test(delimited, wrong_options_are_complained_about)
{
	const struct plugin *plugin = harness_plugin("parser/delimited");
	struct secor_open with = {.size = sizeof(with)};
	void *conf = harness_conf(plugin, "columns", "[a, b, a]", "delimiter",
	    ";;", "quote", "", "escape", "ab", "time_field", "4", "time_format",
	    "milis", "timezone", "Mars", NULL);
	char *text = harness_check(plugin, conf);
	struct secor_err err;
	void *self = NULL;

	cr_expect_str_eq(text,
	    "delimiter: is neither one byte nor a word for it\n"
	    "quote: is neither one byte nor a word for it\n"
	    "escape: is neither one byte nor a word for it\n"
	    "columns: has 'a' twice\n"
	    "timezone: there is no such time zone\n"
	    "time_format: is neither auto, seconds, millis, micros, nanos, "
	    "iso8601 nor a pattern: 'i' is no letter of a pattern (text stands "
	    "in 'quotes')\n"
	    "time_field: there is no column 4, `columns` has 3\n");
	free(text);
	with.conf = conf;
	with.host = plugin->host;
	cr_expect_eq(
	    harness_open_with(plugin, &with, &self, &err), SECOR_FATAL);
	harness_conf_free(plugin, conf);

	conf = harness_conf(plugin, "quote", ",", "escape", ",", NULL);
	text = harness_check(plugin, conf);
	cr_expect_str_eq(text,
	    "quote: is the delimiter\nescape: is the delimiter\n"
	    "time_field: is needed (or time_source: kafka)\n");
	free(text);
	harness_conf_free(plugin, conf);
}

Test(delimited, field_that_is_no_column_is_refused)
{
	const struct plugin *plugin = harness_plugin("parser/delimited");
	const char *names[] = {"d"};
	void *conf =
	    harness_conf(plugin, "columns", "[a, b]", "time_field", "a", NULL);
	struct secor_open with = {.size = sizeof(with),
	    .conf = conf,
	    .host = plugin->host,
	    .fields = {names, 1}};
	struct secor_err err;
	void *self = NULL;

	cr_expect_eq(
	    harness_open_with(plugin, &with, &self, &err), SECOR_FATAL);
	cr_expect_str_eq(
	    err.text, "column 'd': 'd' is none of `columns`, and no number");
	harness_conf_free(plugin, conf);
}
