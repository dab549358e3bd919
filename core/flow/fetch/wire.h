/*
 * wire.h -- the primitive types of Kafka's protocol, read within bounds and
 * written into a buf. Big-endian; "string" and "bytes" have a length before
 * them, -1 is null (Kafka protocol guide, "Protocol Primitive Types").
 */
#ifndef SECOR_FLOW_FETCH_WIRE_H
#define SECOR_FLOW_FETCH_WIRE_H

#include "core/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* What is read. After the first read that goes beyond `end`, `bad` is set, and
 * all reads give 0 and empty bytes: it is enough to look at it at the end. */
struct wire {
	const char *at, *end;
	int bad;
};

struct wire_bytes {
	const char *ptr; /* NULL: null */
	size_t len;
};

int8_t wire_int8(struct wire *wire);
int16_t wire_int16(struct wire *wire);
int32_t wire_int32(struct wire *wire);
int64_t wire_int64(struct wire *wire);
/* An int16 length and so many bytes, not terminated. */
struct wire_bytes wire_string(struct wire *wire);
/* An int32 length and so many bytes. */
struct wire_bytes wire_bytes(struct wire *wire);
/* How many elements follow, each of at least `least` bytes: one that cannot be
 * (more than is left) is bad; null is 0. */
int32_t wire_count(struct wire *wire, size_t least);
/* Goes on `n` bytes. */
void wire_skip(struct wire *wire, size_t n);

void wire_put_int8(struct buf *buf, int8_t value);
void wire_put_int16(struct buf *buf, int16_t value);
void wire_put_int32(struct buf *buf, int32_t value);
void wire_put_int64(struct buf *buf, int64_t value);
/* NULL is null. */
void wire_put_string(struct buf *buf, const char *text);
void wire_put_bytes(struct buf *buf, const void *bytes, size_t len);
/* An int32 that was put at `at` is so much. */
void wire_set_int32(struct buf *buf, size_t at, int32_t value);

#endif
