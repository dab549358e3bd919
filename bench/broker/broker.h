/*
 * broker.h -- one node, one topic, one consumer group of one member.
 *
 * A thread a connection; what the connections share is under `lock`.
 */
#ifndef BENCH_BROKER_BROKER_H
#define BENCH_BROKER_BROKER_H

#include "bench/broker/log.h"
#include "bench/broker/wire.h"

#include <pthread.h>

enum {
	API_FETCH = 1,
	API_LIST_OFFSETS = 2,
	API_METADATA = 3,
	API_OFFSET_COMMIT = 8,
	API_OFFSET_FETCH = 9,
	API_FIND_COORDINATOR = 10,
	API_JOIN_GROUP = 11,
	API_HEARTBEAT = 12,
	API_LEAVE_GROUP = 13,
	API_SYNC_GROUP = 14,
	API_VERSIONS = 18
};

enum { PARTITIONS_MAX = 1024, UNKNOWN_TOPIC = 3 };

struct committed {
	int64_t offset; /* -1: none */
	char *metadata;
};

struct broker {
	const struct log *log;
	const char *topic;
	int partitions;
	int port;
	int listener;

	pthread_mutex_t lock;
	int generation;
	struct committed committed[PARTITIONS_MAX];
	unsigned char read_whole[PARTITIONS_MAX]; /* its end was asked for */
	int left;				  /* partitions to be read */
	int64_t batches;			  /* commits that moved on */
	double first_fetch, last_commit;	  /* clock_seconds(); 0: none */
};

struct request {
	int api, version;
	int32_t correlation;
	struct wire in;
};

double clock_seconds(void); /* monotonic */

/* Binds a free port of 127.0.0.1. */
void broker_open(struct broker *broker);
/* Accepts for ever, on a thread of its own. */
void broker_start(struct broker *broker);

/* Answers of the group's requests, without length and correlation id. 0 when
 * the request is not one of these. */
int
group_answer(struct broker *broker, struct request *request, struct buf *out);

/* Sends the whole answer to a Fetch. 0, or -1 when the connection is gone. */
int fetch_answer(struct broker *broker, struct request *request, int fd);

#endif
