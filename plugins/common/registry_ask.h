/*
 * registry_ask.h -- one question to a schema registry, on the asking thread.
 */
#ifndef PLUGINS_COMMON_REGISTRY_ASK_H
#define PLUGINS_COMMON_REGISTRY_ASK_H

#include "plugins/common/http.h"
#include "plugins/common/registry.h"

#define REGISTRY_TEXTS 64

struct registry_answer {
	/* SECOR_OK with texts; SECOR_REJECT: it has another kind of schema;
	 * SECOR_RETRY with the reason */
	int status;
	int unknown; /* RETRY, since there is no such id */
	char *texts[REGISTRY_TEXTS];
	char *names[REGISTRY_TEXTS]; /* "subject version" of what is referred to
				      */
	size_t count;
	struct secor_err err;
};

/* `authorization`: a header's value or NULL; `go_on` as in http.h. */
struct registry_asker {
	struct http *http;
	const char *url;
	const char *authorization;
	int (*go_on)(void *arg);
	void *arg;
};

void registry_ask(const struct registry_asker *asker, uint32_t id,
    struct registry_answer *answer);
void registry_answer_fini(struct registry_answer *answer);

#endif
