/*
 * offsets.h -- between the files of `secor offsets`.
 */
#ifndef SECOR_CLI_OFFSETS_H
#define SECOR_CLI_OFFSETS_H

#include "core/base/buf.h"
#include "core/cli/group.h"
#include "core/flow/manifest_walk.h"

#include <inttypes.h>

/* What every subcommand works with. */
struct offsets {
	const struct config *config;
	struct group group;
	struct manifest_store store;
	char g[40]; /* of this configuration's records */
};

/* One partition, and what is wished for it. */
struct wish {
	const char *topic;
	int32_t partition;
	int yes; /* do not ask */
	/* adopt */
	int64_t offset; /* -1: not given */
	int from_manifests, current, remove_unfinished;
	/* resolve */
	int skip_plan, as_stored, again;
};

/* The exit code. */
int offsets_show(struct offsets *offsets, const char *topic, int json);
int offsets_adopt(struct offsets *offsets, const struct wish *wish);
int offsets_resolve(struct offsets *offsets, const struct wish *wish);

/* Prints what `err` says; the exit code. */
int offsets_failed(int status, const struct secor_err *err);
/* Asks on standard input; 1: the answer was yes. */
int offsets_ask(const struct wish *wish, const char *question);

/* ---- what the store has ---- */

struct range {
	int64_t generation, start, end;
	uint64_t chain;
	int64_t watermark;
};

struct ranges {
	struct range *items; /* by generation, start */
	size_t count;
};

/* The ranges of a partition's manifests; SECOR_REJECT when one cannot be
 * read. */
int ranges_read(struct offsets *offsets, const char *topic, int32_t partition,
    struct ranges *ranges, struct secor_err *err);
void ranges_fini(struct ranges *ranges);
/* The range that ends last, at or before `limit`; NULL: none. */
const struct range *ranges_last(const struct ranges *ranges, int64_t limit);

/* Objects, data and dead letters, that are stored under
 * <generation>_<partition>_<S> with from <= S < until. */
struct stored {
	int64_t generation, from, until;
	char **keys;
	uint64_t *lengths;
	size_t count;
	uint64_t bytes;
};

/* Fills in what is stored as the first three members say. */
int stored_find(struct offsets *offsets, const struct wish *wish,
    struct stored *stored, struct secor_err *err);
void stored_fini(struct stored *stored);
int stored_remove(struct offsets *offsets, const struct stored *stored,
    struct secor_err *err);

/* Puts the manifest and gives its chain head (also into the manifest). */
int manifest_store_put(
    struct offsets *offsets, struct manifest *manifest, struct secor_err *err);

/* The manifest of offsets that are given up: [record->offset, end), after the
 * record's chain head. record becomes the clean one behind it. */
int gap_put(struct offsets *offsets, const struct wish *wish, int64_t end,
    struct record *record, struct secor_err *err);

#endif
