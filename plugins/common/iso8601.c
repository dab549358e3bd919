/*
 * iso8601.c -- see when.h: ISO-8601. A reader moves over the text and fails by
 * returning 0; which form (with or without separators) the date is decides the
 * form of the time.
 */
#include "plugins/common/civil.h"
#include "plugins/common/when.h"

#include <string.h>

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

/* ---- the form that nearly all have: eight bytes at a time ---- */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define EIGHT(a, b, c, d, e, f, g, h)                                         \
	((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 |           \
	    (uint64_t)(d) << 24 | (uint64_t)(e) << 32 | (uint64_t)(f) << 40 | \
	    (uint64_t)(g) << 48 | (uint64_t)(h) << 56)
#define BYTE(word, i) ((int)((word) >> (8 * (i)) & 0xff))

/* Compares with a form in which 0 stands for any digit. Where two digits
 * follow each other, *pairs has their number in the first one's byte, and
 * *digits each digit. Not 0: it is another form. */
static inline uint64_t
differs(const char *p, uint64_t form, uint64_t *digits, uint64_t *pairs)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	/* '0' is the only byte of a form with both of these bits */
	uint64_t digit = form >> 4 & form >> 5 & each;
	uint64_t w;

	digit &= ~(form >> 3) & ~(form >> 6);
	(void)memcpy(&w, p, 8);
	w ^= form;
	*digits = w;
	*pairs = w * 10 + (w >> 8);
	/* a digit is 0..9 now, all else 0 */
	return (w | (w + digit * 6)) & ((each * 0xff) ^ digit * 0x0f);
}

int
when_common(struct secor_bytes text, int64_t *ms)
{
	const char *p = text.ptr;
	uint64_t date, clock, rest, digits, other;
	int year, month, day, hour, minute, second, milli = 0;

	if (text.len != 24 && text.len != 20)
		return 0;
	other = differs(
	    p, EIGHT('0', '0', '0', '0', '-', '0', '0', '-'), &digits, &date);
	other |= differs(p + 8, EIGHT('0', '0', 'T', '0', '0', ':', '0', '0'),
	    &digits, &clock);
	if (text.len == 24)
		other |= differs(p + 16,
		    EIGHT(':', '0', '0', '.', '0', '0', '0', 'Z'), &digits,
		    &rest);
	else
		other |= differs(p + 12,
		    EIGHT('0', ':', '0', '0', ':', '0', '0', 'Z'), &digits,
		    &rest);
	if (other != 0)
		return 0;
	year = BYTE(date, 0) * 100 + BYTE(date, 2);
	month = BYTE(date, 5);
	day = BYTE(clock, 0);
	hour = BYTE(clock, 3);
	minute = BYTE(clock, 6);
	second = BYTE(rest, text.len == 24 ? 1 : 5);
	if (text.len == 24)
		milli = BYTE(rest, 4) * 10 + BYTE(digits, 6);
	if (year == 0 || month == 0 || month > 12 || day == 0 ||
	    day > days_in_month(year, month) || hour > 23 || minute > 59 ||
	    second > 59)
		return 0;
	*ms = days_from_civil(year, month, day) * MS_DAY +
	      ((hour * 60 + minute) * 60 + second) * MS_SECOND + milli;
	return 1;
}
#else
int
when_common(struct secor_bytes text, int64_t *ms)
{
	(void)text;
	(void)ms;
	return 0;
}
#endif

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
