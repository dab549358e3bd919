/*
 * when_compat.c -- see when.h: texts that only the original takes for a time.
 */
#include "plugins/common/when.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_DIGITS 15 /* any number of so many is a double */
#define LONGEST 400

/* Java's Double.parseDouble takes what strtod does, but for names of infinity
 * in other case, `nan(...)` and hexadecimal without an exponent; and a suffix.
 */
static int
is_java_double(const char *text, const char *end)
{
	const char *p = text + (*text == '-' || *text == '+');

	if (strncmp(p, "Infinity", 8) == 0 || strncmp(p, "NaN", 3) == 0)
		return end - p == (*p == 'I' ? 8 : 3);
	if (*p == 'i' || *p == 'I' || *p == 'n' || *p == 'N')
		return 0;
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		return strpbrk(p, "pP") != NULL;
	return 1;
}

/* As (long) of a double does. */
static int64_t
to_long(double value)
{
	if (isnan(value))
		return 0;
	if (value >= 9223372036854775807.0)
		return INT64_MAX;
	if (value <= -9223372036854775808.0)
		return INT64_MIN;
	return (int64_t)value;
}

/* Just digits, not too many. */
static int
plain_integer(struct secor_bytes text, int64_t *value)
{
	int64_t v = 0;

	if (text.len == 0 || text.len > EXACT_DIGITS)
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return 0;
		v = v * 10 + (text.ptr[i] - '0');
	}
	*value = v;
	return 1;
}

int
when_compat_number(struct secor_bytes text, int64_t *value)
{
	char copy[LONGEST + 1], *end;
	double number;

	if (plain_integer(text, value))
		return 1;
	if (text.len == 0 || text.len > LONGEST ||
	    memchr(text.ptr, '\0', text.len) != NULL)
		return 0;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	number = strtod(copy, &end);
	if (end == copy || !is_java_double(copy, end))
		return 0;
	if (isfinite(number) && *end != '\0' && strchr("dDfF", *end) != NULL)
		end++;
	if (*end != '\0')
		return 0;
	*value = to_long(number);
	return 1;
}

const char *
when_compat_iso8601(struct zone *zone, struct secor_bytes text, int64_t *ms)
{
	const char *why = when_iso8601(zone, text, ms);
	char whole[64];
	int n;

	if (why == NULL || text.len < 4 || text.len > 40)
		return why;
	if (text.ptr[2] == ':')
		n = snprintf(whole, sizeof(whole), "1970-01-01T%.*s",
		    (int)text.len, text.ptr);
	else if (text.len == 4)
		n = snprintf(whole, sizeof(whole), "%.4s-01-01", text.ptr);
	else if (text.len == 7 && text.ptr[4] == '-')
		n = snprintf(whole, sizeof(whole), "%.7s-01", text.ptr);
	else
		return why;
	return when_iso8601(zone, (struct secor_bytes){whole, (size_t)n}, ms);
}
