/*
 * batches.h -- the batch of an offset and those beside it, from one listing of
 * names.
 */
#ifndef SECOR_CLI_BATCHES_H
#define SECOR_CLI_BATCHES_H

#include "core/flow/manifest_walk.h"

/* Keys of manifests, or NULL. Caller: batches_forget. */
struct batches {
	char *before; /* the one before `at` */
	char *at;     /* the last that begins at or before the offset */
	char *after;  /* the one behind */
};

int batches_find(const struct manifest_store *store,
    const struct manifest_place *place, int64_t offset, struct batches *found,
    struct secor_err *err);
void batches_forget(struct batches *found);

/* manifest_get, but a manifest that is not there or broken is *manifest NULL
 * with `why`. */
int batches_manifest(const struct manifest_store *store, const char *key,
    struct manifest **manifest, struct secor_err *why);

#endif
