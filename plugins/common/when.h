/*
 * when.h -- what a message says of its time, to a time: numbers since the
 * epoch, ISO-8601; and what happens when it says nothing, or no time.
 *
 * A parser has `struct when_conf` in its options (WHEN_ROWS) and `struct when`
 * in its instance; it looks for the value and gives it to when_find:
 *
 *	struct my_conf { const char *time_field; struct when_conf when; };
 *	... WHEN_ROWS(struct my_conf, when), ...        options
 *	when_check(&conf->when, check);                 check, unless no_time
 *	when_open(&my->when, &conf->when, with, err);   open
 *	my->when.noun = "field", my->when.name = conf->time_field;
 *	struct when_value value = {.kind = WHEN_IS_INTEGER, .integer = n};
 *	return when_find(&my->when, &value, message, &record->time_ms, err);
 *	when_close(&my->when);                          close
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
 * Patterns: see when_pattern.h.
 *
 * With `compat: secor` a number of `auto` goes through a double and loses its
 * fraction, ISO-8601 may be a year, a month or a time of day alone, and
 *patterns are lenient. A missing time is 1970 only where the options say so.
 *
 * Results are within years 0001 to 9999.
 */
#ifndef PLUGINS_COMMON_WHEN_H
#define PLUGINS_COMMON_WHEN_H

#include "plugins/common/zone.h"

#include <secor/message.h>

enum when_format {
	WHEN_AUTO = 0,
	WHEN_SECONDS,
	WHEN_MILLIS,
	WHEN_MICROS,
	WHEN_NANOS,
	WHEN_ISO8601,
	WHEN_PATTERN
};

/* The words of those before WHEN_PATTERN, in order, NULL-ended. */
extern const char *const when_formats[];

/* ---- options ---- */

struct when_conf {
	const char *format;
	const char *timezone;
	const char *locale;
	const char *missing;
	const char *invalid;
};

/* The rows of a `struct when_conf` that is member `m` of `type`. */
#define WHEN_ROWS(type, m)                                                     \
	SECOR_OPTION(STRING, type, m.format, "time_format", "auto",            \
	    SECOR_OPTION_OUTPUT, WHEN_FORMAT_HELP),                            \
	    SECOR_OPTION(STRING, type, m.timezone, "timezone", "UTC",          \
		SECOR_OPTION_OUTPUT, "zone of a time that does not name one"), \
	    SECOR_OPTION(STRING, type, m.locale, "time_locale", "en_US",       \
		SECOR_OPTION_OUTPUT, WHEN_LOCALE_HELP),                        \
	    SECOR_OPTION(STRING, type, m.missing, "time_missing", NULL,        \
		SECOR_OPTION_OUTPUT, WHEN_MISSING_HELP),                       \
	    SECOR_OPTION(STRING, type, m.invalid, "time_invalid", NULL,        \
		SECOR_OPTION_OUTPUT, WHEN_INVALID_HELP)

#define WHEN_FORMAT_HELP                                                     \
	"auto (numbers by their size, and ISO-8601), seconds, millis, "      \
	"micros, "                                                           \
	"nanos, iso8601, or a pattern as Java's SimpleDateFormat has them, " \
	"like dd/MMM/yyyy:HH:mm:ss Z"
#define WHEN_LOCALE_HELP \
	"language of the names of months and days in a pattern, and its weeks"
#define WHEN_MISSING_HELP                                                    \
	"when there is no time: reject (the default: a bad message), kafka " \
	"(its "                                                              \
	"timestamp), or a time in ISO-8601"
#define WHEN_INVALID_HELP "the same when what is there is no time"

/* Complains of what is wrong with the rows of WHEN_ROWS. */
void when_check(const struct when_conf *conf, const struct secor_check *check);

/* ---- an instance ---- */

enum when_fallback { WHEN_REJECT = 0, WHEN_KAFKA, WHEN_FIXED };

struct when_else {
	int what;   /* enum when_fallback */
	int64_t ms; /* WHEN_FIXED */
};

struct when {
	int format;		      /* enum when_format */
	struct zone *zone;	      /* of text without an offset */
	struct when_pattern *pattern; /* WHEN_PATTERN */
	int compat; /* 1: numbers and patterns as the original reads them */
	struct when_else missing, invalid;
	/* where the parser looks, for reasons: "field", "ts" */
	const char *noun, *name;
};

/* SECOR_OK, or SECOR_FATAL with the sentence. `when` is zeroed before; it needs
 * when_close in both cases. */
int when_open(struct when *when, const struct when_conf *conf,
    const struct secor_open *with, struct secor_err *err);
void when_close(struct when *when);

/* What stands where the time should be. */
enum when_kind {
	WHEN_IS_MISSING = 0, /* phrase: "absent", "null" */
	WHEN_IS_TEXT,	     /* text */
	WHEN_IS_NUMBER,	     /* text: a number as JSON writes it */
	WHEN_IS_INTEGER,     /* integer */
	WHEN_IS_NATURAL,     /* natural */
	WHEN_IS_REAL,	     /* real */
	WHEN_IS_TIME,	     /* integer: milliseconds since the epoch, UTC */
	WHEN_IS_OTHER	     /* phrase: "an array" */
};

struct when_value {
	int kind;
	union {
		const char *phrase; /* behind "is " */
		struct secor_bytes text;
		int64_t integer;
		uint64_t natural;
		double real;
	};
};

/* SECOR_OK with *ms: the time, or what the options say instead; or SECOR_REJECT
 * with "no time: field 'ts' is absent". */
int when_find(const struct when *when, const struct when_value *value,
    const struct secor_message *message, int64_t *ms, struct secor_err *err);

/* ---- its parts: NULL with *ms, or a phrase why it is no time and *ms as it
 * was ---- */

/* Blanks around the text are no harm. */
const char *
when_parse(const struct when *when, struct secor_bytes text, int64_t *ms);
const char *when_integer(const struct when *when, int64_t value, int64_t *ms);
const char *when_natural(const struct when *when, uint64_t value, int64_t *ms);
/* The shortest decimal fraction that is this number counts, since that is what
 * was meant: 1405970352.123 has 123 milliseconds. */
const char *when_real(const struct when *when, double value, int64_t *ms);

/* `2014-07-30T10:53:20Z` and `2014-07-30T10:53:20.001Z`, in a fifth of the
 * time: 1 with *ms, or 0: another form, or no time, for the others to say. */
int when_common(struct secor_bytes text, int64_t *ms);

/* The two halves, for text without blanks around it. */
const char *when_number(int format, struct secor_bytes text, int64_t *ms);
const char *
when_iso8601(struct zone *zone, struct secor_bytes text, int64_t *ms);

/* What the original takes for a number besides (`1e3d`, `Infinity`), as the
 * integer that it makes of it; 0: it is none. */
int when_compat_number(struct secor_bytes text, int64_t *value);
/* Years, months and times of day alone, and all that is ISO-8601. */
const char *
when_compat_iso8601(struct zone *zone, struct secor_bytes text, int64_t *ms);

#endif
