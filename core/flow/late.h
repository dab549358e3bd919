/*
 * late.h -- finalize.late: separate. Paths begin with a component that says
 * whether their records were late, late=false/... or late=true/...
 *
 * A message is late when its path was over as it came: when the end of the path
 * and finalize.delay lie at or before the clock of its Kafka partition. That
 * clock begins with w of the record at the batch's start and goes on with the
 * accepted messages before it, so it is a function of the plan and the messages
 * alone: a replay finds the same. The clock never runs ahead of Kafka's
 * timestamps (unless accept_time.future says that they mean nothing), so one
 * event time from the future makes no other message late. Where the broker
 * stamps messages as it takes them in (LogAppendTime), a message is also late
 * when its path was over by its own timestamp.
 *
 * One thread: that of the router.
 */
#ifndef SECOR_FLOW_LATE_H
#define SECOR_FLOW_LATE_H

#include "core/config/config.h"
#include "core/flow/paths.h"

struct late;

/* For a router that remembers so many routes. *late is NULL where late data
 * amends. SECOR_FATAL with a sentence. */
int late_new(const struct config_topic *topic, size_t routes,
    struct late **late, struct secor_err *err);
void late_free(struct late *late); /* accepts NULL */

/* The first level of a path: not late. */
void late_begin(
    const struct late *late, struct buf *text, struct secor_route_out *all);

/* The path of a time is remembered as this route. */
void late_remember(
    struct late *late, size_t route, const struct path *path, int64_t time_ms);

/* Whether a message of this route is late. */
int late_is(const struct late *late, size_t route, int64_t clock_ms,
    const struct secor_message *message);

/* The clock of the partition behind an accepted record. */
int64_t late_clock(const struct late *late, int64_t clock_ms,
    const struct secor_record *record);

/* The path for the late ones of this one. Not counted for the caller. */
struct path *
late_twin(const struct late *late, struct paths *paths, struct path *path);

#endif
