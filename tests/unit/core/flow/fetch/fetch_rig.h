/*
 * fetch_rig.h -- own readers of a mock cluster's partitions, and what they
 * give: checked to be each message once and in order.
 */
#ifndef TESTS_UNIT_FETCH_RIG_H
#define TESTS_UNIT_FETCH_RIG_H

#include "core/flow/fetch/fetch.h"

#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>

#define RIG_TOPIC "events"

/* RIG_MANY are there, most tests read RIG_PARTS of them. */
enum { RIG_PARTS = 4, RIG_MANY = 40, RIG_LIMIT_MS = 80 * 1000 };

/* What one partition gave. */
struct heard {
	struct fetch_part *part;
	int32_t partition;
	int64_t next; /* the offset that must come */
	int ends;
	int errors;
	rd_kafka_resp_err_t error;
};

struct rig {
	rd_kafka_t *producer, *rk;
	rd_kafka_mock_cluster_t *cluster;
	rd_kafka_topic_t *topic;
	struct fetch *fetch;
	struct heard heard[RIG_MANY];
	pthread_mutex_t lock;
	pthread_cond_t woken;
	int wakes;
};

/* Broker 1 leads all. `rack` may be NULL. */
void rig_open(struct rig *rig, int brokers, const char *rack);
void rig_close(struct rig *rig);

/* Messages whose values say partition and offset. */
void rig_produce(struct rig *rig, int32_t partition, int from, int until);
void rig_start(struct rig *rig, int32_t partition, int64_t offset);

/* The next thing, as long as that takes. */
enum fetched_kind rig_next(struct rig *rig, struct fetched *fetched);
/* The same, checked and counted in `heard`. */
enum fetched_kind rig_hear(struct rig *rig);
void rig_hear_until(struct rig *rig, int32_t partition, int64_t next);
void rig_hear_end(struct rig *rig, int32_t partition, int ends);
void
rig_hear_error(struct rig *rig, int32_t partition, rd_kafka_resp_err_t error);
/* More wakes than these. */
void rig_await_wake(struct rig *rig, int wakes);

#endif
