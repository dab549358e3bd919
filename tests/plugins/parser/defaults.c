/*
 * defaults.c -- a parser with a default that is no value of its type.
 */
#include <secor/parser.h>

struct defaults_conf {
	int64_t wait;
};

static int
defaults_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	*self = NULL;
	return SECOR_OK;
}

static int
defaults_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	(void)self;
	(void)fields;
	(void)err;
	record->time_ms = message->timestamp_ms;
	return SECOR_OK;
}

static void
defaults_close(void *self)
{
	(void)self; /* nothing was made */
}

static const struct secor_parser_ops defaults_ops = {
    .size = sizeof(defaults_ops),
    .open = defaults_open,
    .parse = defaults_parse,
    .close = defaults_close,
};

static const struct secor_option defaults_options[] = {
    SECOR_OPTION(DURATION, struct defaults_conf, wait, "wait", "soon", 0, "h"),
};

static const struct secor_plugin defaults_plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "defaults",
    "1",
    "for a test of the loader",
    1,
    SECOR_OPTIONS(defaults_options),
    sizeof(struct defaults_conf),
    NULL,
    &defaults_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &defaults_plugin;
}
