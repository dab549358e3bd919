/*
 * wire.c -- see wire.h. Nothing is read beyond `end`, and nothing after the
 * first read that would have been.
 */
#include "core/flow/fetch/wire.h"

#include <assert.h>
#include <string.h>

static size_t
left(const struct wire *wire)
{
	return (size_t)(wire->end - wire->at);
}

/* The next `n` bytes, or NULL. */
static const char *
take(struct wire *wire, size_t n)
{
	const char *at = wire->at;

	if (wire->bad || n > left(wire)) {
		wire->bad = 1;
		wire->at = wire->end;
		return NULL;
	}
	wire->at += n;
	return at;
}

static uint64_t
number(struct wire *wire, size_t n)
{
	const char *at = take(wire, n);
	uint64_t value = 0;

	for (size_t i = 0; at != NULL && i < n; i++)
		value = value << 8 | (unsigned char)at[i];
	return value;
}

int8_t
wire_int8(struct wire *wire)
{
	return (int8_t)number(wire, 1);
}

int16_t
wire_int16(struct wire *wire)
{
	return (int16_t)number(wire, 2);
}

int32_t
wire_int32(struct wire *wire)
{
	return (int32_t)number(wire, 4);
}

int64_t
wire_int64(struct wire *wire)
{
	return (int64_t)number(wire, 8);
}

static struct wire_bytes
bytes_of(struct wire *wire, int64_t len)
{
	struct wire_bytes bytes = {NULL, 0};

	if (len == -1)
		return bytes;
	/* what is below -1 is too much as well */
	bytes.ptr = take(wire, len < 0 ? SIZE_MAX : (size_t)len);
	bytes.len = bytes.ptr == NULL ? 0 : (size_t)len;
	return bytes;
}

struct wire_bytes
wire_string(struct wire *wire)
{
	return bytes_of(wire, wire_int16(wire));
}

struct wire_bytes
wire_bytes(struct wire *wire)
{
	return bytes_of(wire, wire_int32(wire));
}

int32_t
wire_count(struct wire *wire, size_t least)
{
	int32_t count = wire_int32(wire);

	if (count == -1 || wire->bad)
		return 0;
	if (count < 0 || (size_t)count > left(wire) / (least > 0 ? least : 1)) {
		wire->bad = 1;
		wire->at = wire->end;
		return 0;
	}
	return count;
}

void
wire_skip(struct wire *wire, size_t n)
{
	(void)take(wire, n);
}

/* ---- writing ---- */

static void
set(char *to, uint64_t value, size_t n)
{
	for (size_t i = n; i > 0; i--, value >>= 8)
		to[i - 1] = (char)value;
}

static void
put(struct buf *buf, uint64_t value, size_t n)
{
	char bytes[8];

	set(bytes, value, n);
	buf_put(buf, bytes, n);
}

void
wire_put_int8(struct buf *buf, int8_t value)
{
	put(buf, (uint64_t)value, 1);
}

void
wire_put_int16(struct buf *buf, int16_t value)
{
	put(buf, (uint64_t)value, 2);
}

void
wire_put_int32(struct buf *buf, int32_t value)
{
	put(buf, (uint64_t)value, 4);
}

void
wire_put_int64(struct buf *buf, int64_t value)
{
	put(buf, (uint64_t)value, 8);
}

void
wire_put_string(struct buf *buf, const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);

	assert(len <= INT16_MAX);
	wire_put_int16(buf, text == NULL ? -1 : (int16_t)len);
	buf_put(buf, text, len);
}

void
wire_put_bytes(struct buf *buf, const void *bytes, size_t len)
{
	assert(len <= INT32_MAX);
	wire_put_int32(buf, bytes == NULL ? -1 : (int32_t)len);
	if (bytes != NULL)
		buf_put(buf, bytes, len);
}

void
wire_set_int32(struct buf *buf, size_t at, int32_t value)
{
	assert(at + 4 <= buf->len);
	set(buf->ptr + at, (uint64_t)value, 4);
}
