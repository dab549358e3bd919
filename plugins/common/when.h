/*
 * when.h -- text to a time: numbers since the epoch, and ISO-8601.
 *
 * Numbers: an integer, a decimal fraction or an exponent, signed; exact, no
 * floating point; what is finer than a millisecond is rounded down, also before
 * 1970. `auto` tells the unit by the size of the integer part: under 10^12
 * (and all that is negative) seconds, under 10^15 milliseconds, under 10^18
 * microseconds, else nanoseconds; and text that is not a number is ISO-8601.
 *
 * ISO-8601: `2014-07-30T10:53:20.001+02:00` and its short forms: `T` may be `t`
 * or a blank; seconds, or the whole time of day, may be left out; a fraction of
 * any length behind `.` or `,` is cut to milliseconds; the offset is `Z`, `z`,
 * `+hh:mm`, `+hhmm` or `+hh`, a blank may stand before it; without one it is
 * local time of the zone. The form without separators (`20140730T105320Z`) is
 * known too. 24:00 is the end of that day. A leap second (:60) counts as the
 * second that follows, and is good only where UTC can have one. Days that the
 * month does not have, and local times that a zone leaves out, are no times.
 *
 * Results are within years 0001 to 9999.
 */
#ifndef PLUGINS_COMMON_WHEN_H
#define PLUGINS_COMMON_WHEN_H

#include "plugins/common/zone.h"

enum when_format {
	WHEN_AUTO = 0,
	WHEN_SECONDS,
	WHEN_MILLIS,
	WHEN_MICROS,
	WHEN_NANOS,
	WHEN_ISO8601
};

/* The choices of an option, in order. */
extern const char *const when_formats[];

struct when {
	int format;	   /* enum when_format */
	struct zone *zone; /* of text without an offset */
};

/* Blanks around the text are no harm. *ms is untouched when this does not give
 * NULL, but a phrase: why it is no time. */
const char *
when_parse(const struct when *when, struct secor_bytes text, int64_t *ms);

/* `2014-07-30T10:53:20Z` and `2014-07-30T10:53:20.001Z`, in a fifth of the
 * time: 1 with *ms, or 0: another form, or no time, for the others to say. */
int when_common(struct secor_bytes text, int64_t *ms);

/* The two halves, for text without blanks around it. */
const char *when_number(int format, struct secor_bytes text, int64_t *ms);
const char *
when_iso8601(struct zone *zone, struct secor_bytes text, int64_t *ms);

#endif
