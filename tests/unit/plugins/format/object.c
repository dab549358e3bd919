/*
 * object.c -- see object.h.
 */
#include "tests/unit/plugins/format/object.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#define FIRST_OFFSET 1000

struct memory_sink {
	struct secor_sink sink;
	struct grow *bytes;
	long puts; /* until one fails; -1: never */
};

struct making {
	const struct messages *messages;
	const struct cut *cut;
};

struct memory_source {
	struct secor_source source;
	struct secor_bytes rest;
	size_t piece;
};

static int
sink_put(struct secor_sink *sink, const void *bytes, size_t len,
    struct secor_err *err)
{
	struct memory_sink *to = (struct memory_sink *)sink;

	if (to->puts == 0)
		return secor_fail(err, SECOR_RETRY, "no space");
	to->puts -= to->puts > 0;
	grow_put(to->bytes, bytes, len);
	return SECOR_OK;
}

static int
source_get(struct secor_source *source, void *bytes, size_t room, size_t *got,
    struct secor_err *err)
{
	struct memory_source *from = (struct memory_source *)source;
	size_t n = from->rest.len < room ? from->rest.len : room;

	(void)err;
	n = n < from->piece ? n : from->piece;
	if (n > 0)
		memcpy(bytes, from->rest.ptr, n);
	from->rest.ptr += n;
	from->rest.len -= n;
	*got = n;
	return SECOR_OK;
}

void
messages_add(struct messages *messages, const void *value, size_t len)
{
	struct secor_message m = harness_message_bytes(NULL, 0);
	char *copy = NULL;

	if (value != NULL) {
		copy = malloc(len + 1);
		memcpy(copy, value, len);
	}
	m.value = (struct secor_bytes){copy, len};
	m.offset = FIRST_OFFSET + (int64_t)messages->count;
	if ((messages->count & (messages->count - 1)) == 0) /* 0 or 2^n */
		messages->items = realloc(
		    messages->items, (2 * messages->count + 1) * sizeof(m));
	messages->items[messages->count++] = m;
}

void
messages_text(struct messages *messages, const char *value)
{
	messages_add(messages, value, value == NULL ? 0 : strlen(value));
}

void
messages_free(struct messages *messages)
{
	for (size_t i = 0; i < messages->count; i++) {
		free((void *)(uintptr_t)messages->items[i].value.ptr);
		free((void *)(uintptr_t)messages->items[i].key.ptr);
	}
	free(messages->items);
	*messages = (struct messages){NULL, 0};
}

static struct secor_record
record_of(const struct secor_message *message)
{
	return (struct secor_record){.size = sizeof(struct secor_record),
	    .message = message,
	    .time_ms = message->timestamp_ms};
}

/* What encode makes of all messages, as one stream. */
static int
encode_all(const struct plugin *plugin, void *self,
    const struct messages *messages, struct grow *plain)
{
	const struct secor_format_ops *ops = plugin->ops.format;

	for (size_t i = 0; i < messages->count; i++) {
		struct secor_record record = record_of(&messages->items[i]);
		size_t used = 0, room = 100;
		int rc = ops->encode(
		    self, &record, grow_room(plain, room), room, &used, NULL);

		if (rc == SECOR_OK && used > room) {
			room = used;
			rc = ops->encode(self, &record, grow_room(plain, room),
			    room, &used, NULL);
			cr_assert_eq(used, room);
		}
		if (rc != SECOR_OK)
			return rc;
		plain->len += used;
	}
	return SECOR_OK;
}

static int
drain_all(const struct secor_format_ops *ops, void *stream,
    const struct grow *plain, size_t buffer, struct secor_sink *sink)
{
	size_t at, n;
	int rc;

	cr_assert_eq(buffer % 4096, 0);
	for (at = 0; at < plain->len; at += n) {
		n = plain->len - at < buffer ? plain->len - at : buffer;
		rc = ops->drain(stream, plain->ptr + at, n, sink, NULL);
		if (rc != SECOR_OK)
			return rc;
	}
	return SECOR_OK;
}

static int
write_all(const struct secor_format_ops *ops, void *stream,
    const struct messages *messages, size_t group, struct secor_sink *sink)
{
	struct secor_record *records = calloc(group, sizeof(*records));
	size_t at, n, i;
	int rc = SECOR_OK;

	for (at = 0; rc == SECOR_OK && at < messages->count; at += n) {
		n = messages->count - at < group ? messages->count - at : group;
		for (i = 0; i < n; i++)
			records[i] = record_of(&messages->items[at + i]);
		rc = ops->write(stream, records, n, sink, NULL);
	}
	free(records);
	return rc;
}

/* One object of an instance. */
static int
make_one(const struct plugin *plugin, void *self, const void *conf,
    const struct making *making, struct memory_sink *sink)
{
	const struct secor_format_ops *ops = plugin->ops.format;
	struct secor_format_traits traits = {.size = sizeof(traits)};
	struct secor_object what = {.size = sizeof(what),
	    .partition = 3,
	    .topic = "events",
	    .start = FIRST_OFFSET,
	    .name = "events/dt=2014-07-21/3_00000000000000001000"};
	const struct messages *messages = making->messages;
	struct grow plain = {NULL, 0, 0};
	void *stream = NULL;
	int rc;

	ops->describe(conf, &traits);
	rc = ops->begin(self, &what, &sink->sink, &stream, NULL);
	if (rc == SECOR_OK && (traits.by_write || ops->encode == NULL))
		rc = write_all(
		    ops, stream, messages, making->cut->group, &sink->sink);
	else if (rc == SECOR_OK) {
		rc = encode_all(plugin, self, messages, &plain);
		if (rc == SECOR_OK)
			rc = drain_all(ops, stream, &plain, making->cut->buffer,
			    &sink->sink);
	}
	if (rc == SECOR_OK)
		rc = ops->finish(stream, &sink->sink, NULL);
	ops->end(stream);
	grow_fini(&plain);
	return rc;
}

int
object_make(const struct plugin *plugin, const void *conf,
    const struct messages *messages, const struct cut *cut, struct grow *object)
{
	struct memory_sink sink = {{sizeof(sink.sink), sink_put}, object, -1};
	struct making making = {messages, cut};
	void *self = harness_open(plugin, conf, NULL);
	int rc = make_one(plugin, self, conf, &making, &sink);

	harness_close(plugin, self);
	return rc;
}

void
object_passes_failures_on(const struct plugin *plugin, const void *conf,
    const struct messages *messages)
{
	static const struct cut cut = {65536, 100};
	struct making making = {messages, &cut};
	struct grow first = {NULL, 0, 0}, object = {NULL, 0, 0};
	void *self = harness_open(plugin, conf, NULL);
	struct memory_sink sink = {{sizeof(sink.sink), sink_put}, &object, 0};
	long puts = 0;
	int rc;

	cr_assert_eq(
	    object_make(plugin, conf, messages, &cut, &first), SECOR_OK);
	do {
		object.len = 0;
		sink.puts = puts++;
		rc = make_one(plugin, self, conf, &making, &sink);
		cr_assert(rc == SECOR_OK || rc == SECOR_RETRY);
	} while (rc == SECOR_RETRY);
	cr_assert_gt(puts, 1);
	cr_assert_eq(object.len, first.len);
	cr_assert_eq(memcmp(object.ptr, first.ptr, first.len), 0);
	harness_close(plugin, self);
	grow_fini(&first);
	grow_fini(&object);
}

/* The offset, or a copy of the key. */
static void
set_key(struct secor_message *message, const struct secor_read_record *record)
{
	char *copy = malloc(record->key.len + 1);

	message->offset = record->has_offset ? record->offset : -1;
	if (record->has_key && record->key.len > 0)
		memcpy(copy, record->key.ptr, record->key.len);
	message->key = (struct secor_bytes){copy, record->key.len};
}

int
object_read(const struct plugin *plugin, const void *conf,
    const struct stored *object, struct messages *read, struct secor_err *err)
{
	const struct secor_format_ops *ops = plugin->ops.format;
	struct memory_source source = {
	    {sizeof(source.source), source_get}, object->bytes, object->piece};
	void *self = harness_open(plugin, conf, NULL), *reader = NULL;
	struct secor_read_record record = {.size = sizeof(record)};
	int more = 1;
	int rc = ops->read_begin(self, &source.source, &reader, err);

	while (rc == SECOR_OK && more) {
		rc = ops->read(reader, &record, &more, err);
		if (rc != SECOR_OK || !more)
			break;
		messages_add(read,
		    record.value.ptr == NULL ? "" : record.value.ptr,
		    record.value.len);
		set_key(&read->items[read->count - 1], &record);
	}
	ops->read_end(reader);
	harness_close(plugin, self);
	return rc;
}

static void
assert_same(
    const struct messages *messages, const struct messages *read, int offsets)
{
	cr_assert_eq(read->count, messages->count, "%zu instead of %zu records",
	    read->count, messages->count);
	for (size_t i = 0; i < read->count; i++) {
		const struct secor_message *a = &messages->items[i],
					   *b = &read->items[i];

		cr_assert_eq(b->offset, offsets ? a->offset : -1);
		cr_assert_eq(b->value.len, a->value.len, "record %zu", i);
		cr_assert(
		    a->value.len == 0 ||
			memcmp(a->value.ptr, b->value.ptr, a->value.len) == 0,
		    "record %zu", i);
	}
}

void
object_round_trip(const struct plugin *plugin, const void *conf,
    const struct messages *messages)
{
	static const size_t pieces[] = {1, 7, 1000, 65536, 1 << 30};
	static const struct cut cut = {65536, 100};
	struct secor_format_traits traits = {.size = sizeof(traits)};
	struct grow object = {NULL, 0, 0};

	plugin->ops.format->describe(conf, &traits);
	cr_assert_eq(
	    object_make(plugin, conf, messages, &cut, &object), SECOR_OK);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct stored stored = {{object.ptr, object.len}, pieces[i]};
		struct messages read = {NULL, 0};
		struct secor_err err = {""};

		if (pieces[i] != 65536 && object.len > 1000000)
			continue; /* once is enough */
		cr_assert_eq(object_read(plugin, conf, &stored, &read, &err),
		    SECOR_OK, "%s", err.text);
		assert_same(messages, &read, traits.stores_offsets);
		messages_free(&read);
	}
	grow_fini(&object);
}

void
object_same_for_any_cut(const struct plugin *plugin, const void *conf,
    const struct messages *messages)
{
	static const struct cut cuts[] = {{4096, 1}, {12288, 7}, {65536, 100},
	    {262144, 1000}, {1 << 28, 100000}};
	struct grow first = {NULL, 0, 0};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct grow object = {NULL, 0, 0};

		cr_assert_eq(
		    object_make(plugin, conf, messages, &cuts[i], &object),
		    SECOR_OK);
		if (i == 0) {
			first = object;
			continue;
		}
		cr_assert_eq(object.len, first.len, "buffer %zu, group %zu",
		    cuts[i].buffer, cuts[i].group);
		cr_assert_eq(memcmp(object.ptr, first.ptr, first.len), 0,
		    "buffer %zu, group %zu", cuts[i].buffer, cuts[i].group);
		grow_fini(&object);
	}
	grow_fini(&first);
}

/* ---- all of a message as text ---- */

static void
dump_bytes(struct grow *text, const char *name, const struct secor_bytes *bytes)
{
	char hex[8];

	grow_put(text, name, strlen(name));
	if (bytes->ptr == NULL)
		grow_put(text, "null", 4);
	for (size_t i = 0; i < bytes->len; i++) {
		char c = bytes->ptr[i];

		if (c > ' ' && c < 0x7f && c != '\\') {
			grow_put(text, &c, 1);
			continue;
		}
		(void)snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)c);
		grow_put(text, hex, 4);
	}
}

static void
dump_record(struct grow *text, const struct secor_read_record *record)
{
	char line[128];
	int64_t time =
	    record->has_timestamp ? record->timestamp_ms : SECOR_NO_TIME;

	(void)snprintf(line, sizeof(line), "%lld time=%lld type=%d",
	    record->has_offset ? (long long)record->offset : -1LL,
	    (long long)time, record->timestamp_type);
	grow_put(text, line, strlen(line));
	dump_bytes(text, " key=", &record->key);
	dump_bytes(text, " value=", &record->value);
	for (int32_t i = 0; i < record->header_count; i++) {
		grow_put(text, " ", 1);
		grow_put(text, record->headers[i].name,
		    strlen(record->headers[i].name));
		dump_bytes(text, "=", &record->headers[i].value);
	}
	grow_put(text, "\n", 1);
}

void
messages_dump(const struct messages *messages, struct grow *text)
{
	for (size_t i = 0; i < messages->count; i++) {
		const struct secor_message *m = &messages->items[i];
		struct secor_read_record record = {.size = sizeof(record),
		    .has_offset = 1,
		    .has_key = 1,
		    .has_timestamp = m->timestamp_ms != SECOR_NO_TIME,
		    .offset = m->offset,
		    .timestamp_ms = m->timestamp_ms,
		    .key = m->key,
		    .value = m->value,
		    .timestamp_type = m->timestamp_type,
		    .header_count = m->header_count,
		    .headers = m->headers};

		dump_record(text, &record);
	}
	grow_put(text, "", 1);
}

int
object_dump(const struct plugin *plugin, const void *conf,
    const struct stored *object, struct grow *text, struct secor_err *err)
{
	const struct secor_format_ops *ops = plugin->ops.format;
	struct memory_source source = {
	    {sizeof(source.source), source_get}, object->bytes, object->piece};
	void *self = harness_open(plugin, conf, NULL), *reader = NULL;
	struct secor_read_record record = {.size = sizeof(record)};
	int more = 1;
	int rc = ops->read_begin(self, &source.source, &reader, err);

	while (rc == SECOR_OK && more) {
		rc = ops->read(reader, &record, &more, err);
		if (rc == SECOR_OK && more)
			dump_record(text, &record);
	}
	ops->read_end(reader);
	harness_close(plugin, self);
	grow_put(text, "", 1);
	return rc;
}
