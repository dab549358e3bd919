/*
 * batches_fuzz.c -- any bytes as what a partition has of a Fetch answer: all
 * records and headers are walked. The first byte says how: whether checksums
 * are made right before (else hardly anything gets behind them), from where on
 * it is read, and what is aborted.
 */
#include "core/base/hash.h"
#include "core/flow/fetch/batches.h"

#include "tests/fuzz/fuzz.h"

enum { SIGNED = 1, MIDDLE = 2, ABORTED = 4 };
#define HEADERS_MOST 1000

static uint32_t
be32(const char *at)
{
	const unsigned char *b = (const unsigned char *)at;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static void
sign(char *bytes, size_t len)
{
	while (len >= 61) {
		size_t size = 12 + (size_t)be32(bytes + 8);
		uint32_t crc;

		if (size < 61 || size > len)
			return;
		crc = crc32c_add(0, bytes + 21, size - 21);
		for (int i = 3; i >= 0; i--, crc >>= 8)
			bytes[17 + i] = (char)crc;
		bytes += size;
		len -= size;
	}
}

/* So that a sanitizer sees what cannot be read. */
static unsigned
touch(const char *ptr, size_t len)
{
	unsigned sum = 0;

	MUST(ptr != NULL || len == 0);
	for (size_t i = 0; i < len; i++)
		sum += (unsigned char)ptr[i];
	return sum;
}

static unsigned
touch_headers(const struct message *message)
{
	static struct secor_header list[HEADERS_MOST];
	struct buf names = {0};
	unsigned sum = 0;
	int n;

	if (message->header_count > HEADERS_MOST)
		return 0;
	n = message_headers(message, list, &names);
	MUST(n == -1 || n == message->header_count);
	for (int i = 0; i < n; i++)
		sum += touch(list[i].name, strlen(list[i].name)) +
		       touch(list[i].value.ptr, list[i].value.len);
	buf_fini(&names);
	return sum;
}

/* Offsets go up, and are between `least` and `next`. Returns the last one. */
static int64_t
walk(const struct span *span, int64_t least, int64_t next)
{
	static volatile unsigned sum;
	struct message message;
	struct cursor cursor;
	int32_t count = 0;

	cursor_begin(&cursor, span);
	while (cursor_next(&cursor, &message) == 1) {
		MUST(message.raw.offset >= least && message.raw.offset < next);
		MUST(message.raw.timestamp_ms >= 0 ||
		     message.raw.timestamp_ms == SECOR_NO_TIME);
		MUST(++count <= span->count);
		least = message.raw.offset + 1;
		sum += touch(message.raw.key.ptr, message.raw.key.len) +
		       touch(message.raw.value.ptr, message.raw.value.len) +
		       touch_headers(&message);
	}
	return least;
}

static void
read_all(const struct batches_in *in)
{
	struct batches batches = {0};
	struct secor_err err = {""};
	int64_t least = in->from;
	int rc = batches_read(in, &batches, &err);

	MUST(batches.next >= in->from);
	MUST(rc == SECOR_OK || rc == SECOR_REJECT || rc == SECOR_FATAL);
	if (rc != SECOR_OK)
		MUST(err.text[0] != '\0' && batches.count == 0 &&
		     batches.next == in->from);
	for (size_t i = 0; i < batches.count; i++)
		least = walk(&batches.spans[i], least, batches.next);
	batches_empty(&batches, 1 << 16);
	/* once more with what it kept */
	MUST(batches_read(in, &batches, &err) == rc);
	batches_fini(&batches);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct aborted aborted[] = {{1002, 12}, {1001, 10}};
	struct batches_in in = {0};
	char *bytes;

	if (size == 0)
		return 0;
	in.len = size - 1;
	bytes = malloc(in.len > 0 ? in.len : 1);
	MUST(bytes != NULL);
	memcpy(bytes, data + 1, in.len);
	if ((data[0] & SIGNED) != 0)
		sign(bytes, in.len);
	if ((data[0] & ABORTED) != 0) {
		in.aborted = aborted;
		in.aborted_count = 2;
	}
	/* of the first batch, as far as its offset is small */
	if ((data[0] & MIDDLE) != 0 && in.len >= 8)
		in.from = (int64_t)be32(bytes + 4) + 2;
	in.bytes = bytes;
	read_all(&in);
	free(bytes);
	return 0;
}
