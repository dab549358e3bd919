/*
 * pack.c -- a fixed head, then value, key, and for each header its two lengths,
 * its name with the NUL, its value. Host byte order: it never leaves the
 * process.
 */
#include "core/flow/pack.h"

#include "core/base/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ABSENT UINT32_MAX

struct head {
	uint64_t size; /* of all, head included */
	int64_t offset;
	int64_t timestamp_ms;
	uint32_t timestamp_type : 2;
	uint32_t header_count : 30;
	uint32_t value_len; /* or ABSENT */
	uint32_t key_len;
	uint32_t spare;
};

struct header_head {
	uint32_t name_len;
	uint32_t value_len; /* or ABSENT */
};

static uint32_t
length_of(struct secor_bytes bytes)
{
	assert(bytes.len < ABSENT);
	return bytes.ptr == NULL ? ABSENT : (uint32_t)bytes.len;
}

static size_t
length_in(uint32_t len)
{
	return len == ABSENT ? 0 : len;
}

static char *
put(char *at, const void *bytes, size_t n)
{
	if (n > 0)
		memcpy(at, bytes, n);
	return at + n;
}

static uint64_t
headers_size(const struct secor_header *headers, size_t n)
{
	uint64_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += sizeof(struct header_head) + strlen(headers[i].name) +
			1 + length_in(length_of(headers[i].value));
	return size;
}

static char *
put_header(char *at, const struct secor_header *header)
{
	struct header_head head = {
	    .name_len = (uint32_t)strlen(header->name),
	    .value_len = length_of(header->value),
	};

	at = put(at, &head, sizeof(head));
	at = put(at, header->name, head.name_len + (size_t)1);
	return put(at, header->value.ptr, length_in(head.value_len));
}

void
pack_record(const struct secor_record *record, uint32_t looks_at, char *dst,
    size_t room, size_t *used)
{
	const struct secor_message *m = record->message;
	struct head head = {
	    .offset = m->offset,
	    .timestamp_ms = SECOR_NO_TIME,
	    .value_len = length_of(m->value),
	    .key_len = ABSENT,
	};

	if (looks_at & SECOR_LOOKS_AT_TIMESTAMP) {
		head.timestamp_ms = m->timestamp_ms;
		head.timestamp_type = (uint32_t)m->timestamp_type & 3;
	}
	if (looks_at & SECOR_LOOKS_AT_KEY)
		head.key_len = length_of(m->key);
	if (looks_at & SECOR_LOOKS_AT_HEADERS)
		head.header_count = (uint32_t)m->header_count & 0x3fffffff;
	head.size = sizeof(head) + length_in(head.value_len) +
		    length_in(head.key_len) +
		    headers_size(m->headers, head.header_count);
	*used = head.size;
	if (head.size > room)
		return;
	dst = put(dst, &head, sizeof(head));
	dst = put(dst, m->value.ptr, length_in(head.value_len));
	dst = put(dst, m->key.ptr, length_in(head.key_len));
	for (uint32_t i = 0; i < head.header_count; i++)
		dst = put_header(dst, &m->headers[i]);
}

static struct secor_bytes
slice(const char **at, uint32_t len)
{
	struct secor_bytes bytes = {NULL, 0};

	if (len != ABSENT) {
		bytes.ptr = *at;
		bytes.len = len;
		*at += len;
	}
	return bytes;
}

/* Grows the array of all headers; the messages find theirs at the end, when it
 * moves no more. */
static void
unpack_headers(struct unpacked *out, size_t have, size_t count, const char **at)
{
	struct header_head head;

	if (have + count > out->header_room) {
		out->header_room = 2 * (have + count);
		out->headers = mem_grow(
		    out->headers, out->header_room * sizeof(*out->headers));
	}
	for (size_t i = have; i < have + count; i++) {
		memcpy(&head, *at, sizeof(head));
		*at += sizeof(head);
		out->headers[i].name = *at;
		*at += head.name_len + (size_t)1;
		out->headers[i].value = slice(at, head.value_len);
	}
}

static void
unpack_message(
    struct secor_message *m, const struct head *head, const char **at)
{
	m->size = sizeof(*m);
	m->offset = head->offset;
	m->timestamp_ms = head->timestamp_ms;
	m->timestamp_type = head->timestamp_type;
	m->header_count = (int32_t)head->header_count;
	m->headers = NULL;
	m->value = slice(at, head->value_len);
	m->key = slice(at, head->key_len);
}

size_t
unpack_records(struct unpacked *out, const char *bytes, size_t len,
    const char *topic, int32_t partition)
{
	size_t taken = 0, n = 0, headers = 0;

	while (n < UNPACK_RECORDS && len - taken >= sizeof(struct head)) {
		struct secor_message *m = &out->messages[n];
		const char *at = bytes + taken + sizeof(struct head);
		struct head head;

		memcpy(&head, bytes + taken, sizeof(head));
		if (head.size > len - taken)
			break;
		unpack_message(m, &head, &at);
		m->topic = topic;
		m->partition = partition;
		unpack_headers(out, headers, head.header_count, &at);
		headers += head.header_count;
		out->records[n++] = (struct secor_record){
		    .size = sizeof(struct secor_record),
		    .message = m,
		    .time_ms = SECOR_NO_TIME,
		};
		taken += head.size;
		assert(at == bytes + taken);
	}
	out->count = n;
	headers = 0;
	for (size_t i = 0; i < n; i++) {
		if (out->messages[i].header_count > 0)
			out->messages[i].headers = out->headers + headers;
		headers += (size_t)out->messages[i].header_count;
	}
	return taken;
}

void
unpacked_fini(struct unpacked *out)
{
	free(out->headers);
	memset(out, 0, sizeof(*out));
}
