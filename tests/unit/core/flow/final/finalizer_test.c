/*
 * finalizer_test.c -- what is told, when, and how often: against a store in
 * memory, a Kafka that says what the test wants, and a notifier that can fail.
 */
#include "core/flow/final/finalizer.h"

#include "core/base/buf.h"
#include "core/base/log.h"
#include "tests/unit/harness.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define T INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

struct fixture {
	struct config_use date, ear;
	struct config_topic topic;
	struct config config;
	struct finalizer *finalizer;
	const struct plugin *plugin;
	void *router;
	/* Kafka */
	int64_t offset, end, w, now;
	/* what was heard and said */
	struct buf heard;
	int answer;
	char **paths;
	size_t path_count;
	int64_t last_until;
	int early;
};

/* ---- a notifier ---- */

static int
ear_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)err;
	*self = (void *)(uintptr_t)with->conf;
	return SECOR_OK;
}

static void
ear_close(void *self)
{
	(void)self;
}

static int
hear(void *self, const char *word, const struct secor_event_path *path,
    struct secor_err *err)
{
	struct fixture *f = self;

	if (f->answer != SECOR_OK)
		return secor_fail(err, f->answer, "not now");
	buf_printf(&f->heard, "%s %s %s %zu/%" PRIu64 ";", word, path->path,
	    path->levels[path->level_count - 1].value, path->object_count,
	    path->total_objects);
	return SECOR_OK;
}

static int
ear_finalized(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	return hear(self, "new", path, err);
}

static int
ear_amended(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	return hear(self, "more", path, err);
}

static const struct secor_notifier_ops ear_ops = {
    .size = sizeof(struct secor_notifier_ops),
    .open = ear_open,
    .close = ear_close,
    .path_finalized = ear_finalized,
    .path_amended = ear_amended,
};

static char built_in[] = "(test)";

static const struct plugin ear_plugin = {
    .desc = {SECOR_PLUGIN_HEAD, .kind = SECOR_NOTIFIER, .name = "ear"},
    .file = built_in,
    .ops = {.notifier = &ear_ops},
};

/* ---- Kafka ---- */

static int
look(void *arg, const char *topic, struct view *view, struct secor_err *err)
{
	struct fixture *f = arg;

	(void)topic;
	(void)err;
	view->asked_ms = f->now;
	view->count = 1;
	view->parts = mem_alloc(sizeof(*view->parts));
	view->parts[0].end = f->end;
	view->parts[0].record = (struct record){
	    .kind = RECORD_CLEAN, .offset = f->offset, .w = f->w};
	(void)snprintf(view->parts[0].record.g, sizeof(view->parts[0].record.g),
	    "0123456789abcdef.1");
	return SECOR_OK;
}

static void
said(void *arg, const struct finalizer_path *path)
{
	struct fixture *f = arg;
	int64_t until = path->tally->span.until;

	if (path->failed != NULL)
		return;
	f->early += until + f->topic.finalize.delay_ms > f->w;
	f->early += until < f->last_until;
	f->last_until = until;
	f->paths = mem_grow(f->paths, (f->path_count + 1) * sizeof(char *));
	f->paths[f->path_count++] =
	    mem_dup(path->tally->path, strlen(path->tally->path));
}

static void
begin(struct fixture *f, const char *timezone, int dry_run)
{
	struct finalizer_how how = {.config = &f->config,
	    .look = look,
	    .arg = f,
	    .dry_run = dry_run,
	    .wait = 1,
	    .said = said};
	struct secor_err err = {""};

	memset(f, 0, sizeof(*f));
	log_level_set(-1); /* the failures here are meant */
	f->plugin = harness_plugin("partitioner/date");
	f->date.plugin = f->plugin;
	f->date.conf = harness_conf(
	    f->plugin, "granularity", "hour", "timezone", timezone, NULL);
	f->router = harness_open(f->plugin, f->date.conf, NULL);
	f->ear = (struct config_use){.plugin = &ear_plugin, .conf = f};
	f->topic.partitioners = (struct config_uses){&f->date, 1};
	f->topic.finalize = (struct config_finalize){.delay_ms = HOUR / 2,
	    .lookback_ms = 3650 * DAY,
	    .interval_ms = 1000,
	    .marker = CONFIG_MARKER_JSON,
	    .marker_name = "_SUCCESS"};
	f->config.topics = &f->topic;
	f->config.topic_count = 1;
	f->config.store = memory_store;
	f->config.notifiers = (struct config_uses){&f->ear, 1};
	f->config.layout.manifest_prefix = "_manifests";
	f->config.layout.generation = 1;
	buf_puts(&f->heard, "");
	cr_assert_eq(
	    finalizer_new(&how, &f->finalizer, &err), SECOR_OK, "%s", err.text);
}

static void
end(struct fixture *f)
{
	finalizer_free(f->finalizer);
	harness_close(f->plugin, f->router);
	harness_conf_free(f->plugin, (void *)f->date.conf);
	for (size_t i = 0; i < f->path_count; i++)
		free(f->paths[i]);
	free(f->paths);
	buf_fini(&f->heard);
	memory_store_clear();
}

/* ---- batches ---- */

static char *
path_at(struct fixture *f, int64_t ms)
{
	struct secor_route_in in = {.size = sizeof(in), .time_ms = ms};
	struct secor_route_out out = {.size = sizeof(out)};
	struct secor_err err;

	cr_assert_eq(
	    f->plugin->ops.partitioner->route(f->router, &in, &out, &err),
	    SECOR_OK);
	return mem_text("dt=%.*s/hr=%.*s", (int)out.levels[0].value.len,
	    out.levels[0].value.ptr, (int)out.levels[1].value.len,
	    out.levels[1].value.ptr);
}

/* One batch with an object for each of the times; the record is behind it. */
static void
batch(struct fixture *f, const int64_t *times, size_t count)
{
	struct manifest_object objects[4];
	char topic[] = "events";
	struct manifest manifest = {.topic = topic,
	    .generation = 1,
	    .start = f->offset,
	    .end = f->offset + 10,
	    .cut = CUT_AGE,
	    .objects = objects,
	    .object_count = count};
	char *key = manifest_key("_manifests", "events", 0, 1, f->offset);
	char *text;

	for (size_t i = 0; i < count; i++) {
		objects[i] =
		    (struct manifest_object){.path = path_at(f, times[i]),
			.records = 1,
			.bytes = 10,
			.first_offset = f->offset + (int64_t)i,
			.last_offset = f->offset + (int64_t)i,
			.has_times = 1,
			.first_ms = times[i],
			.last_ms = times[i]};
		objects[i].key = mem_text(
		    "events/%s/1_0_%020" PRId64, objects[i].path, f->offset);
		if (times[i] > f->w)
			f->w = times[i];
	}
	manifest.watermark = f->w;
	text = manifest_write(&manifest);
	memory_store_put(key, text, strlen(text));
	for (size_t i = 0; i < count; i++) {
		free(objects[i].path);
		free(objects[i].key);
	}
	free(text);
	free(key);
	f->offset += 10;
	f->end = f->offset + 1; /* it lags by a message */
	f->now = f->w + DAY;
}

static struct finalizer_pass
run(struct fixture *f)
{
	struct finalizer_pass pass;
	struct secor_err err = {""};

	cr_assert_eq(finalizer_run(f->finalizer, "events", &pass, &err),
	    SECOR_OK, "%s", err.text);
	return pass;
}

static int
has(const char *key)
{
	size_t len;

	return memory_store_get(key, &len) != NULL;
}

/* Another redrive of the batch that begins at 0: its receipt, with one object
 * of two records of this time. */
static struct receipt
redriven(struct fixture *f, int64_t time_ms, int64_t number)
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

	object->path = path_at(f, time_ms);
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
put_pointers(struct fixture *f, int64_t time_ms, int64_t number)
{
	const struct manifest_store store = memory();
	struct receipt receipt = redriven(f, time_ms, number);
	struct secor_err err;

	cr_assert_eq(redriven_put(&store, &receipt, &err), SECOR_OK);
	receipt_fini(&receipt);
}

static void
put_receipt(struct fixture *f, int64_t time_ms, int64_t number)
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
redrive(struct fixture *f, int64_t time_ms, int64_t number)
{
	put_pointers(f, time_ms, number);
	put_receipt(f, time_ms, number);
}

static void
begin_again(struct fixture *f)
{
	struct finalizer_how how = {.config = &f->config,
	    .look = look,
	    .wait = 1,
	    .arg = f,
	    .said = said};
	struct secor_err err;

	finalizer_free(f->finalizer);
	cr_assert_eq(finalizer_new(&how, &f->finalizer, &err), SECOR_OK);
	f->last_until = 0;
}

/* What was heard since; "" for nothing. */
static void
expect_heard(struct fixture *f, const char *text)
{
	cr_assert_str_eq(f->heard.ptr, text);
	f->heard.len = 0;
	buf_puts(&f->heard, "");
}

/* ---- tests ---- */

Test(finalizer, marker_notifier_and_tally_once)
{
	struct fixture f;
	struct finalizer_pass pass;

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + HOUR}, 2);
	pass = run(&f);
	cr_assert_eq(pass.finalized, 0, "less than the delay is over");
	batch(&f, (int64_t[]){T + HOUR + HOUR / 2}, 1);
	pass = run(&f);
	cr_assert_eq(pass.finalized, 1);
	cr_assert_eq(pass.watermark.holder, 0);
	cr_assert_str_eq(f.heard.ptr, "new dt=2026-01-01/hr=00 00 1/1;");
	cr_assert(has("events/dt=2026-01-01/hr=00/_SUCCESS"));
	cr_assert(has("_manifests/events/_paths/1/dt=2026-01-01/hr=00/"
		      "_path.json"));
	cr_assert_eq(run(&f).finalized, 0);
	end(&f);
}

Test(finalizer, next_process_knows_what_was_told_and_what_is_new)
{
	struct fixture f;
	struct finalizer_how how = {
	    .look = look, .arg = &f, .wait = 1, .said = said};
	struct secor_err err;

	begin(&f, "UTC", 0);
	how.config = &f.config;
	batch(&f, (int64_t[]){T, T + 2 * HOUR}, 2);
	cr_assert_eq(run(&f).finalized, 1);
	finalizer_free(f.finalizer);
	cr_assert_eq(finalizer_new(&how, &f.finalizer, &err), SECOR_OK);
	cr_assert_eq(run(&f).finalized, 0);
	batch(&f, (int64_t[]){T + 1}, 1);
	f.last_until = 0;
	cr_assert_eq(run(&f).amended, 1);
	cr_assert_str_eq(f.heard.ptr,
	    "new dt=2026-01-01/hr=00 00 1/1;more dt=2026-01-01/hr=00 00 1/2;");
	end(&f);
}

Test(finalizer, failed_notifier_comes_again_and_refusal_does_not)
{
	struct fixture f;
	struct finalizer_pass pass;

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + HOUR, T + 4 * HOUR}, 3);
	f.answer = SECOR_RETRY;
	pass = run(&f);
	cr_assert_eq(pass.failed, 2, "one does not stop the other");
	cr_assert(has("events/dt=2026-01-01/hr=00/_SUCCESS"));
	cr_assert_not(has("_manifests/events/_paths/1/dt=2026-01-01/hr=00/"
			  "_path.json"));
	pass = run(&f);
	cr_assert_eq(pass.left, 2, "not before the back-off");
	finalizer_forget(f.finalizer, "events");
	f.last_until = 0;
	f.answer = SECOR_REJECT;
	pass = run(&f);
	cr_assert_eq(pass.finalized, 2);
	cr_assert_str_eq(f.heard.ptr, "");
	cr_assert_eq(run(&f).finalized, 0);
	end(&f);
}

Test(finalizer, dry_run_says_and_does_nothing)
{
	struct fixture f;

	begin(&f, "UTC", 1);
	batch(&f, (int64_t[]){T, T + 4 * HOUR}, 2);
	cr_assert_eq(run(&f).finalized, 1);
	cr_assert_eq(f.path_count, 1);
	cr_assert_str_eq(f.heard.ptr, "");
	cr_assert_not(has("events/dt=2026-01-01/hr=00/_SUCCESS"));
	end(&f);
}

Test(finalizer, old_paths_are_left_and_what_comes_late_into_told_ones_is_not)
{
	struct fixture f;

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + 4 * HOUR}, 2);
	cr_assert_eq(run(&f).finalized, 1);
	f.topic.finalize.lookback_ms = DAY;
	batch(&f, (int64_t[]){T + 2, T + HOUR, T + 10 * DAY}, 3);
	f.last_until = 0;
	cr_assert_eq(run(&f).amended, 1);
	cr_assert_eq(f.path_count, 2, "hours 1 and 4 and the day are too old");
	cr_assert_str_eq(f.paths[1], "dt=2026-01-01/hr=00");
	end(&f);
}

Test(finalizer, as_many_late_objects_as_there_were_before_are_told)
{
	struct fixture f;

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + 4 * HOUR}, 2);
	cr_assert_eq(run(&f).finalized, 1);
	for (int i = 0; i < 2; i++) {
		batch(&f, (int64_t[]){T + 1}, 1);
		f.last_until = 0;
		cr_assert_eq(run(&f).amended, 1);
	}
	expect_heard(&f, "new dt=2026-01-01/hr=00 00 1/1;"
			 "more dt=2026-01-01/hr=00 00 1/2;"
			 "more dt=2026-01-01/hr=00 00 1/3;");
	end(&f);
}

Test(finalizer, redrive_into_a_path_amends_it_once_whoever_looks)
{
	struct fixture f;

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + 4 * HOUR}, 2);
	cr_assert_eq(run(&f).finalized, 1);
	expect_heard(&f, "new dt=2026-01-01/hr=00 00 1/1;");
	put_pointers(&f, T + 5, 1);
	cr_assert_eq(run(&f).amended, 0, "its receipt is not there yet");
	put_receipt(&f, T + 5, 1);
	f.last_until = 0;
	cr_assert_eq(run(&f).amended, 1);
	expect_heard(&f, "more dt=2026-01-01/hr=00 00 1/2;");
	cr_assert_eq(run(&f).amended, 0);
	begin_again(&f);
	cr_assert_eq(run(&f).amended, 0, "the tally has it");
	redrive(&f, T + 6, 2);
	cr_assert_eq(run(&f).amended, 1);
	expect_heard(&f, "more dt=2026-01-01/hr=00 00 1/3;");
	end(&f);
}

Test(finalizer, redrive_into_a_path_that_is_not_over_is_counted_with_it)
{
	struct fixture f;

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + HOUR}, 2);
	redrive(&f, T + 5, 1);
	redrive(&f, T + HOUR + 5, 2);
	cr_assert_eq(run(&f).finalized, 0);
	batch(&f, (int64_t[]){T + 2 * HOUR}, 1);
	cr_assert_eq(run(&f).finalized, 1);
	batch(&f, (int64_t[]){T + 4 * HOUR}, 1);
	cr_assert_eq(run(&f).finalized, 2);
	expect_heard(&f, "new dt=2026-01-01/hr=00 00 2/2;"
			 "new dt=2026-01-01/hr=01 01 2/2;"
			 "new dt=2026-01-01/hr=02 02 1/1;");
	end(&f);
}

/* Long ago: no manifest of the path is read any more. */
Test(finalizer, redrive_into_an_old_path_amends_it_when_it_was_over)
{
	struct fixture f;
	size_t len;
	char *tally;

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + 4 * HOUR}, 2);
	cr_assert_eq(run(&f).finalized, 1);
	f.topic.finalize.lookback_ms = DAY;
	batch(&f, (int64_t[]){T + 10 * DAY}, 1);
	begin_again(&f);
	expect_heard(&f, "new dt=2026-01-01/hr=00 00 1/1;");
	redrive(&f, T + 5, 1);
	redrive(&f, T + HOUR + 5, 2);
	cr_assert_eq(run(&f).amended, 1);
	expect_heard(&f, "more dt=2026-01-01/hr=00 00 1/2;");
	tally = memory_store_get("_manifests/events/_paths/1/dt=2026-01-01/"
				 "hr=00/_path.json",
	    &len);
	cr_assert_not_null(strstr(tally, "\"redriven\":[[0,1]]"), "%s", tally);
	end(&f);
}

static const char new_pointer[] =
    "_manifests/events/_redriven/1/new/0_00000000000000000000_1.json";

Test(finalizer, pointer_goes_when_all_tallies_have_it_and_totals_stay_right)
{
	struct fixture f;

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + 4 * HOUR}, 2);
	redrive(&f, T + 5, 1);
	cr_assert_eq(run(&f).finalized, 1);
	cr_assert(has(new_pointer), "the day is not over");
	batch(&f, (int64_t[]){T + 30 * HOUR}, 1);
	(void)run(&f);
	cr_assert(has(new_pointer), "it was not seen in the day's tally");
	(void)run(&f);
	cr_assert_not(has(new_pointer));
	/* made anew, the path has it all the same */
	memory_store_remove("_manifests/events/_paths/1/dt=2026-01-01/hr=00/"
			    "_path.json");
	begin_again(&f);
	f.heard.len = 0;
	cr_assert_eq(run(&f).finalized, 1);
	expect_heard(&f, "new dt=2026-01-01/hr=00 00 2/2;");
	end(&f);
}

/* A tally that another process put in place of ours, with less in it. */
Test(finalizer, tally_that_counts_less_is_mended_by_who_knows_more)
{
	static const char key[] = "_manifests/events/_paths/1/dt=2026-01-01/"
				  "hr=00/_path.json";
	struct fixture f;
	char *old;
	size_t len;

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + 4 * HOUR}, 2);
	(void)run(&f);
	old = memory_store_get(key, &len);
	old = mem_dup(old, len);
	redrive(&f, T + 5, 1);
	batch(&f, (int64_t[]){T + 6}, 1);
	f.last_until = 0;
	cr_assert_eq(run(&f).amended, 1);
	memory_store_put(key, old, len);
	cr_assert_eq(run(&f).amended, 0, "it begins anew");
	f.last_until = 0;
	f.heard.len = 0;
	cr_assert_eq(run(&f).amended, 1);
	expect_heard(&f, "more dt=2026-01-01/hr=00 00 2/3;");
	free(old);
	end(&f);
}

Test(finalizer, broken_tally_and_receipt_are_trouble_of_their_path_alone)
{
	static const char key[] = "_manifests/events/_paths/1/dt=2026-01-01/"
				  "hr=00/_path.json";
	struct fixture f;
	struct finalizer_pass pass;

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + HOUR, T + 4 * HOUR}, 3);
	memory_store_put(key, "{}", 2);
	pass = run(&f);
	cr_assert_eq(pass.failed, 1);
	cr_assert_eq(pass.finalized, 1);
	expect_heard(&f, "new dt=2026-01-01/hr=01 01 1/1;");
	memory_store_remove(key);
	begin_again(&f);
	cr_assert_eq(run(&f).finalized, 1);
	expect_heard(&f, "new dt=2026-01-01/hr=00 00 1/1;");
	end(&f);
}

Test(finalizer, broken_manifest_and_silent_store_are_said_and_waited_for)
{
	struct fixture f;
	struct finalizer_pass pass;
	struct secor_err err = {""};
	char *key = manifest_key("_manifests", "events", 0, 1, 0);

	begin(&f, "UTC", 0);
	batch(&f, (int64_t[]){T, T + 4 * HOUR}, 2);
	memory_store_fail(1);
	cr_assert_eq(
	    finalizer_run(f.finalizer, "events", &pass, &err), SECOR_RETRY);
	memory_store_put(key, "{}", 2);
	cr_assert_eq(
	    finalizer_run(f.finalizer, "events", &pass, &err), SECOR_REJECT);
	cr_assert_not_null(strstr(err.text, key), "%s", err.text);
	free(key);
	end(&f);
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
		struct fixture f;
		size_t hours = 0, days = 0;

		begin(&f, zones[z], 0);
		for (int64_t at = T; at < T + DAYS * DAY; at += HOUR) {
			batch(&f, (int64_t[]){at, at + HOUR / 2}, 2);
			(void)run(&f);
			if ((at - T) % DAY == 0) /* it is known here */
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
		end(&f);
	}
}
