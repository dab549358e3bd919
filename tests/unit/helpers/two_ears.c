/*
 * two_ears.c -- see two_ears.h.
 */
#include "tests/unit/helpers/two_ears.h"

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- notifiers ---- */

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
hear(void *arg, const char *word, const struct secor_event_path *path,
    struct secor_err *err)
{
	struct ear *ear = arg;
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

static struct hourly_log *
log_of(struct ears *f, const char *topic)
{
	return strcmp(topic, "events") == 0 ? &f->events : &f->other;
}

static int
look(void *arg, const char *topic, struct view *view, struct secor_err *err)
{
	(void)err;
	hourly_look(log_of(arg, topic), view);
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
ear_init(
    struct ears *f, struct ear *ear, struct config_use *use, const char *name)
{
	ear->f = f;
	buf_puts(&ear->said, "");
	ear->listener = (struct listener){hear, ear};
	ear->plugin = listener_plugin;
	ear->plugin.desc.name = name;
	*use =
	    (struct config_use){.plugin = &ear->plugin, .conf = &ear->listener};
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
	struct finalizer_how how = {.config = &f->hourly.config,
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
	ear_init(f, &f->left, &f->ears[0], "left");
	ear_init(f, &f->right, &f->ears[1], "right");
	hourly_begin(&f->hourly, "UTC");
	f->hourly.config.store = f->store;
	f->hourly.config.notifiers = (struct config_uses){f->ears, 2};
	cr_assert_eq(
	    finalizer_new(&how, &f->finalizer, &err), SECOR_OK, "%s", err.text);
}

void
ears_end(struct ears *f)
{
	finalizer_free(f->finalizer);
	hourly_end(&f->hourly);
	buf_fini(&f->left.said);
	buf_fini(&f->right.said);
	(void)pthread_cond_destroy(&f->moved);
	(void)pthread_mutex_destroy(&f->lock);
}

void
ears_batch(struct ears *f, const char *topic, int64_t hour, size_t count)
{
	struct hourly_log *log = log_of(f, topic);
	int64_t *times = mem_alloc(count * sizeof(*times));
	int64_t last;

	for (size_t i = 0; i < count; i++)
		times[i] = HOURLY_T + (hour + (int64_t)i) * HOUR_MS;
	last = times[count - 1] + HOUR_MS / 2;
	if (last > log->w)
		log->w = last;
	hourly_batch(&f->hourly, topic, log, times, count);
	free(times);
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
