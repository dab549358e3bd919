/*
 * watermark.c -- see watermark.h.
 */
#include "core/flow/final/watermark.h"

static int64_t
part_watermark(const struct view_part *part, int64_t asked_ms, const char **why)
{
	const struct record *record = &part->record;

	*why = NULL;
	switch (record->kind) {
	case RECORD_MISSING:
		if (part->end <= part->low)
			return asked_ms; /* it never had a message */
		*why = "has no record";
		return INT64_MIN;
	case RECORD_FOREIGN:
		*why = "has a record of somebody else";
		return INT64_MIN;
	case RECORD_HALT:
		*why = "is halted";
		return record->w;
	case RECORD_PLAN:
		*why = "stores a batch";
		return record->w;
	case RECORD_CLEAN:
		break;
	}
	if (record->offset >= part->end)
		return asked_ms;
	*why = "lags";
	return record->w;
}

struct watermark
watermark_of(const struct view *view)
{
	struct watermark all = {view->asked_ms, -1, NULL};

	if (view->count == 0)
		return (struct watermark){INT64_MIN, -1, NULL};
	for (size_t p = 0; p < view->count; p++) {
		const char *why;
		int64_t ms =
		    part_watermark(&view->parts[p], view->asked_ms, &why);

		if (why == NULL || ms >= all.ms)
			continue;
		all = (struct watermark){ms, (int32_t)p, why};
	}
	return all;
}
