/*
 * puts.c -- what a planned batch puts into the store: its objects, then the
 * manifest that lists them; before the first batch of a partition a mark.
 * Thread: consumer.
 *
 * Invariant: nothing here decides when. That, and what the answers mean, is
 * advance.c's.
 */
#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/flow/flow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct upload *
upload_new(struct part *part, const char *key)
{
	struct upload *upload = mem_alloc(sizeof(*upload));

	upload->key = mem_dup(key, strlen(key));
	upload->ownership = ownership_ref(part->ownership);
	upload->epoch = part->epoch;
	return upload;
}

/* The same for each put of this plan, by whatever process and build: a replay
 * has compared these hashes before it puts. */
static char *
batch_name(const struct batch *batch)
{
	return mem_text("%" PRId64 "-%" PRId64 ".%016" PRIx64 ".%016" PRIx64
			".%016" PRIx64,
	    batch->start, batch->end, batch->input_hash, batch->plan.o,
	    batch->plan.f);
}

void
put_object(struct object *object)
{
	struct batch *batch = object->batch;
	struct part *part = batch->part;
	struct upload *upload = upload_new(part, object->key);
	const char *file = staged_file(object->staged);

	upload->owner = object;
	upload->file = mem_dup(file, strlen(file));
	upload->length = object->bytes;
	upload->crc32c = object->crc32c;
	upload->content_type = object->path == NULL
				   ? "application/x-ndjson"
				   : batch->lane->traits.content_type;
	upload->batch = batch_name(batch);
	upload->tries = object->tries;
	object->retry_boot_ms = 0;
	batch->putting++;
	uploader_put(part->engine->uploaders, upload);
}

static void
copy_object(struct manifest_object *to, const struct object *from)
{
	to->key = mem_dup(from->key, strlen(from->key));
	to->dead_letter = from->path == NULL;
	to->path = from->path == NULL
		       ? mem_dup("", 0)
		       : mem_dup(from->path->text, from->path->len);
	to->records = from->records;
	to->bytes = from->bytes;
	to->crc32c = from->crc32c;
	to->first_offset = from->first;
	to->last_offset = from->last;
	to->offsets_hash = from->offsets_hash;
	to->has_times = from->first_ms <= from->last_ms;
	to->first_ms = from->first_ms;
	to->last_ms = from->last_ms;
}

int64_t
batch_watermark(const struct batch *batch)
{
	int64_t ms = batch->clock_ms;

	if (batch->lane->tells_late)
		return ms;
	for (size_t i = 0; i < batch->object_count; i++)
		if (batch->objects[i]->last_ms > ms)
			ms = batch->objects[i]->last_ms;
	return ms;
}

static struct manifest *
manifest_of(const struct batch *batch)
{
	const struct part *part = batch->part;
	struct manifest *m = mem_alloc(sizeof(*m));

	m->topic = mem_dup(part->topic, strlen(part->topic));
	m->partition = part->partition;
	m->generation = batch->lane->config->layout.generation;
	m->start = batch->start;
	m->end = batch->end;
	m->messages = (uint64_t)batch->messages;
	m->filtered = (uint64_t)batch->filtered;
	m->bad = (uint64_t)batch->bad;
	m->input_hash = batch->input_hash;
	m->output_hash = batch->plan.o;
	m->fingerprint = batch->plan.f;
	m->cut = batch->plan.c;
	m->watermark = batch_watermark(batch);
	m->previous = part->record.m;
	m->written_ms = clock_now_ms();
	m->object_count = batch->object_count;
	m->objects = mem_alloc(m->object_count * sizeof(*m->objects));
	for (size_t i = 0; i < m->object_count; i++)
		copy_object(&m->objects[i], batch->objects[i]);
	m->chain = manifest_chain(m);
	return m;
}

/* A small JSON object beside the batch's own. Takes what it gets; `name` is the
 * batch's where no other may be written over. */
static void
put_text(struct batch *batch, char *key, char *bytes, char *name)
{
	struct upload *upload = upload_new(batch->part, key);

	free(key);
	upload->owner = batch;
	upload->bytes = bytes;
	upload->batch = name;
	upload->length = strlen(bytes);
	upload->crc32c = crc32c_add(0, bytes, (size_t)upload->length);
	upload->content_type = "application/json";
	upload->tries = batch->manifest_tries;
	batch->manifest_retry_ms = 0;
	batch->manifest_upload = upload;
	uploader_put(batch->part->engine->uploaders, upload);
}

void
put_manifest(struct batch *batch)
{
	const struct part *part = batch->part;
	const struct config_layout *layout = &batch->lane->config->layout;

	if (batch->manifest == NULL)
		batch->manifest = manifest_of(batch);
	step_reached("manifest-begin");
	put_text(batch,
	    manifest_key(layout->manifest_prefix, part->topic, part->partition,
		layout->generation, batch->start),
	    manifest_write(batch->manifest), batch_name(batch));
}

void
put_mark(struct batch *batch)
{
	const struct part *part = batch->part;
	const struct config_layout *layout = &batch->lane->config->layout;

	put_text(batch,
	    manifest_mark_key(layout->manifest_prefix, part->topic,
		part->partition, layout->generation),
	    mem_text("{\"generation\":%" PRId64 ",\"start\":%" PRId64 "}\n",
		layout->generation, batch->start),
	    NULL);
}

void
put_objects(struct batch *batch)
{
	batch->state = BATCH_PUTTING;
	step_reached("put-begin");
	for (size_t i = 0; i < batch->object_count; i++)
		put_object(batch->objects[i]);
}

void
puts_begin(struct batch *batch)
{
	if (batch->part->record.m != 0 || batch->object_count == 0) {
		put_objects(batch);
		return;
	}
	batch->state = BATCH_MARKING;
	put_mark(batch);
}
