/*
 * fetch_answer_fuzz.c -- any bytes as an answer to Fetch, and what it has of
 * partitions as record batches: what is given lies within the answer, offsets
 * go up, and never below what was asked for. And as an answer of where epochs
 * end.
 *
 * The first byte chooses the version, the second the offset. Where the highest
 * bit of the first is set the checksums are made right, so that what is behind
 * them is seen, too.
 */
#include "core/base/hash.h"
#include "core/flow/fetch/batches.h"
#include "core/flow/fetch/epochs.h"
#include "core/flow/fetch/request.h"
#include "tests/fuzz/fuzz.h"

enum { HEADERS_MAX = 1 << 16 };

static void
check_headers(const struct message *message)
{
	struct secor_header *list;
	struct buf names = {0};
	int count;

	if (message->header_count == 0 || message->header_count > HEADERS_MAX)
		return;
	list = calloc((size_t)message->header_count, sizeof(*list));
	MUST(list != NULL);
	count = message_headers(message, list, &names);
	MUST(count == -1 || count == message->header_count);
	for (int i = 0; i < count; i++)
		MUST(strlen(list[i].name) < names.len);
	free(list);
	buf_fini(&names);
}

/* Reads all bytes, so that a sanitizer sees those beyond. */
static unsigned
sum(const char *bytes, size_t len)
{
	unsigned total = 0;

	for (size_t i = 0; bytes != NULL && i < len; i++)
		total += (unsigned char)bytes[i];
	return total;
}

static void
check_records(const struct batches *batches, int64_t from)
{
	int64_t next = from;

	for (size_t i = 0; i < batches->count; i++) {
		struct cursor cursor;
		struct message message;
		const struct secor_message *raw = &message.raw;

		cursor_begin(&cursor, &batches->spans[i]);
		while (cursor_next(&cursor, &message) > 0) {
			MUST(raw->offset >= next);
			MUST(raw->offset < batches->next);
			next = raw->offset + 1;
			(void)sum(raw->key.ptr, raw->key.len);
			(void)sum(raw->value.ptr, raw->value.len);
			check_headers(&message);
		}
	}
}

static void
check_reply(
    const struct reply *reply, int64_t from, const char *bytes, const char *end)
{
	const struct batches_in in = {.bytes = reply->records,
	    .len = reply->len,
	    .from = from,
	    .aborted = reply->aborted,
	    .aborted_count = reply->aborted_count};
	struct batches batches = {0};
	struct secor_err err;

	MUST(reply->len == 0 ||
	     (reply->records >= bytes && reply->records + reply->len <= end));
	MUST(reply->error == 0 || reply->high_watermark == -1);
	MUST(reply->aborted_count == 0 || reply->aborted != NULL);
	if (reply->len == 0)
		return;
	if (batches_read(&in, &batches, &err) == SECOR_OK) {
		MUST(batches.next >= from);
		check_records(&batches, from);
	} else {
		MUST(batches.next == from && batches.count == 0);
	}
	batches_fini(&batches);
}

/* Length, checksum and what that is of, where they are in a batch. */
enum { AT_LENGTH = 8, AT_CRC = 17, AT_SUMMED = 21 };

/* `records` lie in `bytes`, which are the caller's to change. */
static void
mend(char *bytes, const struct reply *reply)
{
	char *at = reply->len == 0 ? NULL : bytes + (reply->records - bytes);
	size_t left = reply->len;

	while (left > AT_SUMMED) {
		struct wire in = {at + AT_LENGTH, at + left, 0};
		int32_t length = wire_int32(&in);
		size_t size = (size_t)length + AT_LENGTH + 4;
		uint32_t crc;

		if (length < 0 || size > left || size <= AT_SUMMED)
			return;
		crc = crc32c_add(0, at + AT_SUMMED, size - AT_SUMMED);
		for (int i = 0; i < 4; i++)
			at[AT_CRC + i] = (char)(crc >> (24 - 8 * i));
		at += size;
		left -= size;
	}
}

static void
check_answer(char *bytes, size_t size, int version, uint8_t from, int mends)
{
	struct replies replies = {0};
	struct secor_err err;

	if (replies_read(&replies, version, bytes, size, &err) != SECOR_OK)
		MUST(replies.count == 0);
	for (size_t i = 0; i < replies.count; i++) {
		if (mends)
			mend(bytes, &replies.items[i]);
		check_reply(&replies.items[i], from, bytes, bytes + size);
	}
	replies_fini(&replies);
}

static void
check_epochs(const char *bytes, size_t size)
{
	struct epoch_end ends[8];
	struct secor_err err;
	size_t count;
	int rc = epochs_read(ends, 8, &count, bytes, size, &err);

	MUST(count <= 8 && (rc == SECOR_OK || count == 0));
	for (size_t i = 0; i < count; i++)
		(void)sum(ends[i].topic.ptr, ends[i].topic.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes;

	if (size < 2)
		return 0;
	bytes = malloc(size - 2 + 1);
	MUST(bytes != NULL);
	memcpy(bytes, data + 2, size - 2);
	check_answer(bytes, size - 2,
	    FETCH_LEAST + (data[0] & 0x7f) % (FETCH_MOST - FETCH_LEAST + 1),
	    data[1], data[0] & 0x80);
	check_epochs(bytes, size - 2);
	free(bytes);
	return 0;
}
