/*
 * one_ear.h -- a finalizer against a store in memory, a Kafka that says what
 * the test wants, and a notifier that can fail. A run ends when all was told.
 */
#ifndef TESTS_ONE_EAR_H
#define TESTS_ONE_EAR_H

#include "core/base/buf.h"
#include "core/flow/final/finalizer.h"
#include "tests/unit/helpers/hourly.h"
#include "tests/unit/helpers/listener.h"

struct one_ear {
	struct hourly hourly;
	struct hourly_log log; /* of topic "events" */
	struct listener listener;
	struct config_use ear;
	struct finalizer *finalizer;
	/* what was heard and said */
	struct buf heard;
	int answer;
	char **paths;
	size_t path_count;
	int64_t last_until;
	int early;
};

void one_ear_begin(struct one_ear *f, const char *timezone, int dry_run);
/* As a new process; what is stored and heard stays. */
void one_ear_begin_again(struct one_ear *f);
void one_ear_end(struct one_ear *f);

/* One batch with an object for each of the times; the record is behind it. */
void one_ear_batch(struct one_ear *f, const int64_t *times, size_t count);

struct finalizer_pass one_ear_run(struct one_ear *f);

/* What was heard since; "" for nothing. */
void one_ear_expect(struct one_ear *f, const char *text);

#endif
