/*
 * ledger_test.c -- paths are over in their order, once, with what is in them;
 * what comes later is known as that.
 */
#include "core/flow/final/ledger.h"

#include "core/base/buf.h"
#include "core/flow/final/watermark.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define T INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

struct fixture {
	struct config_use use;
	struct config_topic topic;
	struct spans *spans;
	struct ledger *ledger;
};

static void
begin(struct fixture *f, int whole_paths)
{
	struct secor_err err;

	memset(f, 0, sizeof(*f));
	f->use.plugin = harness_plugin("partitioner/date");
	f->use.conf = harness_conf(f->use.plugin, "granularity", "hour", NULL);
	f->topic.partitioners = (struct config_uses){&f->use, 1};
	cr_assert_eq(spans_new(&f->topic, &f->spans, &err), SECOR_OK);
	f->ledger = ledger_new("events", f->spans, whole_paths);
}

static void
end(struct fixture *f)
{
	ledger_free(f->ledger);
	spans_free(f->spans);
	harness_conf_free(f->use.plugin, (void *)f->use.conf);
}

/* A batch with ten records in each of these hours of the first of January. */
static void
batch(struct fixture *f, int32_t partition, int64_t start, const int *hours,
    size_t count)
{
	struct manifest_object objects[8];
	struct manifest manifest = {.partition = partition,
	    .generation = 1,
	    .start = start,
	    .end = start + 100,
	    .objects = objects,
	    .object_count = count};

	for (size_t i = 0; i < count; i++)
		objects[i] = (struct manifest_object){
		    .path = mem_text("dt=2026-01-01/hr=%02d", hours[i]),
		    .key = mem_text("x/events/dt=2026-01-01/hr=%02d/1_%" PRId32
				    "_%020" PRId64,
			hours[i], partition, start),
		    .records = 10,
		    .bytes = 1000,
		    .first_offset = start + 10 * (int64_t)i,
		    .last_offset = start + 10 * (int64_t)i + 9,
		    .has_times = 1,
		    .first_ms = T + hours[i] * HOUR,
		    .last_ms = T + hours[i] * HOUR + HOUR - 1};
	ledger_add(f->ledger, &manifest);
	for (size_t i = 0; i < count; i++) {
		free(objects[i].path);
		free(objects[i].key);
	}
}

/* "path objects/records amended;" of all that is due; all of it is settled. */
static char *
settle(struct fixture *f, int64_t until)
{
	size_t count;
	struct entry **due = ledger_due(f->ledger, until, &count);
	struct buf out = {0};

	buf_puts(&out, "");
	for (size_t i = 0; i < count; i++) {
		struct tally tally;

		ledger_sum(f->ledger, due[i], &tally);
		buf_printf(&out, "%s %" PRIu64 "/%" PRIu64 " %" PRIu64 ";",
		    tally.path, tally.totals.objects, tally.totals.records,
		    tally.amended);
		ledger_settle(due[i], &tally);
	}
	free(due);
	return buf_take(&out);
}

static void
expect(struct fixture *f, int64_t until, const char *expected)
{
	char *found = settle(f, until);

	cr_assert_str_eq(found, expected);
	free(found);
}

Test(ledger, paths_are_over_in_order_deeper_ones_first)
{
	struct fixture f;

	begin(&f, 0);
	batch(&f, 0, 0, (int[]){23, 7}, 2);
	batch(&f, 1, 0, (int[]){7, 6}, 2);
	expect(&f, T + 6 * HOUR, "");
	expect(&f, T + 7 * HOUR, "dt=2026-01-01/hr=06 1/10 0;");
	expect(&f, T + 7 * HOUR, "");
	expect(&f, T + DAY,
	    "dt=2026-01-01/hr=07 2/20 0;dt=2026-01-01/hr=23 1/10 0;"
	    "dt=2026-01-01 4/40 0;");
	expect(&f, T + DAY, "");
	end(&f);
}

Test(ledger, what_comes_later_amends_the_path_and_those_above)
{
	struct fixture f;

	begin(&f, 0);
	batch(&f, 0, 0, (int[]){6}, 1);
	expect(&f, T + 7 * HOUR, "dt=2026-01-01/hr=06 1/10 0;");
	batch(&f, 0, 100, (int[]){6, 8}, 2);
	expect(&f, T + 8 * HOUR, "dt=2026-01-01/hr=06 2/20 1;");
	expect(&f, T + DAY, "dt=2026-01-01/hr=08 1/10 0;dt=2026-01-01 3/30 0;");
	batch(&f, 0, 200, (int[]){8}, 1);
	expect(&f, T + DAY, "dt=2026-01-01/hr=08 2/20 1;dt=2026-01-01 4/40 1;");
	end(&f);
}

Test(ledger, tally_of_before_counts_what_it_counts)
{
	struct fixture f;
	struct tally tally = {.totals = {5, 50, 5000}, .amended = 2};
	struct entry **due;
	struct tally sum;
	size_t count;

	begin(&f, 1);
	batch(&f, 0, 0, (int[]){6}, 1);
	batch(&f, 0, 100, (int[]){6}, 1);
	batch(&f, 1, 0, (int[]){6}, 1);
	due = ledger_due(f.ledger, T + DAY, &count);
	cr_assert_eq(count, 1, "no levels above whole paths");
	cr_assert_eq(due[0]->fresh_count, 3);
	cr_assert_str_eq(due[0]->folder, "x/events/dt=2026-01-01/hr=06");
	*tally_part(&tally, 0) = (struct tally_part){
	    .partition = 0, .end = 100, .first = 0, .last = 9, .records = 50};
	ledger_settle(due[0], &tally);
	cr_assert_eq(due[0]->fresh_count, 2, "one was in the tally");
	ledger_sum(f.ledger, due[0], &sum);
	cr_assert_eq(sum.totals.objects, 7);
	cr_assert_eq(sum.amended, 3);
	cr_assert_eq(sum.part_count, 2);
	cr_assert_eq(sum.parts[0].end, 200);
	cr_assert_eq(sum.parts[0].records, 60);
	cr_assert_eq(sum.parts[0].last, 109);
	cr_assert_eq(sum.parts[1].first, 0);
	tally_fini(&sum);
	free(due);
	end(&f);
}

Test(ledger, forgets_what_is_settled_and_old_alone)
{
	struct fixture f;

	begin(&f, 1);
	batch(&f, 0, 0, (int[]){6, 7, 8}, 3);
	expect(&f, T + 8 * HOUR,
	    "dt=2026-01-01/hr=06 1/10 0;dt=2026-01-01/hr=07 1/10 0;");
	ledger_forget(f.ledger, T + 8 * HOUR);
	cr_assert_eq(ledger_count(f.ledger), 2);
	ledger_forget(f.ledger, T + DAY);
	cr_assert_eq(ledger_count(f.ledger), 1, "hour 8 was never told");
	end(&f);
}

/* 161, 162: two partitions, their last stored messages of 2014-07-21T01:51:36
 * and 02:50:00, or the second one stored to its end at 02:51:36. */
Test(ledger, hour_before_the_last_partition_is_over)
{
	static const struct row {
		int64_t w, offset;
	} rows[] = {{1405911000000, 9}, {1405911096000, 10}};

	for (size_t i = 0; i < 2; i++) {
		struct view_part parts[2] = {
		    {{.kind = RECORD_CLEAN, .offset = 9, .w = 1405907496000}, 0,
			10},
		    {{.kind = RECORD_CLEAN,
			 .offset = rows[i].offset,
			 .w = rows[i].w},
			0, 10}};
		struct view view = {1405911096000, parts, 2};
		struct watermark mark = watermark_of(&view);
		struct secor_event_level levels[] = {
		    {"dt", "2014-07-21"}, {"hr", "00"}};
		struct spans_path path = {
		    levels, 2, 1405900800000, 1405900800000};
		struct fixture f;
		struct span span;

		begin(&f, 0);
		cr_assert(spans_find(f.spans, &path, 2, &span));
		cr_assert(span.until <= mark.ms, "hour 0 is over");
		cr_assert(span.until + HOUR > mark.ms, "hour 1 is not");
		cr_assert_eq(mark.holder, 0);
		end(&f);
	}
}

Test(ledger, objects_without_times_are_in_no_path)
{
	struct fixture f;
	char key[] = "events/dt=2026-01-01/hr=06/1_0_0";
	char path[] = "dt=2026-01-01/hr=06";
	struct manifest_object object = {
	    .key = key, .path = path, .records = 1};
	struct manifest manifest = {.objects = &object, .object_count = 1};

	begin(&f, 0);
	ledger_add(f.ledger, &manifest);
	object.has_times = 1;
	object.first_ms = object.last_ms = T;
	ledger_add(f.ledger, &manifest);
	cr_assert_eq(ledger_count(f.ledger), 1,
	    "the day of that time, not an hour that it is not in");
	end(&f);
}
