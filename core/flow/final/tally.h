/*
 * tally.h -- what a path that is over had in it when everybody was told, so
 * that what comes later can be told from it. Written last: marker and notifiers
 * come before it, so that a crash repeats them.
 *
 *	<manifest prefix>/<topic>/_paths/<generation>/<path>/_path.json
 *
 * The same text, less the engine's own members, is what `_SUCCESS` holds
 * (docs/LAYOUT.md has the schema).
 */
#ifndef SECOR_FLOW_FINAL_TALLY_H
#define SECOR_FLOW_FINAL_TALLY_H

#include "core/flow/final/spans.h"
#include "core/flow/redriven.h"

enum { TALLY_BYTES_MAX = 64 << 20 };

struct tally_totals {
	uint64_t objects, records, bytes;
};

/* What a Kafka partition has in the path. */
struct tally_part {
	int32_t partition;
	int64_t end;	     /* batches that begin before it are counted */
	int64_t first, last; /* offsets; -1: it has nothing here */
	uint64_t records;
	struct redriven *redriven; /* receipts that are counted, in order */
	size_t redriven_count;
};

struct tally {
	char *topic;
	char *path; /* escaped: the first levels */
	int64_t generation;
	struct span span;
	struct tally_totals totals;
	uint64_t amended; /* times */
	int64_t written_ms;
	struct tally_part *parts; /* by partition, each once */
	size_t part_count;
};

/* JSON, ends with LF; caller frees. */
char *tally_write(const struct tally *tally);
/* The text of `_SUCCESS`: without the ends. Caller frees. */
char *tally_marker(const struct tally *tally);
/* SECOR_REJECT with what is wrong. */
int tally_read(
    const char *text, size_t len, struct tally *tally, struct secor_err *err);
void tally_fini(struct tally *tally);

/* Of a partition: the one that is there, or a new one. */
struct tally_part *tally_part(struct tally *tally, int32_t partition);
/* The parts of another one; `tally` has none yet. */
void tally_copy_parts(struct tally *tally, const struct tally *from);

/* Its objects in the path are counted; more than once is once. */
void tally_add_redriven(struct tally *tally, const struct redriven *receipt);
int
tally_has_redriven(const struct tally *tally, const struct redriven *receipt);

/* Whether it counts all that the other one does. */
int tally_covers(const struct tally *tally, const struct tally *other);

/* Caller frees. */
char *tally_key(const char *prefix, const char *topic, int64_t generation,
    const char *path);

/* Fetches and reads. SECOR_OK with *found 0 when there is none; SECOR_REJECT
 * when it is broken. */
int tally_get(const struct manifest_store *store, const char *key,
    struct tally *tally, int *found, struct secor_err *err);

#endif
