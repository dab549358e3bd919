/*
 * catchup.h -- the manifests of a Kafka partition into the ledger.
 */
#ifndef SECOR_FLOW_FINAL_CATCHUP_H
#define SECOR_FLOW_FINAL_CATCHUP_H

#include "core/flow/final/ledger.h"

struct catchup {
	/* Batches that begin in [from, until). from -1: begin with the first
	 * one after which the partition's watermark is at `horizon` or later,
	 * which is found by halving. */
	int64_t from, until;
	int64_t horizon;
};

/* Blocks. SECOR_RETRY when the store does not answer, SECOR_REJECT when a
 * manifest cannot be read: its key is in the text. */
int
catchup(const struct manifest_store *store, const struct manifest_place *place,
    const struct catchup *range, struct ledger *ledger, struct secor_err *err);

#endif
