/*
 * calendar.h -- how long a text that was made of a local time stays the same.
 */
#ifndef PLUGINS_COMMON_CALENDAR_H
#define PLUGINS_COMMON_CALENDAR_H

#include "plugins/common/zone.h"

/* Bits: the text may change where one of these begins. */
enum {
	UNIT_YEAR = 1,
	UNIT_MONTH = 2,
	UNIT_WEEK = 4, /* from Sunday */
	UNIT_DAY = 8,
	UNIT_HALF_DAY = 16,
	UNIT_HOUR = 32,
	UNIT_TEN_MINUTES = 64,
	UNIT_MINUTE = 128,
	UNIT_SECOND = 256,
	UNIT_OFFSET = 512,   /* of the zone from UTC */
	UNIT_ISO_WEEK = 1024 /* from Monday */
};

/* [*from, *until) around `time_ms` (UTC) in which nothing of `units` changes in
 * the zone. What goes on beyond a change of the clock is joined; no units give
 * all of time. */
void calendar_interval(struct zone *zone, uint32_t units, int64_t time_ms,
    int64_t *from, int64_t *until);

#endif
