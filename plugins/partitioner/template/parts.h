/*
 * parts.h -- a template as levels, each a name and the parts of its value.
 *
 *	country={country}/dt={time:%Y-%m-%d}/offset={offset:1000000}
 *
 * A '/' begins a level, also within the format of a time. What is parsed here
 * is a function of the text alone.
 */
#ifndef PLUGINS_PARTITIONER_TEMPLATE_PARTS_H
#define PLUGINS_PARTITIONER_TEMPLATE_PARTS_H

#include "plugins/common/calendar.h"

#include <secor/partitioner.h>

enum { TEMPLATE_PARTS = 64, TEMPLATE_FIELDS = 16, TEMPLATE_LONGEST = 1024 };

enum part_kind {
	PART_LITERAL,
	PART_FIELD,
	PART_KEY,
	PART_PARTITION,
	PART_OFFSET,
	PART_TIME
};

struct part {
	enum part_kind kind;
	char directive;	  /* of a time: 'Y' */
	size_t field;	  /* which one */
	int64_t per;	  /* of offsets: so many in one path */
	const char *text; /* literal; in struct template */
	size_t len;
};

struct level {
	const char *name; /* "" when it has none */
	size_t name_len;
	size_t first, count; /* of its value, in parts */
	uint32_t units;	     /* UNIT_* that it depends on */
};

struct template
{
	struct template *next; /* of those that are known */
	char *source;
	uint32_t inputs; /* SECOR_ROUTE_BY_* */
	struct level levels[SECOR_MAX_LEVELS];
	size_t level_count;
	struct part parts[TEMPLATE_PARTS];
	size_t part_count;
	char *fields[TEMPLATE_FIELDS];
	size_t field_count;
	char text[TEMPLATE_LONGEST + 1]; /* of literals */
	size_t text_len;
};

/* The template of this text: SECOR_OK, or SECOR_FATAL with what is wrong. It is
 * kept as long as the process lives, so its fields can be lent. Any thread. */
int template_of(
    const char *source, const struct template **out, struct secor_err *err);

/* Bytes that a directive of a time writes at most. */
enum { TIME_ROOM = 8 };

/* Writes one directive of a local time; how many bytes. */
size_t template_time(char directive, int64_t local_ms, char *to);

#endif
