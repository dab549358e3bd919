/*
 * chatty.c -- a parser that takes no message, and whose reason is the message.
 */
#include <secor/parser.h>

static int
chatty_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	static char instance;

	(void)with;
	(void)err;
	*self = &instance;
	return SECOR_OK;
}

static int
chatty_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	(void)self;
	(void)record;
	(void)fields;
	return secor_fail(err, SECOR_REJECT, "%.*s", (int)message->value.len,
	    (const char *)message->value.ptr);
}

static void
chatty_close(void *self)
{
	(void)self;
}

static const struct secor_parser_ops chatty_ops = {
    .size = sizeof(chatty_ops),
    .open = chatty_open,
    .parse = chatty_parse,
    .close = chatty_close,
};

static const struct secor_plugin chatty_plugin = {
    SECOR_PLUGIN_HEAD,
    .kind = SECOR_PARSER,
    .name = "chatty",
    .version = "1",
    .summary = "takes no message and says it",
    .output_version = 1,
    .ops = &chatty_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &chatty_plugin;
}
