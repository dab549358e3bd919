/*
 * receipt.c -- see receipt.h.
 */
#include "core/flow/final/receipt.h"

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/flow/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RECEIPT_VERSION = 1 };

/* ---- writing ---- */

static void
put_text(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, ",\"%s\":", name);
	json_put_string(out, text, strlen(text));
}

static void
put_head(struct buf *out, const struct receipt *receipt)
{
	put_text(out, "topic", receipt->topic);
	put_text(out, "path", receipt->path);
	buf_printf(out,
	    ",\"generation\":%" PRId64 ",\"from_ms\":%" PRId64
	    ",\"until_ms\":%" PRId64 ",\"objects\":%" PRIu64
	    ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"amended\":%" PRIu64 ",\"written_ms\":%" PRId64,
	    receipt->generation, receipt->span.from, receipt->span.until,
	    receipt->totals.objects, receipt->totals.records,
	    receipt->totals.bytes, receipt->amended, receipt->written_ms);
}

/* Those without records only where `whole`. */
static void
put_parts(struct buf *out, const struct receipt *receipt, int whole)
{
	const char *comma = "\n ";

	buf_puts(out, ",\"partitions\":[");
	for (size_t i = 0; i < receipt->part_count; i++) {
		const struct receipt_part *part = &receipt->parts[i];

		if (part->records == 0 && !whole)
			continue;
		buf_printf(
		    out, "%s{\"partition\":%" PRId32, comma, part->partition);
		if (whole)
			buf_printf(out, ",\"end\":%" PRId64, part->end);
		if (part->records > 0)
			buf_printf(out,
			    ",\"first_offset\":%" PRId64
			    ",\"last_offset\":%" PRId64,
			    part->first, part->last);
		buf_printf(out, ",\"records\":%" PRIu64 "}", part->records);
		comma = ",\n ";
	}
	buf_puts(out, "]}\n");
}

char *
receipt_write(const struct receipt *receipt)
{
	struct buf out = {0};

	buf_printf(&out, "{\"secor_path\":%d", RECEIPT_VERSION);
	put_head(&out, receipt);
	put_parts(&out, receipt, 1);
	return buf_take(&out);
}

char *
receipt_marker(const struct receipt *receipt)
{
	struct buf out = {0};

	buf_printf(&out, "{\"secor_success\":%d", RECEIPT_VERSION);
	put_head(&out, receipt);
	put_parts(&out, receipt, 0);
	return buf_take(&out);
}

/* ---- reading ---- */

static void
read_head(struct fields *from, struct receipt *receipt)
{
	const char *topic = fields_text(from, "topic");
	const char *path = fields_text(from, "path");

	(void)fields_int(from, "secor_path", RECEIPT_VERSION, RECEIPT_VERSION);
	receipt->topic = mem_dup(topic, strlen(topic));
	receipt->path = mem_dup(path, strlen(path));
	receipt->generation = fields_int(from, "generation", 0, INT64_MAX);
	receipt->span.from =
	    fields_int(from, "from_ms", -INT64_MAX, INT64_MAX - 1);
	receipt->span.until =
	    fields_int(from, "until_ms", receipt->span.from, INT64_MAX - 1);
	receipt->totals.objects = fields_count(from, "objects");
	receipt->totals.records = fields_count(from, "records");
	receipt->totals.bytes = fields_count(from, "bytes");
	receipt->amended = fields_count(from, "amended");
	receipt->written_ms = fields_int(from, "written_ms", 0, INT64_MAX);
}

static void
read_part(struct fields *from, struct receipt *receipt)
{
	int32_t partition =
	    (int32_t)fields_int(from, "partition", 0, INT32_MAX);
	size_t known = receipt->part_count;
	struct receipt_part *part = receipt_part(receipt, partition);

	if (receipt->part_count == known)
		fields_fail(from, "partition", "comes twice");
	part->end = fields_int(from, "end", 0, INT64_MAX);
	part->records = fields_count(from, "records");
	if (part->records == 0)
		return;
	part->first = fields_int(from, "first_offset", 0, INT64_MAX);
	part->last = fields_int(from, "last_offset", part->first, INT64_MAX);
}

int
receipt_read(const char *text, size_t len, struct receipt *receipt,
    struct secor_err *err)
{
	json_error_t why;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	struct fields from = {json, "receipt", err, 0};
	const json_t *list = json_object_get(json, "partitions");

	memset(receipt, 0, sizeof(*receipt));
	if (json == NULL)
		return secor_fail(err, SECOR_REJECT,
		    "not a receipt: line %d: %.200s", why.line, why.text);
	read_head(&from, receipt);
	if (!json_is_array(list))
		fields_fail(&from, "partitions", "is missing or not a list");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct fields one = {json_array_get(list, i), "partition of it",
		    err, from.failed};

		read_part(&one, receipt);
		from.failed = one.failed;
	}
	json_decref(json);
	if (!from.failed)
		return SECOR_OK;
	receipt_fini(receipt);
	return SECOR_REJECT;
}

void
receipt_fini(struct receipt *receipt)
{
	free(receipt->topic);
	free(receipt->path);
	free(receipt->parts);
	memset(receipt, 0, sizeof(*receipt));
}

struct receipt_part *
receipt_part(struct receipt *receipt, int32_t partition)
{
	size_t at = 0;

	while (at < receipt->part_count &&
	       receipt->parts[at].partition < partition)
		at++;
	if (at < receipt->part_count &&
	    receipt->parts[at].partition == partition)
		return &receipt->parts[at];
	receipt->parts = mem_grow(receipt->parts,
	    (receipt->part_count + 1) * sizeof(*receipt->parts));
	memmove(&receipt->parts[at + 1], &receipt->parts[at],
	    (receipt->part_count - at) * sizeof(*receipt->parts));
	receipt->part_count++;
	receipt->parts[at] = (struct receipt_part){
	    .partition = partition, .first = -1, .last = -1};
	return &receipt->parts[at];
}

/* ---- in the store ---- */

char *
receipt_key(
    const char *prefix, const char *topic, int64_t generation, const char *path)
{
	return mem_text("%s/%s/_paths/%" PRId64 "/%s/_path.json", prefix, topic,
	    generation, path);
}

static int
collect(void *arg, const void *bytes, size_t len)
{
	struct buf *text = arg;

	buf_put(text, bytes, len);
	return text->len > RECEIPT_BYTES_MAX;
}

int
receipt_get(const struct manifest_store *store, const char *key,
    struct receipt *receipt, int *found, struct secor_err *err)
{
	struct buf text = {0};
	struct secor_err why = {{0}};
	int rc = store->ops->get(store->self, key, collect, &text, &why);

	*found = rc == SECOR_OK;
	if (rc == SECOR_REJECT)
		rc = SECOR_OK;
	else if (rc != SECOR_OK)
		(void)secor_fail(err, rc, "%s", why.text);
	else if (receipt_read(text.ptr == NULL ? "" : text.ptr, text.len,
		     receipt, &why) != SECOR_OK)
		rc = secor_fail(err, SECOR_REJECT, "%s: %s", key, why.text);
	buf_fini(&text);
	return rc;
}
