/*
 * sample.c -- a notifier that is interested in nothing.
 */
#include <secor/notifier.h>
#include <stdlib.h>

struct sample_conf {
	const char *url;
	struct secor_pairs headers;
	const char *token;
};

static const struct secor_option sample_options[] = {
    SECOR_OPTION(STRING, struct sample_conf, url, "url", NULL,
	SECOR_OPTION_REQUIRED, "Whom."),
    SECOR_OPTION(
	PAIRS, struct sample_conf, headers, "headers", "{}", 0, "Headers."),
    SECOR_OPTION(STRING, struct sample_conf, token, "token", NULL,
	SECOR_OPTION_SECRET, "The secret."),
};

static int
sample_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)err;
	*self = (void *)with->conf;
	return SECOR_OK;
}

static void
sample_close(void *self)
{
	(void)self; /* the conf is the engine's */
}

static const struct secor_notifier_ops sample_ops = {
    .size = sizeof(sample_ops),
    .open = sample_open,
    .close = sample_close,
};

static const struct secor_plugin sample_plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_NOTIFIER,
    "sample",
    "1",
    "hears nothing",
    1,
    SECOR_OPTIONS(sample_options),
    sizeof(struct sample_conf),
    NULL,
    &sample_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &sample_plugin;
}
