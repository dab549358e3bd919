/*
 * hive_event.h -- what an event is to a notifier that writes to a catalogue:
 * the paths in it that are to be partitions, one after the other.
 */
#ifndef SECOR_COMMON_HIVE_EVENT_H
#define SECOR_COMMON_HIVE_EVENT_H

#include "plugins/common/hive_table.h"
#include "plugins/common/seen.h"

/* A path that is to be a partition. */
struct hive_path {
	const char *topic;
	const char *table; /* as hive_table_of gives it */
	const char *path;
	const char *folder; /* of its objects, a URL */
	const struct secor_event_level *levels;
	uint32_t level_count;
	const struct secor_event_path *event; /* NULL: a first object's */
};

/* Sees to one path. */
typedef int
hive_path_fn(void *self, const struct hive_path *path, struct secor_err *err);

/* For the path of each object, where partitions are added with their first one.
 * A rejected path does not hold up the others, SECOR_RETRY does: the batch is
 * told again. `err` names table and path. Left alone: a topic without a table,
 * and objects in the table's own folder. */
int hive_each_object(const struct hive_table_conf *conf,
    const struct secor_event_batch *batch, hive_path_fn *see_to, void *self,
    struct secor_err *err);

/* For the path of the event (finalized or amended), unless it is no partition
 * or its topic has no table. `err` names both. */
int hive_whole_path(const struct hive_table_conf *conf,
    const struct secor_event_path *event, hive_path_fn *see_to, void *self,
    struct secor_err *err);

/* Partitions that a process has seen to, by topic and path, for two topics may
 * share a table and have a path in common. The oldest are forgotten, and
 * without memory none is known: all may be done again. */
struct seen *hive_seen_new(void);
int hive_seen_has(const struct seen *seen, const char *topic, const char *path);
void hive_seen_add(struct seen *seen, const char *topic, const char *path);
void hive_seen_forget(struct seen *seen, const char *topic, const char *path);

/* 1 when objects lie in the path itself, so that it is a partition. The levels
 * above (dt=2026-01-01 over its hours) are finalized too, and are none. */
int event_path_is_whole(const struct secor_event_path *path);

#endif
