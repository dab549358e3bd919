/*
 * two_ears.c -- see two_ears.h.
 */
#include "tests/unit/helpers/two_ears.h"

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "tests/unit/harness.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
	struct ears *f = ear->f;
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

static struct ears *picky;

static int
picky_put(void *self, const struct secor_put *put, struct secor_err *err)
{
	if (picky->refuse != NULL && strstr(put->key, picky->refuse) != NULL)
		return secor_fail(err, SECOR_RETRY, "store is full");
	return memory_store.plugin->ops.store->put(self, put, err);
}

/* ---- the process around it ---- */

static struct ears_log *
log_of(struct ears *f, const char *topic)
{
	return strcmp(topic, "events") == 0 ? &f->events : &f->other;
}

static int
look(void *arg, const char *topic, struct view *view, struct secor_err *err)
{
	const struct ears_log *log = log_of(arg, topic);

	(void)err;
	view->asked_ms = log->w + 24 * EARS_HOUR;
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
	struct ears *f = arg;

	if (path->failed == NULL)
		f->done++;
	else
		f->failed++;
}

static void
wake(void *arg)
{
	struct ears *f = arg;

	(void)pthread_mutex_lock(&f->lock);
	f->woken = 1;
	(void)pthread_cond_broadcast(&f->moved);
	(void)pthread_mutex_unlock(&f->lock);
}

static void
ear_init(struct ears *f, struct ear *ear, struct config_use *use,
    const struct plugin *plugin)
{
	ear->f = f;
	buf_puts(&ear->said, "");
	*use = (struct config_use){.plugin = plugin, .conf = ear};
}

static void
begin_store(struct ears *f)
{
	picky = f;
	f->ops = *memory_store.plugin->ops.store;
	f->ops.put = picky_put;
	f->picky = *memory_store.plugin;
	f->picky.ops.store = &f->ops;
	f->store = memory_store;
	f->store.plugin = &f->picky;
}

void
ears_begin(struct ears *f, int wait)
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
	f->topic.finalize = (struct config_finalize){.delay_ms = EARS_HOUR / 2,
	    .lookback_ms = 3650 * 24 * EARS_HOUR,
	    .interval_ms = 1000,
	    .marker = CONFIG_MARKER_JSON,
	    .marker_name = "_SUCCESS"};
	f->config.topics = &f->topic;
	f->config.topic_count = 1;
	f->config.store = f->store;
	f->config.notifiers = (struct config_uses){f->ears, 2};
	f->config.layout.manifest_prefix = "_manifests";
	f->config.layout.generation = 1;
	cr_assert_eq(
	    finalizer_new(&how, &f->finalizer, &err), SECOR_OK, "%s", err.text);
}

void
ears_end(struct ears *f)
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

void
ears_batch(struct ears *f, const char *topic, int64_t hour, size_t count)
{
	struct ears_log *log = log_of(f, topic);
	char name[10];
	struct manifest manifest = {.topic = name,
	    .generation = 1,
	    .start = log->offset,
	    .end = log->offset + 10,
	    .cut = CUT_AGE,
	    .object_count = count};
	char *key = manifest_key("_manifests", topic, 0, 1, log->offset);
	int64_t last =
	    EARS_T + (hour + (int64_t)count - 1) * EARS_HOUR + EARS_HOUR / 2;
	char *text;

	(void)snprintf(name, sizeof(name), "%s", topic);
	manifest.objects = mem_alloc(count * sizeof(*manifest.objects));
	for (size_t i = 0; i < count; i++)
		object(&manifest.objects[i], topic, log->offset,
		    EARS_T + (hour + (int64_t)i) * EARS_HOUR);
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

struct finalizer_pass
ears_run(struct ears *f, const char *topic)
{
	struct finalizer_pass pass;
	struct secor_err err = {""};

	cr_assert_eq(finalizer_run(f->finalizer, topic, &pass, &err), SECOR_OK,
	    "%s", err.text);
	return pass;
}

/* ---- waiting ---- */

static int64_t
gauge(const char *name, const char *notifier)
{
	return metric_get(
	    metric_gauge(name, "", METRIC_LABELS("notifier", notifier)));
}

int64_t
ears_left_metric(const char *name)
{
	return gauge(name, "left");
}

int64_t
ears_turn(struct ears *f)
{
	int64_t again = finalizer_turn(f->finalizer, f->now);
	int64_t queued = ears_left_metric("secor_notifier_paths_queued");

	if (queued > f->most)
		f->most = queued;
	return again;
}

void
ears_turn_until(struct ears *f, const size_t *what, size_t count)
{
	for (;;) {
		(void)ears_turn(f);
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

void
ears_turn_until_idle(struct ears *f)
{
	for (;;) {
		(void)ears_turn(f);
		if (gauge("secor_notifier_paths_waiting", "left") == 0 &&
		    gauge("secor_notifier_paths_waiting", "right") == 0)
			return;
		(void)pthread_mutex_lock(&f->lock);
		while (!f->woken)
			(void)pthread_cond_wait(&f->moved, &f->lock);
		f->woken = 0;
		(void)pthread_mutex_unlock(&f->lock);
	}
}

void
ears_set(struct ears *f, int *what, int value)
{
	(void)pthread_mutex_lock(&f->lock);
	*what = value;
	(void)pthread_cond_broadcast(&f->moved);
	(void)pthread_mutex_unlock(&f->lock);
}

size_t
ears_get(struct ears *f, const size_t *what)
{
	size_t value;

	(void)pthread_mutex_lock(&f->lock);
	value = *what;
	(void)pthread_mutex_unlock(&f->lock);
	return value;
}
