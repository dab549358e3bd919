/*
 * receipts.h -- the receipts, plans and claims that a store has of the redrives
 * of a partition, or of one of its batches.
 */
#ifndef SECOR_CLI_RECEIPTS_H
#define SECOR_CLI_RECEIPTS_H

#include "core/flow/manifest_walk.h"
#include "core/flow/receipt.h"

struct receipt_file {
	char *key;
	struct receipt_name name;
};

struct receipts {
	struct receipt_file *items; /* by generation, start, number, kind */
	size_t count;
};

/* One listing of names. generation -1: of every batch of the partition. */
int receipts_list(const struct manifest_store *store,
    const struct manifest_place *place, int64_t start,
    struct receipts *receipts, struct secor_err *err);
void receipts_fini(struct receipts *receipts);

/* A plan that was followed has a receipt of its number, or of a later one: who
 * puts a plan is sure to be alone. 1 when it has none. */
int receipts_is_open(const struct receipts *receipts, size_t i);

/* Fetches and reads one. SECOR_REJECT: there is none, it is broken, or it is
 * not what its name says. */
int receipts_get(const struct manifest_store *store,
    const struct manifest_place *place, const struct receipt_file *file,
    struct receipt **receipt, struct secor_err *err);

/* The receipt that holds an offset, and its object; NULL: none does. */
struct receipt_found {
	struct receipt *receipt; /* receipt_free */
	const struct receipt_object *object;
};

/* Among those of the batch that begins at `start`. */
int receipts_holding(const struct manifest_store *store,
    const struct manifest_place *place, int64_t start, int64_t offset,
    struct receipt_found *found, struct secor_err *err);

#endif
