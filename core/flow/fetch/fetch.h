/*
 * fetch.h -- reads partitions from their leaders by connections of its own:
 * Fetch requests alone. Groups, commits, offsets and metadata stay
 * librdkafka's, whose partitions are paused meanwhile.
 *
 * librdkafka makes an op of every message, which costs twice what the rest of
 * the engine does; here a message is looked at where the socket put it.
 *
 * One thread a broker (reader.c) sends a request, checks and decompresses what
 * comes, and hands the answer to the consumer thread; one more (leaders.c) asks
 * librdkafka who leads what. At most two answers of a broker are there at once:
 * one that is looked at, one that waits or comes.
 *
 * Invariants: messages of a partition come in the order of their offsets from
 * the one it was started at, each once; nothing that was read before a stop or
 * a start comes after it. What cannot be read is repeated or said, never passed
 * over.
 */
#ifndef SECOR_FLOW_FETCH_FETCH_H
#define SECOR_FLOW_FETCH_FETCH_H

#include "core/flow/login.h"
#include "core/flow/message.h"
#include <secor/plugin.h>

#include <librdkafka/rdkafka.h>

struct fetch;
struct fetch_part;

/* `wake` is called with `arg` by threads of the readers when there is something
 * to take and there was nothing before. */
struct fetch_conf {
	rd_kafka_t *rk;
	struct login *login; /* NULL: no tokens */
	void (*wake)(void *arg);
	void *arg;
};

/* SECOR_FATAL as link_conf_new(). No thread runs before the first start. */
int fetch_open(
    const struct fetch_conf *conf, struct fetch **fetch, struct secor_err *err);
/* Breaks off what is under way and joins all threads. Before `rk` and `login`
 * end. Accepts NULL. */
void fetch_close(struct fetch *fetch);

/* ---- consumer thread from here on ---- */

/* A partition; not read yet. Lives until fetch_close. `owner` comes back with
 * what is read. */
struct fetch_part *fetch_part_new(
    struct fetch *fetch, const char *topic, int32_t partition, void *owner);
/* Partitions that were made are started soon: asks who leads them, so that the
 * start need not wait for that. */
void fetch_prepare(struct fetch *fetch);
/* Reads from `offset` on (>= 0); anything read before is void. Behind what was
 * read last it is not known whether the log was cut since. */
void fetch_start(struct fetch_part *part, int64_t offset);
/* What others read and stored since, they read of another log, perhaps: it is
 * not held against what was read here, but what is before `offset` against the
 * leader epoch at which they read it; -1: not known. Nothing while it is read.
 */
void fetch_recall(struct fetch_part *part, int64_t offset, int32_t epoch);
/* The leader epoch at which what is before `offset` was read, or a later one
 * that was; -1: not known. */
int32_t fetch_epoch(struct fetch_part *part, int64_t offset);
/* Does not read any more; anything read before is void. */
void fetch_stop(struct fetch_part *part);

enum fetched_kind {
	FETCHED_NOTHING = 0, /* for now: `wake` will say */
	FETCHED_MESSAGE,
	/* The log ends at `offset` (for committed reads); once each time that
	 * it is reached. All that is committed before `offset` was given since
	 * the start; it is where reading stands, so never below the start or a
	 * message that was given, also where the log's end is (a replica that
	 * lags). The leader's may be farther. */
	FETCHED_END,
	/* The leader's log was cut (an unclean election, KIP-320): of what was
	 * given, messages from `offset` on are not in it, and their offsets are
	 * those of others, or will be. A topic that was created again may look
	 * so. The partition waits for a start. */
	FETCHED_CUT,
	/* `error` is a code of librdkafka's, with `text`. Where it may pass the
	 * readers go on by themselves. RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
	 * the leader does not have `offset`; the partition waits for a start.
	 * RD_KAFKA_RESP_ERR__BAD_MSG: what is there at `offset` is damaged;
	 * asked for again each second. RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
	 * this broker or this log cannot be read so at all.
	 * RD_KAFKA_RESP_ERR__AUTHENTICATION: a broker refuses our connections
	 * (certificate, login), while librdkafka has its own. */
	FETCHED_ERROR
};

struct fetched {
	void *owner;		/* NULL: an error of no partition */
	struct message message; /* of FETCHED_MESSAGE; until the next call */
	int64_t offset;		/* of the others; -1: unknown */
	int64_t high;		/* the log's end as of this answer; -1 */
	rd_kafka_resp_err_t error;
	const char *text;
};

/* The next thing that was read; never waits. */
enum fetched_kind fetch_next(struct fetch *fetch, struct fetched *fetched);
/* Whether fetch_next() would find an answer. */
int fetch_ready(const struct fetch *fetch);

#endif
