/*
 * event.c -- what is made of an event: the paths of it that are not known yet,
 * in rounds of as many as one call takes, and the worst of what they come to.
 */
#include "plugins/notifier/glue/glue.h"

#include "plugins/common/event_objects.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_MOST = 1024 };

struct round {
	struct glue *glue;
	const char *topic;
	const char *name; /* of its table, as the options have it */
	const struct glue_sums *sums;
	struct glue_want *wants; /* GLUE_CHUNK */
	size_t count;
	int worst; /* of all paths */
	size_t failed;
	struct secor_err why; /* of the first of the worst */
};

static void
note(struct round *round, const char *path, int rc, const char *why)
{
	round->failed++;
	if (round->worst == SECOR_RETRY ||
	    (round->worst != SECOR_OK && rc != SECOR_RETRY))
		return;
	round->worst = secor_fail(&round->why, rc,
	    "table %.130s, path %.250s: %.500s", round->name, path, why);
}

static int
check_levels(const struct secor_event_object *object, struct secor_err *err)
{
	int rc = SECOR_OK;

	for (uint32_t i = 0; rc == SECOR_OK && i < object->level_count; i++) {
		const struct secor_event_level *level = &object->levels[i];

		rc = hive_level_check(level, object->path, err);
		if (rc == SECOR_OK && level->value != NULL &&
		    strlen(level->value) > VALUE_MOST)
			rc = secor_fail(err, SECOR_REJECT,
			    "the value of level '%.100s' is longer than the "
			    "%d bytes that Glue takes",
			    level->name, VALUE_MOST);
	}
	return rc;
}

/* The folder of the object. */
static int
set_location(struct glue_want *want, struct secor_err *err)
{
	const char *url = want->object->url;
	const char *slash = url != NULL ? strrchr(url, '/') : NULL;
	size_t n = slash != NULL ? (size_t)(slash - url) : 0;

	if (n == 0)
		return secor_fail(err, SECOR_REJECT,
		    "the store has no address for its objects");
	if (n >= sizeof(want->location))
		return secor_fail(err, SECOR_REJECT,
		    "its location is longer than Glue takes");
	memcpy(want->location, url, n);
	want->location[n] = '\0';
	if (!utf8_is(want->location))
		return secor_fail(
		    err, SECOR_REJECT, "its location is not UTF-8");
	return SECOR_OK;
}

static int
make_want(struct round *round, const struct secor_event_object *object,
    struct secor_err *err)
{
	struct glue_want *want = &round->wants[round->count];
	int rc = check_levels(object, err);

	*want = (struct glue_want){.object = object};
	if (rc == SECOR_OK)
		rc = set_location(want, err);
	if (rc == SECOR_OK)
		round->count++;
	return rc;
}

static size_t
rejects(const struct round *round)
{
	size_t n = 0;

	for (size_t i = 0; i < round->count; i++)
		n += round->wants[i].state == GLUE_FAILED &&
		     round->wants[i].status == SECOR_REJECT;
	return n;
}

static void
set_failed(struct glue_want *want, int rc, const char *why)
{
	want->state = GLUE_FAILED;
	want->status = rc;
	(void)snprintf(want->why, sizeof(want->why), "%.500s", why);
}

static void
try_wants(struct round *round, const struct glue_table *table)
{
	const struct glue_job job = {.glue = round->glue,
	    .table = table,
	    .wants = round->wants,
	    .count = round->count,
	    .sums = round->sums};
	struct secor_err err;
	int rc;

	for (size_t i = 0; i < round->count; i++) {
		struct glue_want *want = &round->wants[i];

		if (want->state != GLUE_TODO)
			continue;
		rc = glue_table_check(table, want->object, &err);
		if (rc != SECOR_OK)
			set_failed(want, rc, err.text);
	}
	glue_register(&job);
}

/* Once more what was rejected, by a table that is not of an earlier event. */
static void
try_again(struct round *round, struct glue_table *table)
{
	struct secor_err err;
	int rc;

	if (rejects(round) == 0 || table->round == round->glue->round)
		return;
	rc = glue_table_again(round->glue, &table, &err);
	for (size_t i = 0; i < round->count; i++) {
		struct glue_want *want = &round->wants[i];

		if (want->state != GLUE_FAILED || want->status != SECOR_REJECT)
			continue;
		if (rc == SECOR_OK)
			want->state = GLUE_TODO;
		else
			set_failed(want, rc, err.text);
	}
	if (rc == SECOR_OK)
		try_wants(round, table);
}

/* All that was collected. */
static void
flush(struct round *round)
{
	struct glue_table *table;
	struct secor_err err;
	int rc;

	if (round->count == 0)
		return;
	rc = glue_table_get(round->glue, round->name, &table, &err);
	if (rc == SECOR_OK) {
		try_wants(round, table);
		try_again(round, table);
	}
	for (size_t i = 0; i < round->count; i++) {
		const struct glue_want *want = &round->wants[i];

		if (rc != SECOR_OK)
			note(round, want->object->path, rc, err.text);
		else if (want->state == GLUE_DONE)
			hive_seen_add(round->glue->seen, round->topic,
			    want->object->path);
		else
			note(
			    round, want->object->path, want->status, want->why);
	}
	round->count = 0;
}

static int
is_known(const struct round *round, const struct secor_event_object *object)
{
	for (size_t i = 0; i < round->count; i++)
		if (strcmp(round->wants[i].object->path, object->path) == 0)
			return 1;
	return hive_seen_has(round->glue->seen, round->topic, object->path);
}

static void
add_object(struct round *round, const struct secor_event_object *object)
{
	struct secor_err err;
	int rc;

	if (object->level_count == 0)
		return; /* lies in the table's own folder */
	rc = make_want(round, object, &err);
	if (rc != SECOR_OK)
		note(round, object->path, rc, err.text);
	if (round->count == GLUE_CHUNK)
		flush(round);
}

/* SECOR_OK: the round has a table, if the topic does. */
static int
begin(struct round *round, struct glue *glue, const char *topic,
    struct text *table, struct secor_err *err)
{
	int rc = hive_table_of(&glue->conf->table, topic, table, err);

	memset(round, 0, sizeof(*round));
	if (rc != SECOR_OK || table->len == 0)
		return rc;
	round->glue = glue;
	round->topic = topic;
	round->name = table->ptr;
	round->wants = calloc(GLUE_CHUNK, sizeof(*round->wants));
	glue->round++;
	return round->wants != NULL
		   ? SECOR_OK
		   : secor_fail(err, SECOR_RETRY, "out of memory");
}

static int
end(struct round *round, struct secor_err *err)
{
	if (round->wants != NULL)
		flush(round);
	if (round->wants != NULL && round->glue->gone) {
		/* what was in it went with it */
		glue_table_forget(round->glue, round->name);
		seen_clear(round->glue->seen);
		round->glue->gone = 0;
	}
	free(round->wants);
	if (round->worst != SECOR_OK && round->failed > 1)
		return secor_fail(err, round->worst, "%s (and %zu more)",
		    round->why.text, round->failed - 1);
	if (round->worst != SECOR_OK)
		return secor_fail(err, round->worst, "%s", round->why.text);
	return SECOR_OK;
}

int
glue_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	struct glue *glue = self;
	const struct secor_event_object *object = batch->objects;
	struct text table = {0};
	struct round round;
	int rc;

	if (glue->conf->table.add == HIVE_ADD_FINALIZED)
		return SECOR_OK;
	rc = begin(&round, glue, batch->topic, &table, err);
	for (size_t i = 0;
	     rc == SECOR_OK && round.wants != NULL &&
	     round.worst != SECOR_RETRY && i < batch->object_count;
	     i++) {
		if (!is_known(&round, object))
			add_object(&round, object);
		object = event_objects_next(object);
	}
	if (rc == SECOR_OK)
		rc = end(&round, err);
	text_fini(&table);
	return rc;
}

static struct glue_sums
sums_of(const struct secor_event_path *path)
{
	if (path->size < sizeof(*path))
		return (struct glue_sums){0}; /* an older engine's */
	return (struct glue_sums){.objects = path->total_objects,
	    .records = path->total_records,
	    .bytes = path->total_bytes};
}

int
glue_path(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	const struct glue_sums sums = sums_of(path);
	struct text table = {0};
	struct round round;
	int rc;

	if (!event_path_is_whole(path))
		return SECOR_OK; /* a level above partitions */
	rc = begin(&round, self, path->topic, &table, err);
	if (rc == SECOR_OK && round.wants != NULL) {
		round.sums = path->size >= sizeof(*path) ? &sums : NULL;
		add_object(&round, path->objects);
	}
	if (rc == SECOR_OK)
		rc = end(&round, err);
	text_fini(&table);
	return rc;
}
