/*
 * when_fields.h -- the insides of patterns: fields of a calendar and how they
 * make a day, the names of a language, a compiled pattern.
 */
#ifndef PLUGINS_COMMON_WHEN_FIELDS_H
#define PLUGINS_COMMON_WHEN_FIELDS_H

#include "plugins/common/when_pattern.h"

enum when_field {
	FIELD_ERA = 0, /* 0 is BC */
	FIELD_YEAR,
	FIELD_WEEK_YEAR,
	FIELD_MONTH, /* 0 is January */
	FIELD_WEEK,
	FIELD_WEEK_OF_MONTH,
	FIELD_DAY_OF_YEAR,
	FIELD_DAY,
	FIELD_DAY_IN_MONTH, /* the second Wednesday */
	FIELD_WEEKDAY,	    /* 1 is Sunday */
	FIELD_HALF,	    /* 1 is PM */
	FIELD_HOUR,
	FIELD_HOUR_OF_HALF,
	FIELD_MINUTE,
	FIELD_SECOND,
	FIELD_MILLI,
	FIELD_OFFSET, /* minutes east of UTC */
	FIELD_COUNT
};

/* `order` counts up as fields are found; 0: not there. */
struct when_fields {
	int32_t value[FIELD_COUNT];
	uint16_t order[FIELD_COUNT];
	uint16_t last;
};

static inline void
when_fields_set(struct when_fields *fields, int field, int64_t value)
{
	fields->value[field] = (int32_t)value;
	fields->order[field] = ++fields->last;
}

#define NAME_BYTES 64

/* Names in UTF-8, "" where there is none. */
struct when_names {
	char months[4][12][NAME_BYTES]; /* long and short, in texts and alone */
	char weekdays[2][7][NAME_BYTES];
	char halves[2][NAME_BYTES];
	int first_day;	/* of a week; 1 is Sunday */
	int least_days; /* of a year's or month's first week */
};

/* SECOR_OK, or SECOR_FATAL: there is no such locale. */
int when_names_load(
    const char *locale, struct when_names *names, struct secor_err *err);

/* The local time that the fields make, as if it were UTC; 0 when there is no
 * such time (strict), or it is out of all reason. */
int when_fields_resolve(const struct when_fields *fields,
    const struct when_names *names, int lenient, int64_t *local_ms);

struct when_item {
	char letter; /* 0: the byte */
	char byte;
	uint8_t count;
	uint8_t abuts; /* a number follows at once: `count` digits, no more */
};

struct when_pattern {
	struct when_names names;
	int lenient;
	size_t count;
	struct when_item items[];
};

/* SECOR_OK with the fields, or a phrase. Lenient: of a prefix. */
const char *when_fields_read(const struct when_pattern *pattern,
    struct secor_bytes text, struct when_fields *fields);

#endif
