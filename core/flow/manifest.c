/*
 * manifest.c -- see manifest.h. Numbers above 2^53 (hashes) are hex text: JSON
 * readers keep doubles.
 */
#include "core/flow/manifest.h"

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/flow/fields.h"
#include "core/flow/put.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MANIFEST_VERSION = 1 };

uint64_t
manifest_chain(const struct manifest *manifest)
{
	const int64_t numbers[] = {manifest->partition, manifest->generation,
	    manifest->start, manifest->end, (int64_t)manifest->messages,
	    (int64_t)manifest->filtered, (int64_t)manifest->bad,
	    (int64_t)manifest->input_hash, (int64_t)manifest->output_hash,
	    (int64_t)manifest->fingerprint, (int64_t)manifest->cut,
	    manifest->watermark};
	uint64_t hash = manifest->previous;

	hash = hash64_add_text(hash, manifest->topic);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		hash = hash64_add_int(hash, numbers[i]);
	return hash;
}

uint64_t
manifest_output_hash(const struct manifest *manifest)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < manifest->object_count; i++) {
		const struct manifest_object *object = &manifest->objects[i];

		hash = hash64_add_text(hash, object->key);
		hash = hash64_add_int(hash, (int64_t)object->records);
		hash = hash64_add_int(hash, (int64_t)object->offsets_hash);
	}
	return hash;
}

/* ---- writing ---- */

static void
put_text(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "\"%s\":", name);
	json_put_string(out, text, strlen(text));
}

static void
put_object(struct buf *out, const struct manifest_object *object)
{
	buf_puts(out, "{");
	put_text(out, "key", object->key);
	buf_puts(out, ",");
	put_text(out, "path", object->path);
	if (object->dead_letter)
		buf_puts(out, ",\"dead_letter\":true");
	buf_printf(out,
	    ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"crc32c\":\"%08" PRIx32 "\",\"first_offset\":%" PRId64
	    ",\"last_offset\":%" PRId64 ",\"offsets_hash\":\"%016" PRIx64 "\"",
	    object->records, object->bytes, object->crc32c,
	    object->first_offset, object->last_offset, object->offsets_hash);
	if (object->has_times)
		buf_printf(out,
		    ",\"first_time_ms\":%" PRId64 ",\"last_time_ms\":%" PRId64,
		    object->first_ms, object->last_ms);
	buf_puts(out, "}");
}

static void
put_head(struct buf *out, const struct manifest *manifest)
{
	buf_printf(out, "{\"secor_manifest\":%d,", MANIFEST_VERSION);
	put_text(out, "topic", manifest->topic);
	buf_printf(out,
	    ",\"partition\":%" PRId32 ",\"generation\":%" PRId64
	    ",\"start\":%" PRId64 ",\"end\":%" PRId64 ",\"messages\":%" PRIu64
	    ",\"filtered\":%" PRIu64 ",\"bad\":%" PRIu64 ",",
	    manifest->partition, manifest->generation, manifest->start,
	    manifest->end, manifest->messages, manifest->filtered,
	    manifest->bad);
	put_text(out, "cut", cut_name(manifest->cut));
	if (manifest->watermark == INT64_MIN)
		buf_puts(out, ",\"watermark_ms\":null");
	else
		buf_printf(
		    out, ",\"watermark_ms\":%" PRId64, manifest->watermark);
	buf_printf(out,
	    ",\"input_hash\":\"%016" PRIx64 "\",\"output_hash\":\"%016" PRIx64
	    "\",\"fingerprint\":\"%016" PRIx64 "\",\"previous\":\"%016" PRIx64
	    "\",\"chain\":\"%016" PRIx64 "\",\"written_ms\":%" PRId64,
	    manifest->input_hash, manifest->output_hash, manifest->fingerprint,
	    manifest->previous, manifest->chain, manifest->written_ms);
}

char *
manifest_write(const struct manifest *manifest)
{
	struct buf out = {0};

	put_head(&out, manifest);
	buf_puts(&out, ",\"objects\":[");
	for (size_t i = 0; i < manifest->object_count; i++) {
		buf_puts(&out, i == 0 ? "\n" : ",\n");
		put_object(&out, &manifest->objects[i]);
	}
	buf_puts(&out, "]}\n");
	return buf_take(&out);
}

/* ---- reading ---- */

static enum cut
get_cut(struct fields *fields)
{
	const char *text = fields_text(fields, "cut");

	for (int cut = 0; cut < CUT_COUNT; cut++)
		if (strcmp(text, cut_name((enum cut)cut)) == 0)
			return (enum cut)cut;
	fields_fail(fields, "cut", "is not a known reason");
	return CUT_NONE;
}

/* Manifests of 0.1.0 do not have them. */
static void
read_times(struct fields *fields, struct manifest_object *object)
{
	if (json_object_get(fields->from, "first_time_ms") == NULL)
		return;
	object->has_times = 1;
	object->first_ms =
	    fields_int(fields, "first_time_ms", -INT64_MAX, INT64_MAX);
	object->last_ms =
	    fields_int(fields, "last_time_ms", object->first_ms, INT64_MAX);
}

static void
read_object(struct fields *fields, struct manifest_object *object)
{
	const char *key = fields_text(fields, "key");
	const char *path = fields_text(fields, "path");

	if (!fields_plain_key(key))
		fields_fail(fields, "key", "is not a plain relative key");
	object->key = mem_dup(key, strlen(key));
	object->path = mem_dup(path, strlen(path));
	object->dead_letter =
	    json_is_true(json_object_get(fields->from, "dead_letter"));
	object->records = fields_count(fields, "records");
	object->bytes = fields_count(fields, "bytes");
	object->crc32c = (uint32_t)fields_hex(fields, "crc32c", 8);
	object->first_offset = fields_int(fields, "first_offset", 0, INT64_MAX);
	object->last_offset =
	    fields_int(fields, "last_offset", object->first_offset, INT64_MAX);
	object->offsets_hash = fields_hex(fields, "offsets_hash", 16);
	read_times(fields, object);
}

static void
read_objects(struct fields *fields, struct manifest *manifest)
{
	const json_t *list = json_object_get(fields->from, "objects");
	size_t count = json_array_size(list);

	if (!json_is_array(list))
		fields_fail(fields, "objects", "is missing or not a list");
	manifest->objects = mem_alloc(count * sizeof(*manifest->objects));
	manifest->object_count = count;
	for (size_t i = 0; i < count; i++) {
		struct fields one = {json_array_get(list, i), "object",
		    fields->err, fields->failed};

		read_object(&one, &manifest->objects[i]);
		fields->failed = one.failed;
	}
}

static void
read_head(struct fields *fields, struct manifest *manifest)
{
	const char *topic = fields_text(fields, "topic");

	(void)fields_int(
	    fields, "secor_manifest", MANIFEST_VERSION, MANIFEST_VERSION);
	manifest->topic = mem_dup(topic, strlen(topic));
	manifest->partition =
	    (int32_t)fields_int(fields, "partition", 0, INT32_MAX);
	manifest->generation = fields_int(fields, "generation", 0, INT64_MAX);
	manifest->start = fields_int(fields, "start", 0, INT64_MAX);
	manifest->end = fields_int(fields, "end", manifest->start, INT64_MAX);
	manifest->messages = fields_count(fields, "messages");
	manifest->filtered = fields_count(fields, "filtered");
	manifest->bad = fields_count(fields, "bad");
	manifest->cut = get_cut(fields);
	manifest->watermark = INT64_MIN;
	if (!json_is_null(json_object_get(fields->from, "watermark_ms")))
		manifest->watermark = fields_int(
		    fields, "watermark_ms", INT64_MIN + 1, INT64_MAX);
	manifest->input_hash = fields_hex(fields, "input_hash", 16);
	manifest->output_hash = fields_hex(fields, "output_hash", 16);
	manifest->fingerprint = fields_hex(fields, "fingerprint", 16);
	manifest->previous = fields_hex(fields, "previous", 16);
	manifest->chain = fields_hex(fields, "chain", 16);
	manifest->written_ms = fields_int(fields, "written_ms", 0, INT64_MAX);
}

int
manifest_read(const char *text, size_t len, struct manifest **manifest,
    struct secor_err *err)
{
	json_t *json = fields_load(text, len, "manifest", err);
	struct fields fields = {json, "manifest", err, 0};
	struct manifest *made;

	if (json == NULL)
		return SECOR_REJECT;
	made = mem_alloc(sizeof(*made));
	read_head(&fields, made);
	read_objects(&fields, made);
	json_decref(json);
	if (fields.failed) {
		manifest_free(made);
		return SECOR_REJECT;
	}
	*manifest = made;
	return SECOR_OK;
}

void
manifest_free(struct manifest *manifest)
{
	if (manifest == NULL)
		return;
	for (size_t i = 0; i < manifest->object_count; i++) {
		free(manifest->objects[i].key);
		free(manifest->objects[i].path);
	}
	free(manifest->objects);
	free(manifest->topic);
	free(manifest);
}

/* ---- keys ---- */

char *
manifest_folder(const char *prefix, const char *topic, int32_t partition)
{
	return mem_text("%s/%s/%" PRId32 "/", prefix, topic, partition);
}

char *
manifest_key(const char *prefix, const char *topic, int32_t partition,
    int64_t generation, int64_t start)
{
	return mem_text("%s/%s/%" PRId32 "/%" PRId64 "_%020" PRId64 ".json",
	    prefix, topic, partition, generation, start);
}

char *
manifest_mark_key(const char *prefix, const char *topic, int32_t partition,
    int64_t generation)
{
	return mem_text("%s/%s/%" PRId32 "/%" PRId64 "_begun", prefix, topic,
	    partition, generation);
}

/* Digits only; 0 when there are none or too many. */
static int
parse_number(const char **at, int64_t *number)
{
	char *end;

	if (**at < '0' || **at > '9')
		return 0;
	*number = strtoll(*at, &end, 10);
	if (*number == INT64_MAX)
		return 0;
	*at = end;
	return 1;
}

int
manifest_parse_name(const char *name, int64_t *generation, int64_t *start)
{
	int64_t numbers[2];

	if ((name[0] == '0' && name[1] != '_') ||
	    !parse_number(&name, &numbers[0]) || *name++ != '_' ||
	    strspn(name, "0123456789") != 20 ||
	    !parse_number(&name, &numbers[1]) || strcmp(name, ".json") != 0)
		return 0;
	*generation = numbers[0];
	*start = numbers[1];
	return 1;
}

int
manifest_parse_key(const char *key, int64_t *generation, int64_t *start)
{
	const char *slash = strrchr(key, '/');

	return manifest_parse_name(
	    slash == NULL ? key : slash + 1, generation, start);
}

int
manifest_get(const struct secor_store_ops *ops, void *store, const char *key,
    struct manifest **manifest, struct secor_err *err)
{
	const struct manifest_store from = {ops, store, NULL};
	struct buf text = {0};
	struct secor_err why;
	int rc = store_get_text(&from, key, MANIFEST_BYTES_MAX, &text, err);

	if (rc == SECOR_OK) {
		rc = manifest_read(text.ptr, text.len, manifest, &why);
		if (rc != SECOR_OK)
			rc = secor_fail(
			    err, rc, "%.300s: %.600s", key, why.text);
	}
	buf_fini(&text);
	return rc;
}
