/*
 * print.c -- `secor print`: the records of objects, through their format. An
 * object of the store comes over a nameless file, so its size does not matter.
 */
#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/records.h"
#include "core/flow/deadletter.h"
#include "core/plugin/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: secor print --config FILE [options] KEY...\n"
    "       secor print --format NAME [options] FILE...\n"
    "Prints the records of objects, one a line: offset, key and timestamp "
    "where "
    "the\n"
    "format has them, then the value. A KEY is a key in the store, its url, or "
    "a local\n"
    "file. Dead letters are known by their folder (without --config by "
    "`.jsonl`).\n"
    "  --config FILE   store and formats of this configuration\n"
    "  --topic T       as objects of this topic (default: the key's first "
    "part)\n"
    "  --format NAME   this format with its defaults (text, sequencefile, "
    "dead-letter)\n"
    "  --json          {\"offset\":..,\"key\":..,\"timestamp\":..,"
    "\"value\":..} a line; bytes\n"
    "                  that are not UTF-8 are key_base64 and value_base64\n";

struct printing {
	const char *file; /* of the configuration */
	const char *topic, *format;
	int json;
	const struct config *config; /* or NULL */
	void *store;		     /* opened at the first key of it */
	struct config_use fixed;     /* of --format; plugin NULL: none */
	struct buf line;
};

/* ---- where the bytes come from ---- */

static int
fetch(struct printing *printing, const char *key, FILE **file,
    struct secor_err *err)
{
	struct records_file got;
	int rc = SECOR_OK;

	if (printing->config == NULL)
		return secor_fail(err, SECOR_REJECT,
		    "%s: no such file (--config says where keys are)", key);
	if (printing->store == NULL)
		rc = cli_store(printing->config, &printing->store, err);
	if (rc == SECOR_OK)
		rc = records_fetch(printing->config->store.plugin->ops.store,
		    printing->store, key, &got, err);
	if (rc == SECOR_OK)
		*file = got.file;
	return rc;
}

/* The key of a url of this store; other text as it is. */
static const char *
key_of(struct printing *printing, const char *word)
{
	struct secor_err err;

	if (printing->config == NULL)
		return word;
	if (printing->store == NULL &&
	    cli_store(printing->config, &printing->store, &err) != SECOR_OK)
		return word; /* fetch says why */
	return records_key(
	    printing->config->store.plugin->ops.store, printing->store, word);
}

static int
open_word(struct printing *printing, const char *word, FILE **file,
    struct secor_err *err)
{
	const char *key = key_of(printing, word);

	if (key == word && access(word, F_OK) == 0) {
		*file = fopen(word, "rb");
		if (*file == NULL)
			return secor_fail(err, SECOR_RETRY, "open %s: %s", word,
			    strerror(errno));
		return SECOR_OK;
	}
	return fetch(printing, key, file, err);
}

/* ---- which format ---- */

static int
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);

	return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

/* Dead letters are known by their folder; without a configuration by their
 * name's end. */
static const struct config_use *
format_of(struct printing *printing, const char *word)
{
	const struct config_use *format;
	const char *key = key_of(printing, word);
	char *topic;

	if (printing->fixed.plugin != NULL)
		return &printing->fixed;
	if (printing->config == NULL)
		return ends_with(key, ".jsonl") ? &deadletter_format : NULL;
	if (printing->topic != NULL)
		return records_format(printing->config, printing->topic, key);
	topic = records_topic(printing->config, key);
	format =
	    records_format(printing->config, topic == NULL ? "" : topic, key);
	free(topic);
	return format;
}

/* ---- output ---- */

static void
json_bytes(struct buf *line, const char *name, struct secor_bytes bytes)
{
	if (bytes.ptr == NULL) {
		buf_printf(line, "\"%s\":null", name);
	} else if (utf8_valid(bytes.ptr, bytes.len)) {
		buf_printf(line, "\"%s\":", name);
		json_put_string(line, bytes.ptr, bytes.len);
	} else {
		buf_printf(line, "\"%s_base64\":\"", name);
		base64_encode(line, bytes.ptr, bytes.len);
		buf_putc(line, '"');
	}
}

static void
json_headers(struct buf *line, const struct secor_read_record *record)
{
	buf_puts(line, ",\"headers\":[");
	for (int32_t i = 0; i < record->header_count; i++) {
		const struct secor_header *header = &record->headers[i];

		buf_puts(line, i == 0 ? "{" : ",{");
		cli_json_text(line, "name", header->name);
		buf_putc(line, ',');
		json_bytes(line, "value", header->value);
		buf_putc(line, '}');
	}
	buf_putc(line, ']');
}

static void
json_record(struct buf *line, const struct secor_read_record *record,
    const char *reason)
{
	buf_putc(line, '{');
	if (record->has_offset)
		buf_printf(line, "\"offset\":%" PRId64 ",", record->offset);
	if (record->has_key) {
		json_bytes(line, "key", record->key);
		buf_putc(line, ',');
	}
	if (record->has_timestamp)
		buf_printf(
		    line, "\"timestamp\":%" PRId64 ",", record->timestamp_ms);
	if (record->timestamp_type != SECOR_TIMESTAMP_NONE)
		buf_printf(line, "\"timestamp_type\":\"%s\",",
		    record->timestamp_type == SECOR_TIMESTAMP_APPEND
			? "append"
			: "create");
	json_bytes(line, "value", record->value);
	if (record->header_count > 0)
		json_headers(line, record);
	if (reason != NULL) {
		buf_putc(line, ',');
		cli_json_text(line, "reason", reason);
	}
	buf_puts(line, "}\n");
}

static void
text_record(struct buf *line, const struct secor_read_record *record,
    const char *reason)
{
	char time[40];

	if (record->has_offset)
		buf_printf(line, "%" PRId64 "\t", record->offset);
	if (record->has_key && record->key.ptr != NULL)
		buf_put(line, record->key.ptr, record->key.len);
	if (record->has_key)
		buf_putc(line, '\t');
	if (record->has_timestamp)
		buf_printf(line, "%s\t", cli_time(record->timestamp_ms, time));
	if (reason != NULL)
		buf_printf(line, "%s\t", reason);
	if (record->value.ptr != NULL)
		buf_put(line, record->value.ptr, record->value.len);
	buf_putc(line, '\n');
}

/* What one word's records need. */
struct word {
	struct printing *printing;
	int dead_letters;
};

static int
put_record(void *arg, const struct secor_read_record *record,
    const void *reader, struct secor_err *err)
{
	const struct word *word = arg;
	struct printing *printing = word->printing;
	const char *reason =
	    word->dead_letters ? deadletter_reason(reader) : NULL;

	(void)err;
	printing->line.len = 0;
	if (printing->json)
		json_record(&printing->line, record, reason);
	else
		text_record(&printing->line, record, reason);
	(void)fwrite(printing->line.ptr, 1, printing->line.len, stdout);
	return SECOR_OK;
}

static int
print_word(struct printing *printing, const char *word)
{
	const struct config_use *format = format_of(printing, word);
	struct word with = {printing, format == &deadletter_format};
	struct secor_err err = {{0}};
	FILE *file = NULL;
	int rc;

	if (format == NULL) {
		(void)fprintf(stderr,
		    "secor print: %s: of which format? --config or --format\n",
		    word);
		return CLI_USAGE;
	}
	rc = open_word(printing, word, &file, &err);
	if (rc == SECOR_OK) {
		rc = records_read(format, file, word, put_record, &with, &err);
		(void)fclose(file);
	}
	(void)fflush(stdout);
	if (rc == SECOR_OK)
		return CLI_OK;
	(void)fprintf(stderr, "secor print: %s: %s\n", word, err.text);
	return rc == SECOR_REJECT ? CLI_FOUND : CLI_ENVIRONMENT;
}

/* ---- the command ---- */

/* The format of --format with its defaults. */
static int
fix_format(struct printing *printing, struct registry *registry, void **conf)
{
	struct config_use *fixed = &printing->fixed;
	const struct secor_plugin *desc;
	struct secor_err err;

	*conf = NULL;
	if (strcmp(printing->format, "dead-letter") == 0) {
		*fixed = deadletter_format;
		return -1;
	}
	if (registry_find(registry, SECOR_FORMAT, printing->format, ".",
		&fixed->plugin, &err) != SECOR_OK) {
		(void)fprintf(stderr, "secor print: %s\n", err.text);
		return CLI_USAGE;
	}
	desc = &fixed->plugin->desc;
	*conf = options_new(&(struct options){desc->options, desc->option_count,
	    desc->option_size, desc->conf_size});
	fixed->conf = *conf;
	return -1;
}

static void
unfix_format(struct printing *printing, void *conf)
{
	const struct secor_plugin *desc;

	if (conf == NULL)
		return;
	desc = &printing->fixed.plugin->desc;
	options_free(&(struct options){desc->options, desc->option_count,
			 desc->option_size, desc->conf_size},
	    conf);
}

static int
print_words(struct printing *printing, const struct cli_words *words)
{
	int worst = CLI_OK;

	for (size_t i = 0; i < words->count; i++) {
		int rc = print_word(printing, words->items[i]);

		if (rc > worst)
			worst = rc;
	}
	if (printing->store != NULL)
		printing->config->store.plugin->ops.store->close(
		    printing->store);
	buf_fini(&printing->line);
	return worst;
}

static int
run(struct printing *printing, const struct cli_words *words)
{
	struct registry *registry = NULL;
	struct config *config = NULL;
	void *conf = NULL;
	int rc = -1;

	if (printing->file != NULL) {
		config = cli_config(printing->file, 0, &registry, &rc);
		if (config == NULL)
			return rc;
		rc = -1;
	} else {
		registry = registry_new(getenv("SECOR_PLUGIN_PATH"), 1);
	}
	printing->config = config;
	if (printing->format != NULL)
		rc = fix_format(printing, registry, &conf);
	if (rc < 0)
		rc = print_words(printing, words);
	unfix_format(printing, conf);
	config_free(config);
	registry_free(registry);
	return rc;
}

int
cli_print(int argc, char **argv)
{
	struct printing printing = {0};
	const struct cli_option options[] = {
	    {"config", CLI_TEXT, &printing.file},
	    {"topic", CLI_TEXT, &printing.topic},
	    {"format", CLI_TEXT, &printing.format},
	    {"json", CLI_FLAG, &printing.json},
	};
	const struct cli_table table = {
	    usage, options, sizeof(options) / sizeof(options[0]), 1, SIZE_MAX};
	struct cli_words words;
	int rc = cli_args(argc, argv, &table, &words);

	if (rc >= 0)
		return rc;
	rc = run(&printing, &words);
	free(words.items);
	return rc;
}
