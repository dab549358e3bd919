/*
 * when_find.c -- see when.h: options, values that are no text, and what stands
 * in for a time that is not there.
 */
#include "plugins/common/civil.h"
#include "plugins/common/when.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char out_of_range[] = "is out of years 0001 to 9999";

/* The number of the word, or -1. */
static int
format_of(const char *word)
{
	for (int i = 0; when_formats[i] != NULL; i++) {
		if (strcmp(word, when_formats[i]) == 0)
			return i;
	}
	return -1;
}

/* 1 with *to, or 0: it is none of the words, and no time. */
static int
else_of(const char *word, struct when_else *to)
{
	struct secor_bytes text = {word, word != NULL ? strlen(word) : 0};
	struct zone *utc = NULL;
	int good;

	to->what = WHEN_REJECT;
	if (word == NULL || strcmp(word, "reject") == 0)
		return 1;
	to->what = WHEN_KAFKA;
	if (strcmp(word, "kafka") == 0)
		return 1;
	to->what = WHEN_FIXED;
	good = zone_open("UTC", &utc, NULL) == SECOR_OK &&
	       when_iso8601(utc, text, &to->ms) == NULL;
	zone_close(utc);
	return good;
}

static const char not_else[] =
    "is neither reject, kafka nor a time like 1970-01-01T00:00:00Z";
static const char not_format[] =
    "is neither auto, seconds, millis, micros, nanos nor iso8601";

void
when_check(const struct when_conf *conf, const struct secor_check *check)
{
	struct when_else unused;

	if (!zone_known(conf->timezone))
		check->complain(
		    check, "timezone", "there is no such time zone");
	if (format_of(conf->format) < 0)
		check->complain(check, "time_format", not_format);
	if (!else_of(conf->missing, &unused))
		check->complain(check, "time_missing", not_else);
	if (!else_of(conf->invalid, &unused))
		check->complain(check, "time_invalid", not_else);
}

int
when_open(struct when *when, const struct when_conf *conf,
    const struct secor_open *with, struct secor_err *err)
{
	(void)with;
	when->format = format_of(conf->format);
	if (when->format < 0)
		return secor_fail(err, SECOR_FATAL, "time_format '%s' %s",
		    conf->format, not_format);
	if (!else_of(conf->missing, &when->missing))
		return secor_fail(err, SECOR_FATAL, "time_missing '%s' %s",
		    conf->missing, not_else);
	if (!else_of(conf->invalid, &when->invalid))
		return secor_fail(err, SECOR_FATAL, "time_invalid '%s' %s",
		    conf->invalid, not_else);
	return zone_open(conf->timezone, &when->zone, err);
}

void
when_close(struct when *when)
{
	zone_close(when->zone);
	when->zone = NULL;
}

/* The unit of a number of that size: see when.h. */
static int
unit_of(int format, int64_t value)
{
	if (format != WHEN_AUTO)
		return format;
	if (value < INT64_C(1000000000000))
		return WHEN_SECONDS;
	if (value < INT64_C(1000000000000000))
		return WHEN_MILLIS;
	if (value < INT64_C(1000000000000000000))
		return WHEN_MICROS;
	return WHEN_NANOS;
}

static const char *
in_range(int64_t value, int64_t *ms)
{
	if (value < TIME_FIRST_MS || value > TIME_LAST_MS)
		return out_of_range;
	*ms = value;
	return NULL;
}

const char *
when_integer(const struct when *when, int64_t value, int64_t *ms)
{
	switch (unit_of(when->format, value)) {
	case WHEN_SECONDS:
		if (value < TIME_FIRST_MS / 1000 || value > TIME_LAST_MS / 1000)
			return out_of_range;
		return in_range(value * 1000, ms);
	case WHEN_MILLIS:
		return in_range(value, ms);
	case WHEN_MICROS:
		return in_range(floor_div(value, 1000), ms);
	case WHEN_NANOS:
		return in_range(floor_div(value, 1000000), ms);
	default:
		return "is a number, not ISO-8601 text";
	}
}

const char *
when_natural(const struct when *when, uint64_t value, int64_t *ms)
{
	if (value <= INT64_MAX)
		return when_integer(when, (int64_t)value, ms);
	if (when->format == WHEN_AUTO || when->format == WHEN_NANOS)
		return in_range((int64_t)(value / 1000000), ms);
	return when->format == WHEN_ISO8601 ? when_integer(when, 0, ms)
					    : out_of_range;
}

const char *
when_real(const struct when *when, double value, int64_t *ms)
{
	struct secor_bytes text;
	char digits[40];

	if (!isfinite(value))
		return "is not a finite number";
	if (when->format == WHEN_ISO8601)
		return when_integer(when, 0, ms);
	for (int n = 15; n <= 17; n++) {
		(void)snprintf(digits, sizeof(digits), "%.*g", n, value);
		if (strtod(digits, NULL) == value)
			break;
	}
	text = (struct secor_bytes){digits, strlen(digits)};
	return when_number(when->format, text, ms);
}

static const char *
read_value(const struct when *when, const struct when_value *value, int64_t *ms)
{
	switch (value->kind) {
	case WHEN_IS_TEXT:
		return when_parse(when, value->text, ms);
	case WHEN_IS_NUMBER:
		if (when->format == WHEN_ISO8601)
			return when_integer(when, 0, ms);
		return when_number(when->format, value->text, ms);
	case WHEN_IS_INTEGER:
		return when_integer(when, value->integer, ms);
	case WHEN_IS_NATURAL:
		return when_natural(when, value->natural, ms);
	case WHEN_IS_REAL:
		return when_real(when, value->real, ms);
	case WHEN_IS_TIME:
		return in_range(value->integer, ms);
	default:
		return value->phrase;
	}
}

int
when_find(const struct when *when, const struct when_value *value,
    const struct secor_message *message, int64_t *ms, struct secor_err *err)
{
	const char *why = read_value(when, value, ms);
	const struct when_else *instead;
	int said;

	if (why == NULL)
		return SECOR_OK;
	instead =
	    value->kind == WHEN_IS_MISSING ? &when->missing : &when->invalid;
	if (instead->what == WHEN_FIXED) {
		*ms = instead->ms;
		return SECOR_OK;
	}
	if (instead->what == WHEN_KAFKA &&
	    message->timestamp_ms != SECOR_NO_TIME) {
		*ms = message->timestamp_ms;
		return SECOR_OK;
	}
	said = value->kind == WHEN_IS_MISSING || value->kind == WHEN_IS_OTHER;
	return secor_fail(err, SECOR_REJECT, "no time: %s '%s' %s%s%s",
	    when->noun, when->name, said ? "is " : "", why,
	    instead->what == WHEN_KAFKA ? ", and Kafka has none" : "");
}
