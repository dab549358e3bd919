/*
 * offsets_show.c -- `secor offsets show`: the record of every partition, in
 * words.
 */
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/offsets.h"
#include "core/flow/remedy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shown {
	const char *topic;
	int32_t partition;
	struct record record;
	char text[RECORD_TEXT_MAX]; /* the metadata as it is */
	int64_t low, high;
	enum halt halt;	   /* what the service would halt for, as far as seen */
	char unknown[400]; /* missing, and the store does not answer: why */
};

static const char *
state_name(const struct record *record)
{
	static const char *const names[] = {[RECORD_MISSING] = "missing",
	    [RECORD_CLEAN] = "clean",
	    [RECORD_PLAN] = "plan",
	    [RECORD_HALT] = "halt",
	    [RECORD_FOREIGN] = "foreign"};

	return names[record->kind];
}

/* As the service does with a partition that has no record. */
static enum halt
judge_missing(struct offsets *offsets, struct shown *shown)
{
	const struct halt_place place = {
	    offsets->config->file, shown->topic, shown->partition};
	struct secor_err err;
	int exist = 0;
	int rc = manifests_exist(offsets, &place, &exist, &err);

	if (rc == SECOR_RETRY)
		(void)snprintf(
		    shown->unknown, sizeof(shown->unknown), "%.399s", err.text);
	if (rc != SECOR_OK)
		return rc == SECOR_RETRY ? HALT_NONE : HALT_STORE_LIST;
	return exist ? HALT_LOST : HALT_NONE;
}

/* What the record shows to be wrong, and, where there is none, the store. */
static enum halt
judge(struct offsets *offsets, struct shown *shown)
{
	const struct record *record = &shown->record;

	if (record->kind == RECORD_MISSING)
		return judge_missing(offsets, shown);
	if (record->kind == RECORD_FOREIGN)
		return HALT_FOREIGN;
	if (!record_same_family(record->g, offsets->g))
		return HALT_OTHER_GROUP;
	if (record->kind == RECORD_HALT)
		return record->r;
	if (record->offset > shown->high)
		return HALT_TRUNCATED;
	if (record->kind == RECORD_PLAN && record->c != CUT_GAP &&
	    shown->low > record->offset)
		return HALT_PLAN_UNREADABLE;
	return HALT_NONE;
}

/* The caller ends `out`. */
static void
remedy_of(
    const struct offsets *offsets, const struct shown *shown, struct buf *out)
{
	const struct halt_place place = {
	    offsets->config->file, shown->topic, shown->partition};

	halt_remedy(shown->halt, &place, out);
}

static void
json_one(const struct offsets *offsets, const struct shown *shown, int first)
{
	const struct record *r = &shown->record;
	struct buf out = {0}, remedy = {0};

	buf_puts(&out, first ? "{" : ",{");
	cli_json_text(&out, "topic", shown->topic);
	buf_printf(&out, ",\"partition\":%" PRId32 ",", shown->partition);
	cli_json_text(&out, "state", state_name(r));
	if (r->kind != RECORD_MISSING)
		buf_printf(&out, ",\"offset\":%" PRId64, r->offset);
	buf_printf(&out, ",\"log_start\":%" PRId64 ",\"log_end\":%" PRId64,
	    shown->low, shown->high);
	if (r->kind != RECORD_MISSING)
		buf_printf(&out, ",\"lag\":%" PRId64, shown->high - r->offset);
	if (r->kind == RECORD_FOREIGN) {
		buf_putc(&out, ',');
		cli_json_text(&out, "metadata", shown->text);
	} else if (r->kind != RECORD_MISSING) {
		buf_printf(&out,
		    ",\"generation\":%" PRId64 ",\"notified\":%" PRId64
		    ",\"watermark_ms\":",
		    record_generation(r->g), r->q);
		if (r->w == INT64_MIN)
			buf_puts(&out, "null");
		else
			buf_printf(&out, "%" PRId64, r->w);
	}
	if (r->kind == RECORD_PLAN)
		buf_printf(&out,
		    ",\"plan\":{\"end\":%" PRId64 ",\"messages\":%" PRId64
		    ",\"cut\":\"%s\"}",
		    r->e, r->n, cut_name(r->c));
	if (shown->halt != HALT_NONE) {
		buf_printf(&out, ",\"halt\":\"%s\",", halt_name(shown->halt));
		remedy_of(offsets, shown, &remedy);
		cli_json_text(&out, "advice", remedy.ptr);
		buf_fini(&remedy);
	}
	if (shown->unknown[0] != '\0') {
		buf_putc(&out, ',');
		cli_json_text(&out, "store", shown->unknown);
	}
	buf_putc(&out, '}');
	(void)fputs(out.ptr, stdout);
	buf_fini(&out);
}

static void
text_one(const struct offsets *offsets, const struct shown *shown)
{
	const struct record *r = &shown->record;
	struct buf remedy = {0};
	char time[40];

	(void)printf("%s/%" PRId32 "  %s", shown->topic, shown->partition,
	    state_name(r));
	if (r->kind == RECORD_MISSING)
		(void)printf(shown->halt == HALT_LOST
				 ? ": no committed offset, though manifests "
				   "are there"
				 : ": no committed offset yet");
	else
		(void)printf(" at %" PRId64 ", lag %" PRId64, r->offset,
		    shown->high - r->offset);
	(void)printf(
	    "  (log %" PRId64 "..%" PRId64 ")\n", shown->low, shown->high - 1);
	if (r->kind == RECORD_FOREIGN)
		(void)printf("    metadata: \"%s\"\n", shown->text);
	else if (r->kind != RECORD_MISSING)
		(void)printf("    generation %" PRId64
			     ", event time up to %s, notifiers had heard "
			     "up to %" PRId64 " then\n",
		    record_generation(r->g), cli_time(r->w, time), r->q);
	if (r->kind == RECORD_PLAN)
		(void)printf("    plan: offsets %" PRId64 "..%" PRId64
			     ", %" PRId64 " messages, cut by %s\n",
		    r->offset, r->e - 1, r->n, cut_name(r->c));
	if (shown->unknown[0] != '\0')
		(void)printf("    whether it was stored before is not known, "
			     "the store does not answer: %s\n",
		    shown->unknown);
	if (shown->halt == HALT_NONE)
		return;
	remedy_of(offsets, shown, &remedy);
	(void)printf("    %s: %s\n", halt_name(shown->halt), remedy.ptr);
	buf_fini(&remedy);
}

static int
show_one(struct offsets *offsets, struct shown *shown, int json, int first,
    struct secor_err *err)
{
	int rc = group_record(&offsets->group, shown->topic, shown->partition,
	    &shown->record, shown->text, err);

	if (rc == SECOR_OK)
		rc = group_log(&offsets->group, shown->topic, shown->partition,
		    &shown->low, &shown->high, err);
	if (rc != SECOR_OK)
		return rc;
	shown->halt = judge(offsets, shown);
	if (json)
		json_one(offsets, shown, first);
	else
		text_one(offsets, shown);
	return SECOR_OK;
}

static int
show_topic(struct offsets *offsets, const struct group_topic *topic, int json,
    int *shown_count, struct secor_err *err)
{
	int rc = SECOR_OK;

	for (int32_t p = 0; rc == SECOR_OK && p < topic->partitions; p++) {
		struct shown shown = {.topic = topic->name, .partition = p};

		rc = show_one(offsets, &shown, json, *shown_count == 0, err);
		(*shown_count)++;
	}
	return rc;
}

static void
json_head(const struct offsets *offsets)
{
	struct buf out = {0};

	cli_json_text(&out, "group", offsets->config->kafka.group);
	(void)printf("{%s,\"partitions\":[", out.ptr);
	buf_fini(&out);
}

int
offsets_show(struct offsets *offsets, const struct wish *wish)
{
	const char *topic = wish->topic;
	int json = wish->json;
	struct group_topic *topics = NULL;
	size_t count = 0;
	struct secor_err err;
	int shown_count = 0;
	int rc = group_topics(&offsets->group, &topics, &count, &err);

	if (rc == SECOR_OK && json)
		json_head(offsets);
	for (size_t i = 0; rc == SECOR_OK && i < count; i++)
		if (topic == NULL || strcmp(topic, topics[i].name) == 0)
			rc = show_topic(
			    offsets, &topics[i], json, &shown_count, &err);
	group_topics_free(topics, count);
	if (rc != SECOR_OK)
		return offsets_failed(rc, &err);
	if (json)
		(void)printf("]}\n");
	else if (shown_count == 0)
		(void)printf("no topic that the subscription takes\n");
	return CLI_OK;
}
