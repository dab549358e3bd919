/*
 * event.c -- see event.h.
 */
#include "core/flow/final/event.h"

#include "core/base/buf.h"
#include "core/flow/path.h"

#include <secor/notifier.h>
#include <stdlib.h>
#include <string.h>

enum { URL_ROOM = 2048 };

static char *
url_of(const struct manifest_store *store, const char *key)
{
	char url[URL_ROOM] = "";

	if (store->ops->url != NULL)
		store->ops->url(store->self, key, url, sizeof(url));
	return mem_dup(url, strlen(url));
}

static void
fill_object(const struct manifest_store *store,
    const struct manifest_object *from, struct secor_event_object *to)
{
	struct secor_event_level *levels;

	*to = (struct secor_event_object){.size = sizeof(*to),
	    .key = from->key,
	    .url = url_of(store, from->key),
	    .path = from->path,
	    .records = from->records,
	    .bytes = from->bytes,
	    .first_offset = from->first_offset,
	    .last_offset = from->last_offset,
	    .crc32c = from->crc32c};
	to->level_count = (uint32_t)path_split(from->path, &levels);
	to->levels = levels;
}

struct path_event *
path_event_new(const struct manifest_store *store, const struct entry *entry,
    size_t count, const struct tally *sum)
{
	struct path_event *event = mem_alloc(sizeof(*event));
	struct secor_event_object *objects =
	    mem_alloc((count + 1) * sizeof(*objects));
	struct secor_event_level *levels;

	event->kept = mem_alloc((count + 1) * sizeof(struct ledger_object *));
	for (size_t i = 0; i < count; i++) {
		event->kept[i] = ledger_object_ref(entry->fresh[i]);
		fill_object(store, &entry->fresh[i]->object, &objects[i]);
	}
	event->url = url_of(store, entry->folder);
	event->path = (struct secor_event_path){.size = sizeof(event->path),
	    .topic = sum->topic,
	    .path = sum->path,
	    .url = event->url,
	    .objects = objects,
	    .object_count = count,
	    .total_objects = sum->totals.objects,
	    .total_records = sum->totals.records,
	    .total_bytes = sum->totals.bytes,
	    .time_from = sum->span.from,
	    .time_until = sum->span.until};
	event->path.level_count = (uint32_t)path_split(sum->path, &levels);
	event->path.levels = levels;
	return event;
}

/* What was made here is const for those who read it. */
static void
drop(const void *made)
{
	free((void *)(uintptr_t)made);
}

void
path_event_free(struct path_event *event)
{
	if (event == NULL)
		return;
	for (size_t i = 0; i < event->path.object_count; i++) {
		drop(event->path.objects[i].levels);
		drop(event->path.objects[i].url);
		ledger_object_unref(event->kept[i]);
	}
	drop(event->path.objects);
	drop(event->path.levels);
	free(event->kept);
	free(event->url);
	free(event);
}
