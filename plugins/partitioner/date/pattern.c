/*
 * pattern.c -- see pattern.h. The calendar is Gregorian for all times, as that
 * of ISO-8601 is; words are English whatever the locale of the process.
 */
#include "plugins/partitioner/date/pattern.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/udat.h>
#include <unicode/ustring.h>

#define LOCALE "en_US_POSIX"

struct pattern {
	UDateFormat *format;
};

/* 0: no such letter, or one for which no unit is exact. */
static uint32_t
unit_of_letter(char c)
{
	static const struct {
		const char *letters;
		uint32_t unit;
	} rows[] = {{"Gyu", UNIT_YEAR}, {"MLQq", UNIT_MONTH}, {"Yw", UNIT_WEEK},
	    {"dDEecg", UNIT_DAY}, {"a", UNIT_HALF_DAY}, {"HhKk", UNIT_HOUR},
	    {"m", UNIT_MINUTE}, {"s", UNIT_SECOND}, {"ZOXx", UNIT_OFFSET}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strchr(rows[i].letters, c) != NULL)
			return rows[i].unit;
	}
	return 0;
}

static int
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct reader {
	struct pattern_levels *levels;
	size_t in_level; /* bytes of pattern since the last '/' */
	char seen[128];	 /* letters */
};

/* A byte of the text that the pattern makes: literal, or (unit) a field. */
static int
put_byte(struct reader *r, char c, uint32_t unit, struct secor_err *err)
{
	if (unit != 0 || c != '/') {
		r->levels->units[r->levels->count - 1] |= unit;
		r->in_level++;
		return SECOR_OK;
	}
	if (r->in_level == 0)
		return secor_fail(err, SECOR_FATAL, "a level is empty");
	if (r->levels->count == SECOR_MAX_LEVELS)
		return secor_fail(
		    err, SECOR_FATAL, "more than %d levels", SECOR_MAX_LEVELS);
	r->levels->count++;
	r->in_level = 0;
	return SECOR_OK;
}

static int
read_letter(struct reader *r, char c, struct secor_err *err)
{
	uint32_t unit = unit_of_letter(c);

	if (unit == 0)
		return secor_fail(err, SECOR_FATAL,
		    "letter '%c' is not possible here (text is quoted: "
		    "'yr='yyyy)",
		    c);
	r->seen[(unsigned char)c] = 1;
	return put_byte(r, c, unit, err);
}

/* What is taken for something else: wrong for a few days a year only. */
static int
check_mistakes(const char *seen, struct secor_err *err)
{
	if (seen['Y'] && !seen['w'])
		return secor_fail(err, SECOR_FATAL,
		    "'Y' is the year of a week ('w'): the year is 'y'");
	if (seen['D'] && (seen['M'] || seen['L']))
		return secor_fail(err, SECOR_FATAL,
		    "'D' is the day of the year: that of the month is 'd'");
	return SECOR_OK;
}

static int
read_pattern(struct reader *r, const char *p, struct secor_err *err)
{
	int quoted = 0, rc = SECOR_OK;

	for (; *p != '\0' && rc == SECOR_OK; p++) {
		if (*p == '\'' && p[1] == '\'')
			rc = put_byte(r, *p++, 0, err); /* as such */
		else if (*p == '\'')
			quoted = !quoted;
		else if (!quoted && is_letter(*p))
			rc = read_letter(r, *p, err);
		else
			rc = put_byte(r, *p, 0, err);
	}
	if (rc != SECOR_OK)
		return rc;
	if (quoted)
		return secor_fail(err, SECOR_FATAL, "a quote is not closed");
	if (r->in_level == 0)
		return secor_fail(err, SECOR_FATAL, "a level is empty");
	return check_mistakes(r->seen, err);
}

int
pattern_levels(
    const char *pattern, struct pattern_levels *levels, struct secor_err *err)
{
	struct reader reader = {.levels = levels};

	memset(levels, 0, sizeof(*levels));
	levels->count = 1;
	if (strlen(pattern) > PATTERN_LONGEST)
		return secor_fail(
		    err, SECOR_FATAL, "longer than %d bytes", PATTERN_LONGEST);
	return read_pattern(&reader, pattern, err);
}

/* No Julian dates before 1582. */
static void
set_gregorian(UDateFormat *format, UErrorCode *code)
{
	UCalendar *calendar = ucal_clone(udat_getCalendar(format), code);

	ucal_setGregorianChange(calendar, -1e15, code);
	if (U_SUCCESS(*code))
		udat_setCalendar(format, calendar);
	if (calendar != NULL)
		ucal_close(calendar);
}

int
pattern_open(const char *pattern, const char *timezone, struct pattern **out,
    struct secor_err *err)
{
	UChar text[PATTERN_LONGEST + 1], zone[PATTERN_LONGEST + 1];
	UErrorCode code = U_ZERO_ERROR;
	struct pattern *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	u_strFromUTF8(text, PATTERN_LONGEST + 1, NULL, pattern, -1, &code);
	u_strFromUTF8(zone, PATTERN_LONGEST + 1, NULL, timezone, -1, &code);
	p->format = udat_open(
	    UDAT_PATTERN, UDAT_PATTERN, LOCALE, zone, -1, text, -1, &code);
	if (U_SUCCESS(code))
		set_gregorian(p->format, &code);
	if (U_FAILURE(code)) {
		pattern_close(p);
		return secor_fail(err, SECOR_FATAL, "pattern '%s': %s", pattern,
		    u_errorName(code));
	}
	*out = p;
	return SECOR_OK;
}

void
pattern_close(struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	if (pattern->format != NULL)
		udat_close(pattern->format);
	free(pattern);
}

int
pattern_format(const struct pattern *pattern, int64_t time_ms, char *to)
{
	UErrorCode code = U_ZERO_ERROR;
	UChar text[PATTERN_ROOM];
	int32_t len, bytes;

	len = udat_format(
	    pattern->format, (UDate)time_ms, text, PATTERN_ROOM, NULL, &code);
	if (U_FAILURE(code) || len > PATTERN_ROOM)
		return -1;
	u_strToUTF8(to, PATTERN_ROOM, &bytes, text, len, &code);
	return U_SUCCESS(code) && bytes <= PATTERN_ROOM ? bytes : -1;
}
