/*
 * link_inside.h -- what the parts of link.h share: the socket (link_socket.c),
 * properties (link_conf.c), requests and answers (link.c). A link is one
 * thread's; a link_conf is never changed.
 */
#ifndef SECOR_FLOW_FETCH_LINK_INSIDE_H
#define SECOR_FLOW_FETCH_LINK_INSIDE_H

#include "core/flow/fetch/link.h"

#include <openssl/types.h>

/* NULL: not set. */
struct link_tls_conf {
	int on, verify, verify_name;
	char *ca, *certificate, *key, *key_password;
	char *keystore, *keystore_password;
};

struct link_sasl_conf {
	char *mechanism; /* NULL: none is asked for */
	char *username, *password;
};

struct link_conf {
	struct login *login;
	char *client_id;
	struct link_tls_conf tls;
	struct link_sasl_conf sasl;
	int timeout_ms; /* of connecting and logging in, and of a send */
	int receive_most;
	int keepalive, no_delay, send_bytes, receive_bytes;
	int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
};

/* Requests whose versions are remembered: all that there are below. */
enum { LINK_APIS = 64 };

struct link {
	const struct link_conf *conf;
	char *name; /* host:port */
	int fd, stop_fd;
	SSL *ssl;	    /* NULL: plain */
	int64_t expires_ms; /* by clock_boot_ms(); 0: never */
	int64_t until_ms;   /* of what is under way, by clock_boot_ms() */
	int64_t idle_ms;    /* > 0: whenever bytes come, so much more */
	struct {
		int least, most; /* none: 0, -1 */
	} versions[LINK_APIS];
	int32_t sent, answered; /* correlation ids: the next of each */
	int waiting;		/* sent and not answered */
	struct buf out;
};

/* ---- link_socket.c ---- */

#define LINK_ENDED "the broker has hung up"

int link_socket_open(
    struct link *link, const char *host, int port, struct secor_err *err);
/* Until the socket is ready, within `until_ms`. */
int link_wait(const struct link *link, short events, struct secor_err *err);
/* All of it, within `until_ms`. */
int link_read(struct link *link, void *at, size_t len, struct secor_err *err);
int link_write(
    struct link *link, const void *at, size_t len, struct secor_err *err);

/* ---- link_tls.c ---- */

/* SECOR_FATAL: a file that cannot be read. They are read again for each link:
 * certificates are renewed. */
int link_tls_check(const struct link_conf *conf, struct secor_err *err);
/* Speaks TLS on the socket that is open. */
int link_tls_open(struct link *link, const char *host, struct secor_err *err);
/* Some bytes; *n: how many there are, and how many it was. 0 with SECOR_OK:
 * once more. */
int
link_tls_read(struct link *link, void *at, size_t *n, struct secor_err *err);
int link_tls_write(
    struct link *link, const void *at, size_t *n, struct secor_err *err);

/* ---- link_sasl.c ---- */

/* SECOR_FATAL: a mechanism that is not known here. */
int link_sasl_check(const struct link_conf *conf, struct secor_err *err);
int link_sasl_open(struct link *link, struct secor_err *err);

/* An answer to SaslAuthenticate; bytes are the answer's. */
struct link_sasl_reply {
	const char *bytes;
	size_t len;
	int64_t lifetime_ms; /* 0: for ever */
};
/* SECOR_FATAL: refused. */
int link_sasl_read(struct link_sasl_reply *reply, int version,
    const struct buf *answer, struct secor_err *err);

/* ---- link.c ---- */

/* One request and its answer, within `until_ms`; nothing else is out. */
int link_ask(struct link *link, int api, int version, const struct buf *body,
    struct buf *answer, struct secor_err *err);
/* Not connected yet; link_close() ends it. */
struct link *link_new(const struct link_conf *conf, const char *host, int port);
/* What comes when the socket is open and TLS is spoken: versions and SASL. */
int link_log_in(struct link *link, struct secor_err *err);

#endif
