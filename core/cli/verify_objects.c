/*
 * verify_objects.c -- every object that a manifest lists is there, as it was
 * written.
 */
#include "core/base/hash.h"
#include "core/cli/records.h"
#include "core/cli/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct summing {
	uint64_t length;
	uint32_t crc32c;
};

static int
sum_piece(void *arg, const void *bytes, size_t len)
{
	struct summing *sum = arg;

	sum->length += len;
	sum->crc32c = crc32c_add(sum->crc32c, bytes, len);
	return 0;
}

/* What the store has under the key: its length, and its CRC32C if asked for. */
static int
look_at(struct verify *verify, const char *key, struct verify_bytes *bytes,
    struct secor_err *err)
{
	const struct manifest_store *store = &verify->store;
	struct secor_stat stat = {.size = sizeof(stat)};
	struct summing sum = {0, 0};
	int rc = store->ops->head(store->self, key, &stat, err);

	if (rc != SECOR_OK)
		return rc;
	bytes->exists = stat.exists;
	bytes->length = stat.length;
	bytes->has_crc32c = stat.has_crc32c;
	bytes->crc32c = stat.crc32c;
	if (!stat.exists || stat.has_crc32c || verify->quick)
		return SECOR_OK;
	rc = store->ops->get(store->self, key, sum_piece, &sum, err);
	if (rc == SECOR_REJECT) {
		bytes->exists = 0; /* removed in between */
		return SECOR_OK;
	}
	bytes->length = sum.length;
	bytes->has_crc32c = 1;
	bytes->crc32c = sum.crc32c;
	return rc;
}

/* The same with the bytes themselves. */
static int
fetch(struct verify *verify, const char *key, struct verify_bytes *bytes,
    struct secor_err *err)
{
	const struct manifest_store *store = &verify->store;
	struct records_file file;
	int rc = records_fetch(store->ops, store->self, key, &file, err);

	if (rc == SECOR_REJECT)
		return SECOR_OK; /* there is none */
	if (rc != SECOR_OK)
		return rc;
	bytes->exists = 1;
	bytes->length = file.length;
	bytes->has_crc32c = 1;
	bytes->crc32c = file.crc32c;
	bytes->file = file.file;
	return SECOR_OK;
}

void
verify_known(struct verify_topic *topic, const char *key)
{
	struct verify_keys *keys = &topic->keys;

	if (keys->count == keys->room) {
		keys->room = keys->room == 0 ? 1024 : keys->room * 2;
		keys->items =
		    mem_grow(keys->items, keys->room * sizeof(*keys->items));
	}
	keys->items[keys->count++] = hash64(key, strlen(key));
	keys->sorted = 0;
}

int
verify_say_bytes(struct verify *verify, const struct verify_batch *batch,
    const struct manifest_object *object, const struct verify_bytes *bytes)
{
	struct verify_report report =
	    verify_about(batch->manifest, 1, "size", object->key);

	if (bytes->length != object->bytes) {
		verify_say(verify, &report,
		    "the object has %" PRIu64 " bytes, %" PRIu64
		    " were written",
		    bytes->length, object->bytes);
		return 1;
	}
	if (!bytes->has_crc32c || bytes->crc32c == object->crc32c)
		return 0;
	report.kind = "crc32c";
	verify_say(verify, &report,
	    "the object was changed: CRC32C %08" PRIx32
	    ", written was %08" PRIx32,
	    bytes->crc32c, object->crc32c);
	return 1;
}

static void
say_missing(struct verify *verify, const struct manifest *manifest,
    const struct manifest_object *object)
{
	struct verify_report report =
	    verify_about(manifest, 1, "missing-object", object->key);

	if (manifest->written_ms < verify->scope.removed_before) {
		report.found = 0;
		report.kind = "removed";
	}
	verify_say(verify, &report,
	    "the object is not there%s: %" PRIu64 " records of offsets %" PRId64
	    "..%" PRId64,
	    report.found ? "" : " any more, as --removed-before says",
	    object->records, object->first_offset, object->last_offset);
}

static int
check_object(struct verify *verify, struct verify_batch *batch,
    const struct manifest_object *object, struct secor_err *err)
{
	struct verify_bytes bytes = {0};
	int rc = verify->deep ? fetch(verify, object->key, &bytes, err)
			      : look_at(verify, object->key, &bytes, err);

	if (rc != SECOR_OK)
		return rc;
	verify->totals.objects++;
	verify->totals.bytes += object->bytes;
	if (batch->redrive != 0)
		verify->totals.redriven += object->records;
	else if (!object->dead_letter)
		verify->totals.records += object->records;
	if (!bytes.exists) {
		say_missing(verify, batch->manifest, object);
		batch->complete = 0;
	} else if (bytes.file == NULL) {
		(void)verify_say_bytes(verify, batch, object, &bytes);
	} else {
		rc = verify_read_back(verify, batch, object, &bytes, err);
		(void)fclose(bytes.file);
	}
	return rc;
}

int
verify_objects(struct verify *verify, struct verify_topic *topic,
    struct verify_batch *batch, struct secor_err *err)
{
	const struct manifest *manifest = batch->manifest;
	int rc = SECOR_OK;

	if (verify->step != NULL)
		verify->step(verify->arg, manifest);
	batch->complete = verify->deep;
	for (size_t i = 0; rc == SECOR_OK && i < manifest->object_count; i++) {
		verify_known(topic, manifest->objects[i].key);
		rc = check_object(verify, batch, &manifest->objects[i], err);
	}
	return rc;
}
