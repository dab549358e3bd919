/*
 * wire.h -- Kafka's big-endian wire format: a reader over a request and a
 * writer onto a buffer.
 *
 * Invariant: a reader never looks behind the request; what is not there reads
 * as zero or empty and `bad` says so.
 */
#ifndef BENCH_BROKER_WIRE_H
#define BENCH_BROKER_WIRE_H

#include "core/base/buf.h"

#include <stdint.h>
#include <string.h>

struct wire {
	const unsigned char *at, *end;
	int bad;
};

struct wire_bytes {
	const char *ptr; /* NULL: null */
	size_t len;
};

static inline int64_t
wire_int(struct wire *in, size_t width)
{
	uint64_t value = 0;

	if ((size_t)(in->end - in->at) < width) {
		in->bad = 1;
		in->at = in->end;
		return 0;
	}
	for (size_t i = 0; i < width; i++)
		value = value << 8 | *in->at++;
	value <<= 64 - 8 * width; /* brings the sign up */
	return (int64_t)value >> (64 - 8 * width);
}

#define wire_i8(in) ((int8_t)wire_int(in, 1))
#define wire_i16(in) ((int16_t)wire_int(in, 2))
#define wire_i32(in) ((int32_t)wire_int(in, 4))
#define wire_i64(in) wire_int(in, 8)

static inline struct wire_bytes
wire_slice(struct wire *in, int64_t len)
{
	struct wire_bytes out = {NULL, 0};

	if (len < 0)
		return out;
	if (in->end - in->at < len) {
		in->bad = 1;
		in->at = in->end;
		return out;
	}
	out.ptr = (const char *)in->at;
	out.len = (size_t)len;
	in->at += len;
	return out;
}

#define wire_string(in) wire_slice(in, wire_i16(in))
#define wire_blob(in) wire_slice(in, wire_i32(in))

static inline void
put_int(struct buf *out, int64_t value, size_t width)
{
	char bytes[8];

	for (size_t i = 0; i < width; i++)
		bytes[i] = (char)((uint64_t)value >> 8 * (width - 1 - i));
	buf_put(out, bytes, width);
}

#define put_i8(out, v) put_int(out, v, 1)
#define put_i16(out, v) put_int(out, v, 2)
#define put_i32(out, v) put_int(out, v, 4)
#define put_i64(out, v) put_int(out, v, 8)

static inline void
put_string(struct buf *out, struct wire_bytes text)
{
	put_i16(out, text.ptr == NULL ? -1 : (int64_t)text.len);
	if (text.ptr != NULL)
		buf_put(out, text.ptr, text.len);
}

static inline void
put_blob(struct buf *out, struct wire_bytes bytes)
{
	put_i32(out, bytes.ptr == NULL ? -1 : (int64_t)bytes.len);
	if (bytes.ptr != NULL)
		buf_put(out, bytes.ptr, bytes.len);
}

static inline struct wire_bytes
wire_text(const char *text)
{
	return (struct wire_bytes){text, strlen(text)};
}

#endif
