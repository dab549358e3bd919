/*
 * refuses.c -- a parser whose `open` fails.
 */
#include <secor/parser.h>

static int
refuses_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)self;
	return secor_fail(err, SECOR_FATAL, "the moon is full");
}

static int
refuses_parse(void *self, const struct secor_message *message,
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
refuses_close(void *self)
{
	(void)self; /* nothing was made */
}

static const struct secor_parser_ops refuses_ops = {
    .size = sizeof(refuses_ops),
    .open = refuses_open,
    .parse = refuses_parse,
    .close = refuses_close,
};

static const struct secor_plugin refuses_plugin = {
    SECOR_PLUGIN_HEAD,
    .kind = SECOR_PARSER,
    .name = "refuses",
    .version = "1",
    .summary = "for a test of the loader",
    .output_version = 1,
    .ops = &refuses_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &refuses_plugin;
}
