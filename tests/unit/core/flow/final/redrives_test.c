/*
 * redrives_test.c -- what a redrive of dead letters stores amends its path, or
 * is counted in it, whoever looks.
 */
#include "tests/unit/helpers/memory_store.h"
#include "tests/unit/helpers/one_ear.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int
has(const char *key)
{
	size_t len;

	return memory_store_get(key, &len) != NULL;
}

/* Another redrive of the batch that begins at 0: its receipt, with one object
 * of two records of this time. */
static struct receipt
redriven(struct one_ear *f, int64_t time_ms, int64_t number)
{
	struct receipt receipt = {.done = 1,
	    .topic = mem_text("events"),
	    .generation = 1,
	    .number = number,
	    .source = mem_text("_dead_letters/events/x.jsonl"),
	    .written_ms = 1000, /* long ago */
	    .objects = mem_alloc(sizeof(struct receipt_object)),
	    .object_count = 1};
	struct receipt_object *object = &receipt.objects[0];

	object->path = hourly_path(&f->hourly, time_ms);
	object->key = mem_text(
	    "events/%s/redrive%" PRId64 "_1_0_%020d", object->path, number, 0);
	object->bytes = 20;
	offset_runs_add(&object->offsets, 2 * number);
	offset_runs_add(&object->offsets, 2 * number + 1);
	receipt_note_time(object, time_ms);
	return receipt;
}

static struct manifest_store
memory(void)
{
	return (struct manifest_store){
	    memory_store.plugin->ops.store, NULL, "_manifests"};
}

static void
put_pointers(struct one_ear *f, int64_t time_ms, int64_t number)
{
	const struct manifest_store store = memory();
	struct receipt receipt = redriven(f, time_ms, number);
	struct secor_err err;

	cr_assert_eq(redriven_put(&store, &receipt, &err), SECOR_OK);
	receipt_fini(&receipt);
}

static void
put_receipt(struct one_ear *f, int64_t time_ms, int64_t number)
{
	struct receipt receipt = redriven(f, time_ms, number);
	struct receipt_name name = {
	    .kind = RECEIPT_DONE, .generation = 1, .number = number};
	char *folder = receipt_folder("_manifests", "events", 0);
	char *key = receipt_key(folder, &name);
	char *text = receipt_write(&receipt);

	memory_store_put(key, text, strlen(text));
	free(text);
	free(key);
	free(folder);
	receipt_fini(&receipt);
}

static void
redrive(struct one_ear *f, int64_t time_ms, int64_t number)
{
	put_pointers(f, time_ms, number);
	put_receipt(f, time_ms, number);
}

Test(redrives, redrive_into_a_path_amends_it_once_whoever_looks)
{
	struct one_ear f;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 4 * HOUR_MS}, 2);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	one_ear_expect(&f, "new dt=2026-01-01/hr=00 00 1/1;");
	put_pointers(&f, HOURLY_T + 5, 1);
	cr_assert_eq(
	    one_ear_run(&f).amended, 0, "its receipt is not there yet");
	put_receipt(&f, HOURLY_T + 5, 1);
	f.last_until = 0;
	cr_assert_eq(one_ear_run(&f).amended, 1);
	one_ear_expect(&f, "more dt=2026-01-01/hr=00 00 1/2;");
	cr_assert_eq(one_ear_run(&f).amended, 0);
	one_ear_begin_again(&f);
	cr_assert_eq(one_ear_run(&f).amended, 0, "the tally has it");
	redrive(&f, HOURLY_T + 6, 2);
	cr_assert_eq(one_ear_run(&f).amended, 1);
	one_ear_expect(&f, "more dt=2026-01-01/hr=00 00 1/3;");
	one_ear_end(&f);
}

Test(redrives, redrive_into_a_path_that_is_not_over_is_counted_with_it)
{
	struct one_ear f;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + HOUR_MS}, 2);
	redrive(&f, HOURLY_T + 5, 1);
	redrive(&f, HOURLY_T + HOUR_MS + 5, 2);
	cr_assert_eq(one_ear_run(&f).finalized, 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T + 2 * HOUR_MS}, 1);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	one_ear_batch(&f, (int64_t[]){HOURLY_T + 4 * HOUR_MS}, 1);
	cr_assert_eq(one_ear_run(&f).finalized, 2);
	one_ear_expect(&f, "new dt=2026-01-01/hr=00 00 2/2;"
			   "new dt=2026-01-01/hr=01 01 2/2;"
			   "new dt=2026-01-01/hr=02 02 1/1;");
	one_ear_end(&f);
}

/* Long ago: no manifest of the path is read any more. */
Test(redrives, redrive_into_an_old_path_amends_it_when_it_was_over)
{
	struct one_ear f;
	size_t len;
	char *tally;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 4 * HOUR_MS}, 2);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	f.hourly.topic.finalize.lookback_ms = DAY_MS;
	one_ear_batch(&f, (int64_t[]){HOURLY_T + 10 * DAY_MS}, 1);
	one_ear_begin_again(&f);
	one_ear_expect(&f, "new dt=2026-01-01/hr=00 00 1/1;");
	redrive(&f, HOURLY_T + 5, 1);
	redrive(&f, HOURLY_T + HOUR_MS + 5, 2);
	cr_assert_eq(one_ear_run(&f).amended, 1);
	one_ear_expect(&f, "more dt=2026-01-01/hr=00 00 1/2;");
	tally = memory_store_get("_manifests/events/_paths/1/dt=2026-01-01/"
				 "hr=00/_path.json",
	    &len);
	cr_assert_not_null(strstr(tally, "\"redriven\":[[0,1]]"), "%s", tally);
	one_ear_end(&f);
}

static const char new_pointer[] =
    "_manifests/events/_redriven/1/new/0_00000000000000000000_1.json";

Test(redrives, pointer_goes_when_all_tallies_have_it_and_totals_stay_right)
{
	struct one_ear f;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 4 * HOUR_MS}, 2);
	redrive(&f, HOURLY_T + 5, 1);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	cr_assert(has(new_pointer), "the day is not over");
	one_ear_batch(&f, (int64_t[]){HOURLY_T + 30 * HOUR_MS}, 1);
	(void)one_ear_run(&f);
	cr_assert(has(new_pointer), "it was not seen in the day's tally");
	(void)one_ear_run(&f);
	cr_assert_not(has(new_pointer));
	/* made anew, the path has it all the same */
	memory_store_remove("_manifests/events/_paths/1/dt=2026-01-01/hr=00/"
			    "_path.json");
	one_ear_begin_again(&f);
	f.heard.len = 0;
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	one_ear_expect(&f, "new dt=2026-01-01/hr=00 00 2/2;");
	one_ear_end(&f);
}

Test(redrives, pointers_that_may_not_be_removed_hold_nothing_up)
{
	struct one_ear f;
	struct finalizer_pass pass;
	struct secor_err err;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 30 * HOUR_MS}, 2);
	redrive(&f, HOURLY_T + 5, 1);
	(void)one_ear_run(&f);
	memory_store_refuse_removes(SECOR_RETRY);
	cr_assert_eq(
	    finalizer_run(f.finalizer, "events", &pass, &err), SECOR_RETRY);
	memory_store_refuse_removes(SECOR_FATAL);
	(void)one_ear_run(&f);
	(void)one_ear_run(&f);
	cr_assert(has(new_pointer));
	memory_store_refuse_removes(SECOR_OK);
	one_ear_begin_again(&f);
	(void)one_ear_run(&f);
	cr_assert_not(has(new_pointer));
	one_ear_end(&f);
}

/* A tally that another process put in place of ours, with less in it. */
Test(redrives, tally_that_counts_less_is_mended_by_who_knows_more)
{
	static const char key[] = "_manifests/events/_paths/1/dt=2026-01-01/"
				  "hr=00/_path.json";
	struct one_ear f;
	char *old;
	size_t len;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 4 * HOUR_MS}, 2);
	(void)one_ear_run(&f);
	old = memory_store_get(key, &len);
	old = mem_dup(old, len);
	redrive(&f, HOURLY_T + 5, 1);
	one_ear_batch(&f, (int64_t[]){HOURLY_T + 6}, 1);
	f.last_until = 0;
	cr_assert_eq(one_ear_run(&f).amended, 1);
	memory_store_put(key, old, len);
	cr_assert_eq(one_ear_run(&f).again, 1);
	f.last_until = 0;
	f.heard.len = 0;
	cr_assert_eq(one_ear_run(&f).amended, 1);
	one_ear_expect(&f, "more dt=2026-01-01/hr=00 00 2/3;");
	free(old);
	one_ear_end(&f);
}

Test(redrives, broken_tally_and_receipt_are_trouble_of_their_path_alone)
{
	static const char key[] = "_manifests/events/_paths/1/dt=2026-01-01/"
				  "hr=00/_path.json";
	struct one_ear f;
	struct finalizer_pass pass;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f,
	    (int64_t[]){HOURLY_T, HOURLY_T + HOUR_MS, HOURLY_T + 4 * HOUR_MS},
	    3);
	memory_store_put(key, "{}", 2);
	pass = one_ear_run(&f);
	cr_assert_eq(pass.failed, 1);
	cr_assert_eq(pass.finalized, 1);
	one_ear_expect(&f, "new dt=2026-01-01/hr=01 01 1/1;");
	memory_store_remove(key);
	put_pointers(&f, HOURLY_T + 5, 1);
	memory_store_remove(new_pointer); /* long ago */
	memory_store_put("_manifests/events/0/redrive/"
			 "1_00000000000000000000_1.json",
	    "{}", 2);
	one_ear_begin_again(&f);
	pass = one_ear_run(&f);
	cr_assert_eq(pass.failed, 1);
	cr_assert_eq(pass.finalized, 0);
	put_receipt(&f, HOURLY_T + 5, 1);
	one_ear_begin_again(&f);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	one_ear_expect(&f, "new dt=2026-01-01/hr=00 00 2/2;");
	one_ear_end(&f);
}
