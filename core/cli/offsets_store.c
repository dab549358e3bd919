/*
 * offsets_store.c -- what the store has of a partition, and gap manifests.
 */
#include "core/base/clock.h"
#include "core/cli/offsets.h"
#include "core/cli/put.h"
#include "core/cli/records.h"
#include "core/cli/verify.h"
#include "core/flow/put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- ranges ---- */

static int
add_range(void *arg, const char *key, const struct manifest *manifest,
    const char *why, struct secor_err *err)
{
	struct ranges *ranges = arg;

	(void)key;
	if (manifest == NULL)
		return secor_fail(err, SECOR_REJECT, "%s", why);
	ranges->items = mem_grow(
	    ranges->items, (ranges->count + 1) * sizeof(*ranges->items));
	ranges->items[ranges->count++] =
	    (struct range){manifest->generation, manifest->start, manifest->end,
		manifest->chain, manifest->watermark};
	return SECOR_OK;
}

int
ranges_read(struct offsets *offsets, const struct halt_place *place,
    struct ranges *ranges, struct secor_err *err)
{
	struct manifest_places places = {0};
	int rc = manifest_places(
	    &offsets->store, place->topic, place->partition, &places, err);

	for (size_t i = 0; rc == SECOR_OK && i < places.count; i++)
		rc = manifest_walk(&offsets->store, &places.items[i], 0,
		    add_range, ranges, err);
	manifest_places_fini(&places);
	return rc;
}

void
ranges_fini(struct ranges *ranges)
{
	free(ranges->items);
	memset(ranges, 0, sizeof(*ranges));
}

const struct range *
ranges_last(const struct ranges *ranges, int64_t limit)
{
	const struct range *last = NULL;

	for (size_t i = 0; i < ranges->count; i++)
		if (ranges->items[i].end <= limit &&
		    (last == NULL || ranges->items[i].end >= last->end))
			last = &ranges->items[i];
	return last;
}

/* ---- objects ---- */

struct finding {
	const struct halt_place *place;
	struct stored *stored;
};

static int
take_object(void *arg, const char *key, uint64_t length)
{
	struct finding *finding = arg;
	struct stored *stored = finding->stored;
	int64_t generation, start;
	int32_t partition;
	size_t n = stored->count;

	if (!verify_parse_key(key, &generation, &partition, &start) ||
	    generation != stored->generation ||
	    partition != finding->place->partition || start < stored->from ||
	    start >= stored->until)
		return 0;
	stored->keys = mem_grow(stored->keys, (n + 1) * sizeof(*stored->keys));
	stored->lengths =
	    mem_grow(stored->lengths, (n + 1) * sizeof(*stored->lengths));
	stored->keys[n] = mem_dup(key, strlen(key));
	stored->lengths[n] = length;
	stored->count++;
	stored->bytes += length;
	return 0;
}

int
stored_find(struct offsets *offsets, const struct halt_place *place,
    struct stored *stored, struct secor_err *err)
{
	struct finding finding = {place, stored};
	const struct records_seen seen = {take_object, &finding};
	const struct manifest_store *store = &offsets->store;

	return records_list(
	    offsets->config, store->ops, store->self, place->topic, &seen, err);
}

void
stored_fini(struct stored *stored)
{
	for (size_t i = 0; i < stored->count; i++)
		free(stored->keys[i]);
	free(stored->keys);
	free(stored->lengths);
	memset(stored, 0, sizeof(*stored));
}

int
stored_remove(
    struct offsets *offsets, const struct stored *stored, struct secor_err *err)
{
	const struct manifest_store *store = &offsets->store;
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < stored->count; i++)
		rc = store->ops->remove(store->self, stored->keys[i], err);
	return rc;
}

/* ---- quarantine ---- */

static int
copy_one(struct offsets *offsets, const char *key, const char *to,
    struct secor_err *err)
{
	const struct manifest_store *store = &offsets->store;
	struct records_file from;
	struct cli_file file = {NULL, 0, 0, NULL};
	int rc = records_fetch(store->ops, store->self, key, &from, err);

	if (rc != SECOR_OK)
		return rc;
	file.file = from.file;
	file.length = from.length;
	file.crc32c = from.crc32c;
	rc = cli_put_file(store, to, &file, err);
	(void)fclose(from.file);
	return rc;
}

int
stored_copy(
    struct offsets *offsets, const struct stored *stored, struct secor_err *err)
{
	time_t now = (time_t)(clock_now_ms() / 1000);
	struct tm tm;
	char when[24];
	char *folder;
	int rc = SECOR_OK;

	(void)strftime(
	    when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	folder = mem_text("%s/%s/", CONFIG_QUARANTINE, when);

	for (size_t i = 0; rc == SECOR_OK && i < stored->count; i++) {
		char *to = mem_text("%s%s", folder, stored->keys[i]);

		rc = copy_one(offsets, stored->keys[i], to, err);
		free(to);
	}
	if (rc == SECOR_OK)
		(void)printf(
		    "%zu objects are kept under %s\n", stored->count, folder);
	free(folder);
	return rc;
}

/* ---- manifests ---- */

int
manifest_store_put(
    struct offsets *offsets, struct manifest *manifest, struct secor_err *err)
{
	const struct manifest_store *store = &offsets->store;
	char *key = manifest_key(store->prefix, manifest->topic,
	    manifest->partition, manifest->generation, manifest->start);
	char *text;
	int rc;

	manifest->written_ms = clock_now_ms();
	manifest->chain = manifest_chain(manifest);
	text = manifest_write(manifest);
	rc = store_put_text(store, key, text, "application/json", err);
	free(text);
	free(key);
	return rc;
}

int
gap_put(struct offsets *offsets, const struct halt_place *place, int64_t end,
    struct record *record, struct secor_err *err)
{
	char *topic = mem_dup(place->topic, strlen(place->topic));
	struct manifest gap = {.topic = topic,
	    .partition = place->partition,
	    .generation = record_generation(record->g),
	    .start = record->offset,
	    .end = end,
	    .cut = CUT_GAP,
	    .watermark = record->w,
	    .previous = record->m};
	int rc = manifest_store_put(offsets, &gap, err);

	free(topic);
	if (rc != SECOR_OK)
		return rc;
	record->kind = RECORD_CLEAN;
	record->offset = end;
	record->m = gap.chain;
	return SECOR_OK;
}

static int
take_manifest(void *arg, const char *key, uint64_t length)
{
	int64_t *generation = arg; /* becomes -1: one was seen */
	int64_t of, start;

	(void)length;
	if (manifest_parse_key(key, &of, &start) && of == *generation)
		*generation = -1;
	return *generation < 0;
}

int
manifests_exist(struct offsets *offsets, const struct halt_place *place,
    int *exist, struct secor_err *err)
{
	const struct manifest_store *store = &offsets->store;
	int64_t generation = offsets->config->layout.generation;
	char *folder =
	    manifest_folder(store->prefix, place->topic, place->partition);
	int rc = store->ops->list(
	    store->self, folder, NULL, take_manifest, &generation, err);

	free(folder);
	if (rc == SECOR_OK)
		*exist = generation < 0;
	return rc;
}
