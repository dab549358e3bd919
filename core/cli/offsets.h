/*
 * offsets.h -- between the files of `secor offsets`.
 */
#ifndef SECOR_CLI_OFFSETS_H
#define SECOR_CLI_OFFSETS_H

#include "core/base/buf.h"
#include "core/cli/group.h"
#include "core/cli/owner.h"
#include "core/flow/manifest_walk.h"
#include "core/flow/remedy.h"

#include <inttypes.h>

/* What every subcommand works with. */
struct offsets {
	const struct config *config;
	struct group group;
	struct manifest_store store;
	char g[40]; /* of this configuration's records */
	int asked;  /* for its members */
	int live;   /* the group has members: their processes commit */
	struct owners owners;
	/* fenced, and not committed clean yet; topic NULL: none is */
	struct halt_place fenced;
};

/* What the command line wishes. */
struct wish {
	const char *topic;  /* NULL: all */
	int32_t partition;  /* -1: all */
	const char *socket; /* of the running process, or NULL */
	int yes;	    /* do not ask */
	int dry_run;	    /* only say */
	int json;	    /* show */
	int64_t offset;	    /* adopt; -1: not given */
	int from_manifests; /* adopt, as the next one */
	int current;
	int remove_unfinished;
	int quarantine;			    /* keep a copy of what is removed */
	const char *to;			    /* reset */
	const char *from_group, *from_file; /* import */
	int replace;
	int skip_plan, as_stored, again; /* resolve */
};

/* The exit code. */
int offsets_show(struct offsets *offsets, const struct wish *wish);
int offsets_adopt(struct offsets *offsets, const struct wish *wish);
int offsets_reset(struct offsets *offsets, const struct wish *wish);
int offsets_import(struct offsets *offsets, const struct wish *wish);
int offsets_resolve(struct offsets *offsets, const struct wish *wish);

/* Where it ended behind a fence. */
void offsets_say_fenced(const struct offsets *offsets);

/* Prints what `err` says; the exit code. */
int offsets_failed(int status, const struct secor_err *err);
/* Asks on standard input. -1: go on; else the exit code, after it was said that
 * nothing was done. */
int offsets_ask(const struct wish *wish, const char *question);

/* Nobody but this command may commit for the partitions from now on: the group
 * has no member, or their owner holds them for us. Once a command. */
int offsets_take(struct offsets *offsets, const struct wish *wish,
    const struct halt_place *place, struct secor_err *err);

/* ---- a partition goes on elsewhere (offsets_move.c) ---- */

enum aim {
	AIM_OFFSET = 0,
	AIM_TIME,      /* the first message of that time or later */
	AIM_EARLIEST,  /* where the log begins */
	AIM_LATEST,    /* and ends */
	AIM_CURRENT,   /* the group's offset, whoever committed it */
	AIM_MANIFESTS, /* behind the last manifest */
	AIM_NONE       /* left alone: `reason` says why */
};

struct range {
	int64_t generation, start, end;
	uint64_t chain;
	int64_t watermark;
};

struct ranges {
	struct range *items; /* by generation, start */
	size_t count;
};

/* Objects, data and dead letters, that are stored under
 * <generation>_<partition>_<S> with from <= S < until. */
struct stored {
	int64_t generation, from, until;
	char **keys;
	uint64_t *lengths;
	size_t count;
	uint64_t bytes;
};

struct move {
	struct halt_place place; /* topic: borrowed */
	enum aim aim;
	int64_t number; /* the offset, or ms */
	const char *reason;
	/* what is found out before anything is done */
	struct record found; /* the group's record */
	struct ranges ranges;
	int has_base;
	struct record base; /* clean: up to where things are accounted for */
	int64_t low, high;  /* of the log */
	int64_t target;
	struct stored unfinished;
};

/* Looks at all of them, says what each costs, asks once, does them one after
 * the other. Where one cannot be done, nothing is. Ends what they hold. The
 * exit code. */
int moves_run(struct offsets *offsets, const struct wish *wish,
    struct move *moves, size_t count);

/* Reads "earliest", "latest", an offset, or a time as cli_parse_time does. 0
 * when it is none of them. */
int move_aim(struct move *move, const char *text, int64_t now_ms);

/* ---- offsets from elsewhere (offsets_source.c) ---- */

struct source_offset {
	char *topic;
	int32_t partition;
	int64_t offset;
};

struct source {
	struct source_offset *items;
	size_t count;
};

/* Reads lines `topic,partition,offset`; a heading, empty lines and those that
 * begin with '#' are skipped, the topic may be quoted. SECOR_FATAL with
 * `name:line: what is wrong`. */
int source_read(struct source *source, const char *text, const char *name,
    struct secor_err *err);
void source_fini(struct source *source);
/* The offset of a partition; -1: none. */
int64_t
source_find(const struct source *source, const char *topic, int32_t partition);

/* ---- what the store has ---- */

/* The ranges of a partition's manifests; SECOR_REJECT when one cannot be
 * read. */
int ranges_read(struct offsets *offsets, const struct halt_place *place,
    struct ranges *ranges, struct secor_err *err);
void ranges_fini(struct ranges *ranges);
/* The range that ends last, at or before `limit`; NULL: none. */
const struct range *ranges_last(const struct ranges *ranges, int64_t limit);

/* Fills in what is stored as the first three members say. */
int stored_find(struct offsets *offsets, const struct halt_place *place,
    struct stored *stored, struct secor_err *err);
void stored_fini(struct stored *stored);
int stored_remove(struct offsets *offsets, const struct stored *stored,
    struct secor_err *err);
/* Copies of them under CONFIG_QUARANTINE/<time>/; says where. */
int stored_copy(struct offsets *offsets, const struct stored *stored,
    struct secor_err *err);

/* Whether the store has a manifest of the partition in this generation. */
int manifests_exist(struct offsets *offsets, const struct halt_place *place,
    int *exist, struct secor_err *err);

/* Puts the manifest and gives its chain head (also into the manifest). */
int manifest_store_put(
    struct offsets *offsets, struct manifest *manifest, struct secor_err *err);

/* The manifest of offsets that are given up: [record->offset, end), after the
 * record's chain head. record becomes the clean one behind it. */
int gap_put(struct offsets *offsets, const struct halt_place *place,
    int64_t end, struct record *record, struct secor_err *err);

/* Commits a halt at the record's offset, so that no process stores anything of
 * the partition until the next commit: before objects are removed or a manifest
 * is written by hand. */
int offsets_fence(struct offsets *offsets, const struct halt_place *place,
    const struct record *record, struct secor_err *err);
/* Commits the clean record that it was all for, and says so. */
int offsets_commit(struct offsets *offsets, const struct halt_place *place,
    const struct record *record, struct secor_err *err);

#endif
