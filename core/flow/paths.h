/*
 * paths.h -- output paths, each kept once and counted. A path lives as long as
 * a remembered route or an open object refers to it.
 */
#ifndef SECOR_FLOW_PATHS_H
#define SECOR_FLOW_PATHS_H

#include "core/base/buf.h"

#include <secor/format.h>
#include <secor/partitioner.h>

enum { PATHS_BUCKETS = 4096 };

/* One output path, counted. `text` is escaped; levels are not. */
struct path {
	struct path *next; /* of the table's bucket */
	uint64_t hash;
	size_t refs;
	char *text;
	size_t len;
	struct secor_level_text levels[SECOR_MAX_LEVELS];
	size_t level_count;
	char *bytes; /* of the levels */
	/* Of a partitioner with max_values: the path when a batch has so many
	 * others already, and the hash of what is counted. */
	struct path *overflow; /* NULL: not guarded; counted */
	size_t most;
	uint64_t value_hash;
	/* finalize.late: separate: where the late ones of it go (late.h). */
	struct path *late; /* NULL: not asked for yet */
	/* Of a format that splits paths: one of its objects. */
	char *suffix; /* "": not split */
	char *hint;
	size_t hint_len;
};

struct paths {
	struct path *buckets[PATHS_BUCKETS];
};

/* The path with this text, made on first use (levels are copied). Not counted
 * for the caller, who takes it (paths_ref) at once. */
struct path *paths_get(struct paths *paths, const struct buf *text,
    const struct secor_level_text *levels, size_t level_count);

/* The same path for the objects with this suffix; it itself when that is empty.
 * Counted as above. */
struct path *paths_split(
    struct paths *paths, struct path *path, const struct secor_split *split);

struct path *paths_ref(struct path *path);
void paths_unref(struct paths *paths, struct path *path); /* accepts NULL */

#endif
