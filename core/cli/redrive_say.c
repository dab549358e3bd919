/*
 * redrive_say.c -- what a redrive did, or would do: a line or a JSON object a
 * batch, and the sum.
 */
#include "core/base/text.h"
#include "core/cli/args.h"
#include "core/cli/redrive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- sums ---- */

static void
add_sums(struct redrive_sums *to, const struct redrive_sums *more)
{
	to->letters += more->letters;
	to->before += more->before;
	to->left_out += more->left_out;
	to->stored += more->stored;
	to->bad += more->bad;
	to->filtered += more->filtered;
	to->objects += more->objects;
	to->gone += more->gone;
}

static void
add_reason(struct redrive_reasons *reasons, const struct receipt_bad *bad)
{
	size_t i;

	for (i = 0; i < reasons->count; i++)
		if (strcmp(reasons->items[i].text, bad->reason) == 0)
			break;
	if (i == REDRIVE_REASONS) {
		reasons->others += bad->offsets.offsets;
		return;
	}
	if (i == reasons->count) {
		reasons->items[i].text =
		    mem_dup(bad->reason, strlen(bad->reason));
		reasons->items[i].count = 0;
		reasons->count++;
	}
	reasons->items[i].count += bad->offsets.offsets;
}

void
redrive_forget(struct redrive *redrive)
{
	for (size_t i = 0; i < redrive->reasons.count; i++)
		free(redrive->reasons.items[i].text);
	memset(&redrive->reasons, 0, sizeof(redrive->reasons));
	memset(&redrive->total, 0, sizeof(redrive->total));
	buf_fini(&redrive->lines);
}

/* ---- one source ---- */

static void
json_number(struct buf *out, const char *name, uint64_t number)
{
	buf_printf(out, ",\"%s\":%" PRIu64, name, number);
}

static void
json_sums(struct buf *out, const struct redrive_sums *sums)
{
	json_number(out, "dead_letters", sums->letters);
	json_number(out, "stored", sums->stored);
	json_number(out, "objects", sums->objects);
	json_number(out, "still_bad", sums->bad);
	json_number(out, "filtered", sums->filtered);
	json_number(out, "stored_before", sums->before);
	json_number(out, "left_out", sums->left_out);
	json_number(out, "gone", sums->gone);
}

static void
json_source(struct redrive *redrive, const struct redrive_source *source,
    const struct redrive_said *said)
{
	struct buf *out = &redrive->lines;
	const struct receipt *receipt = said->receipt;

	buf_puts(out, out->len > 0 ? ",\n{" : "\n{");
	cli_json_text(out, "key", source->key);
	buf_printf(out,
	    ",\"partition\":%" PRId32 ",\"start\":%" PRId64 ",\"end\":%" PRId64
	    ",",
	    source->partition, source->start, source->end);
	cli_json_text(out, "state", said->state);
	buf_putc(out, ',');
	cli_json_text(out, "text", said->text);
	if (said->sums != NULL)
		json_sums(out, said->sums);
	if (receipt != NULL && receipt->object_count > 0) {
		buf_printf(
		    out, ",\"number\":%" PRId64 ",\"keys\":[", receipt->number);
		for (size_t i = 0; i < receipt->object_count; i++) {
			const char *key = receipt->objects[i].key;

			buf_puts(out, i == 0 ? "" : ",");
			json_put_string(out, key, strlen(key));
		}
		buf_putc(out, ']');
	}
	buf_putc(out, '}');
}

static void
put_count(struct buf *out, uint64_t count, const char *what)
{
	if (count > 0)
		buf_printf(out, ", %" PRIu64 " %s", count, what);
}

static void
line_sums(struct buf *out, const struct redrive *redrive,
    const struct redrive_sums *sums)
{
	if (sums->stored > 0)
		buf_printf(out, ", %" PRIu64 " %s in %" PRIu64 " object%s",
		    sums->stored, redrive->dry ? "to store" : "stored",
		    sums->objects, sums->objects == 1 ? "" : "s");
	put_count(out, sums->bad, "still bad");
	put_count(out, sums->filtered, "filtered: they stay dead letters");
	put_count(out, sums->before, "stored before");
	put_count(out, sums->left_out, "not asked for");
}

static void
line_abandoned(struct buf *out, const struct redrive *redrive,
    const struct redrive_said *said)
{
	buf_printf(out, ": %s ", redrive->dry ? "takes back" : "took back");
	if (said->receipt == NULL)
		buf_puts(out, "what a run left that had planned nothing");
	else
		buf_printf(out, "plan %" PRId64 " and its %zu objects",
		    said->receipt->number, said->receipt->object_count);
}

static void
line_source(const struct redrive *redrive, const struct redrive_source *source,
    const struct redrive_said *said)
{
	const struct redrive_sums *sums = said->sums;
	struct buf out = {0};

	buf_printf(&out, "%s/%" PRId32, redrive->topic, source->partition);
	if (source->start >= 0)
		buf_printf(&out, " batch %" PRId64 "..%" PRId64, source->start,
		    source->end - 1);
	if (said->text != NULL)
		buf_printf(&out, ": %s: %s", said->state, said->text);
	else if (strcmp(said->state, "abandoned") == 0)
		line_abandoned(&out, redrive, said);
	else if (sums->gone > 0)
		buf_printf(&out, ": its %" PRIu64 " dead letters are gone: %s",
		    sums->gone, source->key);
	else {
		buf_printf(&out, ": %" PRIu64 " dead letters", sums->letters);
		line_sums(&out, redrive, sums);
		if (strcmp(said->state, "finished") == 0)
			buf_puts(&out, ", as an earlier run planned it");
	}
	(void)printf("%s\n", out.ptr);
	buf_fini(&out);
}

void
redrive_say(struct redrive *redrive, const struct redrive_source *source,
    const struct redrive_said *said)
{
	const struct receipt *receipt = said->receipt;

	if (said->sums != NULL)
		add_sums(&redrive->total.sums, said->sums);
	for (size_t i = 0; receipt != NULL && i < receipt->bad_count; i++)
		add_reason(&redrive->reasons, &receipt->bad[i]);
	if (strcmp(said->state, "finished") == 0)
		redrive->total.finished++;
	if (strcmp(said->state, "abandoned") == 0)
		redrive->total.abandoned++;
	cli_progress(NULL);
	if (redrive->json)
		json_source(redrive, source, said);
	else
		line_source(redrive, source, said);
}

void
redrive_refuse(struct redrive *redrive, const struct redrive_source *source,
    const char *why)
{
	const struct redrive_said said = {.state = "refused", .text = why};

	redrive->total.refused++;
	redrive_say(redrive, source, &said);
}

/* ---- the sum ---- */

static void
json_sum(const struct redrive *redrive)
{
	const struct redrive_total *total = &redrive->total;
	struct buf out = {0};

	buf_puts(&out, "{");
	cli_json_text(&out, "topic", redrive->topic);
	buf_printf(&out, ",\"dry_run\":%s,\"batches\":[%s],\"still_bad\":[",
	    redrive->dry ? "true" : "false",
	    redrive->lines.ptr == NULL ? "" : redrive->lines.ptr);
	for (size_t i = 0; i < redrive->reasons.count; i++) {
		buf_puts(&out, i == 0 ? "\n{" : ",\n{");
		cli_json_text(&out, "reason", redrive->reasons.items[i].text);
		json_number(&out, "count", redrive->reasons.items[i].count);
		buf_putc(&out, '}');
	}
	buf_printf(&out, "],\"totals\":{\"batches\":%" PRIu64, total->sources);
	json_sums(&out, &total->sums);
	json_number(&out, "finished", total->finished);
	json_number(&out, "abandoned", total->abandoned);
	json_number(&out, "refused", total->refused);
	(void)printf("%s}}\n", out.ptr);
	buf_fini(&out);
}

/* Who hears of what was stored. */
static void
line_heard(const struct redrive *redrive)
{
	const struct config_finalize *finalize = &redrive->settings->finalize;
	int apart = finalize->late == CONFIG_LATE_SEPARATE;

	if (apart)
		(void)printf("it is in %s=true\n", finalize->late_name);
	else if (finalize->delay_ms >= 0)
		(void)puts("the finalizer amends paths that were over");
	if ((apart || finalize->delay_ms < 0) &&
	    redrive->config->notifiers.count > 0)
		(void)puts("notifiers are not told of it");
}

static void
line_sum(const struct redrive *redrive)
{
	const struct redrive_total *total = &redrive->total;
	const struct redrive_reasons *reasons = &redrive->reasons;
	struct buf out = {0};

	buf_printf(&out,
	    "%" PRIu64 " dead letters in %" PRIu64 " dead-letter objects",
	    total->sums.letters, total->sources);
	line_sums(&out, redrive, &total->sums);
	put_count(&out, total->sums.gone, "gone with their objects");
	put_count(&out, total->refused, "refused");
	(void)printf("%s\n", out.ptr);
	for (size_t i = 0; i < reasons->count; i++)
		(void)printf("  %" PRIu64 " still bad: %s\n",
		    reasons->items[i].count, reasons->items[i].text);
	if (reasons->others > 0)
		(void)printf("  %" PRIu64 " still bad for other reasons\n",
		    reasons->others);
	if (!redrive->dry && total->sums.stored > 0)
		line_heard(redrive);
	buf_fini(&out);
}

void
redrive_sum(const struct redrive *redrive)
{
	if (redrive->json)
		json_sum(redrive);
	else if (!redrive->abandon)
		line_sum(redrive);
	else if (redrive->total.abandoned == 0)
		(void)puts("there is nothing to take back");
}
