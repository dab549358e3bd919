/*
 * verify.h -- accounts for every offset: what the manifests say against the
 * group's record and against the objects in the store.
 *
 * Reads only. Sound while the service runs: a partition's record is read before
 * its manifests are listed, so what began before that offset is final.
 */
#ifndef SECOR_CLI_VERIFY_H
#define SECOR_CLI_VERIFY_H

#include "core/base/buf.h"
#include "core/cli/offset_set.h"
#include "core/cli/receipts.h"
#include "core/flow/manifest_walk.h"

#include <inttypes.h>
#include <stdio.h>

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
	uint64_t lost;	    /* offsets in recorded gaps */
	uint64_t skipped;   /* offsets without messages (transaction markers) */
	uint64_t read;	    /* records read back */
	uint64_t confirmed; /* offsets: the topic has no message there */
	uint64_t gone;	    /* offsets before the first that Kafka has */
	uint64_t redriven;  /* dead letters that were stored since */
	uint64_t found, notes;
};

struct verify_partition {
	const char *topic;
	int32_t partition;
	int64_t first, end; /* of the manifests; -1: none */
	int64_t committed;  /* -1: not known */
	uint64_t manifests, messages;
};

/* Offsets of one Kafka partition. */
struct verify_span {
	const char *topic;
	int32_t partition;
	int64_t start, end; /* [start, end) */
};

/* Gets each message of a span; anything but SECOR_OK ends the reading. */
typedef int (*verify_message_fn)(
    void *to, int64_t offset, struct secor_err *err);

/* The topic itself. */
struct verify_log {
	void *arg;
	/* The first offset that it still has. */
	int (*low)(void *arg, const char *topic, int32_t partition,
	    int64_t *low, struct secor_err *err);
	/* Committed messages, in order. */
	int (*read)(void *arg, const struct verify_span *span,
	    verify_message_fn each, void *to, struct secor_err *err);
};

/* From where on a partition is looked at. */
struct verify_from {
	int32_t partition; /* -1: every one that is not named */
	int64_t offset;
};

struct verify_scope {
	struct verify_from *from;
	size_t from_count;
	/* What was written before may be gone; INT64_MIN: nothing may. */
	int64_t removed_before;
};

struct verify {
	const struct config *config;
	struct manifest_store store;
	const char *topic;  /* only this one, or NULL */
	int32_t partition;  /* only this one, or -1 */
	int64_t generation; /* only this one, or -1 */
	int quick;	    /* sizes only where the store has no CRC32C */
	int trimmed;	    /* older manifests were removed on purpose */
	int deep;	    /* read every object back through its format */
	struct verify_scope scope;
	const struct verify_log *log; /* NULL: it is not read */

	/* The group's record; NULL: the group is not looked at. */
	int (*record)(void *arg, const char *topic, int32_t partition,
	    struct record *record, struct secor_err *err);
	/* How many partitions a topic has; NULL as above. */
	int (*partitions)(void *arg, const char *topic, int32_t *count,
	    struct secor_err *err);
	void (*report)(void *arg, const struct verify_report *report);
	/* Before each batch, for progress; may be NULL. */
	void (*step)(void *arg, const struct manifest *manifest);
	void (*done)(void *arg, const struct verify_partition *partition);
	void *arg;

	struct verify_totals totals;
};

/* SECOR_OK when everything was looked at, whatever was found; else the store
 * or Kafka failed. */
int verify_run(struct verify *verify, struct secor_err *err);

/* ---- what is looked at (verify_scope.c) ---- */

/* "100", or "0:100,3:250" by partition. 0 when it is neither. */
int verify_scope_from(struct verify_scope *scope, const char *text);
/* "2026-01-01", "2026-01-01T12:30:00Z", or "30d" before `now`. 0 when it is
 * none of them. */
int
verify_scope_time(struct verify_scope *scope, const char *text, int64_t now_ms);
void verify_scope_fini(struct verify_scope *scope);
/* 0: from the beginning. */
int64_t verify_from(const struct verify *verify, int32_t partition);

/* ---- between the files of verify ---- */

/* Hashes of the keys of one topic's manifests: 8 bytes an object. */
struct verify_keys {
	uint64_t *items;
	size_t count, room;
	int sorted;
};

/* What is below `offset` in this partition is final, and all of the older
 * generations. What is below `first` has left with its manifests. */
struct verify_final {
	int32_t partition;
	int64_t generation;
	int64_t offset;
	int64_t first;
	int has_record; /* it is the group's */
};

struct verify_topic {
	const char *name;
	struct verify_keys keys;
	struct verify_final *finals;
	size_t final_count;
};

/* One batch while its objects are looked at. */
struct verify_batch {
	const struct manifest *manifest;
	struct offset_set offsets; /* of what was read back */
	/* Every object was read back, and each record had its offset. */
	int complete;
	/* Not 0: the objects are those of this receipt of a redrive. */
	int64_t redrive;
};

/* What the store has under a key. */
struct verify_bytes {
	int exists;
	uint64_t length;
	int has_crc32c;
	uint32_t crc32c;
	FILE *file; /* the bytes, with `deep` */
};

void verify_say(struct verify *verify, const struct verify_report *report,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A report about offsets of a batch, and maybe one of its objects. */
struct verify_report verify_about(const struct manifest *manifest, int found,
    const char *kind, const char *key);

/* Ranges, chain, record and objects of one partition (verify_ranges.c). */
int verify_ranges(struct verify *verify, struct verify_topic *topic,
    int32_t partition, struct secor_err *err);

/* What one manifest says of itself (verify_manifest.c). */
void verify_inside(
    struct verify *verify, const char *key, const struct manifest *manifest);

/* The receipts of redrives of one partition (verify_redrive.c). */
struct verify_redrives {
	struct manifest_place place; /* topic is borrowed */
	struct receipts receipts;
	char *looked_at;	   /* a byte each */
	struct offset_set offsets; /* of those that are looked at */
};
int verify_redrives_begin(struct verify *verify, const char *topic,
    int32_t partition, struct verify_redrives *redrives, struct secor_err *err);
/* Those of one batch: each offset once, and a dead letter of it; every object
 * exists as it was written. `passed`: they are not looked at. */
int verify_redrives_of(struct verify *verify, struct verify_topic *topic,
    struct verify_redrives *redrives, const struct manifest *manifest,
    int passed, struct secor_err *err);
/* None is left over. `first` is the start of the first manifest, -1: none. */
int verify_redrives_end(struct verify *verify, struct verify_topic *topic,
    struct verify_redrives *redrives, int64_t first, struct secor_err *err);
void verify_redrives_fini(struct verify_redrives *redrives);

/* Reads `redrive<n>_<generation>_<partition>_<S, 20 digits>` at the end of a
 * key; 0 when it is not one. */
int verify_parse_redrive(
    const char *key, struct receipt_name *name, int32_t *partition);

/* Every object of a final manifest exists as it was written. */
int verify_objects(struct verify *verify, struct verify_topic *topic,
    struct verify_batch *batch, struct secor_err *err);
/* The key is in a manifest, or in a receipt. */
void verify_known(struct verify_topic *topic, const char *key);
/* Other bytes than the manifest's are a finding; 1 when they are. */
int verify_say_bytes(struct verify *verify, const struct verify_batch *batch,
    const struct manifest_object *object, const struct verify_bytes *bytes);

/* Reads one object back (verify_deep.c). */
int verify_read_back(struct verify *verify, struct verify_batch *batch,
    const struct manifest_object *object, const struct verify_bytes *bytes,
    struct secor_err *err);

/* What no object has is in the topic no message either (verify_kafka.c). `low`
 * is the first offset that the topic still has. */
int verify_confirm_batch(struct verify *verify,
    const struct verify_batch *batch, int64_t low, struct secor_err *err);
int verify_confirm_span(struct verify *verify, const struct verify_span *span,
    int64_t low, struct secor_err *err);

/* No final object of the topic is in no manifest (verify_strangers.c). */
int verify_strangers(
    struct verify *verify, struct verify_topic *topic, struct secor_err *err);

/* Reads `<generation>_<partition>_<S, 20 digits>` at the end of a key; 0 when
 * it is not an object's. */
int verify_parse_key(
    const char *key, int64_t *generation, int32_t *partition, int64_t *start);

#endif
