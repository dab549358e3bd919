/*
 * parsers.h -- the parsers of the original, one row each: what reads the
 * message here, and which levels its paths had.
 */
#ifndef SECOR_CLI_MIGRATE_PARSERS_H
#define SECOR_CLI_MIGRATE_PARSERS_H

#include "core/cli/migrate/migration.h"

enum old_levels {
	LEVELS_OFFSET,	    /* a range of offsets */
	LEVELS_TIME,	    /* day, hour, minute of the event time */
	LEVELS_DAY,	    /* the day, whatever is set */
	LEVELS_FIELD,	    /* the value of a field, then the time */
	LEVELS_NAMED_FIELD, /* the same as name=value */
	LEVELS_CLOCK,	    /* of the time when it was read */
	LEVELS_CLOCK_OFFSET
};

enum {
	/* kafka.useTimestamp counts, and nothing of the payload then. */
	OLD_KAFKA_TIME = 1,
	/* No time of the payload at all. */
	OLD_NO_TIME = 2,
	/* A message without a time was in 1970: always, or when
	 * message.timestamp.required is false. */
	OLD_MISSING_1970 = 4,
	OLD_MISSING_UNLESS_REQUIRED = 8,
	/* And so was one with something that is no time. */
	OLD_INVALID_1970 = 16,
	OLD_INVALID_UNLESS_REQUIRED = 32
};

struct old_parser {
	const char *name;   /* of the class, without what all end with */
	const char *plugin; /* of ours */
	enum old_levels levels;
	uint32_t flags;
	const char *time_format; /* NULL: auto */
	const char *trap;	 /* a warning, or NULL */
};

#endif
