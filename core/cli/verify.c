/*
 * verify.c -- `secor verify`: the command around the checks.
 */
#include "core/cli/verify.h"

#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: secor verify FILE [options]\n"
    "Accounts for every offset: ranges of the manifests, their chain, the "
    "group's\n"
    "offset, every object with its size and CRC32C, objects that are in no "
    "manifest.\n"
    "Says what it finds with object and offsets; exit 1 when something was "
    "found.\n"
    "  --topic T        only this topic\n"
    "  --partition P    only this Kafka partition\n"
    "  --generation G   only this generation\n"
    "  --no-kafka       do not look at the group's offsets\n"
    "  --quick          do not read objects whose CRC32C the store does not "
    "know\n"
    "  --trimmed        older manifests were removed on purpose\n"
    "  --json           one JSON object instead of lines\n";

struct command {
	struct verify verify;
	struct group group;
	int no_kafka, json;
	struct buf partitions, findings, notes; /* JSON */
};

/* ---- what the checks say ---- */

static int
read_record(void *arg, const char *topic, int32_t partition,
    struct record *record, struct secor_err *err)
{
	struct command *command = arg;

	return group_record(
	    &command->group, topic, partition, record, NULL, err);
}

static void
json_offset(struct buf *out, const char *name, int64_t offset)
{
	if (offset < 0)
		buf_printf(out, ",\"%s\":null", name);
	else
		buf_printf(out, ",\"%s\":%" PRId64, name, offset);
}

static void
json_report(struct buf *out, const struct verify_report *report)
{
	if (out->len > 0)
		buf_putc(out, ',');
	buf_puts(out, "{");
	cli_json_text(out, "kind", report->kind);
	buf_putc(out, ',');
	cli_json_text(out, "topic", report->topic);
	json_offset(out, "partition", report->partition);
	buf_putc(out, ',');
	cli_json_text(out, "key", report->key);
	json_offset(out, "start", report->start);
	json_offset(out, "end", report->end);
	buf_putc(out, ',');
	cli_json_text(out, "text", report->text);
	buf_puts(out, "}");
}

static void
line_report(const struct verify_report *report)
{
	struct buf line = {0};

	buf_printf(&line, "%s %s: %s", report->found ? "FOUND" : "note ",
	    report->kind, report->topic);
	if (report->partition >= 0)
		buf_printf(&line, "/%" PRId32, report->partition);
	if (report->start >= 0 && report->end >= 0)
		buf_printf(&line, " offsets %" PRId64 "..%" PRId64,
		    report->start, report->end - 1);
	else if (report->start >= 0)
		buf_printf(&line, " offset %" PRId64, report->start);
	if (report->key != NULL)
		buf_printf(&line, " %s", report->key);
	buf_printf(&line, ": %s\n", report->text);
	cli_progress(NULL);
	(void)fputs(line.ptr, stdout);
	buf_fini(&line);
}

static void
take_report(void *arg, const struct verify_report *report)
{
	struct command *command = arg;

	if (command->json)
		json_report(
		    report->found ? &command->findings : &command->notes,
		    report);
	else
		line_report(report);
}

static void
take_partition(void *arg, const struct verify_partition *partition)
{
	struct command *command = arg;
	struct buf *out = &command->partitions;

	cli_progress("verify: %s/%" PRId32 ", %" PRIu64 " objects so far",
	    partition->topic, partition->partition,
	    command->verify.totals.objects);
	if (!command->json)
		return;
	buf_puts(out, out->len > 0 ? ",{" : "{");
	cli_json_text(out, "topic", partition->topic);
	json_offset(out, "partition", partition->partition);
	json_offset(out, "first", partition->first);
	json_offset(out, "end", partition->end);
	json_offset(out, "committed", partition->committed);
	buf_printf(out, ",\"manifests\":%" PRIu64 ",\"messages\":%" PRIu64 "}",
	    partition->manifests, partition->messages);
}

/* ---- the sum ---- */

static void
json_list(const char *name, const struct buf *items)
{
	(void)printf(
	    "\"%s\":[%s],", name, items->ptr == NULL ? "" : items->ptr);
}

static void
print_json(const struct command *command)
{
	const struct verify_totals *t = &command->verify.totals;

	(void)printf("{\"ok\":%s,", t->found == 0 ? "true" : "false");
	json_list("findings", &command->findings);
	json_list("notes", &command->notes);
	json_list("partitions", &command->partitions);
	(void)printf("\"totals\":{\"partitions\":%" PRIu64
		     ",\"manifests\":%" PRIu64 ",\"objects\":%" PRIu64
		     ",\"bytes\":%" PRIu64 ",\"messages\":%" PRIu64
		     ",\"records\":%" PRIu64 ",\"bad\":%" PRIu64
		     ",\"filtered\":%" PRIu64 ",\"lost_offsets\":%" PRIu64
		     ",\"skipped_offsets\":%" PRIu64 "}}\n",
	    t->partitions, t->manifests, t->objects, t->bytes, t->messages,
	    t->records, t->bad, t->filtered, t->lost, t->skipped);
}

static void
print_lines(const struct command *command)
{
	const struct verify_totals *t = &command->verify.totals;

	cli_progress(NULL);
	(void)printf("%" PRIu64 " partitions, %" PRIu64 " batches, %" PRIu64
		     " messages: %" PRIu64 " records in %" PRIu64
		     " objects (%" PRIu64 " bytes), %" PRIu64 " bad, %" PRIu64
		     " filtered\n",
	    t->partitions, t->manifests, t->messages, t->records, t->objects,
	    t->bytes, t->bad, t->filtered);
	if (t->lost > 0)
		(void)printf(
		    "%" PRIu64 " offsets are in recorded gaps\n", t->lost);
	if (t->found == 0 && t->manifests == 0)
		(void)printf("there is no manifest: nothing to account for\n");
	else if (t->found == 0)
		(void)printf("nothing found: every offset is accounted for%s\n",
		    command->no_kafka ? " (the group was not looked at)" : "");
	else
		(void)printf("%" PRIu64 " found\n", t->found);
}

/* ---- the command ---- */

static int
run(struct command *command, const struct config *config)
{
	struct verify *verify = &command->verify;
	struct secor_err err;
	int rc = cli_store(config, &verify->store.self, &err);

	verify->config = config;
	verify->store.ops = config->store.plugin->ops.store;
	verify->store.prefix = config->layout.manifest_prefix;
	verify->report = take_report;
	verify->done = take_partition;
	verify->arg = command;
	if (rc == SECOR_OK && !command->no_kafka) {
		verify->record = read_record;
		rc = group_open(config, &command->group, &err);
	}
	if (rc == SECOR_OK)
		rc = verify_run(verify, &err);
	group_close(&command->group);
	if (verify->store.self != NULL)
		verify->store.ops->close(verify->store.self);
	if (rc != SECOR_OK) {
		cli_progress(NULL);
		(void)fprintf(stderr, "secor verify: %s\n", err.text);
		return CLI_ENVIRONMENT;
	}
	if (command->json)
		print_json(command);
	else
		print_lines(command);
	return verify->totals.found == 0 ? CLI_OK : CLI_FOUND;
}

int
cli_verify(int argc, char **argv)
{
	struct command command = {
	    .verify = {.partition = -1, .generation = -1}};
	struct verify *verify = &command.verify;
	const struct cli_option options[] = {
	    {"topic", CLI_TEXT, &verify->topic},
	    {"partition", CLI_INT32, &verify->partition},
	    {"generation", CLI_NUMBER, &verify->generation},
	    {"no-kafka", CLI_FLAG, &command.no_kafka},
	    {"quick", CLI_FLAG, &verify->quick},
	    {"trimmed", CLI_FLAG, &verify->trimmed},
	    {"json", CLI_FLAG, &command.json},
	};
	const struct cli_table table = {
	    usage, options, sizeof(options) / sizeof(options[0]), 1, 1};
	struct cli_words words;
	struct registry *registry;
	struct config *config;
	int rc = cli_args(argc, argv, &table, &words);

	if (rc >= 0)
		return rc;
	config = cli_config(words.items[0], 0, &registry, &rc);
	free(words.items);
	if (config == NULL)
		return rc;
	rc = run(&command, config);
	config_free(config);
	registry_free(registry);
	buf_fini(&command.partitions);
	buf_fini(&command.findings);
	buf_fini(&command.notes);
	return rc;
}
