/*
 * tally.c -- see tally.h.
 */
#include "core/flow/final/tally.h"

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/flow/fields.h"
#include "core/flow/put.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TALLY_VERSION = 1 };

/* ---- writing ---- */

static void
put_text(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, ",\"%s\":", name);
	json_put_string(out, text, strlen(text));
}

static void
put_head(struct buf *out, const struct tally *tally)
{
	put_text(out, "topic", tally->topic);
	put_text(out, "path", tally->path);
	buf_printf(out,
	    ",\"generation\":%" PRId64 ",\"from_ms\":%" PRId64
	    ",\"until_ms\":%" PRId64 ",\"objects\":%" PRIu64
	    ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"amended\":%" PRIu64 ",\"written_ms\":%" PRId64,
	    tally->generation, tally->span.from, tally->span.until,
	    tally->totals.objects, tally->totals.records, tally->totals.bytes,
	    tally->amended, tally->written_ms);
}

/* As pairs of the batch's start and the receipt's number. */
static void
put_redriven(struct buf *out, const struct tally_part *part)
{
	buf_puts(out, ",\"redriven\":[");
	for (size_t i = 0; i < part->redriven_count; i++)
		buf_printf(out, "%s[%" PRId64 ",%" PRId64 "]",
		    i == 0 ? "" : ",", part->redriven[i].start,
		    part->redriven[i].number);
	buf_putc(out, ']');
}

/* Those without records only where `whole`. */
static void
put_parts(struct buf *out, const struct tally *tally, int whole)
{
	const char *comma = "\n ";

	buf_puts(out, ",\"partitions\":[");
	for (size_t i = 0; i < tally->part_count; i++) {
		const struct tally_part *part = &tally->parts[i];

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
		buf_printf(out, ",\"records\":%" PRIu64, part->records);
		if (whole && part->redriven_count > 0)
			put_redriven(out, part);
		buf_putc(out, '}');
		comma = ",\n ";
	}
	buf_puts(out, "]}\n");
}

char *
tally_write(const struct tally *tally)
{
	struct buf out = {0};

	buf_printf(&out, "{\"secor_path\":%d", TALLY_VERSION);
	put_head(&out, tally);
	put_parts(&out, tally, 1);
	return buf_take(&out);
}

char *
tally_marker(const struct tally *tally)
{
	struct buf out = {0};

	buf_printf(&out, "{\"secor_success\":%d", TALLY_VERSION);
	put_head(&out, tally);
	put_parts(&out, tally, 0);
	return buf_take(&out);
}

/* ---- reading ---- */

static void
read_head(struct fields *from, struct tally *tally)
{
	const char *topic = fields_text(from, "topic");
	const char *path = fields_text(from, "path");

	(void)fields_int(from, "secor_path", TALLY_VERSION, TALLY_VERSION);
	tally->topic = mem_dup(topic, strlen(topic));
	tally->path = mem_dup(path, strlen(path));
	tally->generation = fields_int(from, "generation", 0, INT64_MAX);
	tally->span.from =
	    fields_int(from, "from_ms", -INT64_MAX, INT64_MAX - 1);
	tally->span.until =
	    fields_int(from, "until_ms", tally->span.from, INT64_MAX - 1);
	tally->totals.objects = fields_count(from, "objects");
	tally->totals.records = fields_count(from, "records");
	tally->totals.bytes = fields_count(from, "bytes");
	tally->amended = fields_count(from, "amended");
	tally->written_ms = fields_int(from, "written_ms", 0, INT64_MAX);
}

static const char bad_redriven[] = "is not a list of [start,number]";

static void
read_redriven(struct fields *from, struct tally *tally, int32_t partition)
{
	const json_t *list = json_object_get(from->from, "redriven");

	if (list != NULL && !json_is_array(list))
		fields_fail(from, "redriven", bad_redriven);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *pair = json_array_get(list, i);
		struct redriven one = {partition,
		    json_integer_value(json_array_get(pair, 0)),
		    json_integer_value(json_array_get(pair, 1))};

		if (json_array_size(pair) != 2 ||
		    !json_is_integer(json_array_get(pair, 0)) ||
		    one.start < 0 || one.number < 1) {
			fields_fail(from, "redriven", bad_redriven);
			return;
		}
		tally_add_redriven(tally, &one);
	}
}

static void
read_part(struct fields *from, struct tally *tally)
{
	int32_t partition =
	    (int32_t)fields_int(from, "partition", 0, INT32_MAX);
	size_t known = tally->part_count;
	struct tally_part *part = tally_part(tally, partition);

	if (tally->part_count == known)
		fields_fail(from, "partition", "comes twice");
	part->end = fields_int(from, "end", 0, INT64_MAX);
	part->records = fields_count(from, "records");
	read_redriven(from, tally, partition);
	if (part->records == 0)
		return;
	part->first = fields_int(from, "first_offset", 0, INT64_MAX);
	part->last = fields_int(from, "last_offset", part->first, INT64_MAX);
}

int
tally_read(
    const char *text, size_t len, struct tally *tally, struct secor_err *err)
{
	json_t *json = fields_load(text, len, "tally", err);
	struct fields from = {json, "tally", err, 0};
	const json_t *list = json_object_get(json, "partitions");

	memset(tally, 0, sizeof(*tally));
	if (json == NULL)
		return SECOR_REJECT;
	read_head(&from, tally);
	if (!json_is_array(list))
		fields_fail(&from, "partitions", "is missing or not a list");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct fields one = {json_array_get(list, i), "partition of it",
		    err, from.failed};

		read_part(&one, tally);
		from.failed = one.failed;
	}
	json_decref(json);
	if (!from.failed)
		return SECOR_OK;
	tally_fini(tally);
	return SECOR_REJECT;
}

void
tally_fini(struct tally *tally)
{
	for (size_t i = 0; i < tally->part_count; i++)
		free(tally->parts[i].redriven);
	free(tally->topic);
	free(tally->path);
	free(tally->parts);
	memset(tally, 0, sizeof(*tally));
}

struct tally_part *
tally_part(struct tally *tally, int32_t partition)
{
	size_t at = 0;

	while (at < tally->part_count && tally->parts[at].partition < partition)
		at++;
	if (at < tally->part_count && tally->parts[at].partition == partition)
		return &tally->parts[at];
	tally->parts = mem_grow(
	    tally->parts, (tally->part_count + 1) * sizeof(*tally->parts));
	memmove(&tally->parts[at + 1], &tally->parts[at],
	    (tally->part_count - at) * sizeof(*tally->parts));
	tally->part_count++;
	tally->parts[at] = (struct tally_part){
	    .partition = partition, .first = -1, .last = -1};
	return &tally->parts[at];
}

void
tally_copy_parts(struct tally *tally, const struct tally *from)
{
	for (size_t i = 0; i < from->part_count; i++) {
		const struct tally_part *part = &from->parts[i];
		struct tally_part *made = tally_part(tally, part->partition);
		size_t len = part->redriven_count * sizeof(*part->redriven);

		*made = *part;
		made->redriven = mem_alloc(len + 1);
		if (len > 0)
			memcpy(made->redriven, part->redriven, len);
	}
}

/* ---- receipts ---- */

/* Where it is among them, or would be. */
static size_t
place_of(const struct tally_part *part, const struct redriven *receipt)
{
	size_t from = 0, until = part->redriven_count;

	while (from < until) {
		size_t middle = from + (until - from) / 2;

		if (redriven_compare(&part->redriven[middle], receipt) < 0)
			from = middle + 1;
		else
			until = middle;
	}
	return from;
}

static int
part_has(const struct tally_part *part, const struct redriven *receipt)
{
	size_t at = place_of(part, receipt);

	return at < part->redriven_count &&
	       redriven_compare(&part->redriven[at], receipt) == 0;
}

void
tally_add_redriven(struct tally *tally, const struct redriven *receipt)
{
	struct tally_part *part = tally_part(tally, receipt->partition);
	size_t n = part->redriven_count;
	size_t at = place_of(part, receipt);

	if (part_has(part, receipt))
		return;
	part->redriven =
	    mem_grow(part->redriven, (n + 1) * sizeof(*part->redriven));
	memmove(&part->redriven[at + 1], &part->redriven[at],
	    (n - at) * sizeof(*part->redriven));
	part->redriven[at] = *receipt;
	part->redriven_count++;
}

static const struct tally_part *
find_part(const struct tally *tally, int32_t partition)
{
	for (size_t i = 0; i < tally->part_count; i++)
		if (tally->parts[i].partition == partition)
			return &tally->parts[i];
	return NULL;
}

int
tally_has_redriven(const struct tally *tally, const struct redriven *receipt)
{
	const struct tally_part *part = find_part(tally, receipt->partition);

	return part != NULL && part_has(part, receipt);
}

static int
part_covers(const struct tally_part *part, const struct tally_part *other)
{
	if (part == NULL || part->end < other->end)
		return 0;
	for (size_t i = 0; i < other->redriven_count; i++)
		if (!part_has(part, &other->redriven[i]))
			return 0;
	return 1;
}

int
tally_covers(const struct tally *tally, const struct tally *other)
{
	for (size_t i = 0; i < other->part_count; i++) {
		const struct tally_part *part = &other->parts[i];

		if (!part_covers(find_part(tally, part->partition), part))
			return 0;
	}
	return 1;
}

/* ---- in the store ---- */

char *
tally_key(
    const char *prefix, const char *topic, int64_t generation, const char *path)
{
	return mem_text("%s/%s/_paths/%" PRId64 "/%s/_path.json", prefix, topic,
	    generation, path);
}

int
tally_get(const struct manifest_store *store, const char *key,
    struct tally *tally, int *found, struct secor_err *err)
{
	struct buf text = {0};
	struct secor_err why = {{0}};
	int rc = store_get_text(store, key, TALLY_BYTES_MAX, &text, &why);

	*found = rc == SECOR_OK;
	if (rc == SECOR_REJECT)
		rc = SECOR_OK;
	else if (rc != SECOR_OK)
		(void)secor_fail(err, rc, "%s", why.text);
	else if (tally_read(text.ptr, text.len, tally, &why) != SECOR_OK)
		rc = secor_fail(err, SECOR_REJECT,
		    "%.300s: %.500s (remove it, and the path is told anew)",
		    key, why.text);
	buf_fini(&text);
	return rc;
}
