/*
 * batch.c -- batches and their objects. Thread: consumer, all of it.
 *
 * Invariant: a batch that is dropped stays until every put that is out has come
 * back, so an answer never points into freed memory (answers of seals arrive
 * without an owner after the drop).
 */
#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/flow/deadletter.h"
#include "core/flow/flow.h"
#include "core/flow/path.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct batch *
batch_new(struct part *part, struct lane *lane, int64_t start)
{
	struct batch *batch = mem_alloc(sizeof(*batch));

	batch->part = part;
	batch->lane = lane;
	batch->start = batch->end = start;
	batch->before_ms =
	    part->past != NULL ? batch_watermark(part->past) : part->record.w;
	batch->clock_ms = batch->before_ms;
	return batch;
}

static void
object_free(struct object *object)
{
	struct batch *batch = object->batch;

	if (object->staged != NULL)
		staged_drop(object->staged);
	pool_put(object->buf);
	if (object->path != NULL)
		paths_unref(router_paths(batch->lane->router), object->path);
	free(object->key);
	free(object);
}

void
batch_forget(struct batch *batch, struct object *object)
{
	if (object->buf != NULL)
		batch->held_bytes -= (int64_t)object->buf->room;
	if (batch->last == object)
		batch->last = NULL;
	if (batch->dead == object)
		batch->dead = NULL;
	metric_add(batch->part->engine->metrics.open_objects, -1);
	object_free(object);
}

void
batch_free(struct batch *batch)
{
	assert(batch->putting == 0 && batch->manifest_upload == NULL);
	metric_add(batch->part->engine->metrics.open_objects,
	    -(int64_t)batch->object_count);
	for (size_t i = 0; i < batch->object_count; i++)
		object_free(batch->objects[i]);
	free(batch->objects);
	free(batch->table);
	guard_values_fini(&batch->values);
	manifest_free(batch->manifest);
	free(batch);
}

void
batch_settle(struct batch *batch)
{
	if (batch->dropped && batch->putting == 0 &&
	    batch->manifest_upload == NULL)
		batch_free(batch);
}

void
batch_drop(struct batch *batch)
{
	if (batch == NULL)
		return;
	batch->dropped = 1;
	batch_settle(batch);
}

/* ---- objects ---- */

static size_t
slot_of(const struct batch *batch, const struct path *path)
{
	size_t i = (size_t)(path->hash >> 7) & (batch->table_room - 1);

	while (batch->table[i] != NULL && batch->table[i]->path != path)
		i = (i + 1) & (batch->table_room - 1);
	return i;
}

static void
grow(struct batch *batch)
{
	size_t room = batch->table_room == 0 ? 16 : batch->table_room * 2;

	free(batch->table);
	batch->table = mem_alloc(room * sizeof(struct object *));
	batch->table_room = room;
	for (size_t i = 0; i < batch->object_count; i++)
		if (batch->objects[i]->path != NULL)
			batch->table[slot_of(batch, batch->objects[i]->path)] =
			    batch->objects[i];
}

static struct path_name
object_name(const struct batch *batch, const struct path *path)
{
	struct path_name name = {.topic = batch->part->topic,
	    .path = path == NULL ? "" : path->text,
	    .generation = batch->lane->config->layout.generation,
	    .partition = batch->part->partition,
	    .start = batch->start,
	    .extension = path == NULL ? ".jsonl" : batch->lane->extension};

	return name;
}

static char *
dead_letter_key(const struct batch *batch)
{
	struct path_name name = object_name(batch, NULL);
	char *key = path_key(&name);
	char *under = mem_text(
	    "%s/%s", batch->lane->config->layout.dead_letter_prefix, key);

	free(key);
	return under;
}

static char *
object_key(const struct batch *batch, const struct path *path)
{
	struct path_name name = object_name(batch, path);
	char *ending = mem_text("%s%s", path->suffix, name.extension);
	char *key;

	name.extension = ending;
	key = path_object_key(batch->lane->config, &name);
	free(ending);
	return key;
}

static struct object *
object_new(struct batch *batch, struct path *path)
{
	struct object *object = mem_alloc(sizeof(*object));
	struct staged_spec spec = {.owner = object,
	    .format =
		path == NULL ? &deadletter_format : &batch->lane->topic->format,
	    .object = {.size = sizeof(struct secor_object),
		.partition = batch->part->partition,
		.topic = batch->part->topic,
		.start = batch->start},
	    .wants_records = path != NULL && batch->lane->encoder == NULL};
	struct path_name name = object_name(batch, path);
	char *text;

	object->batch = batch;
	object->path = path == NULL ? NULL : paths_ref(path);
	object->first = -1;
	object->first_ms = INT64_MAX;
	object->last_ms = INT64_MIN;
	object->key =
	    path == NULL ? dead_letter_key(batch) : object_key(batch, path);
	name.generation = 0; /* sync markers outlive a new generation */
	name.extension = path == NULL ? "" : path->suffix;
	text = path_key(&name);
	spec.object.name = text;
	if (path != NULL && path->hint != NULL)
		spec.object.hint =
		    (struct secor_bytes){path->hint, path->hint_len};
	object->staged = staged_new(batch->part->engine->writers, &spec);
	free(text);
	return object;
}

static void
add(struct batch *batch, struct object *object)
{
	if (batch->object_count == batch->object_room) {
		batch->object_room =
		    batch->object_room == 0 ? 8 : batch->object_room * 2;
		batch->objects = mem_grow(batch->objects,
		    batch->object_room * sizeof(struct object *));
	}
	batch->objects[batch->object_count++] = object;
	batch->youngest_boot_ms = clock_boot_ms();
	if (batch->born_boot_ms == 0)
		batch->born_boot_ms = batch->youngest_boot_ms;
	metric_add(batch->part->engine->metrics.open_objects, 1);
}

/* The path that a guarded one has in this batch. Asked for every message whose
 * path has no object yet, in the order of offsets. */
static struct path *
admit(struct batch *batch, struct path *path)
{
	if (guard_admit(&batch->values, path->value_hash, path->most))
		return path;
	metric_add(batch->part->engine->metrics.overflowed, 1);
	return path->overflow;
}

struct object *
batch_object(struct batch *batch, struct path *path)
{
	struct object *object;

	if (path == NULL) {
		if (batch->dead == NULL) {
			batch->dead = object_new(batch, NULL);
			add(batch, batch->dead);
		}
		return batch->dead;
	}
	if (batch->last != NULL && batch->last->path == path)
		return batch->last;
	if (batch->object_count * 2 >= batch->table_room)
		grow(batch);
	object = batch->table[slot_of(batch, path)];
	if (object == NULL && path->overflow != NULL) {
		path = admit(batch, path);
		object = batch->table[slot_of(batch, path)];
	}
	if (object == NULL) {
		object = object_new(batch, path);
		batch->table[slot_of(batch, path)] = object;
		add(batch, object);
	}
	batch->last = object;
	return object;
}

static int
is_suffix(const struct secor_bytes *suffix)
{
	for (size_t i = 0; i < suffix->len; i++)
		if (!isalnum((unsigned char)suffix->ptr[i]) &&
		    suffix->ptr[i] != '.' && suffix->ptr[i] != '-')
			return 0;
	return suffix->len <= SECOR_SUFFIX_MAX;
}

static int
split_path(struct batch *batch, const struct secor_record *record,
    struct path **path, struct secor_err *err)
{
	const struct lane *lane = batch->lane;
	struct secor_split split = {
	    .size = sizeof(split), .suffix = {"", 0}, .hint = {"", 0}};
	int rc = lane->format->split(lane->splitter, record, &split, err);

	if (rc != SECOR_OK)
		return rc;
	if (!is_suffix(&split.suffix))
		return secor_fail(err, SECOR_REJECT,
		    "format: its suffix cannot stand in a name");
	/* admitted as the path that it is a part of */
	if (split.suffix.len > 0 && (*path)->overflow != NULL)
		*path = admit(batch, *path);
	*path = paths_split(router_paths(lane->router), *path, &split);
	return SECOR_OK;
}

int
batch_place(struct batch *batch, struct routed *routed)
{
	struct router *router = batch->lane->router;

	routed->late = batch->lane->tells_late &&
		       router_late(router, batch->clock_ms, routed);
	if (routed->late)
		routed->path = router_late_path(router, routed->path);
	return batch->lane->splitter == NULL
		   ? SECOR_OK
		   : split_path(
			 batch, &routed->record, &routed->path, &routed->err);
}

void
batch_tick(struct batch *batch, const struct routed *routed)
{
	struct part *part = batch->part;

	batch->clock_ms =
	    router_clock(batch->lane->router, batch->clock_ms, routed);
	if (part->late == NULL)
		part->late = metric_counter("secor_late_messages_total",
		    "Messages in late=true (finalize.late: separate).",
		    METRIC_LABELS("topic", part->topic));
	metric_add(part->late, routed->late);
}

int64_t
batch_bytes(const struct batch *batch)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < batch->object_count; i++) {
		const struct object *object = batch->objects[i];

		bytes += (int64_t)staged_bytes(object->staged);
		if (object->buf != NULL)
			bytes += (int64_t)object->buf->len;
	}
	return bytes;
}

int
batch_failed(const struct batch *batch)
{
	for (size_t i = 0; i < batch->object_count; i++)
		if (staged_failed(batch->objects[i]->staged))
			return 1;
	return 0;
}

void
batch_seal(struct batch *batch)
{
	for (size_t i = 0; i < batch->object_count; i++) {
		struct object *object = batch->objects[i];

		if (object->buf != NULL) {
			batch->held_bytes -= (int64_t)object->buf->room;
			staged_append(object->staged, object->buf);
			object->buf = NULL;
		}
		batch->sealing++;
		staged_seal(object->staged);
	}
}

static int
by_key(const void *a, const void *b)
{
	const struct object *const *x = a;
	const struct object *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

uint64_t
batch_output_hash(struct batch *batch)
{
	uint64_t hash = 0;

	if (batch->object_count > 0) /* else there is no array either */
		qsort(batch->objects, batch->object_count,
		    sizeof(struct object *), by_key);
	for (size_t i = 0; i < batch->object_count; i++) {
		const struct object *object = batch->objects[i];

		hash = hash64_add_text(hash, object->key);
		hash = hash64_add_int(hash, (int64_t)object->records);
		hash = hash64_add_int(hash, (int64_t)object->offsets_hash);
	}
	return hash;
}
