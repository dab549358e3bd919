/*
 * due_test.c -- two notifiers that are told in their own threads: one that
 * hangs or fails holds up neither the other, nor other paths, nor topics.
 */
#include "core/flow/final/finalizer.h"

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/flow/final/tell.h"
#include "tests/unit/harness.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define T INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define LATER INT64_C(1000000000000000)

/* A notifier that can be shut, and counts. Holds: lock. */
struct ear {
	struct fixture *f;
	int shut, answer;
	size_t calls, heard;
	int64_t last_until;
	int early; /* heard before an older one */
	struct buf said;
};

/* What Kafka says of a topic. */
struct log {
	int64_t offset, w;
};

struct fixture {
	struct config_use date, ears[2], store;
	struct plugin picky;
	struct secor_store_ops ops;
	struct config_topic topic;
	struct config config;
	struct log events, other;
	struct finalizer *finalizer;
	struct ear left, right;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	int woken;	    /* Holds: lock */
	int64_t now;	    /* of turns */
	size_t done;	    /* paths that were told to all */
	size_t failed;	    /* that were said to have failed */
	const char *refuse; /* keys with this are not put */
	int64_t most;	    /* that were in the left one's queue */
};

/* ---- notifiers ---- */

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

/* Holds: lock. */
static void
note(struct ear *ear, const char *word, const struct secor_event_path *path)
{
	ear->heard++;
	ear->early += path->time_until < ear->last_until;
	ear->last_until = path->time_until;
	if (strchr(path->path, '/') != NULL && ear->said.len < 1000)
		buf_printf(&ear->said, "%s %s %s %zu/%" PRIu64 ";", word,
		    path->topic, path->levels[path->level_count - 1].value,
		    path->object_count, path->total_objects);
}

static int
hear(void *self, const char *word, const struct secor_event_path *path,
    struct secor_err *err)
{
	struct ear *ear = self;
	struct fixture *f = ear->f;
	int rc;

	(void)pthread_mutex_lock(&f->lock);
	ear->calls++;
	(void)pthread_cond_broadcast(&f->moved);
	while (ear->shut)
		(void)pthread_cond_wait(&f->moved, &f->lock);
	rc = ear->answer == SECOR_OK ? SECOR_OK
				     : secor_fail(err, ear->answer, "not now");
	if (rc == SECOR_OK)
		note(ear, word, path);
	(void)pthread_mutex_unlock(&f->lock);
	return rc;
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

static const struct plugin left_plugin = {
    .desc = {SECOR_PLUGIN_HEAD, .kind = SECOR_NOTIFIER, .name = "left"},
    .file = built_in,
    .ops = {.notifier = &ear_ops},
};

static const struct plugin right_plugin = {
    .desc = {SECOR_PLUGIN_HEAD, .kind = SECOR_NOTIFIER, .name = "right"},
    .file = built_in,
    .ops = {.notifier = &ear_ops},
};

/* ---- a store that refuses some keys ---- */

static struct fixture *picky;

static int
picky_put(void *self, const struct secor_put *put, struct secor_err *err)
{
	if (picky->refuse != NULL && strstr(put->key, picky->refuse) != NULL)
		return secor_fail(err, SECOR_RETRY, "store is full");
	return memory_store.plugin->ops.store->put(self, put, err);
}

/* ---- the process around it ---- */

static struct log *
log_of(struct fixture *f, const char *topic)
{
	return strcmp(topic, "events") == 0 ? &f->events : &f->other;
}

static int
look(void *arg, const char *topic, struct view *view, struct secor_err *err)
{
	const struct log *log = log_of(arg, topic);

	(void)err;
	view->asked_ms = log->w + DAY;
	view->count = 1;
	view->parts = mem_alloc(sizeof(*view->parts));
	view->parts[0].end = log->offset + 1; /* it lags by a message */
	view->parts[0].record = (struct record){
	    .kind = RECORD_CLEAN, .offset = log->offset, .w = log->w};
	(void)snprintf(view->parts[0].record.g, sizeof(view->parts[0].record.g),
	    "0123456789abcdef.1");
	return SECOR_OK;
}

static void
said(void *arg, const struct finalizer_path *path)
{
	struct fixture *f = arg;

	if (path->failed == NULL)
		f->done++;
	else
		f->failed++;
}

static void
wake(void *arg)
{
	struct fixture *f = arg;

	(void)pthread_mutex_lock(&f->lock);
	f->woken = 1;
	(void)pthread_cond_broadcast(&f->moved);
	(void)pthread_mutex_unlock(&f->lock);
}

static void
ear_init(struct fixture *f, struct ear *ear, struct config_use *use,
    const struct plugin *plugin)
{
	ear->f = f;
	buf_puts(&ear->said, "");
	*use = (struct config_use){.plugin = plugin, .conf = ear};
}

static void
begin_store(struct fixture *f)
{
	picky = f;
	f->ops = *memory_store.plugin->ops.store;
	f->ops.put = picky_put;
	f->picky = *memory_store.plugin;
	f->picky.ops.store = &f->ops;
	f->store = memory_store;
	f->store.plugin = &f->picky;
}

static void
begin(struct fixture *f, int wait)
{
	struct finalizer_how how = {.config = &f->config,
	    .look = look,
	    .arg = f,
	    .wait = wait,
	    .wake = wake,
	    .said = said};
	struct secor_err err = {""};

	memset(f, 0, sizeof(*f));
	log_level_set(-1); /* the failures here are meant */
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->moved, NULL);
	begin_store(f);
	ear_init(f, &f->left, &f->ears[0], &left_plugin);
	ear_init(f, &f->right, &f->ears[1], &right_plugin);
	f->date.plugin = harness_plugin("partitioner/date");
	f->date.conf =
	    harness_conf(f->date.plugin, "granularity", "hour", NULL);
	f->topic.partitioners = (struct config_uses){&f->date, 1};
	f->topic.finalize = (struct config_finalize){
	    HOUR / 2, 3650 * DAY, 1000, CONFIG_MARKER_JSON, "_SUCCESS"};
	f->config.topics = &f->topic;
	f->config.topic_count = 1;
	f->config.store = f->store;
	f->config.notifiers = (struct config_uses){f->ears, 2};
	f->config.layout.manifest_prefix = "_manifests";
	f->config.layout.generation = 1;
	cr_assert_eq(
	    finalizer_new(&how, &f->finalizer, &err), SECOR_OK, "%s", err.text);
}

static void
end(struct fixture *f)
{
	finalizer_free(f->finalizer);
	harness_conf_free(f->date.plugin, (void *)f->date.conf);
	buf_fini(&f->left.said);
	buf_fini(&f->right.said);
	memory_store_clear();
	(void)pthread_cond_destroy(&f->moved);
	(void)pthread_mutex_destroy(&f->lock);
}

/* ---- batches ---- */

static void
object(struct manifest_object *object, const char *topic, int64_t offset,
    int64_t ms)
{
	time_t at = (time_t)(ms / 1000);
	struct tm tm;
	char path[40];

	cr_assert_not_null(gmtime_r(&at, &tm));
	(void)strftime(path, sizeof(path), "dt=%Y-%m-%d/hr=%H", &tm);
	*object = (struct manifest_object){.path = mem_dup(path, strlen(path)),
	    .key = mem_text("%s/%s/1_0_%020" PRId64, topic, path, offset),
	    .records = 1,
	    .bytes = 10,
	    .first_offset = offset,
	    .last_offset = offset,
	    .has_times = 1,
	    .first_ms = ms,
	    .last_ms = ms};
}

/* A batch with an object in each of `count` hours from this one on, of which
 * all but the last are over; the record is behind it. */
static void
batch(struct fixture *f, const char *topic, int64_t hour, size_t count)
{
	struct log *log = log_of(f, topic);
	char name[10];
	struct manifest manifest = {.topic = name,
	    .generation = 1,
	    .start = log->offset,
	    .end = log->offset + 10,
	    .cut = CUT_AGE,
	    .object_count = count};
	char *key = manifest_key("_manifests", topic, 0, 1, log->offset);
	int64_t last = T + (hour + (int64_t)count - 1) * HOUR + HOUR / 2;
	char *text;

	(void)snprintf(name, sizeof(name), "%s", topic);
	manifest.objects = mem_alloc(count * sizeof(*manifest.objects));
	for (size_t i = 0; i < count; i++)
		object(&manifest.objects[i], topic, log->offset,
		    T + (hour + (int64_t)i) * HOUR);
	if (last > log->w)
		log->w = last;
	manifest.watermark = log->w;
	text = manifest_write(&manifest);
	memory_store_put(key, text, strlen(text));
	for (size_t i = 0; i < count; i++) {
		free(manifest.objects[i].path);
		free(manifest.objects[i].key);
	}
	free(manifest.objects);
	free(text);
	free(key);
	log->offset += 10;
}

static struct finalizer_pass
run(struct fixture *f, const char *topic)
{
	struct finalizer_pass pass;
	struct secor_err err = {""};

	cr_assert_eq(finalizer_run(f->finalizer, topic, &pass, &err), SECOR_OK,
	    "%s", err.text);
	return pass;
}

/* ---- waiting ---- */

static int64_t
left_metric(const char *name)
{
	return metric_get(
	    metric_gauge(name, "", METRIC_LABELS("notifier", "left")));
}

static int64_t
turn(struct fixture *f)
{
	int64_t again = finalizer_turn(f->finalizer, f->now);
	int64_t queued = left_metric("secor_notifier_paths_queued");

	if (queued > f->most)
		f->most = queued;
	return again;
}

/* Turns, each time that it wakes, until `*what` is `count`. */
static void
turn_until(struct fixture *f, const size_t *what, size_t count)
{
	for (;;) {
		(void)turn(f);
		(void)pthread_mutex_lock(&f->lock);
		if (*what == count)
			break;
		cr_assert_lt(*what, count);
		while (!f->woken && *what != count)
			(void)pthread_cond_wait(&f->moved, &f->lock);
		f->woken = 0;
		(void)pthread_mutex_unlock(&f->lock);
	}
	(void)pthread_mutex_unlock(&f->lock);
}

static void
set(struct fixture *f, int *what, int value)
{
	(void)pthread_mutex_lock(&f->lock);
	*what = value;
	(void)pthread_cond_broadcast(&f->moved);
	(void)pthread_mutex_unlock(&f->lock);
}

static size_t
get(struct fixture *f, const size_t *what)
{
	size_t value;

	(void)pthread_mutex_lock(&f->lock);
	value = *what;
	(void)pthread_mutex_unlock(&f->lock);
	return value;
}

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

/* ---- tests ---- */

Test(due, hanging_notifier_holds_up_neither_the_other_nor_topics)
{
	struct fixture f;

	begin(&f, 0);
	f.left.shut = 1;
	batch(&f, "events", 0, 4);
	batch(&f, "other", 0, 3);
	(void)run(&f, "events");
	(void)run(&f, "other");
	turn_until(&f, &f.right.heard, 5);
	cr_assert_str_eq(f.right.said.ptr,
	    "new events 00 1/1;new events 01 1/1;new events 02 1/1;"
	    "new other 00 1/1;new other 01 1/1;");
	turn_until(&f, &f.left.calls, 1);
	cr_assert(has(MARKER));
	cr_assert_not(has(TALLY), "not everybody has heard it");
	cr_assert_eq(left_metric("secor_notifier_paths_queued"), 5);
	cr_assert_eq(left_metric("secor_notifier_paths_waiting"), 5);
	cr_assert_gt(left_metric("secor_notifier_paths_since_seconds"), 0);
	set(&f, &f.left.shut, 0);
	turn_until(&f, &f.done, 5);
	cr_assert(has(TALLY));
	cr_assert_str_eq(f.left.said.ptr, f.right.said.ptr);
	(void)turn(&f);
	cr_assert_eq(left_metric("secor_notifier_paths_queued"), 0);
	cr_assert_eq(left_metric("secor_notifier_paths_waiting"), 0);
	cr_assert_eq(left_metric("secor_notifier_paths_since_seconds"), 0);
	(void)run(&f, "events");
	(void)run(&f, "other");
	(void)turn(&f);
	cr_assert_eq(f.left.calls, 5);
	cr_assert_eq(f.right.calls, 5);
	end(&f);
}

Test(due, failed_notifier_is_told_again_alone_after_a_back_off)
{
	struct fixture f;
	int64_t again;

	begin(&f, 0);
	f.left.answer = SECOR_RETRY;
	batch(&f, "events", 0, 3);
	(void)run(&f, "events");
	turn_until(&f, &f.failed, 2);
	set(&f, &f.left.answer, SECOR_OK);
	again = turn(&f);
	cr_assert_geq(again, 500);
	cr_assert_leq(again, 1000);
	f.now = 499;
	cr_assert_eq(turn(&f), again, "not before the back-off");
	cr_assert_eq(get(&f, &f.left.calls), 2, "one does not stop the other");
	cr_assert_eq(get(&f, &f.right.heard), 2);
	f.now = again + 60000;
	turn_until(&f, &f.done, 2);
	cr_assert_str_eq(
	    f.left.said.ptr, "new events 00 1/1;new events 01 1/1;");
	cr_assert_eq(f.left.calls, 4);
	cr_assert_eq(f.right.calls, 2, "it has heard them");
	cr_assert(has(TALLY));
	end(&f);
}

/* Hours and days. */
enum { HOURS = 3000, PATHS = HOURS + HOURS / 24 };

Test(due, thousands_of_paths_fit_into_a_bounded_queue)
{
	struct fixture f;

	begin(&f, 0);
	f.left.shut = 1;
	batch(&f, "events", 0, HOURS);
	batch(&f, "events", HOURS + 24, 1);
	(void)run(&f, "events");
	turn_until(&f, &f.right.heard, PATHS);
	cr_assert_eq(f.right.early, 0);
	cr_assert_eq(get(&f, &f.left.calls), 1);
	cr_assert_eq(left_metric("secor_notifier_paths_waiting"), PATHS);
	set(&f, &f.left.shut, 0);
	turn_until(&f, &f.done, PATHS);
	cr_assert_eq(f.most, TELL_PATHS);
	cr_assert_eq(f.left.heard, PATHS);
	cr_assert_eq(f.left.early, 0, "oldest first, also in parts");
	cr_assert_eq(f.right.calls, PATHS);
	end(&f);
}

Test(due, one_shot_tries_each_of_thousands_once)
{
	struct fixture f;
	struct finalizer_pass pass;

	begin(&f, 1);
	f.left.answer = SECOR_RETRY;
	batch(&f, "events", 0, HOURS);
	batch(&f, "events", HOURS + 24, 1);
	pass = run(&f, "events");
	cr_assert_eq(pass.failed, PATHS);
	cr_assert_eq(pass.finalized, 0);
	cr_assert_eq(pass.left, 0);
	cr_assert_eq(f.left.calls, PATHS);
	cr_assert_eq(f.right.heard, PATHS);
	cr_assert_eq(f.failed, PATHS);
	end(&f);
}

Test(due, late_objects_in_flight_amend_when_it_is_settled)
{
	struct fixture f;
	struct tally tally;

	begin(&f, 0);
	f.left.shut = 1;
	batch(&f, "events", 0, 2);
	(void)run(&f, "events");
	turn_until(&f, &f.right.heard, 1);
	batch(&f, "events", 0, 1);
	batch(&f, "events", 0, 1);
	(void)run(&f, "events");
	turn_until(&f, &f.left.calls, 1);
	cr_assert_eq(get(&f, &f.right.calls), 1, "not before it is settled");
	set(&f, &f.left.shut, 0);
	turn_until(&f, &f.done, 1);
	read_tally(&tally);
	cr_assert_eq(tally.totals.objects, 1, "what was told");
	cr_assert_eq(tally.amended, 0);
	tally_fini(&tally);
	f.now = LATER;
	turn_until(&f, &f.done, 2);
	cr_assert_str_eq(
	    f.left.said.ptr, "new events 00 1/1;more events 00 2/3;");
	cr_assert_str_eq(f.right.said.ptr, f.left.said.ptr);
	read_tally(&tally);
	cr_assert_eq(tally.totals.objects, 3);
	cr_assert_eq(tally.totals.records, 3);
	cr_assert_eq(tally.amended, 1);
	cr_assert_eq(tally.parts[0].end, 30);
	tally_fini(&tally);
	end(&f);
}

Test(due, late_objects_of_a_path_that_nobody_heard_are_in_it)
{
	struct fixture f;

	begin(&f, 0);
	f.left.answer = f.right.answer = SECOR_RETRY;
	batch(&f, "events", 0, 2);
	(void)run(&f, "events");
	turn_until(&f, &f.failed, 1);
	batch(&f, "events", 0, 1);
	set(&f, &f.left.answer, SECOR_OK);
	set(&f, &f.right.answer, SECOR_OK);
	f.now = LATER;
	(void)run(&f, "events");
	turn_until(&f, &f.done, 1);
	cr_assert_str_eq(f.left.said.ptr, "new events 00 2/2;");
	cr_assert_str_eq(f.right.said.ptr, f.left.said.ptr);
	(void)run(&f, "events");
	(void)turn(&f);
	cr_assert_eq(f.left.calls, 2);
	end(&f);
}

Test(due, forgotten_topic_is_told_no_more_and_has_no_tally)
{
	struct fixture f;

	begin(&f, 0);
	f.left.shut = 1;
	batch(&f, "events", 0, 5);
	batch(&f, "other", 0, 2);
	(void)run(&f, "events");
	turn_until(&f, &f.left.calls, 1);
	finalizer_forget(f.finalizer, "events");
	cr_assert_eq(left_metric("secor_notifier_paths_waiting"), 0);
	(void)run(&f, "other");
	set(&f, &f.left.shut, 0);
	turn_until(&f, &f.done, 1);
	cr_assert_str_eq(f.left.said.ptr, "new events 00 1/1;new other 00 1/1;",
	    "%s", f.left.said.ptr);
	cr_assert_eq(left_metric("secor_notifier_paths_queued"), 0);
	cr_assert_not(has(TALLY));
	(void)run(&f, "events");
	turn_until(&f, &f.done, 5);
	cr_assert(has(TALLY), "the next owner tells all of it");
	end(&f);
}

Test(due, stop_tells_nothing_more_and_comes_again)
{
	struct fixture f;

	begin(&f, 0);
	f.left.shut = 1;
	batch(&f, "events", 0, 5);
	(void)run(&f, "events");
	turn_until(&f, &f.left.calls, 1);
	finalizer_stop(f.finalizer);
	set(&f, &f.left.shut, 0);
	finalizer_free(f.finalizer);
	f.finalizer = NULL;
	cr_assert_eq(f.left.calls, 1);
	cr_assert_eq(f.done, 0);
	cr_assert_not(has(TALLY));
	cr_assert_eq(left_metric("secor_notifier_paths_queued"), 0);
	cr_assert_eq(left_metric("secor_notifier_paths_waiting"), 0);
	end(&f);
}

Test(due, tally_that_cannot_be_put_comes_again_and_nobody_hears_twice)
{
	struct fixture f;

	begin(&f, 0);
	f.refuse = "_path.json";
	batch(&f, "events", 0, 3);
	(void)run(&f, "events");
	turn_until(&f, &f.failed, 2);
	f.refuse = NULL;
	f.now = LATER;
	turn_until(&f, &f.done, 2);
	cr_assert(has(TALLY));
	cr_assert_eq(f.left.calls, 2);
	cr_assert_eq(f.right.calls, 2);
	end(&f);
}

Test(due, marker_that_cannot_be_put_is_told_to_nobody)
{
	struct fixture f;

	begin(&f, 0);
	f.refuse = "hr=00/_SUCCESS";
	batch(&f, "events", 0, 3);
	(void)run(&f, "events");
	cr_assert_eq(f.failed, 1);
	turn_until(&f, &f.done, 1);
	cr_assert_str_eq(f.left.said.ptr, "new events 01 1/1;");
	f.refuse = NULL;
	f.now = LATER;
	turn_until(&f, &f.done, 2);
	cr_assert_str_eq(
	    f.left.said.ptr, "new events 01 1/1;new events 00 1/1;");
	end(&f);
}
