/*
 * spans.c -- see spans.h. How many levels a partitioner makes is found by
 * asking it for a path: with the value "0" for fields and key, which every
 * partitioner must be able to place.
 */
#include "core/flow/final/spans.h"

#include "core/base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 64 };

struct step {
	const struct plugin *plugin;
	void *self;
	uint32_t inputs;
	size_t field_count;
};

struct spans {
	struct step *steps;
	size_t count;
	const char *late_name; /* NULL: late data amends */
	struct secor_bytes values[MAX_FIELDS];
};

static int
open_step(
    struct step *step, const struct config_use *use, struct secor_err *err)
{
	struct secor_strings fields = {NULL, 0};

	step->plugin = use->plugin;
	if (use->plugin->ops.partitioner->describe != NULL)
		use->plugin->ops.partitioner->describe(
		    use->conf, &step->inputs, &fields);
	step->field_count = fields.count;
	return config_open(use, NULL, &step->self, err);
}

int
spans_new(const struct config_topic *topic, struct spans **spans,
    struct secor_err *err)
{
	struct spans *made = mem_alloc(sizeof(*made));
	int rc = SECOR_OK;

	if (topic->finalize.late == CONFIG_LATE_SEPARATE)
		made->late_name = topic->finalize.late_name;
	for (size_t i = 0; i < MAX_FIELDS; i++)
		made->values[i] = (struct secor_bytes){"0", 1};
	made->steps =
	    mem_alloc(topic->partitioners.count * sizeof(*made->steps));
	for (size_t i = 0; rc == SECOR_OK && i < topic->partitioners.count;
	     i++) {
		rc = open_step(
		    &made->steps[i], &topic->partitioners.items[i], err);
		made->count = i + 1;
	}
	if (rc != SECOR_OK) {
		spans_free(made);
		return rc;
	}
	*spans = made;
	return SECOR_OK;
}

void
spans_free(struct spans *spans)
{
	if (spans == NULL)
		return;
	for (size_t i = 0; i < spans->count; i++)
		if (spans->steps[i].self != NULL)
			spans->steps[i].plugin->ops.partitioner->close(
			    spans->steps[i].self);
	free(spans->steps);
	free(spans);
}

/* ---- one partitioner ---- */

static int
ask(const struct spans *spans, const struct step *step, int64_t time_ms,
    struct secor_route_out *out)
{
	struct secor_route_in in = {.size = sizeof(in),
	    .time_ms = time_ms,
	    .key = {"0", 1},
	    .fields = spans->values,
	    .field_count = step->field_count};
	struct secor_err err = {{0}};

	*out = (struct secor_route_out){.size = sizeof(*out),
	    .time_from = INT64_MIN,
	    .time_until = INT64_MAX,
	    .offset_from = INT64_MIN,
	    .offset_until = INT64_MAX};
	return step->field_count <= MAX_FIELDS &&
	       step->plugin->ops.partitioner->route(
		   step->self, &in, out, &err) == SECOR_OK;
}

static int
is_text(const struct secor_bytes *made, const char *found)
{
	if (made->ptr == NULL || made->len == 0)
		return found == NULL || found[0] == '\0';
	return found != NULL && strlen(found) == made->len &&
	       memcmp(found, made->ptr, made->len) == 0;
}

/* Whether the path has what the partitioner makes of this time. */
static int
is_same(const struct secor_route_out *made,
    const struct secor_event_level *levels, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_text(&made->levels[i].name, levels[i].name) ||
		    !is_text(&made->levels[i].value, levels[i].value))
			return 0;
	return 1;
}

static int
has_span(const struct step *step)
{
	return step->plugin->ops.partitioner->span != NULL &&
	       (step->inputs & SECOR_ROUTE_BY_TIME) != 0;
}

static void
put_levels(struct buf *text, const struct secor_route_out *out, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_put(text, out->levels[i].name.ptr, out->levels[i].name.len);
		buf_putc(text, '\0');
		buf_put(
		    text, out->levels[i].value.ptr, out->levels[i].value.len);
		buf_putc(text, '\0');
	}
}

/* What a partitioner makes of a time. */
struct made {
	const struct step *step;
	int64_t time_ms;
	struct secor_route_out out;
};

/* Where clocks are set back levels come again, an hour later or half of one:
 * they end with their last time. */
static void
wait_for_clocks(const struct spans *spans, const struct made *made,
    uint32_t count, int64_t *until)
{
	static const int64_t shifts[] = {20, 30, 60, 120, 180};
	struct buf before = {0}, after = {0};
	struct secor_route_out again;
	int64_t from, end;

	put_levels(&before, &made->out, count);
	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		int64_t later = made->time_ms + shifts[i] * 60000;

		if (later < *until || !ask(spans, made->step, later, &again))
			continue;
		after.len = 0;
		put_levels(&after, &again, count);
		if (after.len == before.len &&
		    memcmp(after.ptr, before.ptr, before.len) == 0 &&
		    made->step->plugin->ops.partitioner->span(made->step->self,
			later, count, &from, &end) == SECOR_OK)
			*until = end;
	}
	buf_fini(&before);
	buf_fini(&after);
}

/* Narrows `span` to the time of the first `count` levels of this partitioner.
 * 0: the path's times are not those of its levels. `made`: of its first time.
 */
static int
narrow(const struct spans *spans, const struct made *made, int64_t last_ms,
    uint32_t count, struct span *span)
{
	const struct step *step = made->step;
	int64_t from, until;

	if (step->plugin->ops.partitioner->span(
		step->self, made->time_ms, count, &from, &until) != SECOR_OK)
		return 0;
	if (until < INT64_MAX)
		wait_for_clocks(spans, made, count, &until);
	if (last_ms >= until)
		return 0;
	if (from > span->from)
		span->from = from;
	if (until < span->until)
		span->until = until;
	return 1;
}

/* Of time alone: what it makes can be compared. */
static int
is_pure(const struct step *step)
{
	return step->field_count == 0 && step->inputs == SECOR_ROUTE_BY_TIME;
}

/* Whether a path begins with the component of late data. */
static int
has_late(const struct spans *spans, const struct spans_path *path)
{
	return spans->late_name != NULL && path->level_count > 0 &&
	       path->levels[0].name != NULL &&
	       strcmp(path->levels[0].name, spans->late_name) == 0;
}

int
spans_find(struct spans *spans, const struct spans_path *path, size_t count,
    struct span *span)
{
	size_t at = 0;

	span->from = INT64_MIN;
	span->until = INT64_MAX;
	if (has_late(spans, path)) {
		const char *is = path->levels[0].value;

		if (is == NULL || strcmp(is, "false") != 0)
			return 0;
		at = 1;
	}
	for (size_t i = 0; i < spans->count; i++) {
		struct made made = {&spans->steps[i], path->first_ms, {0}};
		size_t levels, mine;

		if (!ask(spans, made.step, made.time_ms, &made.out) ||
		    at + made.out.level_count > path->level_count)
			return 0;
		levels = made.out.level_count;
		mine = at >= count ? 0 : count - at;
		mine = mine < levels ? mine : levels;
		if (mine > 0 && has_span(made.step)) {
			if (is_pure(made.step) &&
			    !is_same(&made.out, &path->levels[at], mine))
				return 0;
			if (!narrow(spans, &made, path->last_ms, (uint32_t)mine,
				span))
				return 0;
		}
		at += levels;
	}
	return at == path->level_count && span->from > INT64_MIN &&
	       span->until < INT64_MAX;
}

int64_t
spans_reach(struct spans *spans, int64_t time_ms)
{
	int64_t reach = time_ms;

	for (size_t i = 0; i < spans->count; i++) {
		const struct step *step = &spans->steps[i];
		struct secor_route_out made;
		int64_t from, until;

		if (!has_span(step) || !ask(spans, step, time_ms, &made))
			continue;
		for (uint32_t n = 1; n <= made.level_count; n++)
			if (step->plugin->ops.partitioner->span(step->self,
				time_ms, n, &from, &until) == SECOR_OK &&
			    from > INT64_MIN && from < reach)
				reach = from;
	}
	return reach;
}
