/*
 * complaint_test.c -- many partitions that complain do not flood the log.
 */
#include "core/flow/flow.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* What is said in so many seconds, when each of so many partitions complains
 * each second. */
static int
lines(int partitions, int seconds)
{
	char text[32];
	int n = 0;

	for (int t = 0; t < seconds; t++)
		for (int p = 0; p < partitions; p++) {
			(void)snprintf(text, sizeof(text), "partition %d", p);
			n += complaint_is_new(text, 0, 1000 * (t + 1));
		}
	return n;
}

Test(complaint, two_that_take_turns_are_said_once_a_minute_each)
{
	cr_expect_eq(lines(2, 60), 2);
	cr_expect_eq(complaint_is_new("partition 0", 0, 61 * 1000), 1);
}

Test(complaint, thousand_are_some_lines_a_minute)
{
	cr_expect_eq(lines(1000, 60), 16);
}

Test(complaint, grave_one_is_said_among_many_others)
{
	(void)lines(1000, 3);
	cr_expect_eq(complaint_is_new("damaged", 1, 3000), 1);
	cr_expect_eq(complaint_is_new("damaged", 1, 4000), 0);
}
