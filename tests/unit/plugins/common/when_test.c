/*
 * when_test.c -- text to a time: units by size, exact fractions, ISO-8601 and
 * local time. Numbers in comments are those of the original's vectors.
 */
#include "plugins/common/civil.h"
#include "plugins/common/when.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define BAD INT64_MIN

struct row {
	const char *text;
	int64_t ms; /* or BAD */
};

static void
expect_rows(int format, const char *timezone, const struct row *rows, size_t n)
{
	struct when when = {.format = format};
	struct secor_err err;

	cr_assert_eq(
	    zone_open(timezone, &when.zone, &err), SECOR_OK, "%s", err.text);
	for (size_t i = 0; i < n; i++) {
		struct secor_bytes text = {rows[i].text, strlen(rows[i].text)};
		int64_t ms = BAD;
		const char *why = when_parse(&when, text, &ms);

		cr_expect_eq(why == NULL, rows[i].ms != BAD, "'%s': %s",
		    rows[i].text, why);
		cr_expect_eq(
		    ms, rows[i].ms, "'%s': %lld", rows[i].text, (long long)ms);
	}
	zone_close(when.zone);
}
#define EXPECT(format, timezone, rows) \
	expect_rows(format, timezone, rows, sizeof(rows) / sizeof((rows)[0]))

Test(when, auto_tells_the_unit_by_size)
{
	static const struct row rows[] = {
	    {"0", 0},			   /* 1 */
	    {"1", 1000},		   /* 2 */
	    {"1405970352", 1405970352000}, /* 4 */
	    {"253402300799", 253402300799000},
	    {"253402300800", BAD}, /* year 10000 */
	    {"999999999999", BAD}, /* 5: year 33658 */
	    {"1000000000000", 1000000000000},
	    {"1405970352123", 1405970352123}, /* 7 */
	    {"253402300799999", 253402300799999},
	    {"999999999999999", BAD}, /* 8 */
	    {"1000000000000000", 1000000000000},
	    {"9223372036854776", 9223372036854},    /* 11 */
	    {"999999999999999999", BAD},	    /* 12 */
	    {"1405970352123456789", 1405970352123}, /* 14 */
	    {"9223372036854775807", 9223372036854}, /* 15 */
	    {"9223372036854775808", 9223372036854},
	    {"99999999999999999999", 99999999999999},
	    {"999999999999999999999", BAD}, {"-1", -1000},
	    {"-62135596800", -62135596800000}, {"-62135596801", BAD},
	    {"-1405970352123", BAD},
	    {"-9223372036854775808", BAD}, /* 17: wrapped to 0 there */
	};

	EXPECT(WHEN_AUTO, "UTC", rows);
}

Test(when, numbers_are_exact)
{
	static const struct row rows[] = {
	    {"1405970352.9", 1405970352900}, /* 37 */
	    {"1405970352.1239", 1405970352123},
	    {"1405970352.000000000000000000000000001", 1405970352000},
	    {"1.405970352123E12", 1405970352123}, /* 38 */
	    {"1.4e9", 1400000000000},
	    {"1405970352123456.789e0", 1405970352123},
	    {"140597035212345678900e-2", 1405970352123},
	    {"1e3", 1000000},
	    {"1E+3", 1000000},
	    {"1000e-3", 1000},
	    {"0.0015", 1},
	    {"-0.0015", -2}, /* down */
	    {"-1.5", -1500},
	    {"-0", 0},
	    {"0e999999999999", 0},
	    {"0.000e-5", 0},
	    {"1e-999999999999", 0},
	    {"-1e-999999999999", -1},
	    {"1e999999999999", BAD},
	    {"  1405970352 ", 1405970352000},
	    {"+1405970352", 1405970352000},
	    {"0001405970352", 1405970352000},
	};

	EXPECT(WHEN_AUTO, "UTC", rows);
}

Test(when, text_that_is_no_number_is_refused)
{
	static const struct row rows[] = {
	    {"", BAD},
	    {" ", BAD},
	    {"abc", BAD}, /* 47 */
	    {"0x10", BAD},
	    {"true", BAD},
	    {"Infinity", BAD}, /* 44 */
	    {"NaN", BAD},
	    {"1e3d", BAD}, /* 45 */
	    {"1.", BAD},
	    {".5", BAD},
	    {"1e", BAD},
	    {"1e+", BAD},
	    {"-", BAD},
	    {"--1", BAD},
	    {"1 000", BAD},
	    {"1,000", BAD},
	    {"1.5.5", BAD},
	    {"1405970352s", BAD},
	};

	EXPECT(WHEN_AUTO, "UTC", rows);
	EXPECT(WHEN_SECONDS, "UTC", rows);
}

Test(when, explicit_unit_holds_for_any_size)
{
	static const struct row seconds[] = {{"1", 1000},
	    {"253402300799", 253402300799000}, {"1405970352123", BAD},
	    {"2014-07-30", BAD}};
	static const struct row millis[] = {{"1", 1}, {"-1", -1},
	    {"1405970352", 1405970352}, {"1405970352.9", 1405970352},
	    {"253402300799999", 253402300799999}, {"253402300800000", BAD},
	    {"-62135596800000", -62135596800000}, {"-62135596800001", BAD}};
	static const struct row micros[] = {{"1999", 1}, {"-1", -1},
	    {"-1000", -1}, {"-1001", -2}, {"1405970352123456", 1405970352123}};
	static const struct row nanos[] = {{"999999", 0}, {"1000000", 1},
	    {"-1", -1}, {"1405970352123456789", 1405970352123},
	    {"253402300799999999999", 253402300799999}};

	EXPECT(WHEN_SECONDS, "UTC", seconds);
	EXPECT(WHEN_MILLIS, "UTC", millis);
	EXPECT(WHEN_MICROS, "UTC", micros);
	EXPECT(WHEN_NANOS, "UTC", nanos);
}

Test(when, iso8601_is_read_in_its_forms)
{
	static const struct row rows[] = {
	    {"2014-07-30T10:53:20.001Z", 1406717600001},       /* 61 */
	    {"2014-07-29T10:53:20Z", 1406631200000},	       /* 62 */
	    {"2016-03-02T18:36:14+00:00", 1456943774000},      /* 64 */
	    {"2006-01-02T23:59:59.999999999Z", 1136246399999}, /* 65 */
	    {"2016-01-11T11:50:28.647Z", 1452513028647},       /* 67 */
	    {"2014-07-30T10:53:20", 1406717600000},	       /* 68 */
	    {"2014-07-30T10:53:20-03:00", 1406728400000},      /* 72 */
	    {"2014-07-30T10:53:20.9999Z", 1406717600999},      /* 74 */
	    {"2014-07-30T24:00:00Z", 1406764800000},	       /* 78 */
	    /* 85: rejected there */
	    {"2014-07-30T10:53:20+0000", 1406717600000},
	    {"2020-12-08T15:11:55.019-0300", 1607451115019},
	    {"2014-07-30 10:53:20Z", 1406717600000},
	    {"2014-07-30T10:53Z", 1406717580000},
	    {"2014-07-30t10:53:20z", 1406717600000},
	    {"2014-07-30", 1406678400000},
	    {"2014-07-30 10:53", 1406717580000},
	    {"2014-07-30T10:53:20 +0200", 1406710400000},
	    {"2014-07-30T10:53:20+02", 1406710400000},
	    {"2014-07-30T10:53+05:30", 1406697780000},
	    {"2014-07-30T10:53:20,5Z", 1406717600500},
	    {"2014-07-30T10:53:20.12Z", 1406717600120},
	    {" 2014-07-30T10:53:20Z ", 1406717600000},
	    {"20140730T105320Z", 1406717600000},
	    {"20140730T105320.25+0200", 1406710400250},
	    {"20140730T1053", 1406717580000},
	    {"2012-02-29T00:00:00Z", 1330473600000},
	    {"2000-02-29", 951782400000},
	    {"1969-12-31T23:59:59.9999Z", -1},
	    {"2016-12-31T23:59:60Z", 1483228800000},
	    {"2016-12-31T23:59:60.5Z", 1483228800500},
	    {"2017-01-01T05:29:60+05:30", 1483228800000},
	    {"2014-12-31T24:00", 1420070400000},
	    {"0001-01-01T00:00:00Z", TIME_FIRST_MS},
	    {"9999-12-31T23:59:59.999Z", TIME_LAST_MS},
	};

	EXPECT(WHEN_AUTO, "UTC", rows);
	EXPECT(WHEN_ISO8601, "UTC", rows);
}

Test(when, iso8601_that_is_no_time_is_refused)
{
	static const struct row rows[] = {
	    {"2014-02-30T00:00:00Z", BAD}, /* 85 */
	    {"0000-01-01T00:00:00Z", BAD},
	    {"12014-07-30T00:00:00Z", BAD}, /* 81 */
	    {"-0001-01-01T00:00:00Z", BAD}, /* 82 */
	    {"10:53:20Z", BAD},		    /* 75 */
	    {"2014-07", BAD},
	    {"2014-13-01", BAD},
	    {"2014-00-01", BAD},
	    {"2014-01-00", BAD},
	    {"2014-01-32", BAD},
	    {"2014-04-31", BAD},
	    {"2013-02-29", BAD},
	    {"1900-02-29", BAD},
	    {"2014-07-30T24:00:01Z", BAD},
	    {"2014-07-30T24:01Z", BAD},
	    {"2014-07-30T25:00:00Z", BAD},
	    {"2014-07-30T10:60:00Z", BAD},
	    {"2014-07-30T10:53:60Z", BAD},
	    {"2014-07-30T23:59:60+01:00", BAD},
	    {"2014-07-30T10:53:61Z", BAD},
	    {"2014-07-30T10:53:20.Z", BAD},
	    {"2014-07-30T10:53:20+", BAD},
	    {"2014-07-30T10:53:20+0", BAD},
	    {"2014-07-30T10:53:20+00:", BAD},
	    {"2014-07-30T10:53:20+00:6", BAD},
	    {"2014-07-30T10:53:20+00:60", BAD},
	    {"2014-07-30T10:53:20+19:00", BAD},
	    {"2014-07-30T10:53:20Z trailing", BAD},
	    {"2014-07-30T10:53:20ZZ", BAD},
	    {"2014-07-30T10:53:20 UTC", BAD},
	    {"2014-07-30T", BAD},
	    {"2014-07-30T10", BAD},
	    {"2014-07-30T10:5", BAD},
	    {"2014-0730", BAD},
	    {"201407-30", BAD},
	    {"20140730T10:53", BAD},
	    {"2014-07-30T1053", BAD},
	    {"2014/07/30", BAD},
	    {"0001-01-01T00:00:00+00:01", BAD},
	    {"9999-12-31T24:00:00Z", BAD},
	};

	EXPECT(WHEN_AUTO, "UTC", rows);
	EXPECT(WHEN_ISO8601, "UTC", rows);
}

Test(when, bare_digits_are_a_number_unless_iso8601_is_said)
{
	static const struct row number[] = {{"2014", 2014000}, /* 77 */
	    {"20140730", 20140730000}, {"1405970352", 1405970352000}};
	static const struct row iso[] = {{"2014", BAD},
	    {"20140730", 1406678400000}, {"1405970352", BAD} /* 84 */};

	EXPECT(WHEN_AUTO, "UTC", number);
	EXPECT(WHEN_ISO8601, "UTC", iso);
}

Test(when, text_without_offset_is_local_time)
{
	static const struct row kolkata[] = {
	    {"2014-07-30T10:53:20", 1406697800000},
	    {"2014-07-30T10:53:20Z", 1406717600000},
	    {"2014-07-30", 1406658600000}};
	static const struct row new_york[] = {
	    {"2014-01-15T12:00:00", 1389805200000},
	    {"2014-07-15T12:00:00", 1405440000000},
	    /* the clock is put forward: 02:00 to 03:00 is left out */
	    {"2014-03-09T01:59:59.999", 1394348399999},
	    {"2014-03-09T02:00:00", BAD}, {"2014-03-09T02:59:59.999", BAD},
	    {"2014-03-09T03:00:00", 1394348400000},
	    /* and back: of 01:00 to 02:00 it is the first */
	    {"2014-11-02T00:59:59", 1414904399000},
	    {"2014-11-02T01:00:00", 1414904400000},
	    {"2014-11-02T01:59:59.999", 1414907999999},
	    {"2014-11-02T02:00:00", 1414911600000},
	    {"2014-01-15T12:00:00", 1389805200000}};
	static const struct row apia[] = {/* a whole day was left out */
	    {"2011-12-29T23:59:59", 1325239199000},
	    {"2011-12-30T12:00:00", BAD},
	    {"2011-12-31T00:00:00", 1325239200000}};
	static const struct row lord_howe[] = {/* half an hour */
	    {"2014-04-06T01:45:00", 1396709100000},
	    {"2014-10-05T02:15:00", BAD},
	    {"2014-10-05T02:30:00", 1412436600000}};

	EXPECT(WHEN_AUTO, "Asia/Kolkata", kolkata);
	EXPECT(WHEN_AUTO, "America/New_York", new_york);
	EXPECT(WHEN_AUTO, "Pacific/Apia", apia);
	EXPECT(WHEN_AUTO, "Australia/Lord_Howe", lord_howe);
}

Test(when, zones_are_known_by_name)
{
	static const char *const known[] = {"UTC", "GMT", "Etc/UTC", "IST",
	    "EST", "PST", "GMT+5:30", "Europe/Berlin", "Asia/Kathmandu"};
	static const char *const unknown[] = {
	    "", "Nonsense/Zone", "europe/berlin ", "Etc/Unknown", "MEZ"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		cr_expect(zone_known(known[i]), "%s", known[i]);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		cr_expect(!zone_known(unknown[i]), "%s", unknown[i]);
	cr_expect(!zone_known(NULL));
}

Test(when, days_and_dates_agree_for_all_years)
{
	int64_t days = days_from_civil(1, 1, 1);

	cr_assert_eq(days * MS_DAY, TIME_FIRST_MS);
	for (int year = 1; year <= 9999; year++) {
		for (int month = 1; month <= 12; month++) {
			int64_t y;
			int m;

			cr_assert_eq(days_from_civil(year, month, 1), days);
			civil_from_days(days, &y, &m);
			cr_assert(y == year && m == month);
			days += days_in_month(year, month);
			civil_from_days(days - 1, &y, &m);
			cr_assert(y == year && m == month);
		}
	}
	cr_assert_eq(days * MS_DAY - 1, TIME_LAST_MS);
}

/* ---- the common form says what the whole reader says, or nothing ---- */

static int
common_agrees(struct zone *zone, const char *ptr, size_t len)
{
	char exact[24];
	struct secor_bytes text = {exact + sizeof(exact) - len, len};
	int64_t quick = BAD, whole = BAD;
	int known;

	memcpy(exact + sizeof(exact) - len, ptr, len);
	known = when_common(text, &quick);
	if (!known) {
		cr_expect_eq(quick, BAD, "'%.*s' touched", (int)len, ptr);
		return 0;
	}
	cr_expect_null(when_iso8601(zone, text, &whole), "'%.*s' is no time",
	    (int)len, ptr);
	cr_expect_eq(quick, whole, "'%.*s'", (int)len, ptr);
	return 1;
}

Test(when, common_form_agrees_at_every_byte)
{
	static const char *const forms[] = {
	    "2014-07-30T10:53:20.001Z", "2016-02-29T23:59:59Z"};
	struct secor_err err;
	struct zone *zone;
	int known = 0;

	cr_assert_eq(zone_open("UTC", &zone, &err), SECOR_OK);
	for (size_t f = 0; f < 2; f++) {
		size_t len = strlen(forms[f]);
		char text[24];

		for (size_t i = 0; i < len; i++)
			for (int byte = 0; byte < 256; byte++) {
				memcpy(text, forms[f], len);
				text[i] = (char)byte;
				known += common_agrees(zone, text, len);
			}
		for (size_t n = 0; n < len; n++)
			cr_expect_not(
			    n != 20 && common_agrees(zone, forms[f], n));
	}
	cr_expect_gt(known, 200);
	zone_close(zone);
}

Test(when, common_form_agrees_on_every_day)
{
	struct secor_err err;
	struct zone *zone;
	int known = 0, days = 0;

	cr_assert_eq(zone_open("UTC", &zone, &err), SECOR_OK);
	for (int year = 0; year < 10000; year += year < 1890 ? 7 : 1)
		for (int day = 0; day < 14 * 33; day++) {
			char text[64];
			int n = snprintf(text, sizeof(text),
			    "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year,
			    day / 33, day % 33, (year + day) % 25, day % 62,
			    year % 62, (year * 7 + day) % 1000);

			cr_assert_eq(n, 24);
			known += common_agrees(zone, text, 24);
			days++;
		}
	cr_expect_gt(known, days / 2);
	cr_expect_lt(known, days);
	zone_close(zone);
}
