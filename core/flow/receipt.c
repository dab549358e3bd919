/*
 * receipt.c -- see receipt.h.
 */
#include "core/flow/receipt.h"

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/flow/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RECEIPT_VERSION = 1 };

/* ---- offsets ---- */

static void
add_run(struct offset_runs *runs, int64_t first, int64_t last)
{
	size_t n = runs->count;

	if ((n & (n + 1)) == 0) /* room for 1, 3, 7... */
		runs->items =
		    mem_grow(runs->items, (2 * n + 1) * sizeof(*runs->items));
	runs->items[n] = (struct offset_run){first, last};
	runs->count++;
	runs->offsets += (uint64_t)(last - first) + 1;
}

void
offset_runs_add(struct offset_runs *runs, int64_t offset)
{
	struct offset_run *last =
	    runs->count == 0 ? NULL : &runs->items[runs->count - 1];

	if (last == NULL || last->last + 1 != offset) {
		add_run(runs, offset, offset);
		return;
	}
	last->last = offset;
	runs->offsets++;
}

int
offset_runs_has(const struct offset_runs *runs, int64_t offset)
{
	size_t from = 0, until = runs->count;

	while (from < until) {
		size_t middle = from + (until - from) / 2;

		if (runs->items[middle].last < offset)
			from = middle + 1;
		else
			until = middle;
	}
	return from < runs->count && runs->items[from].first <= offset;
}

uint64_t
offset_runs_hash(const struct offset_runs *runs)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < runs->count; i++)
		for (int64_t offset = runs->items[i].first;
		     offset <= runs->items[i].last; offset++)
			hash += hash64(&offset, sizeof(offset));
	return hash;
}

/* ---- what decides the objects ---- */

uint64_t
receipt_plan(const struct receipt *receipt)
{
	uint64_t hash = hash64_add_text(0, receipt->topic);

	hash = hash64_add_int(hash, receipt->partition);
	hash = hash64_add_int(hash, receipt->generation);
	hash = hash64_add_int(hash, receipt->start);
	hash = hash64_add_int(hash, receipt->number);
	hash = hash64_add_text(hash, receipt->source);
	hash = hash64_add_int(hash, (int64_t)receipt->fingerprint);
	for (size_t i = 0; i < receipt->object_count; i++) {
		const struct receipt_object *object = &receipt->objects[i];
		const struct offset_runs *runs = &object->offsets;

		hash = hash64_add_text(hash, object->key);
		hash = hash64_add_text(hash, object->path);
		for (size_t r = 0; r < runs->count; r++) {
			hash = hash64_add_int(hash, runs->items[r].first);
			hash = hash64_add_int(hash, runs->items[r].last);
		}
	}
	return hash;
}

uint64_t
receipt_records(const struct receipt *receipt)
{
	uint64_t records = 0;

	for (size_t i = 0; i < receipt->object_count; i++)
		records += receipt->objects[i].offsets.offsets;
	return records;
}

void
receipt_note_time(struct receipt_object *object, int64_t time_ms)
{
	if (time_ms == SECOR_NO_TIME)
		return;
	if (!object->has_times || time_ms < object->first_ms)
		object->first_ms = time_ms;
	if (!object->has_times || time_ms > object->last_ms)
		object->last_ms = time_ms;
	object->has_times = 1;
}

/* ---- writing ---- */

static void
put_text(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "\"%s\":", name);
	json_put_string(out, text, strlen(text));
}

static void
put_runs(struct buf *out, const struct offset_runs *runs)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < runs->count; i++)
		buf_printf(out, "%s[%" PRId64 ",%" PRId64 "]",
		    i == 0 ? "" : ",", runs->items[i].first,
		    runs->items[i].last);
	buf_putc(out, ']');
}

static void
put_object(struct buf *out, const struct receipt_object *object, int with_bytes)
{
	buf_puts(out, "{");
	put_text(out, "key", object->key);
	buf_puts(out, ",");
	put_text(out, "path", object->path);
	buf_printf(out, ",\"records\":%" PRIu64, object->offsets.offsets);
	if (with_bytes)
		buf_printf(out,
		    ",\"bytes\":%" PRIu64 ",\"crc32c\":\"%08" PRIx32 "\"",
		    object->bytes, object->crc32c);
	if (object->has_times)
		buf_printf(out,
		    ",\"first_time_ms\":%" PRId64 ",\"last_time_ms\":%" PRId64,
		    object->first_ms, object->last_ms);
	buf_puts(out, ",\"offsets\":");
	put_runs(out, &object->offsets);
	buf_puts(out, "}");
}

static void
put_bad(struct buf *out, const struct receipt_bad *bad)
{
	buf_puts(out, "{");
	put_text(out, "reason", bad->reason);
	buf_puts(out, ",\"offsets\":");
	put_runs(out, &bad->offsets);
	buf_puts(out, "}");
}

char *
receipt_write(const struct receipt *receipt)
{
	struct buf out = {0};

	buf_printf(&out, "{\"secor_redrive\":%d,\"state\":\"%s\",",
	    RECEIPT_VERSION, receipt->done ? "done" : "plan");
	put_text(&out, "topic", receipt->topic);
	buf_printf(&out,
	    ",\"partition\":%" PRId32 ",\"generation\":%" PRId64
	    ",\"start\":%" PRId64 ",\"number\":%" PRId64 ",",
	    receipt->partition, receipt->generation, receipt->start,
	    receipt->number);
	put_text(&out, "source", receipt->source);
	buf_printf(&out,
	    ",\"fingerprint\":\"%016" PRIx64 "\",\"plan\":\"%016" PRIx64
	    "\",\"written_ms\":%" PRId64 ",\"objects\":[",
	    receipt->fingerprint, receipt->plan, receipt->written_ms);
	for (size_t i = 0; i < receipt->object_count; i++) {
		buf_puts(&out, i == 0 ? "\n" : ",\n");
		put_object(&out, &receipt->objects[i], receipt->done);
	}
	buf_puts(&out, "],\"bad\":[");
	for (size_t i = 0; i < receipt->bad_count; i++) {
		buf_puts(&out, i == 0 ? "\n" : ",\n");
		put_bad(&out, &receipt->bad[i]);
	}
	buf_puts(&out, "],\"filtered\":");
	put_runs(&out, &receipt->filtered);
	buf_puts(&out, "}\n");
	return buf_take(&out);
}

/* ---- reading ---- */

static const char bad_runs[] = "is not a list of [first,last] in order";

static void
read_runs(struct fields *fields, const char *name, struct offset_runs *runs)
{
	const json_t *list = json_object_get(fields->from, name);
	int64_t behind = -1;

	if (!json_is_array(list))
		fields_fail(fields, name, bad_runs);
	for (size_t i = 0; !fields->failed && i < json_array_size(list); i++) {
		const json_t *run = json_array_get(list, i);
		const json_t *first = json_array_get(run, 0);
		const json_t *last = json_array_get(run, 1);

		if (json_array_size(run) != 2 || !json_is_integer(first) ||
		    !json_is_integer(last) ||
		    json_integer_value(first) <= behind ||
		    json_integer_value(last) < json_integer_value(first) ||
		    json_integer_value(last) == INT64_MAX) {
			fields_fail(fields, name, bad_runs);
			return;
		}
		behind = json_integer_value(last);
		add_run(runs, json_integer_value(first), behind);
	}
}

static void
read_object(struct fields *fields, struct receipt_object *object, int done)
{
	const char *key = fields_text(fields, "key");
	const char *path = fields_text(fields, "path");

	if (!fields_plain_key(key))
		fields_fail(fields, "key", "is not a plain relative key");
	object->key = mem_dup(key, strlen(key));
	object->path = mem_dup(path, strlen(path));
	read_runs(fields, "offsets", &object->offsets);
	if (fields_count(fields, "records") != object->offsets.offsets)
		fields_fail(fields, "records", "is not the number of offsets");
	if (object->offsets.count == 0)
		fields_fail(fields, "offsets", "has none");
	if (json_object_get(fields->from, "first_time_ms") != NULL) {
		object->has_times = 1;
		object->first_ms =
		    fields_int(fields, "first_time_ms", -INT64_MAX, INT64_MAX);
		object->last_ms = fields_int(
		    fields, "last_time_ms", object->first_ms, INT64_MAX);
	}
	if (!done)
		return;
	object->bytes = fields_count(fields, "bytes");
	object->crc32c = (uint32_t)fields_hex(fields, "crc32c", 8);
}

static void
read_bad(struct fields *fields, struct receipt_bad *bad)
{
	const char *reason = fields_text(fields, "reason");

	bad->reason = mem_dup(reason, strlen(reason));
	read_runs(fields, "offsets", &bad->offsets);
}

/* A list of objects; its length. */
static size_t
list_of(struct fields *fields, const char *name, const json_t **list)
{
	*list = json_object_get(fields->from, name);
	if (!json_is_array(*list))
		fields_fail(fields, name, "is missing or not a list");
	return json_array_size(*list);
}

static void
read_lists(struct fields *fields, struct receipt *receipt)
{
	const json_t *list;

	receipt->object_count = list_of(fields, "objects", &list);
	receipt->objects =
	    mem_alloc(receipt->object_count * sizeof(*receipt->objects));
	for (size_t i = 0; i < receipt->object_count; i++) {
		struct fields one = {json_array_get(list, i), "object",
		    fields->err, fields->failed};

		read_object(&one, &receipt->objects[i], receipt->done);
		fields->failed = one.failed;
	}
	receipt->bad_count = list_of(fields, "bad", &list);
	receipt->bad = mem_alloc(receipt->bad_count * sizeof(*receipt->bad));
	for (size_t i = 0; i < receipt->bad_count; i++) {
		struct fields one = {json_array_get(list, i), "bad",
		    fields->err, fields->failed};

		read_bad(&one, &receipt->bad[i]);
		fields->failed = one.failed;
	}
	read_runs(fields, "filtered", &receipt->filtered);
}

static void
read_head(struct fields *fields, struct receipt *receipt)
{
	const char *state = fields_text(fields, "state");
	const char *topic = fields_text(fields, "topic");
	const char *source = fields_text(fields, "source");

	(void)fields_int(
	    fields, "secor_redrive", RECEIPT_VERSION, RECEIPT_VERSION);
	receipt->done = strcmp(state, "done") == 0;
	if (!receipt->done && strcmp(state, "plan") != 0)
		fields_fail(fields, "state", "is neither plan nor done");
	receipt->topic = mem_dup(topic, strlen(topic));
	receipt->source = mem_dup(source, strlen(source));
	if (!fields_plain_key(source))
		fields_fail(fields, "source", "is not a plain relative key");
	receipt->partition =
	    (int32_t)fields_int(fields, "partition", 0, INT32_MAX);
	receipt->generation = fields_int(fields, "generation", 0, INT64_MAX);
	receipt->start = fields_int(fields, "start", 0, INT64_MAX);
	receipt->number = fields_int(fields, "number", 1, RECEIPT_NUMBER_MAX);
	receipt->fingerprint = fields_hex(fields, "fingerprint", 16);
	receipt->plan = fields_hex(fields, "plan", 16);
	receipt->written_ms = fields_int(fields, "written_ms", 0, INT64_MAX);
}

int
receipt_read(const char *text, size_t len, struct receipt **receipt,
    struct secor_err *err)
{
	json_t *json = fields_load(text, len, "receipt", err);
	struct fields fields = {json, "receipt", err, 0};
	struct receipt *made;

	if (json == NULL)
		return SECOR_REJECT;
	made = mem_alloc(sizeof(*made));
	read_head(&fields, made);
	read_lists(&fields, made);
	json_decref(json);
	if (fields.failed) {
		receipt_free(made);
		return SECOR_REJECT;
	}
	*receipt = made;
	return SECOR_OK;
}

void
receipt_fini(struct receipt *receipt)
{
	for (size_t i = 0; i < receipt->object_count; i++) {
		free(receipt->objects[i].key);
		free(receipt->objects[i].path);
		free(receipt->objects[i].offsets.items);
	}
	for (size_t i = 0; i < receipt->bad_count; i++) {
		free(receipt->bad[i].reason);
		free(receipt->bad[i].offsets.items);
	}
	free(receipt->objects);
	free(receipt->bad);
	free(receipt->filtered.items);
	free(receipt->topic);
	free(receipt->source);
	memset(receipt, 0, sizeof(*receipt));
}

void
receipt_free(struct receipt *receipt)
{
	if (receipt == NULL)
		return;
	receipt_fini(receipt);
	free(receipt);
}
