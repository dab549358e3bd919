/*
 * msgpack.c -- parser: time and fields of MessagePack values, by path.
 */
#include "plugins/parser/msgpack/read.h"

#include <stdlib.h>

struct msgpack_conf {
	struct finder_conf find;
};

static const struct secor_option options[] = {
    FINDER_ROWS(struct msgpack_conf, find, NULL,
	"path of the event time, like meta.created; a number is a place in "
	"an array, or an integer key"),
};

static void
msgpack_check(const void *conf, const struct secor_check *check)
{
	const struct msgpack_conf *c = conf;

	finder_check(&c->find, check);
}

static void
msgpack_close(void *self)
{
	struct finder *finder = self;

	if (finder == NULL)
		return;
	finder_close(finder);
	free(finder);
}

static int
msgpack_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct msgpack_conf *conf = with->conf;
	struct finder *finder = calloc(1, sizeof(*finder));

	if (finder == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	if (finder_open(finder, &conf->find, with, err) != SECOR_OK) {
		msgpack_close(finder);
		return SECOR_FATAL;
	}
	*self = finder;
	return SECOR_OK;
}

static int
msgpack_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	struct finder *finder = self;
	const char *why;

	finder_begin(finder);
	why = msgpack_read(finder, message->value);
	if (why != NULL)
		return secor_fail(err, SECOR_REJECT, "%s", why);
	return finder_end(finder, message, record, fields, err);
}

static const struct secor_parser_ops ops = {
    .size = sizeof(ops),
    .open = msgpack_open,
    .parse = msgpack_parse,
    .close = msgpack_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "msgpack",
    SECOR_VERSION,
    "time and fields of MessagePack values, by path",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct msgpack_conf),
    msgpack_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
