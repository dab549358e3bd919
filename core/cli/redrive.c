/*
 * redrive.c -- `secor redrive`: the command.
 */
#include "core/cli/redrive.h"

#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/routing.h"
#include "core/flow/path.h"
#include "core/flow/step.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: secor redrive FILE TOPIC [PARTITION] [options]\n"
    "Sends dead letters through the configuration as it is now, each once: "
    "what is good\n"
    "now becomes objects, with a receipt that verify, where and why know. "
    "What is still\n"
    "bad stays where it is. Killed or run again, it goes on where it was.\n"
    "  --from OFFSET    only dead letters from this offset on\n"
    "  --to OFFSET      only up to this one, itself included\n"
    "  --reason REGEX   only those whose reason matches (POSIX extended)\n"
    "  --generation G   dead letters of this generation (default: "
    "layout.generation)\n"
    "  --abandon        takes back what an earlier run planned and did not "
    "finish: its\n"
    "                   objects first. Only when no redrive of the topic runs\n"
    "  --dry-run        only says what it would do\n"
    "  --yes            does not ask\n"
    "  --json           one JSON object; with --yes or --dry-run\n"
    "Exit 1 when some are still bad, or a batch was refused.\n";

/* ---- asking ---- */

/* -1: go on. */
static int
ask(const struct redrive *redrive)
{
	const struct redrive_sums *sums = &redrive->total.sums;
	char question[120];

	if (redrive->abandon)
		return cli_ask(
		    "Take that back? No redrive of it may be running.");
	(void)snprintf(question, sizeof(question),
	    "Store %" PRIu64 " dead letters in %" PRIu64 " objects?",
	    sums->stored, sums->objects);
	return cli_ask(question);
}

/* ---- all sources ---- */

static int
drive_one(struct redrive *redrive, const struct redrive_source *source,
    struct secor_err *err)
{
	struct secor_err why = {{0}};
	int rc = redrive->abandon ? redrive_abandon(redrive, source, &why)
				  : redrive_drive(redrive, source, &why);

	if (rc == SECOR_REJECT) {
		redrive_refuse(redrive, source, why.text);
		return SECOR_OK;
	}
	return rc == SECOR_OK
		   ? rc
		   : secor_fail(err, rc, "%.500s: %s", source->key, why.text);
}

static int
drive_all(struct redrive *redrive, struct secor_err *err)
{
	struct redrive_sources sources = {.items = NULL};
	int rc;

	redrive_forget(redrive);
	rc = redrive_find(redrive, &sources, err);
	for (size_t i = 0; rc == SECOR_OK && i < sources.count; i++) {
		cli_progress("redrive: %s/%" PRId32 " offset %" PRId64
			     ", %zu of %zu dead-letter objects",
		    redrive->topic, sources.items[i].partition,
		    sources.items[i].start, i, sources.count);
		redrive->total.sources++;
		rc = drive_one(redrive, &sources.items[i], err);
	}
	cli_progress(NULL);
	if (rc == SECOR_OK && sources.other_generations > 0 && !redrive->json)
		(void)printf("%" PRIu64 " dead-letter objects of other "
			     "generations are left alone (--generation)\n",
		    sources.other_generations);
	redrive_sources_fini(&sources);
	return rc;
}

/* Says what would be done, asks, does it. */
static int
look_ask_drive(struct redrive *redrive, int *code, struct secor_err *err)
{
	int dry = redrive->dry;
	int rc = SECOR_OK;

	if (!dry && !redrive->yes) {
		redrive->dry = 1;
		rc = drive_all(redrive, err);
		redrive->dry = 0;
		if (rc != SECOR_OK)
			return rc;
		*code = redrive->total.sums.objects == 0 &&
				redrive->total.abandoned == 0
			    ? -1
			    : ask(redrive);
		if (*code >= 0)
			return SECOR_OK;
	}
	rc = drive_all(redrive, err);
	if (rc != SECOR_OK)
		return rc;
	redrive_sum(redrive);
	if (dry && !redrive->json)
		(void)printf("nothing was done: --dry-run\n");
	*code = redrive->total.sums.bad > 0 || redrive->total.refused > 0
		    ? CLI_FOUND
		    : CLI_OK;
	return SECOR_OK;
}

/* ---- what it needs ---- */

static int
open_all(struct redrive *redrive, struct secor_err *err)
{
	const struct config *config = redrive->config;
	const struct config_topic *settings =
	    config_topic(config, redrive->topic);
	const struct config_use *format = &settings->format;
	int rc = cli_store(config, &redrive->store.self, err);

	redrive->settings = settings;
	redrive->store.ops = config->store.plugin->ops.store;
	redrive->store.prefix = config->layout.manifest_prefix;
	redrive->traits.size = sizeof(redrive->traits);
	format->plugin->ops.format->describe(format->conf, &redrive->traits);
	redrive->extension = config->layout.extension;
	if (redrive->extension == NULL)
		redrive->extension = redrive->traits.extension == NULL
					 ? ""
					 : redrive->traits.extension;
	if (redrive->generation < 0)
		redrive->generation = config->layout.generation;
	if (rc == SECOR_OK)
		rc = group_open(config, &redrive->group, err);
	if (rc == SECOR_OK && !redrive->abandon)
		rc = router_new(settings,
		    routing_overhead(config) + PATH_REDRIVE_MAX,
		    &redrive->router, err);
	if (rc == SECOR_OK && !redrive->abandon)
		rc = encoder_open(&redrive->trial, format, NULL, err);
	return rc;
}

static void
close_all(struct redrive *redrive)
{
	encoder_close(&redrive->trial);
	router_free(redrive->router);
	group_close(&redrive->group);
	if (redrive->store.self != NULL)
		redrive->store.ops->close(redrive->store.self);
	redrive_forget(redrive);
}

static int
run(struct redrive *redrive)
{
	struct secor_err err = {{0}};
	int code = CLI_OK;
	int rc = open_all(redrive, &err);

	if (rc == SECOR_OK)
		rc = look_ask_drive(redrive, &code, &err);
	close_all(redrive);
	if (rc == SECOR_OK)
		return code;
	(void)fflush(stdout);
	(void)fprintf(stderr, "secor redrive: %s\n", err.text);
	return CLI_ENVIRONMENT;
}

/* ---- the command line ---- */

static int
complain(const char *what, const char *why)
{
	(void)fprintf(
	    stderr, "secor redrive: %s %s (secor redrive --help)\n", what, why);
	return CLI_USAGE;
}

/* -1: go on. */
static int
understand(struct redrive *redrive, const struct cli_words *words)
{
	char why[200];
	char *end;
	int rc;

	redrive->topic = words->items[1];
	if (words->count > 2) {
		long number = strtol(words->items[2], &end, 10);

		if (*end != '\0' || end == words->items[2] || number < 0 ||
		    number > INT32_MAX)
			return complain(words->items[2], "is not a partition");
		redrive->partition = (int32_t)number;
	}
	if (redrive->json && !redrive->yes && !redrive->dry)
		return complain("--json", "goes with --yes or --dry-run");
	if (redrive->from > redrive->to)
		return complain("--from", "lies behind --to");
	if (redrive->reason == NULL)
		return -1;
	rc = regcomp(
	    &redrive->pattern, redrive->reason, REG_EXTENDED | REG_NOSUB);
	if (rc == 0)
		return -1;
	(void)regerror(rc, &redrive->pattern, why, sizeof(why));
	redrive->reason = NULL;
	return complain("--reason:", why);
}

static int
load_and_run(struct redrive *redrive, const struct cli_words *words)
{
	struct registry *registry;
	struct config *config;
	int rc = understand(redrive, words);

	if (rc >= 0)
		return rc;
	if (step_init() != 0)
		return complain("SECOR_STOP_AT", "names no step");
	config = cli_config(words->items[0], 0, &registry, &rc);
	if (config == NULL)
		return rc;
	redrive->config = config;
	rc = run(redrive);
	config_free(config);
	registry_free(registry);
	return rc;
}

int
cli_redrive(int argc, char **argv)
{
	struct redrive redrive = {
	    .partition = -1, .generation = -1, .to = INT64_MAX};
	const struct cli_option options[] = {
	    {"from", CLI_NUMBER, &redrive.from},
	    {"to", CLI_NUMBER, &redrive.to},
	    {"reason", CLI_TEXT, &redrive.reason},
	    {"generation", CLI_NUMBER, &redrive.generation},
	    {"abandon", CLI_FLAG, &redrive.abandon},
	    {"dry-run", CLI_FLAG, &redrive.dry},
	    {"yes", CLI_FLAG, &redrive.yes},
	    {"json", CLI_FLAG, &redrive.json},
	};
	const struct cli_table table = {
	    usage, options, sizeof(options) / sizeof(options[0]), 2, 3};
	struct cli_words words;
	int rc = cli_args(argc, argv, &table, &words);

	if (rc >= 0)
		return rc;
	rc = load_and_run(&redrive, &words);
	if (redrive.reason != NULL)
		regfree(&redrive.pattern);
	free(words.items);
	return rc;
}
