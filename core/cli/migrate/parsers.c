/*
 * parsers.c -- transformers and the parser.
 */
#include "core/cli/migrate/parsers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CLASS "secor.message.parser.class"
#define TIME_NAME "message.timestamp.name"
#define PATTERN "message.timestamp.input.pattern"
#define KAFKA_TIME "kafka.useTimestamp"

#define CLOCK                                                                \
	"paths came from the clock at the time of reading: a second try of " \
	"a batch went elsewhere; here they come from Kafka's timestamp"
#define SPLIT                                                               \
	"values went into paths as they were, '/' and '..' too: here they " \
	"are escaped as Hive does, and an empty one is "                    \
	"__HIVE_DEFAULT_PARTITION__"
#define REGISTRY                                                            \
	"with the registry down, or bytes that were none of its, messages " \
	"landed in 1970; here the registry is waited for"

static const struct old_parser PARSERS[] = {
    {"Offset", "raw", LEVELS_OFFSET, OLD_NO_TIME, NULL, NULL},
    {"Json", "json", LEVELS_TIME, OLD_KAFKA_TIME | OLD_MISSING_1970, NULL,
	"a message without the field landed in 1970, also where it was "
	"required"},
    {"Iso8601", "json", LEVELS_TIME,
	OLD_KAFKA_TIME | OLD_MISSING_UNLESS_REQUIRED |
	    OLD_INVALID_UNLESS_REQUIRED,
	"iso8601",
	"text without a zone was read in the zone of the JVM, not in "
	"secor.parser.timezone, and a plain number as a year"},
    {"Date", "json", LEVELS_DAY, OLD_MISSING_1970 | OLD_INVALID_1970, "",
	"what was no date landed in dt=1970-01-01, whatever prefix and format "
	"are set; days that do not exist rolled over; hours and minutes were "
	"ignored"},
    {"Regex", "regex", LEVELS_TIME, OLD_KAFKA_TIME, NULL, NULL},
    {"SplitByField", "json", LEVELS_FIELD, 0, NULL, SPLIT},
    {"MessagePack", "msgpack", LEVELS_TIME, OLD_KAFKA_TIME, NULL, NULL},
    {"Thrift", "thrift", LEVELS_TIME, OLD_KAFKA_TIME, NULL, NULL},
    {"Protobuf", "protobuf", LEVELS_TIME, OLD_KAFKA_TIME | OLD_MISSING_1970,
	NULL, NULL},
    {"Avro", "avro", LEVELS_TIME,
	OLD_KAFKA_TIME | OLD_MISSING_1970 | OLD_INVALID_1970, NULL, REGISTRY},
    {"AvroIso8601", "avro", LEVELS_TIME,
	OLD_KAFKA_TIME | OLD_MISSING_UNLESS_REQUIRED, "iso8601", REGISTRY},
    {"AvroSplitByField", "avro", LEVELS_NAMED_FIELD, OLD_MISSING_1970, NULL,
	SPLIT},
    {"DailyOffset", "raw", LEVELS_CLOCK_OFFSET, OLD_NO_TIME, NULL, CLOCK},
    {"Partitioned", "raw", LEVELS_CLOCK, OLD_NO_TIME, NULL, CLOCK},
};

/* ---- which one ---- */

void
old_parser_find(struct migration *m)
{
	static const char *const ENDINGS[] = {"MessageParser", "Parser", NULL};
	char *name = old_class(
	    old_text(m, CLASS), "com.pinterest.secor.parser.", ENDINGS);

	for (size_t i = 0;
	     name != NULL && i < sizeof(PARSERS) / sizeof(*PARSERS); i++)
		if (strcmp(PARSERS[i].name, name) == 0)
			m->parser = &PARSERS[i];
	free(name);
}

static int
uses_kafka_time(struct migration *m)
{
	return (m->parser->flags & OLD_KAFKA_TIME) != 0 &&
	       old_flag(m, KAFKA_TIME);
}

/* Nothing is asked twice: a wrong value would be told twice. */
int
old_parser_reads_payload(const struct migration *m)
{
	static const char *const NO[] = {"false", "no", "off", "f", "n"};
	const char *kafka = old_text(m, KAFKA_TIME);

	if (m->parser == NULL || m->parser->flags & OLD_NO_TIME)
		return 0;
	if ((m->parser->flags & OLD_KAFKA_TIME) == 0)
		return 1;
	for (size_t i = 0; i < sizeof(NO) / sizeof(*NO); i++)
		if (strcasecmp(kafka, NO[i]) == 0)
			return 1;
	return 0;
}

int
old_parser_needs_compat(const struct migration *m)
{
	return old_parser_reads_payload(m);
}

/* ---- times ---- */

/* A path of ours: names joined by dots, a dot in a name escaped. */
static char *
path_of(const char *name, const char *separator)
{
	size_t len = strlen(separator);
	struct buf out = {0};

	buf_puts(&out, "");
	while (*name != '\0') {
		if (len > 0 && strncmp(name, separator, len) == 0) {
			buf_putc(&out, '.');
			name += len;
			continue;
		}
		if (*name == '.' || *name == '\\')
			buf_putc(&out, '\\');
		buf_putc(&out, *name++);
	}
	return buf_take(&out);
}

static void
put_time_path(struct migration *m)
{
	char *path = path_of(
	    old_text(m, TIME_NAME), old_text(m, TIME_NAME ".separator"));

	yaml_put(m, 2, "time_field", path);
	free(path);
}

static void
put_1970(struct migration *m, const char *key)
{
	/* noon is that day in every zone, and the day is all that it was */
	yaml_put(m, 2, key,
	    m->parser->levels == LEVELS_DAY ? "1970-01-01T12:00:00Z"
					    : "1970-01-01T00:00:00Z");
}

static void
put_fallbacks(struct migration *m)
{
	uint32_t flags = m->parser->flags;
	int lax = 0;

	if (flags & (OLD_MISSING_UNLESS_REQUIRED | OLD_INVALID_UNLESS_REQUIRED))
		lax = !old_flag(m, "message.timestamp.required");
	if ((flags & OLD_MISSING_1970) ||
	    ((flags & OLD_MISSING_UNLESS_REQUIRED) && lax))
		put_1970(m, "time_missing");
	else /* compat would take 1970 for more than the original did */
		yaml_raw(m, 2, "time_missing", "reject");
	if ((flags & OLD_INVALID_1970) ||
	    ((flags & OLD_INVALID_UNLESS_REQUIRED) && lax))
		put_1970(m, "time_invalid");
}

static void
put_format(struct migration *m)
{
	const char *format = m->parser->time_format;
	const char *zone = old_text(m, "secor.parser.timezone");

	if (format != NULL && *format == '\0') {
		format = old_text(m, PATTERN);
		if (*format == '\0')
			todo(m, PATTERN, "the Date parser needs a pattern");
	}
	if (format != NULL)
		yaml_put(m, 2, "time_format", format);
	if (format != NULL && *zone != '\0' && strcmp(zone, "UTC") != 0)
		yaml_put(m, 2, "timezone", zone);
	put_fallbacks(m);
	/* the original had no limits */
	buf_puts(&m->yaml, "  accept_time: {future: unlimited}\n");
}

/* ---- one parser each ---- */

/* Java's first group becomes the one that is named. NULL: there is none. */
static char *
name_first_group(const char *java)
{
	int in_brackets = 0;

	for (const char *at = java; *at != '\0'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '[')
			in_brackets = 1;
		else if (*at == ']')
			in_brackets = 0;
		else if (*at == '(' && at[1] != '?' && !in_brackets)
			return mem_text(
			    "%.*s(?<time>%s", (int)(at - java), java, at + 1);
	}
	return NULL;
}

static void
put_regex(struct migration *m)
{
	const char *java = old_text(m, PATTERN);
	char *pattern = name_first_group(java);

	if (pattern == NULL)
		todo(m, PATTERN,
		    "'%s' has no group: every message was a bad one", java);
	yaml_put(m, 2, "pattern", pattern != NULL ? pattern : java);
	free(pattern);
}

static void
put_thrift(struct migration *m)
{
	const char *protocol = old_text(m, "secor.thrift.protocol.class");

	yaml_put(m, 2, "time_field", old_text(m, "message.timestamp.id"));
	if (strstr(protocol, "TCompactProtocol") != NULL)
		yaml_raw(m, 2, "protocol", "compact");
	else if (*protocol == '\0' ||
		 strstr(protocol, "TBinaryProtocol") != NULL)
		yaml_raw(m, 2, "protocol", "binary");
	else
		todo(m, "secor.thrift.protocol.class",
		    "%s: parser thrift knows binary and compact", protocol);
}

/* The first key that begins so, or NULL. */
static const struct property *
first_of(const struct migration *m, const char *prefix)
{
	for (size_t i = 0; i < m->properties->count; i++) {
		const struct property *one = &m->properties->items[i];

		if (strncmp(one->key, prefix, strlen(prefix)) == 0)
			return one;
	}
	return NULL;
}

/* Whether another key that begins so has another value. */
static int
has_other(
    const struct migration *m, const char *prefix, const struct property *first)
{
	for (size_t i = 0; i < m->properties->count; i++) {
		const struct property *one = &m->properties->items[i];

		if (strncmp(one->key, prefix, strlen(prefix)) == 0 &&
		    strcmp(one->items[0], first->items[0]) != 0)
			return 1;
	}
	return 0;
}

static void
put_protobuf(struct migration *m)
{
	const struct property *message =
	    first_of(m, "secor.protobuf.message.class.");
	const char *separator = old_text(m, TIME_NAME ".separator");
	char *path;

	if (message == NULL) {
		yaml_raw(m, 2, "time_field", "\"1\"");
		note(m, CLASS,
		    "without a class the first field was the time; it is "
		    "looked for as field number 1");
		return;
	}
	path = path_of(
	    old_text(m, TIME_NAME), *separator != '\0' ? separator : ".");
	yaml_put(m, 2, "time_field", path);
	free(path);
	yaml_raw(m, 2, "descriptor_set", "messages.desc");
	yaml_put(m, 2, "message", message->items[0]);
	todo(m, message->key,
	    "%s is a class of Java: make a descriptor set of its .proto file "
	    "(protoc --include_imports --descriptor_set_out=messages.desc) "
	    "and write the message's name as that file has it",
	    message->items[0]);
	if (has_other(m, "secor.protobuf.message.class.", message))
		todo(m, message->key,
		    "other topics have other classes: an override for each");
	if (first_of(m, "secor.topic.message.format.") != NULL)
		todo(m, "secor.topic.message.format.*",
		    "messages that are JSON: parser json reads them, in an "
		    "override for these topics");
}

void
migrate_avro_schema(struct migration *m)
{
	static const char *const REGISTRY_URL = "schema.registry.url";
	const struct property *schema =
	    first_of(m, "secor.avro.message.schema.");

	if (old_given(m, REGISTRY_URL)) {
		yaml_raw(m, 2, "framing", "confluent");
		yaml_put(m, 2, "registry", old_text(m, REGISTRY_URL));
	} else if (schema != NULL) {
		yaml_put(m, 2, "schema_file", schema->items[0]);
		todo(m, schema->key,
		    "%s is a resource of Java: take it out of the jar and "
		    "name the file in schema_file",
		    schema->items[0]);
		if (has_other(m, "secor.avro.message.schema.", schema))
			todo(m, schema->key,
			    "other topics have other schemas: an override for "
			    "each");
	} else {
		todo(m, REGISTRY_URL,
		    "neither a registry nor a schema is given");
	}
}

static void
put_avro(struct migration *m)
{
	put_time_path(m);
	migrate_avro_schema(m);
	if (old_given(m, "schema.registry.url"))
		warn(m, "schema.registry.url",
		    "the schema of a topic was the one that was decoded last, "
		    "in any thread");
}

static void
put_payload(struct migration *m)
{
	const char *plugin = m->parser->plugin;

	if (strcmp(plugin, "regex") == 0)
		put_regex(m);
	else if (strcmp(plugin, "thrift") == 0)
		put_thrift(m);
	else if (strcmp(plugin, "protobuf") == 0)
		put_protobuf(m);
	else if (strcmp(plugin, "avro") == 0)
		put_avro(m);
	else
		put_time_path(m);
	put_format(m);
}

static void
look_at_kafka_time(struct migration *m)
{
	int split = m->parser->levels == LEVELS_FIELD ||
		    m->parser->levels == LEVELS_NAMED_FIELD;

	if ((split || m->parser->levels == LEVELS_DAY) &&
	    old_flag(m, KAFKA_TIME))
		warn(m, KAFKA_TIME,
		    "this parser ignored it: times come from the payload "
		    "(time_source: kafka changes that)");
}

/* ---- sections ---- */

void
migrate_transformers(struct migration *m)
{
	static const char *const KEY = "secor.message.transformer.class";
	const char *class_name = old_text(m, KEY);

	if (strcmp(class_name,
		"com.pinterest.secor.transformer.IdentityMessageTransformer") ==
	    0)
		return;
	todo(m, KEY,
	    "%s is a class of your own: write it as a plugin "
	    "(docs/PLUGINS.md), or use a transformer that is there (secor "
	    "plugins)",
	    class_name);
	warn(m, KEY,
	    "where it dropped the last messages of a partition, the original "
	    "did not commit them: they were read again and again");
	buf_printf(&m->yaml,
	    "\ntransformers: [] # instead of %s: see docs/PLUGINS.md\n",
	    class_name);
}

static void
put_unknown(struct migration *m)
{
	const char *class_name = old_text(m, CLASS);

	yaml_section(m, "parser");
	buf_printf(&m->yaml,
	    "  use: ./parser.so # instead of %s: see docs/PLUGINS.md\n",
	    class_name);
	if (*class_name == '\0')
		todo(m, CLASS, "no parser is given");
	else
		todo(m, CLASS,
		    "%s is a class of your own: write it as a plugin "
		    "(docs/PLUGINS.md)",
		    class_name);
	yaml_gone(m, "parser");
}

void
migrate_parser(struct migration *m)
{
	const char *plugin;

	if (m->parser == NULL) {
		put_unknown(m);
		return;
	}
	plugin = m->parser->plugin;
	if (m->parser->flags & OLD_NO_TIME || uses_kafka_time(m)) {
		yaml_section(m, "parser");
		yaml_raw(m, 2, "use", "raw");
		yaml_raw(m, 2, "time_source", "kafka");
		if (m->parser->flags & OLD_NO_TIME && m->parser->trap != NULL)
			warn(m, CLASS, "%s", m->parser->trap);
		yaml_gone(m, "parser");
		return;
	}
	(void)need_plugin(m, SECOR_PARSER, plugin, CLASS);
	yaml_section(m, "parser");
	yaml_raw(m, 2, "use", plugin);
	put_payload(m);
	if (m->parser->trap != NULL)
		warn(m, CLASS, "%s", m->parser->trap);
	look_at_kafka_time(m);
	yaml_gone(m, "parser");
}
