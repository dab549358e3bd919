/*
 * redriven.h -- where the finalizer finds what `secor redrive` stores, whenever
 * that is: pointers to receipts, beside the manifests.
 *
 *	<manifest prefix>/<topic>/_redriven/<generation>/
 *		new/<partition>_<S, 20 digits>_<n>.json
 *		paths/<path>/<partition>_<S, 20 digits>_<n>.json
 *
 * Both are put before the receipt that they point to, and hold nothing: one
 * whose receipt is not there counts for nothing. Those of `new` are looked at
 * all the time, until every tally counts the receipt, and are removed a while
 * after that; those of `paths` stay, for tallies that are made anew.
 */
#ifndef SECOR_FLOW_REDRIVEN_H
#define SECOR_FLOW_REDRIVEN_H

#include "core/flow/manifest_walk.h"
#include "core/flow/receipt.h"

/* Of one topic and generation. */
struct redriven {
	int32_t partition;
	int64_t start, number;
};

/* Ends with '/'; caller frees, as the keys. */
char *
redriven_folder(const char *prefix, const char *topic, int64_t generation);
char *redriven_new_key(const char *folder, const struct redriven *at);
/* The folder of a path's pointers, and of those of the paths below it. */
char *redriven_path_folder(const char *folder, const char *path);

/* What follows the last '/' of a key; 0 when it is none, letter for letter. */
int redriven_parse(const char *key, struct redriven *at);
/* 1 for a key of `new`. */
int redriven_is_new(const char *folder, const char *key);

/* By partition, start, number; as strcmp. */
int redriven_compare(const struct redriven *left, const struct redriven *right);

/* Puts, or removes, the pointers to a receipt: those of `paths` first. */
int redriven_put(const struct manifest_store *store,
    const struct receipt *receipt, struct secor_err *err);
int redriven_remove(const struct manifest_store *store,
    const struct receipt *receipt, struct secor_err *err);

#endif
