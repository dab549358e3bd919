/*
 * verify_kafka.c -- offsets that no object has, read again from the topic:
 * there must be no message (a transaction's marker, aborted, compacted away).
 *
 * Where every object of a batch gave its offsets, single offsets are known;
 * otherwise the messages of the batch are counted.
 */
#include "core/cli/verify.h"

/* One reading of a span. */
struct counting {
	const struct offset_set *stored; /* NULL: none of them is */
	uint64_t messages;		 /* that are not stored */
	int64_t first;			 /* of them */
};

static int
count(void *to, int64_t offset, struct secor_err *err)
{
	struct counting *counting = to;

	(void)err;
	if (counting->stored != NULL &&
	    offset_set_has(counting->stored, offset))
		return SECOR_OK;
	if (counting->messages++ == 0)
		counting->first = offset;
	return SECOR_OK;
}

static int
read_span(struct verify *verify, const struct verify_span *span,
    struct counting *counting, struct secor_err *err)
{
	return verify->log->read(verify->log->arg, span, count, counting, err);
}

int
verify_confirm_span(struct verify *verify, const struct verify_span *span,
    int64_t low, struct secor_err *err)
{
	struct verify_span left = *span;
	struct counting counting = {.first = -1};
	struct verify_report report = {.found = 1,
	    .kind = "unstored",
	    .topic = span->topic,
	    .partition = span->partition,
	    .end = span->end};
	int rc;

	if (left.start < low)
		left.start = low < left.end ? low : left.end;
	verify->totals.gone += (uint64_t)(left.start - span->start);
	if (left.start == left.end)
		return SECOR_OK;
	rc = read_span(verify, &left, &counting, err);
	if (rc != SECOR_OK)
		return rc;
	verify->totals.confirmed +=
	    (uint64_t)(left.end - left.start) - counting.messages;
	report.start = counting.first;
	if (counting.messages > 0)
		verify_say(verify, &report,
		    "the topic has %" PRIu64
		    " messages there, the first at offset %" PRId64
		    ": no batch has them",
		    counting.messages, counting.first);
	return SECOR_OK;
}

/* How many messages of the span are meant not to be in what was counted. */
static uint64_t
unstored(const struct manifest *m)
{
	uint64_t dead = 0;

	for (size_t i = 0; i < m->object_count; i++)
		if (m->objects[i].dead_letter)
			dead += m->objects[i].records;
	return m->filtered + (dead > m->bad ? 0 : m->bad - dead);
}

static void
judge(struct verify *verify, const struct manifest *m,
    const struct counting *counting, uint64_t expected)
{
	struct verify_report report = verify_about(m, 1, "unstored", NULL);

	if (counting->messages > expected) {
		if (counting->stored != NULL)
			report.start = counting->first;
		verify_say(verify, &report,
		    "the topic has %" PRIu64 " messages there that %s, the "
		    "first at offset %" PRId64 ": %" PRIu64 " are accounted "
		    "for",
		    counting->messages,
		    counting->stored != NULL ? "no object has" : "count",
		    counting->first, expected);
	} else if (counting->messages < expected) {
		report.found =
		    verify->config->kafka.compacted != CONFIG_COMPACTED_ALLOW;
		report.kind = "vanished";
		verify_say(verify, &report,
		    "the topic has only %" PRIu64 " of %" PRIu64
		    " messages there%s",
		    counting->messages, expected,
		    report.found ? "" : " any more: it is compacted");
	}
}

/* The offsets of the batch that are read again: from the first that no object
 * has to the last; of the others only the number is known. */
static void
span_of(const struct verify_batch *batch, struct verify_span *span)
{
	const struct manifest *m = batch->manifest;
	int64_t at;

	*span = (struct verify_span){m->topic, m->partition, m->start, m->end};
	if (!batch->complete)
		return;
	span->start = offset_set_next(&batch->offsets, m->start, m->end, 0);
	at = span->start;
	span->end = at;
	while (at < m->end) {
		at = offset_set_next(&batch->offsets, at, m->end, 1);
		span->end = at;
		at = offset_set_next(&batch->offsets, at, m->end, 0);
	}
}

int
verify_confirm_batch(struct verify *verify, const struct verify_batch *batch,
    int64_t low, struct secor_err *err)
{
	const struct manifest *m = batch->manifest;
	struct counting counting = {
	    .stored = batch->complete ? &batch->offsets : NULL, .first = -1};
	uint64_t expected = batch->complete ? unstored(m) : m->messages;
	uint64_t width = (uint64_t)(m->end - m->start);
	uint64_t quiet = m->messages > width ? 0 : width - m->messages;
	struct verify_span span;
	int rc;

	if (m->cut == CUT_GAP)
		return SECOR_OK;
	if (batch->complete && batch->offsets.count + expected == width)
		return SECOR_OK;
	if (!batch->complete && quiet == 0)
		return SECOR_OK; /* a message at every offset */
	if (m->start < low) {
		verify->totals.gone += quiet;
		return SECOR_OK;
	}
	span_of(batch, &span);
	rc = read_span(verify, &span, &counting, err);
	if (rc != SECOR_OK)
		return rc;
	judge(verify, m, &counting, expected);
	if (counting.messages == expected)
		verify->totals.confirmed += quiet;
	return SECOR_OK;
}
