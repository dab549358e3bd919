/* list.c -- a notifier: appends the address of every finished object to a file.
 * An event comes again after a failure or a crash, so lines may come twice. */
#include <errno.h>
#include <secor/notifier.h>
#include <string.h>

struct list_conf {
	const char *file;
};

static const struct secor_option list_options[] = {
    SECOR_OPTION(PATH, struct list_conf, file, "file", NULL,
	SECOR_OPTION_REQUIRED, "Where lines go."),
};

static int
list_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)err;
	*self = (void *)with->conf; /* it outlives the instance */
	return SECOR_OK;
}

static void
list_close(void *self)
{
	(void)self; /* nothing was made */
}

static int
list_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	const struct list_conf *conf = self;
	FILE *file = fopen(conf->file, "a");
	int failed = file == NULL;

	for (size_t i = 0; !failed && i < batch->object_count; i++)
		failed = fprintf(file, "%s\n", batch->objects[i].url) < 0;
	if (file != NULL && fclose(file) != 0)
		failed = 1;
	if (failed) /* RETRY: the same batch comes again, for ever */
		return secor_fail(err, SECOR_RETRY, "append to %s: %s",
		    conf->file, strerror(errno));
	return SECOR_OK;
}

static const struct secor_notifier_ops list_ops = {
    .size = sizeof(list_ops),
    .open = list_open,
    .close = list_close,
    .batch_done = list_batch_done,
};

static const struct secor_plugin list_plugin = {SECOR_PLUGIN_HEAD,
    SECOR_NOTIFIER, "list", "1.0", "appends finished objects to a file", 1,
    SECOR_OPTIONS(list_options), sizeof(struct list_conf), NULL, &list_ops};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &list_plugin;
}
