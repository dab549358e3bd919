/*
 * request.c -- see request.h. An answer is believed only as a whole: counts are
 * held against what is left, and nothing may be left behind the last byte.
 */
#include "core/flow/fetch/request.h"

#include <stdlib.h>
#include <string.h>

enum {
	REPLICA_NONE = -1, /* a consumer */
	READ_COMMITTED = 1,
	NO_SESSION = 0,
	NO_EPOCH = -1, /* of a session, and of a leader */
	/* The least that these can take in an answer. */
	TOPIC_LEAST = 2 + 4,
	PARTITION_LEAST = 4 + 2 + 8 + 8 + 4 + 4,
	ABORTED_LEAST = 8 + 8
};

/* ---- request ---- */

static void
write_ask(
    const struct request *request, const struct ask *ask, struct buf *body)
{
	wire_put_int32(body, ask->partition);
	if (request->version >= 9)
		wire_put_int32(body, NO_EPOCH);
	wire_put_int64(body, ask->offset);
	if (request->version >= 5)
		wire_put_int64(body, -1); /* a follower's log start */
	wire_put_int32(body, request->partition_bytes);
}

/* From `from` on, those of one topic. Returns where the next topic begins. */
static size_t
write_topic(const struct request *request, size_t from, struct buf *body)
{
	const struct ask *asks = request->asks;
	size_t until = from, count_at;

	wire_put_string(body, asks[from].topic);
	count_at = body->len;
	wire_put_int32(body, 0);
	for (; until < request->count &&
	       strcmp(asks[until].topic, asks[from].topic) == 0;
	     until++)
		write_ask(request, &asks[until], body);
	wire_set_int32(body, count_at, (int32_t)(until - from));
	return until;
}

void
request_write(const struct request *request, struct buf *body)
{
	size_t count_at;
	int32_t topics = 0;

	wire_put_int32(body, REPLICA_NONE);
	wire_put_int32(body, request->wait_ms);
	wire_put_int32(body, request->min_bytes);
	wire_put_int32(body, request->max_bytes);
	wire_put_int8(body, READ_COMMITTED);
	if (request->version >= 7) {
		wire_put_int32(body, NO_SESSION);
		wire_put_int32(body, NO_EPOCH);
	}
	count_at = body->len;
	wire_put_int32(body, 0);
	for (size_t i = 0; i < request->count; topics++)
		i = write_topic(request, i, body);
	wire_set_int32(body, count_at, topics);
	if (request->version >= 7)
		wire_put_int32(body, 0); /* topics that a session forgets */
	if (request->version >= 11)
		wire_put_string(
		    body, request->rack == NULL ? "" : request->rack);
}

/* ---- answer ---- */

static struct reply *
add_reply(struct replies *replies)
{
	if (replies->count == replies->room) {
		replies->room = replies->room == 0 ? 16 : replies->room * 2;
		replies->items = mem_grow(
		    replies->items, replies->room * sizeof(*replies->items));
	}
	return &replies->items[replies->count++];
}

static void
reserve_aborted(struct replies *replies, size_t count)
{
	if (count <= replies->aborted_room)
		return;
	while (replies->aborted_room < count)
		replies->aborted_room =
		    replies->aborted_room == 0 ? 16 : replies->aborted_room * 2;
	replies->aborted = mem_grow(
	    replies->aborted, replies->aborted_room * sizeof(struct aborted));
}

/* `before` are there of other partitions. Returns how many there are now. */
static size_t
read_aborted(struct wire *in, struct replies *replies, struct reply *reply,
    size_t before)
{
	int32_t count = wire_count(in, ABORTED_LEAST);

	reply->aborted = NULL;
	reply->aborted_count = in->bad ? 0 : (size_t)count;
	reserve_aborted(replies, before + reply->aborted_count);
	for (size_t i = 0; i < reply->aborted_count; i++) {
		struct aborted *aborted = &replies->aborted[before + i];

		aborted->producer_id = wire_int64(in);
		aborted->first_offset = wire_int64(in);
	}
	return before + reply->aborted_count;
}

static size_t
read_partition(struct wire *in, int version, struct wire_bytes topic,
    struct replies *replies, size_t aborted)
{
	struct reply *reply = add_reply(replies);
	struct wire_bytes records;

	reply->topic = topic;
	reply->partition = wire_int32(in);
	reply->error = wire_int16(in);
	reply->high_watermark = wire_int64(in);
	reply->last_stable = wire_int64(in);
	reply->log_start = version >= 5 ? wire_int64(in) : -1;
	aborted = read_aborted(in, replies, reply, aborted);
	reply->preferred = version >= 11 ? wire_int32(in) : -1;
	records = wire_bytes(in);
	reply->records = records.ptr;
	reply->len = records.len;
	if (reply->error != 0)
		reply->high_watermark = -1;
	return aborted;
}

static void
read_topics(struct wire *in, int version, struct replies *replies)
{
	int32_t topics = wire_count(in, TOPIC_LEAST);
	size_t aborted = 0;

	for (; topics > 0 && !in->bad; topics--) {
		struct wire_bytes topic = wire_string(in);
		int32_t n = wire_count(in, PARTITION_LEAST);

		for (; n > 0 && !in->bad; n--)
			aborted = read_partition(
			    in, version, topic, replies, aborted);
	}
}

/* Their memory stands still now. */
static void
place_aborted(struct replies *replies)
{
	size_t at = 0;

	for (size_t i = 0; i < replies->count; i++) {
		struct reply *reply = &replies->items[i];

		if (reply->aborted_count > 0)
			reply->aborted = replies->aborted + at;
		at += reply->aborted_count;
	}
}

int
replies_read(struct replies *replies, int version, const char *answer,
    size_t len, struct secor_err *err)
{
	struct wire in = {answer, answer + len, 0};

	replies->count = 0;
	replies->throttle_ms = wire_int32(&in);
	replies->error = version >= 7 ? wire_int16(&in) : 0;
	if (version >= 7)
		(void)wire_int32(&in); /* session */
	read_topics(&in, version, replies);
	if (in.bad || in.at != in.end) {
		replies->count = 0;
		return secor_fail(err, SECOR_REJECT,
		    "%zu bytes are no answer to Fetch version %d", len,
		    version);
	}
	place_aborted(replies);
	return SECOR_OK;
}

void
replies_fini(struct replies *replies)
{
	free(replies->items);
	free(replies->aborted);
	memset(replies, 0, sizeof(*replies));
}
