/* rate.c: what passes in a time, whatever the pieces in which it passes. */
#include "core/flow/rate.h"

#include <criterion/criterion.h>

/* Takes `size` as often as it may, in `ms` in steps of `step`; how much. */
static int64_t
taken(struct rate *rate, int64_t ms, int64_t step, int64_t size)
{
	int64_t sum = 0;

	for (int64_t at = 0; at < ms; at += step) {
		rate_pass(rate, step);
		for (; !rate_waits(rate); sum += size)
			rate_take(rate, size);
	}
	return sum;
}

Test(rate, no_limit_never_waits)
{
	struct rate rate;

	rate_init(&rate, 0);
	rate_take(&rate, INT64_MAX / 1000);
	rate_pass(&rate, INT64_MAX);
	cr_assert_not(rate_waits(&rate));
	cr_assert_eq(rate.level, 0);
}

Test(rate, begins_with_one_second)
{
	struct rate rate;

	rate_init(&rate, 5);
	for (int i = 0; i < 5; i++) {
		cr_assert_not(rate_waits(&rate), "%d", i);
		rate_take(&rate, 1);
	}
	cr_assert(rate_waits(&rate));
}

Test(rate, long_run_lets_through_what_it_says)
{
	static const struct {
		int64_t per_second, step, size;
	} rows[] = {{1000, 1, 1}, {1000, 100, 1}, {7, 100, 1}, {1, 1, 1},
	    {1000000, 100, 1500}, {100, 250, 1}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rate rate;
		int64_t sum, wanted = rows[i].per_second * 100;

		rate_init(&rate, rows[i].per_second);
		while (!rate_waits(&rate)) /* the first second's */
			rate_take(&rate, rows[i].size);
		sum = taken(&rate, 100000, rows[i].step, rows[i].size);
		cr_expect(sum >= wanted - rows[i].size &&
			      sum <= wanted + rows[i].size,
		    "%zu: %lld", i, (long long)sum);
	}
}

Test(rate, larger_than_a_second_passes_and_is_paid)
{
	struct rate rate;

	rate_init(&rate, 1000);
	rate_take(&rate, 5000);
	rate_pass(&rate, 4000);
	cr_assert(rate_waits(&rate));
	rate_pass(&rate, 1);
	cr_assert_not(rate_waits(&rate));
}

Test(rate, rest_saves_one_second_at_most)
{
	struct rate rate;

	rate_init(&rate, 10);
	rate_take(&rate, 10);
	rate_pass(&rate, INT64_MAX);
	cr_assert_eq(rate.level, 10000);
	rate_pass(&rate, -5);
	cr_assert_eq(rate.level, 10000);
}

Test(rate, largest_limits_do_not_overflow)
{
	struct rate rate;

	rate_init(&rate, INT64_C(1) << 40);
	rate_take(&rate, INT64_C(1) << 41);
	rate_pass(&rate, 999);
	cr_assert(rate_waits(&rate));
	rate_pass(&rate, INT64_MAX);
	cr_assert_eq(rate.level, (INT64_C(1) << 40) * 1000);
}
