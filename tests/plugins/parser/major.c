/*
 * major.c -- a parser made for another major of the ABI.
 */
#include <secor/parser.h>

static int
major_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	*self = NULL;
	return SECOR_OK;
}

static int
major_parse(void *self, const struct secor_message *message,
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
major_close(void *self)
{
	(void)self; /* nothing was made */
}

static const struct secor_parser_ops major_ops = {
    .size = sizeof(major_ops),
    .open = major_open,
    .parse = major_parse,
    .close = major_close,
};

static const struct secor_plugin major_plugin = {
    .magic = SECOR_PLUGIN_MAGIC,
    .major = SECOR_ABI_MAJOR - 1,
    .minor = 7,
    .size = sizeof(struct secor_plugin),
    .kind = SECOR_PARSER,
    .name = "major",
    .version = "1",
    .summary = "for a test of the loader",
    .output_version = 1,
    .ops = &major_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &major_plugin;
}
