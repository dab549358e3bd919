/*
 * scalar.c -- see scalar.h.
 */
#include "plugins/common/scalar.h"
#include "plugins/common/civil.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char out_of_range[] = "a time out of years 0001 to 9999";

struct scalar
scalar_time(int kind, int64_t units, int64_t per_second)
{
	struct scalar value = {.kind = kind};

	value.time.seconds = floor_div(units, per_second);
	value.time.nanos = units % per_second;
	if (value.time.nanos < 0)
		value.time.nanos += per_second;
	value.time.nanos *= INT64_C(1000000000) / per_second;
	return value;
}

/* ---- as text ---- */

/* The shortest decimal number that is this one, whole ones in full. */
static void
put_double(double d, int of_float, char room[SCALAR_ROOM])
{
	int digits = of_float ? 6 : 15, most = of_float ? 9 : 17;

	if (floor(d) == d && fabs(d) < 0x1p53) {
		(void)snprintf(room, SCALAR_ROOM, "%.0f", d);
		return;
	}
	for (; digits <= most; digits++) {
		(void)snprintf(room, SCALAR_ROOM, "%.*g", digits, d);
		if (of_float ? strtof(room, NULL) == (float)d
			     : strtod(room, NULL) == d)
			return;
	}
}

/* A year of four digits, or NULL. */
static const char *
put_date(int64_t days, char room[SCALAR_ROOM])
{
	int64_t year;
	int month;

	if (days < TIME_FIRST_MS / MS_DAY || days > TIME_LAST_MS / MS_DAY)
		return NULL;
	civil_from_days(days, &year, &month);
	(void)snprintf(room, SCALAR_ROOM, "%04d-%02d-%02d", (int)year, month,
	    (int)(days - days_from_civil(year, month, 1) + 1));
	return room;
}

static const char *
put_time(const struct scalar *value, char room[SCALAR_ROOM])
{
	int64_t seconds = value->time.seconds;
	int64_t of_day = seconds - floor_div(seconds, 86400) * 86400;

	if (put_date(floor_div(seconds, 86400), room) == NULL)
		return NULL;
	(void)snprintf(room + 10, SCALAR_ROOM - 10, "T%02d:%02d:%02d.%03d%s",
	    (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60),
	    (int)(value->time.nanos / 1000000),
	    value->kind == SCALAR_TIME ? "Z" : "");
	return room;
}

/* Length of the UTF-8 character at p, 0: none. */
static size_t
utf8_char(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned char second;

	if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	second = p[1];
	if ((p[0] == 0xe0 && second < 0xa0) ||
	    (p[0] == 0xed && second > 0x9f) ||
	    (p[0] == 0xf0 && second < 0x90) || (p[0] == 0xf4 && second > 0x8f))
		return 0;
	return n;
}

static int
is_utf8(struct secor_bytes text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	size_t n;

	for (size_t at = 0; at < text.len; at += n) {
		n = p[at] < 0x80 ? 1 : utf8_char(p + at, text.len - at);
		if (n == 0)
			return 0;
	}
	return 1;
}

static const char *
put(const struct scalar *value, char room[SCALAR_ROOM])
{
	switch (value->kind) {
	case SCALAR_BOOL:
		return value->i ? "true" : "false";
	case SCALAR_INT:
		(void)snprintf(room, SCALAR_ROOM, "%" PRId64, value->i);
		return room;
	case SCALAR_UINT:
		(void)snprintf(room, SCALAR_ROOM, "%" PRIu64, value->u);
		return room;
	case SCALAR_FLOAT:
	case SCALAR_DOUBLE:
		put_double(value->d, value->kind == SCALAR_FLOAT, room);
		return room;
	case SCALAR_DATE:
		return put_date(value->i, room);
	default:
		return put_time(value, room);
	}
}

const char *
scalar_to_text(const struct scalar *value, char room[SCALAR_ROOM],
    struct secor_bytes *text)
{
	const char *put_at;

	switch (value->kind) {
	case SCALAR_TEXT:
	case SCALAR_BYTES:
		if (!is_utf8(value->bytes))
			return "not UTF-8";
		*text = value->bytes;
		return NULL;
	case SCALAR_COMPOUND:
		return "no single value";
	case SCALAR_BAD:
		return value->why;
	default:
		put_at = put(value, room);
		if (put_at == NULL)
			return out_of_range;
		*text = (struct secor_bytes){put_at, strlen(put_at)};
		return NULL;
	}
}

/* ---- as a time ---- */

static int64_t
clock_ms(const struct scalar *value)
{
	int64_t seconds = value->time.seconds;

	if (seconds < TIME_FIRST_MS / 1000 || seconds > TIME_LAST_MS / 1000)
		return INT64_MAX; /* no year has it */
	return seconds * 1000 + value->time.nanos / 1000000;
}

static struct when_value
local_when(int64_t local_ms, struct zone *zone)
{
	struct when_value value = {.kind = WHEN_IS_TIME, .integer = local_ms};

	if (local_ms != INT64_MAX &&
	    !zone_to_utc(zone, local_ms, &value.integer)) {
		value.kind = WHEN_IS_OTHER;
		value.phrase = "a local time that the zone leaves out";
	}
	return value;
}

static struct when_value
other(int kind, const char *phrase)
{
	return (struct when_value){.kind = kind, .phrase = phrase};
}

static struct when_value
float_when(const struct scalar *value, char room[SCALAR_ROOM])
{
	struct when_value number = {.kind = WHEN_IS_NUMBER};

	if (!isfinite(value->d))
		return (struct when_value){
		    .kind = WHEN_IS_REAL, .real = value->d};
	(void)scalar_to_text(value, room, &number.text);
	return number;
}

struct when_value
scalar_when(
    const struct scalar *value, struct zone *zone, char room[SCALAR_ROOM])
{
	switch (value->kind) {
	case SCALAR_ABSENT:
		return other(WHEN_IS_MISSING, "absent");
	case SCALAR_NULL:
		return other(WHEN_IS_MISSING, "null");
	case SCALAR_BOOL:
		return other(WHEN_IS_OTHER, "a boolean");
	case SCALAR_INT:
		return (struct when_value){
		    .kind = WHEN_IS_INTEGER, .integer = value->i};
	case SCALAR_UINT:
		return (struct when_value){
		    .kind = WHEN_IS_NATURAL, .natural = value->u};
	case SCALAR_FLOAT:
		return float_when(value, room);
	case SCALAR_DOUBLE:
		return (struct when_value){
		    .kind = WHEN_IS_REAL, .real = value->d};
	case SCALAR_TEXT:
		return (struct when_value){
		    .kind = WHEN_IS_TEXT, .text = value->bytes};
	case SCALAR_BYTES:
		return other(WHEN_IS_OTHER, "bytes");
	case SCALAR_TIME:
		return (struct when_value){
		    .kind = WHEN_IS_TIME, .integer = clock_ms(value)};
	case SCALAR_LOCAL:
		return local_when(clock_ms(value), zone);
	case SCALAR_DATE:
		if (value->i < TIME_FIRST_MS / MS_DAY ||
		    value->i > TIME_LAST_MS / MS_DAY)
			return local_when(INT64_MAX, zone);
		return local_when(value->i * MS_DAY, zone);
	case SCALAR_COMPOUND:
		return other(WHEN_IS_OTHER, "no single value");
	default:
		return other(WHEN_IS_OTHER, value->why);
	}
}
