/*
 * notify_tell.c -- one notifier's thread: tells batches from its queue, reads
 * what was left out from the manifests, repeats what may work later.
 */
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/notify_impl.h"
#include "core/flow/path.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { URL_ROOM = 2048, LISTED_AT_ONCE = 1000 };

int64_t
notify_backoff_ms(int tries, unsigned random)
{
	int64_t whole = tries >= 6 ? 60000 : INT64_C(1000) << tries;

	return whole / 2 + (int64_t)(random % (unsigned)(whole / 2 + 1));
}

/* Waits for the back-off, less when the process stops. */
static void
back_off(struct teller *teller)
{
	struct notifiers *all = teller->all;
	int64_t ms =
	    notify_backoff_ms(teller->tries++, (unsigned)rand_r(&teller->seed));
	struct timespec until = clock_after(ms);

	metric_add(teller->retries, 1);
	(void)pthread_mutex_lock(&all->lock);
	while (!atomic_load(&all->stopping))
		if (pthread_cond_timedwait(&all->stop, &all->lock, &until) ==
		    ETIMEDOUT)
			break;
	(void)pthread_mutex_unlock(&all->lock);
}

static int
stopped(struct teller *teller, const struct watched *watched)
{
	int gone;

	(void)pthread_mutex_lock(&teller->all->lock);
	gone = watched->gone;
	(void)pthread_mutex_unlock(&teller->all->lock);
	return gone || atomic_load(&teller->all->stopping);
}

/* One line when it stops working, one when it works again. */
static void
note_state(struct teller *teller, int status, const char *why)
{
	const char *name = teller->plugin->desc.name;
	int failing = status == SECOR_RETRY || status == SECOR_FATAL;
	char text[1200];

	if (failing && !teller->failing)
		log_line(status == SECOR_FATAL ? SECOR_ERROR : SECOR_WARN,
		    "notifier fails", "notifier=%s error=%s", name,
		    log_quote(text, sizeof(text), why));
	if (!failing && teller->failing)
		log_line(SECOR_INFO, "notifier works again",
		    "notifier=%s tries=%d", name, teller->tries);
	if (!failing)
		teller->tries = 0;
	teller->failing = failing;
}

/* ---- events ---- */

struct event {
	struct secor_event_batch batch;
	struct secor_event_object *objects;
	struct secor_event_level **levels;
	char **urls;
	char *key;
};

static void
fill_object(struct teller *teller, const struct manifest_object *from,
    struct event *event, size_t i)
{
	const struct secor_store_ops *ops =
	    teller->all->config->store.plugin->ops.store;
	struct secor_event_object *to = &event->objects[i];
	char url[URL_ROOM] = "";

	to->size = sizeof(*to);
	to->level_count = (uint32_t)path_split(from->path, &event->levels[i]);
	to->levels = event->levels[i];
	to->key = from->key;
	if (ops->url != NULL)
		ops->url(teller->store, from->key, url, sizeof(url));
	event->urls[i] = mem_dup(url, strlen(url));
	to->url = event->urls[i];
	to->path = from->path;
	to->records = from->records;
	to->bytes = from->bytes;
	to->first_offset = from->first_offset;
	to->last_offset = from->last_offset;
	to->crc32c = from->crc32c;
}

static void
event_init(
    struct event *event, struct teller *teller, const struct manifest *from)
{
	struct secor_event_batch *batch = &event->batch;
	size_t count = 0;

	event->objects =
	    mem_alloc(from->object_count * sizeof(*event->objects));
	event->levels = mem_alloc(from->object_count * sizeof(*event->levels));
	event->urls = mem_alloc(from->object_count * sizeof(*event->urls));
	event->key = manifest_key(teller->all->config->layout.manifest_prefix,
	    from->topic, from->partition, from->generation, from->start);
	for (size_t i = 0; i < from->object_count; i++)
		if (!from->objects[i].dead_letter)
			fill_object(teller, &from->objects[i], event, count++);
	batch->size = sizeof(*batch);
	batch->partition = from->partition;
	batch->topic = from->topic;
	batch->start = from->start;
	batch->end = from->end;
	batch->messages = from->messages;
	batch->filtered = from->filtered;
	batch->bad = from->bad;
	batch->objects = event->objects;
	batch->object_count = count;
	batch->manifest_key = event->key;
}

static void
event_fini(struct event *event)
{
	for (size_t i = 0; i < event->batch.object_count; i++) {
		free(event->levels[i]);
		free(event->urls[i]);
	}
	free(event->objects);
	free(event->levels);
	free(event->urls);
	free(event->key);
}

static void
note_answer(struct teller *teller, const struct manifest *manifest, int status,
    const char *why)
{
	char text[1200];

	note_state(teller, status, why);
	if (status == SECOR_OK)
		metric_add(teller->told, 1);
	if (status != SECOR_REJECT)
		return;
	metric_add(teller->refused, 1);
	log_line(SECOR_ERROR, "notifier refuses a batch",
	    "notifier=%s topic=%s partition=%" PRId32 " start=%" PRId64
	    " end=%" PRId64 " error=%s",
	    teller->plugin->desc.name, manifest->topic, manifest->partition,
	    manifest->start, manifest->end, log_quote(text, sizeof(text), why));
}

/* Until it is heard or refused. Returns 0 when told to stop before that. */
static int
tell(struct teller *teller, struct watched *watched,
    const struct manifest *manifest)
{
	const struct secor_notifier_ops *ops = teller->plugin->ops.notifier;
	struct event event = {0};
	int status = ops->batch_done == NULL ? SECOR_OK : SECOR_RETRY;

	event_init(&event, teller, manifest);
	while (status == SECOR_RETRY || status == SECOR_FATAL) {
		struct secor_err err = {{0}};

		if (stopped(teller, watched))
			break;
		atomic_store(&teller->telling, 1);
		status = ops->batch_done(teller->self, &event.batch, &err);
		atomic_store(&teller->telling, 0);
		note_answer(teller, manifest, status, err.text);
		if (status == SECOR_RETRY || status == SECOR_FATAL)
			back_off(teller);
	}
	event_fini(&event);
	if (status == SECOR_RETRY || status == SECOR_FATAL)
		return 0;
	(void)pthread_mutex_lock(&teller->all->lock);
	watched_heard(teller->all, watched, teller->index, manifest->end);
	(void)pthread_mutex_unlock(&teller->all->lock);
	return 1;
}

/* ---- catching up ---- */

struct listed {
	size_t folder; /* bytes of a key before its name */
	char **keys;
	size_t count;
	int64_t until;
};

static int
list_one(void *arg, const char *key, uint64_t length)
{
	struct listed *listed = arg;
	int64_t generation, start;

	(void)length;
	if (!manifest_parse_name(key + listed->folder, &generation, &start))
		return 0;
	if (start >= listed->until)
		return 1;
	listed->keys[listed->count++] = mem_dup(key, strlen(key));
	return listed->count == LISTED_AT_ONCE;
}

static void
listed_clear(struct listed *listed)
{
	for (size_t i = 0; i < listed->count; i++)
		free(listed->keys[i]);
	listed->count = 0;
}

/* The next manifests of the running generation in [from, listed->until). */
static int
list(struct teller *teller, const struct watched *watched, int64_t from,
    struct listed *listed, struct secor_err *err)
{
	const struct config_layout *layout = &teller->all->config->layout;
	const struct secor_store_ops *ops =
	    teller->all->config->store.plugin->ops.store;
	char *folder = manifest_folder(
	    layout->manifest_prefix, watched->topic, watched->partition);
	char *prefix = mem_text("%s%" PRId64 "_", folder, layout->generation);
	char *after =
	    from == 0 ? NULL
		      : manifest_key(layout->manifest_prefix, watched->topic,
			    watched->partition, layout->generation, from - 1);
	int rc;

	listed_clear(listed);
	listed->folder = strlen(folder);
	rc = ops->list(teller->store, prefix, after, list_one, listed, err);
	free(after);
	free(prefix);
	free(folder);
	return rc;
}

/* Reads and tells one. *from becomes its end. SECOR_RETRY: the store. */
static int
tell_stored(struct teller *teller, struct watched *watched, const char *key,
    int64_t *from)
{
	struct manifest *manifest = NULL;
	struct secor_err err = {{0}};
	char text[1200];
	int rc = manifest_get(teller->all->config->store.plugin->ops.store,
	    teller->store, key, &manifest, &err);

	if (rc == SECOR_REJECT) {
		log_line(SECOR_ERROR, "manifest cannot be read",
		    "notifier=%s error=%s", teller->plugin->desc.name,
		    log_quote(text, sizeof(text), err.text));
		return SECOR_OK;
	}
	if (rc != SECOR_OK) {
		note_state(teller, SECOR_RETRY, err.text);
		return SECOR_RETRY;
	}
	if (!tell(teller, watched, manifest))
		rc = SECOR_RETRY;
	else if (manifest->end > *from)
		*from = manifest->end;
	manifest_free(manifest);
	return rc;
}

/* One round; 1: all is told, 0: come again. */
static int
catch_up_once(struct teller *teller, struct watched *watched,
    struct listed *listed, int64_t *from)
{
	struct secor_err err = {{0}};

	if (list(teller, watched, *from, listed, &err) != SECOR_OK) {
		note_state(teller, SECOR_RETRY, err.text);
		back_off(teller);
		return 0;
	}
	for (size_t i = 0; i < listed->count; i++) {
		int64_t generation, start;

		if (tell_stored(teller, watched, listed->keys[i], from) !=
		    SECOR_OK) {
			if (!stopped(teller, watched))
				back_off(teller);
			return 0;
		}
		/* also behind one that could not be read */
		(void)manifest_parse_key(listed->keys[i], &generation, &start);
		if (start + 1 > *from)
			*from = start + 1;
	}
	return listed->count < LISTED_AT_ONCE;
}

/* Tells what the store has in [position, until). */
static void
catch_up(struct teller *teller, struct watched *watched, int64_t until)
{
	struct listed listed = {.until = until};
	int64_t from;
	int whole = 0;

	(void)pthread_mutex_lock(&teller->all->lock);
	from = watched->heard_by[teller->index];
	(void)pthread_mutex_unlock(&teller->all->lock);
	listed.keys = mem_alloc(LISTED_AT_ONCE * sizeof(*listed.keys));
	while (!whole && from < until && !stopped(teller, watched))
		whole = catch_up_once(teller, watched, &listed, &from);
	if (whole || from >= until) {
		(void)pthread_mutex_lock(&teller->all->lock);
		watched_heard(teller->all, watched, teller->index, until);
		(void)pthread_mutex_unlock(&teller->all->lock);
	}
	listed_clear(&listed);
	free(listed.keys);
}

/* ---- the thread ---- */

static void
take_batch(struct teller *teller, struct batch *batch)
{
	struct notifiers *all = teller->all;
	struct watched *watched = batch->watched;
	int64_t position;

	(void)pthread_mutex_lock(&all->lock);
	teller->queued_objects -= batch->manifest->object_count;
	position = watched->heard_by[teller->index];
	(void)pthread_mutex_unlock(&all->lock);
	if (position < batch->follows)
		catch_up(teller, watched, batch->manifest->start);
	if (position < batch->manifest->end && !stopped(teller, watched))
		(void)tell(teller, watched, batch->manifest);
	(void)pthread_mutex_lock(&all->lock);
	batch_unref(batch);
	(void)pthread_mutex_unlock(&all->lock);
}

/* A partition of which something was left out while the queue is empty; its
 * caller gives it back. */
static struct watched *
left_out(struct teller *teller, int64_t *until)
{
	struct notifiers *all = teller->all;
	struct watched *watched = NULL;

	(void)pthread_mutex_lock(&all->lock);
	if (queue_length(teller->queue) == 0)
		for (watched = all->watched; watched != NULL;
		     watched = watched->next)
			if (watched->heard_by[teller->index] < watched->until)
				break;
	if (watched != NULL) {
		watched->refs++;
		*until = watched->until;
	}
	(void)pthread_mutex_unlock(&all->lock);
	return watched;
}

void *
teller_run(void *arg)
{
	struct teller *teller = arg;
	struct notifiers *all = teller->all;
	struct watched *watched;
	struct item *item;
	int64_t until;

	while ((item = (struct item *)queue_get(teller->queue, -1)) != NULL) {
		if (item->batch != NULL)
			take_batch(teller, item->batch);
		free(item);
		while (!atomic_load(&all->stopping) &&
		       (watched = left_out(teller, &until)) != NULL) {
			catch_up(teller, watched, until);
			(void)pthread_mutex_lock(&all->lock);
			watched_unref(watched);
			(void)pthread_mutex_unlock(&all->lock);
		}
	}
	return NULL;
}
