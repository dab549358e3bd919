/*
 * registry.h -- schemas by id from a schema registry (Confluent's HTTP API:
 * GET /schemas/ids/{id}), for parsers and formats.
 *
 * Asking never blocks: a thread of its own does it and ends when it has an
 * answer, and until then the caller gets SECOR_RETRY. A registry that does not
 * answer, that refuses the user, or that answers with anything but a schema or
 * 404 is a wait without an end, never a bad message. An id stands for one
 * schema for ever, so what was found is kept.
 *
 * An id that the registry does not know (404) may be so young that this one of
 * its servers has not heard of it: it is asked for again until
 * `unknown_wait_ms` is over, and then the message is a bad one. After five
 * minutes it is asked for once more.
 */
#ifndef PLUGINS_COMMON_REGISTRY_H
#define PLUGINS_COMMON_REGISTRY_H

#include <secor/plugin.h>

struct registry_conf {
	struct secor_strings urls;   /* the next one when one does not answer */
	const char *user, *password; /* basic authentication; or NULL */
	const char *token;	     /* a bearer's; or NULL */
	const char *ca_file;
	int64_t timeout_ms;
	int64_t unknown_wait_ms;
};

/* The options, of a member of `type`. */
#define REGISTRY_ROWS(type, m)                                                \
	SECOR_OPTION(STRINGS, type, m.urls, "registry", NULL, 0,              \
	    "addresses of a schema registry, tried in turn"),                 \
	    SECOR_OPTION(STRING, type, m.user, "registry_user", NULL, 0,      \
		"for basic authentication"),                                  \
	    SECOR_OPTION(STRING, type, m.password, "registry_password", NULL, \
		SECOR_OPTION_SECRET, "for basic authentication"),             \
	    SECOR_OPTION(STRING, type, m.token, "registry_token", NULL,       \
		SECOR_OPTION_SECRET, "instead of a user: a bearer token"),    \
	    SECOR_OPTION(PATH, type, m.ca_file, "registry_ca_file", NULL, 0,  \
		"PEM file of who may vouch for the registry"),                \
	    SECOR_OPTION_RANGE(DURATION, type, m.timeout_ms,                  \
		"registry_timeout", "10s", "100ms", "5m", 0,                  \
		"of connecting, and of silence"),                             \
	    SECOR_OPTION_RANGE(DURATION, type, m.unknown_wait_ms,             \
		"unknown_schema_wait", "5s", "0s", "1h", 0,                   \
		"how long a schema that the registry does not know is "       \
		"waited for, until its messages are bad")

/* Complains about addresses and users. */
void registry_check(
    const struct registry_conf *conf, const struct secor_check *check);

/* What a schema is made into. */
struct registry_use {
	/* `texts`: what it refers to, then itself. SECOR_OK or SECOR_REJECT. */
	int (*make)(const char *const *texts, size_t count, void **thing,
	    struct secor_err *err);
	void (*drop)(void *thing);
};

struct registry;

int registry_open(const struct registry_conf *conf,
    const struct registry_use *use, const struct secor_host *host,
    struct registry **out, struct secor_err *err);
void registry_close(struct registry *registry); /* accepts NULL */

/* SECOR_OK with *thing, which lives as long as the registry; SECOR_RETRY;
 * SECOR_REJECT: there is no such schema, or it cannot be used. One thread. */
int registry_get(struct registry *registry, uint32_t id, void **thing,
    struct secor_err *err);

#endif
