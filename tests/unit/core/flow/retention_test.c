/*
 * retention_test.c -- what is left of a limit, the alarm, and how fast a log
 * grows.
 */
#include "core/flow/retention.h"

#include <criterion/criterion.h>

#define HOUR INT64_C(3600000)

#define NOW INT64_C(1767225600000)

Test(retention, read_takes_numbers_and_takes_the_rest_for_no_limit)
{
	static const struct {
		const char *policy, *ms, *bytes;
		struct retention want;
	} rows[] = {
	    {"delete", "604800000", "-1", {604800000, -1}},
	    {"delete", "-1", "1073741824", {-1, 1073741824}},
	    {"compact", "604800000", "1000", {-1, -1}},
	    {"compact,delete", "1000", "2000", {1000, 2000}},
	    {"delete,compact", "1000", "2000", {1000, 2000}},
	    {"delete", "9223372036854775807", "9223372036854775807",
		{-1, INT64_MAX}},
	    {"delete", "99999999999999999999", "1x", {-1, -1}},
	    {"delete", NULL, "", {-1, -1}},
	    {NULL, "1000", "2000", {1000, 2000}},
	    {"delete", "0", "0", {0, 0}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct retention got;

		retention_read(&got, rows[i].policy, rows[i].ms, rows[i].bytes);
		cr_expect_eq(got.ms, rows[i].want.ms, "row %zu", i);
		cr_expect_eq(got.bytes, rows[i].want.bytes, "row %zu", i);
	}
}

Test(retention, by_time_is_what_the_age_leaves)
{
	static const struct {
		int64_t age, left;
		double share;
	} rows[] = {
	    {0, 8 * HOUR, 1}, {2 * HOUR, 6 * HOUR, 0.75}, {8 * HOUR, 0, 0},
	    {800 * HOUR, 0, 0},
	    {-5 * HOUR, 8 * HOUR, 1}, /* a timestamp to come */
	};
	struct retention retention = {8 * HOUR, -1};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct retention_left left;

		cr_assert(retention_by_time(
		    &retention, NOW - rows[i].age, NOW, &left));
		cr_expect_eq(left.ms, rows[i].left, "row %zu", i);
		cr_expect_float_eq(left.share, rows[i].share, 1e-9);
	}
}

Test(retention, by_time_of_a_timestamp_at_the_end_of_time_does_not_overflow)
{
	struct retention retention = {8 * HOUR, -1};
	struct retention_left left;

	cr_assert(retention_by_time(&retention, INT64_MAX, NOW, &left));
	cr_expect_eq(left.ms, 8 * HOUR);
}

Test(retention, without_a_limit_nothing_is_told)
{
	struct retention retention = {-1, -1};
	struct retention_left left = {7, 7};

	cr_expect_not(retention_by_time(&retention, NOW, NOW, &left));
	cr_expect_not(retention_by_bytes(&retention, 1e9, 1e9, &left));
	cr_expect_eq(left.ms, 7);
}

Test(retention, limit_of_zero_leaves_nothing)
{
	struct retention retention = {0, 0};
	struct retention_left left;

	cr_assert(retention_by_time(&retention, NOW, NOW, &left));
	cr_expect_eq(left.ms, 0);
	cr_expect_float_eq(left.share, 0, 1e-9);
	cr_assert(retention_by_bytes(&retention, 0, 0, &left));
	cr_expect_eq(left.ms, 0);
	cr_expect_float_eq(left.share, 0, 1e-9);
}

Test(retention, by_bytes_is_the_room_over_the_rate)
{
	static const struct {
		double waiting, bytes_s;
		int64_t left;
		double share;
	} rows[] = {
	    {0, 100, 10000, 1}, {250, 100, 7500, 0.75}, {1000, 100, 0, 0},
	    {1e12, 100, 0, 0}, {250, 0, RETENTION_FAR_MS, 0.75},
	    {250, 1e-9, RETENTION_FAR_MS, 0.75},
	    {1000, 0, 0, 0}, /* no room: at any moment, whatever the rate */
	};
	struct retention retention = {-1, 1000};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct retention_left left;

		cr_assert(retention_by_bytes(
		    &retention, rows[i].waiting, rows[i].bytes_s, &left));
		cr_expect_eq(left.ms, rows[i].left, "row %zu", i);
		cr_expect_float_eq(left.share, rows[i].share, 1e-9);
	}
}

Test(retention, alarm_is_raised_once_and_stays_until_there_is_more_room)
{
	cr_expect_not(retention_alarm(0, 0.25, 0.25));
	cr_expect(retention_alarm(0, 0.2499, 0.25));
	cr_expect(retention_alarm(1, 0.26, 0.25));
	cr_expect_not(retention_alarm(1, 0.28, 0.25));
	cr_expect_not(retention_alarm(0, 0, 0), "0%% is never");
	cr_expect_not(retention_alarm(1, 0, 0));
	cr_expect(retention_alarm(0, 0.99, 1));
	cr_expect_not(retention_alarm(1, 1, 1));
}

Test(growth, of_a_steady_log_is_its_rate_from_the_first_two_looks_on)
{
	struct growth growth = {0};

	cr_expect_float_eq(growth_rate(&growth), 0, 1e-9);
	growth_see(&growth, 5000, 1000);
	cr_expect_float_eq(growth_rate(&growth), 0, 1e-9);
	for (int i = 1; i <= 100; i++) {
		growth_see(&growth, 5000 + 50 * i, 1000 + 5000 * i);
		cr_expect_float_eq(growth_rate(&growth), 10, 1e-6);
	}
}

Test(growth, of_a_burst_is_seen_and_forgotten)
{
	struct growth growth = {0};
	double calm, burst;

	growth_see(&growth, 0, 1);
	growth_see(&growth, 3000, 300001);
	calm = growth_rate(&growth);
	growth_see(&growth, 63000, 360001);
	burst = growth_rate(&growth);
	cr_expect_float_eq(calm, 10, 1e-6);
	cr_expect(burst > 10 * calm);
	for (int i = 1; i <= 60; i++)
		growth_see(&growth, 63000, 360001 + 60000 * i);
	cr_expect(growth_rate(&growth) < 1);
}

Test(growth, of_a_log_that_was_cut_begins_again)
{
	struct growth growth = {0};

	growth_see(&growth, 5000, 1000);
	growth_see(&growth, 100, 2000);
	cr_expect_float_eq(growth_rate(&growth), 0, 1e-9);
	growth_see(&growth, 110, 3000);
	cr_expect_float_eq(growth_rate(&growth), 10, 1e-6);
	growth_see(&growth, 9999, 3000); /* the same moment */
	cr_expect_float_eq(growth_rate(&growth), 10, 1e-6);
}
