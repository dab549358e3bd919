/*
 * fake_broker.h -- one connection of a broker that does what a test says, on a
 * thread of its own.
 */
#ifndef TESTS_UNIT_FAKE_BROKER_H
#define TESTS_UNIT_FAKE_BROKER_H

#include "core/flow/fetch/link.h"
#include "core/flow/fetch/wire.h"

#include <openssl/ssl.h>
#include <pthread.h>

struct fake_broker {
	/* What is done with the connection; none: closed at once. */
	void (*serve)(struct fake_broker *broker);
	SSL_CTX *tls; /* NULL: plain; freed with the broker */

	int port;
	int listener, fd;
	SSL *ssl;
	pthread_t thread;
	/* the last request */
	struct wire wire; /* its body; bytes are the broker's */
	int api, version;
	int32_t id;
	char client[64];
	char *bytes;
};

/* Listens; `serve` and `tls` are set before. */
void fake_broker_begin(struct fake_broker *broker);
/* Waits for `serve` to return. */
void fake_broker_end(struct fake_broker *broker);

/* ---- for `serve` ---- */

/* The next request; 0: the other side has hung up. */
int fake_broker_take(struct fake_broker *broker);
/* Answers it. The body is emptied. */
void fake_broker_answer(struct fake_broker *broker, struct buf *body);
void
fake_broker_write(struct fake_broker *broker, const void *bytes, size_t len);
/* Until the other side hangs up. */
void fake_broker_drain(struct fake_broker *broker);
/* Answers ApiVersions: Fetch 4-11, SaslHandshake 0-1, SaslAuthenticate up to
 * `most` (-1: none). */
void fake_broker_versions(struct fake_broker *broker, int most);

/* ---- TLS ---- */

/* A server's side that shows a certificate for `name` ("IP:127.0.0.1",
 * "DNS:h") of an authority of its own, whose certificate is written to `ca`. It
 * wants a client's certificate of that authority, which is written to `client`,
 * with its key; NULL: wants none. */
SSL_CTX *fake_broker_tls(const char *name, const char *ca, const char *client);

#endif
