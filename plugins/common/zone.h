/*
 * zone.h -- time zones by name, from ICU: spans of one offset from UTC. What
 * ICU accepts is a zone: IANA names and their aliases, `GMT+5:30`.
 */
#ifndef PLUGINS_COMMON_ZONE_H
#define PLUGINS_COMMON_ZONE_H

#include <secor/plugin.h>

struct zone;

/* [from, until) in UTC ms with local = UTC + offset. */
struct zone_span {
	int64_t from;
	int64_t until;
	int64_t offset;
};

/* 1 when there is such a zone. */
int zone_known(const char *name);

/* SECOR_OK or SECOR_FATAL. */
int zone_open(const char *name, struct zone **zone, struct secor_err *err);
void zone_close(struct zone *zone); /* accepts NULL */

/* The span that `utc_ms` is in. Spans side by side may have the same offset.
 * One thread at a time. */
struct zone_span zone_span_at(struct zone *zone, int64_t utc_ms);

/* Local time to UTC. What occurs twice (a clock put back) is the first one;
 * 0 when it does not occur (a clock put forward). */
int zone_to_utc(struct zone *zone, int64_t local_ms, int64_t *utc_ms);

#endif
