/*
 * batch_make.c -- see batch_make.h.
 */
#include "tests/unit/core/flow/fetch/batch_make.h"

#include "core/base/hash.h"
#include "core/flow/fetch/wire.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define AT_CRC 17
#define AT_ATTRIBUTES 21
#define ZSTD_BITS 4

void
batch_sign(char *batch, size_t len)
{
	uint32_t crc =
	    crc32c_add(0, batch + AT_ATTRIBUTES, len - AT_ATTRIBUTES);

	for (int i = 3; i >= 0; i--, crc >>= 8)
		batch[AT_CRC + i] = (char)crc;
}

void
batch_put(
    struct buf *out, const struct batch_made *made, const struct buf *records)
{
	size_t begin = out->len;

	wire_put_int64(out, made->base_offset);
	wire_put_int32(out, (int32_t)(49 + records->len));
	wire_put_int32(out, 7); /* leader epoch */
	wire_put_int8(out, 2);
	wire_put_int32(out, 0);
	wire_put_int16(out, (int16_t)made->attributes);
	wire_put_int32(out, made->last_delta);
	wire_put_int64(out, made->base_ms);
	wire_put_int64(out, made->max_ms);
	wire_put_int64(out, made->producer_id);
	wire_put_int16(out, 0);
	wire_put_int32(out, 0);
	wire_put_int32(out, made->count);
	buf_put(out, records->ptr, records->len);
	batch_sign(out->ptr + begin, out->len - begin);
}

void
varint_put(struct buf *out, int64_t value)
{
	uint64_t bits = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);

	while (bits >= 0x80) {
		buf_putc(out, (char)(bits | 0x80));
		bits >>= 7;
	}
	buf_putc(out, (char)bits);
}

static void
text_put(struct buf *out, const char *text)
{
	varint_put(out, text == NULL ? -1 : (int64_t)strlen(text));
	if (text != NULL)
		buf_puts(out, text);
}

void
record_put(struct buf *records, int32_t delta, int64_t ms_delta,
    const char *key, const char *value)
{
	struct buf body = {0};

	buf_putc(&body, 0);
	varint_put(&body, ms_delta);
	varint_put(&body, delta);
	text_put(&body, key);
	text_put(&body, value);
	varint_put(&body, 0);
	varint_put(records, (int64_t)body.len);
	buf_put(records, body.ptr, body.len);
	buf_fini(&body);
}

void
batch_put_plain(
    struct buf *out, int64_t base_offset, int32_t count, int attributes)
{
	struct batch_made made = {.base_offset = base_offset,
	    .last_delta = count - 1,
	    .count = count,
	    .attributes = attributes,
	    .base_ms = 1000,
	    .max_ms = 2000,
	    .producer_id = -1};
	struct buf records = {0};
	char value[32];

	for (int32_t i = 0; i < count; i++) {
		(void)snprintf(value, sizeof(value), "v%d", i);
		record_put(&records, i, i, NULL, value);
	}
	batch_put(out, &made, &records);
	buf_fini(&records);
}

void
batch_put_packed(struct buf *out, int64_t offset, size_t zeros)
{
	const struct batch_made made = {.base_offset = offset,
	    .count = 1,
	    .attributes = ZSTD_BITS,
	    .producer_id = -1};
	struct buf plain = {0}, packed = {0};
	char *value = mem_alloc(zeros + 1);

	memset(value, '0', zeros);
	record_put(&plain, 0, 0, NULL, value);
	buf_reserve(&packed, ZSTD_compressBound(plain.len));
	packed.len =
	    ZSTD_compress(packed.ptr, packed.room, plain.ptr, plain.len, 1);
	assert(!ZSTD_isError(packed.len));
	batch_put(out, &made, &packed);
	buf_fini(&plain);
	buf_fini(&packed);
	free(value);
}
