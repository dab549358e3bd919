/*
 * manifest_walk.h -- which manifests a store has, a few names at a time.
 */
#ifndef SECOR_FLOW_MANIFEST_WALK_H
#define SECOR_FLOW_MANIFEST_WALK_H

#include "core/flow/manifest.h"

/* The store that is walked, and where its manifests are. */
struct manifest_store {
	const struct secor_store_ops *ops;
	void *self;
	const char *prefix;
};

/* One generation of one Kafka partition. */
struct manifest_place {
	char *topic;
	int32_t partition;
	int64_t generation;
};

struct manifest_places {
	struct manifest_place *items; /* by topic, partition, generation */
	size_t count;
};

/* Every place that has a manifest; topic NULL: of every topic, partition -1: of
 * every one. One listing a place. places: caller owns (manifest_places_fini).
 */
int manifest_places(const struct manifest_store *store, const char *topic,
    int32_t partition, struct manifest_places *places, struct secor_err *err);
void manifest_places_fini(struct manifest_places *places);

/* Calls `each` for the manifests of a place with start >= from, by start.
 * `manifest` is borrowed; NULL when it cannot be read (`why`). `each` returns
 * SECOR_OK to go on, anything else ends the walk and is returned. */
typedef int (*manifest_each_fn)(void *arg, const char *key,
    const struct manifest *manifest, const char *why, struct secor_err *err);
int manifest_walk(const struct manifest_store *store,
    const struct manifest_place *place, int64_t from, manifest_each_fn each,
    void *arg, struct secor_err *err);

#endif
