/*
 * hollow.c -- a parser without `parse`.
 */
#include <secor/parser.h>

static int
hollow_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	*self = NULL;
	return SECOR_OK;
}

static void
hollow_close(void *self)
{
	(void)self; /* nothing was made */
}

static const struct secor_parser_ops hollow_ops = {
    .size = sizeof(hollow_ops),
    .open = hollow_open,
    .close = hollow_close,
};

static const struct secor_plugin hollow_plugin = {
    SECOR_PLUGIN_HEAD,
    .kind = SECOR_PARSER,
    .name = "hollow",
    .version = "1",
    .summary = "for a test of the loader",
    .output_version = 1,
    .ops = &hollow_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &hollow_plugin;
}
