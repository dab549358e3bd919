/*
 * inquire.h -- the helper thread that asks Kafka and the store what blocks.
 *
 * Records are read with rd_kafka_committed: it uses the group's own coordinator
 * connection. Answers come by a queue, matched by partition and epoch.
 */
#ifndef SECOR_FLOW_INQUIRE_H
#define SECOR_FLOW_INQUIRE_H

#include "core/base/queue.h"
#include "core/config/config.h"
#include "core/flow/record.h"
#include "core/flow/retention.h"

#include <librdkafka/rdkafka.h>

enum inquiry_kind {
	INQUIRY_OPEN, /* record, log ends; a missing one: others, manifests,
		       * where it starts */
	INQUIRY_READ_BACK, /* record only */
	INQUIRY_CUT,	   /* record only: of a log that was cut */
	INQUIRY_PING,	   /* are the brokers reachable? */
	INQUIRY_ENDS,	   /* the log ends of `list`, for people to see */
	INQUIRY_RANGE,	   /* low and high of one partition */
	INQUIRY_RETENTION, /* of the topics of `list` */
	INQUIRY_TIMES	   /* how old what lies at the offsets of `list` is */
};

struct inquiry {
	struct queue_node node;
	enum inquiry_kind kind;
	struct part *part; /* the asker's; not looked at */
	uint64_t epoch;
	int32_t partition;
	char topic[250];
	rd_kafka_topic_partition_list_t *list; /* of ENDS: offset, err */
	struct retention *kept; /* of RETENTION: one each of `list` */
	int64_t *times;		/* of TIMES: see describe_times */
	int64_t cut_at;		/* of CUT: where; for the asker */
	/* the answer */
	int status; /* SECOR_OK, or SECOR_RETRY / FATAL with text */
	struct record record;
	int32_t leader_epoch; /* committed with it; -1: none */
	int64_t low, high;
	int others;    /* the group has other records; where a start asks */
	int64_t start; /* of a start by time: the first offset of it; or -1 */
	int has_manifests;
	int list_refused; /* the store does not let us list */
	int compacted;
	struct secor_err err;
};

struct inquirer;

/* One store instance of its own. `answers` gets every inquiry back. */
int inquirer_new(rd_kafka_t *rk, const struct config *config,
    struct queue *answers, struct inquirer **inquirer, struct secor_err *err);
/* Waits for the current question; the others come back as SECOR_RETRY. */
void inquirer_free(struct inquirer *inquirer);

/* Whether it repeats a list that the store does not answer. Any thread. */
int inquirer_store_waits(struct inquirer *inquirer);

/* Takes `inquiry` until it is in `answers`. Any thread. */
void inquire(struct inquirer *inquirer, struct inquiry *inquiry);
void inquiry_free(struct inquiry *inquiry);

#endif
