/*
 * notify.c -- see notify.h: positions, queues, what all have heard.
 */
#include "core/flow/notify.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/cluster.h"
#include "core/flow/notify_impl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of one notifier; what is over them is read from the store later. */
enum { QUEUED_BATCHES = 1000, QUEUED_OBJECTS = 200000 };

/* ---- opening and closing ---- */

static int
open_teller(struct notifiers *all, size_t i, struct secor_err *err)
{
	const struct config_use *use = &all->config->notifiers.items[i];
	const struct config_use *store = &all->config->store;
	struct teller *teller = &all->tellers[i];
	const struct config_opening how = {
	    .allow_commands = all->config->allow_commands,
	    .cluster = all->cluster};
	const char *name = use->plugin->desc.name;
	int rc;

	teller->all = all;
	teller->index = i;
	teller->plugin = use->plugin;
	teller->seed = (unsigned)(i + 1);
	teller->queue = queue_new(NULL, NULL);
	teller->told = metric_counter("secor_notifier_told_total",
	    "Batches that a notifier has heard.",
	    METRIC_LABELS("notifier", name));
	teller->refused = metric_counter("secor_notifier_refused_total",
	    "Batches that a notifier refused: dropped.",
	    METRIC_LABELS("notifier", name));
	teller->retries = metric_counter("secor_notifier_retries_total",
	    "Attempts to tell a notifier that come again.",
	    METRIC_LABELS("notifier", name));
	rc = config_open(use, &how, &teller->self, err);
	if (rc == SECOR_OK)
		rc = config_open(store, NULL, &teller->store, err);
	if (rc != SECOR_OK)
		return rc;
	if (pthread_create(&teller->thread, NULL, teller_run, teller) != 0)
		return secor_fail(
		    err, SECOR_FATAL, "no thread for notifier %s", name);
	teller->started = 1;
	return SECOR_OK;
}

int
notifiers_new(const struct config *config, struct queue *done,
    struct notifiers **notifiers, struct secor_err *err)
{
	struct notifiers *made = mem_alloc(sizeof(*made));
	int rc = SECOR_OK;

	made->config = config;
	made->cluster = cluster_new(config);
	made->done = done;
	(void)pthread_mutex_init(&made->lock, NULL);
	clock_cond_init(&made->stop);
	made->count = config->notifiers.count;
	made->tellers = mem_alloc(made->count * sizeof(*made->tellers));
	for (size_t i = 0; rc == SECOR_OK && i < made->count; i++)
		rc = open_teller(made, i, err);
	if (rc != SECOR_OK) {
		notifiers_free(made);
		return rc;
	}
	*notifiers = made;
	return SECOR_OK;
}

static void
close_teller(struct teller *teller)
{
	struct queue_node *node;

	if (teller->queue == NULL)
		return; /* an earlier one did not open */
	if (atomic_load(&teller->telling))
		log_line(SECOR_INFO, "waits for notifier", "notifier=%s",
		    teller->plugin->desc.name);
	if (teller->started)
		(void)pthread_join(teller->thread, NULL);
	while ((node = queue_get(teller->queue, 0)) != NULL) {
		struct item *item = (struct item *)node;

		batch_unref(item->batch);
		free(item);
	}
	queue_free(teller->queue);
	if (teller->self != NULL)
		teller->plugin->ops.notifier->close(teller->self);
	if (teller->store != NULL)
		teller->all->config->store.plugin->ops.store->close(
		    teller->store);
}

void
notifiers_free(struct notifiers *notifiers)
{
	if (notifiers == NULL)
		return;
	(void)pthread_mutex_lock(&notifiers->lock);
	atomic_store(&notifiers->stopping, 1);
	cluster_stop(notifiers->cluster);
	(void)pthread_cond_broadcast(&notifiers->stop);
	(void)pthread_mutex_unlock(&notifiers->lock);
	for (size_t i = 0; i < notifiers->count; i++)
		if (notifiers->tellers[i].queue != NULL)
			queue_close(notifiers->tellers[i].queue);
	for (size_t i = 0; i < notifiers->count; i++)
		close_teller(&notifiers->tellers[i]);
	while (notifiers->watched != NULL) {
		struct watched *watched = notifiers->watched;

		notifiers->watched = watched->next;
		watched_unref(watched);
	}
	cluster_free(notifiers->cluster);
	free(notifiers->tellers);
	(void)pthread_cond_destroy(&notifiers->stop);
	(void)pthread_mutex_destroy(&notifiers->lock);
	free(notifiers);
}

/* ---- partitions ---- */

void
watched_unref(struct watched *watched)
{
	if (watched == NULL || --watched->refs > 0)
		return;
	free(watched->topic);
	free(watched->heard_by);
	free(watched);
}

void
batch_unref(struct batch *batch)
{
	if (batch == NULL || --batch->refs > 0)
		return;
	watched_unref(batch->watched);
	manifest_free(batch->manifest);
	free(batch);
}

/* Holds: lock. */
static struct watched **
find(struct notifiers *all, const char *topic, int32_t partition)
{
	struct watched **at = &all->watched;

	while (*at != NULL && ((*at)->partition != partition ||
				  strcmp((*at)->topic, topic) != 0))
		at = &(*at)->next;
	return at;
}

/* The partition, everybody's position being `from` when it is new. Holds:
 * lock. */
static struct watched *
watch(struct notifiers *all, const char *topic, int32_t partition, int64_t from)
{
	struct watched **at = find(all, topic, partition);
	struct watched *made;

	if (*at != NULL)
		return *at;
	made = mem_alloc(sizeof(*made));
	made->refs = 1;
	made->topic = mem_dup(topic, strlen(topic));
	made->partition = partition;
	made->until = made->heard = from;
	made->heard_by = mem_alloc(all->count * sizeof(*made->heard_by));
	for (size_t i = 0; i < all->count; i++)
		made->heard_by[i] = from;
	*at = made;
	return made;
}

static int64_t
heard_by_all(const struct notifiers *all, const struct watched *watched)
{
	int64_t heard = watched->until;

	for (size_t i = 0; i < all->count; i++)
		if (watched->heard_by[i] < heard)
			heard = watched->heard_by[i];
	return heard;
}

/* Holds: lock. */
static void
report(struct notifiers *all, struct watched *watched)
{
	int64_t heard = heard_by_all(all, watched);
	struct notify_heard *event;

	if (heard <= watched->heard || watched->gone)
		return;
	watched->heard = heard;
	event = mem_alloc(sizeof(*event));
	event->partition = watched->partition;
	event->heard = heard;
	(void)snprintf(
	    event->topic, sizeof(event->topic), "%s", watched->topic);
	queue_put(all->done, &event->node);
}

void
watched_heard(struct notifiers *all, struct watched *watched, size_t index,
    int64_t position)
{
	if (position > watched->heard_by[index])
		watched->heard_by[index] = position;
	report(all, watched);
}

/* ---- what the consumer says ---- */

/* Holds: lock. */
static void
enqueue(struct teller *teller, struct batch *batch)
{
	struct item *item;

	if (batch != NULL) {
		size_t objects = batch->manifest->object_count;

		if (queue_length(teller->queue) >= QUEUED_BATCHES ||
		    (teller->queued_objects > 0 &&
			teller->queued_objects + objects > QUEUED_OBJECTS))
			return;
		teller->queued_objects += objects;
		batch->refs++;
	}
	item = mem_alloc(sizeof(*item));
	item->batch = batch;
	queue_put(teller->queue, &item->node);
}

void
notify_batch(struct notifiers *notifiers, struct manifest *manifest)
{
	struct batch *batch = mem_alloc(sizeof(*batch));
	struct watched *watched;

	(void)pthread_mutex_lock(&notifiers->lock);
	watched = watch(
	    notifiers, manifest->topic, manifest->partition, manifest->start);
	assert(manifest->start >= watched->until);
	batch->refs = 1;
	batch->manifest = manifest;
	batch->watched = watched;
	batch->follows = watched->until;
	watched->refs++;
	watched->until = manifest->end;
	for (size_t i = 0; i < notifiers->count; i++)
		enqueue(&notifiers->tellers[i], batch);
	report(notifiers, watched);
	batch_unref(batch);
	(void)pthread_mutex_unlock(&notifiers->lock);
}

void
notify_catch_up(struct notifiers *notifiers, const char *topic,
    int32_t partition, int64_t from, int64_t until)
{
	struct watched *watched;

	notify_forget(notifiers, topic, partition);
	(void)pthread_mutex_lock(&notifiers->lock);
	watched = watch(notifiers, topic, partition, from);
	watched->until = until;
	for (size_t i = 0; i < notifiers->count && from < until; i++)
		enqueue(&notifiers->tellers[i], NULL);
	report(notifiers, watched);
	(void)pthread_mutex_unlock(&notifiers->lock);
}

void
notify_forget(struct notifiers *notifiers, const char *topic, int32_t partition)
{
	struct watched **at;
	struct watched *watched;

	(void)pthread_mutex_lock(&notifiers->lock);
	at = find(notifiers, topic, partition);
	watched = *at;
	if (watched != NULL) {
		*at = watched->next;
		watched->gone = 1;
		watched_unref(watched);
	}
	(void)pthread_mutex_unlock(&notifiers->lock);
}
