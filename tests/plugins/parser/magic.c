/*
 * magic.c -- a parser whose descriptor begins with something else.
 */
#include <secor/parser.h>

static int
magic_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	*self = NULL;
	return SECOR_OK;
}

static int
magic_parse(void *self, const struct secor_message *message,
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
magic_close(void *self)
{
	(void)self; /* nothing was made */
}

static const struct secor_parser_ops magic_ops = {
    .size = sizeof(magic_ops),
    .open = magic_open,
    .parse = magic_parse,
    .close = magic_close,
};

static const struct secor_plugin magic_plugin = {
    .magic = 42,
    .major = SECOR_ABI_MAJOR,
    .minor = SECOR_ABI_MINOR,
    .size = sizeof(struct secor_plugin),
    .kind = SECOR_PARSER,
    .name = "magic",
    .version = "1",
    .summary = "for a test of the loader",
    .output_version = 1,
    .ops = &magic_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &magic_plugin;
}
