/*
 * batches.h -- record batches (message format 2) out of what a Fetch answer has
 * of one partition: checked, decompressed, without control batches and without
 * those of aborted transactions.
 *
 * Source: Kafka documentation, "Message Format"; KIP-98 for transactions.
 */
#ifndef SECOR_FLOW_FETCH_BATCHES_H
#define SECOR_FLOW_FETCH_BATCHES_H

#include "core/base/buf.h"
#include "core/flow/message.h"
#include <secor/plugin.h>

#include <stddef.h>
#include <stdint.h>

/* The records of one batch, plain. */
struct span {
	const char *records;
	size_t len;
	int32_t count;
	int32_t last_delta; /* of offsets: none is beyond base + this */
	int64_t base_offset;
	int64_t from; /* records before it are passed over */
	int64_t base_timestamp_ms, max_timestamp_ms;
	int log_append; /* all records have max_timestamp_ms */
};

struct aborted {
	int64_t producer_id, first_offset;
};

/* What one partition has of an answer. `bytes` stays the caller's, and must
 * outlive what is made of it. */
struct batches_in {
	const char *bytes;
	size_t len;
	int64_t from; /* what was asked for: no record before it is given */
	const struct aborted *aborted; /* in any order */
	size_t aborted_count;
	size_t plain_most; /* see batches_read; 0: no bound */
};

/* Begins with zeros; used again and again: keeps its memory. */
struct batches {
	struct span *spans;
	size_t count, room;
	int64_t next; /* where to fetch on; `from` when nothing was whole */
	/* leader epochs of the first batch that is not before `from` and of
	 * the last one, also of those that are not given; -1: none */
	int32_t first_epoch, last_epoch;
	struct buf *plain; /* of decompressed batches, and scratch */
	size_t plain_count, plain_room;
	size_t plain_bytes; /* decompressed now */
	/* transactions: by first offset, and producers of those that began */
	struct aborted *waiting;
	size_t waiting_at, waiting_count, waiting_room;
	int64_t *dead;
	size_t dead_count, dead_room;
};

/* Reads whole batches; the last may be cut off (the broker cuts by bytes) and
 * is left out. Stops in front of the first one that is not good: what is before
 * it is given, `next` is behind that (so the next answer begins with the bad
 * one), and only when nothing is before it the code is not SECOR_OK:
 *
 *	SECOR_REJECT	the batch is damaged (CRC32C, lengths, counts, its
 *			compression); the text names its offset
 *	SECOR_FATAL	it cannot be read here: message format 0 or 1, a codec
 *			that is not known
 *
 * When `plain_most` bytes were decompressed and there is a batch that is given,
 * it stops in front of the next one that would have to be decompressed, too:
 * SECOR_OK, the rest is there to be asked for again from `next` on.
 *
 * A length is not covered by the CRC: one that is beyond the answer looks like
 * a batch that is cut off. Empties `out` first. Thread: any, one at a time. */
int batches_read(
    const struct batches_in *in, struct batches *out, struct secor_err *err);
/* What it decompressed is void. Memory is kept up to `keep_bytes`. */
void batches_empty(struct batches *batches, size_t keep_bytes);
void batches_fini(struct batches *batches);

/* ---- record by record ---- */

struct cursor {
	const char *at, *end;
	int32_t left;  /* records not read yet */
	int32_t delta; /* of the last one's offset; -1 */
	const struct span *span;
};

void cursor_begin(struct cursor *cursor, const struct span *span);

/* The next record: 1, `message` is filled but for topic, partition and headers
 * (those are checked by message_headers). 0: no more. -1: it is damaged, or
 * there are bytes behind the last one; what was read before counts. */
int cursor_next(struct cursor *cursor, struct message *message);

/* The headers of a message of the own readers into `list`, of room for
 * message->header_count. The names are made NUL-terminated in `names`, which
 * begins empty and lives as long as the list. Returns how many; -1: damaged. */
int message_headers(const struct message *message, struct secor_header *list,
    struct buf *names);

#endif
