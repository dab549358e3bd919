/*
 * kafka_help.h -- the notifier kafka in front of librdkafka's mock brokers: a
 * cluster of one, with the topic "events-t" of one partition.
 */
#ifndef TESTS_UNIT_KAFKA_HELP_H
#define TESTS_UNIT_KAFKA_HELP_H

#include "tests/unit/harness.h"

#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <secor/notifier.h>

enum { EVENTS_PRODUCE = 0, EVENTS_INIT_PRODUCER_ID = 22, EVENTS_MOST = 64 };

extern const struct secor_event_level EVENTS_LEVELS[1];

struct events {
	rd_kafka_t *owner;
	rd_kafka_mock_cluster_t *cluster;
	const struct plugin *plugin;
	void *conf, *self;
	struct secor_err err;
	json_t *values[EVENTS_MOST];
	char keys[EVENTS_MOST][64], names[EVENTS_MOST][64];
};

/* Cluster and configuration; `key` (or NULL) has this value. */
void events_begin(struct events *e, const char *key, const char *value);
/* The instance, of a configuration that is right. */
void events_open(struct events *e);
void events_end(struct events *e);

/* A batch of topic "t" with objects in two paths; a path with so many. */
int events_batch(struct events *e);
int events_path(struct events *e, size_t count);

/* All that is in the topic, into values, keys and names: how many. */
size_t events_read(struct events *e);
/* What was read is read again. */
void events_forget(struct events *e);
const char *events_member(const struct events *e, size_t i, const char *key);

/* The next requests with messages are answered so. */
void events_refuse(struct events *e, size_t requests, rd_kafka_resp_err_t code);

#endif
