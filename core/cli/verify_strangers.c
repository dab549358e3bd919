/*
 * verify_strangers.c -- objects that are in no manifest. Judged by the group's
 * record: what began before it is final, so a manifest must list it; what lies
 * behind it is a batch that is being stored, if a plan says so.
 */
#include "core/base/hash.h"
#include "core/cli/records.h"
#include "core/cli/verify.h"

#include <stdlib.h>
#include <string.h>

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
	char **suspects; /* in no manifest that was read */
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
	struct verify_final made = {
	    .partition = partition, .offset = -1, .first = -1};

	for (size_t i = 0; i < topic->final_count; i++)
		if (topic->finals[i].partition == partition)
			return &topic->finals[i];
	if (verify->record != NULL)
		listing->rc = verify->record(
		    verify->arg, topic->name, partition, &record, listing->err);
	if (record.kind != RECORD_MISSING && record.kind != RECORD_FOREIGN) {
		made.generation = record_generation(record.g);
		made.offset = record.offset;
		made.has_record = 1;
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

/* Readers of the folder take it for data, unless it is hidden from them as
 * Hadoop hides things, or empty. */
static void
say_unnamed(struct listing *listing, const char *key, uint64_t length)
{
	const char *slash = strrchr(key, '/');
	const char *name = slash == NULL ? key : slash + 1;
	struct verify_report report = {
	    .found = length > 0 && name[0] != '_' && name[0] != '.',
	    .kind = "stranger",
	    .topic = listing->topic->name,
	    .partition = -1,
	    .key = key,
	    .start = -1,
	    .end = -1};

	verify_say(listing->verify, &report,
	    "not named as an object (%" PRIu64 " bytes)", length);
}

/* Of a batch, or of a redrive of it. */
static int
parse_any(
    const char *key, int64_t *generation, int32_t *partition, int64_t *start)
{
	struct receipt_name name;

	if (verify_parse_key(key, generation, partition, start))
		return 1;
	if (!verify_parse_redrive(key, &name, partition))
		return 0;
	*generation = name.generation;
	*start = name.start;
	return 1;
}

static int
on_object(void *arg, const char *key, uint64_t length)
{
	struct listing *listing = arg;
	struct verify *verify = listing->verify;
	int64_t generation, start;
	int32_t partition;

	if (has_key(&listing->topic->keys, key))
		return 0;
	if (!parse_any(key, &generation, &partition, &start)) {
		say_unnamed(listing, key, length);
		return 0;
	}
	if ((verify->partition >= 0 && partition != verify->partition) ||
	    (verify->generation >= 0 && generation != verify->generation) ||
	    start < verify_from(verify, partition))
		return 0;
	suspect(listing, key);
	return 0;
}

static int
lists_key(const struct manifest *manifest, const char *key)
{
	for (size_t i = 0; i < manifest->object_count; i++)
		if (strcmp(manifest->objects[i].key, key) == 0)
			return 1;
	return 0;
}

/* A suspect while it is judged. */
struct judging {
	struct listing *listing;
	const char *key;
	int64_t generation;
	struct verify_report report;
};

/* Looks once more: the manifest of a batch that ended meanwhile was not among
 * those that were read. */
static int
is_listed(struct judging *judging, int *listed, struct secor_err *err)
{
	const struct manifest_store *store = &judging->listing->verify->store;
	struct manifest *manifest = NULL;
	struct secor_err why;
	char *name = manifest_key(store->prefix, judging->report.topic,
	    judging->report.partition, judging->generation,
	    judging->report.start);
	int rc = manifest_get(store->ops, store->self, name, &manifest, &why);

	free(name);
	if (rc != SECOR_OK && rc != SECOR_REJECT)
		return secor_fail(err, rc, "%s", why.text);
	*listed = manifest != NULL && lists_key(manifest, judging->key);
	manifest_free(manifest);
	return SECOR_OK;
}

/* Its manifest went first, of old age. */
static int
is_removed(const struct judging *judging, int *removed, struct secor_err *err)
{
	const struct verify *verify = judging->listing->verify;
	const struct verify_final *final =
	    final_of(judging->listing, judging->report.partition);
	struct secor_stat stat = {.size = sizeof(stat)};
	int rc;

	*removed = 0;
	if (verify->scope.removed_before == INT64_MIN ||
	    (final->first >= 0 && judging->report.start >= final->first))
		return SECOR_OK;
	rc = verify->store.ops->head(
	    verify->store.self, judging->key, &stat, err);
	if (rc == SECOR_OK)
		*removed = stat.modified_ms < verify->scope.removed_before;
	return rc;
}

static int
judge_final(struct judging *judging, struct secor_err *err)
{
	struct verify *verify = judging->listing->verify;
	struct verify_report *report = &judging->report;
	int listed = 0, removed = 0;
	int rc = is_listed(judging, &listed, err);

	if (rc != SECOR_OK || listed)
		return rc;
	rc = is_removed(judging, &removed, err);
	if (rc != SECOR_OK)
		return rc;
	report->found = !removed;
	report->kind = removed ? "removed" : "foreign-object";
	verify_say(verify, report, "the object is in no manifest%s",
	    removed ? " any more, as --removed-before says" : "");
	return SECOR_OK;
}

/* Not final when it was listed. What the group's record says now decides: a
 * batch has a plan before its first object. */
static int
judge_later(struct judging *judging, struct secor_err *err)
{
	struct verify *verify = judging->listing->verify;
	struct verify_report *report = &judging->report;
	struct record now = {.kind = RECORD_MISSING};
	int planned;
	int rc = verify->record == NULL
		     ? SECOR_OK
		     : verify->record(verify->arg, report->topic,
			   report->partition, &now, err);

	if (rc != SECOR_OK)
		return rc;
	planned = now.kind == RECORD_MISSING || now.kind == RECORD_FOREIGN ||
		  report->start < now.offset ||
		  (report->start == now.offset && now.kind != RECORD_CLEAN);
	/* of a manifest at or behind the record was told already */
	if (!planned)
		rc = is_listed(judging, &planned, err);
	if (rc != SECOR_OK)
		return rc;
	report->found = !planned;
	report->kind = planned ? "not-final" : "future-object";
	verify_say(verify, report,
	    planned ? "not final yet: a batch that is being stored, or was "
		      "given up"
		    : "no batch that begins there was ever planned: the "
		      "group's offset is %" PRId64,
	    now.offset);
	return SECOR_OK;
}

/* Looks once more: its plan or receipt may have come meanwhile. */
static int
is_redriven(struct judging *judging, int *is, struct secor_err *err)
{
	const struct manifest_store *store = &judging->listing->verify->store;
	char *topic = mem_text("%s", judging->report.topic);
	const struct manifest_place place = {
	    topic, judging->report.partition, judging->generation};
	struct receipts receipts = {0};
	int rc =
	    receipts_list(store, &place, judging->report.start, &receipts, err);

	*is = 0;
	for (size_t i = 0; rc == SECOR_OK && !*is && i < receipts.count; i++) {
		struct receipt *receipt = NULL;
		struct secor_err why;

		if (receipts.items[i].name.kind != RECEIPT_DONE &&
		    !receipts_is_open(&receipts, i))
			continue;
		rc = receipts_get(
		    store, &place, &receipts.items[i], &receipt, &why);
		for (size_t k = 0; rc == SECOR_OK && k < receipt->object_count;
		     k++)
			*is |=
			    strcmp(receipt->objects[k].key, judging->key) == 0;
		receipt_free(receipt);
		if (rc == SECOR_REJECT)
			rc = SECOR_OK; /* a finding of its own, or gone */
		else if (rc != SECOR_OK)
			(void)secor_fail(err, rc, "%s", why.text);
	}
	receipts_fini(&receipts);
	free(topic);
	return rc;
}

static int
judge_redriven(struct judging *judging, struct secor_err *err)
{
	struct verify_report *report = &judging->report;
	int is = 0, removed = 0;
	int rc = is_redriven(judging, &is, err);

	if (rc == SECOR_OK && !is)
		rc = is_removed(judging, &removed, err);
	if (rc != SECOR_OK)
		return rc;
	report->found = !is && !removed;
	report->kind = is	 ? "not-final"
		       : removed ? "removed"
				 : "foreign-object";
	verify_say(judging->listing->verify, report, "%s",
	    is	      ? "of a redrive that is under way"
	    : removed ? "its receipt is not there any more, as "
			"--removed-before says"
		      : "the object is in no receipt of a redrive");
	return SECOR_OK;
}

static int
judge(struct listing *listing, const char *key)
{
	struct judging judging = {.listing = listing,
	    .key = key,
	    .report = {.topic = listing->topic->name, .key = key, .end = -1}};
	struct verify_report *report = &judging.report;
	struct receipt_name name;
	int final;

	(void)parse_any(
	    key, &judging.generation, &report->partition, &report->start);
	if (verify_parse_redrive(key, &name, &report->partition))
		return judge_redriven(&judging, listing->err);
	final = is_final(
	    listing, report->partition, judging.generation, report->start);
	if (listing->rc != SECOR_OK)
		return listing->rc;
	return final ? judge_final(&judging, listing->err)
		     : judge_later(&judging, listing->err);
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
	const struct records_seen seen = {on_object, &listing};
	int rc = records_list(
	    verify->config, store->ops, store->self, topic->name, &seen, err);

	if (rc == SECOR_OK)
		rc = listing.rc;
	if (rc != SECOR_OK)
		listing.rc = rc;
	return judge_all(&listing);
}
