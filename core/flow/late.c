/*
 * late.c -- see late.h. Invariant: when a route is over is a function of its
 * span alone, not of the message that was the first of it.
 */
#include "core/flow/late.h"

#include "core/flow/final/spans.h"
#include "core/flow/path.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct late {
	struct spans *spans;
	int64_t delay_ms;
	int capped;			   /* by Kafka's timestamps */
	struct secor_level_text levels[2]; /* in time, late */
	int64_t *over_ms; /* by route: end and delay; INT64_MAX: never */
};

int
late_new(const struct config_topic *topic, size_t routes, struct late **late,
    struct secor_err *err)
{
	const struct config_finalize *finalize = &topic->finalize;
	const char *name = finalize->late_name;
	struct late *made;
	int rc;

	if (finalize->late != CONFIG_LATE_SEPARATE)
		return SECOR_OK;
	made = mem_alloc(sizeof(*made));
	made->delay_ms = finalize->delay_ms;
	made->capped = topic->accept_future_ms >= 0;
	for (int i = 0; i < 2; i++) {
		const char *value = i == 0 ? "false" : "true";

		made->levels[i].name = (struct secor_bytes){name, strlen(name)};
		made->levels[i].value =
		    (struct secor_bytes){value, strlen(value)};
	}
	rc = spans_new(topic, &made->spans, err);
	if (rc != SECOR_OK) {
		late_free(made);
		return rc;
	}
	made->over_ms = mem_alloc(routes * sizeof(*made->over_ms));
	*late = made;
	return SECOR_OK;
}

void
late_free(struct late *late)
{
	if (late == NULL)
		return;
	spans_free(late->spans);
	free(late->over_ms);
	free(late);
}

/* ---- paths ---- */

static void
put_level(struct buf *text, const struct secor_level_text *level)
{
	struct secor_err err;
	int rc = path_level(text, level, &err);

	assert(rc == SECOR_OK); /* a name that the configuration accepts */
}

void
late_begin(
    const struct late *late, struct buf *text, struct secor_route_out *all)
{
	put_level(text, &late->levels[0]);
	all->levels[0] = late->levels[0];
	all->level_count = 1;
}

struct path *
late_twin(const struct late *late, struct paths *paths, struct path *path)
{
	struct secor_level_text levels[SECOR_MAX_LEVELS];
	struct buf text = {0};
	struct path *twin, *overflow;

	if (path->late != NULL)
		return path->late;
	memcpy(levels, path->levels, path->level_count * sizeof(*levels));
	levels[0] = late->levels[1];
	put_level(&text, &levels[0]);
	buf_puts(&text, path->text + strcspn(path->text, "/"));
	twin = paths_get(paths, &text, levels, path->level_count);
	buf_fini(&text);
	path->late = paths_ref(twin);
	if (path->overflow != NULL && twin->overflow == NULL) {
		overflow = late_twin(late, paths, path->overflow);
		twin->overflow = paths_ref(overflow);
		twin->most = path->most;
		twin->value_hash = path->value_hash;
	}
	return twin;
}

/* ---- times ---- */

static int
find(const struct late *late, const struct path *path, int64_t time_ms,
    struct span *span)
{
	struct secor_event_level *levels;
	struct spans_path at = {.first_ms = time_ms, .last_ms = time_ms};
	int found;

	at.level_count = path_split(path->text, &levels);
	at.levels = levels;
	found = spans_find(late->spans, &at, at.level_count, span);
	free(levels);
	return found;
}

void
late_remember(
    struct late *late, size_t route, const struct path *path, int64_t time_ms)
{
	struct span span;

	late->over_ms[route] = INT64_MAX;
	/* once more from its begin: the same for every message in it */
	if (time_ms == SECOR_NO_TIME || !find(late, path, time_ms, &span) ||
	    !find(late, path, span.from, &span) ||
	    span.until > INT64_MAX - late->delay_ms)
		return;
	late->over_ms[route] = span.until + late->delay_ms;
}

int
late_is(const struct late *late, size_t route, int64_t clock_ms,
    const struct secor_message *message)
{
	int64_t over_ms = late->over_ms[route];

	return over_ms <= clock_ms ||
	       (message->timestamp_type == SECOR_TIMESTAMP_APPEND &&
		   over_ms <= message->timestamp_ms);
}

int64_t
late_clock(const struct late *late, int64_t clock_ms,
    const struct secor_record *record)
{
	int64_t kafka_ms = record->message->timestamp_ms;
	int64_t ms = record->time_ms;

	if (late->capped && kafka_ms != SECOR_NO_TIME && kafka_ms < ms)
		ms = kafka_ms;
	return ms > clock_ms ? ms : clock_ms;
}
