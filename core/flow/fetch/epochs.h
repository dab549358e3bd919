/*
 * epochs.h -- OffsetForLeaderEpoch requests and answers, versions 2 and 3:
 * where a leader's log has the end of an epoch. Source: KIP-320; Kafka protocol
 * guide, "OffsetForLeaderEpoch API (Key: 23)".
 */
#ifndef SECOR_FLOW_FETCH_EPOCHS_H
#define SECOR_FLOW_FETCH_EPOCHS_H

#include "core/base/buf.h"
#include "core/flow/fetch/wire.h"
#include <secor/plugin.h>

#include <stddef.h>
#include <stdint.h>

/* Before version 2 only brokers may ask. */
enum { EPOCHS_LEAST = 2, EPOCHS_MOST = 3 };

struct epoch_ask {
	const char *topic;
	int32_t partition;
	int32_t epoch;
};

/* The body, appended. Those of one topic that stand together are sent as one
 * topic. */
void epochs_write(
    int version, const struct epoch_ask *asks, size_t count, struct buf *body);

/* `topic` points into the answer. */
struct epoch_end {
	struct wire_bytes topic;
	int32_t partition;
	int16_t error; /* Kafka's code */
	int32_t epoch; /* the latest that the log has up to the one asked for */
	int64_t end;   /* behind the last message of that; -1: not known */
};

/* Up to `room` of them. SECOR_REJECT: no answer to so many. */
int epochs_read(struct epoch_end *ends, size_t room, size_t *count,
    const char *answer, size_t len, struct secor_err *err);

#endif
