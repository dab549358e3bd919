/*
 * due_test.c -- two notifiers that are told in their own threads: one that
 * hangs or fails holds up neither the other, nor other paths, nor topics.
 */
#include "core/base/metrics.h"
#include "core/flow/final/tell.h"
#include "tests/unit/helpers/memory_store.h"
#include "tests/unit/helpers/two_ears.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define LATER INT64_C(1000000000000000)

static int
has(const char *key)
{
	size_t len;

	return memory_store_get(key, &len) != NULL;
}

#define TALLY "_manifests/events/_paths/1/dt=2026-01-01/hr=00/_path.json"
#define MARKER "events/dt=2026-01-01/hr=00/_SUCCESS"

static void
read_tally(struct tally *tally)
{
	size_t len;
	const char *text = memory_store_get(TALLY, &len);
	struct secor_err err;

	cr_assert_not_null(text);
	cr_assert_eq(tally_read(text, len, tally, &err), SECOR_OK);
}

static int64_t
waiting(void)
{
	return metric_get(metric_gauge(
	    "secor_paths_waiting", "", METRIC_LABELS("topic", "events")));
}

Test(due, hanging_notifier_holds_up_neither_the_other_nor_topics)
{
	struct ears f;

	ears_begin(&f, 0);
	f.left.shut = 1;
	ears_batch(&f, "events", 0, 4);
	ears_batch(&f, "other", 0, 3);
	(void)ears_run(&f, "events");
	(void)ears_run(&f, "other");
	ears_turn_until(&f, &f.right.heard, 5);
	cr_assert_str_eq(f.right.said.ptr,
	    "new events 00 1/1;new events 01 1/1;new events 02 1/1;"
	    "new other 00 1/1;new other 01 1/1;");
	ears_turn_until(&f, &f.left.calls, 1);
	cr_assert(has(MARKER));
	cr_assert_not(has(TALLY), "not everybody has heard it");
	cr_assert_eq(ears_left_metric("secor_notifier_paths_queued"), 5);
	cr_assert_eq(ears_left_metric("secor_notifier_paths_waiting"), 5);
	cr_assert_gt(ears_left_metric("secor_notifier_paths_since_seconds"), 0);
	ears_set(&f, &f.left.shut, 0);
	ears_turn_until(&f, &f.done, 5);
	cr_assert(has(TALLY));
	cr_assert_str_eq(f.left.said.ptr, f.right.said.ptr);
	(void)ears_turn(&f);
	cr_assert_eq(ears_left_metric("secor_notifier_paths_queued"), 0);
	cr_assert_eq(ears_left_metric("secor_notifier_paths_waiting"), 0);
	cr_assert_eq(ears_left_metric("secor_notifier_paths_since_seconds"), 0);
	(void)ears_run(&f, "events");
	(void)ears_run(&f, "other");
	(void)ears_turn(&f);
	cr_assert_eq(f.left.calls, 5);
	cr_assert_eq(f.right.calls, 5);
	ears_end(&f);
}

Test(due, failed_notifier_is_told_again_alone_after_a_back_off)
{
	struct ears f;
	int64_t again;

	ears_begin(&f, 0);
	f.left.answer = SECOR_RETRY;
	ears_batch(&f, "events", 0, 3);
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.failed, 2);
	ears_set(&f, &f.left.answer, SECOR_OK);
	again = ears_turn(&f);
	cr_assert_geq(again, 500);
	cr_assert_leq(again, 1000);
	f.now = 499;
	cr_assert_eq(ears_turn(&f), again, "not before the back-off");
	cr_assert_eq(
	    ears_get(&f, &f.left.calls), 2, "one does not stop the other");
	cr_assert_eq(ears_get(&f, &f.right.heard), 2);
	f.now = again + 60000;
	ears_turn_until(&f, &f.done, 2);
	cr_assert_str_eq(
	    f.left.said.ptr, "new events 00 1/1;new events 01 1/1;");
	cr_assert_eq(f.left.calls, 4);
	cr_assert_eq(f.right.calls, 2, "it has heard them");
	cr_assert(has(TALLY));
	ears_end(&f);
}

Test(due, paths_in_flight_count_as_waiting_while_the_store_is_silent)
{
	struct ears f;

	ears_begin(&f, 0);
	f.left.shut = 1;
	f.refuse = MARKER;
	ears_batch(&f, "events", 0, 4);
	(void)ears_run(&f, "events");
	cr_assert_eq(f.failed, 1);
	ears_turn_until(&f, &f.right.heard, 2);
	cr_assert_eq(waiting(), 3);
	f.now = LATER;
	memory_store_fail(1);
	(void)ears_turn(&f);
	cr_assert_eq(waiting(), 3, "nothing was told");
	ears_set(&f, &f.left.shut, 0);
	ears_turn_until(&f, &f.done, 2);
	cr_assert_eq(waiting(), 1);
	ears_end(&f);
}

/* Hours and days. */
enum { HOURS = 3000, PATHS = HOURS + HOURS / 24 };

Test(due, thousands_of_paths_fit_into_a_bounded_queue)
{
	struct ears f;

	ears_begin(&f, 0);
	f.left.shut = 1;
	ears_batch(&f, "events", 0, HOURS);
	ears_batch(&f, "events", HOURS + 24, 1);
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.right.heard, PATHS);
	cr_assert_eq(f.right.early, 0);
	cr_assert_eq(ears_get(&f, &f.left.calls), 1);
	cr_assert_eq(ears_left_metric("secor_notifier_paths_waiting"), PATHS);
	ears_set(&f, &f.left.shut, 0);
	ears_turn_until(&f, &f.done, PATHS);
	cr_assert_eq(f.most, TELL_PATHS);
	cr_assert_eq(f.left.heard, PATHS);
	cr_assert_eq(f.left.early, 0, "oldest first, also in parts");
	cr_assert_eq(f.right.calls, PATHS);
	ears_end(&f);
}

Test(due, one_shot_tries_each_of_thousands_once)
{
	struct ears f;
	struct finalizer_pass pass;

	ears_begin(&f, 1);
	f.left.answer = SECOR_RETRY;
	ears_batch(&f, "events", 0, HOURS);
	ears_batch(&f, "events", HOURS + 24, 1);
	pass = ears_run(&f, "events");
	cr_assert_eq(pass.failed, PATHS);
	cr_assert_eq(pass.finalized, 0);
	cr_assert_eq(pass.left, 0);
	cr_assert_eq(f.left.calls, PATHS);
	cr_assert_eq(f.right.heard, PATHS);
	cr_assert_eq(f.failed, PATHS);
	ears_end(&f);
}

Test(due, late_objects_in_flight_amend_when_it_is_settled)
{
	struct ears f;
	struct tally tally;

	ears_begin(&f, 0);
	f.left.shut = 1;
	ears_batch(&f, "events", 0, 2);
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.right.heard, 1);
	ears_batch(&f, "events", 0, 1);
	ears_batch(&f, "events", 0, 1);
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.left.calls, 1);
	cr_assert_eq(
	    ears_get(&f, &f.right.calls), 1, "not before it is settled");
	ears_set(&f, &f.left.shut, 0);
	ears_turn_until(&f, &f.done, 1);
	read_tally(&tally);
	cr_assert_eq(tally.totals.objects, 1, "what was told");
	cr_assert_eq(tally.amended, 0);
	tally_fini(&tally);
	f.now = LATER;
	ears_turn_until(&f, &f.done, 2);
	cr_assert_str_eq(
	    f.left.said.ptr, "new events 00 1/1;more events 00 2/3;");
	cr_assert_str_eq(f.right.said.ptr, f.left.said.ptr);
	read_tally(&tally);
	cr_assert_eq(tally.totals.objects, 3);
	cr_assert_eq(tally.totals.records, 3);
	cr_assert_eq(tally.amended, 1);
	cr_assert_eq(tally.parts[0].end, 30);
	tally_fini(&tally);
	ears_end(&f);
}

Test(due, late_objects_of_a_path_that_nobody_heard_are_in_it)
{
	struct ears f;

	ears_begin(&f, 0);
	f.left.answer = f.right.answer = SECOR_RETRY;
	ears_batch(&f, "events", 0, 2);
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.failed, 1);
	ears_batch(&f, "events", 0, 1);
	ears_set(&f, &f.left.answer, SECOR_OK);
	ears_set(&f, &f.right.answer, SECOR_OK);
	f.now = LATER;
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.done, 1);
	cr_assert_str_eq(f.left.said.ptr, "new events 00 2/2;");
	cr_assert_str_eq(f.right.said.ptr, f.left.said.ptr);
	(void)ears_run(&f, "events");
	(void)ears_turn(&f);
	cr_assert_eq(f.left.calls, 2);
	ears_end(&f);
}

Test(due, forgotten_topic_is_told_no_more_and_has_no_tally)
{
	struct ears f;

	ears_begin(&f, 0);
	f.left.shut = 1;
	ears_batch(&f, "events", 0, 5);
	ears_batch(&f, "other", 0, 2);
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.left.calls, 1);
	finalizer_forget(f.finalizer, "events");
	cr_assert_eq(ears_left_metric("secor_notifier_paths_waiting"), 0);
	(void)ears_run(&f, "other");
	ears_set(&f, &f.left.shut, 0);
	ears_turn_until(&f, &f.done, 1);
	cr_assert_str_eq(f.left.said.ptr, "new events 00 1/1;new other 00 1/1;",
	    "%s", f.left.said.ptr);
	cr_assert_eq(ears_left_metric("secor_notifier_paths_queued"), 0);
	cr_assert_not(has(TALLY));
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.done, 5);
	cr_assert(has(TALLY), "the next owner tells all of it");
	ears_end(&f);
}

Test(due, stop_tells_nothing_more_and_comes_again)
{
	struct ears f;

	ears_begin(&f, 0);
	f.left.shut = 1;
	ears_batch(&f, "events", 0, 5);
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.left.calls, 1);
	finalizer_stop(f.finalizer);
	ears_set(&f, &f.left.shut, 0);
	finalizer_free(f.finalizer);
	f.finalizer = NULL;
	cr_assert_eq(f.left.calls, 1);
	cr_assert_eq(f.done, 0);
	cr_assert_not(has(TALLY));
	cr_assert_eq(ears_left_metric("secor_notifier_paths_queued"), 0);
	cr_assert_eq(ears_left_metric("secor_notifier_paths_waiting"), 0);
	ears_end(&f);
}

/* A tally of the first hour that another process has put. */
static void
put_other_tally(struct tally_part *part, uint64_t objects)
{
	char topic[] = "events", path[] = "dt=2026-01-01/hr=00";
	struct tally tally = {.topic = topic,
	    .path = path,
	    .generation = 1,
	    .span = {HOURLY_T, HOURLY_T + HOUR_MS},
	    .totals = {objects, objects, objects * 10},
	    .written_ms = HOURLY_T,
	    .parts = part,
	    .part_count = 1};
	char *text = tally_write(&tally);

	memory_store_put(TALLY, text, strlen(text));
	free(text);
}

Test(due, path_that_another_one_told_with_more_is_his)
{
	struct tally_part part = {
	    .partition = 0, .end = 20, .first = 0, .last = 19, .records = 2};
	struct ears f;
	struct tally tally;
	size_t len;

	ears_begin(&f, 0);
	f.left.shut = 1;
	ears_batch(&f, "events", 0, 2);
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.left.calls, 1);
	ears_batch(&f, "events", 0, 1);
	(void)ears_run(&f, "events");
	put_other_tally(&part, 2);
	ears_set(&f, &f.left.shut, 0);
	ears_turn_until(&f, &f.done, 1);
	read_tally(&tally);
	cr_assert_eq(tally.totals.objects, 2);
	tally_fini(&tally);
	cr_assert_not_null(
	    strstr(memory_store_get(MARKER, &len), "\"objects\":2"));
	(void)ears_run(&f, "events");
	(void)ears_turn(&f);
	cr_assert_eq(
	    ears_get(&f, &f.left.calls), 1, "he has told the late one");
	ears_end(&f);
}

Test(due, path_that_another_one_told_otherwise_is_told_anew)
{
	struct tally_part part = {
	    .partition = 1, .end = 20, .first = 0, .last = 19, .records = 2};
	struct ears f;
	struct tally tally;

	ears_begin(&f, 0);
	f.left.shut = 1;
	ears_batch(&f, "events", 0, 2);
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.left.calls, 1);
	put_other_tally(&part, 2);
	ears_set(&f, &f.left.shut, 0);
	ears_turn_until_idle(&f);
	cr_assert_eq(f.done, 0, "it begins anew");
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.done, 1);
	read_tally(&tally);
	cr_assert_eq(tally.totals.objects, 3);
	cr_assert_eq(tally.part_count, 2);
	tally_fini(&tally);
	ears_end(&f);
}

Test(due, tally_that_cannot_be_put_comes_again_and_nobody_hears_twice)
{
	struct ears f;

	ears_begin(&f, 0);
	f.refuse = "_path.json";
	ears_batch(&f, "events", 0, 3);
	(void)ears_run(&f, "events");
	ears_turn_until(&f, &f.failed, 2);
	f.refuse = NULL;
	f.now = LATER;
	ears_turn_until(&f, &f.done, 2);
	cr_assert(has(TALLY));
	cr_assert_eq(f.left.calls, 2);
	cr_assert_eq(f.right.calls, 2);
	ears_end(&f);
}

Test(due, marker_that_cannot_be_put_is_told_to_nobody)
{
	struct ears f;

	ears_begin(&f, 0);
	f.refuse = "hr=00/_SUCCESS";
	ears_batch(&f, "events", 0, 3);
	(void)ears_run(&f, "events");
	cr_assert_eq(f.failed, 1);
	ears_turn_until(&f, &f.done, 1);
	cr_assert_str_eq(f.left.said.ptr, "new events 01 1/1;");
	f.refuse = NULL;
	f.now = LATER;
	ears_turn_until(&f, &f.done, 2);
	cr_assert_str_eq(
	    f.left.said.ptr, "new events 01 1/1;new events 00 1/1;");
	ears_end(&f);
}
