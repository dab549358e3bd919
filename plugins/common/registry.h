/*
 * registry.h -- schemas by id from a schema registry (Confluent's HTTP API:
 * GET /schemas/ids/{id}), for parsers.
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
