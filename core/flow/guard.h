/*
 * guard.h -- max_values of a partitioner: how many of its values have a path of
 * their own in one batch. Those that come later share the overflow path.
 *
 * Which they are is a function of the batch in the order of offsets, so a
 * repeat of the batch has the same paths.
 */
#ifndef SECOR_FLOW_GUARD_H
#define SECOR_FLOW_GUARD_H

#include "core/base/buf.h"
#include "core/config/config.h"

/* The levels [from, until) of a path are those of a guarded partitioner. */
struct guarded {
	const struct config_use *use; /* NULL: none */
	uint32_t from, until;
};

/* A path with those levels replaced, and the hash of what they were. */
struct guard_text {
	struct buf text;
	struct secor_level_text levels[SECOR_MAX_LEVELS];
	uint64_t value_hash;
};

/* SECOR_REJECT when a component is too long. */
int
guard_replace(const struct guarded *guarded, const struct secor_route_out *all,
    struct guard_text *to, struct secor_err *err);

/* The values of one batch so far. */
struct guard_values {
	uint64_t *hashes; /* in order */
	size_t count, room;
};

/* 1 when the value is one of the first `most`, which it may become; 0: it
 * overflows. */
int guard_admit(struct guard_values *values, uint64_t hash, size_t most);
void guard_values_fini(struct guard_values *values);

#endif
