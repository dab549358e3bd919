/*
 * tell.c -- the messages of an event: where they go, their keys, and in how
 * many parts.
 */
#include "plugins/common/event_json.h"
#include "plugins/common/event_objects.h"
#include "plugins/notifier/kafka/kafka.h"

#include <stdlib.h>
#include <string.h>

/* ---- topics and keys ---- */

/* Where events about this topic go. */
static int
name_topic(const struct kafka *kafka, const char *about,
    char name[KAFKA_LONGEST_TOPIC + 1], struct secor_err *err)
{
	const char *at = kafka->conf->topic, *hole;
	struct text text = {0};
	int rc = SECOR_OK;

	while ((hole = strstr(at, KAFKA_TOPIC)) != NULL) {
		text_add(&text, at, (size_t)(hole - at));
		text_adds(&text, about);
		at = hole + sizeof(KAFKA_TOPIC) - 1;
	}
	text_adds(&text, at);
	if (text.failed)
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	else if (text.len > KAFKA_LONGEST_TOPIC)
		rc = secor_fail(err, SECOR_REJECT,
		    "%.260s is no name of a topic: longer than 249 bytes",
		    text.ptr);
	else
		memcpy(name, text.ptr, text.len + 1);
	text_fini(&text);
	return rc;
}

/* The event as one text says it; `path` NULL: it is about a partition. */
static void
add_key(const struct kafka *kafka, const char *topic, const char *path,
    int32_t partition, struct text *key)
{
	if (kafka->conf->key == KAFKA_BY_NONE)
		return;
	if (path != NULL &&
	    (kafka->conf->key == KAFKA_BY_PATH || partition < 0))
		text_addf(key, "%s/%s", topic, path);
	else
		text_addf(key, "%s/%d", topic, (int)partition);
}

/* ---- messages ---- */

/* What all messages of an event share. */
struct told {
	struct kafka *kafka;
	const struct event_said *said;
	const char *topic; /* where they go */
	size_t messages;
};

/* Takes the key and the value. */
static int
put(struct told *told, const char *event, struct text *key, struct text *value,
    struct secor_err *err)
{
	const struct message message = {.topic = told->topic,
	    .key = key->ptr,
	    .event = event,
	    .value = value};
	int rc = key->failed || value->failed
		     ? secor_fail(err, SECOR_RETRY, "out of memory")
		     : producer_put(told->kafka->producer, &message, err);

	text_fini(key);
	text_fini(value);
	told->messages++;
	return rc;
}

static int
put_objects(struct told *told, struct secor_err *err)
{
	const struct secor_event_batch *batch = told->said->batch;
	const struct secor_event_object *object = batch->objects;
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < batch->object_count; i++) {
		struct text key = {0}, value = {0};

		add_key(told->kafka, batch->topic, object->path,
		    batch->partition, &key);
		event_object_json(&value, batch, object, told->said->sent_ms);
		rc = put(told, "object_stored", &key, &value, err);
		object = event_objects_next(object);
	}
	return rc;
}

/* A share of the objects of an event. */
struct share {
	size_t first, count; /* in objects */
	size_t part, parts;  /* from 1 on */
};

static const void *
object_at(const struct secor_event_object *objects, size_t i)
{
	const char *at = (const char *)objects;

	while (i-- > 0)
		at +=
		    ((const struct secor_event_object *)(const void *)at)->size;
	return at;
}

/* The event with no objects but these. */
static void
add_share(struct text *value, const struct event_said *said,
    const struct share *share)
{
	struct event_said some = *said;
	struct secor_event_batch batch = {.size = 0};
	struct secor_event_path path = {.size = 0};

	if (said->batch != NULL) {
		batch = *said->batch;
		batch.objects = object_at(batch.objects, share->first);
		batch.object_count = share->count;
		some.batch = &batch;
	} else {
		size_t known = said->path->size < sizeof(path)
				   ? said->path->size
				   : sizeof(path);

		memcpy(&path, said->path, known);
		path.objects = object_at(path.objects, share->first);
		path.object_count = share->count;
		some.path = &path;
	}
	event_said_json(value, &some);
	if (share->parts == 1 || value->failed)
		return;
	value->len--; /* the last brace */
	text_addf(
	    value, ",\"part\":%zu,\"parts\":%zu}", share->part, share->parts);
}

static int
put_share(struct told *told, const struct share *share, struct secor_err *err)
{
	const struct event_said *said = told->said;
	struct text key = {0}, value = {0};

	if (said->batch != NULL)
		add_key(told->kafka, said->batch->topic, NULL,
		    said->batch->partition, &key);
	else
		add_key(
		    told->kafka, said->path->topic, said->path->path, -1, &key);
	add_share(&value, said, share);
	return put(told, event_name(said->event), &key, &value, err);
}

static struct share
share_of(size_t count, size_t part, size_t parts)
{
	size_t first = count * part / parts;

	return (struct share){.first = first,
	    .count = count * (part + 1) / parts - first,
	    .part = part + 1,
	    .parts = parts};
}

/* Whether no share of several objects is larger than that. */
static int
fits(const struct event_said *said, size_t count, size_t parts, size_t room)
{
	int all = 1;

	for (size_t i = 0; all && i < parts; i++) {
		const struct share share = share_of(count, i, parts);
		struct text value = {0};

		if (share.count < 2)
			continue;
		add_share(&value, said, &share);
		all = value.failed || value.len <= room;
		text_fini(&value);
	}
	return all;
}

/* How many parts an event of so many objects needs, so that none is larger than
 * `room`, if it has more than one. */
static size_t
parts_of(const struct event_said *said, size_t count, size_t room)
{
	struct text whole = {0};
	size_t parts;

	event_said_json(&whole, said);
	parts = whole.len <= room ? 1 : 2 * (whole.len / room + 1);
	text_fini(&whole);
	/* objects differ in size, and large ones may lie side by side */
	while (parts > 1 && parts < count && !fits(said, count, parts, room))
		parts *= 2;
	return parts > count ? count : parts;
}

static int
put_whole(struct told *told, struct secor_err *err)
{
	const struct event_said *said = told->said;
	size_t count = said->batch != NULL ? said->batch->object_count
					   : said->path->object_count;
	size_t parts =
	    parts_of(said, count, producer_room(told->kafka->producer));
	int rc = SECOR_OK;

	if (parts == 0)
		parts = 1;
	for (size_t i = 0; rc == SECOR_OK && i < parts; i++) {
		const struct share share = share_of(count, i, parts);

		rc = put_share(told, &share, err);
	}
	return rc;
}

/* ---- events ---- */

static int
tell_once(struct told *told, struct secor_err *err)
{
	unsigned events = told->kafka->events;
	int rc = SECOR_OK;

	told->messages = 0;
	if (told->said->batch != NULL && (events & KAFKA_TELL_OBJECT) != 0)
		rc = put_objects(told, err);
	if (rc == SECOR_OK &&
	    (events & (told->said->batch != NULL ? KAFKA_TELL_BATCH
						 : KAFKA_TELL_PATH)) != 0)
		rc = put_whole(told, err);
	if (rc == SECOR_OK && told->messages > 0)
		rc = producer_end(told->kafka->producer, err);
	return rc;
}

int
kafka_tell(struct kafka *kafka, struct event_said *said, struct secor_err *err)
{
	const char *about =
	    said->batch != NULL ? said->batch->topic : said->path->topic;
	char topic[KAFKA_LONGEST_TOPIC + 1];
	struct told told = {.kafka = kafka, .said = said, .topic = topic};
	int rc;

	if ((kafka->events &
		(said->batch != NULL ? KAFKA_TELL_OBJECT | KAFKA_TELL_BATCH
				     : KAFKA_TELL_PATH)) == 0)
		return SECOR_OK;
	rc = name_topic(kafka, about, topic, err);
	if (rc != SECOR_OK)
		return rc;
	said->sent_ms = kafka->host->now_ms(kafka->host);
	do {
		rc = tell_once(&told, err);
	} while (rc == SECOR_RETRY && producer_wants_less(kafka->producer));
	if (rc == SECOR_OK)
		kafka->host->add(kafka->written, (int64_t)told.messages);
	return rc;
}
