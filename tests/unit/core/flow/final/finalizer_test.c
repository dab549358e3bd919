/*
 * finalizer_test.c -- what is told, when, and how often: against a store in
 * memory, a Kafka that says what the test wants, and a notifier that can fail.
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

Test(finalizer, marker_notifier_and_tally_once)
{
	struct one_ear f;
	struct finalizer_pass pass;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + HOUR_MS}, 2);
	pass = one_ear_run(&f);
	cr_assert_eq(pass.finalized, 0, "less than the delay is over");
	one_ear_batch(&f, (int64_t[]){HOURLY_T + HOUR_MS + HOUR_MS / 2}, 1);
	pass = one_ear_run(&f);
	cr_assert_eq(pass.finalized, 1);
	cr_assert_eq(pass.watermark.holder, 0);
	cr_assert_str_eq(f.heard.ptr, "new dt=2026-01-01/hr=00 00 1/1;");
	cr_assert(has("events/dt=2026-01-01/hr=00/_SUCCESS"));
	cr_assert(has("_manifests/events/_paths/1/dt=2026-01-01/hr=00/"
		      "_path.json"));
	cr_assert_eq(one_ear_run(&f).finalized, 0);
	one_ear_end(&f);
}

Test(finalizer, next_process_knows_what_was_told_and_what_is_new)
{
	struct one_ear f;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 2 * HOUR_MS}, 2);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	one_ear_begin_again(&f);
	cr_assert_eq(one_ear_run(&f).finalized, 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T + 1}, 1);
	f.last_until = 0;
	cr_assert_eq(one_ear_run(&f).amended, 1);
	cr_assert_str_eq(f.heard.ptr,
	    "new dt=2026-01-01/hr=00 00 1/1;more dt=2026-01-01/hr=00 00 1/2;");
	one_ear_end(&f);
}

static const char marker_key[] = "events/dt=2026-01-01/hr=00/_SUCCESS";

/* What a new process leaves of a marker that had become this text. */
static char *
marker_after(struct one_ear *f, const char *text)
{
	size_t len;
	char *bytes;

	if (text == NULL)
		memory_store_remove(marker_key);
	else
		memory_store_put(marker_key, text, strlen(text));
	one_ear_begin_again(f);
	cr_assert_eq(one_ear_run(f).finalized, 0);
	bytes = memory_store_get(marker_key, &len);
	return bytes == NULL ? NULL : mem_dup(bytes, len);
}

Test(finalizer, marker_that_counts_less_than_the_tally_is_put_by_the_next)
{
	struct one_ear f;
	char *right, *got;
	size_t len;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 2 * HOUR_MS}, 2);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	right = memory_store_get(marker_key, &len);
	right = mem_dup(right, len);
	got = marker_after(&f, "{\"secor_success\":1,\"objects\":0}");
	cr_assert_str_eq(got, right);
	free(got);
	got = marker_after(&f, NULL);
	cr_assert_str_eq(got, right);
	free(got);
	got = marker_after(&f, "{\"secor_success\":1,\"objects\":2}");
	cr_assert_str_eq(got, "{\"secor_success\":1,\"objects\":2}",
	    "somebody is about to write his tally");
	free(got);
	got = marker_after(&f, "");
	cr_assert_str_eq(got, "", "not ours");
	free(got);
	free(right);
	one_ear_expect(&f, "new dt=2026-01-01/hr=00 00 1/1;");
	one_ear_end(&f);
}

Test(finalizer, failed_notifier_comes_again_and_refusal_does_not)
{
	struct one_ear f;
	struct finalizer_pass pass;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f,
	    (int64_t[]){HOURLY_T, HOURLY_T + HOUR_MS, HOURLY_T + 4 * HOUR_MS},
	    3);
	f.answer = SECOR_RETRY;
	pass = one_ear_run(&f);
	cr_assert_eq(pass.failed, 2, "one does not stop the other");
	cr_assert(has("events/dt=2026-01-01/hr=00/_SUCCESS"));
	cr_assert_not(has("_manifests/events/_paths/1/dt=2026-01-01/hr=00/"
			  "_path.json"));
	pass = one_ear_run(&f);
	cr_assert_eq(pass.left, 2, "not before the back-off");
	finalizer_forget(f.finalizer, "events");
	f.last_until = 0;
	f.answer = SECOR_REJECT;
	pass = one_ear_run(&f);
	cr_assert_eq(pass.finalized, 2);
	cr_assert_str_eq(f.heard.ptr, "");
	cr_assert_eq(one_ear_run(&f).finalized, 0);
	one_ear_end(&f);
}

Test(finalizer, dry_run_says_and_does_nothing)
{
	struct one_ear f;

	one_ear_begin(&f, "UTC", 1);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 4 * HOUR_MS}, 2);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	cr_assert_eq(f.path_count, 1);
	cr_assert_str_eq(f.heard.ptr, "");
	cr_assert_not(has("events/dt=2026-01-01/hr=00/_SUCCESS"));
	one_ear_end(&f);
}

Test(finalizer, old_paths_are_left_and_what_comes_late_into_told_ones_is_not)
{
	struct one_ear f;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 4 * HOUR_MS}, 2);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	f.hourly.topic.finalize.lookback_ms = DAY_MS;
	one_ear_batch(&f,
	    (int64_t[]){
		HOURLY_T + 2, HOURLY_T + HOUR_MS, HOURLY_T + 10 * DAY_MS},
	    3);
	f.last_until = 0;
	cr_assert_eq(one_ear_run(&f).amended, 1);
	cr_assert_eq(f.path_count, 2, "hours 1 and 4 and the day are too old");
	cr_assert_str_eq(f.paths[1], "dt=2026-01-01/hr=00");
	one_ear_end(&f);
}

Test(finalizer, as_many_late_objects_as_there_were_before_are_told)
{
	struct one_ear f;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 4 * HOUR_MS}, 2);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	for (int i = 0; i < 2; i++) {
		one_ear_batch(&f, (int64_t[]){HOURLY_T + 1}, 1);
		f.last_until = 0;
		cr_assert_eq(one_ear_run(&f).amended, 1);
	}
	one_ear_expect(&f, "new dt=2026-01-01/hr=00 00 1/1;"
			   "more dt=2026-01-01/hr=00 00 1/2;"
			   "more dt=2026-01-01/hr=00 00 1/3;");
	one_ear_end(&f);
}

Test(finalizer, broken_manifest_and_silent_store_are_said_and_waited_for)
{
	struct one_ear f;
	struct finalizer_pass pass;
	struct secor_err err = {""};
	char *key = manifest_key("_manifests", "events", 0, 1, 0);

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T, HOURLY_T + 4 * HOUR_MS}, 2);
	memory_store_fail(1);
	cr_assert_eq(
	    finalizer_run(f.finalizer, "events", &pass, &err), SECOR_RETRY);
	memory_store_put(key, "{}", 2);
	cr_assert_eq(
	    finalizer_run(f.finalizer, "events", &pass, &err), SECOR_REJECT);
	cr_assert_not_null(strstr(err.text, key), "%s", err.text);
	free(key);
	one_ear_end(&f);
}

/* What was read before it is not read in twice when all of it can be. */
Test(finalizer, manifests_before_a_broken_one_are_counted_once)
{
	struct one_ear f;
	struct finalizer_pass pass;
	struct secor_err err = {""};
	char *key = manifest_key("_manifests", "events", 0, 1, 20);
	char *whole;
	size_t len;

	one_ear_begin(&f, "UTC", 0);
	one_ear_batch(&f, (int64_t[]){HOURLY_T}, 1);
	(void)one_ear_run(&f);
	one_ear_batch(&f, (int64_t[]){HOURLY_T + 1}, 1);
	one_ear_batch(&f, (int64_t[]){HOURLY_T + 4 * HOUR_MS}, 1);
	whole = memory_store_get(key, &len);
	cr_assert_not_null(whole);
	whole = mem_dup(whole, len);
	memory_store_put(key, "{}", 2);
	cr_assert_eq(
	    finalizer_run(f.finalizer, "events", &pass, &err), SECOR_REJECT);
	memory_store_put(key, whole, len);
	cr_assert_eq(one_ear_run(&f).finalized, 1);
	one_ear_expect(&f, "new dt=2026-01-01/hr=00 00 2/2;");
	free(whole);
	free(key);
	one_ear_end(&f);
}

static int
by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Sanitizers see the same code in the four months that have both changes of
 * the clock somewhere. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DAYS 120
#else
#define DAYS 366
#endif

/* Every hour of a year, in zones with every kind of rule. */
Test(finalizer, year_is_finalized_once_in_order_and_never_too_early)
{
	static const char *const zones[] = {"Europe/Berlin",
	    "America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu",
	    "Australia/Lord_Howe"};

	for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
		struct one_ear f;
		size_t hours = 0, days = 0;

		one_ear_begin(&f, zones[z], 0);
		for (int64_t at = HOURLY_T; at < HOURLY_T + DAYS * DAY_MS;
		     at += HOUR_MS) {
			one_ear_batch(&f, (int64_t[]){at, at + HOUR_MS / 2}, 2);
			(void)one_ear_run(&f);
			if ((at - HOURLY_T) % DAY_MS ==
			    0) /* it is known here */
				memory_store_remove_all("_manifests/events/0/");
		}
		cr_assert_eq(f.early, 0, "%s", zones[z]);
		qsort(f.paths, f.path_count, sizeof(char *), by_text);
		for (size_t i = 0; i < f.path_count; i++) {
			cr_assert(
			    i == 0 || strcmp(f.paths[i - 1], f.paths[i]) != 0,
			    "%s: %s twice", zones[z], f.paths[i]);
			if (strchr(f.paths[i], '/') != NULL)
				hours++;
			else
				days++;
		}
		/* an hour less where clocks go forward by one: no path of it;
		 * the first and the last day are whole or not by the zone */
		cr_assert(hours >= DAYS * 24 - 5 && hours <= DAYS * 24,
		    "%s: %zu", zones[z], hours);
		cr_assert(days >= DAYS - 1 && days <= DAYS + 1, "%s: %zu",
		    zones[z], days);
		one_ear_end(&f);
	}
}
