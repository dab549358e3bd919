/*
 * notifier.h -- hears what became of data. At least once, in order within a
 * Kafka partition, also across crashes: what was not acknowledged comes again
 * (from the manifests). Own thread, own bounded queue; may block and be slow.
 *
 * Every slot returns SECOR_OK (heard), SECOR_RETRY (the same event comes again
 * after a back-off, for ever) or SECOR_REJECT (logged as an error and dropped).
 */
#ifndef SECOR_NOTIFIER_H
#define SECOR_NOTIFIER_H

#include <secor/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct secor_event_level {
	const char *name;  /* "" when the level is a bare value */
	const char *value; /* not escaped */
};

/* One data object of a finished batch; dead letters are not among them. */
struct secor_event_object {
	uint32_t size;
	uint32_t level_count;
	const struct secor_event_level *levels; /* of its path */
	const char *key;			/* in the store */
	const char *url;  /* for people and for Hive: s3://... */
	const char *path; /* escaped: dt=2026-01-01/hr=07 */
	uint64_t records;
	uint64_t bytes;
	int64_t first_offset, last_offset;
	uint32_t crc32c;
};

/* A finished batch: [start, end) of one Kafka partition is stored and the
 * offset is committed. */
struct secor_event_batch {
	uint32_t size;
	int32_t partition;
	const char *topic;
	int64_t start, end;
	uint64_t messages, filtered, bad;
	const struct secor_event_object *objects;
	size_t object_count;
	const char *manifest_key;
};

/* A path of a topic, or the first levels of some: every message with an event
 * time in [time_from, time_until) of them is stored, but for late ones. */
struct secor_event_path {
	uint32_t size;
	uint32_t level_count;
	const struct secor_event_level *levels;
	const char *topic;
	const char *path;
	const char *url; /* of the folder */
	/* Finalized: all of them; amended: the new ones. */
	const struct secor_event_object *objects;
	size_t object_count;
	/* Of the whole path, the new ones too. */
	uint64_t total_objects, total_records, total_bytes;
	int64_t time_from, time_until; /* ms since the epoch: [from, until) */
};

struct secor_notifier_ops {
	uint32_t size;

	int (*open)(
	    const struct secor_open *with, void **self, struct secor_err *err);
	void (*close)(void *self); /* accepts NULL */

	/* Any may be NULL: not interested. */
	int (*batch_done)(void *self, const struct secor_event_batch *batch,
	    struct secor_err *err);
	int (*path_finalized)(void *self, const struct secor_event_path *path,
	    struct secor_err *err);
	int (*path_amended)(void *self, const struct secor_event_path *path,
	    struct secor_err *err);
};

#ifdef __cplusplus
}
#endif
#endif
