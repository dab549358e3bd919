/*
 * layout.h -- the folder of a topic's objects, and back.
 *
 *	[<4 hex>/] [<prefix>/] <what layout.topics says of the topic> /...
 *
 * The map is static and injective: no folder of a topic is that of another, or
 * lies within it, nor within those of manifests and dead letters.
 */
#ifndef SECOR_CONFIG_LAYOUT_H
#define SECOR_CONFIG_LAYOUT_H

#include "core/base/buf.h"
#include "core/config/config.h"

enum {
	LAYOUT_MD5 = 5,	 /* bytes of "d363/" */
	LAYOUT_DATE = 10 /* of "2026-01-31" */
};

/* Appends the folder, without '/' at its end; `alternative`: under
 * layout.alternative_prefix. */
void layout_folder(const struct config *config, const char *topic,
    int alternative, struct buf *out);

/* The topic that an object's key is of; caller frees. NULL: none. */
char *layout_topic(const struct config *config, const char *key);

/* Bytes that the layout adds to a key of `<topic>/...` at most. */
size_t layout_overhead(const struct config *config);

/* Whether the text begins as a date: digits, as in 2026-01-31. */
int layout_begins_with_date(const char *text);

/* What is wrong with it, in one sentence at the key of `layout`; 0: nothing.
 * The patterns of topics must be compiled. */
struct layout_fault {
	const char *key;
	char text[700];
};
int layout_check(const struct config *config, struct layout_fault *fault);

#endif
