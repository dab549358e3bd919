/*
 * ledger.h -- what is in the paths of one topic, by path and by the levels
 * above it, and which of them are over. Fed with manifests and receipts; no
 * I/O, no clock.
 *
 * An entry counts what its tally knows (settled) and keeps the objects that
 * came since (fresh). One thread.
 */
#ifndef SECOR_FLOW_FINAL_LEDGER_H
#define SECOR_FLOW_FINAL_LEDGER_H

#include "core/flow/final/tally.h"

/* An object of a batch, or of a redrive of its dead letters; shared by the
 * entries that it is in. */
struct ledger_object {
	size_t refs;
	struct redriven of;	       /* number 0: of the batch itself */
	struct manifest_object object; /* key and path are its own */
};

enum entry_state {
	ENTRY_NEW = 0, /* its tally was not looked for yet */
	ENTRY_OPEN,    /* there is none */
	ENTRY_SETTLED  /* `tally` is what the store has */
};

struct entry {
	struct entry *next; /* of its bucket */
	size_t level_count;
	enum entry_state state;
	char *path;   /* escaped: the first levels */
	char *folder; /* in the store, without '/' at its end */
	struct span span;
	struct tally tally; /* of ENTRY_SETTLED */
	struct ledger_object **fresh;
	size_t fresh_count;
	int unsure; /* a tally of ours was put, or tried to, and not seen since
		     */
	struct telling *telling; /* on its way to the notifiers; or NULL */
	int tries;		 /* that the store failed, in a row */
	int64_t again_boot_ms;	 /* not before this; 0 */
};

struct ledger;

/* Keeps the object beyond its entry. */
struct ledger_object *ledger_object_ref(struct ledger_object *object);
void ledger_object_unref(struct ledger_object *object);

/* `whole_paths`: no entries for the levels above (where the layout does not put
 * them into one folder). Borrows both. */
struct ledger *
ledger_new(const char *topic, struct spans *spans, int whole_paths);
/* No entry is being told. Accepts NULL. */
void ledger_free(struct ledger *ledger);

/* A manifest of the topic, by start within a partition; one that was added
 * already is not once more. */
void ledger_add(struct ledger *ledger, const struct manifest *manifest);

/* A receipt, as often as one likes. */
void ledger_add_receipt(struct ledger *ledger, const struct receipt *receipt);

/* Whether the entry has the receipt's objects, counted or fresh. */
int
ledger_has_receipt(const struct entry *entry, const struct redriven *receipt);

/* Whether nothing is left to do for a receipt in this path and those above it:
 * the store's tallies count it, or it is not wanted there. */
int ledger_is_done_with(const struct ledger *ledger, const char *path,
    const struct redriven *receipt);

/* Every batch of the partition that begins before `end` was added. */
void ledger_read_until(struct ledger *ledger, int32_t partition, int64_t end);

/* What the store has for the entry: tally NULL for none (else it is taken,
 * and emptied). Objects that it counts are no longer fresh. */
void ledger_settle(struct entry *entry, struct tally *tally);

/* The tally of the entry as it is now: settled and fresh together. `tally`
 * is empty before; the caller ends it (tally_fini). */
void ledger_sum(const struct ledger *ledger, const struct entry *entry,
    struct tally *tally);

/* Entries with something to do whose span ends at `until` or before: those that
 * were never told, those with fresh objects, and those that are unsure. Oldest
 * end first, of the same end the deeper first. *count of them; caller frees the
 * list with free(). */
struct entry **ledger_due(struct ledger *ledger, int64_t until, size_t *count);

/* Forgets what ended before `until`: all but what waits for its amendment, is
 * being told, or has failed. */
void ledger_forget(struct ledger *ledger, int64_t until);

/* How many entries there are. */
size_t ledger_count(const struct ledger *ledger);

#endif
