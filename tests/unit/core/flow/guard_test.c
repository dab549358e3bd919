/*
 * guard_test.c -- which values of a batch have a path of their own.
 */
#include "core/flow/guard.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct secor_level_text
level(const char *name, const char *value)
{
	struct secor_level_text text = {
	    {name, strlen(name)}, {value, value == NULL ? 0 : strlen(value)}};

	return text;
}

Test(guard, replace_changes_the_guarded_levels_alone)
{
	struct config_use use = {.overflow_value = "rest/of"};
	struct guarded guarded = {&use, 1, 3};
	struct secor_route_out all = {.level_count = 4};
	struct guard_text a = {0}, b = {0};
	struct secor_err err;

	all.levels[0] = level("kp", "3");
	all.levels[1] = level("country", "DE");
	all.levels[2] = level("app", "web");
	all.levels[3] = level("dt", "2026-01-01");
	cr_assert_eq(guard_replace(&guarded, &all, &a, &err), SECOR_OK);
	cr_expect_str_eq(
	    a.text.ptr, "kp=3/country=rest%2Fof/app=rest%2Fof/dt=2026-01-01");
	all.levels[0] = level("kp", "4");
	cr_assert_eq(guard_replace(&guarded, &all, &b, &err), SECOR_OK);
	cr_expect_eq(a.value_hash, b.value_hash, "only values count");
	all.levels[2] = level("app", NULL);
	cr_assert_eq(guard_replace(&guarded, &all, &b, &err), SECOR_OK);
	cr_expect_neq(a.value_hash, b.value_hash);
	buf_fini(&a.text);
	buf_fini(&b.text);
}

Test(guard, admit_takes_the_first_values_and_them_again)
{
	struct guard_values values = {0};

	cr_expect(guard_admit(&values, 50, 3));
	cr_expect(guard_admit(&values, 10, 3));
	cr_expect(guard_admit(&values, 50, 3));
	cr_expect(guard_admit(&values, 90, 3));
	cr_expect_not(guard_admit(&values, 11, 3));
	cr_expect_not(guard_admit(&values, 0, 3));
	cr_expect(guard_admit(&values, 10, 3));
	cr_expect(guard_admit(&values, 90, 3));
	cr_expect_not(guard_admit(&values, UINT64_MAX, 3));
	guard_values_fini(&values);
}

/* Against a plain list. */
Test(guard, admit_does_what_a_list_does)
{
	enum { MOST = 100 };
	struct guard_values values = {0};
	uint64_t seen[MOST], random = 1;
	size_t count = 0;

	for (int i = 0; i < 20000; i++) {
		uint64_t hash;
		size_t at = 0;

		random = random * 6364136223846793005u + 1442695040888963407u;
		hash = (random >> 33) % 300;
		while (at < count && seen[at] != hash)
			at++;
		if (at == count && count < MOST)
			seen[count++] = hash;
		cr_assert_eq(guard_admit(&values, hash, MOST), at < count);
	}
	cr_expect_eq(values.count, MOST);
	guard_values_fini(&values);
}
