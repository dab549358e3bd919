/*
 * verify.h -- accounts for every offset: what the manifests say against the
 * group's record and against the objects in the store.
 *
 * Reads only. Sound while the service runs: a partition's record is read before
 * its manifests, so what began before that offset is final.
 */
#ifndef SECOR_CLI_VERIFY_H
#define SECOR_CLI_VERIFY_H

#include "core/base/buf.h"
#include "core/flow/manifest_walk.h"

#include <inttypes.h>

/* One thing to say. Texts are borrowed for the call. */
struct verify_report {
	int found;	  /* 1: something is wrong; 0: a note */
	const char *kind; /* "hole", "missing-object", ... */
	const char *topic;
	int32_t partition;  /* -1: not of one */
	const char *key;    /* the object or manifest, or NULL */
	int64_t start, end; /* offsets, -1: none */
	const char *text;
};

struct verify_totals {
	uint64_t partitions, manifests, objects, bytes;
	uint64_t messages, records, bad, filtered;
	uint64_t lost;	  /* offsets in recorded gaps */
	uint64_t skipped; /* offsets without messages (transaction markers) */
	uint64_t found, notes;
};

struct verify_partition {
	const char *topic;
	int32_t partition;
	int64_t first, end; /* of the manifests; -1: none */
	int64_t committed;  /* -1: not known */
	uint64_t manifests, messages;
};

struct verify {
	const struct config *config;
	struct manifest_store store;
	const char *topic;  /* only this one, or NULL */
	int32_t partition;  /* only this one, or -1 */
	int64_t generation; /* only this one, or -1 */
	int quick;	    /* sizes only where the store has no CRC32C */
	int trimmed;	    /* older manifests were removed on purpose */

	/* The group's record; NULL: the group is not looked at. */
	int (*record)(void *arg, const char *topic, int32_t partition,
	    struct record *record, struct secor_err *err);
	void (*report)(void *arg, const struct verify_report *report);
	void (*done)(void *arg, const struct verify_partition *partition);
	void *arg;

	struct verify_totals totals;
};

/* SECOR_OK when everything was looked at, whatever was found; else the store
 * or Kafka failed. */
int verify_run(struct verify *verify, struct secor_err *err);

/* ---- between the files of verify ---- */

/* Hashes of the keys of one topic's manifests: 8 bytes an object. */
struct verify_keys {
	uint64_t *items;
	size_t count, room;
	int sorted;
};

/* What is below `offset` in this partition is final, and all of the older
 * generations. */
struct verify_final {
	int32_t partition;
	int64_t generation;
	int64_t offset;
};

struct verify_topic {
	const char *name;
	struct verify_keys keys;
	struct verify_final *finals;
	size_t final_count;
};

void verify_say(struct verify *verify, const struct verify_report *report,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Every object of a final manifest exists as it was written. */
int verify_objects(struct verify *verify, struct verify_topic *topic,
    const struct manifest *manifest, struct secor_err *err);

/* No final object of the topic is in no manifest. */
int verify_strangers(
    struct verify *verify, struct verify_topic *topic, struct secor_err *err);

/* Reads `<generation>_<partition>_<S, 20 digits>` at the end of a key; 0 when
 * it is not an object's. */
int verify_parse_key(
    const char *key, int64_t *generation, int32_t *partition, int64_t *start);

#endif
