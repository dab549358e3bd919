/*
 * event_hole.h -- a text with placeholders as it was read: what event_text.c
 * (reading) and event_fill.c (filling) share.
 */
#ifndef SECOR_COMMON_EVENT_HOLE_H
#define SECOR_COMMON_EVENT_HOLE_H

#include "plugins/common/event_text.h"

enum hole {
	HOLE_EVENT,
	HOLE_ID,
	HOLE_TOPIC,
	HOLE_SENT_MS,
	HOLE_OBJECTS,
	HOLE_RECORDS,
	HOLE_BYTES,
	HOLE_JSON,
	HOLE_PARTITION,
	HOLE_START,
	HOLE_END,
	HOLE_MESSAGES,
	HOLE_FILTERED,
	HOLE_BAD,
	HOLE_MANIFEST_KEY,
	HOLE_PATH,
	HOLE_LEVEL,
	HOLE_URL,
	HOLE_TIME_FROM,
	HOLE_TIME_UNTIL,
	HOLE_TIME_FROM_MS,
	HOLE_TIME_UNTIL_MS,
	HOLE_TOTAL_OBJECTS,
	HOLE_TOTAL_RECORDS,
	HOLE_TOTAL_BYTES,
	HOLE_NONE
};

struct part {
	const char *literal; /* in source; NULL: a hole */
	size_t len;
	enum hole hole;
	char *name; /* of a level */
	int quoted;
};

struct event_text {
	char *source;
	struct part *parts;
	size_t count;
};

#endif
