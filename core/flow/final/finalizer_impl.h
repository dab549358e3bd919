/*
 * finalizer_impl.h -- what finalizer.c (topics, and what is read of them) and
 * due.c (what is over is told, what was answered ends it) share.
 */
#ifndef SECOR_FLOW_FINAL_FINALIZER_IMPL_H
#define SECOR_FLOW_FINAL_FINALIZER_IMPL_H

#include "core/flow/final/finalizer.h"
#include "core/flow/final/telling.h"

struct topic_metrics {
	struct metric *watermark, *holder, *finalized, *amended, *failures,
	    *waiting, *objects;
};

struct topic {
	struct topic *next;
	char *name;
	const struct config_topic *config;
	struct spans *spans;
	struct ledger *ledger;
	struct manifest_place place; /* borrows name */
	struct redrives *redrives;
	int64_t *read_until; /* by partition; -1: nothing was read yet */
	size_t partitions;
	int stale; /* somebody else's tallies took the place of ours */
	struct topic_metrics metrics;
	int64_t watermark_ms;  /* everything before it is read */
	int64_t again_boot_ms; /* something comes again then; INT64_MAX */
	int left_out;	       /* something had no room with a notifier */
	int64_t waiting;       /* are over, and not told to all */
	size_t in_flight;      /* hearings that notifiers have */
	struct tellings tellings;
	struct finalizer_pass pass; /* what became of paths in this pass */
};

struct finalizer {
	struct finalizer_how how;
	struct manifest_store store;
	struct tellers *tellers; /* NULL: dry run */
	struct topic *topics;
	struct tellings dropped; /* of topics that are forgotten */
	_Atomic int stopping;
	unsigned seed; /* of the back-off */
};

/* Tells what is over and due at `now`, as far as there is room. SECOR_RETRY
 * when the store does not answer. */
int due_offer(struct finalizer *finalizer, struct topic *topic,
    int64_t now_boot_ms, struct secor_err *err);
/* Takes in what notifiers have answered. `wait`: for one answer at least.
 * Returns 0 when there was none. `now` begins a back-off. */
int due_answers(struct finalizer *finalizer, int wait, int64_t now_boot_ms);
/* Forgets what is told of the topic. */
void due_drop(struct finalizer *finalizer, struct topic *topic);
/* The oldest path that each notifier has not heard, into its metric. */
void due_note_oldest(const struct finalizer *finalizer);

#endif
