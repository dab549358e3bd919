/*
 * event_json.c -- see event_json.h.
 */
#include "plugins/common/event_json.h"

#include "plugins/common/event_objects.h"

#include <inttypes.h>
#include <string.h>

static void
add_member(struct text *text, const char *key, const char *value)
{
	text_addf(text, "\"%s\":", key);
	text_add_json(text, value);
	text_adds(text, ",");
}

static void
add_levels(
    struct text *text, const struct secor_event_level *levels, uint32_t count)
{
	text_adds(text, "\"levels\":[");
	for (uint32_t i = 0; i < count; i++) {
		text_adds(text, i == 0 ? "{" : ",{");
		add_member(text, "name", levels[i].name);
		text_adds(text, "\"value\":");
		text_add_json(text, levels[i].value);
		text_adds(text, "}");
	}
	text_adds(text, "],");
}

/* The members, and the brace behind them. */
static void
add_object(struct text *text, const struct secor_event_object *object)
{
	add_member(text, "path", object->path);
	add_levels(text, object->levels, object->level_count);
	add_member(text, "key", object->key);
	add_member(text, "url", object->url);
	text_addf(text,
	    "\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"first_offset\":%" PRId64 ",\"last_offset\":%" PRId64
	    ",\"crc32c\":\"%08" PRIx32 "\"}",
	    object->records, object->bytes, object->first_offset,
	    object->last_offset, object->crc32c);
}

static void
add_objects(
    struct text *text, const struct secor_event_object *object, size_t count)
{
	text_adds(text, "\"objects\":[");
	for (size_t i = 0; i < count; i++) {
		text_adds(text, i > 0 ? ",{" : "{");
		add_object(text, object);
		object = event_objects_next(object);
	}
	text_adds(text, "]}");
}

void
event_batch_id(struct text *text, const struct secor_event_batch *batch)
{
	text_addf(text, "%s/%" PRId32 "/%" PRId64 "-%" PRId64, batch->topic,
	    batch->partition, batch->start, batch->end);
}

void
event_path_id(
    struct text *text, const char *event, const struct secor_event_path *path)
{
	text_addf(text, "%s/%s", path->topic, path->path);
	if (strcmp(event, "path_amended") == 0 && path->size >= sizeof(*path))
		text_addf(text, "#%" PRIu64, path->total_objects);
}

/* What every event begins with. */
static void
add_head(struct text *text, const char *event, const struct text *id,
    const char *topic, int64_t sent_ms)
{
	text_adds(text, "{");
	add_member(text, "event", event);
	add_member(text, "id", id->ptr);
	text_addf(text, "\"sent_ms\":%" PRId64 ",", sent_ms);
	add_member(text, "topic", topic);
	text->failed |= id->failed;
}

void
event_object_json(struct text *text, const struct secor_event_batch *batch,
    const struct secor_event_object *object, int64_t sent_ms)
{
	struct text id = {0};

	text_addf(&id, "%s/%s", batch->topic, object->key);
	add_head(text, "object_stored", &id, batch->topic, sent_ms);
	text_addf(text,
	    "\"partition\":%" PRId32 ",\"start\":%" PRId64 ",\"end\":%" PRId64
	    ",",
	    batch->partition, batch->start, batch->end);
	add_object(text, object);
	text_fini(&id);
}

void
event_batch_json(
    struct text *text, const struct secor_event_batch *batch, int64_t sent_ms)
{
	struct text id = {0};

	event_batch_id(&id, batch);
	add_head(text, "batch_done", &id, batch->topic, sent_ms);
	text_addf(text,
	    "\"partition\":%" PRId32 ",\"start\":%" PRId64 ",\"end\":%" PRId64
	    ",\"messages\":%" PRIu64 ",\"filtered\":%" PRIu64
	    ",\"bad\":%" PRIu64 ",",
	    batch->partition, batch->start, batch->end, batch->messages,
	    batch->filtered, batch->bad);
	add_member(text, "manifest_key", batch->manifest_key);
	add_objects(text, batch->objects, batch->object_count);
	text_fini(&id);
}

void
event_path_json(struct text *text, const char *event,
    const struct secor_event_path *path, int64_t sent_ms)
{
	struct text id = {0};

	event_path_id(&id, event, path);
	add_head(text, event, &id, path->topic, sent_ms);
	add_member(text, "path", path->path);
	add_levels(text, path->levels, path->level_count);
	add_member(text, "url", path->url);
	if (path->size >= sizeof(*path))
		text_addf(text,
		    "\"time_from_ms\":%" PRId64 ",\"time_until_ms\":%" PRId64
		    ",\"total_objects\":%" PRIu64 ",\"total_records\":%" PRIu64
		    ",\"total_bytes\":%" PRIu64 ",",
		    path->time_from, path->time_until, path->total_objects,
		    path->total_records, path->total_bytes);
	add_objects(text, path->objects, path->object_count);
	text_fini(&id);
}
