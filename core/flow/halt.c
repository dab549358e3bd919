/*
 * halt.c -- a partition that cannot go on without a person stops, and says what
 * happened, which command goes on, and what that costs. Thread: consumer.
 */
#include "core/base/log.h"
#include "core/flow/flow.h"
#include "core/flow/remedy.h"

#include <stdarg.h>
#include <string.h>

int
halt_due(const struct part *part)
{
	enum halt reason = part->halt;

	/* a plan must stay: what follows it is seen by whoever ends it */
	if (part->state != PART_HALTED || part->record.kind != RECORD_CLEAN)
		return 0;
	return reason == HALT_BAD_MESSAGES || reason == HALT_BAD_MESSAGE ||
	       reason == HALT_DATA_LOSS || reason == HALT_OLDER ||
	       reason == HALT_GONE || reason == HALT_LOG_CUT;
}

void
halt_commit(struct part *part)
{
	struct record record = part->record;

	record.kind = RECORD_HALT;
	record.r = part->halt;
	commit_submit(part, &record);
}

void
halt(struct part *part, enum halt reason, const char *fmt, ...)
{
	const struct halt_place place = {
	    part->engine->config->file, part->topic, part->partition};
	struct buf remedy = {0};
	char quoted[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(part->halt_text, sizeof(part->halt_text), fmt, ap);
	va_end(ap);
	log_line(SECOR_ERROR, "partition halted",
	    "topic=%s partition=%d offset=%lld reason=%s what=%s", part->topic,
	    part->partition, (long long)part->record.offset, halt_name(reason),
	    log_quote(quoted, sizeof(quoted), part->halt_text));
	halt_remedy(reason, &place, &remedy);
	log_line(SECOR_ERROR, "partition halted: remedy",
	    "topic=%s partition=%d remedy=%s", part->topic, part->partition,
	    log_quote(quoted, sizeof(quoted), remedy.ptr));
	buf_fini(&remedy);
	part_drop_batches(part);
	pause_set(part, PAUSE_HALT);
	part->halt = reason;
	part->state = PART_HALTED; /* advance() or the next tick commits it */
}

void
halt_behind(struct part *part, enum halt reason, const char *fmt, ...)
{
	char text[sizeof(part->halt_text)];
	char quoted[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (part->past == NULL) {
		halt(part, reason, "%s", text);
		return;
	}
	log_line(SECOR_WARN, "partition halts behind its batch",
	    "topic=%s partition=%d end=%lld reason=%s what=%s", part->topic,
	    part->partition, (long long)part->past->end, halt_name(reason),
	    log_quote(quoted, sizeof(quoted), text));
	part_drop_cur(part);
	part->next = part->past->end;
	(void)snprintf(part->halt_text, sizeof(part->halt_text), "%s", text);
	part->halt_next = reason;
	pause_set(part, PAUSE_HALT);
}

void
halt_now(struct part *part)
{
	enum halt reason = part->halt_next;
	char text[sizeof(part->halt_text)];

	part->halt_next = HALT_NONE;
	memcpy(text, part->halt_text, sizeof(text));
	halt(part, reason, "%s", text);
}
