/*
 * request.h -- Fetch requests and answers, versions 4 to 11, without sessions
 * (KIP-227). Source: Kafka protocol guide, "Fetch API (Key: 1)".
 */
#ifndef SECOR_FLOW_FETCH_REQUEST_H
#define SECOR_FLOW_FETCH_REQUEST_H

#include "core/base/buf.h"
#include "core/flow/fetch/batches.h"
#include "core/flow/fetch/wire.h"
#include <secor/plugin.h>

#include <stdint.h>

enum { FETCH_LEAST = 4, FETCH_MOST = 11 };

/* One partition that is asked for. */
struct ask {
	const char *topic;
	int32_t partition;
	int64_t offset;
};

struct request {
	int version;
	int32_t wait_ms, min_bytes, max_bytes, partition_bytes;
	const char *rack;	/* NULL: none */
	const struct ask *asks; /* those of one topic that stand together are
				 * sent as one topic */
	size_t count;
};

/* The body, appended. Reads committed transactions alone. */
void request_write(const struct request *request, struct buf *body);

/* One partition of an answer; bytes point into the answer. */
struct reply {
	struct wire_bytes topic;
	int32_t partition;
	int16_t error;			/* Kafka's code */
	int64_t high_watermark;		/* -1 with an error */
	int64_t last_stable, log_start; /* -1: not told */
	int32_t preferred;		/* replica to read from; -1: none */
	struct aborted *aborted;	/* `replies` has the memory */
	size_t aborted_count;
	const char *records;
	size_t len;
};

/* Begins with zeros; keeps its memory from one answer to the next. */
struct replies {
	int32_t throttle_ms;
	int16_t error; /* of the whole answer */
	struct reply *items;
	size_t count, room;
	struct aborted *aborted;
	size_t aborted_room;
};

/* SECOR_REJECT: not an answer of this version. */
int replies_read(struct replies *replies, int version, const char *answer,
    size_t len, struct secor_err *err);
void replies_fini(struct replies *replies);

#endif
