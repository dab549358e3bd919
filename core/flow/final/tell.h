/*
 * tell.h -- one path to the store and to the notifiers (finalizer.c decides
 * which and when).
 */
#ifndef SECOR_FLOW_FINAL_TELL_H
#define SECOR_FLOW_FINAL_TELL_H

#include "core/flow/final/ledger.h"

struct tellers;

/* Instances of the configured notifiers; `store` is borrowed. SECOR_FATAL with
 * a sentence. */
int tellers_new(const struct config *config, const struct manifest_store *store,
    struct tellers **tellers, struct secor_err *err);
void tellers_free(struct tellers *tellers); /* accepts NULL */

/* Marker, notifiers, tally of the entry as it is now; `sum` is its tally
 * and becomes the one that the entry has. Notifiers that have heard this
 * already are left out. SECOR_RETRY when one of the steps must come again. */
int tell_path(struct tellers *tellers, const struct config_finalize *how,
    struct entry *entry, struct tally *sum, struct secor_err *err);

#endif
