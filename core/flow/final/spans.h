/*
 * spans.h -- the time that a path stands for: from when until when messages
 * belong to its first levels. What does not follow event time (a field alone, a
 * default for a missing time) is never complete and has no span.
 *
 * An instance belongs to one thread.
 */
#ifndef SECOR_FLOW_FINAL_SPANS_H
#define SECOR_FLOW_FINAL_SPANS_H

#include "core/config/config.h"

#include <secor/notifier.h>

struct spans;

struct span {
	int64_t from, until; /* ms since the epoch: [from, until) */
};

/* A path as a manifest has it, with the event times of its records. */
struct spans_path {
	const struct secor_event_level *levels;
	size_t level_count;
	int64_t first_ms, last_ms;
};

/* Opens the topic's partitioners once more. SECOR_FATAL with a sentence. */
int spans_new(const struct config_topic *topic, struct spans **spans,
    struct secor_err *err);
void spans_free(struct spans *spans); /* accepts NULL */

/* The span of the first `count` levels of the path: 1 with it. 0: they do not
 * follow time, or the path is not the one of these times, or it is that of late
 * data (finalize.late: separate), which is never complete. */
int spans_find(struct spans *spans, const struct spans_path *path, size_t count,
    struct span *span);

/* The earliest time that paths may begin at which end at `time_ms` or later:
 * the begin of the widest level around it. */
int64_t spans_reach(struct spans *spans, int64_t time_ms);

#endif
