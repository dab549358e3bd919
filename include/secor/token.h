/*
 * token.h -- where tokens come from that Kafka's brokers ask for (SASL
 * OAUTHBEARER), and how others get into the same cluster.
 */
#ifndef SECOR_TOKEN_H
#define SECOR_TOKEN_H

#include <secor/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Strings are the plugin's, valid until the next call. */
struct secor_token {
	uint32_t size;
	const char *value;     /* as the broker gets it */
	const char *principal; /* who it is for, for people; NULL: not known */
	int64_t expires_ms;    /* since the epoch; later than now */
	/* SASL extensions for the broker (KIP-342). */
	const struct secor_pair *extensions;
	size_t extension_count;
};

struct secor_token_ops {
	uint32_t size;

	int (*open)(
	    const struct secor_open *with, void **self, struct secor_err *err);
	void (*close)(void *self); /* accepts NULL */

	/* A new token. Own thread; may block, but a stop waits for it: half a
	 * minute at most. Asked again when four fifths of the life of the last
	 * one are over. SECOR_RETRY: the source may answer later.
	 * SECOR_FATAL: only a person can mend it. Either way it is logged once
	 * until that changes, and asked again with growing pauses; the flow
	 * waits meanwhile. */
	int (*fetch)(
	    void *self, struct secor_token *token, struct secor_err *err);
};

/* The cluster that the service reads, for plugins with a client of their own:
 * how one gets into it. */
struct secor_cluster {
	uint32_t size;
	/* Of librdkafka: bootstrap.servers, TLS, SASL. Secrets among them. */
	struct secor_pairs properties;
	/* A new token, where OAUTHBEARER takes them from a plugin; else NULL.
	 * `take` is called with it before this returns, or not at all: the
	 * strings are borrowed for that call, which asks for no other. Any
	 * thread; one is fetched at a time, so it may block for half a minute,
	 * and for as long for each who asked before; at a stop not for those.
	 * The codes are those of `fetch`. */
	int (*token)(const struct secor_cluster *cluster,
	    void (*take)(void *arg, const struct secor_token *token), void *arg,
	    struct secor_err *err);
};

#ifdef __cplusplus
}
#endif
#endif
