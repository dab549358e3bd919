/*
 * sample.c -- a parser with an option of every type, for the tests of the
 * configuration. Its records have the Kafka time, and the value as every field.
 */
#include <secor/parser.h>
#include <stdlib.h>
#include <string.h>

struct sample_conf {
	const char *time_field;
	int strict;
	int64_t depth;
	int64_t limit;
	int64_t wait;
	int mode;
	struct secor_strings names;
	struct secor_pairs labels;
	double ratio;
	double share;
	const char *schema;
	const char *password;
	const char *old;
};

static const char *const MODES[] = {"fast", "safe", NULL};

#define CONF struct sample_conf
static const struct secor_option sample_options[] = {
    SECOR_OPTION(STRING, CONF, time_field, "time_field", NULL,
	SECOR_OPTION_OUTPUT, "Where the time is."),
    SECOR_OPTION(BOOL, CONF, strict, "strict", "true", SECOR_OPTION_OUTPUT,
	"Whether oddities are bad messages."),
    SECOR_OPTION_RANGE(
	INT, CONF, depth, "depth", "8", "1", "64", 0, "Levels of nesting."),
    SECOR_OPTION_RANGE(SIZE, CONF, limit, "limit", "1MiB", "1KiB", "16MiB", 0,
	"Largest message."),
    SECOR_OPTION(DURATION, CONF, wait, "wait", "10s", 0, "Patience."),
    SECOR_OPTION_CHOICE(CONF, mode, "mode", "fast", MODES, 0, "How."),
    SECOR_OPTION(STRINGS, CONF, names, "names", "[]", 0, "Names."),
    SECOR_OPTION(PAIRS, CONF, labels, "labels", "{}", 0, "Labels."),
    SECOR_OPTION(DOUBLE, CONF, ratio, "ratio", "0.5", 0, "A ratio."),
    SECOR_OPTION(PERCENT, CONF, share, "share", "10%", 0, "A share."),
    SECOR_OPTION(PATH, CONF, schema, "schema", NULL, 0, "A file."),
    SECOR_OPTION(STRING, CONF, password, "password", NULL, SECOR_OPTION_SECRET,
	"A secret."),
    SECOR_OPTION(STRING, CONF, old, "old", NULL, SECOR_OPTION_DEPRECATED,
	"use time_field."),
};

struct sample {
	struct secor_strings fields;
};

static void
sample_check(const void *arg, const struct secor_check *check)
{
	const struct sample_conf *conf = arg;
	char text[256];

	if (conf->time_field == NULL && !check->no_time)
		check->complain(check, "time_field",
		    "is needed, unless time_source is kafka");
	if (conf->password != NULL && strlen(conf->password) < 8) {
		(void)snprintf(text, sizeof(text),
		    "'%s' is shorter than 8 characters", conf->password);
		check->complain(check, "password", text);
	}
	if (conf->strict && conf->depth > 32)
		check->complain(
		    check, NULL, "strict goes to a depth of 32 only");
	if (conf->ratio > 1 && check->compat == SECOR_COMPAT_SECOR)
		check->complain(check, "ratio", "is at most 1 with compat");
}

static int
sample_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct sample *sample;

	for (size_t i = 0; i < with->fields.count; i++) {
		if (strcmp(with->fields.items[i], "impossible") == 0)
			return secor_fail(err, SECOR_FATAL,
			    "field '%s' can never be found",
			    with->fields.items[i]);
		if (strcmp(with->fields.items[i], "oddity") == 0 &&
		    with->compat != SECOR_COMPAT_SECOR)
			return secor_fail(err, SECOR_FATAL,
			    "field '%s' is found with compat: secor only",
			    with->fields.items[i]);
	}
	sample = calloc(1, sizeof(*sample));
	if (sample == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	*self = sample;
	return SECOR_OK;
}

static int
sample_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	(void)self;
	(void)err;
	record->time_ms = message->timestamp_ms;
	for (uint32_t i = 0; i < record->field_count; i++)
		fields[i] = message->value;
	return SECOR_OK;
}

static const struct secor_parser_ops sample_ops = {
    .size = sizeof(sample_ops),
    .looks_at = SECOR_LOOKS_AT_TIMESTAMP,
    .open = sample_open,
    .parse = sample_parse,
    .close = free,
};

static const struct secor_plugin sample_plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "sample",
    "1",
    "every type of option",
    1,
    SECOR_OPTIONS(sample_options),
    sizeof(struct sample_conf),
    sample_check,
    &sample_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &sample_plugin;
}
