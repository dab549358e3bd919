/*
 * tell.c -- see tell.h.
 */
#include "core/flow/final/tell.h"

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/flow/cluster.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct teller {
	struct tellers *all;
	const struct plugin *plugin;
	void *self;
	struct queue *queue;
	pthread_t thread;
	int started;
	_Atomic int telling; /* the plugin has the thread */
	/* the finalizer's; what was answered and not taken counts */
	size_t paths, objects;
	int full;
	size_t waiting;
	struct metric *told, *refused, *retries, *queued, *waits, *since;
};

struct tellers {
	struct secor_cluster *cluster;
	struct teller *items;
	size_t count;
	struct queue *answers;
	_Atomic int stopping;
	int roomy;
};

/* ---- a notifier's thread ---- */

static int
call(struct teller *teller, const struct news *news, struct secor_err *why)
{
	const struct secor_notifier_ops *ops = teller->plugin->ops.notifier;
	int rc;

	atomic_store(&teller->telling, 1);
	rc = news->amended ? ops->path_amended(teller->self, news->path, why)
			   : ops->path_finalized(teller->self, news->path, why);
	atomic_store(&teller->telling, 0);
	return rc;
}

static void
refused(struct teller *teller, const struct news *news, const char *why)
{
	char quoted[1200];

	metric_add(teller->refused, 1);
	log_line(SECOR_ERROR, "notifier refuses a path",
	    "notifier=%s topic=%s path=%s error=%s", teller->plugin->desc.name,
	    news->path->topic, news->path->path,
	    log_quote(quoted, sizeof(quoted), why));
}

static void
tell(struct teller *teller, struct hearing *hearing)
{
	const struct news *news = hearing->news;
	struct secor_err why = {{0}};

	hearing->status = call(teller, news, &why);
	if (hearing->status == SECOR_OK) {
		metric_add(teller->told, 1);
	} else if (hearing->status == SECOR_REJECT) {
		refused(teller, news, why.text);
	} else {
		hearing->status = SECOR_RETRY;
		hearing->why = mem_text(
		    "notifier %s: %s", teller->plugin->desc.name, why.text);
		metric_add(teller->retries, 1);
	}
}

static void *
teller_run(void *arg)
{
	struct teller *teller = arg;
	struct tellers *all = teller->all;
	struct queue_node *node;

	while ((node = queue_get(teller->queue, -1)) != NULL) {
		struct hearing *hearing = (struct hearing *)node;

		hearing->dropped = atomic_load(&all->stopping) ||
				   atomic_load(&hearing->news->dropped);
		if (!hearing->dropped)
			tell(teller, hearing);
		queue_put(all->answers, node);
	}
	return NULL;
}

/* ---- opening and closing ---- */

static void
open_metrics(struct teller *teller, const char *name)
{
	const char *const *labels = METRIC_LABELS("notifier", name);

	teller->told = metric_counter("secor_notifier_paths_told_total",
	    "Paths that a notifier has heard of, finalized or amended.",
	    labels);
	teller->refused = metric_counter("secor_notifier_paths_refused_total",
	    "Paths that a notifier refused for good.", labels);
	teller->retries = metric_counter("secor_notifier_paths_retries_total",
	    "Paths that a notifier must be told of again.", labels);
	teller->queued = metric_gauge("secor_notifier_paths_queued",
	    "Paths in a notifier's queue, and the one that it is told.",
	    labels);
	teller->waits = metric_gauge("secor_notifier_paths_waiting",
	    "Paths that have their marker, and a notifier has not heard yet.",
	    labels);
	teller->since = metric_gauge_ms("secor_notifier_paths_since_seconds",
	    "Since when the oldest path waits for a notifier; 0: none does.",
	    labels);
}

static int
open_teller(const struct config *config, struct teller *teller, size_t i,
    struct secor_err *err)
{
	const struct config_use *use = &config->notifiers.items[i];
	const struct config_opening how = {
	    .allow_commands = config->allow_commands,
	    .cluster = teller->all->cluster};
	int rc;

	teller->plugin = use->plugin;
	teller->queue = queue_new(NULL, NULL);
	open_metrics(teller, use->plugin->desc.name);
	rc = config_open(use, &how, &teller->self, err);
	if (rc != SECOR_OK)
		return rc;
	if (pthread_create(&teller->thread, NULL, teller_run, teller) != 0)
		return secor_fail(err, SECOR_FATAL, "no thread for notifier %s",
		    use->plugin->desc.name);
	teller->started = 1;
	return SECOR_OK;
}

int
tellers_new(const struct config *config, void (*wake)(void *arg), void *arg,
    struct tellers **tellers, struct secor_err *err)
{
	struct tellers *made = mem_alloc(sizeof(*made));
	size_t count = config->notifiers.count;
	int rc = SECOR_OK;

	if (count > TELL_NOTIFIERS)
		rc = secor_fail(
		    err, SECOR_FATAL, "more than %d notifiers", TELL_NOTIFIERS);
	made->cluster = cluster_new(config);
	made->answers = queue_new(wake, arg);
	made->items = mem_alloc((count + 1) * sizeof(*made->items));
	for (size_t i = 0; rc == SECOR_OK && i < count; i++) {
		made->items[i].all = made;
		rc = open_teller(config, &made->items[i], i, err);
		made->count = i + 1;
	}
	if (rc != SECOR_OK) {
		tellers_free(made);
		return rc;
	}
	*tellers = made;
	return SECOR_OK;
}

void
tellers_stop(struct tellers *tellers)
{
	if (tellers == NULL)
		return;
	atomic_store(&tellers->stopping, 1);
	cluster_stop(tellers->cluster);
	for (size_t i = 0; i < tellers->count; i++)
		queue_close(tellers->items[i].queue);
	queue_close(tellers->answers);
}

static void
close_teller(struct teller *teller)
{
	if (atomic_load(&teller->telling))
		log_line(SECOR_INFO, "waits for notifier", "notifier=%s",
		    teller->plugin->desc.name);
	if (teller->started)
		(void)pthread_join(teller->thread, NULL);
	(void)queue_get_all(teller->queue);
	queue_free(teller->queue);
	if (teller->self != NULL)
		teller->plugin->ops.notifier->close(teller->self);
	metric_add(teller->queued, -(int64_t)teller->paths);
	metric_add(teller->waits, -(int64_t)teller->waiting);
	metric_set(teller->since, 0);
}

void
tellers_free(struct tellers *tellers)
{
	if (tellers == NULL)
		return;
	tellers_stop(tellers);
	for (size_t i = 0; i < tellers->count; i++)
		close_teller(&tellers->items[i]);
	(void)queue_get_all(tellers->answers);
	queue_free(tellers->answers);
	cluster_free(tellers->cluster);
	free(tellers->items);
	free(tellers);
}

/* ---- the finalizer's side ---- */

size_t
tellers_count(const struct tellers *tellers)
{
	return tellers->count;
}

int
tellers_wants(const struct tellers *tellers, size_t i, int amended)
{
	const struct secor_notifier_ops *ops =
	    tellers->items[i].plugin->ops.notifier;

	return (amended ? ops->path_amended : ops->path_finalized) != NULL;
}

int
tellers_open(const struct tellers *tellers)
{
	for (size_t i = 0; i < tellers->count; i++)
		if (!tellers->items[i].full)
			return 1;
	return tellers->count == 0;
}

int
tellers_fits(struct tellers *tellers, size_t i, size_t objects)
{
	struct teller *teller = &tellers->items[i];

	if (teller->paths >= TELL_PATHS ||
	    (teller->objects > 0 && teller->objects + objects > TELL_OBJECTS))
		teller->full = 1;
	return !teller->full;
}

void
tellers_offer(struct tellers *tellers, struct hearing *hearing)
{
	struct teller *teller = &tellers->items[hearing->notifier];

	assert(hearing->state == HEARING_DUE);
	teller->paths++;
	teller->objects += hearing->news->path->object_count;
	metric_add(teller->queued, 1);
	hearing->state = HEARING_QUEUED;
	queue_put(teller->queue, &hearing->node);
}

struct hearing *
tellers_answer(struct tellers *tellers, int wait)
{
	struct hearing *hearing =
	    (struct hearing *)queue_get(tellers->answers, wait ? -1 : 0);
	struct teller *teller;

	if (hearing == NULL)
		return NULL;
	teller = &tellers->items[hearing->notifier];
	assert(hearing->state == HEARING_QUEUED);
	hearing->state = hearing->dropped || hearing->status == SECOR_RETRY
			     ? HEARING_DUE
			     : HEARING_HEARD;
	teller->paths--;
	teller->objects -= hearing->news->path->object_count;
	metric_add(teller->queued, -1);
	if (teller->full && teller->paths <= TELL_PATHS / 2 &&
	    teller->objects <= TELL_OBJECTS / 2) {
		teller->full = 0;
		tellers->roomy = 1;
	}
	return hearing;
}

int
tellers_roomy(struct tellers *tellers)
{
	int roomy = tellers->roomy;

	tellers->roomy = 0;
	return roomy;
}

void
tellers_wait(struct tellers *tellers, size_t i, int n)
{
	tellers->items[i].waiting += (size_t)n;
	metric_add(tellers->items[i].waits, n);
}

/* Notifiers of one name share the metric: the oldest of all. */
void
tellers_since(struct tellers *tellers, const int64_t *since_ms)
{
	for (size_t i = 0; i < tellers->count; i++) {
		int64_t oldest = since_ms[i];

		for (size_t j = 0; j < tellers->count; j++)
			if (tellers->items[j].since ==
				tellers->items[i].since &&
			    since_ms[j] > 0 &&
			    (oldest == 0 || since_ms[j] < oldest))
				oldest = since_ms[j];
		metric_set(tellers->items[i].since, oldest);
	}
}
