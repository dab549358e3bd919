/*
 * when_pattern.c -- see when_pattern.h: compiles patterns.
 */
#include "plugins/common/when_pattern.h"
#include "plugins/common/civil.h"
#include "plugins/common/when_fields.h"

#include <stdlib.h>
#include <string.h>

static const char letters[] = "GyYMLwWDdFEuaHkKhmsSzZX";
static const char numbers[] = "yYwWDdFuHkKhmsS";

static int
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static int
is_number(const struct when_item *item)
{
	if (item->letter == 'M' || item->letter == 'L')
		return item->count <= 2;
	return is_one_of(item->letter, numbers);
}

static void
add_byte(struct when_pattern *pattern, char byte)
{
	pattern->items[pattern->count++] = (struct when_item){.byte = byte};
}

/* Text in quotes, of which p is the first; two of them are one. NULL when it
 * does not end. */
static const char *
add_quoted(struct when_pattern *pattern, const char *p)
{
	if (p[1] == '\'') {
		add_byte(pattern, '\'');
		return p + 2;
	}
	for (p++; *p != '\0'; p++) {
		if (*p != '\'') {
			add_byte(pattern, *p);
			continue;
		}
		if (p[1] != '\'')
			return p + 1;
		add_byte(pattern, *p++);
	}
	return NULL;
}

static const char *
add_letter(struct when_pattern *pattern, const char *p)
{
	struct when_item item = {.letter = *p};

	while (*p == item.letter && item.count < UINT8_MAX) {
		item.count++;
		p++;
	}
	pattern->items[pattern->count++] = item;
	return p;
}

static int
compile(struct when_pattern *pattern, const char *text, struct secor_err *err)
{
	const char *p = text;

	while (*p != '\0') {
		if (*p == '\'') {
			p = add_quoted(pattern, p);
			if (p == NULL)
				return secor_fail(err, SECOR_FATAL,
				    "the pattern has a quote that does not "
				    "end");
		} else if (!is_letter(*p)) {
			add_byte(pattern, *p++);
		} else if (is_one_of(*p, letters)) {
			p = add_letter(pattern, p);
		} else {
			return secor_fail(err, SECOR_FATAL,
			    "'%c' is no letter of a pattern (text stands in "
			    "'quotes')",
			    *p);
		}
	}
	for (size_t i = 0; i + 1 < pattern->count; i++)
		pattern->items[i].abuts =
		    (uint8_t)is_number(&pattern->items[i + 1]);
	return SECOR_OK;
}

static int
has(const struct when_pattern *pattern, const char *set)
{
	for (size_t i = 0; i < pattern->count; i++) {
		if (is_one_of(pattern->items[i].letter, set))
			return 1;
	}
	return 0;
}

/* What is a pattern, but surely not the one that was meant. */
static int
check_sense(const struct when_pattern *pattern, struct secor_err *err)
{
	if (!has(pattern, "yY"))
		return secor_fail(
		    err, SECOR_FATAL, "the pattern has no year (yyyy)");
	if (has(pattern, "Y") && has(pattern, "MLdD"))
		return secor_fail(err, SECOR_FATAL,
		    "Y is the year of a week (w): beside a month or a day "
		    "use y");
	if (has(pattern, "hK") && !has(pattern, "aHk"))
		return secor_fail(err, SECOR_FATAL,
		    "h and K are hours of half a day: without a (AM or PM) "
		    "use H");
	for (size_t i = 0; i < pattern->count; i++) {
		const struct when_item *item = &pattern->items[i];

		if (item->letter == 'X' && item->count > 3)
			return secor_fail(
			    err, SECOR_FATAL, "an offset is X, XX or XXX");
	}
	return SECOR_OK;
}

int
when_pattern_new(const char *text, const char *locale, int lenient,
    struct when_pattern **out, struct secor_err *err)
{
	struct when_pattern *pattern = calloc(1,
	    sizeof(*pattern) + (strlen(text) + 1) * sizeof(pattern->items[0]));
	int rc;

	if (pattern == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	pattern->lenient = lenient;
	rc = compile(pattern, text, err);
	if (rc == SECOR_OK && !lenient)
		rc = check_sense(pattern, err);
	if (rc == SECOR_OK)
		rc = when_names_load(locale, &pattern->names, err);
	if (rc != SECOR_OK) {
		free(pattern);
		return SECOR_FATAL;
	}
	*out = pattern;
	return SECOR_OK;
}

void
when_pattern_free(struct when_pattern *pattern)
{
	free(pattern);
}

/* As Java has it: what occurs twice is the second one, and what does not occur
 * has the offset of before. */
static int64_t
java_utc(struct zone *zone, int64_t local)
{
	struct zone_span span, next;
	int64_t utc = local - MS_DAY;

	if (!zone_to_utc(zone, local, &utc)) {
		(void)zone_to_utc(zone, local - MS_DAY, &utc);
		return utc + MS_DAY;
	}
	span = zone_span_at(zone, utc);
	if (span.until == INT64_MAX)
		return utc;
	next = zone_span_at(zone, span.until);
	return local - next.offset >= next.from ? local - next.offset : utc;
}

const char *
when_pattern_read(const struct when_pattern *pattern, struct zone *zone,
    struct secor_bytes text, int64_t *ms)
{
	struct when_fields fields = {.last = 0};
	const char *why = when_fields_read(pattern, text, &fields);
	int64_t local, utc;

	if (why != NULL)
		return why;
	if (!when_fields_resolve(
		&fields, &pattern->names, pattern->lenient, &local))
		return "is a day or time that does not exist";
	if (local < TIME_FIRST_MS - MS_DAY || local > TIME_LAST_MS + MS_DAY)
		return "is out of years 0001 to 9999";
	utc = local - fields.value[FIELD_OFFSET] * MS_MINUTE;
	if (fields.order[FIELD_OFFSET] == 0) {
		if (pattern->lenient)
			utc = java_utc(zone, local);
		else if (!zone_to_utc(zone, local, &utc))
			return "is a time that its zone leaves out";
	}
	if (utc < TIME_FIRST_MS || utc > TIME_LAST_MS)
		return "is out of years 0001 to 9999";
	*ms = utc;
	return NULL;
}
