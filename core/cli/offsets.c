/*
 * offsets.c -- `secor offsets`: the subcommands, and what a halt asks for.
 */
#include "core/cli/offsets.h"

#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/flow/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: secor offsets show FILE [--topic T] [--json]\n"
    "       secor offsets adopt FILE TOPIC PARTITION HOW [--yes]\n"
    "       secor offsets resolve FILE TOPIC PARTITION [HOW] [--yes]\n"
    "show     the record of every partition: where it is, why it is halted, "
    "what to do\n"
    "adopt    lets a partition go on at an offset that you choose\n"
    "  --from-manifests     behind the last manifest: nothing skipped, "
    "nothing doubled\n"
    "  --current            at the group's offset, whoever committed it\n"
    "  --offset N           at offset N\n"
    "  --remove-unfinished  also removes objects of batches that were never "
    "final\n"
    "resolve  a plan that cannot be repeated: says what is stored and what "
    "each way costs\n"
    "  --again              removes what is stored of it, reads from its start "
    "again\n"
    "  --as-stored          keeps what is stored, gives up the rest\n"
    "  --skip-plan          removes what is stored of it, gives up all of it\n"
    "adopt and resolve need the group stopped; they say what may be skipped or "
    "doubled,\n"
    "and ask, unless --yes.\n";

int
offsets_failed(int status, const struct secor_err *err)
{
	(void)fprintf(stderr, "secor offsets: %s\n", err->text);
	return status == SECOR_RETRY ? CLI_ENVIRONMENT : CLI_USAGE;
}

int
offsets_ask(const struct wish *wish, const char *question)
{
	char answer[16] = "";

	if (wish->yes)
		return 1;
	(void)printf("%s [yes/no] ", question);
	(void)fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    strcmp(answer, "yes\n") == 0)
		return 1;
	(void)printf("nothing was done\n");
	return 0;
}

/* ---- the command ---- */

static int
with_store(struct offsets *offsets, struct secor_err *err)
{
	int rc = cli_store(offsets->config, &offsets->store.self, err);

	offsets->store.ops = offsets->config->store.plugin->ops.store;
	offsets->store.prefix = offsets->config->layout.manifest_prefix;
	return rc;
}

/* What the command line says. */
struct command {
	const char *topic; /* show */
	int json;
	struct wish wish;
};

static int
dispatch(
    struct offsets *offsets, const char *verb, const struct command *command)
{
	struct secor_err err;
	int rc = with_store(offsets, &err);

	if (rc == SECOR_OK)
		rc = group_open(offsets->config, &offsets->group, &err);
	if (rc == SECOR_OK)
		rc = client_g(offsets->group.rk, offsets->config,
		    GROUP_TIMEOUT_MS, offsets->g, &err);
	if (rc != SECOR_OK)
		rc = offsets_failed(SECOR_RETRY, &err);
	else if (strcmp(verb, "show") == 0)
		rc = offsets_show(offsets, command->topic, command->json);
	else if (strcmp(verb, "adopt") == 0)
		rc = offsets_adopt(offsets, &command->wish);
	else
		rc = offsets_resolve(offsets, &command->wish);
	group_close(&offsets->group);
	if (offsets->store.self != NULL)
		offsets->store.ops->close(offsets->store.self);
	return rc;
}

static int
complain(const char *what)
{
	(void)fprintf(
	    stderr, "secor offsets: %s (secor offsets --help)\n", what);
	return CLI_USAGE;
}

/* Reads TOPIC PARTITION and checks that one way was chosen. -1: fine. */
static int
check_wish(const struct cli_words *words, struct wish *wish)
{
	const char *verb = words->items[0];
	int adopts = wish->from_manifests + wish->current + (wish->offset >= 0);
	int resolves = wish->again + wish->as_stored + wish->skip_plan;
	char *end;
	long partition;

	if (strcmp(verb, "show") == 0)
		return words->count == 2 && adopts + resolves == 0
			   ? -1
			   : complain("show takes FILE");
	if (words->count != 4)
		return complain("FILE TOPIC PARTITION are needed");
	partition = strtol(words->items[3], &end, 10);
	if (end == words->items[3] || *end != '\0' || partition < 0 ||
	    partition > INT32_MAX)
		return complain("PARTITION is a number");
	wish->topic = words->items[2];
	wish->partition = (int32_t)partition;
	if (strcmp(verb, "adopt") == 0)
		return adopts == 1 && resolves == 0
			   ? -1
			   : complain("adopt needs one of --from-manifests, "
				      "--current, --offset N");
	if (strcmp(verb, "resolve") == 0)
		return adopts == 0 && resolves <= 1
			   ? -1
			   : complain("resolve takes one of --again, "
				      "--as-stored, --skip-plan");
	return complain("the first word is show, adopt or resolve");
}

int
cli_offsets(int argc, char **argv)
{
	struct command command = {.wish = {.offset = -1}};
	struct wish *wish = &command.wish;
	const struct cli_option options[] = {
	    {"topic", CLI_TEXT, &command.topic},
	    {"json", CLI_FLAG, &command.json},
	    {"yes", CLI_FLAG, &wish->yes},
	    {"offset", CLI_NUMBER, &wish->offset},
	    {"from-manifests", CLI_FLAG, &wish->from_manifests},
	    {"current", CLI_FLAG, &wish->current},
	    {"remove-unfinished", CLI_FLAG, &wish->remove_unfinished},
	    {"skip-plan", CLI_FLAG, &wish->skip_plan},
	    {"as-stored", CLI_FLAG, &wish->as_stored},
	    {"again", CLI_FLAG, &wish->again},
	};
	const struct cli_table table = {
	    usage, options, sizeof(options) / sizeof(options[0]), 2, 4};
	struct offsets offsets = {.config = NULL};
	struct cli_words words;
	struct registry *registry;
	struct config *config;
	int rc = cli_args(argc, argv, &table, &words);

	if (rc >= 0)
		return rc;
	rc = check_wish(&words, wish);
	if (rc < 0) {
		config = cli_config(words.items[1], 0, &registry, &rc);
		offsets.config = config;
		if (config != NULL) {
			rc = dispatch(&offsets, words.items[0], &command);
			config_free(config);
			registry_free(registry);
		}
	}
	free(words.items);
	return rc;
}
