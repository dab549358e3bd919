/*
 * newer.c -- a parser made for a later minor of the ABI than any engine.
 */
#include <secor/parser.h>

static int
newer_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	*self = NULL;
	return SECOR_OK;
}

static int
newer_parse(void *self, const struct secor_message *message,
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
newer_close(void *self)
{
	(void)self; /* nothing was made */
}

static const struct secor_parser_ops newer_ops = {
    .size = sizeof(newer_ops),
    .open = newer_open,
    .parse = newer_parse,
    .close = newer_close,
};

static const struct secor_plugin newer_plugin = {
    .magic = SECOR_PLUGIN_MAGIC,
    .major = SECOR_ABI_MAJOR,
    .minor = SECOR_ABI_MINOR + 1,
    .size = sizeof(struct secor_plugin),
    .kind = SECOR_PARSER,
    .name = "newer",
    .version = "1",
    .summary = "for a test of the loader",
    .output_version = 1,
    .ops = &newer_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &newer_plugin;
}
