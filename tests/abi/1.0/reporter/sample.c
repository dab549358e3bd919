/*
 * sample.c -- a reporter that drops what it gets.
 */
#include <secor/reporter.h>
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

static int
sample_report(void *self, int64_t now_ms, const struct secor_metric *metrics,
    size_t count, struct secor_err *err)
{
	(void)self;
	(void)now_ms;
	(void)metrics;
	(void)count;
	(void)err;
	return SECOR_OK;
}

static const struct secor_reporter_ops sample_ops = {
    .size = sizeof(sample_ops),
    .open = sample_open,
    .close = sample_close,
    .report = sample_report,
};

static const struct secor_plugin sample_plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_REPORTER,
    "sample",
    "1",
    "drops all",
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
