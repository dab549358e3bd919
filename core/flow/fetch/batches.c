/*
 * batches.c -- see batches.h. A batch is believed when its CRC is right; then
 * what it says of itself is checked against what there is.
 *
 * Invariant: `next` moves over whole batches that were good, and never back.
 */
#include "core/flow/fetch/batches.h"

#include "core/base/hash.h"
#include "core/flow/fetch/codec.h"

#include <stdlib.h>
#include <string.h>

/* Where things are in a batch (Kafka documentation, "Record Batch"). */
enum {
	AT_LENGTH = 8,
	AT_EPOCH = 12,
	AT_MAGIC = 16,
	AT_CRC = 17,
	AT_ATTRIBUTES = 21,
	AT_LAST_DELTA = 23,
	AT_BASE_TIMESTAMP = 27,
	AT_MAX_TIMESTAMP = 35,
	AT_PRODUCER = 43,
	AT_COUNT = 57,
	AT_RECORDS = 61
};
#define AFTER_LENGTH (AT_LENGTH + 4)
/* The least of message formats 0 and 1, from behind their length on. */
#define LEAST_OLD 14
/* A record is one byte each of length, attributes, deltas of time and offset,
 * lengths of key and value, count of headers. */
#define LEAST_RECORD 7

#define CODEC_BITS 0x07
#define LOG_APPEND_BIT 0x08
#define TRANSACTION_BIT 0x10
#define CONTROL_BIT 0x20

struct batch_head {
	int64_t base_offset, last_offset;
	int32_t epoch;
	size_t size; /* all of it */
	int attributes;
	int64_t producer_id;
};

static uint64_t
be(const char *at, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | (unsigned char)at[i];
	return value;
}

static int64_t
be64(const char *at)
{
	return (int64_t)be(at, 8);
}

static int32_t
be32(const char *at)
{
	return (int32_t)be(at, 4);
}

static int
damaged(struct secor_err *err, const char *at, const char *what)
{
	return secor_fail(err, SECOR_REJECT, "batch at offset %lld: %s",
	    (long long)be64(at), what);
}

/* ---- the head of a batch ---- */

/* What is wrong with the sizes of a batch of which `left` bytes are there; NULL
 * and `size` 0: it is cut off. */
static const char *
read_size(const char *at, size_t left, size_t *size)
{
	int32_t length;

	*size = 0;
	if (left < AFTER_LENGTH)
		return NULL;
	length = be32(at + AT_LENGTH);
	if (length < LEAST_OLD)
		return "a length that cannot be";
	if (left <= AT_MAGIC || at[AT_MAGIC] == 0 || at[AT_MAGIC] == 1)
		return NULL; /* not looked at any more */
	if (at[AT_MAGIC] != 2)
		return "a message format that is not known";
	if (length < AT_RECORDS - AFTER_LENGTH)
		return "a length that cannot be";
	if ((size_t)length <= left - AFTER_LENGTH)
		*size = AFTER_LENGTH + (size_t)length;
	return NULL;
}

static const char *
read_head(const char *at, int64_t least, struct batch_head *head)
{
	uint32_t crc = (uint32_t)be(at + AT_CRC, 4);
	int32_t last_delta = be32(at + AT_LAST_DELTA);
	int32_t count = be32(at + AT_COUNT);

	if (crc32c_add(0, at + AT_ATTRIBUTES, head->size - AT_ATTRIBUTES) !=
	    crc)
		return "the checksum is wrong";
	head->base_offset = be64(at);
	if (head->base_offset < least)
		return "offsets that go back";
	if (last_delta < 0 || head->base_offset > INT64_MAX - 1 - last_delta)
		return "offsets that cannot be";
	if (count < 0 || count - 1 > last_delta)
		return "more records than offsets";
	head->last_offset = head->base_offset + last_delta;
	head->epoch = be32(at + AT_EPOCH);
	head->attributes = (int)be(at + AT_ATTRIBUTES, 2);
	head->producer_id = be64(at + AT_PRODUCER);
	return NULL;
}

/* ---- transactions ---- */

static int
by_offset(const void *a, const void *b)
{
	const struct aborted *x = a, *y = b;

	return (x->first_offset > y->first_offset) -
	       (x->first_offset < y->first_offset);
}

static void
take_aborted(struct batches *out, const struct batches_in *in)
{
	size_t bytes = in->aborted_count * sizeof(*out->waiting);

	out->dead_count = 0;
	out->waiting_at = 0;
	out->waiting_count = in->aborted_count;
	if (in->aborted_count == 0)
		return;
	if (out->waiting_room < in->aborted_count) {
		out->waiting = mem_grow(out->waiting, bytes);
		out->waiting_room = in->aborted_count;
	}
	memcpy(out->waiting, in->aborted, bytes);
	qsort(
	    out->waiting, out->waiting_count, sizeof(*out->waiting), by_offset);
}

/* Where a producer is among the dead, or dead_count. */
static size_t
find_dead(const struct batches *out, int64_t producer_id)
{
	size_t i = 0;

	while (i < out->dead_count && out->dead[i] != producer_id)
		i++;
	return i;
}

/* Transactions that begin up to `offset` have begun. */
static void
begin_aborted(struct batches *out, int64_t offset)
{
	while (out->waiting_at < out->waiting_count &&
	       out->waiting[out->waiting_at].first_offset <= offset) {
		int64_t id = out->waiting[out->waiting_at++].producer_id;

		if (find_dead(out, id) < out->dead_count)
			continue;
		if (out->dead_count == out->dead_room) {
			out->dead_room = 2 * out->dead_room + 8;
			out->dead = mem_grow(
			    out->dead, out->dead_room * sizeof(*out->dead));
		}
		out->dead[out->dead_count++] = id;
	}
}

/* Whether a control batch ends an aborted transaction; -1: it cannot be read,
 * and must not be taken for one that does not (what its producer commits after
 * it would be passed over). */
static int
is_abort_marker(const struct span *span)
{
	struct cursor cursor;
	struct message message;

	if (span->count == 0) /* compaction took it */
		return 0;
	cursor_begin(&cursor, span);
	if (cursor_next(&cursor, &message) != 1 || message.raw.key.len < 4)
		return -1;
	return be(message.raw.key.ptr + 2, 2) == 0;
}

static void
end_aborted(struct batches *out, int64_t producer_id)
{
	size_t i = find_dead(out, producer_id);

	if (i < out->dead_count)
		out->dead[i] = out->dead[--out->dead_count];
}

/* ---- its records ---- */

static int
unpack(struct batches *out, int codec, struct span *span, struct secor_err *err)
{
	struct buf *plain;
	int rc;

	if (out->plain_count == out->plain_room) {
		size_t more = out->plain_room + 8;

		out->plain = mem_grow(
		    out->plain, (out->plain_room + more) * sizeof(*plain));
		memset(out->plain + out->plain_room, 0, more * sizeof(*plain));
		out->plain_room += more;
	}
	plain = &out->plain[out->plain_count];
	plain->len = 0;
	rc = codec_decompress(
	    (enum codec)codec, span->records, span->len, plain, err);
	if (rc != SECOR_OK)
		return rc;
	out->plain_count++;
	out->plain_bytes += plain->len;
	span->records = plain->ptr;
	span->len = plain->len;
	return SECOR_OK;
}

static int
read_records(struct batches *out, const char *at, const struct batch_head *head,
    struct span *span, struct secor_err *err)
{
	struct secor_err why = {""};
	int codec = head->attributes & CODEC_BITS;
	int rc = SECOR_OK;

	span->records = at + AT_RECORDS;
	span->len = head->size - AT_RECORDS;
	span->count = be32(at + AT_COUNT);
	span->last_delta = be32(at + AT_LAST_DELTA);
	span->base_offset = head->base_offset;
	span->base_timestamp_ms = be64(at + AT_BASE_TIMESTAMP);
	span->max_timestamp_ms = be64(at + AT_MAX_TIMESTAMP);
	span->log_append = (head->attributes & LOG_APPEND_BIT) != 0;
	/* what compaction emptied is not compressed, whatever it says */
	if (codec != CODEC_NONE && span->len > 0)
		rc = unpack(out, codec, span, &why);
	if (rc != SECOR_OK)
		return secor_fail(err, rc, "batch at offset %lld: %s",
		    (long long)head->base_offset, why.text);
	if ((size_t)span->count > span->len / LEAST_RECORD)
		return damaged(err, at, "more records than bytes");
	if (span->count == 0 && span->len > 0)
		return damaged(err, at, "bytes behind the last record");
	return SECOR_OK;
}

static void
add_span(struct batches *out, const struct span *span)
{
	if (span->count == 0)
		return;
	if (out->count == out->room) {
		out->room = 2 * out->room + 8;
		out->spans =
		    mem_grow(out->spans, out->room * sizeof(*out->spans));
	}
	out->spans[out->count++] = *span;
}

static int
read_marker(struct batches *out, const char *at, const struct batch_head *head,
    struct span *span, struct secor_err *err)
{
	int is_abort;

	span->from = span->base_offset;
	is_abort = is_abort_marker(span);
	if (is_abort < 0)
		return damaged(err, at, "a marker that cannot be read");
	if (is_abort)
		end_aborted(out, head->producer_id);
	return SECOR_OK;
}

/* Nothing of it is given, and it need not be looked into. */
static int
is_passed_over(const struct batches *out, const struct batch_head *head)
{
	if ((head->attributes & CONTROL_BIT) != 0)
		return 0;
	return head->last_offset < out->next ||
	       ((head->attributes & TRANSACTION_BIT) != 0 &&
		   find_dead(out, head->producer_id) < out->dead_count);
}

/* It would have to be decompressed, and enough is. */
static int
is_too_much(const struct batches_in *in, struct batches *out,
    const struct batch_head *head)
{
	if (in->plain_most == 0 || out->plain_bytes < in->plain_most ||
	    out->count == 0)
		return 0;
	if ((head->attributes & CODEC_BITS) == 0 || head->size == AT_RECORDS)
		return 0;
	begin_aborted(out, head->last_offset);
	return !is_passed_over(out, head);
}

/* One batch whose head is good. */
static int
read_batch(struct batches *out, const char *at, const struct batch_head *head,
    struct secor_err *err)
{
	struct span span = {.from = out->next};
	int control = head->attributes & CONTROL_BIT;
	int rc;

	begin_aborted(out, head->last_offset);
	if (is_passed_over(out, head))
		return SECOR_OK;
	rc = read_records(out, at, head, &span, err);
	if (rc != SECOR_OK)
		return rc;
	if (!control) {
		add_span(out, &span);
		return SECOR_OK;
	}
	return read_marker(out, at, head, &span, err);
}

static void
note_epoch(struct batches *out, int32_t epoch)
{
	if (out->first_epoch < 0)
		out->first_epoch = epoch;
	out->last_epoch = epoch;
}

int
batches_read(
    const struct batches_in *in, struct batches *out, struct secor_err *err)
{
	const char *at = in->bytes, *end = in->bytes + in->len;
	struct batch_head head;
	int64_t least = 0;
	int rc = SECOR_OK;

	batches_empty(out, SIZE_MAX);
	out->next = in->from;
	out->first_epoch = out->last_epoch = -1;
	take_aborted(out, in);
	while (rc == SECOR_OK && at < end) {
		size_t left = (size_t)(end - at);
		const char *why = read_size(at, left, &head.size);

		if (why == NULL && head.size == 0)
			break;
		if (why == NULL)
			why = read_head(at, least, &head);
		if (why == NULL && is_too_much(in, out, &head))
			break;
		rc = why != NULL ? damaged(err, at, why)
				 : read_batch(out, at, &head, err);
		if (rc != SECOR_OK)
			break;
		at += head.size;
		least = head.last_offset + 1;
		if (least > out->next) {
			out->next = least;
			note_epoch(out, head.epoch);
		}
	}
	if (rc == SECOR_OK && end - at > AT_MAGIC &&
	    (at[AT_MAGIC] == 0 || at[AT_MAGIC] == 1))
		rc = secor_fail(err, SECOR_FATAL,
		    "message at offset %lld: message format %d, of before "
		    "Kafka 0.11, is not read here",
		    (long long)be64(at), at[AT_MAGIC]);
	return out->next > in->from ? SECOR_OK : rc;
}

void
batches_empty(struct batches *batches, size_t keep_bytes)
{
	size_t kept = 0;

	batches->count = 0;
	batches->plain_count = 0;
	batches->plain_bytes = 0;
	for (size_t i = 0; i < batches->plain_room; i++) {
		struct buf *plain = &batches->plain[i];

		if (plain->room > keep_bytes - kept)
			buf_fini(plain);
		kept += plain->room;
	}
}

void
batches_fini(struct batches *batches)
{
	batches_empty(batches, 0);
	free(batches->plain);
	free(batches->spans);
	free(batches->waiting);
	free(batches->dead);
	memset(batches, 0, sizeof(*batches));
}
