/*
 * changers.h -- the transformers of a topic, in order.
 *
 * Topic, partition and offset of a message stay what they are, whatever a
 * transformer does.
 */
#ifndef SECOR_FLOW_CHANGERS_H
#define SECOR_FLOW_CHANGERS_H

#include "core/config/config.h"

struct changer {
	const struct plugin *plugin;
	void *self;
};

struct changers {
	struct changer *items;
	size_t count;
};

/* Opens them; *looks_at gets what they look at beside what it has. SECOR_FATAL
 * with a sentence. Ended by changers_close, after a failure too. */
int changers_open(struct changers *changers, const struct config_uses *uses,
    uint32_t *looks_at, struct secor_err *err);
void changers_close(struct changers *changers);

/* The message through all of them. SECOR_OK with *keep 0 when one drops it, or
 * what one says, with text; *plugin is the last that saw it. */
int changers_run(const struct changers *changers, struct secor_message *message,
    int *keep, const char **plugin, struct secor_err *err);

#endif
