/*
 * iso8601.c -- see when.h: ISO-8601. A reader moves over the text and fails by
 * returning 0; which form (with or without separators) the date is decides the
 * form of the time.
 */
#include "plugins/common/civil.h"
#include "plugins/common/when.h"

static const char not_iso[] = "is not ISO-8601";

struct reader {
	const char *p;
	const char *end;
};

struct parts {
	int year, month, day;
	int hour, minute, second, ms;
	int has_offset;
	int offset; /* minutes */
};

static int
peek(const struct reader *r)
{
	return r->p < r->end ? (unsigned char)*r->p : -1;
}

static int
accept(struct reader *r, char c)
{
	if (peek(r) != c)
		return 0;
	r->p++;
	return 1;
}

/* Exactly n digits, at most `most`. */
static int
number(struct reader *r, int n, int most, int *value)
{
	int v = 0;

	if (r->end - r->p < n)
		return 0;
	for (; n > 0; n--, r->p++) {
		if (*r->p < '0' || *r->p > '9')
			return 0;
		v = v * 10 + (*r->p - '0');
	}
	*value = v;
	return v <= most;
}

static int
read_date(struct reader *r, struct parts *parts, int *separated)
{
	if (!number(r, 4, 9999, &parts->year))
		return 0;
	*separated = accept(r, '-');
	if (!number(r, 2, 12, &parts->month))
		return 0;
	if (*separated && !accept(r, '-'))
		return 0;
	return number(r, 2, 31, &parts->day);
}

/* At least one digit; three count. */
static int
read_fraction(struct reader *r, int *ms)
{
	const char *begin = r->p;
	int scale = 100;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
		*ms += (*r->p - '0') * scale;
		scale /= 10;
	}
	return r->p > begin;
}

static int
read_time(struct reader *r, struct parts *parts, int separated)
{
	if (!number(r, 2, 24, &parts->hour))
		return 0;
	if (separated && !accept(r, ':'))
		return 0;
	if (!number(r, 2, 59, &parts->minute))
		return 0;
	if (separated ? !accept(r, ':') : (peek(r) < '0' || peek(r) > '9'))
		return 1;
	if (!number(r, 2, 60, &parts->second))
		return 0;
	if (accept(r, '.') || accept(r, ','))
		return read_fraction(r, &parts->ms);
	return 1;
}

static int
read_offset(struct reader *r, struct parts *parts)
{
	int sign, hours, minutes = 0;

	if (peek(r) == -1)
		return 1;
	(void)accept(r, ' ');
	parts->has_offset = 1;
	if (accept(r, 'Z') || accept(r, 'z'))
		return 1;
	sign = peek(r) == '-' ? -1 : 1;
	if (!accept(r, '-') && !accept(r, '+'))
		return 0;
	if (!number(r, 2, 18, &hours))
		return 0;
	if (accept(r, ':') || peek(r) != -1) {
		if (!number(r, 2, 59, &minutes))
			return 0;
	}
	parts->offset = sign * (hours * 60 + minutes);
	return 1;
}

static int
read_parts(struct secor_bytes text, struct parts *parts)
{
	struct reader r = {text.ptr, text.ptr + text.len};
	int separated;

	if (!read_date(&r, parts, &separated))
		return 0;
	if (peek(&r) == -1)
		return 1;
	if (!accept(&r, 'T') && !accept(&r, 't') && !accept(&r, ' '))
		return 0;
	return read_time(&r, parts, separated) && read_offset(&r, parts) &&
	       peek(&r) == -1;
}

/* A day of the calendar, and 24 only as 24:00:00. */
static int
parts_exist(const struct parts *p)
{
	if (p->year == 0 || p->month == 0 || p->day == 0 ||
	    p->day > days_in_month(p->year, p->month))
		return 0;
	return p->hour < 24 || (p->minute == 0 && p->second == 0 && p->ms == 0);
}

const char *
when_iso8601(struct zone *zone, struct secor_bytes text, int64_t *ms)
{
	struct parts p = {0};
	int64_t local, utc;

	if (text.len == 0)
		return "is empty";
	if (!read_parts(text, &p))
		return not_iso;
	if (!parts_exist(&p))
		return "is a day or time that does not exist";
	local = days_from_civil(p.year, p.month, p.day) * MS_DAY +
		p.hour * MS_HOUR + p.minute * MS_MINUTE + p.second * MS_SECOND +
		p.ms;
	utc = local - p.offset * MS_MINUTE;
	if (!p.has_offset && !zone_to_utc(zone, local, &utc))
		return "is a time that its zone leaves out";
	if (p.second == 60 && floor_div(utc, MS_SECOND) % 86400 != 0)
		return "is a leap second where none can be";
	if (utc < TIME_FIRST_MS || utc > TIME_LAST_MS)
		return "is out of years 0001 to 9999";
	*ms = utc;
	return NULL;
}
