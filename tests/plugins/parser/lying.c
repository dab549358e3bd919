/*
 * lying.c -- a store that lies in the folder of parsers: its kind is said to be
 * another one than its table.
 */
#include <secor/parser.h>

static int
lying_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	*self = NULL;
	return SECOR_OK;
}

static int
lying_parse(void *self, const struct secor_message *message,
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
lying_close(void *self)
{
	(void)self; /* nothing was made */
}

static const struct secor_parser_ops lying_ops = {
    .size = sizeof(lying_ops),
    .open = lying_open,
    .parse = lying_parse,
    .close = lying_close,
};

static const struct secor_plugin lying_plugin = {
    SECOR_PLUGIN_HEAD,
    .kind = SECOR_STORE,
    .name = "lying",
    .version = "1",
    .summary = "for a test of the loader",
    .output_version = 1,
    .ops = &lying_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &lying_plugin;
}
