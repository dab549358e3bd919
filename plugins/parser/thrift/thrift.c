/*
 * thrift.c -- parser: time and fields of Thrift structs, by field ids.
 */
#include "plugins/parser/thrift/read.h"

#include <stdlib.h>

struct thrift_conf {
	struct finder_conf find;
	int protocol; /* enum thrift_protocol */
};

struct thrift {
	const struct thrift_conf *conf;
	struct finder finder;
};

static const char *const protocols[] = {"binary", "compact", NULL};

static const struct secor_option options[] = {
    FINDER_ROWS(struct thrift_conf, find, "1",
	"field ids of the event time, like 1 or 2.1; a number is also a "
	"place in a list"),
    SECOR_OPTION_CHOICE(struct thrift_conf, protocol, "protocol", "binary",
	protocols, SECOR_OPTION_OUTPUT, "how structs are encoded"),
};

static int
all_numbers(const struct wanted *node)
{
	for (node = node->below; node != NULL; node = node->next)
		if (node->number == WANTED_NO_NUMBER || !all_numbers(node))
			return 0;
	return 1;
}

static void
thrift_check(const void *conf, const struct secor_check *check)
{
	const struct thrift_conf *c = conf;
	struct wanted root = WANTED_ROOT;
	int slot, slots = 0;

	finder_check(&c->find, check);
	if (!check->no_time && c->find.time_field != NULL &&
	    wanted_add(&root, c->find.time_field, c->find.separator, &slots,
		&slot, NULL) == SECOR_OK &&
	    !all_numbers(&root))
		check->complain(check, "time_field",
		    "is no path of field ids, like 1 or 2.1");
	wanted_fini(&root);
}

static void
thrift_close(void *self)
{
	struct thrift *thrift = self;

	if (thrift == NULL)
		return;
	finder_close(&thrift->finder);
	free(thrift);
}

static int
thrift_set_up(
    struct thrift *thrift, const struct secor_open *with, struct secor_err *err)
{
	if (finder_open(&thrift->finder, &thrift->conf->find, with, err) !=
	    SECOR_OK)
		return SECOR_FATAL;
	if (!all_numbers(&thrift->finder.root))
		return secor_fail(err, SECOR_FATAL,
		    "thrift finds fields by their ids, like 1 or 2.1");
	return SECOR_OK;
}

static int
thrift_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct thrift *thrift = calloc(1, sizeof(*thrift));

	if (thrift == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	thrift->conf = with->conf;
	if (thrift_set_up(thrift, with, err) != SECOR_OK) {
		thrift_close(thrift);
		return SECOR_FATAL;
	}
	*self = thrift;
	return SECOR_OK;
}

static int
thrift_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	struct thrift *thrift = self;
	const char *why;

	finder_begin(&thrift->finder);
	why = thrift_read(
	    &thrift->finder, thrift->conf->protocol, message->value);
	if (why != NULL)
		return secor_fail(err, SECOR_REJECT, "%s", why);
	return finder_end(&thrift->finder, message, record, fields, err);
}

static const struct secor_parser_ops ops = {
    .size = sizeof(ops),
    .open = thrift_open,
    .parse = thrift_parse,
    .close = thrift_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "thrift",
    SECOR_VERSION,
    "time and fields of Thrift structs, by field ids",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct thrift_conf),
    thrift_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
