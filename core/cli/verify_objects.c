/*
 * verify_objects.c -- objects against manifests, and manifests against
 * objects.
 */
#include "core/base/hash.h"
#include "core/cli/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- from the manifest to the object ---- */

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
look_at(struct verify *verify, const char *key, struct secor_stat *stat,
    struct secor_err *err)
{
	const struct manifest_store *store = &verify->store;
	struct summing sum = {0, 0};
	int rc;

	*stat = (struct secor_stat){.size = sizeof(*stat)};
	rc = store->ops->head(store->self, key, stat, err);
	if (rc != SECOR_OK || !stat->exists || stat->has_crc32c ||
	    verify->quick)
		return rc;
	rc = store->ops->get(store->self, key, sum_piece, &sum, err);
	if (rc == SECOR_REJECT) {
		stat->exists = 0; /* removed in between */
		return SECOR_OK;
	}
	stat->length = sum.length;
	stat->has_crc32c = 1;
	stat->crc32c = sum.crc32c;
	return rc;
}

static void
add_key(struct verify_keys *keys, const char *key)
{
	if (keys->count == keys->room) {
		keys->room = keys->room == 0 ? 1024 : keys->room * 2;
		keys->items =
		    mem_grow(keys->items, keys->room * sizeof(*keys->items));
	}
	keys->items[keys->count++] = hash64(key, strlen(key));
	keys->sorted = 0;
}

static int
check_object(struct verify *verify, const struct manifest *manifest,
    const struct manifest_object *object, struct secor_err *err)
{
	struct verify_report report = {.found = 1,
	    .topic = manifest->topic,
	    .partition = manifest->partition,
	    .key = object->key,
	    .start = manifest->start,
	    .end = manifest->end};
	struct secor_stat stat;
	int rc = look_at(verify, object->key, &stat, err);

	if (rc != SECOR_OK)
		return rc;
	verify->totals.objects++;
	verify->totals.bytes += object->bytes;
	if (!object->dead_letter)
		verify->totals.records += object->records;
	if (!stat.exists) {
		report.kind = "missing-object";
		verify_say(verify, &report,
		    "the object is not there: %" PRIu64
		    " records of offsets %" PRId64 "..%" PRId64,
		    object->records, object->first_offset, object->last_offset);
	} else if (stat.length != object->bytes) {
		report.kind = "size";
		verify_say(verify, &report,
		    "the object has %" PRIu64 " bytes, %" PRIu64
		    " were written",
		    stat.length, object->bytes);
	} else if (stat.has_crc32c && stat.crc32c != object->crc32c) {
		report.kind = "crc32c";
		verify_say(verify, &report,
		    "the object was changed: CRC32C %08" PRIx32
		    ", written was %08" PRIx32,
		    stat.crc32c, object->crc32c);
	}
	return SECOR_OK;
}

int
verify_objects(struct verify *verify, struct verify_topic *topic,
    const struct manifest *manifest, struct secor_err *err)
{
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < manifest->object_count; i++) {
		add_key(&topic->keys, manifest->objects[i].key);
		rc = check_object(verify, manifest, &manifest->objects[i], err);
	}
	return rc;
}

/* ---- from the object to the manifest ---- */

static int
parse_digits(const char **at, size_t min, int64_t *number)
{
	size_t digits = strspn(*at, "0123456789");
	char *end;

	if (digits < min || digits > 20)
		return 0;
	*number = strtoll(*at, &end, 10);
	*at = end;
	return *number != INT64_MAX;
}

int
verify_parse_key(
    const char *key, int64_t *generation, int32_t *partition, int64_t *start)
{
	const char *slash = strrchr(key, '/');
	const char *at = slash == NULL ? key : slash + 1;
	int64_t numbers[3];

	if (!parse_digits(&at, 1, &numbers[0]) || *at++ != '_' ||
	    !parse_digits(&at, 1, &numbers[1]) || *at++ != '_' ||
	    !parse_digits(&at, 20, &numbers[2]) || numbers[1] > INT32_MAX)
		return 0;
	*generation = numbers[0];
	*partition = (int32_t)numbers[1];
	*start = numbers[2];
	return 1;
}

static int
by_hash(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static int
has_key(struct verify_keys *keys, const char *key)
{
	uint64_t hash = hash64(key, strlen(key));

	if (keys->count == 0)
		return 0;
	if (!keys->sorted)
		qsort(keys->items, keys->count, sizeof(*keys->items), by_hash);
	keys->sorted = 1;
	return bsearch(&hash, keys->items, keys->count, sizeof(*keys->items),
		   by_hash) != NULL;
}

struct listing {
	struct verify *verify;
	struct verify_topic *topic;
	char **suspects; /* final and in no manifest that was read */
	size_t suspect_count;
	struct secor_err *err;
	int rc;
};

/* Asks the group when the partition has no manifest. */
static const struct verify_final *
final_of(struct listing *listing, int32_t partition)
{
	struct verify *verify = listing->verify;
	struct verify_topic *topic = listing->topic;
	struct record record = {.kind = RECORD_MISSING};
	struct verify_final made = {.partition = partition, .offset = -1};

	for (size_t i = 0; i < topic->final_count; i++)
		if (topic->finals[i].partition == partition)
			return &topic->finals[i];
	if (verify->record != NULL)
		listing->rc = verify->record(
		    verify->arg, topic->name, partition, &record, listing->err);
	if (record.kind != RECORD_MISSING && record.kind != RECORD_FOREIGN) {
		made.generation = record_generation(record.g);
		made.offset = record.offset;
	}
	topic->finals = mem_grow(
	    topic->finals, (topic->final_count + 1) * sizeof(*topic->finals));
	topic->finals[topic->final_count] = made;
	return &topic->finals[topic->final_count++];
}

static int
is_final(struct listing *listing, int32_t partition, int64_t generation,
    int64_t start)
{
	const struct verify_final *final = final_of(listing, partition);

	return generation < final->generation || start < final->offset;
}

/* Judged after the listing: a store does one thing at a time. */
static void
suspect(struct listing *listing, const char *key)
{
	size_t n = listing->suspect_count++;

	listing->suspects =
	    mem_grow(listing->suspects, (n + 1) * sizeof(*listing->suspects));
	listing->suspects[n] = mem_dup(key, strlen(key));
}

static int
on_object(void *arg, const char *key, uint64_t length)
{
	struct listing *listing = arg;
	struct verify *verify = listing->verify;
	struct verify_report report = {.topic = listing->topic->name,
	    .partition = -1,
	    .key = key,
	    .start = -1,
	    .end = -1};
	int64_t generation, start;
	int32_t partition;

	if (has_key(&listing->topic->keys, key))
		return 0;
	if (!verify_parse_key(key, &generation, &partition, &start)) {
		report.kind = "stranger";
		verify_say(verify, &report,
		    "not named as an object (%" PRIu64 " bytes)", length);
		return 0;
	}
	if ((verify->partition >= 0 && partition != verify->partition) ||
	    (verify->generation >= 0 && generation != verify->generation))
		return 0;
	report.partition = partition;
	report.start = start;
	if (!is_final(listing, partition, generation, start)) {
		report.kind = "not-final";
		verify_say(verify, &report,
		    "not final yet: a batch that is "
		    "being stored, or was given up");
	} else {
		suspect(listing, key);
	}
	return listing->rc != SECOR_OK;
}

static int
lists_key(const struct manifest *manifest, const char *key)
{
	for (size_t i = 0; i < manifest->object_count; i++)
		if (strcmp(manifest->objects[i].key, key) == 0)
			return 1;
	return 0;
}

/* Looks once more: the manifest of a batch that ended meanwhile was not among
 * those that were read. */
static int
judge(struct listing *listing, const char *key)
{
	struct verify *verify = listing->verify;
	const struct manifest_store *store = &verify->store;
	struct verify_report report = {.found = 1,
	    .kind = "foreign-object",
	    .topic = listing->topic->name,
	    .key = key,
	    .end = -1};
	struct manifest *manifest = NULL;
	struct secor_err why;
	int64_t generation;
	char *name;
	int rc;

	(void)verify_parse_key(
	    key, &generation, &report.partition, &report.start);
	name = manifest_key(store->prefix, report.topic, report.partition,
	    generation, report.start);
	rc = manifest_get(store->ops, store->self, name, &manifest, &why);
	free(name);
	if (rc != SECOR_OK && rc != SECOR_REJECT)
		return secor_fail(listing->err, rc, "%s", why.text);
	if (manifest == NULL || !lists_key(manifest, key))
		verify_say(verify, &report, "the object is in no manifest");
	manifest_free(manifest);
	return SECOR_OK;
}

/* Takes the suspects. */
static int
judge_all(struct listing *listing)
{
	int rc = listing->rc;

	for (size_t i = 0; i < listing->suspect_count; i++) {
		if (rc == SECOR_OK)
			rc = judge(listing, listing->suspects[i]);
		free(listing->suspects[i]);
	}
	free(listing->suspects);
	return rc;
}

int
verify_strangers(
    struct verify *verify, struct verify_topic *topic, struct secor_err *err)
{
	const struct manifest_store *store = &verify->store;
	struct listing listing = {.verify = verify, .topic = topic, .err = err};
	char *folders[2];
	int rc = SECOR_OK;

	folders[0] = mem_text("%s/", topic->name);
	folders[1] = mem_text(
	    "%s/%s/", verify->config->layout.dead_letter_prefix, topic->name);
	for (int i = 0; rc == SECOR_OK && i < 2; i++) {
		rc = store->ops->list(
		    store->self, folders[i], NULL, on_object, &listing, err);
		if (rc == SECOR_OK)
			rc = listing.rc;
	}
	free(folders[0]);
	free(folders[1]);
	if (rc != SECOR_OK)
		listing.rc = rc;
	return judge_all(&listing);
}
