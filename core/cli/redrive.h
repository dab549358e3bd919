/*
 * redrive.h -- `secor redrive`: dead letters through the configuration as it is
 * now, each once.
 *
 * Dead-letter objects are never changed: receipts say which of their offsets
 * are stored meanwhile. Of the dead letters of one batch, in this order:
 *
 *	claim	put, then everything is listed again: whoever sees another's
 *		claim or plan takes his own back. So of two that plan different
 *		things at most one goes on, whatever the order of their
 *requests.
 *	plan	says which offsets go into which objects. From here on they will
 *		be stored: a repeat makes the same plan, or none.
 *	objects	named by batch and receipt, so a repeat writes over them
 *	pointers	by which the finalizer finds the receipt
 *	receipt	the objects count. Then plan and claims are removed.
 *
 * Killed before the plan: nothing was done. Killed behind it: the next redrive
 * puts the very same objects again, or refuses under another configuration.
 * Thread: main, all of it.
 */
#ifndef SECOR_CLI_REDRIVE_H
#define SECOR_CLI_REDRIVE_H

#include "core/cli/encoder.h"
#include "core/cli/group.h"
#include "core/cli/offset_set.h"
#include "core/cli/receipts.h"
#include "core/flow/route.h"

#include <regex.h>

/* The dead letters of one final batch, as its manifest has them. */
struct redrive_source {
	char *key;
	int32_t partition;
	int64_t generation, start, end;
	uint64_t records, bytes;
	uint32_t crc32c;
};

struct redrive_sources {
	struct redrive_source *items;
	size_t count;
	uint64_t other_generations; /* dead-letter objects left alone */
};

/* What became, or would become, of dead letters. */
struct redrive_sums {
	uint64_t letters;  /* that were read */
	uint64_t before;   /* stored by an earlier receipt */
	uint64_t left_out; /* not wished for: --from, --to, --reason */
	uint64_t stored, bad, filtered;
	uint64_t objects; /* that hold the stored ones */
	uint64_t gone;	  /* dead letters whose object is not there any more */
};

struct redrive_total {
	struct redrive_sums sums;
	uint64_t sources;   /* dead-letter objects */
	uint64_t finished;  /* plans of earlier runs */
	uint64_t abandoned; /* plans and claims */
	uint64_t refused;   /* sources of which nothing was done */
};

/* Why dead letters are still bad, the first few reasons. */
enum { REDRIVE_REASONS = 20 };
struct redrive_reasons {
	struct {
		char *text;
		uint64_t count;
	} items[REDRIVE_REASONS];
	size_t count;
	uint64_t others;
};

struct redrive {
	const struct config *config;
	struct manifest_store store;
	struct group group;
	/* what is wished */
	const char *topic;
	int32_t partition;  /* -1: all */
	int64_t generation; /* -1: of the configuration */
	int64_t from, to;   /* offsets, both in it */
	const char *reason;
	regex_t pattern; /* with `reason` */
	int dry, yes, json, abandon;
	/* of the topic */
	const struct config_topic *settings;
	struct secor_format_traits traits;
	const char *extension;
	struct router *router;
	struct encoder trial;	  /* says whether the format takes a record */
	struct secor_split split; /* what it said of the last one */
	/* what is said */
	struct redrive_total total;
	struct redrive_reasons reasons;
	struct buf lines; /* JSON of the sources */
};

/* ---- which (redrive_sources.c) ---- */

/* In order of partition and offset. What cannot be looked at is said and counts
 * as refused. */
int redrive_find(struct redrive *redrive, struct redrive_sources *sources,
    struct secor_err *err);
void redrive_sources_fini(struct redrive_sources *sources);

/* ---- what is to be done of one (redrive_plan.c) ---- */

struct redrive_letter {
	int64_t at; /* in the file */
	size_t len; /* without the LF */
};

/* One object to be; the offsets are in the receipt's. */
struct redrive_target {
	char *suffix; /* of a format that splits paths; "": none */
	struct redrive_letter *letters;
	size_t count, room;
};

struct redrive_plan {
	struct receipt receipt;
	struct redrive_target *targets; /* by path, as receipt.objects */
	FILE *file;			/* the dead letters */
	struct redrive_sums sums;
};

/* Which offsets: NULL only: those that are wished for and not `settled`. */
struct redrive_choice {
	const struct offset_set *settled;
	const struct offset_set *only;
	int64_t number; /* of the receipt */
};

/* SECOR_REJECT: the dead letters are not what their manifest says. When they
 * are gone, sums.gone says so, and nothing is planned. */
int redrive_plan_make(struct redrive *redrive,
    const struct redrive_source *source, const struct redrive_choice *choice,
    struct redrive_plan *plan, struct secor_err *err);
void redrive_plan_fini(struct redrive_plan *plan);

/* The path that a message has now, and the record that goes there; ROUTE_BAD
 * also when the format does not take it. */
enum route_outcome redrive_route(struct redrive *redrive,
    const struct secor_message *message, struct routed *routed);

/* ---- objects (redrive_write.c) ---- */

/* Makes object `i` of the plan and puts it; its bytes and CRC32C go into the
 * receipt. */
int redrive_write(struct redrive *redrive, struct redrive_plan *plan, size_t i,
    struct secor_err *err);

/* ---- the order of things (redrive_drive.c, redrive_abandon.c) ---- */

/* SECOR_REJECT: refused, and why; the others may go on. */
int redrive_drive(struct redrive *redrive, const struct redrive_source *source,
    struct secor_err *err);

/* Takes back what was planned and has no receipt: its objects first. */
int redrive_abandon(struct redrive *redrive,
    const struct redrive_source *source, struct secor_err *err);

/* Removes a claim or a plan. */
int redrive_remove(struct redrive *redrive, const struct receipt_file *file,
    struct secor_err *err);

/* ---- what is said (redrive_say.c) ---- */

struct redrive_said {
	const char *state; /* "stored", "finished", "nothing", "gone"... */
	const char *text;  /* why, or NULL */
	const struct receipt *receipt; /* or NULL */
	const struct redrive_sums *sums;
};

/* One source; adds its sums to the total. */
void redrive_say(struct redrive *redrive, const struct redrive_source *source,
    const struct redrive_said *said);
void redrive_refuse(struct redrive *redrive,
    const struct redrive_source *source, const char *why);
void redrive_forget(struct redrive *redrive); /* begins to count anew */
void redrive_sum(const struct redrive *redrive);

#endif
