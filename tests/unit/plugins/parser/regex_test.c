/*
 * regex_test.c -- groups of a pattern as time and fields, and its limits.
 * Numbers in comments are those of the original's vectors.
 */
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const struct plugin *plugin;
	void *conf;
	void *self;
	int64_t time_ms;
	struct secor_bytes fields[2];
	struct secor_err err;
};

static struct parser
parser_new(const char *pattern, const char *key, const char *value)
{
	struct parser p = {.plugin = harness_plugin("parser/regex")};
	char *complaints;

	p.conf = harness_conf(p.plugin, "pattern", pattern, key, value, NULL);
	complaints = harness_check(p.plugin, p.conf);
	cr_assert_str_eq(complaints, "");
	free(complaints);
	return p;
}

static struct parser
parser_open(const char *pattern, const char *key, const char *value)
{
	struct parser p = parser_new(pattern, key, value);

	p.self = harness_open(p.plugin, p.conf, NULL);
	return p;
}

static void
parser_free(struct parser *p)
{
	harness_close(p->plugin, p->self);
	harness_conf_free(p->plugin, p->conf);
}

static int
parse_bytes(struct parser *p, const char *text, size_t len)
{
	struct secor_message message = harness_message_bytes(text, len);
	struct secor_record record = {.size = sizeof(record),
	    .field_count = 2,
	    .message = &message,
	    .time_ms = SECOR_NO_TIME};
	int rc;

	memset(p->fields, 0, sizeof(p->fields));
	p->err.text[0] = '\0';
	rc = p->plugin->ops.parser->parse(
	    p->self, &message, &record, p->fields, &p->err);
	p->time_ms = record.time_ms;
	return rc;
}

static int
parse(struct parser *p, const char *text)
{
	return parse_bytes(p, text, text != NULL ? strlen(text) : 0);
}

Test(regex, time_is_that_of_its_group)
{
	static const struct {
		const char *pattern, *text;
		int64_t ms;
	} rows[] = {
	    {"ts=(?<time>\\d+)", "a\nb ts=1442960340123 c", /* 131 */
		1442960340123},
	    {"^(?<time>\\S+) ", "2014-07-30T10:53:20Z GET /", 1406717600000},
	    {"\\[(?<time>[^]]+)\\]", "x [2014-07-30 10:53:20.5 +0200] y",
		1406710400500},
	    {"(?<time>\\d+)(?<x>y)?", "5", 5000},
	    {"(?<time>\\d+)$", "1\n2", 2000},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parser p = parser_open(rows[i].pattern, NULL, NULL);

		cr_expect_eq(parse(&p, rows[i].text), SECOR_OK, "%s: %s",
		    rows[i].pattern, p.err.text);
		cr_expect_eq(p.time_ms, rows[i].ms, "%s: %lld", rows[i].pattern,
		    (long long)p.time_ms);
		parser_free(&p);
	}
}

Test(regex, message_without_time_is_rejected_with_its_reason)
{
	static const char bad[] =
	    "no time: group 'time' is neither a number nor ISO-8601";
	static const struct {
		const char *pattern, *text, *reason;
	} rows[] = {
	    {"^ts=(?<time>\\d+)$", "x\nts=1442960340123", /* 132 */
		"the pattern does not match"},
	    {"ts=(?<time>\\d+)", "", "the pattern does not match"},
	    {"ts=(?<time>\\d+)", NULL, "the value is null"},
	    {"ts=(?<time>\\d*)", "ts=", bad}, /* 134 */
	    {"ts=(?<time>\\d+)?",
		"ts=", "no time: group 'time' is not in the text"},
	    {"ts=(?<time>.+)", "ts=now", bad},
	    {"a.b(?<time>1)", "a\nb1", "the pattern does not match"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parser p = parser_open(rows[i].pattern, NULL, NULL);

		cr_expect_eq(parse(&p, rows[i].text), SECOR_REJECT);
		cr_expect_str_eq(p.err.text, rows[i].reason, "%s: %s",
		    rows[i].pattern, p.err.text);
		cr_expect_eq(p.time_ms, SECOR_NO_TIME);
		parser_free(&p);
	}
}

Test(regex, options_change_what_matches)
{
	static const struct {
		const char *key, *pattern, *text;
	} rows[] = {
	    {"multiline", "^ts=(?<time>\\d+)$", "x\nts=1\ny"},
	    {"caseless", "TS=(?<time>\\d+)", "ts=1"},
	    {"dotall", "a.b(?<time>1)", "a\nb1"},
	    {"utf", "^.(?<time>1)",
		"\xc3\xa9"
		"1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parser p =
		    parser_open(rows[i].pattern, rows[i].key, "true");

		cr_expect_eq(parse(&p, rows[i].text), SECOR_OK, "%s: %s",
		    rows[i].key, p.err.text);
		cr_expect_eq(p.time_ms, 1000);
		parser_free(&p);
		p = parser_open(rows[i].pattern, rows[i].key, "false");
		cr_expect_eq(
		    parse(&p, rows[i].text), SECOR_REJECT, "%s", rows[i].key);
		parser_free(&p);
	}
}

Test(regex, time_options_decide_unit_zone_and_group)
{
	struct parser p = parser_open("(?<time>\\d+)", "time_format", "millis");

	cr_expect_eq(parse(&p, "1405970352"), SECOR_OK);
	cr_expect_eq(p.time_ms, 1405970352);
	parser_free(&p);
	p = parser_open("(?<time>.*)", "timezone", "Asia/Kolkata");
	cr_expect_eq(parse(&p, "2014-07-30T10:53:20"), SECOR_OK);
	cr_expect_eq(p.time_ms, 1406697800000);
	parser_free(&p);
	p = parser_open("(?<when>\\d+)", "time_group", "when");
	cr_expect_eq(parse(&p, "7"), SECOR_OK);
	cr_expect_eq(p.time_ms, 7000);
	parser_free(&p);
}

Test(regex, named_groups_are_fields)
{
	struct parser p = parser_new(
	    "^(?<time>\\d+) (?<verb>\\w*)(?: (?<path>/\\S*))?", NULL, NULL);

	p.self = harness_open(p.plugin, p.conf, "path", "verb", NULL);
	cr_expect_eq(parse(&p, "1 GET /a/b"), SECOR_OK);
	cr_expect(
	    p.fields[0].len == 4 && memcmp(p.fields[0].ptr, "/a/b", 4) == 0);
	cr_expect(
	    p.fields[1].len == 3 && memcmp(p.fields[1].ptr, "GET", 3) == 0);
	/* not there is null, empty is empty */
	cr_expect_eq(parse(&p, "1 "), SECOR_OK);
	cr_expect_null(p.fields[0].ptr);
	cr_expect_not_null(p.fields[1].ptr);
	cr_expect_eq(p.fields[1].len, 0);
	parser_free(&p);
}

Test(regex, field_without_group_is_fatal_with_the_groups)
{
	static const char *const fields[] = {"country"};
	struct parser p =
	    parser_new("(?<time>\\d+) (?<verb>.)(?<path>.)", NULL, NULL);
	struct secor_open with = {.size = sizeof(with),
	    .conf = p.conf,
	    .host = p.plugin->host,
	    .fields = {fields, 1}};

	cr_expect_eq(
	    harness_open_with(p.plugin, &with, &p.self, &p.err), SECOR_FATAL);
	cr_expect_str_eq(p.err.text, "the pattern has no group 'country' (it "
				     "has: path, time, verb)");
	cr_expect_null(p.self);
	harness_conf_free(p.plugin, p.conf);
}

Test(regex, match_that_never_ends_is_rejected)
{
	static const char *const patterns[] = {"^(a+)+(?<time>1)$",
	    "^(a|aa)+(?<time>1)$", "^(?:.*?a){20}(?<time>1)$",
	    "(*NO_JIT)^(a+)+(?<time>1)$"};
	char text[401];

	memset(text, 'a', sizeof(text));
	(void)strcpy(text + sizeof(text) - 3, "1x");
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct parser p = parser_open(patterns[i], NULL, NULL);

		cr_expect_eq(parse(&p, text), SECOR_REJECT);
		cr_expect_str_eq(p.err.text,
		    "the pattern takes too many steps (match_limit)", "%s: %s",
		    patterns[i], p.err.text);
		parser_free(&p);
	}
}

Test(regex, recursion_without_end_is_rejected)
{
	struct parser p = parser_open(
	    "^(?<r>a(?&r)?b?)+(?<time>1)", "match_limit", "4000000");
	size_t len = 4 << 20;
	char *text = malloc(len);

	memset(text, 'a', len);
	cr_expect_eq(parse_bytes(&p, text, len), SECOR_REJECT);
	cr_expect_str_eq(
	    p.err.text, "the pattern takes too many steps (match_limit)");
	free(text);
	parser_free(&p);
}

/* Bytes that are no UTF-8 cannot be matched, nor do they harm. */
Test(regex, broken_utf8_is_safe)
{
	static const char *const texts[] = {"\xff\xfe"
					    "1",
	    "\xc3", "\xf0\x9f\x92", "\xed\xa0\x80\x31", "1\xc3", ""};
	struct parser p = parser_open("(?<time>\\d+).?", "utf", "true");

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t len = strlen(texts[i]);
		char *exact = malloc(len + 1);
		int has_digit = strchr(texts[i], '1') != NULL;

		memcpy(exact, texts[i], len);
		cr_expect_eq(parse_bytes(&p, exact, len),
		    has_digit ? SECOR_OK : SECOR_REJECT, "%zu: %s", i,
		    p.err.text);
		free(exact);
	}
	parser_free(&p);
}

Test(regex, wrong_options_are_complained_about)
{
	static const struct {
		const char *pattern, *key, *value, *complaint;
	} rows[] = {
	    {"ts=(\\d+", NULL, NULL,
		"pattern: missing closing parenthesis (at character 8)\n"},
	    {"ts=\\d+", NULL, NULL, /* 135 */
		"time_group: the pattern has no group 'time' (it has: "
		"none)\n"},
	    {"(?<ts>\\d+)(?<b>x)", NULL, NULL,
		"time_group: the pattern has no group 'time' (it has: b, "
		"ts)\n"},
	    {"(?<time>x)", "timezone", "Nonsense/Zone",
		"timezone: there is no such time zone\n"},
	    {"(*UTF)(?<time>x)", NULL, NULL,
		"pattern: using UTF is disabled by the application (at "
		"character 7)\n"},
	    {"(?<time>\\C)", NULL, NULL,
		"pattern: using \\C is disabled by the application (at "
		"character 11)\n"},
	};
	const struct plugin *regex = harness_plugin("parser/regex");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(regex, "pattern", rows[i].pattern,
		    rows[i].key, rows[i].value, NULL);
		char *text = harness_check(regex, conf);

		cr_expect_str_eq(text, rows[i].complaint, "%s", text);
		free(text);
		harness_conf_free(regex, conf);
	}
}

Test(regex, with_kafka_time_no_group_is_needed)
{
	const struct plugin *regex = harness_plugin("parser/regex");
	void *conf = harness_conf(regex, "pattern", "GET", NULL);
	struct secor_open with = {.size = sizeof(with),
	    .conf = conf,
	    .host = regex->host,
	    .no_time = 1};
	struct parser p = {.plugin = regex, .conf = conf};
	char *text = harness_check_no_time(regex, conf);

	cr_expect_str_eq(text, "");
	free(text);
	cr_assert_eq(
	    harness_open_with(regex, &with, &p.self, &p.err), SECOR_OK);
	cr_expect_eq(parse(&p, "GET /"), SECOR_OK);
	cr_expect_eq(p.time_ms, SECOR_NO_TIME);
	cr_expect_eq(parse(&p, "PUT /"), SECOR_REJECT);
	parser_free(&p);
}
