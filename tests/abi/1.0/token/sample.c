/*
 * sample.c -- a token that is written in the configuration.
 */
#include <secor/token.h>
#include <stdlib.h>

struct sample_conf {
	const char *secret;
	int64_t life_ms;
};

struct sample {
	const struct sample_conf *conf;
	const struct secor_host *host;
};

static const struct secor_option sample_options[] = {
    SECOR_OPTION(STRING, struct sample_conf, secret, "secret", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_SECRET, "The token itself."),
    SECOR_OPTION(DURATION, struct sample_conf, life_ms, "life", "1h", 0,
	"How long it is good."),
};

static int
sample_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct sample *sample = malloc(sizeof(*sample));

	if (sample == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	sample->conf = with->conf;
	sample->host = with->host;
	*self = sample;
	return SECOR_OK;
}

static void
sample_close(void *self)
{
	free(self);
}

static int
sample_fetch(void *self, struct secor_token *token, struct secor_err *err)
{
	const struct sample *sample = self;

	(void)err;
	token->value = sample->conf->secret;
	token->expires_ms =
	    sample->host->now_ms(sample->host) + sample->conf->life_ms;
	return SECOR_OK;
}

static const struct secor_token_ops sample_ops = {
    .size = sizeof(sample_ops),
    .open = sample_open,
    .close = sample_close,
    .fetch = sample_fetch,
};

static const struct secor_plugin sample_plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_TOKEN,
    "sample",
    "1",
    "always the same",
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
