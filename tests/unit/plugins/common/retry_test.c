/*
 * retry_test.c -- the arithmetic of waiting, without waiting.
 */
#include "plugins/common/retry.h"

#include <criterion/criterion.h>

Test(retry, waits_double_up_to_the_cap_with_jitter)
{
	static const int64_t most[] = {100, 200, 400, 800, 1000, 1000};
	uint64_t seed;
	int64_t wait;

	for (seed = 0; seed < 200; seed++) {
		struct retry retry = {7, 100, 1000, seed, 0};

		for (size_t i = 0; i < 6; i++) {
			wait = retry_next(&retry, 0);
			cr_assert(wait >= most[i] / 2 && wait <= most[i], "%ld",
			    (long)wait);
		}
		cr_assert_eq(retry_next(&retry, 0), -1);
	}
}

Test(retry, waits_differ_between_seeds)
{
	int64_t sum = 0;

	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct retry retry = {2, 1000, 1000, seed, 0};

		sum += retry_next(&retry, 0);
	}
	cr_assert(sum > 730000 && sum < 770000, "%ld", (long)sum);
}

Test(retry, server_may_ask_for_more_within_the_cap)
{
	struct retry retry = {9, 10, 5000, 1, 0};

	cr_assert_eq(retry_next(&retry, 3000), 3000);
	cr_assert_eq(retry_next(&retry, 60000), 5000);
}

Test(retry, zero_base_never_waits)
{
	struct retry retry = {3, 0, 0, 1, 0};

	cr_assert_eq(retry_next(&retry, 0), 0);
	cr_assert_eq(retry_next(&retry, 0), 0);
	cr_assert_eq(retry_next(&retry, 0), -1);
}

static int64_t slept;

static void
nap(int64_t ms)
{
	slept += ms;
}

static int
go_on(void *arg)
{
	int *left = arg;

	return (*left)-- > 0;
}

Test(retry, wait_sleeps_in_slices_and_asks_between)
{
	int left = 100;

	cr_assert(retry_wait(1700, go_on, &left, nap));
	cr_assert_eq(slept, 1700);
	cr_assert_eq(left, 95);
	slept = 0;
	left = 2;
	cr_assert_not(retry_wait(1700, go_on, &left, nap));
	cr_assert_eq(slept, 1000);
	left = 0;
	cr_assert_not(retry_wait(0, go_on, &left, nap));
	cr_assert(retry_wait(0, NULL, NULL, nap));
}
