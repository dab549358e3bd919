/*
 * put.h -- a text as one object: what is small and made in memory.
 */
#ifndef SECOR_FLOW_PUT_H
#define SECOR_FLOW_PUT_H

#include "core/base/buf.h"
#include "core/flow/manifest_walk.h"

/* `type`: the Content-Type, or NULL. The codes are those of the store's put. */
int store_put_text(const struct manifest_store *store, const char *key,
    const char *text, const char *type, struct secor_err *err);

/* The whole object into `text`, which is empty before; the caller ends it
 * (buf_fini). SECOR_REJECT: there is none, or it has more than `most` bytes. */
int store_get_text(const struct manifest_store *store, const char *key,
    size_t most, struct buf *text, struct secor_err *err);

#endif
