/*
 * pattern.h -- date patterns of ICU (those of Java's SimpleDateFormat, nearly)
 * as levels of a path: a '/' begins the next level.
 *
 * Of each level it is known which units of time its text depends on. Patterns
 * for which that cannot be said exactly are refused.
 */
#ifndef PLUGINS_PARTITIONER_DATE_PATTERN_H
#define PLUGINS_PARTITIONER_DATE_PATTERN_H

#include "plugins/common/calendar.h"

#include <secor/partitioner.h>

#define PATTERN_LONGEST 128 /* bytes */
#define PATTERN_ROOM 512    /* of its text, in bytes */

struct pattern_levels {
	uint32_t count;
	uint32_t units[SECOR_MAX_LEVELS];
};

/* SECOR_OK, or SECOR_FATAL with what is wrong. */
int pattern_levels(
    const char *pattern, struct pattern_levels *levels, struct secor_err *err);

struct pattern;

int pattern_open(const char *pattern, const char *timezone,
    struct pattern **out, struct secor_err *err);
void pattern_close(struct pattern *pattern); /* accepts NULL */

/* The text of a time, at most PATTERN_ROOM bytes of UTF-8; its length, or -1:
 * ICU refused. */
int pattern_format(const struct pattern *pattern, int64_t time_ms, char *to);

#endif
