/*
 * tell.c -- see tell.h.
 */
#include "core/flow/final/tell.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/flow/path.h"
#include "core/flow/put.h"

#include <stdlib.h>
#include <string.h>

enum { URL_ROOM = 2048, MOST_NOTIFIERS = 64 };

struct one {
	const struct plugin *plugin;
	void *self;
	struct metric *told, *refused, *retries;
};

struct tellers {
	const struct config *config;
	const struct manifest_store *store;
	struct one *items;
	size_t count;
};

static int
open_one(const struct tellers *tellers, struct one *one,
    const struct config_use *use, struct secor_err *err)
{
	const char *name = use->plugin->desc.name;
	const struct config_opening how = {
	    .allow_commands = tellers->config->allow_commands};

	one->plugin = use->plugin;
	one->told = metric_counter("secor_notifier_paths_told_total",
	    "Paths that a notifier has heard of, finalized or amended.",
	    METRIC_LABELS("notifier", name));
	one->refused = metric_counter("secor_notifier_paths_refused_total",
	    "Paths that a notifier refused for good.",
	    METRIC_LABELS("notifier", name));
	one->retries = metric_counter("secor_notifier_paths_retries_total",
	    "Paths that a notifier must be told of again.",
	    METRIC_LABELS("notifier", name));
	return config_open(use, &how, &one->self, err);
}

int
tellers_new(const struct config *config, const struct manifest_store *store,
    struct tellers **tellers, struct secor_err *err)
{
	struct tellers *made = mem_alloc(sizeof(*made));
	size_t count = config->notifiers.count;
	int rc = SECOR_OK;

	made->config = config;
	made->store = store;
	if (count > MOST_NOTIFIERS)
		rc = secor_fail(
		    err, SECOR_FATAL, "more than %d notifiers", MOST_NOTIFIERS);
	made->items = mem_alloc((count + 1) * sizeof(*made->items));
	for (size_t i = 0; rc == SECOR_OK && i < count; i++) {
		rc = open_one(
		    made, &made->items[i], &config->notifiers.items[i], err);
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
tellers_free(struct tellers *tellers)
{
	if (tellers == NULL)
		return;
	for (size_t i = 0; i < tellers->count; i++)
		if (tellers->items[i].self != NULL)
			tellers->items[i].plugin->ops.notifier->close(
			    tellers->items[i].self);
	free(tellers->items);
	free(tellers);
}

/* ---- to the store ---- */

static int
put_marker(const struct tellers *tellers, const struct config_finalize *how,
    const struct entry *entry, const struct tally *sum, struct secor_err *err)
{
	int whole = how->marker == CONFIG_MARKER_JSON;
	char *key = mem_text("%s/%s", entry->folder, how->marker_name);
	char *text = whole ? tally_marker(sum) : mem_text("%s", "");
	int rc = store_put_text(
	    tellers->store, key, text, whole ? "application/json" : NULL, err);

	free(text);
	free(key);
	return rc;
}

static int
put_tally(const struct tellers *tellers, const struct tally *sum,
    struct secor_err *err)
{
	char *key = tally_key(
	    tellers->store->prefix, sum->topic, sum->generation, sum->path);
	char *text = tally_write(sum);
	int rc =
	    store_put_text(tellers->store, key, text, "application/json", err);

	free(text);
	free(key);
	return rc;
}

/* ---- to the notifiers ---- */

struct event {
	struct secor_event_path path;
	struct secor_event_level *levels;
	struct secor_event_object *objects;
	struct secor_event_level **object_levels;
	char **urls;
	char url[URL_ROOM];
};

static void
fill_url(const struct tellers *tellers, const char *key, char url[URL_ROOM])
{
	url[0] = '\0';
	if (tellers->store->ops->url != NULL)
		tellers->store->ops->url(
		    tellers->store->self, key, url, URL_ROOM);
}

static void
fill_object(const struct tellers *tellers, const struct manifest_object *from,
    struct event *event, size_t i)
{
	struct secor_event_object *to = &event->objects[i];
	char url[URL_ROOM];

	fill_url(tellers, from->key, url);
	event->urls[i] = mem_dup(url, strlen(url));
	*to = (struct secor_event_object){.size = sizeof(*to),
	    .key = from->key,
	    .url = event->urls[i],
	    .path = from->path,
	    .records = from->records,
	    .bytes = from->bytes,
	    .first_offset = from->first_offset,
	    .last_offset = from->last_offset,
	    .crc32c = from->crc32c};
	to->level_count =
	    (uint32_t)path_split(from->path, &event->object_levels[i]);
	to->levels = event->object_levels[i];
}

static void
event_init(struct event *event, const struct tellers *tellers,
    const struct entry *entry, const struct tally *sum)
{
	size_t count = entry->fresh_count;

	memset(event, 0, sizeof(*event));
	event->objects = mem_alloc((count + 1) * sizeof(*event->objects));
	event->object_levels =
	    mem_alloc((count + 1) * sizeof(struct secor_event_level *));
	event->urls = mem_alloc((count + 1) * sizeof(char *));
	for (size_t i = 0; i < count; i++)
		fill_object(tellers, &entry->fresh[i]->object, event, i);
	fill_url(tellers, entry->folder, event->url);
	event->path = (struct secor_event_path){.size = sizeof(event->path),
	    .topic = sum->topic,
	    .path = sum->path,
	    .url = event->url,
	    .objects = event->objects,
	    .object_count = count,
	    .total_objects = sum->totals.objects,
	    .total_records = sum->totals.records,
	    .total_bytes = sum->totals.bytes,
	    .time_from = sum->span.from,
	    .time_until = sum->span.until};
	event->path.level_count =
	    (uint32_t)path_split(sum->path, &event->levels);
	event->path.levels = event->levels;
}

static void
event_fini(struct event *event)
{
	for (size_t i = 0; i < event->path.object_count; i++) {
		free(event->object_levels[i]);
		free(event->urls[i]);
	}
	free(event->objects);
	free(event->object_levels);
	free(event->urls);
	free(event->levels);
}

static int
tell_one(const struct one *one, const struct event *event, int amended,
    struct secor_err *err)
{
	const struct secor_notifier_ops *ops = one->plugin->ops.notifier;
	struct secor_err why = {{0}};
	char quoted[1200];
	int rc = SECOR_OK;

	if (amended && ops->path_amended != NULL)
		rc = ops->path_amended(one->self, &event->path, &why);
	else if (!amended && ops->path_finalized != NULL)
		rc = ops->path_finalized(one->self, &event->path, &why);
	if (rc == SECOR_OK) {
		metric_add(one->told, 1);
		return SECOR_OK;
	}
	if (rc == SECOR_REJECT) {
		metric_add(one->refused, 1);
		log_line(SECOR_ERROR, "notifier refuses a path",
		    "notifier=%s topic=%s path=%s error=%s",
		    one->plugin->desc.name, event->path.topic, event->path.path,
		    log_quote(quoted, sizeof(quoted), why.text));
		return SECOR_OK;
	}
	metric_add(one->retries, 1);
	return secor_fail(err, SECOR_RETRY, "notifier %s: %s",
	    one->plugin->desc.name, why.text);
}

/* Everyone who has not heard it yet, also after one has failed. */
static int
tell_all(const struct tellers *tellers, struct entry *entry,
    const struct tally *sum, struct secor_err *err)
{
	int amended = entry->state == ENTRY_SETTLED;
	struct event event;
	int rc = SECOR_OK;

	if (entry->heard_count != entry->fresh_count)
		entry->heard = 0;
	entry->heard_count = entry->fresh_count;
	event_init(&event, tellers, entry, sum);
	for (size_t i = 0; i < tellers->count; i++) {
		if ((entry->heard >> i & 1) != 0)
			continue;
		if (tell_one(&tellers->items[i], &event, amended, err) ==
		    SECOR_OK)
			entry->heard |= UINT64_C(1) << i;
		else
			rc = SECOR_RETRY;
	}
	event_fini(&event);
	return rc;
}

int
tell_path(struct tellers *tellers, const struct config_finalize *how,
    struct entry *entry, struct tally *sum, struct secor_err *err)
{
	int rc;

	sum->written_ms = clock_now_ms();
	rc = put_marker(tellers, how, entry, sum, err);
	if (rc == SECOR_OK)
		rc = tell_all(tellers, entry, sum, err);
	if (rc == SECOR_OK)
		rc = put_tally(tellers, sum, err);
	return rc;
}
