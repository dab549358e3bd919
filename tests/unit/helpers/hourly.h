/*
 * hourly.h -- a configuration whose topics are finalized by the hour, a store
 * in memory, and batches of theirs.
 */
#ifndef TESTS_HOURLY_H
#define TESTS_HOURLY_H

#include "core/config/config.h"
#include "core/flow/final/watermark.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define HOURLY_T INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

struct hourly {
	struct config_use date;
	struct config_topic topic;
	struct config config; /* without notifiers */
	void *router;
};

/* Partition 0 of a topic. */
struct hourly_log {
	int64_t offset, w;
};

void hourly_begin(struct hourly *hourly, const char *timezone);
void hourly_end(struct hourly *hourly);

/* The path of this time, in the zone; caller frees. */
char *hourly_path(const struct hourly *hourly, int64_t ms);

/* Ten offsets, with an object of one record for each of the times, up to the
 * watermark log->w; the record is behind it. */
void hourly_batch(const struct hourly *hourly, const char *topic,
    struct hourly_log *log, const int64_t *times, size_t count);

/* What Kafka says a day later: a message is there that is not stored. */
void hourly_look(const struct hourly_log *log, struct view *view);

#endif
