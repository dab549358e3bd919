/*
 * old.c -- a notifier as an earlier engine knew it: its table ends behind
 * `batch_done`, and what lies behind it in memory must not be called.
 */
#include <secor/notifier.h>
#include <stdlib.h>

/* What the table was, and the trap behind it. */
struct old_ops {
	uint32_t size;
	int (*open)(
	    const struct secor_open *with, void **self, struct secor_err *err);
	void (*close)(void *self);
	int (*batch_done)(void *self, const struct secor_event_batch *batch,
	    struct secor_err *err);
};

struct trapped {
	struct old_ops ops;
	void (*trap[4])(void);
};

static void
old_trap(void)
{
	abort(); /* a slot that this plugin does not have was called */
}

static int
old_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	*self = NULL;
	return SECOR_OK;
}

static void
old_close(void *self)
{
	(void)self; /* nothing was made */
}

static int
old_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	(void)self;
	(void)batch;
	return secor_fail(err, SECOR_REJECT, "heard by an old notifier");
}

static const struct trapped old_table = {
    .ops = {sizeof(struct old_ops), old_open, old_close, old_batch_done},
    .trap = {old_trap, old_trap, old_trap, old_trap},
};

static const struct secor_plugin old_plugin = {
    SECOR_PLUGIN_HEAD,
    .kind = SECOR_NOTIFIER,
    .name = "old",
    .version = "1",
    .summary = "for a test of the loader",
    .output_version = 1,
    .ops = &old_table,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &old_plugin;
}
