/*
 * mock_service.h -- the whole service in a test: the engine on a thread of its
 * own, librdkafka's mock broker, a local store in a folder of its own.
 *
 *	struct mock_service s;
 *	mock_open(&s, 1);
 *	mock_start(&s);
 *	mock_produce(&s, 0, 100);
 *	mock_wait_committed(&s, 0, 100);
 *	mock_stop(&s);
 *	mock_exactly_once(&s);
 *	mock_close(&s);
 *
 * What fails is a failed Criterion assertion. Waits have a condition and a
 * deadline.
 */
#ifndef TESTS_MOCK_SERVICE_H
#define TESTS_MOCK_SERVICE_H

#include "core/flow/flow.h"

#include <criterion/hooks.h>
#include <librdkafka/rdkafka_mock.h>

/* Tests that wait for the mock's group, not for the machine, run side by side:
 * once in a test file. */
void mock_side_by_side(void);
#define MOCK_SIDE_BY_SIDE                                      \
	ReportHook(PRE_ALL)(struct criterion_test_set * tests) \
	{                                                      \
		(void)tests;                                   \
		mock_side_by_side();                           \
	}

#define MOCK_TOPIC "events"

enum { MOCK_OFFSET_COMMIT = 8, MOCK_OFFSET_FETCH = 9, MOCK_LIST_OFFSETS = 2 };

struct mock_service {
	rd_kafka_t *producer;
	rd_kafka_mock_cluster_t *cluster;
	char *folder;
	struct registry *registry;
	struct config *config;
	struct engine *engine;
	pthread_t thread;
	int running;
	int rc; /* of engine_run */
	struct secor_err err;
	int64_t produced; /* the next id */
	int64_t ends[8];  /* by partition */
};

/* Who reads: enum config_fetch, of services opened from now on. */
extern int mock_fetch;

void mock_open(struct mock_service *s, int partitions);
void mock_close(struct mock_service *s);

/* Runs until consumption begins. */
void mock_start(struct mock_service *s);
/* Asks for a stop and waits for its end. */
void mock_stop(struct mock_service *s);

/* Messages whose values are the next ids, acknowledged. */
void mock_produce(struct mock_service *s, int32_t partition, int count);

/* Until the record of the partition is clean at the end of what was produced,
 * as the engine sees it. */
void mock_wait_done(struct mock_service *s, int32_t partition);
/* Until the partition's state ("halted", ...) or its halt is `text`. */
void mock_wait_state(struct mock_service *s, int32_t partition, const char *key,
    const char *text);
/* Until the engine does not own the partition. */
void mock_wait_away(struct mock_service *s, int32_t partition);
void mock_wait_metric(const struct metric *metric, int64_t at_least);

/* Every id that was produced is in exactly one object. */
void mock_exactly_once(const struct mock_service *s);

/* Opens and starts it, and waits until ten messages of each partition are done;
 * stops and closes it, each message in one object. */
void mock_begin(struct mock_service *s, int partitions);
void mock_end(struct mock_service *s);

#endif
