/*
 * put.h -- a text as one object: what is small and made in memory.
 */
#ifndef SECOR_FLOW_PUT_H
#define SECOR_FLOW_PUT_H

#include "core/flow/manifest_walk.h"

/* `type`: the Content-Type, or NULL. The codes are those of the store's put. */
int put_text(const struct manifest_store *store, const char *key,
    const char *text, const char *type, struct secor_err *err);

#endif
