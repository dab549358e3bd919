/*
 * zone.c -- see zone.h. The last span is kept: times come nearly in order.
 */
#include "plugins/common/zone.h"
#include "plugins/common/civil.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

#define NAME_MAX_CHARS 128
/* More than any offset from UTC, with room for a shift of the clock. */
#define FARTHEST (26 * MS_HOUR)

struct zone {
	UCalendar *calendar; /* NULL: UTC */
	struct zone_span last;
};

/* The UTF-16 of a name; 0 when it is none that could be a zone. */
static int
utf16_name(const char *name, UChar *to)
{
	UErrorCode code = U_ZERO_ERROR;
	int32_t len;

	if (name == NULL || name[0] == '\0')
		return 0;
	u_strFromUTF8(to, NAME_MAX_CHARS, &len, name, -1, &code);
	return U_SUCCESS(code) && len < NAME_MAX_CHARS;
}

int
zone_known(const char *name)
{
	UChar id[NAME_MAX_CHARS], canonical[NAME_MAX_CHARS];
	UErrorCode code = U_ZERO_ERROR;
	UBool system;

	if (!utf16_name(name, id))
		return 0;
	(void)ucal_getCanonicalTimeZoneID(
	    id, -1, canonical, NAME_MAX_CHARS, &system, &code);
	return U_SUCCESS(code) && strcmp(name, "Etc/Unknown") != 0;
}

static int
is_utc(const char *name)
{
	return strcmp(name, "UTC") == 0 || strcmp(name, "GMT") == 0 ||
	       strcmp(name, "Etc/UTC") == 0;
}

int
zone_open(const char *name, struct zone **out, struct secor_err *err)
{
	UErrorCode code = U_ZERO_ERROR;
	UChar id[NAME_MAX_CHARS];
	struct zone *zone;

	if (!zone_known(name))
		return secor_fail(
		    err, SECOR_FATAL, "there is no time zone '%s'", name);
	zone = calloc(1, sizeof(*zone));
	if (zone == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	zone->last = (struct zone_span){INT64_MIN, INT64_MAX, 0};
	if (is_utc(name)) {
		*out = zone;
		return SECOR_OK;
	}
	(void)utf16_name(name, id);
	zone->calendar =
	    ucal_open(id, -1, "en_US_POSIX", UCAL_GREGORIAN, &code);
	if (U_FAILURE(code)) {
		zone_close(zone);
		return secor_fail(err, SECOR_FATAL, "time zone '%s': %s", name,
		    u_errorName(code));
	}
	zone->last.until = INT64_MIN; /* none */
	*out = zone;
	return SECOR_OK;
}

void
zone_close(struct zone *zone)
{
	if (zone == NULL)
		return;
	if (zone->calendar != NULL)
		ucal_close(zone->calendar);
	free(zone);
}

/* The change of that kind, or `none`. */
static int64_t
transition(struct zone *zone, UTimeZoneTransitionType type, int64_t none)
{
	UErrorCode code = U_ZERO_ERROR;
	UDate at;

	if (!ucal_getTimeZoneTransitionDate(zone->calendar, type, &at, &code) ||
	    U_FAILURE(code))
		return none;
	return (int64_t)at;
}

struct zone_span
zone_span_at(struct zone *zone, int64_t utc_ms)
{
	struct zone_span *span = &zone->last;
	UErrorCode code = U_ZERO_ERROR;

	if (utc_ms >= span->from && utc_ms < span->until)
		return *span;
	if (zone->calendar == NULL) /* the last ms of all times */
		return *span;
	ucal_setMillis(zone->calendar, (UDate)utc_ms, &code);
	span->offset = ucal_get(zone->calendar, UCAL_ZONE_OFFSET, &code) +
		       ucal_get(zone->calendar, UCAL_DST_OFFSET, &code);
	span->from =
	    transition(zone, UCAL_TZ_TRANSITION_PREVIOUS_INCLUSIVE, INT64_MIN);
	span->until = transition(zone, UCAL_TZ_TRANSITION_NEXT, INT64_MAX);
	return *span;
}

int
zone_to_utc(struct zone *zone, int64_t local_ms, int64_t *utc_ms)
{
	struct zone_span span = zone->last;
	int64_t utc = local_ms - span.offset;

	/* so far from the span's edges that no other offset can be meant */
	if (span.until != INT64_MIN && utc / 2 > span.from / 2 + FARTHEST &&
	    utc / 2 < span.until / 2 - FARTHEST) {
		*utc_ms = utc;
		return 1;
	}
	for (utc = local_ms - FARTHEST;; utc = span.until) {
		span = zone_span_at(zone, utc);
		if (local_ms - span.offset >= span.from &&
		    local_ms - span.offset < span.until)
			break;
		if (span.until > local_ms + FARTHEST)
			return 0;
	}
	*utc_ms = local_ms - span.offset;
	return 1;
}
