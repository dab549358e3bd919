/*
 * waits.c -- a parser that says RETRY to partition 0 as long as the file named
 * by $WAITS_FOR is not there. Records have their Kafka time.
 */
#include <secor/parser.h>

#include <stdlib.h>
#include <unistd.h>

static int
waits_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	static char instance;

	(void)with;
	(void)err;
	*self = &instance;
	return SECOR_OK;
}

static int
waits_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	const char *file = getenv("WAITS_FOR");

	(void)self;
	(void)fields;
	if (message->partition == 0 && file != NULL && access(file, F_OK) != 0)
		return secor_fail(err, SECOR_RETRY, "%s is not there", file);
	record->time_ms = message->timestamp_ms;
	return SECOR_OK;
}

static void
waits_close(void *self)
{
	(void)self;
}

static const struct secor_parser_ops waits_ops = {
    .size = sizeof(waits_ops),
    .looks_at = SECOR_LOOKS_AT_TIMESTAMP,
    .open = waits_open,
    .parse = waits_parse,
    .close = waits_close,
};

static const struct secor_plugin waits_plugin = {
    SECOR_PLUGIN_HEAD,
    .kind = SECOR_PARSER,
    .name = "waits",
    .version = "1",
    .summary = "waits for a file",
    .output_version = 1,
    .ops = &waits_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &waits_plugin;
}
