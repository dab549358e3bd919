/*
 * start.c -- see start.h. A time of day needs its zone: nothing here depends on
 * the machine's.
 */
#include "core/config/start.h"

#include "core/plugin/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Fewer are seconds, or a year: 100,000,000,000 ms is in March 1973. */
enum { MS_DIGITS_MIN = 12, MS_DIGITS_MAX = 15 };

/* `count` digits at *at, not above `max`; -1: none. */
static int
digits(const char **at, int count, int max)
{
	int value = 0;

	for (int i = 0; i < count; i++, (*at)++) {
		if (!isdigit((unsigned char)**at))
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value <= max ? value : -1;
}

static int
sign(const char **at, char c)
{
	if (**at != c)
		return 0;
	(*at)++;
	return 1;
}

/* 2026-01-31; 0: no date, or a day that is not in its month. */
static int
date(const char **at, struct tm *tm)
{
	struct tm made;

	tm->tm_year = digits(at, 4, 9999) - 1900;
	tm->tm_mon = sign(at, '-') ? digits(at, 2, 12) - 1 : -1;
	tm->tm_mday = sign(at, '-') ? digits(at, 2, 31) : 0;
	if (tm->tm_year < 70 || tm->tm_mon < 0 || tm->tm_mday < 1)
		return 0;
	made = *tm;
	(void)timegm(&made);
	return made.tm_mday == tm->tm_mday;
}

/* 08:00, 08:00:00, 08:00:00.123 */
static int
time_of_day(const char **at, struct tm *tm, int *ms)
{
	int scale = 100;

	tm->tm_hour = digits(at, 2, 23);
	tm->tm_min = sign(at, ':') ? digits(at, 2, 59) : -1;
	if (tm->tm_hour < 0 || tm->tm_min < 0)
		return 0;
	if (!sign(at, ':'))
		return 1;
	tm->tm_sec = digits(at, 2, 59);
	if (tm->tm_sec < 0 || !sign(at, '.'))
		return tm->tm_sec >= 0;
	if (!isdigit((unsigned char)**at))
		return 0;
	for (; isdigit((unsigned char)**at); (*at)++, scale /= 10)
		*ms += (**at - '0') * scale;
	return 1;
}

/* Z, +01:00, -0330: minutes east of UTC. 0: there is none. */
static int
zone(const char **at, int *minutes)
{
	int east = **at == '+', hours, rest;

	*minutes = 0;
	if (sign(at, 'Z'))
		return 1;
	if (!sign(at, '+') && !sign(at, '-'))
		return 0;
	hours = digits(at, 2, 18);
	(void)sign(at, ':');
	rest = digits(at, 2, 59);
	*minutes = (hours * 60 + rest) * (east ? 1 : -1);
	return hours >= 0 && rest >= 0;
}

static int
parse_iso(const char *text, int64_t *ms, struct secor_err *err)
{
	struct tm tm = {0};
	const char *at = text;
	int minutes = 0, part = 0;
	int64_t ago;
	int good = date(&at, &tm);

	if (good && (*at == 'T' || *at == ' ')) {
		at++;
		good = time_of_day(&at, &tm, &part);
		if (good && !zone(&at, &minutes))
			return secor_fail(err, SECOR_REJECT,
			    "start: '%s' has no zone: put Z (UTC) or +01:00 "
			    "behind it",
			    text);
	}
	if (parse_duration(text, &ago) == 0)
		return secor_fail(err, SECOR_REJECT,
		    "start: '%s' is a duration: -%s is that long ago", text,
		    text);
	if (!good || *at != '\0')
		return secor_fail(err, SECOR_REJECT,
		    "start: '%s' is no time (like 2026-01-31 or "
		    "2026-01-31T08:00:00Z)",
		    text);
	*ms = ((int64_t)timegm(&tm) - minutes * 60) * 1000 + part;
	return SECOR_OK;
}

static int
parse_ms(const char *text, int64_t *ms, struct secor_err *err)
{
	size_t len = strlen(text);

	if (len < MS_DIGITS_MIN || len > MS_DIGITS_MAX)
		return secor_fail(err, SECOR_REJECT,
		    "start: %s is not in ms since 1970 (like 1769842800000)",
		    text);
	*ms = strtoll(text, NULL, 10);
	return SECOR_OK;
}

static int
no_start(const char *text, struct secor_err *err)
{
	static const char *const WORDS[] = {"earliest", "latest"};
	const char *near = nearest_word(text, WORDS, 2);

	if (near != NULL)
		return secor_fail(err, SECOR_REJECT,
		    "start: '%s' is no start; did you mean '%s'?", text, near);
	return secor_fail(err, SECOR_REJECT,
	    "start: '%s' is none of earliest, latest, a time (like "
	    "2026-01-31T08:00:00Z), ms since 1970, or how long ago (like "
	    "-6h)",
	    text);
}

int
start_parse(const char *text, struct config_start *start, struct secor_err *err)
{
	struct config_start made = {CONFIG_START_TIME, 0};
	int rc = SECOR_OK;

	if (strcmp(text, "earliest") == 0)
		made.kind = CONFIG_START_EARLIEST;
	else if (strcmp(text, "latest") == 0)
		made.kind = CONFIG_START_LATEST;
	else if (*text == '-' && parse_duration(text + 1, &made.ms) == 0 &&
		 made.ms > 0)
		made.kind = CONFIG_START_AGO;
	else if (isdigit((unsigned char)*text) &&
		 strspn(text, "0123456789") == strlen(text))
		rc = parse_ms(text, &made.ms, err);
	else if (isdigit((unsigned char)*text))
		rc = parse_iso(text, &made.ms, err);
	else
		rc = no_start(text, err);
	if (rc == SECOR_OK)
		*start = made;
	return rc;
}
