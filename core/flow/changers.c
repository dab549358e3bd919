/*
 * changers.c -- see changers.h. Thread: that of the router.
 */
#include "core/flow/changers.h"

#include "core/base/buf.h"

#include <stdlib.h>

int
changers_open(struct changers *changers, const struct config_uses *uses,
    uint32_t *looks_at, struct secor_err *err)
{
	int rc = SECOR_OK;

	changers->items = mem_alloc(uses->count * sizeof(*changers->items));
	for (size_t i = 0; rc == SECOR_OK && i < uses->count; i++) {
		const struct config_use *use = &uses->items[i];
		const struct secor_transformer_ops *ops =
		    use->plugin->ops.transformer;

		changers->items[i].plugin = use->plugin;
		changers->count = i + 1;
		*looks_at |= ops->looks_at;
		if (ops->looks != NULL)
			*looks_at |= ops->looks(use->conf);
		rc = config_open(use, NULL, &changers->items[i].self, err);
	}
	return rc;
}

void
changers_close(struct changers *changers)
{
	for (size_t i = 0; i < changers->count; i++)
		if (changers->items[i].self != NULL)
			changers->items[i].plugin->ops.transformer->close(
			    changers->items[i].self);
	free(changers->items);
}

int
changers_run(const struct changers *changers, struct secor_message *message,
    int *keep, const char **plugin, struct secor_err *err)
{
	*keep = 1;
	for (size_t i = 0; *keep && i < changers->count; i++) {
		const struct changer *changer = &changers->items[i];
		struct secor_message in = *message;
		int rc = changer->plugin->ops.transformer->transform(
		    changer->self, &in, message, keep, err);

		message->topic = in.topic;
		message->partition = in.partition;
		message->offset = in.offset;
		*plugin = changer->plugin->desc.name;
		if (rc != SECOR_OK)
			return rc;
	}
	return SECOR_OK;
}
