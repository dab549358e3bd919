/*
 * log.c -- see log.h. The same bytes in each run: the generator has a fixed
 * seed. A batch's base offset lies outside its checksum, so a server may
 * replace it; all else is as a producer would have made it.
 */
#include "bench/broker/log.h"

#include "bench/broker/wire.h"
#include "plugins/common/crc32c.h"

#include <stdlib.h>
#include <time.h>

enum {
	BATCH_BYTES = 100 * 1000,
	POOL_BYTES = 32 * 1000 * 1000,
	SPAN_MS = 2000 * 1000, /* of event time in the pool */
	CRC_AT = 17,
	CRC_FROM = 21
};

#define FIRST_MS INT64_C(1767253200000) /* 2026-01-01T07:40:00Z */

/* ---- one message ---- */

static uint32_t
draw(uint32_t below)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * below >> 32);
}

static void
put_uuid(struct buf *out)
{
	buf_printf(out, "%08x-%04x-4%03x-%04x-%08x%04x", draw(UINT32_MAX),
	    draw(0x10000), draw(0x1000), 0x8000 + draw(0x4000),
	    draw(UINT32_MAX), draw(0x10000));
}

static void
put_time(struct buf *out, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, (int)(ms % 1000));
}

/* Phrases and numbers until the object has its size: gzip makes of
 * all this about what it makes of real logs, a quarter to a fifth. */
static void
put_filler(struct buf *out, size_t upto)
{
	static const char *const phrases[] = {
	    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 ",
	    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0.0.0 ",
	    "upstream timed out, will try again with the next server ",
	    "cache miss for key item ", "payment accepted by provider ",
	    "session renewed after login ", "curl/7.88.1 ", "okhttp/4.12.0 ",
	    "connection reset by peer ", "slow query on shard "};

	while (out->len < upto) {
		buf_puts(out, phrases[draw(10)]);
		buf_printf(out, "%u ", draw(upto > 500 ? UINT32_MAX : 10));
	}
	out->len = upto;
}

static void
put_fields(struct buf *out, size_t size)
{
	static const char *const methods[] = {"GET", "PUT", "POST", "DELETE"};

	buf_printf(out, "{\"status\":%u", 200 + draw(5) * 100 + draw(10));
	if (size < 250) {
		buf_printf(out, ",\"user\":%u,\"ms\":%u.%03u", draw(1000000),
		    draw(900), draw(1000));
		return;
	}
	buf_puts(out, ",\"id\":\"");
	put_uuid(out);
	buf_printf(out, "\",\"user\":%u,\"ip\":\"10.%u.%u.%u\"", draw(1000000),
	    draw(256), draw(256), draw(256));
	buf_printf(out, ",\"dc\":\"a\",\"host\":\"h%03u\"", draw(1000));
	buf_printf(out,
	    ",\"method\":\"%s\",\"path\":\"/api/v1/items/%u\",\"ms\":%u.%03u",
	    methods[draw(4)], draw(100000), draw(900), draw(1000));
}

static void
put_message(struct buf *out, size_t size, int64_t ms)
{
	static const char tail[] = "\",\"ok\":true}";
	static const char key[] = "\",\"timestamp\":\"";
	size_t end = sizeof(tail) - 1 + sizeof(key) - 1 + 24;

	put_fields(out, size);
	buf_puts(out, ",\"note\":\"");
	put_filler(out, size - end);
	buf_puts(out, key);
	put_time(out, ms);
	buf_puts(out, tail);
}

/* ---- one batch ---- */

static void
put_varint(struct buf *out, int64_t value)
{
	uint64_t left = (uint64_t)value << 1;

	if (value < 0)
		left = ~left;
	for (; left >= 0x80; left >>= 7)
		buf_putc(out, (char)(left | 0x80));
	buf_putc(out, (char)left);
}

static void
put_record(struct buf *out, const struct buf *value, int64_t ms, int64_t at)
{
	struct buf body = {0};

	buf_putc(&body, 0); /* attributes */
	put_varint(&body, ms);
	put_varint(&body, at);
	put_varint(&body, -1); /* no key */
	put_varint(&body, (int64_t)value->len);
	buf_put(&body, value->ptr, value->len);
	put_varint(&body, 0); /* headers */
	put_varint(out, (int64_t)body.len);
	buf_put(out, body.ptr, body.len);
	buf_fini(&body);
}

static void
put_head(struct buf *out, const struct log *log, int64_t from_ms, int64_t to_ms)
{
	put_i64(out, 0); /* base offset: the server's */
	put_i32(out, 0); /* length: below */
	put_i32(out, 0); /* leader epoch */
	put_i8(out, 2);	 /* magic */
	put_i32(out, 0); /* crc: below */
	put_i16(out, 0); /* no compression, create time */
	put_i32(out, (int64_t)log->per_batch - 1);
	put_i64(out, from_ms);
	put_i64(out, to_ms);
	put_i64(out, -1); /* producer id, epoch, sequence */
	put_i16(out, -1);
	put_i32(out, -1);
	put_i32(out, (int64_t)log->per_batch);
}

static void
set_i32(struct buf *out, size_t at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out->ptr[at + (size_t)i] = (char)(value >> (24 - 8 * i));
}

static void
batch_make(struct log *log, size_t index)
{
	int64_t count = (int64_t)(log->batch_count * log->per_batch);
	int64_t first = (int64_t)(index * log->per_batch);
	int64_t last = first + (int64_t)log->per_batch - 1;
	int64_t from_ms = FIRST_MS + first * SPAN_MS / count;
	struct buf out = {0}, value = {0};

	put_head(&out, log, from_ms, FIRST_MS + last * SPAN_MS / count);
	for (int64_t i = first; i <= last; i++) {
		int64_t ms = FIRST_MS + i * SPAN_MS / count;

		value.len = 0;
		put_message(&value, log->message_bytes, ms);
		put_record(&out, &value, ms - from_ms, i - first);
	}
	set_i32(&out, 8, (uint32_t)(out.len - 12));
	set_i32(&out, CRC_AT,
	    crc32c_more(0, out.ptr + CRC_FROM, out.len - CRC_FROM));
	buf_fini(&value);
	log->batches[index].len = out.len;
	log->batches[index].ptr = buf_take(&out);
}

/* ---- the log ---- */

struct log *
log_new(size_t message_bytes, int64_t messages)
{
	struct log *log = mem_alloc(sizeof(*log));
	int64_t per_batch = BATCH_BYTES / (int64_t)message_bytes;

	if (per_batch < 1)
		per_batch = 1;
	log->message_bytes = message_bytes;
	log->per_batch = (size_t)per_batch;
	log->messages = (messages + per_batch - 1) / per_batch * per_batch;
	log->batch_count = POOL_BYTES / (log->per_batch * message_bytes);
	if (log->batch_count == 0)
		log->batch_count = 1;
	log->batches = mem_alloc(log->batch_count * sizeof(*log->batches));
	for (size_t i = 0; i < log->batch_count; i++)
		batch_make(log, i);
	return log;
}

void
log_free(struct log *log)
{
	if (log == NULL)
		return;
	for (size_t i = 0; i < log->batch_count; i++)
		free(log->batches[i].ptr);
	free(log->batches);
	free(log);
}
