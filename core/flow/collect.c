/*
 * collect.c -- one message into the batch that collects. Thread: consumer.
 *
 * Invariant: what a message does to a batch (path, bytes, hashes, counts) is a
 * function of the record at S, the messages from S to it and the configuration,
 * so a replay of [S, E) makes the same objects.
 */
#include "core/base/hash.h"
#include "core/flow/crash.h"
#include "core/flow/fetch/batches.h"
#include "core/flow/flow.h"

#include <string.h>

enum { ROOM_MIN = 4096, ROOM_MAX = POOL_WHOLE, CUT_AT = 4096 };

/* How large an object's buffer may get now: many open objects, small ones. */
static size_t
room_limit(const struct engine *engine)
{
	int64_t open = metric_get(engine->metrics.open_objects);
	int64_t share = pool_budget(engine->pool) / 4 / (open < 1 ? 1 : open);

	if (share > ROOM_MAX)
		return ROOM_MAX;
	return share < ROOM_MIN ? ROOM_MIN : (size_t)share;
}

/* How much of a stream is handed on: multiples of 4 KiB (format.h), and up to a
 * multiple of ROOM_MAX of all when it is that much: file systems have less work
 * with large pieces that lie where large pieces may lie. */
static size_t
cut(const struct object *object)
{
	size_t whole = object->buf->len / CUT_AT * CUT_AT;
	size_t past = (size_t)((object->handed_on + whole) % ROOM_MAX);

	return whole >= ROOM_MAX && past < whole ? whole - past : whole;
}

/* Hands full bytes to the writer, keeps the rest, finds room for `need` more.
 * Packed records are not cut. */
static void
make_room(struct object *object, size_t need)
{
	struct batch *batch = object->batch;
	struct engine *engine = batch->part->engine;
	struct block *old = object->buf, *fresh;
	size_t size = ROOM_MIN, whole, tail;
	int records = object->path != NULL && batch->lane->encoder == NULL;

	if (old == NULL) {
		object->buf = pool_get(engine->pool, need > size ? need : size);
		batch->held_bytes += (int64_t)object->buf->room;
		return;
	}
	whole = records ? old->len : cut(object);
	tail = old->len - whole;
	size = old->room * 4;
	if (size > room_limit(engine))
		size = room_limit(engine);
	if (size < tail + need)
		size = tail + need;
	fresh = pool_get(engine->pool, size);
	memcpy(fresh->data, old->data + whole, tail);
	fresh->len = tail;
	batch->held_bytes += (int64_t)fresh->room - (int64_t)old->room;
	object->buf = fresh;
	old->len = whole;
	object->handed_on += whole;
	if (whole > 0)
		staged_append(object->staged, old);
	else
		pool_put(old);
}

static int
encode_one(const struct batch *batch, const struct object *object,
    const struct secor_record *record, size_t *used, struct secor_err *err)
{
	struct block *buf = object->buf;
	size_t room = buf->room - buf->len;
	char *dst = buf->data + buf->len;

	if (object->path == NULL)
		return deadletter_format.plugin->ops.format->encode(
		    NULL, record, dst, room, used, err);
	if (batch->lane->encoder != NULL)
		return batch->lane->format->encode(
		    batch->lane->encoder, record, dst, room, used, err);
	pack_record(record, batch->lane->traits.looks_at, dst, room, used);
	return SECOR_OK;
}

/* Appends the record to the object. SECOR_REJECT: the format cannot hold it. */
static int
encode(struct object *object, const struct secor_record *record,
    struct secor_err *err)
{
	size_t used = 0;
	int rc;

	if (object->buf == NULL)
		make_room(object, 0);
	for (int pass = 0;; pass++) {
		struct block *buf = object->buf;

		rc = encode_one(object->batch, object, record, &used, err);
		if (rc != SECOR_OK)
			return rc;
		if (used <= buf->room - buf->len) {
			buf->len += used;
			object->batch->encoded += (int64_t)used;
			return SECOR_OK;
		}
		if (pass == 2)
			return secor_fail(err, SECOR_REJECT,
			    "format: asks for %zu bytes again and again", used);
		make_room(object, used);
	}
}

static void
count_in(struct object *object, int64_t offset)
{
	if (object->first < 0)
		object->first = offset;
	object->last = offset;
	object->records++;
	object->offsets_hash += hash64(&offset, sizeof(offset));
}

/* Room for `count` headers. */
static void
header_room(struct engine *engine, size_t count)
{
	if (count <= engine->header_room)
		return;
	engine->header_room = 2 * count;
	engine->headers = mem_grow(
	    engine->headers, engine->header_room * sizeof(*engine->headers));
}

static int32_t
headers_of_librdkafka(struct engine *engine, const rd_kafka_message_t *rkm)
{
	rd_kafka_headers_t *list;
	const char *name;
	const void *value;
	size_t len, count, n = 0;
	rd_kafka_resp_err_t rc = rd_kafka_message_headers(rkm, &list);

	if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
		return rc == RD_KAFKA_RESP_ERR__NOENT ? 0 : -1;
	count = rd_kafka_header_cnt(list);
	header_room(engine, count);
	while (n < count && rd_kafka_header_get_all(list, n, &name, &value,
				&len) == RD_KAFKA_RESP_ERR_NO_ERROR) {
		engine->headers[n].name = name;
		engine->headers[n].value.ptr = value;
		engine->headers[n].value.len = len;
		n++;
	}
	return (int32_t)n;
}

static int32_t
headers_of_record(struct engine *engine, const struct message *message)
{
	header_room(engine, (size_t)message->header_count);
	engine->header_names.len = 0;
	return message_headers(message, engine->headers, &engine->header_names);
}

/* Only where somebody looks. Returns 0 when they are damaged. */
static int
fill_headers(struct engine *engine, struct message *message)
{
	int32_t n = message->rkm != NULL
			? headers_of_librdkafka(engine, message->rkm)
			: headers_of_record(engine, message);

	message->raw.headers = engine->headers;
	message->raw.header_count = n < 0 ? 0 : n;
	return n >= 0;
}

/* Of offset, timestamp and its type, key, value (null is not empty), headers
 * where a plugin asked for them. Summed over a batch: i of the plan. */
static uint64_t
input_hash(const struct secor_message *message)
{
	int64_t words[7] = {message->offset, message->timestamp_ms,
	    message->timestamp_type, -1, -1, -1, -1};
	uint64_t h = 0;

	if (message->value.ptr != NULL) {
		words[3] = (int64_t)message->value.len;
		words[4] =
		    (int64_t)hash64(message->value.ptr, message->value.len);
	}
	if (message->key.ptr != NULL) {
		words[5] = (int64_t)message->key.len;
		words[6] = (int64_t)hash64(message->key.ptr, message->key.len);
	}
	h = hash64(words, sizeof(words));
	for (int32_t i = 0; i < message->header_count; i++) {
		const struct secor_header *header = &message->headers[i];

		h = hash64_add_text(h, header->name);
		h = header->value.ptr == NULL
			? hash64_add_int(h, -1)
			: hash64_add(h, header->value.ptr, header->value.len);
	}
	return h;
}

/* Whether bad messages are too many here; never in a replay, whose end is
 * fixed. */
static int
over_ratio(struct part *part, int bad)
{
	const struct config_bad_messages *conf = &part->lane->topic->bad;

	part->recent += 1;
	part->recent_bad += bad;
	if (part->recent > (double)conf->window) {
		part->recent /= 2;
		part->recent_bad /= 2;
	}
	return bad && part->recent >= 100 && conf->halt_above < 1 &&
	       part->recent_bad > conf->halt_above * part->recent;
}

static enum collected
take_bad(
    struct batch *batch, struct message *message, const struct routed *routed)
{
	struct part *part = batch->part;
	const struct config_bad_messages *conf = &batch->lane->topic->bad;
	struct secor_bytes fields[2] = {
	    {routed->err.text, strlen(routed->err.text)},
	    {routed->plugin, strlen(routed->plugin)}};
	struct secor_record record = {.size = sizeof(record),
	    .field_count = 2,
	    .message = &message->raw,
	    .time_ms = SECOR_NO_TIME,
	    .fields = fields};
	struct secor_err err;

	count_bad(part, routed);
	if (!batch->replay && conf->action == CONFIG_BAD_HALT) {
		halt_behind(part, HALT_BAD_MESSAGE,
		    "message at offset %lld is bad: %s",
		    (long long)message->raw.offset, routed->err.text);
		return COLLECT_HALTED;
	}
	if (!batch->replay && over_ratio(part, 1)) {
		halt_behind(part, HALT_BAD_MESSAGES,
		    "%.0f of the last %.0f messages are bad (bad_messages."
		    "halt_above); the one at offset %lld: %s",
		    part->recent_bad, part->recent,
		    (long long)message->raw.offset, routed->err.text);
		return COLLECT_HALTED;
	}
	batch->bad++;
	if (conf->action != CONFIG_BAD_DEAD_LETTER)
		return COLLECT_OK;
	if (message->raw.header_count == 0)
		(void)fill_headers(part->engine, message);
	(void)encode(batch_object(batch, NULL), &record, &err);
	count_in(batch->dead, message->raw.offset);
	metric_add(part->engine->metrics.dead_letters, 1);
	return COLLECT_OK;
}

static void
note_time(struct object *object, int64_t time_ms)
{
	if (time_ms == SECOR_NO_TIME)
		return;
	if (time_ms < object->first_ms)
		object->first_ms = time_ms;
	if (time_ms > object->last_ms)
		object->last_ms = time_ms;
}

/* What the format does not take. */
static enum collected
refused(
    struct batch *batch, struct message *message, struct routed *routed, int rc)
{
	routed->plugin = batch->lane->topic->format.plugin->desc.name;
	return rc == SECOR_RETRY ? COLLECT_RETRY
				 : take_bad(batch, message, routed);
}

static enum collected
take_good(struct batch *batch, struct message *message, struct routed *routed)
{
	struct object *object;
	int rc = SECOR_OK;

	if (batch->lane->is_choosy)
		rc = batch_place(batch, routed);
	if (rc != SECOR_OK)
		return refused(batch, message, routed, rc);
	object = batch_object(batch, routed->path);
	rc = encode(object, &routed->record, &routed->err);
	if (rc != SECOR_OK)
		return refused(batch, message, routed, SECOR_REJECT);
	count_in(object, message->raw.offset);
	note_time(object, routed->record.time_ms);
	if (batch->lane->tells_late)
		batch_tick(batch, routed);
	if (!batch->replay)
		(void)over_ratio(batch->part, 0);
	return COLLECT_OK;
}

/* What cannot be read of it must not be left out without a word. */
static void
headers_damaged(struct routed *routed)
{
	routed->plugin = "kafka";
	(void)secor_fail(&routed->err, SECOR_REJECT, "its headers are damaged");
}

enum collected
collect(struct part *part, struct message *message)
{
	struct engine *engine = part->engine;
	struct routed *routed = &engine->routed;
	struct batch *batch = part->cur;
	struct secor_message *raw = &message->raw;
	enum collected result = COLLECT_OK;
	enum route_outcome way = ROUTE_BAD;
	int whole = 1;
	uint64_t hash;

	raw->topic = part->topic;
	raw->partition = part->partition;
	raw->headers = NULL;
	raw->header_count = 0;
	if (batch->lane->looks_at & SECOR_LOOKS_AT_HEADERS)
		whole = fill_headers(engine, message);
	hash = input_hash(raw);
	crash_at(part->topic, part->partition, raw->offset);
	if (whole)
		way = router_route(batch->lane->router, raw, routed);
	else
		headers_damaged(routed);
	switch (way) {
	case ROUTE_OK:
		result = take_good(batch, message, routed);
		break;
	case ROUTE_FILTERED:
		batch->filtered++;
		metric_add(engine->metrics.filtered, 1);
		break;
	case ROUTE_BAD:
		result = take_bad(batch, message, routed);
		break;
	case ROUTE_RETRY:
		result = COLLECT_RETRY;
		break;
	}
	crash_at(NULL, 0, 0);
	if (result != COLLECT_OK)
		return result;
	if (batch->messages++ == 0)
		batch->first_ms = raw->timestamp_ms;
	part->taken_messages++;
	part->taken_bytes += (int64_t)(raw->value.len + raw->key.len);
	engine->taken++;
	engine->taken_bytes += (int64_t)raw->value.len;
	batch->input_hash += hash;
	batch->end = raw->offset + 1;
	return COLLECT_OK;
}
