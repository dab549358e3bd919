/*
 * receipt.h -- what `secor redrive` made of the dead letters of one batch: a
 * JSON object beside the manifests, in a folder that readers of manifests pass
 * over.
 *
 *	<manifest prefix>/<topic>/<partition>/redrive/
 *		<generation>_<S, 20 digits>_<n>.json			receipt
 *		<generation>_<S, 20 digits>_<n>_<plan>_plan.json	plan
 *		<generation>_<S, 20 digits>_<n>_<plan>_<nonce>_claim	claim
 *
 * n counts the receipts of a batch from 1. `plan` hashes what decides the
 * objects, so the same plan has the same name whoever makes it. A plan is put
 * before its objects, the receipt behind them. docs/LAYOUT.md has the schema.
 */
#ifndef SECOR_FLOW_RECEIPT_H
#define SECOR_FLOW_RECEIPT_H

#include "core/flow/manifest_walk.h"

enum { RECEIPT_BYTES_MAX = 256 << 20, RECEIPT_NUMBER_MAX = 999999 };

/* Offsets in ascending order: [first, last] each, both in it. */
struct offset_run {
	int64_t first, last;
};

struct offset_runs {
	struct offset_run *items;
	size_t count;
	uint64_t offsets; /* in all of them */
};

/* The offset must be behind the last one. */
void offset_runs_add(struct offset_runs *runs, int64_t offset);
int offset_runs_has(const struct offset_runs *runs, int64_t offset);
/* As offsets_hash of a manifest's object. */
uint64_t offset_runs_hash(const struct offset_runs *runs);

struct receipt_object {
	char *key;
	char *path; /* escaped */
	uint64_t bytes;
	uint32_t crc32c;
	struct offset_runs offsets; /* one record each */
	int has_times;		    /* 0: no record has an event time */
	int64_t first_ms, last_ms;  /* smallest and largest event time */
};

/* Dead letters that are still bad, by reason. */
struct receipt_bad {
	char *reason;
	struct offset_runs offsets;
};

struct receipt {
	int done; /* 0: a plan, whose objects have no bytes yet */
	char *topic;
	int32_t partition;
	int64_t generation, start;	/* of the batch */
	int64_t number;			/* 1.. */
	char *source;			/* key of the dead letters */
	uint64_t fingerprint;		/* of the configuration */
	uint64_t plan;			/* receipt_plan */
	int64_t written_ms;		/* wall clock; not in `plan` */
	struct receipt_object *objects; /* in byte order of path */
	size_t object_count;
	struct receipt_bad *bad;
	size_t bad_count;
	struct offset_runs filtered;
};

/* Hash of topic, partition, generation, start, number, source, fingerprint, and
 * of key, path and offsets of each object. */
uint64_t receipt_plan(const struct receipt *receipt);

/* How many offsets its objects hold. */
uint64_t receipt_records(const struct receipt *receipt);

/* The object has a record of this event time, which may be SECOR_NO_TIME. */
void receipt_note_time(struct receipt_object *object, int64_t time_ms);

/* JSON text, ends with LF; caller frees. */
char *receipt_write(const struct receipt *receipt);
/* SECOR_REJECT with what is wrong. That `plan` is right is not checked. */
int receipt_read(const char *text, size_t len, struct receipt **receipt,
    struct secor_err *err);
void receipt_fini(struct receipt *receipt);
void receipt_free(struct receipt *receipt); /* accepts NULL */

/* ---- names ---- */

enum receipt_kind { RECEIPT_DONE, RECEIPT_PLAN, RECEIPT_CLAIM };

struct receipt_name {
	enum receipt_kind kind;
	int64_t generation, start, number;
	uint64_t plan, nonce; /* 0 where the name has none */
};

/* Ends with '/'; caller frees. */
char *receipt_folder(const char *prefix, const char *topic, int32_t partition);
char *receipt_key(const char *folder, const struct receipt_name *name);
/* What follows the folder; 0 when it is not one, letter for letter. */
int receipt_parse_name(const char *text, struct receipt_name *name);

/* Fetches and reads one; *receipt NULL when there is none. SECOR_REJECT: it is
 * broken, or not what its name says. */
int receipt_get(const struct manifest_store *store,
    const struct manifest_place *place, const struct receipt_name *name,
    struct receipt **receipt, struct secor_err *err);

#endif
