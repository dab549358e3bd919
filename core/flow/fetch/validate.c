/*
 * validate.c -- whether the log that answers still has what was read of it
 * (KIP-320).
 *
 * A leader that was elected uncleanly lacks the end of the log, and gives the
 * offsets of that to other messages, which are of a later leader epoch. So when
 * an answer goes on with a later epoch than the last one ended with, the broker
 * is asked where its log has the end of the earlier one: below what was read,
 * the log was cut. The same where what was read is out of the log's range: it
 * may be too short for a moment only. Epochs rise with each election, so this
 * is rare.
 *
 * Thread: reader, without the lock.
 */
#include "core/flow/fetch/fetch_inside.h"

#include "core/base/log.h"
#include "core/flow/fetch/epochs.h"

#include <stdlib.h>

static int
is_in_doubt(const struct item *item)
{
	if (item->kind == FETCHED_ERROR || item->epoch < 0)
		return 0;
	return item->first_epoch > item->epoch ||
	       item->reply->error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
}

static size_t
count_in_doubt(const struct answer *answer)
{
	size_t count = 0;

	for (size_t i = 0; i < answer->count; i++)
		count += (size_t)is_in_doubt(&answer->items[i]);
	return count;
}

static void
list_in_doubt(const struct answer *answer, struct epoch_ask *asks)
{
	size_t count = 0;

	for (size_t i = 0; i < answer->count; i++) {
		const struct item *item = &answer->items[i];

		if (is_in_doubt(item))
			asks[count++] = (struct epoch_ask){item->part->topic,
			    item->part->partition, item->epoch};
	}
}

static const struct epoch_end *
find_end(const struct item *item, const struct epoch_end *ends, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (part_is(item->part, ends[i].topic, ends[i].partition))
			return &ends[i];
	return NULL;
}

/* Who leads is not settled: it is asked again, with what it brings. */
static int
may_pass(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
	case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
	case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
	case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
	case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
	case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
		return 1;
	default:
		return 0;
	}
}

/* What cannot be found out is believed: nobody waits for it for ever. */
static void
believe(const struct item *item, rd_kafka_resp_err_t error)
{
	log_line(SECOR_WARN, "log not validated",
	    "topic=%s partition=%d offset=%lld epoch=%d reason=%s next=read",
	    item->part->topic, (int)item->part->partition,
	    (long long)item->offset, (int)item->epoch,
	    rd_kafka_err2name(error));
}

/* Where a log that was cut parts from what was read. Behind two such elections
 * it may not have our epoch at all: what it has of the one before, up to `end`,
 * we have only up to where ours began. (One of which compaction took all of our
 * epoch was not cut: it has the end at or behind what was read.) */
static int64_t
parting(const struct item *item, const struct epoch_end *end)
{
	if (end->epoch < item->epoch && item->epoch_from < end->end)
		return item->epoch_from;
	return end->end;
}

static void
judge(struct item *item, const struct epoch_end *end)
{
	rd_kafka_resp_err_t error = end == NULL
					? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
					: (rd_kafka_resp_err_t)end->error;

	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		fetch_count_error(rd_kafka_err2name(error));
	if (may_pass(error)) {
		item->unproven = 1;
		item->error = error;
		item->kind = FETCHED_NOTHING;
		item->next = item->offset;
	} else if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
		believe(item, error);
	} else if (end->end >= 0 && end->end < item->offset) {
		item->kind = FETCHED_CUT;
		item->next = item->offset;
		item->cut_at = parting(item, end);
	}
}

static int
ask(struct reader *reader, int version, const struct epoch_ask *asks,
    size_t count, struct secor_err *err)
{
	int rc;

	reader->body.len = 0;
	epochs_write(version, asks, count, &reader->body);
	rc = link_send(reader->link, API_OFFSET_FOR_LEADER_EPOCH, version,
	    &reader->body, err);
	if (rc == SECOR_OK)
		rc = link_receive(reader->link, reader->fetch->timeout_ms,
		    &reader->body, err);
	if (rc == SECOR_OK)
		metric_add(reader->fetch->metrics.validations, 1);
	return rc;
}

int
validate(struct reader *reader, struct answer *answer, struct secor_err *err)
{
	struct epoch_ask *asks;
	struct epoch_end *ends;
	size_t count = 0, doubts = count_in_doubt(answer);
	int rc, version;

	if (doubts == 0)
		return SECOR_OK;
	version = link_version(reader->link, API_OFFSET_FOR_LEADER_EPOCH,
	    EPOCHS_LEAST, EPOCHS_MOST);
	if (version < 0)
		return SECOR_OK;
	asks = mem_alloc(doubts * sizeof(*asks));
	ends = mem_alloc(doubts * sizeof(*ends));
	list_in_doubt(answer, asks);
	rc = ask(reader, version, asks, doubts, err);
	if (rc == SECOR_OK)
		rc = epochs_read(ends, doubts, &count, reader->body.ptr,
		    reader->body.len, err);
	for (size_t i = 0; rc == SECOR_OK && i < answer->count; i++)
		if (is_in_doubt(&answer->items[i]))
			judge(&answer->items[i],
			    find_end(&answer->items[i], ends, count));
	free(asks);
	free(ends);
	return rc;
}
