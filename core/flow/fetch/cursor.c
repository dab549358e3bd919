/*
 * cursor.c -- the records of a batch, one by one (batches.h). This is the hot
 * path of all that is read. Source: Kafka documentation, "Record".
 *
 * Invariant: nothing is read beyond the record, whose end is within the span.
 */
#include "core/flow/fetch/batches.h"

#include <string.h>

#define APPEND_BIT 0x08 /* of a record's attributes */
/* librdkafka reads no more of a message. */
#define HEADERS_MOST 100000

/* Varints: seven bits a byte, the lowest first; zigzag. Each returns where it
 * ends, NULL when it goes beyond `end` or is longer than can be. */
static const char *
read_long_slow(const char *at, const char *end, int64_t *value)
{
	uint64_t sum = 0;

	for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
		unsigned char byte = (unsigned char)*at++;

		/* the tenth has one bit */
		if (shift == 63 && byte > 1)
			return NULL;
		sum |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*value = (int64_t)(sum >> 1 ^ (0 - (sum & 1)));
			return at;
		}
	}
	return NULL;
}

static inline const char *
read_long(const char *at, const char *end, int64_t *value)
{
	uint32_t first, second, third;

	if (end - at < 3)
		return read_long_slow(at, end, value);
	first = (unsigned char)at[0];
	if (first < 0x80) {
		*value = (int32_t)(first >> 1) ^ -(int32_t)(first & 1);
		return at + 1;
	}
	second = (unsigned char)at[1];
	if (second < 0x80) {
		first = (first & 0x7f) | second << 7;
		*value = (int32_t)(first >> 1) ^ -(int32_t)(first & 1);
		return at + 2;
	}
	third = (unsigned char)at[2];
	if (third >= 0x80)
		return read_long_slow(at, end, value);
	first = (first & 0x7f) | (second & 0x7f) << 7 | third << 14;
	*value = (int32_t)(first >> 1) ^ -(int32_t)(first & 1);
	return at + 3;
}

/* Lengths and counts: at least `least`, of an int32. */
static inline const char *
read_int(const char *at, const char *end, int32_t least, int32_t *value)
{
	int64_t wide;

	at = read_long(at, end, &wide);
	if (at == NULL || wide < least || wide > INT32_MAX)
		return NULL;
	*value = (int32_t)wide;
	return at;
}

/* A length and so many bytes; -1 is null. */
static inline const char *
read_bytes(const char *at, const char *end, struct secor_bytes *bytes)
{
	int32_t len;

	at = read_int(at, end, -1, &len);
	if (at == NULL)
		return NULL;
	if (len < 0) {
		bytes->ptr = NULL;
		bytes->len = 0;
		return at;
	}
	if (len > end - at)
		return NULL;
	bytes->ptr = at;
	bytes->len = (size_t)len;
	return at + len;
}

/* A record that says itself that its time is the log's is believed, as
 * librdkafka does it: both must tell the same. */
static inline void
set_time(struct secor_message *raw, const struct span *span, int attributes,
    int64_t delta)
{
	int64_t time =
	    (int64_t)((uint64_t)span->base_timestamp_ms + (uint64_t)delta);

	raw->timestamp_type = SECOR_TIMESTAMP_CREATE;
	if (span->log_append || (attributes & APPEND_BIT) != 0) {
		raw->timestamp_type = SECOR_TIMESTAMP_APPEND;
		time = span->max_timestamp_ms;
	}
	raw->timestamp_ms = time < 0 ? SECOR_NO_TIME : time;
}

/* What is in a record of exactly [at, end), from its attributes on. */
static inline int
read_record(struct cursor *cursor, const char *at, const char *end,
    struct message *message)
{
	const struct span *span = cursor->span;
	struct secor_message *raw = &message->raw;
	int64_t time_delta;
	int32_t delta, headers;
	int attributes;

	if (at == end)
		return -1;
	attributes = (unsigned char)*at++;
	at = read_long(at, end, &time_delta);
	if (at == NULL)
		return -1;
	at = read_int(at, end, 0, &delta);
	if (at == NULL || delta <= cursor->delta || delta > span->last_delta)
		return -1;
	at = read_bytes(at, end, &raw->key);
	if (at == NULL)
		return -1;
	at = read_bytes(at, end, &raw->value);
	if (at == NULL)
		return -1;
	at = read_int(at, end, 0, &headers);
	if (at == NULL || (headers == 0 ? at != end : headers > (end - at) / 2))
		return -1;
	raw->size = sizeof(*raw);
	raw->offset = span->base_offset + delta;
	raw->header_count = 0;
	raw->headers = NULL;
	set_time(raw, span, attributes, time_delta);
	message->headers = at;
	message->headers_end = end;
	message->header_count = headers;
	message->rkm = NULL;
	cursor->delta = delta;
	return 1;
}

int
cursor_next(struct cursor *cursor, struct message *message)
{
	const char *at;
	int32_t len;
	int rc;

	if (cursor->left == 0)
		return cursor->at == cursor->end ? 0 : -1;
	at = read_int(cursor->at, cursor->end, 0, &len);
	if (at == NULL || len > cursor->end - at)
		return -1;
	rc = read_record(cursor, at, at + len, message);
	if (rc == 1) {
		cursor->at = at + len;
		cursor->left--;
	}
	return rc;
}

/* Stands in front of the first record that is wanted, or that is damaged. */
void
cursor_begin(struct cursor *cursor, const struct span *span)
{
	struct cursor ahead;
	struct message message;

	cursor->at = span->records;
	cursor->end = span->records + span->len;
	cursor->left = span->count;
	cursor->delta = -1;
	cursor->span = span;
	if (span->base_offset >= span->from)
		return;
	ahead = *cursor;
	while (cursor_next(&ahead, &message) == 1 &&
	       message.raw.offset < span->from)
		*cursor = ahead;
}

/* ---- headers ---- */

/* All of them, checked; the bytes of their names with their NULs. */
static int
measure(const struct message *message, size_t *names_len)
{
	const char *at = message->headers, *end = message->headers_end;
	struct secor_bytes name, value;

	*names_len = 0;
	if (message->header_count > HEADERS_MOST)
		return -1;
	for (int32_t i = 0; i < message->header_count; i++) {
		at = read_bytes(at, end, &name);
		if (at == NULL || name.ptr == NULL)
			return -1;
		at = read_bytes(at, end, &value);
		if (at == NULL)
			return -1;
		*names_len += name.len + 1;
	}
	return at == end ? 0 : -1;
}

int
message_headers(
    const struct message *message, struct secor_header *list, struct buf *names)
{
	const char *at = message->headers, *end = message->headers_end;
	struct secor_bytes name = {NULL, 0};
	size_t len;

	if (message->header_count == 0)
		return 0;
	if (measure(message, &len) != 0)
		return -1;
	/* all the room at once: names stay where they are put */
	buf_reserve(names, len);
	for (int32_t i = 0; i < message->header_count; i++) {
		at = read_bytes(at, end, &name);
		list[i].name = names->ptr + names->len;
		buf_put(names, name.ptr, name.len);
		buf_putc(names, '\0');
		at = read_bytes(at, end, &list[i].value);
	}
	return message->header_count;
}
