/*
 * verify.c -- `secor verify`: the command around the checks.
 */
#include "core/cli/verify.h"

#include "core/base/clock.h"
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
    "  --deep           read every object back: records, and each offset once\n"
    "                   where the format stores offsets\n"
    "  --kafka          read offsets that no object has again from the topic\n"
    "  --topic T        only this topic\n"
    "  --partition P    only this Kafka partition\n"
    "  --generation G   only this generation\n"
    "  --from OFFSET    batches that end before it may be gone; by partition:\n"
    "                   --from 0:1000,1:1500\n"
    "  --removed-before TIME\n"
    "                   what was written before may be gone (a lifecycle "
    "rule):\n"
    "                   2026-01-31, 2026-01-31T12:00:00Z, or 30d (that long "
    "ago)\n"
    "  --trimmed        older manifests may be gone, from whenever\n"
    "  --no-kafka       do not look at the group's offsets\n"
    "  --quick          do not read objects whose CRC32C the store does not "
    "know\n"
    "  --json           one JSON object instead of lines\n";

struct command {
	struct verify verify;
	struct verify_log log;
	struct group group;
	const char *from, *removed_before;
	int no_kafka, kafka, json;
	struct buf partitions, findings, notes; /* JSON */
};

/* ---- Kafka ---- */

static int
read_record(void *arg, const char *topic, int32_t partition,
    struct record *record, struct secor_err *err)
{
	struct command *command = arg;

	return group_record(
	    &command->group, topic, partition, record, NULL, err);
}

static int
read_partitions(
    void *arg, const char *topic, int32_t *count, struct secor_err *err)
{
	struct command *command = arg;

	return group_partitions(&command->group, topic, count, err);
}

static int
read_low(void *arg, const char *topic, int32_t partition, int64_t *low,
    struct secor_err *err)
{
	struct command *command = arg;
	int64_t high;

	return group_log(&command->group, topic, partition, low, &high, err);
}

/* Who asked for the messages. */
struct asking {
	verify_message_fn each;
	void *to;
};

static int
on_message(void *arg, const rd_kafka_message_t *message, struct secor_err *err)
{
	const struct asking *asking = arg;

	return asking->each(asking->to, message->offset, err);
}

static int
read_span(void *arg, const struct verify_span *span, verify_message_fn each,
    void *to, struct secor_err *err)
{
	struct command *command = arg;
	const struct group_span what = {
	    span->topic, span->partition, span->start, span->end};
	struct asking asking = {each, to};

	cli_progress("verify: %s/%" PRId32 ", reads offsets %" PRId64
		     "..%" PRId64 " again from Kafka",
	    span->topic, span->partition, span->start, span->end - 1);
	return group_messages(&command->group, &what, on_message, &asking, err);
}

/* ---- what the checks say ---- */

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
take_step(void *arg, const struct manifest *manifest)
{
	const struct command *command = arg;
	const struct verify_totals *totals = &command->verify.totals;

	cli_progress("verify: %s/%" PRId32 " offset %" PRId64 ", %" PRIu64
		     " objects, %" PRIu64 " MB, %" PRIu64 " found",
	    manifest->topic, manifest->partition, manifest->start,
	    totals->objects, totals->bytes / 1000000, totals->found);
}

static void
take_partition(void *arg, const struct verify_partition *partition)
{
	struct command *command = arg;
	struct buf *out = &command->partitions;

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
	(void)printf(
	    "\"totals\":{\"partitions\":%" PRIu64 ",\"manifests\":%" PRIu64
	    ",\"objects\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"messages\":%" PRIu64 ",\"records\":%" PRIu64 ",\"bad\":%" PRIu64
	    ",\"filtered\":%" PRIu64 ",\"lost_offsets\":%" PRIu64
	    ",\"skipped_offsets\":%" PRIu64 ",\"read\":%" PRIu64
	    ",\"confirmed_offsets\":%" PRIu64 ",\"gone_offsets\":%" PRIu64
	    ",\"redriven\":%" PRIu64 "}}\n",
	    t->partitions, t->manifests, t->objects, t->bytes, t->messages,
	    t->records, t->bad, t->filtered, t->lost, t->skipped, t->read,
	    t->confirmed, t->gone, t->redriven);
}

/* What --deep and --kafka looked at. */
static void
print_depth(const struct command *command)
{
	const struct verify_totals *t = &command->verify.totals;

	if (command->verify.deep)
		(void)printf("%" PRIu64 " records were read back\n", t->read);
	if (command->kafka)
		(void)printf("%" PRIu64 " offsets without a record have no "
			     "message in Kafka\n",
		    t->confirmed);
	if (t->gone > 0)
		(void)printf("%" PRIu64 " more cannot be asked for: they lie "
			     "before the first offset that Kafka has\n",
		    t->gone);
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
	if (t->redriven > 0)
		(void)printf("%" PRIu64 " of the bad ones are stored since "
			     "(secor redrive)\n",
		    t->redriven);
	print_depth(command);
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
	verify->step = take_step;
	verify->done = take_partition;
	verify->arg = command;
	if (rc == SECOR_OK && !command->no_kafka) {
		verify->record = read_record;
		verify->partitions = read_partitions;
		verify->log = command->kafka ? &command->log : NULL;
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

/* What the words of the command line say. -1: go on. */
static int
understand(struct command *command)
{
	struct verify_scope *scope = &command->verify.scope;

	if (command->kafka && command->no_kafka) {
		(void)fprintf(
		    stderr, "secor verify: either --kafka or --no-kafka\n");
		return CLI_USAGE;
	}
	if (command->from != NULL && !verify_scope_from(scope, command->from)) {
		(void)fprintf(stderr,
		    "secor verify: --from: '%s' is neither an offset nor "
		    "partition:offset,...\n",
		    command->from);
		return CLI_USAGE;
	}
	if (command->removed_before != NULL &&
	    !verify_scope_time(
		scope, command->removed_before, clock_now_ms())) {
		(void)fprintf(stderr,
		    "secor verify: --removed-before: '%s' is no time (like "
		    "2026-01-31, 2026-01-31T12:00:00Z or 30d)\n",
		    command->removed_before);
		return CLI_USAGE;
	}
	return -1;
}

static int
load_and_run(struct command *command, const char *file)
{
	struct registry *registry;
	int rc = understand(command);
	struct config *config;

	if (rc >= 0)
		return rc;
	config = cli_config(file, 0, &registry, &rc);
	if (config == NULL)
		return rc;
	rc = run(command, config);
	config_free(config);
	registry_free(registry);
	return rc;
}

int
cli_verify(int argc, char **argv)
{
	struct command command = {.verify = {.partition = -1,
				      .generation = -1,
				      .scope = {.removed_before = INT64_MIN}},
	    .log = {&command, read_low, read_span}};
	struct verify *verify = &command.verify;
	const struct cli_option options[] = {
	    {"deep", CLI_FLAG, &verify->deep},
	    {"kafka", CLI_FLAG, &command.kafka},
	    {"topic", CLI_TEXT, &verify->topic},
	    {"partition", CLI_INT32, &verify->partition},
	    {"generation", CLI_NUMBER, &verify->generation},
	    {"from", CLI_TEXT, &command.from},
	    {"removed-before", CLI_TEXT, &command.removed_before},
	    {"trimmed", CLI_FLAG, &verify->trimmed},
	    {"no-kafka", CLI_FLAG, &command.no_kafka},
	    {"quick", CLI_FLAG, &verify->quick},
	    {"json", CLI_FLAG, &command.json},
	};
	const struct cli_table table = {
	    usage, options, sizeof(options) / sizeof(options[0]), 1, 1};
	struct cli_words words;
	int rc = cli_args(argc, argv, &table, &words);

	if (rc >= 0)
		return rc;
	rc = load_and_run(&command, words.items[0]);
	free(words.items);
	verify_scope_fini(&verify->scope);
	buf_fini(&command.partitions);
	buf_fini(&command.findings);
	buf_fini(&command.notes);
	return rc;
}
