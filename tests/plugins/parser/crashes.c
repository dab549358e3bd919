/*
 * crashes.c -- a parser that dies of messages that say so: "fault" writes to
 * NULL, "abort" aborts, "hang" never returns. The others have their Kafka time.
 */
#include <secor/parser.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
crashes_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	static char instance;

	(void)with;
	(void)err;
	*self = &instance;
	return SECOR_OK;
}

static int
says(const struct secor_message *message, const char *word)
{
	return message->value.len == strlen(word) &&
	       memcmp(message->value.ptr, word, strlen(word)) == 0;
}

static int
crashes_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	volatile int *volatile nowhere = NULL;

	(void)self;
	(void)fields;
	(void)err;
	if (says(message, "fault"))
		*nowhere = 1;
	if (says(message, "abort"))
		abort();
	if (says(message, "hang")) {
		(void)fputs("crashes: hangs\n", stderr);
		for (;;)
			(void)pause();
	}
	record->time_ms = message->timestamp_ms;
	return SECOR_OK;
}

static void
crashes_close(void *self)
{
	(void)self;
}

static const struct secor_parser_ops crashes_ops = {
    .size = sizeof(crashes_ops),
    .looks_at = SECOR_LOOKS_AT_TIMESTAMP,
    .open = crashes_open,
    .parse = crashes_parse,
    .close = crashes_close,
};

static const struct secor_plugin crashes_plugin = {
    SECOR_PLUGIN_HEAD,
    .kind = SECOR_PARSER,
    .name = "crashes",
    .version = "1",
    .summary = "dies of some messages",
    .output_version = 1,
    .ops = &crashes_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &crashes_plugin;
}
