/*
 * manifest.h -- one small JSON object a batch: what it stored, and where.
 *
 *	<manifest prefix>/<topic>/<kafka partition>/<generation>_<S, 20
 *digits>.json
 *
 * so that byte order is the order of S within a generation. docs/LAYOUT.md has
 * the schema.
 * Logical fields (hashed into the chain) are functions of the records alone;
 * bytes and CRC32C of objects are not (another codec version gives others).
 */
#ifndef SECOR_FLOW_MANIFEST_H
#define SECOR_FLOW_MANIFEST_H

#include "core/base/buf.h"
#include "core/config/config.h"
#include "core/flow/record.h"

enum { MANIFEST_BYTES_MAX = 256 << 20 };

struct manifest_object {
	char *key;
	char *path; /* escaped (path_split gives levels); "" for dead letters */
	int dead_letter;
	uint64_t records;
	uint64_t bytes;
	uint32_t crc32c;
	int64_t first_offset, last_offset;
	uint64_t offsets_hash; /* logical: of the offsets in it */
	/* 0: no record has an event time, or the manifest does not say. */
	int has_times;
	int64_t first_ms, last_ms; /* smallest and largest event time */
};

struct manifest {
	char *topic;
	int32_t partition;
	int64_t generation;
	int64_t start, end; /* [S, E) */
	uint64_t messages, filtered, bad;
	uint64_t input_hash, output_hash, fingerprint;
	enum cut cut;
	int64_t watermark;		 /* INT64_MIN: none */
	uint64_t previous;		 /* chain head before this batch */
	uint64_t chain;			 /* and after: manifest_chain */
	int64_t written_ms;		 /* wall clock; not logical */
	struct manifest_object *objects; /* in byte order of key */
	size_t object_count;
};

/* The chain head after this batch: hash of `previous` and of topic, partition,
 * generation, start, end, messages, filtered, bad, input and output hash,
 * fingerprint, cut, watermark. */
uint64_t manifest_chain(const struct manifest *manifest);

/* o of the batch: hash of key, records and offsets of each object in order. */
uint64_t manifest_output_hash(const struct manifest *manifest);

/* JSON text, ends with LF; caller frees. */
char *manifest_write(const struct manifest *manifest);
/* SECOR_REJECT with what is wrong. Checks types and ranges, not that the chain
 * or the sums are right: that is a finding of `secor verify`. */
int manifest_read(const char *text, size_t len, struct manifest **manifest,
    struct secor_err *err);
void manifest_free(struct manifest *manifest); /* accepts NULL */

/* Keys; caller frees. The folder ends with '/'. */
char *manifest_key(const char *prefix, const char *topic, int32_t partition,
    int64_t generation, int64_t start);
char *manifest_folder(const char *prefix, const char *topic, int32_t partition);
/* The mark that is there from before the first object of a partition's first
 * batch: <generation>_begun, in the same folder. */
char *manifest_mark_key(const char *prefix, const char *topic,
    int32_t partition, int64_t generation);
/* Reads generation and start out of a manifest's name, and out of its key (what
 * follows its last '/'); 0 when it is not one, letter for letter. Who lists a
 * folder passes names: what lies in a folder below it is somebody else's. */
int manifest_parse_name(const char *name, int64_t *generation, int64_t *start);
int manifest_parse_key(const char *key, int64_t *generation, int64_t *start);

/* Fetches and reads one. SECOR_REJECT: there is none, or it is broken. */
int manifest_get(const struct secor_store_ops *ops, void *store,
    const char *key, struct manifest **manifest, struct secor_err *err);

#endif
