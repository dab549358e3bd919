/*
 * when.c -- see when.h: numbers. A number is kept as its digits and the place
 * of its point, so that a change of unit only moves the point.
 */
#include "plugins/common/when.h"
#include "plugins/common/civil.h"
#include "plugins/common/when_pattern.h"

const char *const when_formats[] = {
    "auto", "seconds", "millis", "micros", "nanos", "iso8601", NULL};

#define MS_DIGITS 15 /* of years up to 9999 */
#define EXPONENT_MAX 100000

static const char not_number[] = "is not a number";
static const char out_of_range[] = "is out of years 0001 to 9999";

/* 0.d1d2d3... * 10^point; the digits are in the text, with a dot somewhere. */
struct decimal {
	const char *digits; /* the first that is not 0 */
	const char *end;
	int negative;
	int64_t point;
};

static int
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The exponent behind the 'e', cut at EXPONENT_MAX. */
static int
read_exponent(const char *p, const char *end, int64_t *exponent)
{
	int negative = p < end && *p == '-';
	int64_t value = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end)
		return 0;
	for (; p < end; p++) {
		if (!digit(*p))
			return 0;
		if (value < EXPONENT_MAX)
			value = value * 10 + (*p - '0');
	}
	*exponent = negative ? -value : value;
	return 1;
}

/* Skips zeros at the front; places before the dot count for the point. */
static void
normalize(struct decimal *d, const char *dot)
{
	const char *p = d->digits;

	while (p < d->end && (*p == '0' || *p == '.'))
		p++;
	if (p <= dot)
		d->point += dot - p;
	else
		d->point -= p - dot - 1;
	d->digits = p;
}

static int
read_decimal(struct secor_bytes text, struct decimal *d)
{
	const char *p = text.ptr, *end = text.ptr + text.len, *dot;

	d->negative = p < end && *p == '-';
	d->point = 0;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	d->digits = p;
	while (p < end && digit(*p))
		p++;
	dot = p;
	if (p == d->digits)
		return 0;
	if (p < end && *p == '.') {
		do
			p++;
		while (p < end && digit(*p));
		if (p == dot + 1)
			return 0;
	}
	d->end = p;
	if (p < end &&
	    ((*p | 0x20) != 'e' || !read_exponent(p + 1, end, &d->point)))
		return 0;
	normalize(d, dot);
	return 1;
}

/* The number rounded down, of at most MS_DIGITS digits. */
static int64_t
round_down(const struct decimal *d)
{
	const char *p = d->digits;
	int64_t value = 0, places = d->point;
	int rest = 0;

	for (; places > 0; places--) {
		if (p < d->end && *p == '.')
			p++;
		value = value * 10 + (p < d->end ? *p++ - '0' : 0);
	}
	for (; p < d->end && !rest; p++)
		rest = *p != '0' && *p != '.';
	return d->negative ? -value - rest : value;
}

/* How many places the point moves to make it milliseconds. */
static int64_t
shift_of(int format, const struct decimal *d)
{
	static const signed char shift[] = {0, 3, 0, -3, -6};

	if (format != WHEN_AUTO)
		return shift[format];
	if (d->negative || d->point <= 12)
		return shift[WHEN_SECONDS];
	if (d->point <= 15)
		return shift[WHEN_MILLIS];
	return shift[d->point <= 18 ? WHEN_MICROS : WHEN_NANOS];
}

const char *
when_number(int format, struct secor_bytes text, int64_t *ms)
{
	struct decimal d;
	int64_t value;

	if (!read_decimal(text, &d))
		return not_number;
	if (d.digits == d.end) {
		*ms = 0;
		return NULL;
	}
	d.point += shift_of(format, &d);
	if (d.point > MS_DIGITS)
		return out_of_range;
	value = round_down(&d);
	if (value < TIME_FIRST_MS || value > TIME_LAST_MS)
		return out_of_range;
	*ms = value;
	return NULL;
}

static struct secor_bytes
trim(struct secor_bytes text)
{
	while (text.len > 0 && text.ptr[text.len - 1] == ' ')
		text.len--;
	while (text.len > 0 && text.ptr[0] == ' ') {
		text.ptr++;
		text.len--;
	}
	return text;
}

static const char *
parse_number(const struct when *when, struct secor_bytes text, int64_t *ms)
{
	int64_t value;

	if (!when->compat || when->format != WHEN_AUTO)
		return when_number(when->format, text, ms);
	if (!when_compat_number(text, &value))
		return not_number;
	return when_integer(when, value, ms);
}

static const char *
parse_iso8601(const struct when *when, struct secor_bytes text, int64_t *ms)
{
	if (when->compat && when->format == WHEN_ISO8601)
		return when_compat_iso8601(when->zone, text, ms);
	return when_iso8601(when->zone, text, ms);
}

const char *
when_parse(const struct when *when, struct secor_bytes text, int64_t *ms)
{
	const char *why;

	if ((when->format == WHEN_AUTO || when->format == WHEN_ISO8601) &&
	    when_common(text, ms))
		return NULL;
	text = trim(text);
	if (when->format == WHEN_PATTERN)
		return when_pattern_read(when->pattern, when->zone, text, ms);
	if (when->format == WHEN_ISO8601)
		return parse_iso8601(when, text, ms);
	why = parse_number(when, text, ms);
	if (when->format != WHEN_AUTO || why != not_number)
		return why;
	why = parse_iso8601(when, text, ms);
	if (why != NULL && (text.len < 5 || !digit(text.ptr[0])))
		why = "is neither a number nor ISO-8601";
	return why;
}
