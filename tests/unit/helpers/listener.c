/*
 * listener.c -- see listener.h.
 */
#include "tests/unit/helpers/listener.h"

static int
listener_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)err;
	*self = (void *)(uintptr_t)with->conf;
	return SECOR_OK;
}

static void
listener_close(void *self)
{
	(void)self;
}

static int
listener_finalized(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	const struct listener *listener = self;

	return listener->hear(listener->arg, "new", path, err);
}

static int
listener_amended(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	const struct listener *listener = self;

	return listener->hear(listener->arg, "more", path, err);
}

static const struct secor_notifier_ops listener_ops = {
    .size = sizeof(struct secor_notifier_ops),
    .open = listener_open,
    .close = listener_close,
    .path_finalized = listener_finalized,
    .path_amended = listener_amended,
};

static char built_in[] = "(test)";

const struct plugin listener_plugin = {
    .desc = {SECOR_PLUGIN_HEAD, .kind = SECOR_NOTIFIER, .name = "ear"},
    .file = built_in,
    .ops = {.notifier = &listener_ops},
};
