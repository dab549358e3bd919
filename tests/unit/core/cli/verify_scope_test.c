/*
 * verify_scope_test.c -- what --from and --removed-before take.
 */
#include "core/cli/verify.h"

#include <criterion/criterion.h>

Test(verify_scope, from_takes_an_offset_for_all_and_offsets_by_partition)
{
	struct verify verify = {.partition = -1};

	cr_assert_eq(verify_from(&verify, 0), 0);
	cr_assert(verify_scope_from(&verify.scope, "7,1:20,2:0"));
	cr_assert_eq(verify_from(&verify, 0), 7);
	cr_assert_eq(verify_from(&verify, 1), 20);
	cr_assert_eq(verify_from(&verify, 2), 0);
	verify_scope_fini(&verify.scope);
	cr_assert_eq(verify_from(&verify, 1), 0);
}

Test(verify_scope, from_takes_nothing_else)
{
	static const char *const bad[] = {"", "x", "-1", "1:", ":1", "1,",
	    "1;2", "1:2:3", "2147483648:1", "99999999999999999999", " 1"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct verify_scope scope = {0};

		cr_assert_not(verify_scope_from(&scope, bad[i]), "%s", bad[i]);
		verify_scope_fini(&scope);
	}
}

Test(verify_scope, time_is_a_day_a_second_or_so_long_ago)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {{"1970-01-02", 86400000},
	    {"2026-01-31T12:30:05Z", 1769862605000},
	    {"1h30m", 1000000000000 - 5400000}, {"0", 1000000000000}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verify_scope scope = {0};

		cr_assert(
		    verify_scope_time(&scope, rows[i].text, 1000000000000));
		cr_assert_eq(scope.removed_before, rows[i].ms, "%s: %" PRId64,
		    rows[i].text, scope.removed_before);
	}
}

Test(verify_scope, time_is_nothing_else)
{
	static const char *const bad[] = {"", "soon", "2026", "2026-13-01",
	    "2026-01-31T12:30:05", "2026-01-31 ", "unlimited", "-1d"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct verify_scope scope = {.removed_before = INT64_MIN};

		cr_assert_not(
		    verify_scope_time(&scope, bad[i], 0), "%s", bad[i]);
		cr_assert_eq(scope.removed_before, INT64_MIN);
	}
}
