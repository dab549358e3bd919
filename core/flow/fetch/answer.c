/*
 * answer.c -- what a broker said, partition by partition. Reading it needs no
 * lock; what it means for the partitions is settled at once under the lock.
 */
#include "core/flow/fetch/fetch_inside.h"

#include <stdlib.h>
#include <string.h>

/* So often memory that is not needed any more is given back. */
enum { TRIM_AFTER = 16, CUT_OFF_MOST = 2 };
/* Plain bytes of an answer, in all. */
#define PLAIN_MOST ((size_t)8 << 20)

/* ---- memory ---- */

void
answer_init(struct answer *answer, struct reader *reader)
{
	memset(answer, 0, sizeof(*answer));
	answer->reader = reader;
}

static size_t
most_of(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void
note_peak(struct answer *answer)
{
	struct peak *peak = &answer->peak;

	peak->answers++;
	peak->bytes = most_of(peak->bytes, answer->bytes.len);
	peak->batches = most_of(peak->batches, answer->batches_count);
	for (size_t i = 0; i < answer->batches_count; i++)
		peak->plain =
		    most_of(peak->plain, answer->batches[i].plain_bytes);
}

/* What the last answers did not need goes. */
static void
trim(struct answer *answer)
{
	const struct peak *peak = &answer->peak;

	if (answer->bytes.room / 4 > peak->bytes)
		buf_fini(&answer->bytes);
	for (size_t i = 0; i < answer->batches_room; i++)
		batches_empty(&answer->batches[i],
		    i < peak->batches ? 2 * peak->plain : 0);
	memset(&answer->peak, 0, sizeof(answer->peak));
}

void
answer_empty(struct answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		free(answer->items[i].text);
	answer->count = 0;
	note_peak(answer);
	if (answer->peak.answers == TRIM_AFTER)
		trim(answer);
	for (size_t i = 0; i < answer->batches_count; i++)
		batches_empty(&answer->batches[i], SIZE_MAX);
	answer->batches_count = 0;
	answer->plain_bytes = 0;
	answer->bytes.len = 0;
}

void
answer_fini(struct answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		free(answer->items[i].text);
	for (size_t i = 0; i < answer->batches_room; i++)
		batches_fini(&answer->batches[i]);
	free(answer->batches);
	free(answer->items);
	replies_fini(&answer->replies);
	buf_fini(&answer->bytes);
}

static struct item *
add_item(struct answer *answer)
{
	struct item *item;

	if (answer->count == answer->room) {
		answer->room = answer->room == 0 ? 16 : answer->room * 2;
		answer->items = mem_grow(
		    answer->items, answer->room * sizeof(*answer->items));
	}
	item = &answer->items[answer->count++];
	memset(item, 0, sizeof(*item));
	return item;
}

static struct batches *
add_batches(struct answer *answer)
{
	size_t room = answer->batches_room;

	if (answer->batches_count == room) {
		answer->batches_room = room == 0 ? 4 : room * 2;
		answer->batches = mem_grow(answer->batches,
		    answer->batches_room * sizeof(*answer->batches));
		memset(answer->batches + room, 0,
		    (answer->batches_room - room) * sizeof(*answer->batches));
	}
	return &answer->batches[answer->batches_count++];
}

void
answer_say(struct answer *answer, rd_kafka_resp_err_t error, const char *text)
{
	struct item *item;

	answer_empty(answer);
	item = add_item(answer);
	item->kind = FETCHED_ERROR;
	item->offset = item->high = -1;
	item->error = error;
	item->text = mem_dup(text, strlen(text));
}

/* ---- reading ---- */

int
part_is(
    const struct fetch_part *part, struct wire_bytes topic, int32_t partition)
{
	return partition == part->partition &&
	       topic.len == strlen(part->topic) &&
	       memcmp(topic.ptr, part->topic, topic.len) == 0;
}

/* Brokers answer in the order of the request: the next one is at *at. */
static const struct asked *
find_asked(const struct reader *reader, const struct reply *reply, size_t *at)
{
	for (size_t i = 0; i < reader->asked_count; i++) {
		size_t n = (*at + i) % reader->asked_count;

		if (part_is(reader->asked[n].part, reply->topic,
			reply->partition)) {
			*at = n + 1;
			return &reader->asked[n];
		}
	}
	return NULL;
}

static void
say_unreadable(struct item *item, int rc, const char *why)
{
	item->kind = FETCHED_ERROR;
	item->error = rc == SECOR_FATAL ? RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE
					: RD_KAFKA_RESP_ERR__BAD_MSG;
	item->text = mem_text("topic %s partition %d from offset %lld on: %s",
	    item->part->topic, (int)item->part->partition,
	    (long long)item->offset, why);
	fetch_count_error(rc == SECOR_FATAL ? "unsupported" : "damaged");
}

/* What may still be decompressed; the first batch of a partition always is. */
static size_t
plain_left(const struct answer *answer)
{
	size_t used = answer->plain_bytes;

	return used < PLAIN_MOST ? PLAIN_MOST - used : 1;
}

static void
read_records(struct answer *answer, struct item *item)
{
	const struct reply *reply = item->reply;
	struct batches_in in = {.bytes = reply->records,
	    .len = reply->len,
	    .from = item->offset,
	    .aborted = reply->aborted,
	    .aborted_count = reply->aborted_count,
	    .plain_most = plain_left(answer)};
	struct batches *batches = add_batches(answer);
	struct secor_err err = {""};
	int rc = batches_read(&in, batches, &err);

	item->batches = answer->batches_count - 1;
	if (rc != SECOR_OK) {
		say_unreadable(item, rc, err.text);
	} else {
		item->next = batches->next;
		item->first_epoch = batches->first_epoch;
		item->last_epoch = batches->last_epoch;
		if (batches->count > 0)
			item->kind = FETCHED_MESSAGE;
	}
	if (item->kind == FETCHED_MESSAGE)
		answer->plain_bytes += batches->plain_bytes;
	else
		answer->batches_count--;
}

static void
read_part(
    struct answer *answer, const struct reply *reply, const struct asked *asked)
{
	struct item *item = add_item(answer);

	item->part = asked->part;
	item->serial = asked->serial;
	item->offset = item->next = asked->offset;
	item->high = reply->high_watermark;
	item->epoch = asked->epoch;
	item->epoch_from = asked->epoch_from;
	item->first_epoch = item->last_epoch = -1;
	item->reply = reply;
	if (reply->error != 0)
		fetch_count_error(
		    rd_kafka_err2name((rd_kafka_resp_err_t)reply->error));
	else if (reply->len > 0)
		read_records(answer, item);
}

int
answer_read(struct answer *answer, int version, struct secor_err *err)
{
	const struct reader *reader = answer->reader;
	const char *bytes = answer->bytes.ptr == NULL ? "" : answer->bytes.ptr;
	struct replies *replies = &answer->replies;
	int rc = replies_read(replies, version, bytes, answer->bytes.len, err);
	size_t at = 0;

	answer->count = 0;
	if (rc != SECOR_OK)
		fetch_count_error("answer");
	for (size_t i = 0; rc == SECOR_OK && i < replies->count; i++) {
		const struct asked *asked =
		    find_asked(reader, &replies->items[i], &at);

		if (asked != NULL)
			read_part(answer, &replies->items[i], asked);
	}
	return rc;
}

/* ---- errors ---- */

/* Holds: lock. */
static void
say_error(struct item *item, int64_t now_ms)
{
	rd_kafka_resp_err_t error = (rd_kafka_resp_err_t)item->reply->error;

	item->kind = FETCHED_ERROR;
	item->error = error;
	item->text = mem_text("topic %s partition %d at offset %lld: %s",
	    item->part->topic, (int)item->part->partition,
	    (long long)item->offset, rd_kafka_err2str(error));
	item->part->due_ms = now_ms + SAY_AGAIN_MS;
}

static void
on_error(struct item *item, const struct reader *reader, int64_t now_ms)
{
	struct fetch_part *part = item->part;

	if (part->replica == reader->id) {
		leaders_leave_replica(part, now_ms);
		return;
	}
	part->due_ms = now_ms + reader->fetch->error_backoff_ms;
	switch ((rd_kafka_resp_err_t)item->reply->error) {
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		say_error(item, now_ms);
		part->wanted = 0; /* until a start */
		reader_drop(part);
		return;
	case RD_KAFKA_RESP_ERR_INVALID_MSG:
		say_error(item, now_ms);
		item->error = RD_KAFKA_RESP_ERR__BAD_MSG;
		return;
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
		say_error(item, now_ms);
		item->error = RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
		return;
	case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
	case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
	case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
	case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
	case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
		leaders_lose(part);
		return;
	default: /* somebody should know */
		say_error(item, now_ms);
		leaders_ask(reader->fetch);
		return;
	}
}

/* ---- settling ---- */

/* For committed reads; -1: unknown. */
static int64_t
end_of(const struct reply *reply)
{
	return reply->last_stable >= 0 ? reply->last_stable
				       : reply->high_watermark;
}

static void
settle_end(struct item *item)
{
	int64_t end = end_of(item->reply);

	if (item->reply->len > 0 || item->offset < end || end < 0 ||
	    item->part->end_said)
		return;
	item->part->end_said = 1;
	item->kind = FETCHED_END;
}

/* KIP-392: another replica is nearer. */
static void
settle_replica(
    const struct item *item, const struct reader *reader, int64_t now_ms)
{
	struct fetch_part *part = item->part;
	int32_t preferred = item->reply->preferred;

	if (preferred < 0 || preferred == reader->id ||
	    reader->fetch->rack == NULL || reader->leader_alone)
		return;
	part->replica = preferred;
	part->lease_ms = now_ms + REPLICA_LEASE_MS;
	reader_drop(part);
	leaders_place(part);
}

/* Asks again for what is damaged: at a replica it may be alone. */
static void
ask_again(struct fetch_part *part, const struct reader *reader, int64_t now_ms)
{
	part->due_ms = now_ms + SAY_AGAIN_MS;
	if (part->reader == reader && part->replica == reader->id)
		leaders_leave_replica(part, now_ms);
}

/* The first of a request always gets its first batch whole (KIP-74): a length
 * that is beyond what came is damaged, which no checksum shows. */
static void
settle_cut_off(struct item *item, const struct reader *reader, int64_t now_ms)
{
	struct fetch_part *part = item->part;

	if (reader->asked_count == 0 || reader->asked[0].part != part ||
	    ++part->cut_off < CUT_OFF_MOST)
		return;
	item->kind = FETCHED_ERROR;
	item->error = RD_KAFKA_RESP_ERR__BAD_MSG;
	item->text = mem_text("topic %s partition %d from offset %lld on: the "
			      "batch does not end where its length says",
	    part->topic, (int)part->partition, (long long)item->offset);
	ask_again(part, reader, now_ms);
	fetch_count_error("damaged");
}

/* Nothing is given before it is known; of a broker that never says so, somebody
 * should know. */
static void
settle_doubt(struct item *item, const struct reader *reader, int64_t now_ms)
{
	struct fetch_part *part = item->part;

	ask_again(part, reader, now_ms);
	if (++part->doubts < DOUBTS_MOST)
		return;
	item->kind = FETCHED_ERROR;
	item->text = mem_text("topic %s partition %d at offset %lld waits "
			      "until its leader says whether the log was cut "
			      "(OffsetForLeaderEpoch): %s",
	    part->topic, (int)part->partition, (long long)item->offset,
	    rd_kafka_err2str(item->error));
}

static void
settle_good(struct item *item, const struct reader *reader, int64_t now_ms)
{
	struct fetch_part *part = item->part;
	int goes_on = item->next > part->position;

	if (goes_on) {
		if (part->epoch != item->last_epoch)
			part->epoch_from = part->position;
		part->position = item->next;
		part->epoch = item->last_epoch;
		part->end_said = part->cut_off = 0;
	} else if (item->kind == FETCHED_MESSAGE) {
		item->kind = FETCHED_NOTHING; /* never twice */
	} else if (item->reply->len > 0) {
		settle_cut_off(item, reader, now_ms);
	} else {
		settle_end(item);
	}
	if (part->reader != reader)
		return;
	part->refused = NOBODY;
	part->fresh = 0;
	part->more = part->position < end_of(item->reply);
	if (goes_on) /* a batch that was cut off comes whole to the first */
		reader_rotate(part);
	settle_replica(item, reader, now_ms);
}

static void
settle_item(struct item *item, const struct reader *reader, int64_t now_ms)
{
	struct fetch_part *part = item->part;

	if (part->serial != item->serial || part->position != item->offset ||
	    !part->wanted) {
		item->kind = FETCHED_NOTHING;
		return;
	}
	part->more = 0;
	if (item->kind == FETCHED_ERROR) {
		ask_again(part, reader, now_ms);
		return;
	}
	if (item->unproven) {
		settle_doubt(item, reader, now_ms);
		return;
	}
	part->doubts = 0;
	if (item->kind == FETCHED_CUT) {
		item->offset = item->cut_at;
		part->wanted = 0; /* until a start */
		reader_drop(part);
		return;
	}
	if (item->reply->error == 0)
		settle_good(item, reader, now_ms);
	else if (part->reader == reader)
		on_error(item, reader, now_ms);
}

/* As many as an answer had room for, and as many again. */
static void
settle_few(struct reader *reader, size_t served)
{
	reader->few_most = 2 * served;
	if (served > 0 && reader->few_most < FEW_LEAST)
		reader->few_most = FEW_LEAST;
}

int
answer_settle(struct answer *answer, int64_t now_ms)
{
	size_t kept = 0, served = 0;

	for (size_t i = 0; i < answer->count; i++) {
		struct item *item = &answer->items[i];

		settle_item(item, answer->reader, now_ms);
		served += item->next > item->offset;
		if (item->kind != FETCHED_NOTHING)
			answer->items[kept++] = *item;
		else
			free(item->text);
	}
	answer->count = kept;
	settle_few(answer->reader, served);
	return kept > 0;
}
