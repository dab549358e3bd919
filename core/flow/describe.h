/*
 * describe.h -- what the brokers say of topics: their settings, and how old a
 * message is. Each call blocks for seconds at most; on the inquirer's thread.
 */
#ifndef SECOR_FLOW_DESCRIBE_H
#define SECOR_FLOW_DESCRIBE_H

#include "core/flow/retention.h"

#include <librdkafka/rdkafka.h>
#include <secor/plugin.h>

/* Whether cleanup.policy has `compact`. 0 also when the broker does not say: a
 * replay that differs halts anyway. */
int describe_compacted(rd_kafka_t *rk, const char *topic);

/* The retention of each topic of `list` into kept[i], or its refusal into
 * list->elems[i].err. SECOR_RETRY with text when nobody answers. */
int describe_retention(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
    struct retention *kept, struct secor_err *err);

/* For the offset of each partition of `list`: the largest timestamp that
 * messages up to it have, where that is after since_ms[i], and before now_ms:
 * until that one may go, Kafka deletes nothing of them. Close enough, by
 * halving: into since_ms[i]. SECOR_RETRY with text, and nothing is changed. */
int describe_times(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list,
    int64_t *since_ms, int64_t now_ms, struct secor_err *err);

#endif
