/*
 * args.h -- the command line of a subcommand as a table, and what the tools
 * share beside the configuration: the store, progress, time as text.
 *
 * Options may stand before, between and behind the words; `--name value` and
 * `--name=value` are the same; `--` ends them. --help prints the usage.
 */
#ifndef SECOR_CLI_ARGS_H
#define SECOR_CLI_ARGS_H

#include "core/base/buf.h"
#include "core/config/config.h"

enum cli_type {
	CLI_FLAG,   /* int *to: set to 1 */
	CLI_TEXT,   /* const char **to */
	CLI_NUMBER, /* int64_t *to: 0 or more */
	CLI_INT32,  /* int32_t *to: 0 or more */
	CLI_SIZE,   /* int64_t *to: 64KiB */
	CLI_PERCENT /* double *to: 0..1, "5%" */
};

struct cli_option {
	const char *name; /* without the dashes */
	enum cli_type type;
	void *to;
};

struct cli_table {
	const char *usage; /* whole text, ends with LF */
	const struct cli_option *options;
	size_t count;
	size_t min_words, max_words;
};

struct cli_words {
	char **items; /* of argv; items[0] is the first after the subcommand */
	size_t count;
};

/* -1: go on. Otherwise the exit code: CLI_OK after --help, CLI_USAGE after a
 * complaint on stderr. words->items: free(). */
int cli_args(int argc, char **argv, const struct cli_table *table,
    struct cli_words *words);

/* Asks on standard output and input. -1: "yes"; else the exit code, after it
 * was said that nothing was done. */
int cli_ask(const char *question);

/* An instance of the configured store; SECOR_FATAL with a sentence. The caller
 * closes it with config->store.plugin->ops.store->close. */
int cli_store(const struct config *config, void **self, struct secor_err *err);

/* One line on stderr that overwrites itself, at most a few a second, only on a
 * terminal. fmt NULL wipes it. Thread: main. */
void cli_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* 2014-07-21T02:13:20.000Z; "-" for SECOR_NO_TIME. */
const char *cli_time(int64_t ms, char dst[40]);

/* Reads "2026-01-31", "2026-01-31T12:30:00Z", or "30d" before `now_ms`. 0 when
 * it is none of them. */
int cli_parse_time(const char *text, int64_t now_ms, int64_t *ms);

/* Appends `"name":` with a string, or with null for text == NULL. */
void cli_json_text(struct buf *out, const char *name, const char *text);
/* Appends a comma and a member: a time, or null for SECOR_NO_TIME. */
void cli_json_time(struct buf *out, const char *name, int64_t ms);

#endif
