/*
 * watermark.h -- how far a topic is: no message with an event time before its
 * watermark is still to come, but for late ones. Made of what Kafka knows
 * alone: records of the group and ends of the log.
 */
#ifndef SECOR_FLOW_FINAL_WATERMARK_H
#define SECOR_FLOW_FINAL_WATERMARK_H

#include "core/flow/record.h"

#include <stddef.h>

/* One Kafka partition. */
struct view_part {
	struct record record;
	int64_t low, end; /* of the log; end: behind what may be read */
};

/* A topic. The ends were asked before the records, at asked_ms (wall clock). */
struct view {
	int64_t asked_ms;
	struct view_part *parts; /* parts[partition] */
	size_t count;
};

struct watermark {
	int64_t ms;	 /* INT64_MIN: not known */
	int32_t holder;	 /* the partition that holds it back; -1: none does */
	const char *why; /* "lags", "is halted", "has no record"... */
};

/* A partition that is stored to the end of its log is at asked_ms; another one
 * where its record says; the topic where its last partition is. */
struct watermark watermark_of(const struct view *view);

#endif
