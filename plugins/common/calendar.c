/*
 * calendar.c -- see calendar.h.
 */
#include "plugins/common/calendar.h"

#include "plugins/common/civil.h"

/* Cuts [*from, *until) down to [lo, hi). */
static void
cut(int64_t *from, int64_t *until, int64_t lo, int64_t hi)
{
	*from = lo > *from ? lo : *from;
	*until = hi < *until ? hi : *until;
}

static void
cut_years(uint32_t units, int64_t local_ms, int64_t *from, int64_t *until)
{
	int64_t year, next;
	int month;

	civil_from_days(floor_div(local_ms, MS_DAY), &year, &month);
	cut(from, until, days_from_civil(year, 1, 1) * MS_DAY,
	    days_from_civil(year + 1, 1, 1) * MS_DAY);
	if ((units & UNIT_MONTH) == 0)
		return;
	next = month == 12 ? days_from_civil(year + 1, 1, 1)
			   : days_from_civil(year, month + 1, 1);
	cut(from, until, days_from_civil(year, month, 1) * MS_DAY,
	    next * MS_DAY);
}

/* [*from, *until) around a local time in which none of the units changes. */
static void
block_around(uint32_t units, int64_t local_ms, int64_t *from, int64_t *until)
{
	static const struct {
		uint32_t unit;
		int64_t length;
		int64_t shift; /* 1970-01-01 was a Thursday */
	} rows[] = {{UNIT_WEEK, 7 * MS_DAY, 4 * MS_DAY}, {UNIT_DAY, MS_DAY, 0},
	    {UNIT_HALF_DAY, MS_DAY / 2, 0}, {UNIT_HOUR, MS_HOUR, 0},
	    {UNIT_TEN_MINUTES, 10 * MS_MINUTE, 0}, {UNIT_MINUTE, MS_MINUTE, 0},
	    {UNIT_SECOND, MS_SECOND, 0},
	    {UNIT_ISO_WEEK, 7 * MS_DAY, 3 * MS_DAY}};

	*from = INT64_MIN;
	*until = INT64_MAX;
	if ((units & (UNIT_YEAR | UNIT_MONTH)) != 0)
		cut_years(units, local_ms, from, until);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t lo;

		if ((units & rows[i].unit) == 0)
			continue;
		lo = floor_div(local_ms + rows[i].shift, rows[i].length) *
			 rows[i].length -
		     rows[i].shift;
		cut(from, until, lo, lo + rows[i].length);
	}
}

/* The part of [lo, hi) in local time that lies in a span of the zone. */
static void
to_utc(const struct zone_span *span, int64_t lo, int64_t hi, int64_t *from,
    int64_t *until)
{
	*from = span->from;
	*until = span->until;
	if (lo != INT64_MIN && lo - span->offset > *from)
		*from = lo - span->offset;
	if (hi != INT64_MAX && hi - span->offset < *until)
		*until = hi - span->offset;
}

void
calendar_interval(struct zone *zone, uint32_t units, int64_t time_ms,
    int64_t *from, int64_t *until)
{
	struct zone_span span = zone_span_at(zone, time_ms);
	int64_t lo, hi, none, at;

	if (units == 0) {
		*from = INT64_MIN;
		*until = INT64_MAX;
		return;
	}
	block_around(units, time_ms + span.offset, &lo, &hi);
	to_utc(&span, lo, hi, from, until);
	if ((units & UNIT_OFFSET) != 0)
		return;
	while (*from == span.from && *from != INT64_MIN) {
		span = zone_span_at(zone, *from - 1);
		at = *from - 1 + span.offset;
		if (at < lo || at >= hi)
			break;
		to_utc(&span, lo, hi, from, &none);
	}
	span = zone_span_at(zone, *until == INT64_MAX ? time_ms : *until - 1);
	while (*until == span.until && *until != INT64_MAX) {
		span = zone_span_at(zone, *until);
		at = *until + span.offset;
		if (at < lo || at >= hi)
			break;
		to_utc(&span, lo, hi, &none, until);
	}
}
