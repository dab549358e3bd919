/*
 * protobuf.c -- parser: time and fields of protobuf messages, by field numbers,
 * or by names with a descriptor set.
 */
#include "plugins/common/framed.h"
#include "plugins/parser/protobuf/descriptor.h"

#include <stdlib.h>

struct protobuf_conf {
	struct finder_conf find;
	const char *descriptor_set;
	const char *message;
	struct secor_pairs types;
	int framing;
	int check_index;
};

struct protobuf {
	const struct protobuf_conf *conf;
	struct finder finder;
	struct descriptor descriptor;
};

static const char *const framings[] = {FRAMED_CHOICES};

static const struct secor_option options[] = {
    FINDER_ROWS(struct protobuf_conf, find, "1",
	"field of the event time: numbers like 2.1, or with a descriptor_set "
	"names like meta.created"),
    SECOR_OPTION(PATH, struct protobuf_conf, descriptor_set, "descriptor_set",
	NULL, SECOR_OPTION_OUTPUT,
	"file of protoc --include_imports --descriptor_set_out, for names and "
	"types"),
    SECOR_OPTION(STRING, struct protobuf_conf, message, "message", NULL,
	SECOR_OPTION_OUTPUT,
	"full name of the message in it, like logs.v1.Event"),
    SECOR_OPTION(PAIRS, struct protobuf_conf, types, "types", NULL,
	SECOR_OPTION_OUTPUT,
	"types by path, without a descriptor_set: sint64, double, "
	"timestamp, ...; else int64 or string, by the encoding"),
    SECOR_OPTION_CHOICE(struct protobuf_conf, framing, "framing", "none",
	framings, SECOR_OPTION_OUTPUT,
	"confluent: the frame of a schema registry is in front"),
    SECOR_OPTION(BOOL, struct protobuf_conf, check_index, "check_index", "true",
	SECOR_OPTION_OUTPUT,
	"reject a framed value of another message of the descriptor's file"),
};

static const struct {
	const char *word;
	struct protobuf_field field;
} words[] = {
    {"double", {.type = PB_DOUBLE}},
    {"float", {.type = PB_FLOAT}},
    {"int64", {.type = PB_INT64}},
    {"uint64", {.type = PB_UINT64}},
    {"int32", {.type = PB_INT32}},
    {"uint32", {.type = PB_UINT32}},
    {"sint64", {.type = PB_SINT64}},
    {"sint32", {.type = PB_SINT32}},
    {"fixed64", {.type = PB_FIXED64}},
    {"fixed32", {.type = PB_FIXED32}},
    {"sfixed64", {.type = PB_SFIXED64}},
    {"sfixed32", {.type = PB_SFIXED32}},
    {"bool", {.type = PB_BOOL}},
    {"string", {.type = PB_STRING}},
    {"bytes", {.type = PB_BYTES}},
    {"timestamp", {.type = PB_TIMESTAMP}},
};

static const struct protobuf_field *
type_of(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return &words[i].field;
	return NULL;
}

/* ---- check ---- */

static int
all_numbers(const struct wanted *node)
{
	for (node = node->below; node != NULL; node = node->next)
		if (node->number == WANTED_NO_NUMBER || !all_numbers(node))
			return 0;
	return 1;
}

static void
check_numbers(const struct protobuf_conf *c, const struct secor_check *check)
{
	struct wanted root = WANTED_ROOT;
	int slot, slots = 0;

	if (c->find.time_field != NULL &&
	    wanted_add(&root, c->find.time_field, c->find.separator, &slots,
		&slot, NULL) == SECOR_OK &&
	    !all_numbers(&root))
		check->complain(check, "time_field",
		    "is a path of names, which need a descriptor_set");
	wanted_fini(&root);
}

static void
protobuf_check(const void *conf, const struct secor_check *check)
{
	const struct protobuf_conf *c = conf;

	finder_check(&c->find, check);
	if (c->descriptor_set != NULL && c->message == NULL)
		check->complain(
		    check, "message", "is needed with a descriptor_set");
	if (c->descriptor_set == NULL && c->message != NULL)
		check->complain(
		    check, "message", "does nothing without a descriptor_set");
	if (c->descriptor_set != NULL && c->types.count > 0)
		check->complain(
		    check, "types", "are said by the descriptor_set already");
	if (c->descriptor_set == NULL && !check->no_time)
		check_numbers(c, check);
	for (size_t i = 0; i < c->types.count; i++)
		if (type_of(c->types.items[i].value) == NULL)
			check->complain(check, "types",
			    "are double, float, int64, uint64, int32, uint32, "
			    "sint64, sint32, fixed64, fixed32, sfixed64, "
			    "sfixed32, bool, string, bytes or timestamp");
}

/* ---- open ---- */

static void
free_uses(struct wanted *node)
{
	for (node = node->below; node != NULL; node = node->next) {
		free_uses(node);
		free(node->use);
		node->use = NULL;
	}
}

static void
protobuf_close(void *self)
{
	struct protobuf *protobuf = self;

	if (protobuf == NULL)
		return;
	free_uses(&protobuf->finder.root);
	finder_close(&protobuf->finder);
	descriptor_close(&protobuf->descriptor);
	free(protobuf);
}

/* The type of a path that is the time's or a field's. */
static int
give_type(struct protobuf *protobuf, int slot, const char *path,
    struct secor_err *err)
{
	const struct secor_pairs *types = &protobuf->conf->types;
	struct wanted *node = wanted_slot(&protobuf->finder.root, slot);

	for (size_t i = 0; i < types->count; i++) {
		const struct protobuf_field *type;

		if (strcmp(types->items[i].key, path) != 0 || node->use != NULL)
			continue;
		type = type_of(types->items[i].value);
		if (type == NULL)
			return secor_fail(err, SECOR_FATAL,
			    "types: there is no type '%s'",
			    types->items[i].value);
		node->use = malloc(sizeof(*type));
		if (node->use == NULL)
			return secor_fail(err, SECOR_FATAL, "out of memory");
		memcpy(node->use, type, sizeof(*type));
	}
	return SECOR_OK;
}

static int
give_types(struct protobuf *protobuf, struct secor_err *err)
{
	const struct finder *finder = &protobuf->finder;

	if (finder->time_slot != WANTED_NO_SLOT &&
	    give_type(protobuf, finder->time_slot, finder->conf->time_field,
		err) != SECOR_OK)
		return SECOR_FATAL;
	for (uint32_t i = 0; i < finder->field_count; i++)
		if (give_type(protobuf, finder->field_slots[i],
			finder->names[i], err) != SECOR_OK)
			return SECOR_FATAL;
	return SECOR_OK;
}

static int
protobuf_set_up(struct protobuf *protobuf, const struct secor_open *with,
    struct secor_err *err)
{
	const struct protobuf_conf *conf = protobuf->conf;
	struct finder *finder = &protobuf->finder;

	if (finder_open(finder, &conf->find, with, err) != SECOR_OK)
		return SECOR_FATAL;
	if (conf->descriptor_set != NULL)
		return descriptor_open(&protobuf->descriptor,
		    conf->descriptor_set, conf->message, &finder->root, err);
	if (!all_numbers(&finder->root))
		return secor_fail(err, SECOR_FATAL,
		    "protobuf finds fields by their numbers, like 2.1; names "
		    "need a descriptor_set");
	return give_types(protobuf, err);
}

static int
protobuf_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct protobuf *protobuf = calloc(1, sizeof(*protobuf));

	if (protobuf == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	protobuf->conf = with->conf;
	if (protobuf_set_up(protobuf, with, err) != SECOR_OK) {
		protobuf_close(protobuf);
		return SECOR_FATAL;
	}
	*self = protobuf;
	return SECOR_OK;
}

/* ---- parse ---- */

/* Which message of its file it is: a count and as many numbers, or a single 0
 * for the first. NULL, or why it is not ours. */
static const char *
read_index(const struct protobuf *protobuf, struct wire *wire)
{
	static const char cut_off[] = "the value has no frame: its message "
				      "index is cut off";
	const struct descriptor *d = &protobuf->descriptor;
	int checked = protobuf->conf->check_index && d->bytes != NULL;
	int64_t count, at = 0;
	int other;

	if (!wire_zigzag(wire, &count) || count < 0)
		return cut_off;
	other = count == 0 ? d->levels != 1 || d->index[0] != 0
			   : count != d->levels;
	for (int64_t i = 0; i < count; i++) {
		if (!wire_zigzag(wire, &at))
			return cut_off;
		other |= i < d->levels && at != d->index[i];
	}
	return checked && other ? "the value is another message of its schema"
				: NULL;
}

static const char *
read_value(struct protobuf *protobuf, struct secor_bytes value)
{
	struct wire wire = wire_of(value);
	const char *why = NULL;
	uint32_t id;

	if (value.ptr == NULL)
		return "the value is null";
	if (protobuf->conf->framing == FRAMED_CONFLUENT) {
		why = framed_open(&wire, &id);
		if (why == NULL)
			why = read_index(protobuf, &wire);
		value = (struct secor_bytes){
		    (const char *)wire.at, wire_left(&wire)};
	}
	return why != NULL ? why : protobuf_read(&protobuf->finder, value);
}

static int
protobuf_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	struct protobuf *protobuf = self;
	const char *why;

	finder_begin(&protobuf->finder);
	why = read_value(protobuf, message->value);
	if (why != NULL)
		return secor_fail(err, SECOR_REJECT, "%s", why);
	return finder_end(&protobuf->finder, message, record, fields, err);
}

static const struct secor_parser_ops ops = {
    .size = sizeof(ops),
    .open = protobuf_open,
    .parse = protobuf_parse,
    .close = protobuf_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "protobuf",
    SECOR_VERSION,
    "time and fields of protobuf messages, by numbers or names",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct protobuf_conf),
    protobuf_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
