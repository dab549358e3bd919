/*
 * offset_set_test.c -- every offset is counted once, and holes are found in
 * order, at the borders of chunks too.
 */
#include "core/cli/offset_set.h"

#include <criterion/criterion.h>

Test(offset_set, add_twice_is_told_apart)
{
	static const int64_t some[] = {
	    0, 63, 64, 65535, 65536, 131071, INT64_MAX, 7, 200000, 70000};
	struct offset_set set = {0};

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		cr_assert_not(offset_set_has(&set, some[i]), "row %zu", i);
		cr_assert(offset_set_add(&set, some[i]), "row %zu", i);
		cr_assert_not(offset_set_add(&set, some[i]), "row %zu", i);
		cr_assert(offset_set_has(&set, some[i]), "row %zu", i);
		cr_assert_eq(set.count, i + 1);
	}
	offset_set_fini(&set);
	cr_assert_eq(set.count, 0);
}

Test(offset_set, full_chunk_keeps_no_bits)
{
	struct offset_set set = {0};

	for (int64_t i = 65536; i < 131072; i++)
		cr_assert(offset_set_add(&set, i));
	cr_assert_eq(set.chunk_count, 1);
	cr_assert_null(set.chunks[0].words);
	cr_assert_not(offset_set_add(&set, 100000));
	cr_assert_eq(offset_set_next(&set, 65536, 131080, 0), 131072);
	cr_assert_eq(offset_set_next(&set, 0, 131080, 0), 0);
	cr_assert_eq(offset_set_next(&set, 0, 131080, 1), 65536);
	offset_set_fini(&set);
}

Test(offset_set, next_walks_every_hole_of_a_huge_range)
{
	static const int64_t holes[] = {
	    3, 64, 65535, 65536, 65537, 131072, 199999};
	struct offset_set set = {0};
	int64_t at = 0;

	for (int64_t i = 0, h = 0; i < 200000; i++)
		if (h < 7 && holes[h] == i)
			h++;
		else
			cr_assert(offset_set_add(&set, i));
	for (int h = 0; h < 7; h++, at++) {
		at = offset_set_next(&set, at, INT64_MAX, 0);
		cr_assert_eq(at, holes[h]);
	}
	cr_assert_eq(offset_set_next(&set, at, INT64_MAX, 0), 200000);
	cr_assert_eq(offset_set_next(&set, 200000, INT64_MAX, 1), INT64_MAX);
	cr_assert_eq(offset_set_next(&set, 4, 64, 0), 64);
	cr_assert_eq(offset_set_next(&set, 64, 66, 1), 65);
	cr_assert_eq(offset_set_next(&set, 9, 9, 0), 9);
	offset_set_fini(&set);
}

Test(offset_set, empty_has_nothing_and_everything_is_missing)
{
	struct offset_set set = {0};

	cr_assert_not(offset_set_has(&set, 5));
	cr_assert_eq(offset_set_next(&set, 5, 10, 0), 5);
	cr_assert_eq(offset_set_next(&set, 5, 10, 1), 10);
	offset_set_fini(&set);
}
