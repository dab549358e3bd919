/*
 * catchup.c -- see catchup.h. Watermarks never go back within a partition, so
 * that batches can be searched by them.
 */
#include "core/flow/final/catchup.h"

#include <inttypes.h>

#include <stdlib.h>
#include <string.h>

struct starts {
	size_t folder; /* bytes of a key before its name */
	int64_t until;
	int64_t *items;
	size_t count, room;
};

static int
take_start(void *arg, const char *key, uint64_t length)
{
	struct starts *starts = arg;
	int64_t generation, start;

	(void)length;
	if (!manifest_parse_name(key + starts->folder, &generation, &start))
		return 0;
	if (start >= starts->until)
		return 1;
	if (starts->count == starts->room) {
		starts->room = starts->room * 2 + 64;
		starts->items = mem_grow(
		    starts->items, starts->room * sizeof(*starts->items));
	}
	starts->items[starts->count++] = start;
	return 0;
}

static int
watermark_at(const struct manifest_store *store,
    const struct manifest_place *place, int64_t start, int64_t *watermark,
    struct secor_err *err)
{
	char *key = manifest_key(store->prefix, place->topic, place->partition,
	    place->generation, start);
	struct manifest *manifest = NULL;
	int rc = manifest_get(store->ops, store->self, key, &manifest, err);

	if (rc == SECOR_OK)
		*watermark = manifest->watermark;
	manifest_free(manifest);
	free(key);
	return rc;
}

/* Start of the first batch that can hold something of `horizon` or later;
 * range->until when there is none. */
static int
find_first(const struct manifest_store *store,
    const struct manifest_place *place, const struct catchup *range,
    int64_t *from, struct secor_err *err)
{
	char *folder =
	    manifest_folder(store->prefix, place->topic, place->partition);
	char *prefix = mem_text("%s%" PRId64 "_", folder, place->generation);
	struct starts starts = {
	    .folder = strlen(folder), .until = range->until};
	size_t low = 0, high;
	int rc = store->ops->list(
	    store->self, prefix, NULL, take_start, &starts, err);

	high = starts.count;
	while (rc == SECOR_OK && low < high) {
		size_t middle = low + (high - low) / 2;
		int64_t watermark;

		rc = watermark_at(
		    store, place, starts.items[middle], &watermark, err);
		if (rc == SECOR_OK && watermark < range->horizon)
			low = middle + 1;
		else
			high = middle;
	}
	*from = low < starts.count ? starts.items[low] : range->until;
	free(starts.items);
	free(prefix);
	free(folder);
	return rc;
}

struct adding {
	struct ledger *ledger;
	int64_t until;
	int over;
};

static int
add(void *arg, const char *key, const struct manifest *manifest,
    const char *why, struct secor_err *err)
{
	struct adding *adding = arg;

	if (manifest == NULL)
		return secor_fail(err, SECOR_REJECT,
		    "manifest %s cannot be read: %s", key, why);
	if (manifest->start >= adding->until) {
		adding->over = 1;
		return SECOR_FATAL; /* ends the walk */
	}
	ledger_add(adding->ledger, manifest);
	return SECOR_OK;
}

int
catchup(const struct manifest_store *store, const struct manifest_place *place,
    const struct catchup *range, struct ledger *ledger, struct secor_err *err)
{
	struct adding adding = {ledger, range->until, 0};
	struct secor_err why = {{0}};
	int64_t from = range->from;
	int rc = SECOR_OK;

	if (from < 0)
		rc = find_first(store, place, range, &from, &why);
	if (rc == SECOR_OK && from < range->until)
		rc = manifest_walk(store, place, from, add, &adding, &why);
	if (adding.over)
		rc = SECOR_OK;
	if (rc == SECOR_OK)
		ledger_read_until(ledger, place->partition, range->until);
	else
		(void)secor_fail(err, rc, "%.900s%s", why.text,
		    rc == SECOR_REJECT ? " (secor verify tells more)" : "");
	return rc;
}
