/*
 * when_find.c -- see when.h: options, values that are no text, and what stands
 * in for a time that is not there.
 */
#include "plugins/common/civil.h"
#include "plugins/common/when.h"
#include "plugins/common/when_pattern.h"

#include <inttypes.h>
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
    "is neither auto, seconds, millis, micros, nanos, iso8601 nor a pattern";

/* Its format, and the pattern if it is one. */
static int
format_open(struct when *when, const struct when_conf *conf, int lenient,
    struct secor_err *err)
{
	struct secor_err why;

	when->format = format_of(conf->format);
	if (when->format >= 0)
		return SECOR_OK;
	when->format = WHEN_PATTERN;
	if (when_pattern_new(conf->format, conf->locale, lenient,
		&when->pattern, &why) == SECOR_OK)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL, "%s: %s", not_format, why.text);
}

void
when_check(const struct when_conf *conf, const struct secor_check *check)
{
	struct when_else unused;
	struct when when = {0};
	struct secor_err err;

	if (!zone_known(conf->timezone))
		check->complain(
		    check, "timezone", "there is no such time zone");
	if (format_open(&when, conf, check->compat, &err) != SECOR_OK)
		check->complain(check, "time_format", err.text);
	when_close(&when);
	if (!else_of(conf->missing, &unused))
		check->complain(check, "time_missing", not_else);
	if (!else_of(conf->invalid, &unused))
		check->complain(check, "time_invalid", not_else);
}

int
when_open(struct when *when, const struct when_conf *conf,
    const struct secor_open *with, struct secor_err *err)
{
	struct secor_err why;

	when->compat = with->compat == SECOR_COMPAT_SECOR;
	if (format_open(when, conf, when->compat, &why) != SECOR_OK)
		return secor_fail(err, SECOR_FATAL, "time_format '%s' %s",
		    conf->format, why.text);
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
	when_pattern_free(when->pattern);
	zone_close(when->zone);
	when->pattern = NULL;
	when->zone = NULL;
}

/* A number where text is needed: its digits are the text. */
static const char *
as_text(const struct when *when, const char *digits, int64_t *ms)
{
	struct secor_bytes text = {digits, strlen(digits)};

	if (when->format == WHEN_ISO8601 && !when->compat)
		return "is a number, not ISO-8601 text";
	return when_parse(when, text, ms);
}

static int
wants_text(const struct when *when)
{
	return when->format == WHEN_ISO8601 || when->format == WHEN_PATTERN;
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
	char digits[24];

	if (wants_text(when)) {
		(void)snprintf(digits, sizeof(digits), "%" PRId64, value);
		return as_text(when, digits, ms);
	}
	switch (unit_of(when->format, value)) {
	case WHEN_SECONDS:
		if (value < TIME_FIRST_MS / 1000 || value > TIME_LAST_MS / 1000)
			return out_of_range;
		return in_range(value * 1000, ms);
	case WHEN_MILLIS:
		return in_range(value, ms);
	case WHEN_MICROS:
		return in_range(floor_div(value, 1000), ms);
	default:
		return in_range(floor_div(value, 1000000), ms);
	}
}

const char *
when_natural(const struct when *when, uint64_t value, int64_t *ms)
{
	char digits[24];

	if (value <= INT64_MAX)
		return when_integer(when, (int64_t)value, ms);
	if (wants_text(when)) {
		(void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
		return as_text(when, digits, ms);
	}
	if (when->format == WHEN_AUTO || when->format == WHEN_NANOS)
		return in_range((int64_t)(value / 1000000), ms);
	return out_of_range;
}

const char *
when_real(const struct when *when, double value, int64_t *ms)
{
	char digits[40];

	if (!isfinite(value))
		return "is not a finite number";
	for (int n = 15; n <= 17; n++) {
		(void)snprintf(digits, sizeof(digits), "%.*g", n, value);
		if (strtod(digits, NULL) == value)
			break;
	}
	return as_text(when, digits, ms);
}

static const char *
read_value(const struct when *when, const struct when_value *value, int64_t *ms)
{
	switch (value->kind) {
	case WHEN_IS_NUMBER:
		if (when->format == WHEN_ISO8601 && !when->compat)
			return as_text(when, "", ms);
		/* fallthrough */
	case WHEN_IS_TEXT:
		return when_parse(when, value->text, ms);
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
