/*
 * when_find_test.c -- values that are no text, and what stands in for a time
 * that is missing or none.
 */
#include "plugins/common/when.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define BAD INT64_MIN
#define KAFKA_MS INT64_C(1405908000000)

static struct when
when_new(const char *format, const char *missing, const char *invalid)
{
	struct when_conf conf = {format, "UTC", "en_US", missing, invalid};
	struct secor_open with = {.size = sizeof(with)};
	struct when when = {.noun = "field", .name = "ts"};
	struct secor_err err;

	cr_assert_eq(
	    when_open(&when, &conf, &with, &err), SECOR_OK, "%s", err.text);
	return when;
}

/* The time of a value, or BAD with the reason. */
static int64_t
find(struct when *when, struct when_value value, int64_t kafka_ms,
    struct secor_err *err)
{
	struct secor_message message = {
	    .size = sizeof(message), .timestamp_ms = kafka_ms};
	int64_t ms = BAD;
	int rc = when_find(when, &value, &message, &ms, err);

	cr_expect_eq(rc, ms == BAD ? SECOR_REJECT : SECOR_OK);
	return ms;
}

static int64_t
integer(const char *format, int64_t value)
{
	struct when when = when_new(format, NULL, NULL);
	int64_t ms = BAD;
	const char *why = when_integer(&when, value, &ms);

	cr_expect_eq(why == NULL, ms != BAD);
	when_close(&when);
	return ms;
}

static int64_t
real(const char *format, double value)
{
	struct when when = when_new(format, NULL, NULL);
	int64_t ms = BAD;
	const char *why = when_real(&when, value, &ms);

	cr_expect_eq(why == NULL, ms != BAD);
	when_close(&when);
	return ms;
}

/* An integer is read as its text is: the other way to the same answer. */
Test(when_find, integer_is_what_its_digits_are)
{
	static const int64_t values[] = {0, 1, -1, 999, -999, 1000, -1001,
	    1405970352, 999999999999, 1000000000000, 1405970352123,
	    999999999999999, 1000000000000000, 1405970352123456,
	    999999999999999999, 1000000000000000000, 1405970352123456789,
	    INT64_MAX, INT64_MIN, -62135596800, -62135596801, 253402300799,
	    253402300800, -62135596800000, -62135596800001, 253402300799999,
	    253402300800000, -1999999, INT64_MIN + 1};

	for (int f = WHEN_AUTO; f < WHEN_ISO8601; f++) {
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]);
		     i++) {
			char digits[32];
			int64_t ms = BAD;
			int n = snprintf(digits, sizeof(digits), "%lld",
			    (long long)values[i]);

			(void)when_number(
			    f, (struct secor_bytes){digits, (size_t)n}, &ms);
			cr_expect_eq(integer(when_formats[f], values[i]), ms,
			    "%s as %s", digits, when_formats[f]);
		}
	}
	cr_expect_eq(integer("iso8601", 2014), BAD);
}

Test(when_find, natural_beyond_the_signed_is_nanoseconds_or_none)
{
	struct when when = when_new("auto", NULL, NULL);
	int64_t ms = BAD;

	cr_expect_null(when_natural(&when, UINT64_MAX, &ms));
	cr_expect_eq(ms, 18446744073709);
	cr_expect_null(when_natural(&when, 1405970352, &ms));
	cr_expect_eq(ms, 1405970352000);
	when.format = WHEN_MICROS;
	cr_expect_str_eq(when_natural(&when, UINT64_MAX, &ms),
	    "is out of years 0001 to 9999");
	when.format = WHEN_ISO8601;
	cr_expect_not_null(when_natural(&when, UINT64_MAX, &ms));
	cr_expect_eq(ms, 1405970352000);
	when_close(&when);
}

Test(when_find, real_number_keeps_the_fraction_that_was_written)
{
	cr_expect_eq(real("auto", 1405970352.123), 1405970352123);
	cr_expect_eq(real("auto", 1405970352.9), 1405970352900);
	cr_expect_eq(real("seconds", 0.001), 1);
	cr_expect_eq(real("auto", -1.5), -1500);
	cr_expect_eq(real("auto", 1.405970352123e12), 1405970352123);
	cr_expect_eq(real("auto", 1e300), BAD);
	cr_expect_eq(real("auto", NAN), BAD);
	cr_expect_eq(real("auto", -INFINITY), BAD);
	cr_expect_eq(real("iso8601", 2014.0), BAD);
}

Test(when_find, missing_time_is_rejected_by_default)
{
	struct when when = when_new("auto", NULL, NULL);
	struct when_value none = {WHEN_IS_MISSING, {.phrase = "absent"}};
	struct when_value array = {WHEN_IS_OTHER, {.phrase = "an array"}};
	struct when_value word = {WHEN_IS_TEXT, {.text = {"abc", 3}}};
	struct secor_err err;

	cr_expect_eq(find(&when, none, KAFKA_MS, &err), BAD);
	cr_expect_str_eq(err.text, "no time: field 'ts' is absent");
	cr_expect_eq(find(&when, array, KAFKA_MS, &err), BAD);
	cr_expect_str_eq(err.text, "no time: field 'ts' is an array");
	cr_expect_eq(find(&when, word, KAFKA_MS, &err), BAD);
	cr_expect_str_eq(
	    err.text, "no time: field 'ts' is neither a number nor ISO-8601");
	when_close(&when);
}

Test(when_find, other_time_stands_in_where_it_is_asked_for)
{
	struct when when = when_new("auto", "kafka", "2014-07-30");
	struct when_value none = {WHEN_IS_MISSING, {.phrase = "null"}};
	struct when_value array = {WHEN_IS_OTHER, {.phrase = "an array"}};
	struct when_value word = {WHEN_IS_TEXT, {.text = {"abc", 3}}};
	struct when_value good = {WHEN_IS_TEXT, {.text = {"1", 1}}};
	struct secor_err err;

	cr_expect_eq(find(&when, good, KAFKA_MS, &err), 1000);
	cr_expect_eq(find(&when, none, KAFKA_MS, &err), KAFKA_MS);
	cr_expect_eq(find(&when, array, KAFKA_MS, &err), 1406678400000);
	cr_expect_eq(find(&when, word, KAFKA_MS, &err), 1406678400000);
	cr_expect_eq(find(&when, none, SECOR_NO_TIME, &err), BAD);
	cr_expect_str_eq(
	    err.text, "no time: field 'ts' is null, and Kafka has none");
	when_close(&when);
}

static void
note(const struct secor_check *check, const char *key, const char *text)
{
	(void)text;
	(void)strcat(strcat((char *)check->arg, key), " ");
}

Test(when_find, each_wrong_option_has_its_complaint)
{
	struct when_conf conf = {
	    "milis", "Nonsense/Zone", "en_US", "never", "2014"};
	char keys[200] = "";
	struct secor_check check = {
	    .size = sizeof(check), .complain = note, .arg = keys};
	struct secor_open with = {.size = sizeof(with)};
	struct when when = {0};
	struct secor_err err;

	when_check(&conf, &check);
	cr_expect_str_eq(
	    keys, "timezone time_format time_missing time_invalid ");
	cr_expect_eq(when_open(&when, &conf, &with, &err), SECOR_FATAL);
	when_close(&when);
}
