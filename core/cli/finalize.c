/*
 * finalize.c -- `secor finalize`: one look at each topic. What the service does
 * by itself, for those who want it from a timer, or want to see first what it
 * would do.
 */
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/records.h"
#include "core/flow/final/finalizer.h"
#include "core/flow/final/look.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: secor finalize FILE [TOPIC ...] [--dry-run] [--json]\n"
    "                      [--allow-commands]\n"
    "Looks once at every topic with finalize.delay (or those named): puts the "
    "marker\n"
    "of each path that is over, tells the notifiers, and amends what has got "
    "late\n"
    "data. Can run beside the service, and again at any time.\n"
    "  --dry-run  only say what would be done\n"
    "  --json     one JSON object a line: paths, then topics\n"
    "  --allow-commands  notifiers may run programs (command)\n"
    "Exit 1 when a path failed (it comes again with the next run).\n";

struct finalize {
	const struct config *config;
	struct look *look;
	struct finalizer *finalizer;
	int dry_run, json, allow_commands;
	int failed;
};

static int
look_for(void *arg, const char *topic, struct view *view, struct secor_err *err)
{
	struct finalize *finalize = arg;

	return look_at(finalize->look, topic, view, err);
}

static const char *
word(const struct finalize *finalize, const struct finalizer_path *path)
{
	if (path->failed != NULL)
		return "failed";
	if (finalize->dry_run)
		return path->amended ? "would amend" : "would finalize";
	return path->amended ? "amended" : "finalized";
}

static void
path_json(const struct finalizer_path *path, const char *what, struct buf *out)
{
	const struct tally *tally = path->tally;

	buf_putc(out, '{');
	cli_json_text(out, "did", what);
	buf_putc(out, ',');
	cli_json_text(out, "topic", path->topic);
	buf_putc(out, ',');
	cli_json_text(out, "path", tally->path);
	buf_putc(out, ',');
	cli_json_text(out, "url", path->url);
	buf_printf(out,
	    ",\"objects\":%" PRIu64 ",\"records\":%" PRIu64
	    ",\"bytes\":%" PRIu64 ",\"new_objects\":%" PRIu64
	    ",\"new_records\":%" PRIu64 ",",
	    tally->totals.objects, tally->totals.records, tally->totals.bytes,
	    path->fresh_objects, path->fresh_records);
	cli_json_text(out, "failed", path->failed);
	buf_puts(out, "}\n");
}

static void
on_path(void *arg, const struct finalizer_path *path)
{
	const struct finalize *finalize = arg;
	const struct tally *tally = path->tally;
	const char *what = word(finalize, path);
	struct buf out = {0};

	if (finalize->json) {
		path_json(path, what, &out);
	} else {
		buf_printf(&out,
		    "%-14s %s: %" PRIu64 " objects, %" PRIu64 " records", what,
		    path->url, tally->totals.objects, tally->totals.records);
		if (path->amended)
			buf_printf(&out, ", %" PRIu64 " of them new",
			    path->fresh_records);
		if (path->failed != NULL)
			buf_printf(&out, ": %s", path->failed);
		buf_putc(&out, '\n');
	}
	(void)fputs(out.ptr, stdout);
	(void)fflush(stdout);
	buf_fini(&out);
}

static void
say_topic(const struct finalize *finalize, const char *topic,
    const struct finalizer_pass *pass)
{
	const struct watermark *mark = &pass->watermark;
	char time[40];
	struct buf out = {0};

	if (finalize->json) {
		buf_putc(&out, '{');
		cli_json_text(&out, "topic", topic);
		cli_json_time(&out, "watermark", mark->ms);
		buf_printf(&out, ",\"held_back_by\":");
		if (mark->holder < 0)
			buf_puts(&out, "null");
		else
			buf_printf(&out, "%" PRId32, mark->holder);
		buf_putc(&out, ',');
		cli_json_text(&out, "why", mark->why);
		buf_printf(&out,
		    ",\"finalized\":%" PRIu64 ",\"amended\":%" PRIu64
		    ",\"failed\":%" PRIu64 "}\n",
		    pass->finalized, pass->amended, pass->failed);
	} else {
		buf_printf(&out, "topic %s: stored up to %s", topic,
		    cli_time(mark->ms, time));
		if (mark->holder >= 0)
			buf_printf(&out, " (partition %" PRId32 " %s)",
			    mark->holder, mark->why);
		buf_printf(&out,
		    "; %" PRIu64 " finalized, %" PRIu64 " amended, %" PRIu64
		    " failed%s\n",
		    pass->finalized, pass->amended, pass->failed,
		    finalize->dry_run ? " (nothing was done)" : "");
	}
	(void)fputs(out.ptr, stdout);
	buf_fini(&out);
}

enum { LOOKS = 5 };

/* Looks again when something was told: another finalizer may have been at work
 * meanwhile, with more or with less in hand, and this one does not come back.
 */
static int
look_until_done(struct finalize *finalize, const char *topic,
    struct finalizer_pass *sum, struct secor_err *err)
{
	uint64_t finalized = 0, amended = 0;
	int told = 1, rc = SECOR_OK;

	for (int i = 0; rc == SECOR_OK && told && i < LOOKS; i++) {
		struct finalizer_pass pass;

		rc = finalizer_run(finalize->finalizer, topic, &pass, err);
		if (rc != SECOR_OK)
			break;
		told = !finalize->dry_run &&
		       (pass.again || pass.finalized + pass.amended > 0);
		finalized += pass.finalized;
		amended += pass.amended;
		*sum = pass;
	}
	sum->finalized = finalized;
	sum->amended = amended;
	sum->failed += sum->left;
	return rc;
}

/* One bad topic does not stop the rest. */
static int
run_topic(struct finalize *finalize, const char *topic)
{
	struct finalizer_pass sum = {.failed = 0};
	struct secor_err err = {""};

	if (look_until_done(finalize, topic, &sum, &err) == SECOR_OK) {
		say_topic(finalize, topic, &sum);
		finalize->failed += (int)sum.failed;
		return CLI_OK;
	}
	(void)fprintf(stderr, "secor: topic %s: %s\n", topic, err.text);
	return CLI_ENVIRONMENT;
}

static int
check_named(const struct config *config, const struct cli_words *words)
{
	for (size_t i = 1; i < words->count; i++) {
		const char *topic = words->items[i];

		if (!config_wants_topic(config, topic)) {
			(void)fprintf(stderr,
			    "secor: %s is no topic of this configuration\n",
			    topic);
			return CLI_USAGE;
		}
		if (config_topic(config, topic)->finalize.delay_ms < 0) {
			(void)fprintf(stderr,
			    "secor: topic %s has no finalize.delay: none of "
			    "its paths is ever over\n",
			    topic);
			return CLI_USAGE;
		}
	}
	return CLI_OK;
}

static int
run(struct finalize *finalize, const struct cli_words *words,
    struct secor_err *err)
{
	const struct finalizer_how how = {.config = finalize->config,
	    .look = look_for,
	    .arg = finalize,
	    .dry_run = finalize->dry_run,
	    .wait = 1,
	    .said = on_path};
	char **topics = NULL;
	size_t count = 0;
	int code = CLI_OK;
	int rc = look_new(finalize->config, &finalize->look, err);

	if (rc == SECOR_OK)
		rc = finalizer_new(&how, &finalize->finalizer, err);
	if (rc == SECOR_OK && words->count == 1)
		rc = look_topics(finalize->look, &topics, &count, err);
	for (size_t i = 0; rc == SECOR_OK && i < count; i++) {
		if (run_topic(finalize, topics[i]) != CLI_OK)
			code = CLI_ENVIRONMENT;
		free(topics[i]);
	}
	free(topics);
	for (size_t i = 1; rc == SECOR_OK && i < words->count; i++)
		if (run_topic(finalize, words->items[i]) != CLI_OK)
			code = CLI_ENVIRONMENT;
	if (rc == SECOR_OK && words->count == 1 && count == 0)
		(void)fputs("secor: no topic has finalize.delay\n", stderr);
	finalizer_free(finalize->finalizer);
	look_free(finalize->look);
	if (rc != SECOR_OK)
		return CLI_ENVIRONMENT;
	return code != CLI_OK	      ? code
	       : finalize->failed > 0 ? CLI_FOUND
				      : CLI_OK;
}

int
cli_finalize(int argc, char **argv)
{
	struct finalize finalize = {0};
	const struct cli_option options[] = {
	    {"dry-run", CLI_FLAG, &finalize.dry_run},
	    {"json", CLI_FLAG, &finalize.json},
	    {"allow-commands", CLI_FLAG, &finalize.allow_commands},
	};
	const struct cli_table table = {usage, options, 3, 1, 1000};
	struct registry *registry = NULL;
	struct config *config = NULL;
	struct secor_err err = {""};
	struct cli_words words;
	int code = cli_args(argc, argv, &table, &words);

	if (code >= 0)
		return code;
	config = cli_config(words.items[0], 0, &registry, &code);
	if (config != NULL) {
		log_level_set(SECOR_ERROR);
		config->allow_commands = finalize.allow_commands;
		finalize.config = config;
		code = check_named(config, &words);
		if (code == CLI_OK)
			code = run(&finalize, &words, &err);
		if (err.text[0] != '\0')
			(void)fprintf(stderr, "secor: %s\n", err.text);
	}
	config_free(config);
	registry_free(registry);
	free(words.items);
	return code;
}
