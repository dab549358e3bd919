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
    "       secor offsets adopt FILE TOPIC PARTITION HOW [options]\n"
    "       secor offsets reset FILE TOPIC PARTITION|all --to WHERE [options]\n"
    "       secor offsets import FILE --from-group G|--from-file F "
    "[options]\n"
    "       secor offsets resolve FILE TOPIC PARTITION [HOW] [options]\n"
    "\n"
    "show     the record of every partition: where it is, why it is halted, "
    "what to do\n"
    "adopt    lets a halted partition go on at an offset that you choose\n"
    "  --from-manifests     behind the last manifest: nothing skipped, "
    "nothing doubled\n"
    "  --current            at the group's offset, whoever committed it\n"
    "  --offset N           at offset N\n"
    "reset    moves partitions: forward skips messages (a gap manifest says "
    "so), back\n"
    "         into what is stored needs a higher layout.generation\n"
    "  --to WHERE           an offset, earliest, latest, "
    "2026-01-31T12:30:00Z, or 2h (ago)\n"
    "import   begins where another consumer group or a file says, e.g. another "
    "sink's\n"
    "  --from-group G       the committed offsets of that group\n"
    "  --from-file F        lines topic,partition,offset ('-': standard "
    "input)\n"
    "  --topic T            only this topic\n"
    "  --replace            also partitions that have a record already\n"
    "resolve  a plan that cannot be repeated: says what is stored and what "
    "each way costs\n"
    "  --again              removes what is stored of it, reads from its start "
    "again\n"
    "  --as-stored          keeps what is stored, gives up the rest\n"
    "  --skip-plan          removes what is stored of it, gives up all of it\n"
    "\n"
    "  --remove-unfinished  adopt, reset, import: removes objects of batches "
    "that were\n"
    "                       never final\n"
    "  --quarantine         copies what is removed to " CONFIG_QUARANTINE
    "/ first\n"
    "  --dry-run            only says what it would do\n"
    "  --yes                does not ask\n"
    "\n"
    "  --socket PATH        of the running process, when it is not found\n"
    "\n"
    "They say what may be skipped or doubled, and ask. While the group runs, "
    "the "
    "process\n"
    "that owns the partition carries them out: run them on its machine, as its "
    "user.\n";

int
offsets_failed(int status, const struct secor_err *err)
{
	(void)fprintf(stderr, "secor offsets: %s\n", err->text);
	return status == SECOR_RETRY ? CLI_ENVIRONMENT : CLI_USAGE;
}

int
offsets_ask(const struct wish *wish, const char *question)
{
	if (wish->dry_run) {
		(void)printf("nothing was done: --dry-run\n");
		return CLI_OK;
	}
	if (wish->yes)
		return -1;
	return cli_ask(question);
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

static int check_show(const struct wish *wish);
static int check_adopt(const struct wish *wish);
static int check_reset(const struct wish *wish);
static int check_import(const struct wish *wish);
static int check_resolve(const struct wish *wish);

/* The subcommands: how many words follow, and whether the last may be `all`.
 * check: whether the options fit, -1 or the exit code. */
static const struct verb {
	const char *name;
	size_t words;
	int takes_all;
	int (*check)(const struct wish *wish);
	int (*run)(struct offsets *offsets, const struct wish *wish);
} verbs[] = {
    {"show", 2, 0, check_show, offsets_show},
    {"adopt", 4, 0, check_adopt, offsets_adopt},
    {"reset", 4, 1, check_reset, offsets_reset},
    {"import", 2, 0, check_import, offsets_import},
    {"resolve", 4, 0, check_resolve, offsets_resolve},
};

static int
dispatch(
    struct offsets *offsets, const struct verb *verb, const struct wish *wish)
{
	struct secor_err err;
	int rc = with_store(offsets, &err);

	if (rc == SECOR_OK)
		rc = group_open(offsets->config, &offsets->group, &err);
	if (rc == SECOR_OK)
		rc = client_g(offsets->group.rk, offsets->config,
		    GROUP_TIMEOUT_MS, offsets->g, &err);
	rc = rc == SECOR_OK ? verb->run(offsets, wish)
			    : offsets_failed(SECOR_RETRY, &err);
	owners_end(&offsets->owners);
	offsets_say_fenced(offsets);
	group_close(&offsets->group);
	if (offsets->store.self != NULL)
		offsets->store.ops->close(offsets->store.self);
	return rc;
}

/* ---- the command line ---- */

static int
complain(const char *what)
{
	(void)fprintf(
	    stderr, "secor offsets: %s (secor offsets --help)\n", what);
	return CLI_USAGE;
}

static int
adopts(const struct wish *wish)
{
	return wish->from_manifests + wish->current + (wish->offset >= 0);
}

static int
resolves(const struct wish *wish)
{
	return wish->again + wish->as_stored + wish->skip_plan;
}

static int
imports(const struct wish *wish)
{
	return (wish->from_group != NULL) + (wish->from_file != NULL) +
	       wish->replace;
}

static int
check_show(const struct wish *wish)
{
	return adopts(wish) + resolves(wish) + imports(wish) == 0 &&
		       wish->to == NULL && !wish->remove_unfinished &&
		       !wish->quarantine
		   ? -1
		   : complain("show takes FILE, --topic and --json");
}

static int
check_adopt(const struct wish *wish)
{
	return adopts(wish) == 1 && resolves(wish) + imports(wish) == 0 &&
		       wish->to == NULL
		   ? -1
		   : complain("adopt needs one of --from-manifests, "
			      "--current, --offset N");
}

static int
check_reset(const struct wish *wish)
{
	struct move move;

	if (adopts(wish) + resolves(wish) + imports(wish) > 0 ||
	    wish->to == NULL)
		return complain("reset needs --to OFFSET, earliest, latest or "
				"a time");
	return move_aim(&move, wish->to, 0)
		   ? -1
		   : complain("--to is an offset, earliest, latest, a time "
			      "like 2026-01-31T12:30:00Z, or 2h (ago)");
}

static int
check_import(const struct wish *wish)
{
	return adopts(wish) + resolves(wish) == 0 && wish->to == NULL &&
		       (wish->from_group != NULL) != (wish->from_file != NULL)
		   ? -1
		   : complain("import needs one of --from-group G, "
			      "--from-file F");
}

static int
check_resolve(const struct wish *wish)
{
	if (adopts(wish) + imports(wish) > 0 || resolves(wish) > 1 ||
	    wish->to != NULL || wish->remove_unfinished)
		return complain("resolve takes one of --again, --as-stored, "
				"--skip-plan");
	return !wish->quarantine || wish->again || wish->skip_plan
		   ? -1
		   : complain("--quarantine goes with what removes objects: "
			      "--again or --skip-plan");
}

static int
read_partition(const struct verb *verb, const char *word, int32_t *partition)
{
	char *end;
	long number = strtol(word, &end, 10);

	if (verb->takes_all && strcmp(word, "all") == 0)
		return 1;
	*partition = (int32_t)number;
	return end != word && *end == '\0' && number >= 0 &&
	       number <= INT32_MAX;
}

/* Reads the words and checks that the options fit. -1: fine. */
static int
read_words(
    const struct cli_words *words, struct wish *wish, const struct verb **verb)
{
	size_t n = sizeof(verbs) / sizeof(verbs[0]);
	size_t i = 0;

	while (i < n && strcmp(verbs[i].name, words->items[0]) != 0)
		i++;
	if (i == n)
		return complain("the first word is show, adopt, reset, import "
				"or resolve");
	*verb = &verbs[i];
	if (words->count != verbs[i].words)
		return complain(verbs[i].words == 2
				    ? "FILE is needed, and nothing else"
				    : "FILE TOPIC PARTITION are needed");
	if (verbs[i].words == 4) {
		if (wish->topic != NULL)
			return complain("--topic goes with show and import");
		wish->topic = words->items[2];
		if (!read_partition(
			&verbs[i], words->items[3], &wish->partition))
			return complain(verbs[i].takes_all
					    ? "PARTITION is a number, or all"
					    : "PARTITION is a number");
	}
	return verbs[i].check(wish);
}

int
cli_offsets(int argc, char **argv)
{
	struct wish wish = {.partition = -1, .offset = -1};
	const struct cli_option options[] = {
	    {"topic", CLI_TEXT, &wish.topic},
	    {"json", CLI_FLAG, &wish.json},
	    {"socket", CLI_TEXT, &wish.socket},
	    {"yes", CLI_FLAG, &wish.yes},
	    {"dry-run", CLI_FLAG, &wish.dry_run},
	    {"offset", CLI_NUMBER, &wish.offset},
	    {"from-manifests", CLI_FLAG, &wish.from_manifests},
	    {"current", CLI_FLAG, &wish.current},
	    {"remove-unfinished", CLI_FLAG, &wish.remove_unfinished},
	    {"quarantine", CLI_FLAG, &wish.quarantine},
	    {"to", CLI_TEXT, &wish.to},
	    {"from-group", CLI_TEXT, &wish.from_group},
	    {"from-file", CLI_TEXT, &wish.from_file},
	    {"replace", CLI_FLAG, &wish.replace},
	    {"skip-plan", CLI_FLAG, &wish.skip_plan},
	    {"as-stored", CLI_FLAG, &wish.as_stored},
	    {"again", CLI_FLAG, &wish.again},
	};
	const struct cli_table table = {
	    usage, options, sizeof(options) / sizeof(options[0]), 2, 4};
	struct offsets offsets = {.config = NULL};
	const struct verb *verb = NULL;
	struct cli_words words;
	struct registry *registry;
	struct config *config;
	int rc = cli_args(argc, argv, &table, &words);

	if (rc >= 0)
		return rc;
	rc = read_words(&words, &wish, &verb);
	if (rc < 0) {
		config = cli_config(words.items[1], 0, &registry, &rc);
		offsets.config = config;
		if (config != NULL) {
			rc = dispatch(&offsets, verb, &wish);
			config_free(config);
			registry_free(registry);
		}
	}
	free(words.items);
	return rc;
}
