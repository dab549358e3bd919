/*
 * link.h -- one connection to one broker: TCP, TLS, ApiVersions, SASL; requests
 * out, answers in. Blocking, with deadlines; a descriptor breaks it off.
 *
 * Complaints begin with the broker's name. The system looks names up, which
 * nothing breaks off.
 *
 * What it knows of TLS, SASL, timeouts and the client's name are the effective
 * properties of the librdkafka handle, so one configuration holds for both.
 */
#ifndef SECOR_FLOW_FETCH_LINK_H
#define SECOR_FLOW_FETCH_LINK_H

#include "core/base/buf.h"
#include "core/flow/login.h"
#include <secor/plugin.h>

#include <librdkafka/rdkafka.h>

#include <stdint.h>

enum {
	API_FETCH = 1,
	API_SASL_HANDSHAKE = 17,
	API_VERSIONS = 18,
	API_OFFSET_FOR_LEADER_EPOCH = 23,
	API_SASL_AUTHENTICATE = 36
};

struct link_conf; /* of a handle; shared by all its links, any thread */
struct link;

/* SECOR_FATAL: files of keys that cannot be read, a mechanism that is not known
 * here (GSSAPI). `login` (may be NULL) must outlive it. */
int link_conf_new(rd_kafka_t *rk, struct login *login, struct link_conf **conf,
    struct secor_err *err);
void link_conf_free(struct link_conf *conf); /* accepts NULL */

/* Connects and logs in, within socket.timeout.ms in all. `stop_fd` becoming
 * readable breaks it off. SECOR_RETRY: not now (refused, timed out, name not
 * found, broken off, no token yet); SECOR_FATAL: not so (the certificate is not
 * trusted, the password is refused): repeated all the same, but somebody must
 * act. */
int link_open(const struct link_conf *conf, const char *host, int port,
    int stop_fd, struct link **link, struct secor_err *err);
void link_close(struct link *link); /* accepts NULL */

/* The highest version that the broker takes of a request, `most` at most; -1:
 * none of `least` to `most`. */
int link_version(const struct link *link, int api, int least, int most);

/* The broker ends the login now or soon (KIP-368): open a new one. */
int link_expired(const struct link *link);

/* One request, header version 1; body as of the version. SECOR_RETRY: the
 * connection is broken, close it. */
int link_send(struct link *link, int api, int version, const struct buf *body,
    struct secor_err *err);

/* The answer to the request that was sent first and is not answered: its body
 * into `answer` (emptied first), without length and correlation id. More than
 * receive.message.max.bytes is an error. SECOR_RETRY: the connection is broken,
 * nothing came within `timeout_ms`, or `stop_fd` is readable. */
int link_receive(struct link *link, int64_t timeout_ms, struct buf *answer,
    struct secor_err *err);

#endif
