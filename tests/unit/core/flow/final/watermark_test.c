/*
 * watermark_test.c -- who holds a topic back, and who does not.
 */
#include "core/flow/final/watermark.h"

#include <criterion/criterion.h>

enum { NOW = 1000000, W = 5000 };

struct row {
	enum record_kind kind;
	int64_t offset, w, low, end;
	int64_t ms;
	int holds;
};

static struct view_part
part_of(const struct row *row)
{
	return (struct view_part){
	    .record = {.kind = row->kind, .offset = row->offset, .w = row->w},
	    .low = row->low,
	    .end = row->end};
}

Test(watermark, partition_is_where_its_record_and_log_say)
{
	static const struct row rows[] = {
	    {RECORD_CLEAN, 10, W, 0, 10, NOW, 0},
	    {RECORD_CLEAN, 12, W, 0, 10, NOW, 0},
	    {RECORD_CLEAN, 9, W, 0, 10, W, 1},
	    {RECORD_CLEAN, 0, INT64_MIN, 0, 10, INT64_MIN, 1},
	    {RECORD_CLEAN, 0, INT64_MIN, 0, 0, NOW, 0},
	    {RECORD_PLAN, 10, W, 0, 10, W, 1},
	    {RECORD_HALT, 10, W, 0, 10, W, 1},
	    {RECORD_MISSING, -1, INT64_MIN, 0, 10, INT64_MIN, 1},
	    {RECORD_MISSING, -1, INT64_MIN, 7, 7, NOW, 0},
	    {RECORD_FOREIGN, 10, INT64_MIN, 0, 10, INT64_MIN, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct view_part part = part_of(&rows[i]);
		struct view view = {NOW, &part, 1};
		struct watermark found = watermark_of(&view);

		cr_assert_eq(found.ms, rows[i].ms, "row %zu", i);
		cr_assert_eq(
		    found.holder, rows[i].holds ? 0 : -1, "row %zu", i);
		cr_assert_eq(found.why != NULL, rows[i].holds, "row %zu", i);
	}
}

Test(watermark, last_partition_holds_the_topic_and_is_named)
{
	static const struct row rows[] = {
	    {RECORD_CLEAN, 10, W, 0, 10, 0, 0},
	    {RECORD_CLEAN, 9, W + 2, 0, 10, 0, 0},
	    {RECORD_HALT, 9, W + 1, 0, 10, 0, 0},
	};
	struct view_part parts[3];
	struct view view = {NOW, parts, 3};
	struct watermark found;

	for (size_t i = 0; i < 3; i++)
		parts[i] = part_of(&rows[i]);
	found = watermark_of(&view);
	cr_assert_eq(found.ms, W + 1);
	cr_assert_eq(found.holder, 2);
	cr_assert_str_eq(found.why, "is halted");
}

Test(watermark, topic_without_partitions_has_none)
{
	struct view view = {NOW, NULL, 0};

	cr_assert_eq(watermark_of(&view).ms, INT64_MIN);
}
