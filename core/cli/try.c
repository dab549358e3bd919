/*
 * try.c -- `secor try`: what the configuration makes of sample messages. Uses
 * the engine's own router, so an answer here is what the service does.
 */
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/routing.h"
#include "core/flow/crash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: secor try FILE [options]\n"
    "Reads one message a line from standard input and says, line by line, "
    "where it\n"
    "would go: path, time and fields, or why it is a bad message.\n"
    "  --topic T         as a message of this topic (default: the first that "
    "is named)\n"
    "  --partition P     of this Kafka partition (0)\n"
    "  --offset N        offset of the first line (0); it grows by one a "
    "line\n"
    "  --timestamp MS    Kafka timestamp (now)\n"
    "  --key K           key of every message (none)\n"
    "  --encoding E      what a line is: lines (default), hex or base64\n"
    "  --json            {\"path\":..,\"time_ms\":..,\"fields\":{..}} or "
    "{\"reject\":\"why\"}\n";

struct trial {
	const char *topic;
	int32_t partition;
	int64_t offset, timestamp;
	const char *encoding, *key;
	int json;
	int undecoded; /* some line was not of the encoding */
	struct router *router;
	struct buf bytes, out;
};

static const char *
first_named(const struct config *config)
{
	for (size_t i = 0; i < config->kafka.topics.count; i++)
		if (config->kafka.topics.items[i][0] != '^')
			return config->kafka.topics.items[i];
	return NULL;
}

static int
decode(struct trial *trial, const char *line, size_t len)
{
	trial->bytes.len = 0;
	if (strcmp(trial->encoding, "hex") == 0)
		return hex_decode(&trial->bytes, line, len);
	if (strcmp(trial->encoding, "base64") == 0)
		return base64_decode(&trial->bytes, line, len);
	buf_put(&trial->bytes, line, len);
	return 1;
}

/* ---- answers ---- */

static void
put_time(struct buf *out, int64_t time_ms)
{
	if (time_ms == SECOR_NO_TIME)
		buf_puts(out, "null");
	else
		buf_printf(out, "%" PRId64, time_ms);
}

static void
json_route(struct trial *trial, const struct routed *routed)
{
	const struct secor_strings *names = router_fields(trial->router);
	struct buf *out = &trial->out;

	buf_puts(out, "{");
	cli_json_text(out, "path", routed->path->text);
	buf_puts(out, ",\"time_ms\":");
	put_time(out, routed->record.time_ms);
	buf_puts(out, ",\"fields\":{");
	for (size_t i = 0; i < names->count; i++) {
		const struct secor_bytes *value = &routed->record.fields[i];

		if (i > 0)
			buf_putc(out, ',');
		json_put_string(out, names->items[i], strlen(names->items[i]));
		buf_putc(out, ':');
		if (value->ptr == NULL)
			buf_puts(out, "null");
		else
			json_put_string(out, value->ptr, value->len);
	}
	buf_puts(out, "}}");
}

static void
text_route(struct trial *trial, const struct routed *routed)
{
	const struct secor_strings *names = router_fields(trial->router);
	struct buf *out = &trial->out;
	const char *path = routed->path->text;
	char time[40];

	buf_printf(out, "%s  %s", path[0] == '\0' ? "(no path)" : path,
	    cli_time(routed->record.time_ms, time));
	for (size_t i = 0; i < names->count; i++) {
		const struct secor_bytes *value = &routed->record.fields[i];

		buf_printf(out, "  %s=", names->items[i]);
		if (value->ptr == NULL)
			buf_puts(out, "null");
		else
			json_put_string(out, value->ptr, value->len);
	}
}

/* A word, and why. */
static void
put_no(struct trial *trial, const char *word, const char *why)
{
	struct buf *out = &trial->out;

	if (trial->json) {
		buf_puts(out, "{");
		cli_json_text(out, word, why);
		buf_puts(out, "}");
	} else {
		buf_printf(out, "%s: %s", word, why);
	}
}

static void
answer(struct trial *trial, enum route_outcome outcome,
    const struct routed *routed)
{
	switch (outcome) {
	case ROUTE_OK:
		if (trial->json)
			json_route(trial, routed);
		else
			text_route(trial, routed);
		break;
	case ROUTE_FILTERED:
		put_no(trial, "filtered", routed->plugin);
		break;
	case ROUTE_BAD:
		put_no(trial, "reject", routed->err.text);
		break;
	case ROUTE_RETRY:
		put_no(trial, "retry", routed->err.text);
		break;
	}
}

static void
try_line(struct trial *trial, const char *line, size_t len)
{
	struct secor_message message = {.size = sizeof(message),
	    .partition = trial->partition,
	    .topic = trial->topic,
	    .offset = trial->offset++,
	    .timestamp_ms = trial->timestamp,
	    .timestamp_type = SECOR_TIMESTAMP_CREATE};
	struct routed routed = {.err = {{0}}};

	trial->out.len = 0;
	if (trial->key != NULL)
		message.key =
		    (struct secor_bytes){trial->key, strlen(trial->key)};
	if (decode(trial, line, len)) {
		message.value.ptr =
		    trial->bytes.ptr == NULL ? "" : trial->bytes.ptr;
		message.value.len = trial->bytes.len;
		enum route_outcome outcome;

		crash_at(message.topic, message.partition, message.offset);
		outcome = routing_route(trial->router, &message, &routed);
		crash_at(NULL, 0, 0);
		answer(trial, outcome, &routed);
	} else {
		struct secor_err why;

		(void)secor_fail(
		    &why, 0, "the line is not %s", trial->encoding);
		put_no(trial, "reject", why.text);
		trial->undecoded = 1;
	}
	buf_putc(&trial->out, '\n');
	(void)fwrite(trial->out.ptr, 1, trial->out.len, stdout);
	(void)fflush(stdout);
}

static int
try_lines(struct trial *trial)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t got;

	while ((got = getline(&line, &room, stdin)) >= 0) {
		size_t len = (size_t)got;

		if (len > 0 && line[len - 1] == '\n')
			len--;
		try_line(trial, line, len);
	}
	free(line);
	return trial->undecoded ? CLI_USAGE : CLI_OK;
}

static int
try_config(struct trial *trial, const struct config *config)
{
	struct secor_err err;
	int rc;

	if (trial->topic == NULL)
		trial->topic = first_named(config);
	if (trial->topic == NULL) {
		(void)fprintf(stderr, "secor try: kafka.topics names no topic "
				      "in full: give --topic\n");
		return CLI_USAGE;
	}
	if (router_new(config_topic(config, trial->topic),
		routing_overhead(config), &trial->router, &err) != SECOR_OK) {
		(void)fprintf(stderr, "secor try: %s\n", err.text);
		return CLI_ENVIRONMENT;
	}
	crash_init();
	rc = try_lines(trial);
	router_free(trial->router);
	buf_fini(&trial->bytes);
	buf_fini(&trial->out);
	return rc;
}

int
cli_try(int argc, char **argv)
{
	struct trial trial = {.timestamp = clock_now_ms(), .encoding = "lines"};
	const struct cli_option options[] = {
	    {"topic", CLI_TEXT, &trial.topic},
	    {"partition", CLI_INT32, &trial.partition},
	    {"offset", CLI_NUMBER, &trial.offset},
	    {"timestamp", CLI_NUMBER, &trial.timestamp},
	    {"key", CLI_TEXT, &trial.key},
	    {"encoding", CLI_TEXT, &trial.encoding},
	    {"json", CLI_FLAG, &trial.json},
	};
	const struct cli_table table = {
	    usage, options, sizeof(options) / sizeof(options[0]), 1, 1};
	struct cli_words words;
	struct registry *registry;
	struct config *config;
	int rc = cli_args(argc, argv, &table, &words);

	if (rc >= 0)
		return rc;
	if (strcmp(trial.encoding, "lines") != 0 &&
	    strcmp(trial.encoding, "hex") != 0 &&
	    strcmp(trial.encoding, "base64") != 0) {
		(void)fprintf(stderr, "secor try: --encoding is lines, hex or "
				      "base64\n");
		free(words.items);
		return CLI_USAGE;
	}
	config = cli_config(words.items[0], 0, &registry, &rc);
	free(words.items);
	if (config == NULL)
		return rc;
	rc = try_config(&trial, config);
	config_free(config);
	registry_free(registry);
	return rc;
}
