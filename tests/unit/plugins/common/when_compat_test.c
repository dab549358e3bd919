/*
 * when_compat_test.c -- each vector of the original about times, under `compat:
 * secor` and without it: the two columns say where ours is better.
 */
#include "plugins/common/when.h"

#include <criterion/criterion.h>
#include <string.h>

#define BAD INT64_MIN

struct row {
	const char *text;
	int64_t compat; /* as the original, unless a comment says better */
	int64_t ours;
};

static struct when
when_new(const char *format, int compat)
{
	struct when_conf conf = {format, "UTC", "en_US", NULL, NULL};
	struct secor_open with = {.size = sizeof(with), .compat = compat};
	struct when when = {.noun = "field", .name = "ts"};
	struct secor_err err;

	cr_assert_eq(
	    when_open(&when, &conf, &with, &err), SECOR_OK, "%s", err.text);
	return when;
}

static int64_t
parse(const char *format, int compat, const char *text)
{
	struct when when = when_new(format, compat);
	int64_t ms = BAD;

	(void)when_parse(&when, (struct secor_bytes){text, strlen(text)}, &ms);
	when_close(&when);
	return ms;
}

static void
expect_rows(const char *format, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t ms = parse(format, SECOR_COMPAT_SECOR, rows[i].text);

		cr_expect_eq(ms, rows[i].compat, "compat '%s': %lld",
		    rows[i].text, (long long)ms);
		ms = parse(format, SECOR_COMPAT_NONE, rows[i].text);
		cr_expect_eq(ms, rows[i].ours, "'%s': %lld", rows[i].text,
		    (long long)ms);
	}
}
#define EXPECT(format, rows) \
	expect_rows(format, rows, sizeof(rows) / sizeof((rows)[0]))

Test(when_compat, unit_is_told_by_size)
{
	static const struct row rows[] = {
	    {"0", 0, 0},				  /* 1 */
	    {"1", 1000, 1000},				  /* 2 */
	    {"1405970352", 1405970352000, 1405970352000}, /* 4 */
	    {"999999999999", BAD, BAD}, /* 5 better: no year 33658 */
	    {"1405970352123", 1405970352123, 1405970352123}, /* 7 */
	    {"999999999999999", BAD, BAD}, /* 8 better: likewise */
	    {"9223372036854776", 9223372036854, 9223372036854}, /* 11 */
	    /* 12 better: out of the years; its double is 10^18, which is ns */
	    {"999999999999999999", 1000000000000, BAD},
	    /* 14: the double is no whole millisecond off */
	    {"1405970352123456789", 1405970352123, 1405970352123},
	    {"9223372036854775807", 9223372036854, 9223372036854}, /* 15 */
	    /* 17 better: it wrapped to 0 */
	    {"-9223372036854775808", BAD, BAD},
	    /* better: the double rounds into the next minute */
	    {"1405911119999999999", 1405911120000, 1405911119999},
	};

	EXPECT("auto", rows);
}

Test(when_compat, number_goes_through_a_double)
{
	static const struct row rows[] = {
	    {"1405911096", 1405911096000, 1405911096000},	 /* 18 */
	    {"1405911096123", 1405911096123, 1405911096123},	 /* 22 */
	    {"1405970352.9", 1405970352000, 1405970352900},	 /* 37 */
	    {"1.405970352123E12", 1405970352123, 1405970352123}, /* 38 */
	    {"-1", -1000, -1000},				 /* 41 */
	    {"0", 0, 0},					 /* 42 */
	    {"Infinity", 9223372036854, BAD},			 /* 44 */
	    {"+Infinity", 9223372036854, BAD},
	    {"infinity", BAD, BAD},
	    {"inf", BAD, BAD},
	    {"Infinityd", BAD, BAD},
	    {"NaN", 0, BAD},
	    {"nan", BAD, BAD},
	    {"NaN(1)", BAD, BAD},
	    {"1e3d", 1000000, BAD}, /* 45 */
	    {"1e3F", 1000000, BAD},
	    {"1e3dd", BAD, BAD},
	    {"d", BAD, BAD},
	    {"0x10", BAD, BAD}, /* 47, as the original */
	    {"0x10p0", 16000, BAD},
	    {"abc", BAD, BAD},	/* 47 */
	    {"", BAD, BAD},	/* 47 */
	    {"true", BAD, BAD}, /* 47 */
	    {" 1405970352 ", 1405970352000, 1405970352000},
	    {"1.", 1000, BAD},
	    {".5e1", 5000, BAD},
	    {"-1.5", -1000, -1500},
	};

	EXPECT("auto", rows);
}

Test(when_compat, iso8601_is_what_xml_schema_takes_and_more)
{
	static const struct row rows[] = {
	    {"2014-07-30T10:53:20.001Z", 1406717600001, 1406717600001}, /* 61 */
	    {"2014-07-29T10:53:20Z", 1406631200000, 1406631200000},	/* 62 */
	    {"2016-03-02T18:36:14+00:00", 1456943774000,
		1456943774000}, /* 64 */
	    {"2006-01-02T23:59:59.999999999Z", 1136246399999,
		1136246399999},						/* 65 */
	    {"2016-01-11T11:50:28.647Z", 1452513028647, 1452513028647}, /* 67 */
	    {"2014-07-30T10:53:20", 1406717600000, 1406717600000},	/* 68 */
	    {"2014-07-30T10:53:20+00:00", 1406717600000,
		1406717600000}, /* 71 */
	    {"2014-07-30T10:53:20-03:00", 1406728400000,
		1406728400000}, /* 72 */
	    {"2014-07-30T10:53:20.9999Z", 1406717600999,
		1406717600999},		  /* 74 */
	    {"10:53:20Z", 39200000, BAD}, /* 75 better: not 1970 */
	    {"2014", 1388534400000, BAD}, /* 77 better: a number is no year */
	    {"2014-07", 1404172800000, BAD},
	    {"2014-07-30T24:00:00Z", 1406764800000, 1406764800000}, /* 78 */
	    {"12014-07-30T00:00:00Z", BAD, BAD}, /* 81 better: out of years */
	    {"-0001-01-01T00:00:00Z", BAD, BAD}, /* 82 better: likewise */
	    {"1405970352", BAD, BAD},		 /* 84 better: it wrapped */
	    /* 85 better: the time that was meant, where it rejected */
	    {"2014-07-30T10:53:20+0000", 1406717600000, 1406717600000},
	    {"2020-12-08T15:11:55.019-0300", 1607451115019, 1607451115019},
	    {"2014-07-30 10:53:20Z", 1406717600000, 1406717600000},
	    {"2014-07-30T10:53Z", 1406717580000, 1406717580000},
	    {"2014-07-30t10:53:20z", 1406717600000, 1406717600000},
	    /* 85 as the original */
	    {"2014-02-30T00:00:00Z", BAD, BAD},
	    {"0000-01-01T00:00:00Z", BAD, BAD},
	    {"", BAD, BAD},
	};

	EXPECT("iso8601", rows);
}

Test(when_compat, pattern_is_lenient)
{
	cr_expect_eq(
	    parse("yyyy-MM-dd", SECOR_COMPAT_SECOR, "2014-02-30 and on"),
	    1393718400000);
	cr_expect_eq(parse("yyyy-MM-dd", SECOR_COMPAT_NONE, "2014-02-30"), BAD);
}
