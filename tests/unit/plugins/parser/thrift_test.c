/*
 * thrift_test.c -- time and fields of Thrift structs in both protocols, and
 * what is none. Numbers in comments are those of the original's vectors.
 */
#include "tests/unit/plugins/parser/parsing.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* {1: i64 1405970352123, 2: "de", 3: i32 1405970352, 4: {1: i64 7, 2: [i32 5,
 * 6]}, 5: true, 6: {"k": 1.5}, 7: 2.5} */
static const char binary[] = "0a0001 000001475a5d07fb 0b0002 00000002 6465 "
			     "080003 53cd67b0 0c0004 0a0001 0000000000000007 "
			     "0f0002 08 00000002 00000005 00000006 00 "
			     "020005 01 0d0006 0b04 00000001 00000001 6b "
			     "3ff8000000000000 040007 4004000000000000 00";
static const char compact[] = "16 f69fe8a5eb51 18 02 6465 15 e09eebbc0a 1c "
			      "16 0e 19 25 0a 0c 00 11 1b 01 87 01 6b "
			      "000000000000f83f 17 0000000000000440 00";

static struct parsing *
of_protocol(const char *protocol)
{
	return parsing_open("parser/thrift", "2 4.1 4.2.1 5 7 9 4.1.1",
	    "time_field", "1", "protocol", protocol, NULL);
}

static void
expect_whole(struct parsing *p, const char *hex)
{
	static const char *const want[] = {
	    "de", "7", "6", "true", "2.5", "(none)", "(none)"};

	cr_assert_eq(parsing_hex(p, hex), SECOR_OK, "%s", p->err.text);
	cr_expect_eq(p->time_ms, 1405970352123, "%lld", (long long)p->time_ms);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		cr_expect_str_eq(parsing_field(p, i), want[i]);
}

Test(thrift, time_and_fields_are_found_in_both_protocols)
{
	struct parsing *p = of_protocol("binary");

	expect_whole(p, binary);
	parsing_close(p);
	p = of_protocol("compact");
	expect_whole(p, compact);
	parsing_close(p);
}

Test(thrift, prefix_of_a_struct_is_always_rejected)
{
	static const char *const of[] = {binary, compact};
	static const char *const protocols[] = {"binary", "compact"};

	for (int k = 0; k < 2; k++) {
		struct parsing *p = of_protocol(protocols[k]);
		size_t len;
		unsigned char *bytes = parsing_unhex(of[k], &len);

		for (size_t n = 0; n < len; n++)
			cr_expect_eq(
			    parsing_bytes(p, bytes, n), SECOR_REJECT, "%zu", n);
		free(bytes);
		parsing_close(p);
	}
}

Test(thrift, time_is_of_any_type_that_can_be_one)
{
	static const struct {
		const char *hex;
		int64_t ms;
	} rows[] = {
	    {"0a0001 0000000053cd67b0 00", 1405970352000}, /* 144 */
	    {"0a0001 000001475a5d07fb 00", 1405970352123}, /* 144 */
	    {"080001 53cd67b0 00", 1405970352000},	   /* 145 */
	    {"080001 08a4f341 00", 145027905000},	   /* 145 */
	    {"040001 41d4f359ec07df3b 00", 1405970352123},
	    {"0b0001 0000000a 31343035393730333532 00", 1405970352000},
	    {"060001 ffff 00", -1000},
	    {"030001 02 00", 2000},
	    {"0a0001 0000000000000001 0a0001 0000000000000002 00", 2000},
	};
	struct parsing *p =
	    parsing_open("parser/thrift", NULL, "time_field", "1", NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(parsing_hex(p, rows[i].hex), SECOR_OK, "%s: %s",
		    rows[i].hex, p->err.text);
		cr_expect_eq(p->time_ms, rows[i].ms, "%s: %lld", rows[i].hex,
		    (long long)p->time_ms);
	}
	parsing_close(p);
}

Test(thrift, message_that_is_no_struct_or_has_no_time_is_rejected)
{
	static const struct {
		const char *protocol, *hex, *reason;
	} rows[] = {
	    {"binary", "00", "no time: field '1' is absent"},
	    {"binary", "0b0001 00000003 616263 00", /* 147 */
		"no time: field '1' is neither a number nor ISO-8601"},
	    {"binary", "0c0001 00 00", "no time: field '1' is no single value"},
	    {"binary", "020001 01 00", "no time: field '1' is a boolean"},
	    {"binary", "", "the value is no Thrift struct: it is cut off"},
	    {"binary", "00 00",
		"the value is no Thrift struct: it goes on behind its end"},
	    {"binary", "630001 00",
		"the value is no Thrift struct: a type is unknown"},
	    {"binary", "050001 00",
		"the value is no Thrift struct: a type is unknown"},
	    {"binary", "0b0002 ffffffff 00",
		"the value is no Thrift struct: it is cut off"},
	    {"binary", "0f0002 02 7fffffff 01 00",
		"the value is no Thrift struct: it is cut off"},
	    {"compact", "1e 00",
		"the value is no Thrift struct: a type is unknown"},
	    {"compact", "06 ffff7f 02 00",
		"the value is no Thrift struct: a field id is too large"},
	    {"compact", "16 ffffffffffffffffff7f 00",
		"the value is no Thrift struct: it is cut off"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parsing *p = parsing_open("parser/thrift", NULL,
		    "time_field", "1", "protocol", rows[i].protocol, NULL);

		cr_expect_eq(parsing_hex(p, rows[i].hex), SECOR_REJECT, "%s",
		    rows[i].hex);
		cr_expect_str_eq(p->err.text, rows[i].reason);
		parsing_close(p);
	}
}

/* `levels` structs within each other as field 1, then their ends. */
static int
nested(struct parsing *p, int levels)
{
	unsigned char *bytes = calloc(4, (size_t)levels + 1);
	int rc;

	for (int i = 0; i < levels; i++)
		memcpy(bytes + 3 * i, "\x0c\0\1", 3);
	rc = parsing_bytes(p, bytes, 4 * (size_t)levels + 1);
	free(bytes);
	return rc;
}

Test(thrift, nesting_has_a_limit)
{
	struct parsing *p = parsing_open("parser/thrift", NULL, NULL);

	cr_expect_eq(nested(p, 63), SECOR_OK, "%s", p->err.text);
	cr_expect_eq(nested(p, 64), SECOR_REJECT);
	cr_expect_str_eq(p->err.text,
	    "the value is no Thrift struct: it is nested too deep");
	cr_expect_eq(nested(p, 100000), SECOR_REJECT);
	parsing_close(p);
}

Test(thrift, names_are_refused)
{
	struct secor_err err = parsing_refused("parser/thrift", "1.x", NULL);
	const struct plugin *plugin = harness_plugin("parser/thrift");
	void *conf = harness_conf(plugin, "time_field", "ts", NULL);
	char *complaints = harness_check(plugin, conf);

	cr_expect_str_eq(
	    err.text, "thrift finds fields by their ids, like 1 or 2.1");
	cr_expect_str_eq(
	    complaints, "time_field: is no path of field ids, like 1 or 2.1\n");
	free(complaints);
	harness_conf_free(plugin, conf);
}
