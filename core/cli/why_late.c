/*
 * why_late.c -- `secor why`: why an object's records are late, or are not. The
 * manifests say how far the partition was before the batch and behind it; when
 * within it, and Kafka's timestamps, they do not say.
 */
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/why.h"
#include "core/flow/final/spans.h"
#include "core/flow/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* When the path without its first level is over. */
static int
find_over(const struct config_topic *topic, struct spans_path *path,
    int64_t *over_ms, struct secor_err *err)
{
	struct spans *spans = NULL;
	struct span span;
	int rc = spans_new(topic, &spans, err);

	if (rc == SECOR_OK &&
	    spans_find(spans, path, path->level_count, &span) &&
	    span.until <= INT64_MAX - topic->finalize.delay_ms)
		*over_ms = span.until + topic->finalize.delay_ms;
	spans_free(spans);
	return rc;
}

int
why_late_find(const struct config_topic *topic, const struct manifest *m,
    const struct manifest *before, const struct manifest_object *object,
    struct why_late *late, struct secor_err *err)
{
	const struct config_finalize *finalize = &topic->finalize;
	struct secor_event_level *levels;
	struct spans_path path = {
	    .first_ms = object->first_ms, .last_ms = object->last_ms};
	size_t count;
	int rc = SECOR_OK;

	*late = (struct why_late){.over_ms = INT64_MIN,
	    .before_ms = INT64_MIN,
	    .behind_ms = m->watermark};
	if (finalize->late != CONFIG_LATE_SEPARATE || object->dead_letter)
		return SECOR_OK;
	count = path_split(object->path, &levels);
	if (count > 0 && strcmp(levels[0].name, finalize->late_name) == 0) {
		late->is_told = 1;
		late->is_late = levels[0].value != NULL &&
				strcmp(levels[0].value, "true") == 0;
		path.levels = levels + 1;
		path.level_count = count - 1;
		if (object->has_times)
			rc = find_over(topic, &path, &late->over_ms, err);
	}
	if (before != NULL && before->chain == m->previous)
		late->before_ms = before->watermark;
	free(levels);
	return rc;
}

void
why_late_json(struct buf *out, const struct why_late *late)
{
	if (!late->is_told)
		return;
	buf_printf(out, ",\"late\":%s", late->is_late ? "true" : "false");
	cli_json_time(out, "path_over", late->over_ms);
	cli_json_time(out, "watermark_before", late->before_ms);
}

static const char *
since_when(const struct why_late *late)
{
	if (!late->is_late)
		return "the partition was not there when they came";
	if (late->before_ms >= late->over_ms)
		return "the partition was there before the batch began";
	if (late->behind_ms >= late->over_ms)
		return "the partition came there within the batch (the "
		       "manifest does not say at which offset), or the "
		       "broker's timestamps were there";
	return "the broker's timestamps were there";
}

void
why_late_print(const struct why_late *late)
{
	char over[40], before[40], behind[40];

	if (!late->is_told)
		return;
	if (late->over_ms == INT64_MIN) {
		(void)printf("late       %s: its path has no time to be over "
			     "at\n",
		    late->is_late ? "yes" : "no");
		return;
	}
	(void)printf("late       %s: its path is over at %s (its end and "
		     "finalize.delay of now), %s\n",
	    late->is_late ? "yes" : "no", cli_time(late->over_ms, over),
	    since_when(late));
	(void)printf("           watermark %s before the batch, %s behind it\n",
	    late->before_ms == INT64_MIN ? "not known"
					 : cli_time(late->before_ms, before),
	    cli_time(late->behind_ms, behind));
}
