/*
 * raw.c -- parser: takes every message as it is, null values too. It finds no
 * time and no fields, so the time has to be Kafka's.
 */
#include <secor/parser.h>

static void
raw_check(const void *conf, const struct secor_check *check)
{
	(void)conf;
	if (!check->no_time)
		check->complain(check, NULL,
		    "raw finds no time in messages: add time_source: kafka");
}

static int
raw_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	static char nothing;

	if (!with->no_time)
		return secor_fail(err, SECOR_FATAL,
		    "raw finds no time in messages: add time_source: kafka");
	if (with->fields.count > 0)
		return secor_fail(err, SECOR_FATAL,
		    "field '%s': raw finds no fields (json and regex do)",
		    with->fields.items[0]);
	*self = &nothing;
	return SECOR_OK;
}

static int
raw_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	(void)self;
	(void)message;
	(void)record;
	(void)fields;
	(void)err;
	return SECOR_OK;
}

static void
raw_close(void *self)
{
	(void)self;
}

static const struct secor_parser_ops ops = {
    .size = sizeof(ops),
    .open = raw_open,
    .parse = raw_parse,
    .close = raw_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "raw",
    SECOR_VERSION,
    "messages as they are, with the time of Kafka",
    1,
    SECOR_NO_OPTIONS,
    0,
    raw_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
