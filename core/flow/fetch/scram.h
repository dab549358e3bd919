/*
 * scram.h -- the client's side of SCRAM (RFC 5802, RFC 7677), without channel
 * binding: who the user is is proved without the password being sent, and the
 * broker proves that it knows it, too.
 */
#ifndef SECOR_FLOW_FETCH_SCRAM_H
#define SECOR_FLOW_FETCH_SCRAM_H

#include "core/base/buf.h"
#include <secor/plugin.h>

#include <openssl/types.h>

struct scram;

/* One login. `nonce`: NULL for one of its own. The texts are copied, but for
 * the password, which must outlive it. */
struct scram *scram_new(const EVP_MD *hash, const char *username,
    const char *password, const char *nonce);
void scram_free(struct scram *scram); /* accepts NULL */

/* What is said first, appended. */
void scram_begin(struct scram *scram, struct buf *out);
/* What is said to the server's first message, appended. SECOR_FATAL: that is
 * none, or none that is safe to answer. */
int scram_prove(struct scram *scram, const char *said, size_t len,
    struct buf *out, struct secor_err *err);
/* Whether the server's last message shows that it knows the password. */
int scram_verify(
    struct scram *scram, const char *said, size_t len, struct secor_err *err);

#endif
