/*
 * ledger.c -- see ledger.h. Invariant: an object is fresh in an entry, or its
 * tally counts it: the batch begins before the end that it has for the
 * partition, or it names the receipt.
 */
#include "core/flow/final/ledger.h"

#include "core/base/buf.h"
#include "core/base/hash.h"
#include "core/flow/path.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

/* How far the manifests of a partition are read. */
struct reach {
	int32_t partition;
	int64_t end;
};

struct ledger {
	const char *topic;
	struct spans *spans;
	int whole_paths;
	int64_t generation;
	struct entry *buckets[BUCKETS];
	size_t count;
	struct reach *reaches;
	size_t reach_count;
};

struct ledger *
ledger_new(const char *topic, struct spans *spans, int whole_paths)
{
	struct ledger *ledger = mem_alloc(sizeof(*ledger));

	ledger->topic = topic;
	ledger->spans = spans;
	ledger->whole_paths = whole_paths;
	return ledger;
}

struct ledger_object *
ledger_object_ref(struct ledger_object *object)
{
	object->refs++;
	return object;
}

void
ledger_object_unref(struct ledger_object *object)
{
	if (--object->refs > 0)
		return;
	free(object->object.key);
	free(object->object.path);
	free(object);
}

static void
drop_fresh(struct entry *entry)
{
	for (size_t i = 0; i < entry->fresh_count; i++)
		ledger_object_unref(entry->fresh[i]);
	free(entry->fresh);
	entry->fresh = NULL;
	entry->fresh_count = 0;
}

static void
entry_free(struct entry *entry)
{
	assert(entry->telling == NULL);
	drop_fresh(entry);
	tally_fini(&entry->tally);
	free(entry->path);
	free(entry->folder);
	free(entry);
}

void
ledger_free(struct ledger *ledger)
{
	if (ledger == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (ledger->buckets[i] != NULL) {
			struct entry *entry = ledger->buckets[i];

			ledger->buckets[i] = entry->next;
			entry_free(entry);
		}
	free(ledger->reaches);
	free(ledger);
}

/* ---- taking in ---- */

/* The entry of the first `len` bytes of a path. */
static struct entry **
place_of(struct ledger *ledger, const char *path, size_t len)
{
	struct entry **at = &ledger->buckets[hash64(path, len) % BUCKETS];

	while (*at != NULL && (strlen((*at)->path) != len ||
				  memcmp((*at)->path, path, len) != 0))
		at = &(*at)->next;
	return at;
}

static const struct entry *
find(const struct ledger *ledger, const char *path, size_t len)
{
	const struct entry *at = ledger->buckets[hash64(path, len) % BUCKETS];

	while (at != NULL &&
	       (strlen(at->path) != len || memcmp(at->path, path, len) != 0))
		at = at->next;
	return at;
}

/* The folder of a key less the last `n` levels of its path. */
static char *
folder_of(const char *key, size_t n)
{
	size_t len = strlen(key);

	for (size_t cut = 0; cut <= n && len > 0; cut++)
		while (len > 0 && key[--len] != '/')
			;
	return mem_dup(key, len);
}

static int64_t
settled_until(const struct entry *entry, int32_t partition)
{
	const struct tally *tally = &entry->tally;

	for (size_t i = 0; i < tally->part_count; i++)
		if (tally->parts[i].partition == partition)
			return tally->parts[i].end;
	return INT64_MIN;
}

static int
is_counted(const struct entry *entry, const struct redriven *of)
{
	if (entry->state != ENTRY_SETTLED)
		return 0;
	if (of->number > 0)
		return tally_has_redriven(&entry->tally, of);
	return of->start < settled_until(entry, of->partition);
}

/* `key` NULL: any object of the receipt. */
static int
is_fresh(const struct entry *entry, const struct redriven *of, const char *key)
{
	for (size_t i = 0; i < entry->fresh_count; i++) {
		const struct ledger_object *object = entry->fresh[i];

		if (redriven_compare(&object->of, of) == 0 &&
		    (key == NULL || strcmp(object->object.key, key) == 0))
			return 1;
	}
	return 0;
}

static void
enter(struct entry *entry, struct ledger_object *object)
{
	if (is_counted(entry, &object->of) ||
	    (object->of.number > 0 &&
		is_fresh(entry, &object->of, object->object.key)))
		return;
	entry->fresh = mem_grow(entry->fresh,
	    (entry->fresh_count + 1) * sizeof(struct ledger_object *));
	entry->fresh[entry->fresh_count++] = ledger_object_ref(object);
}

/* Bytes of the first `levels` levels of a path. */
static size_t
first_levels(const char *path, size_t levels)
{
	const char *at = path;

	for (size_t i = 0; i < levels; i++)
		at += strcspn(at, "/") + (i + 1 < levels);
	return (size_t)(at - path);
}

static void
add_object(struct ledger *ledger, struct ledger_object *object)
{
	const struct manifest_object *in = &object->object;
	struct secor_event_level *levels;
	struct spans_path path = {
	    .first_ms = in->first_ms, .last_ms = in->last_ms};
	size_t first;

	path.level_count = path_split(in->path, &levels);
	path.levels = levels;
	first = ledger->whole_paths ? path.level_count : 1;
	for (size_t n = first; n > 0 && n <= path.level_count; n++) {
		size_t len = first_levels(in->path, n);
		struct entry **at = place_of(ledger, in->path, len);
		struct span span;

		if (!spans_find(ledger->spans, &path, n, &span))
			continue;
		if (*at == NULL) {
			*at = mem_alloc(sizeof(**at));
			(*at)->level_count = n;
			(*at)->path = mem_dup(in->path, len);
			(*at)->folder =
			    folder_of(in->key, path.level_count - n);
			(*at)->span = span;
			ledger->count++;
		}
		enter(*at, object);
	}
	free(levels);
}

/* Copies it. */
static void
add_copy(struct ledger *ledger, const struct redriven *of,
    const struct manifest_object *from)
{
	struct ledger_object *object = mem_alloc(sizeof(*object));

	object->refs = 1;
	object->of = *of;
	object->object = *from;
	object->object.key = mem_dup(from->key, strlen(from->key));
	object->object.path = mem_dup(from->path, strlen(from->path));
	add_object(ledger, object);
	ledger_object_unref(object);
}

/* Read before, and once more since what came behind it could not be read. */
static int
was_added(const struct ledger *ledger, const struct manifest *manifest)
{
	for (size_t i = 0; i < ledger->reach_count; i++)
		if (ledger->reaches[i].partition == manifest->partition)
			return manifest->start < ledger->reaches[i].end;
	return 0;
}

void
ledger_add(struct ledger *ledger, const struct manifest *manifest)
{
	const struct redriven of = {manifest->partition, manifest->start, 0};

	if (was_added(ledger, manifest))
		return;
	ledger->generation = manifest->generation;
	for (size_t i = 0; i < manifest->object_count; i++) {
		const struct manifest_object *from = &manifest->objects[i];

		if (!from->dead_letter && from->has_times)
			add_copy(ledger, &of, from);
	}
	ledger_read_until(ledger, manifest->partition, manifest->end);
}

void
ledger_add_receipt(struct ledger *ledger, const struct receipt *receipt)
{
	const struct redriven of = {
	    receipt->partition, receipt->start, receipt->number};

	ledger->generation = receipt->generation;
	for (size_t i = 0; i < receipt->object_count; i++) {
		const struct receipt_object *from = &receipt->objects[i];
		const struct offset_runs *runs = &from->offsets;
		const struct manifest_object object = {.key = from->key,
		    .path = from->path,
		    .records = runs->offsets,
		    .bytes = from->bytes,
		    .crc32c = from->crc32c,
		    .first_offset = runs->items[0].first,
		    .last_offset = runs->items[runs->count - 1].last,
		    .has_times = from->has_times,
		    .first_ms = from->first_ms,
		    .last_ms = from->last_ms};

		if (from->has_times)
			add_copy(ledger, &of, &object);
	}
}

int
ledger_has_receipt(const struct entry *entry, const struct redriven *receipt)
{
	return is_counted(entry, receipt) || is_fresh(entry, receipt, NULL);
}

int
ledger_is_done_with(const struct ledger *ledger, const char *path,
    const struct redriven *receipt)
{
	for (size_t len = strcspn(path, "/");;
	     len += 1 + strcspn(path + len + 1, "/")) {
		const struct entry *entry = find(ledger, path, len);

		if (entry != NULL &&
		    (entry->unsure || !is_counted(entry, receipt)))
			return 0;
		if (path[len] == '\0')
			return 1;
	}
}

void
ledger_read_until(struct ledger *ledger, int32_t partition, int64_t end)
{
	for (size_t i = 0; i < ledger->reach_count; i++)
		if (ledger->reaches[i].partition == partition) {
			ledger->reaches[i].end = end;
			return;
		}
	ledger->reaches = mem_grow(ledger->reaches,
	    (ledger->reach_count + 1) * sizeof(*ledger->reaches));
	ledger->reaches[ledger->reach_count++] = (struct reach){partition, end};
}

void
ledger_settle(struct entry *entry, struct tally *tally)
{
	size_t kept = 0;

	tally_fini(&entry->tally);
	entry->state = tally == NULL ? ENTRY_OPEN : ENTRY_SETTLED;
	if (tally == NULL)
		return;
	entry->tally = *tally;
	memset(tally, 0, sizeof(*tally));
	for (size_t i = 0; i < entry->fresh_count; i++) {
		struct ledger_object *object = entry->fresh[i];

		if (is_counted(entry, &object->of))
			ledger_object_unref(object);
		else
			entry->fresh[kept++] = object;
	}
	entry->fresh_count = kept;
}

/* ---- asking ---- */

static void
sum_object(struct tally *tally, const struct ledger_object *object)
{
	const struct manifest_object *in = &object->object;
	struct tally_part *part = tally_part(tally, object->of.partition);

	tally->totals.objects++;
	tally->totals.records += in->records;
	tally->totals.bytes += in->bytes;
	if (part->records == 0 || in->first_offset < part->first)
		part->first = in->first_offset;
	if (part->records == 0 || in->last_offset > part->last)
		part->last = in->last_offset;
	part->records += in->records;
	if (object->of.number > 0)
		tally_add_redriven(tally, &object->of);
}

void
ledger_sum(
    const struct ledger *ledger, const struct entry *entry, struct tally *tally)
{
	const struct tally *before = &entry->tally;

	memset(tally, 0, sizeof(*tally));
	tally->topic = mem_dup(ledger->topic, strlen(ledger->topic));
	tally->path = mem_dup(entry->path, strlen(entry->path));
	tally->generation = ledger->generation;
	tally->span = entry->span;
	if (entry->state == ENTRY_SETTLED) {
		tally->totals = before->totals;
		tally->amended = before->amended + (entry->fresh_count > 0);
		tally_copy_parts(tally, before);
	}
	for (size_t i = 0; i < entry->fresh_count; i++)
		sum_object(tally, entry->fresh[i]);
	for (size_t i = 0; i < ledger->reach_count; i++) {
		struct tally_part *part =
		    tally_part(tally, ledger->reaches[i].partition);

		if (ledger->reaches[i].end > part->end)
			part->end = ledger->reaches[i].end;
	}
}

static int
has_work(const struct entry *entry)
{
	return entry->state != ENTRY_SETTLED || entry->fresh_count > 0 ||
	       entry->unsure;
}

static int
by_end(const void *left, const void *right)
{
	const struct entry *a = *(struct entry *const *)left;
	const struct entry *b = *(struct entry *const *)right;

	if (a->span.until != b->span.until)
		return a->span.until < b->span.until ? -1 : 1;
	if (a->level_count != b->level_count)
		return a->level_count > b->level_count ? -1 : 1;
	return strcmp(a->path, b->path);
}

struct entry **
ledger_due(struct ledger *ledger, int64_t until, size_t *count)
{
	struct entry **due = mem_alloc((ledger->count + 1) * sizeof(*due));

	*count = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct entry *e = ledger->buckets[i]; e != NULL;
		     e = e->next)
			if (e->span.until <= until && has_work(e))
				due[(*count)++] = e;
	qsort(due, *count, sizeof(*due), by_end);
	return due;
}

/* What was never told and is that old is not told any more. */
static int
is_wanted(const struct entry *entry)
{
	if (entry->state == ENTRY_OPEN)
		return entry->tries > 0 || entry->telling != NULL;
	return has_work(entry);
}

void
ledger_forget(struct ledger *ledger, int64_t until)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct entry **at = &ledger->buckets[i];

		while (*at != NULL) {
			struct entry *entry = *at;

			if (entry->span.until >= until || is_wanted(entry)) {
				at = &entry->next;
				continue;
			}
			*at = entry->next;
			entry_free(entry);
			ledger->count--;
		}
	}
}

size_t
ledger_count(const struct ledger *ledger)
{
	return ledger->count;
}
