/*
 * report.c -- see report.h. A reporter's trouble is told when it begins and
 * when it ends, not every interval.
 */
#include "core/observe/report.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct one {
	struct report *report;
	const struct plugin *plugin;
	void *self;
	int64_t interval_ms;
	int failing;
	int running; /* has a thread */
	int done;    /* which is about to end; under the lock */
	pthread_t thread;
};

struct report {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* stop, or done of a reporter */
	int stop;
	size_t count;
	struct one *ones;
};

/* Names and labels of metrics live as long as the process: shallow copies. */
struct snapshot {
	struct secor_metric *metrics;
	size_t count, room;
};

static void
take_metric(void *arg, const struct secor_metric *metric, const char *help)
{
	struct snapshot *snapshot = arg;

	(void)help;
	if (snapshot->count == snapshot->room) {
		snapshot->room = snapshot->room == 0 ? 64 : 2 * snapshot->room;
		snapshot->metrics = mem_grow(snapshot->metrics,
		    snapshot->room * sizeof(*snapshot->metrics));
	}
	snapshot->metrics[snapshot->count++] = *metric;
}

static void
tell(struct one *one, int rc, const struct secor_err *err)
{
	const char *name = one->plugin->desc.name;
	char quoted[1200];

	if (rc == SECOR_OK && one->failing)
		log_line(
		    SECOR_INFO, "reporter works again", "reporter=%s", name);
	if (rc != SECOR_OK && !one->failing)
		log_line(SECOR_WARN, "reporter failed", "reporter=%s error=%s",
		    name, log_quote(quoted, sizeof(quoted), err->text));
	one->failing = rc != SECOR_OK;
}

static void
report_to(struct one *one, int64_t now_ms)
{
	struct snapshot snapshot = {0};
	struct secor_err err = {""};
	int rc;

	metric_each(take_metric, &snapshot);
	rc = one->plugin->ops.reporter->report(
	    one->self, now_ms, snapshot.metrics, snapshot.count, &err);
	free(snapshot.metrics);
	tell(one, rc, &err);
}

/* Waits for the interval; 1 when it is time to stop. */
static int
wait_interval(struct one *one)
{
	struct report *report = one->report;
	struct timespec until = clock_after(one->interval_ms);
	int rc = 0, stop;

	(void)pthread_mutex_lock(&report->lock);
	while (!report->stop && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(
		    &report->changed, &report->lock, &until);
	stop = report->stop;
	(void)pthread_mutex_unlock(&report->lock);
	return stop;
}

static void *
run(void *arg)
{
	struct one *one = arg;
	struct report *report = one->report;

	do {
		report_to(one, clock_now_ms());
	} while (!wait_interval(one));
	report_to(one, clock_now_ms());
	(void)pthread_mutex_lock(&report->lock);
	one->done = 1;
	(void)pthread_cond_broadcast(&report->changed);
	(void)pthread_mutex_unlock(&report->lock);
	return NULL;
}

static void
free_all(struct report *report)
{
	(void)pthread_cond_destroy(&report->changed);
	(void)pthread_mutex_destroy(&report->lock);
	free(report->ones);
	free(report);
}

static struct report *
report_new(size_t count)
{
	struct report *report = mem_alloc(sizeof(*report));

	(void)pthread_mutex_init(&report->lock, NULL);
	clock_cond_init(&report->changed);
	report->ones = mem_alloc(count * sizeof(*report->ones));
	return report;
}

int
report_open(const struct config_uses *uses, struct report **report,
    struct secor_err *err)
{
	struct report *self = report_new(uses->count);
	struct secor_err why = {""};
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < uses->count; i++) {
		const struct plugin *plugin = uses->items[i].plugin;
		const struct secor_open with = {.size = sizeof(with),
		    .conf = uses->items[i].conf,
		    .host = plugin->host};
		struct one *one = &self->ones[i];

		*one = (struct one){.report = self,
		    .plugin = plugin,
		    .interval_ms = uses->items[i].interval_ms < 1
				       ? 1
				       : uses->items[i].interval_ms};
		rc = plugin->ops.reporter->open(&with, &one->self, &why);
		if (rc == SECOR_OK)
			self->count++;
		else
			(void)secor_fail(err, rc, "reporter %s: %.900s",
			    plugin->desc.name, why.text);
	}
	if (rc != SECOR_OK) {
		report_close(self, 0);
		return rc;
	}
	*report = self;
	return SECOR_OK;
}

void
report_once(struct report *report, int64_t now_ms)
{
	for (size_t i = 0; i < report->count; i++)
		report_to(&report->ones[i], now_ms);
}

int
report_start(struct report *report, struct secor_err *err)
{
	for (size_t i = 0; i < report->count; i++) {
		struct one *one = &report->ones[i];
		int rc = pthread_create(&one->thread, NULL, run, one);

		if (rc != 0)
			return secor_fail(err, SECOR_RETRY,
			    "reporter %s: no thread: %s",
			    one->plugin->desc.name, strerror(rc));
		one->running = 1;
	}
	return SECOR_OK;
}

/* Joins the thread if it ends until then; 1 when it is gone. */
static int
join_until(struct one *one, const struct timespec *until)
{
	struct report *report = one->report;
	int rc = 0, done;

	if (!one->running)
		return 1;
	(void)pthread_mutex_lock(&report->lock);
	while (!one->done && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(
		    &report->changed, &report->lock, until);
	done = one->done;
	(void)pthread_mutex_unlock(&report->lock);
	if (done)
		(void)pthread_join(one->thread, NULL);
	return done;
}

void
report_close(struct report *report, int64_t wait_ms)
{
	struct timespec until = clock_after(wait_ms);
	int left = 0;

	if (report == NULL)
		return;
	(void)pthread_mutex_lock(&report->lock);
	report->stop = 1;
	(void)pthread_cond_broadcast(&report->changed);
	(void)pthread_mutex_unlock(&report->lock);
	for (size_t i = 0; i < report->count; i++) {
		struct one *one = &report->ones[i];

		if (!join_until(one, &until)) {
			log_line(SECOR_WARN, "reporter hangs, left behind",
			    "reporter=%s", one->plugin->desc.name);
			left = 1;
		} else if (one->plugin->ops.reporter->close != NULL) {
			one->plugin->ops.reporter->close(one->self);
		}
	}
	if (!left) /* else its thread still looks at these */
		free_all(report);
}
