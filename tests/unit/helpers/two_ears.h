/*
 * two_ears.h -- a finalizer with two notifiers that can be shut or fail, a
 * store in memory that can refuse keys, and a Kafka that says what the test
 * wants. The test is the finalizer's thread, and has the clock of its turns.
 */
#ifndef TESTS_TWO_EARS_H
#define TESTS_TWO_EARS_H

#include "core/base/buf.h"
#include "core/flow/final/finalizer.h"
#include "tests/unit/helpers/hourly.h"
#include "tests/unit/helpers/listener.h"

#include <pthread.h>

/* A notifier. Holds: lock. */
struct ear {
	struct ears *f;
	struct listener listener;
	struct plugin plugin;
	int shut, answer;
	size_t calls, heard;
	int64_t last_until;
	int early; /* heard before an older one */
	struct buf said;
};

struct ears {
	struct hourly hourly;
	struct config_use ears[2], store;
	struct plugin picky;
	struct secor_store_ops ops;
	struct hourly_log events, other;
	struct finalizer *finalizer;
	struct ear left, right;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	int woken;	    /* Holds: lock */
	int64_t now;	    /* of turns */
	size_t done;	    /* paths that were told to all */
	size_t failed;	    /* that were said to have failed */
	const char *refuse; /* keys with this are not put */
	int64_t most;	    /* that were in the left one's queue */
};

void ears_begin(struct ears *f, int wait);
void ears_end(struct ears *f);

/* A batch with an object in each of `count` hours from this one on, of which
 * all but the last are over; the record is behind it. Topics: events, other. */
void ears_batch(struct ears *f, const char *topic, int64_t hour, size_t count);

struct finalizer_pass ears_run(struct ears *f, const char *topic);
int64_t ears_turn(struct ears *f);
/* Turns, each time that it wakes, until `*what` is `count`. */
void ears_turn_until(struct ears *f, const size_t *what, size_t count);
/* The same, until no path waits for a notifier. */
void ears_turn_until_idle(struct ears *f);

/* Under the lock. */
void ears_set(struct ears *f, int *what, int value);
size_t ears_get(struct ears *f, const size_t *what);

/* A gauge of the left notifier. */
int64_t ears_left_metric(const char *name);

#endif
