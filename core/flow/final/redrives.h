/*
 * redrives.h -- what `secor redrive` has stored of one topic, into the ledger:
 * by the pointers that it puts beside the manifests (core/flow/redriven.h).
 */
#ifndef SECOR_FLOW_FINAL_REDRIVES_H
#define SECOR_FLOW_FINAL_REDRIVES_H

#include "core/flow/final/ledger.h"

struct redrives;

/* Borrows all of it. */
struct redrives *redrives_new(const struct manifest_store *store,
    const struct manifest_place *topic, struct ledger *ledger);
void redrives_free(struct redrives *redrives); /* accepts NULL */

/* Receipts that are new. One listing, of names. SECOR_RETRY when the store does
 * not answer, SECOR_REJECT when a receipt cannot be read: its key is in the
 * text. */
int redrives_read(struct redrives *redrives, struct secor_err *err);

/* All receipts that have objects in the entry's path, however old: asked right
 * before it is told. */
int redrives_of(struct redrives *redrives, const struct entry *entry,
    struct secor_err *err);

/* Removes pointers that nobody needs: every tally counts their receipt, and
 * that for so long that no other process can have an older tally in hand. Who
 * may not remove anything keeps them: each is a name more in the listings.
 * SECOR_RETRY when the store does not answer. */
int
redrives_tidy(struct redrives *redrives, int64_t now_ms, struct secor_err *err);

#endif
