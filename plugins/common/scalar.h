/*
 * scalar.h -- one value as a binary encoding has it, and what it is as an event
 * time and as the text of a field.
 *
 * As a time: numbers and text are as when.h says, and a floating number of 32
 * bits is the shortest decimal one that it stands for (a whole one in full);
 * what the encoding itself calls a time is that, whatever the format.
 *
 * As text: numbers in decimal, `true` and `false`, times as
 * `2014-07-30T10:53:20.001Z` (UTC), text and bytes as they are if they are
 * UTF-8.
 */
#ifndef PLUGINS_COMMON_SCALAR_H
#define PLUGINS_COMMON_SCALAR_H

#include "plugins/common/when.h"

enum scalar_kind {
	SCALAR_ABSENT = 0,
	SCALAR_NULL,
	SCALAR_BOOL,	 /* i */
	SCALAR_INT,	 /* i */
	SCALAR_UINT,	 /* u */
	SCALAR_FLOAT,	 /* d, of 32 bits */
	SCALAR_DOUBLE,	 /* d */
	SCALAR_TEXT,	 /* bytes */
	SCALAR_BYTES,	 /* bytes */
	SCALAR_TIME,	 /* time */
	SCALAR_LOCAL,	 /* time, of the clock on the wall of the zone */
	SCALAR_DATE,	 /* i: days since 1970-01-01, of the zone */
	SCALAR_COMPOUND, /* no single value: a map, a list, a message */
	SCALAR_BAD	 /* why: a phrase like "an extension", behind "is " */
};

struct scalar {
	int kind; /* enum scalar_kind */
	union {
		int64_t i;
		uint64_t u;
		double d;
		struct secor_bytes bytes;
		struct {
			int64_t seconds; /* since the epoch */
			int64_t nanos;	 /* 0 to 999999999 */
		} time;
		const char *why;
	};
};

#define SCALAR_ROOM 40 /* for the text of what is no text */

static inline int
scalar_is_there(const struct scalar *value)
{
	return value->kind != SCALAR_ABSENT && value->kind != SCALAR_NULL;
}

/* A number of `per_second` units since the epoch, as a time. */
struct scalar scalar_time(int kind, int64_t units, int64_t per_second);

/* What when_find takes. `zone` is of local times, `room` of a number's text. */
struct when_value scalar_when(
    const struct scalar *value, struct zone *zone, char room[SCALAR_ROOM]);

/* NULL with *text, in `room` or where the value points, or a phrase behind
 * "is ". Of a value that is there. */
const char *scalar_to_text(const struct scalar *value, char room[SCALAR_ROOM],
    struct secor_bytes *text);

#endif
