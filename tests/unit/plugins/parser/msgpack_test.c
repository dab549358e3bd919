/*
 * msgpack_test.c -- time and fields of MessagePack, and what is none. Numbers
 * in comments are those of the original's vectors.
 */
#include "tests/unit/plugins/parser/parsing.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct parsing *
by_ts(void)
{
	return parsing_open("parser/msgpack", NULL, "time_field", "ts", NULL);
}

Test(msgpack, time_of_every_kind_is_taken)
{
	static const struct {
		const char *hex;
		int64_t ms;
	} rows[] = {
	    {"81a27473ce53cd67b0", 1405970352000},	       /* 117 */
	    {"81a27473cf000001475a5d07fb", 1405970352123},     /* millis */
	    {"81a27473cb41d4f359ec07df3b", 1405970352123},     /* a double */
	    {"81a27473ca4ea79acf", 1405970304000},	       /* a float */
	    {"81a27473aa31343035393730333532", 1405970352000}, /* 120 */
	    {"81a27473ff", -1000},			       /* -1 s */
	    {"81a27473d0ff", -1000}, {"81a27473d2ffffffff", -1000},
	    {"81a27473d3ffffffffffffffff", -1000},
	    {"81a27473d6ff53cd67b0", 1405970352000},	     /* ext, 4 bytes */
	    {"81a27473d7ff1d53530053cd67b0", 1405970352123}, /* 8 bytes */
	    {"81a27473c70cff07270e000000000053cd67b0", 1405970352120},
	    {"81a27473b4323031342d30372d33305431303a35333a32305a",
		1406717600000},
	    {"82a27473ce00000001a27473ce00000002", 2000}, /* the last one */
	};
	struct parsing *p = by_ts();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_hex(p, rows[i].hex), SECOR_OK, "%s: %s",
		    rows[i].hex, p->err.text);
		cr_expect_eq(p->time_ms, rows[i].ms, "%s: %lld", rows[i].hex,
		    (long long)p->time_ms);
	}
	parsing_close(p);
}

Test(msgpack, message_without_time_is_rejected_with_its_reason)
{
	static const struct {
		const char *hex, *reason;
	} rows[] = {
	    {"80", "no time: field 'ts' is absent"},	   /* 121 */
	    {"81a27473c0", "no time: field 'ts' is null"}, /* 121 */
	    {"81a27473c3", "no time: field 'ts' is a boolean"},
	    {"81a2747380", "no time: field 'ts' is no single value"},
	    {"81a27473c40131", "no time: field 'ts' is bytes"},
	    {"81a27473cb7ff8000000000000",
		"no time: field 'ts' is not a finite number"},
	    {"81a27473d40500", "no time: field 'ts' is of an extension type"},
	    {"81a27473d5ff0000",
		"no time: field 'ts' is a timestamp of a wrong length"},
	    {"81a27473d7ffffffffff53cd67b0",
		"no time: field 'ts' is a timestamp of too many nanoseconds"},
	    {"81a27473c70cff000000007fffffffffffffff",
		"no time: field 'ts' is out of years 0001 to 9999"},
	    {"81a27473a3616263", "no time: field 'ts' is neither a number nor "
				 "ISO-8601"}, /* 122 */
	    {"2a", "no time: field 'ts' is absent"},
	};
	struct parsing *p = by_ts();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_hex(p, rows[i].hex), SECOR_REJECT);
		cr_expect_str_eq(p->err.text, rows[i].reason);
		cr_expect_eq(p->time_ms, SECOR_NO_TIME);
	}
	cr_expect_eq(parsing_bytes(p, NULL, 0), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "the value is null");
	parsing_close(p);
}

Test(msgpack, bytes_that_are_no_msgpack_are_rejected)
{
	static const char *const rows[] = {
	    "", "c1",		      /* never used */
	    "81a27473",		      /* no value */
	    "81a27473ce53cd6b",	      /* half a number */
	    "81a27473db00000010ff",   /* a text longer than all */
	    "dfffffffff",	      /* four billion pairs */
	    "ddffffffff",	      /* and elements */
	    "82a2747301",	      /* a pair too few */
	    "81a2747301ff",	      /* goes on */
	    "7b227473223a317d",	      /* JSON */
	    "81a1619191919191919191", /* cut off in the deep */
	};
	struct parsing *p = by_ts();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(
		    parsing_hex(p, rows[i]), SECOR_REJECT, "%s", rows[i]);
		cr_expect_eq(
		    strncmp(p->err.text, "the value is no MessagePack: ", 29),
		    0, "%s: %s", rows[i], p->err.text);
	}
	parsing_close(p);
}

Test(msgpack, prefix_of_a_message_is_always_rejected)
{
	size_t len;
	/* {"a": {"b": [1, {"c": "de"}]}, "ts": 1405970352, 7: 2.5} */
	unsigned char *bytes =
	    parsing_unhex("83a16181a16292 0181a163a26465 a27473ce53cd67b0 "
			  "07cb4004000000000000",
		&len);
	struct parsing *p =
	    parsing_open("parser/msgpack", "a.b.0 a.b.1.c 7 a.x a.b.c", NULL);

	for (size_t n = 0; n < len; n++)
		cr_expect_eq(
		    parsing_bytes(p, bytes, n), SECOR_REJECT, "%zu", n);
	cr_expect_eq(parsing_bytes(p, bytes, len), SECOR_OK, "%s", p->err.text);
	cr_expect_str_eq(parsing_field(p, 0), "1");
	cr_expect_str_eq(parsing_field(p, 1), "de");
	cr_expect_str_eq(parsing_field(p, 2), "2.5");
	cr_expect_str_eq(parsing_field(p, 3), "(none)");
	cr_expect_str_eq(parsing_field(p, 4), "(none)");
	free(bytes);
	parsing_close(p);
}

Test(msgpack, field_is_the_text_of_its_value)
{
	static const struct {
		const char *hex, *text;
	} rows[] = {
	    {"81a16105", "5"},
	    {"81a161ff", "-1"},
	    {"81a161cfffffffffffffffff", "18446744073709551615"},
	    {"81a161d38000000000000000", "-9223372036854775808"},
	    {"81a161c2", "false"},
	    {"81a161c3", "true"},
	    {"81a161c0", "(none)"},
	    {"80", "(none)"},
	    {"81a161a0", ""},
	    {"81a161a3c3a978", "\xc3\xa9x"},
	    {"81a161c4026f6b", "ok"},
	    {"81a161ca3dcccccd", "0.1"},
	    {"81a161cb3fb999999999999a", "0.1"},
	    {"81a161d6ff53cd67b0", "2014-07-21T19:19:12.000Z"},
	    {"82a1618101 02a16107", "7"},
	};
	struct parsing *p = parsing_open("parser/msgpack", "a", NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_hex(p, rows[i].hex), SECOR_OK, "%s: %s",
		    rows[i].hex, p->err.text);
		cr_expect_str_eq(parsing_field(p, 0), rows[i].text);
	}
	cr_expect_eq(parsing_hex(p, "81a161a2c328"), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "field 'a' is not UTF-8");
	cr_expect_eq(parsing_hex(p, "81a16180"), SECOR_REJECT);
	cr_expect_str_eq(p->err.text, "field 'a' is no single value");
	parsing_close(p);
}

Test(msgpack, name_that_comes_again_hides_all_that_was_below_it)
{
	struct parsing *p = parsing_open("parser/msgpack", "a.b a.c", NULL);

	/* {"a": {"b": 1}, "a": {"c": 2}} */
	cr_expect_eq(parsing_hex(p, "82a16181a16201a16181a16302"), SECOR_OK);
	cr_expect_str_eq(parsing_field(p, 0), "(none)");
	cr_expect_str_eq(parsing_field(p, 1), "2");
	parsing_close(p);
}

Test(msgpack, separator_cuts_paths)
{
	static const struct {
		const char *separator, *path;
		const char *hex; /* where the field is 1 */
	} rows[] = {
	    {"", "a.b", "81a3612e6201"},
	    {"", "a\\\\b", "81a4615c5c6201"},
	    {"/", "a.b/c", "81a3612e6281a16301"},
	    {"::", "a:b::c", "81a3613a6281a16301"},
	    {".", "a\\.b", "81a3612e6201"},
	    {".", "a\\\\.b", "81a2615c81a16201"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parsing *p = parsing_open("parser/msgpack", rows[i].path,
		    "separator", rows[i].separator, NULL);

		cr_expect_eq(parsing_hex(p, rows[i].hex), SECOR_OK);
		cr_expect_str_eq(parsing_field(p, 0), "1", "%s: %s",
		    rows[i].path, parsing_field(p, 0));
		parsing_close(p);
	}
}

Test(msgpack, missing_time_is_what_the_option_says)
{
	struct parsing *p = parsing_open("parser/msgpack", NULL, "time_field",
	    "ts", "time_missing", "kafka", NULL);

	cr_expect_eq(parsing_hex(p, "80"), SECOR_OK);
	cr_expect_eq(p->time_ms, 1405908000000);
	cr_expect_eq(parsing_hex(p, "81a27473c3"), SECOR_REJECT);
	parsing_close(p);
	p = parsing_open("parser/msgpack", NULL, "time_field", "ts",
	    "time_missing", "1970-01-01", NULL);
	cr_expect_eq(parsing_hex(p, "81a27473c0"), SECOR_OK);
	cr_expect_eq(p->time_ms, 0);
	parsing_close(p);
}

Test(msgpack, number_where_text_is_asked_for_is_rejected)
{
	struct parsing *p = parsing_open("parser/msgpack", NULL, "time_field",
	    "ts", "time_format", "iso8601", NULL);

	cr_expect_eq(parsing_hex(p, "81a2747301"), SECOR_REJECT);
	cr_expect_str_eq(
	    p->err.text, "no time: field 'ts' is a number, not ISO-8601 text");
	parsing_close(p);
}

Test(msgpack, path_that_is_none_is_refused)
{
	struct secor_err err = parsing_refused("parser/msgpack", "a..b", NULL);
	const struct plugin *plugin = harness_plugin("parser/msgpack");
	void *conf = harness_conf(
	    plugin, "time_field", "x.", "timezone", "Nowhere", NULL);
	char *complaints = harness_check(plugin, conf);

	cr_expect_str_eq(err.text, "field 'a..b': a name is empty");
	cr_expect_str_eq(complaints, "timezone: there is no such time zone\n"
				     "time_field: a name is empty\n");
	free(complaints);
	harness_conf_free(plugin, conf);
	conf = harness_conf(plugin, NULL);
	complaints = harness_check(plugin, conf);
	cr_expect_str_eq(
	    complaints, "time_field: is needed (or time_source: kafka)\n");
	free(complaints);
	harness_conf_free(plugin, conf);
}

Test(msgpack, nesting_of_any_depth_is_skipped)
{
	enum { DEEP = 1000000 };
	unsigned char *bytes = malloc(DEEP + 10);
	struct parsing *p = by_ts();

	memcpy(bytes, "\x82\xa1x", 3);
	memset(bytes + 3, 0x91, DEEP); /* [[[...0]]] */
	memcpy(bytes + 3 + DEEP, "\x00\xa2ts\x05", 5);
	cr_expect_eq(
	    parsing_bytes(p, bytes, DEEP + 8), SECOR_OK, "%s", p->err.text);
	cr_expect_eq(p->time_ms, 5000);
	cr_expect_eq(parsing_bytes(p, bytes, DEEP), SECOR_REJECT);
	free(bytes);
	parsing_close(p);
}
