/*
 * redrives.c -- see redrives.h. Never asks the store for anything while it
 * lists.
 */
#include "core/flow/final/redrives.h"

#include "core/base/buf.h"
#include "core/base/log.h"

#include <stdlib.h>
#include <string.h>

/* A pointer is kept for so long behind its receipt: a finalizer that read a
 * tally before may put it still. */
static const int64_t keep_ms = INT64_C(24) * 3600 * 1000;

struct pointer {
	struct redriven at;
	int read;	    /* its receipt is in the ledger */
	int64_t written_ms; /* of the receipt */
	char **paths;	    /* of its objects */
	size_t path_count;
};

struct pointers {
	struct pointer *items; /* as redriven_compare has them */
	size_t count, room;
};

struct redrives {
	const struct manifest_store *store;
	const struct manifest_place *topic;
	struct ledger *ledger;
	char *folder;
	struct pointers fresh;
	int any;  /* paths have pointers */
	int kept; /* the store lets us remove nothing */
};

struct redrives *
redrives_new(const struct manifest_store *store,
    const struct manifest_place *topic, struct ledger *ledger)
{
	struct redrives *made = mem_alloc(sizeof(*made));

	made->store = store;
	made->topic = topic;
	made->ledger = ledger;
	made->folder =
	    redriven_folder(store->prefix, topic->topic, topic->generation);
	return made;
}

static void
pointer_fini(struct pointer *pointer)
{
	for (size_t i = 0; i < pointer->path_count; i++)
		free(pointer->paths[i]);
	free(pointer->paths);
}

static void
pointers_fini(struct pointers *pointers)
{
	for (size_t i = 0; i < pointers->count; i++)
		pointer_fini(&pointers->items[i]);
	free(pointers->items);
	memset(pointers, 0, sizeof(*pointers));
}

void
redrives_free(struct redrives *redrives)
{
	if (redrives == NULL)
		return;
	pointers_fini(&redrives->fresh);
	free(redrives->folder);
	free(redrives);
}

/* ---- names ---- */

static void
add(struct pointers *pointers, const char *key)
{
	struct pointer pointer = {.read = 0};

	if (!redriven_parse(key, &pointer.at))
		return;
	if (pointers->count == pointers->room) {
		pointers->room = pointers->room * 2 + 16;
		pointers->items = mem_grow(
		    pointers->items, pointers->room * sizeof(*pointers->items));
	}
	pointers->items[pointers->count++] = pointer;
}

static int
by_receipt(const void *left, const void *right)
{
	return redriven_compare(&((const struct pointer *)left)->at,
	    &((const struct pointer *)right)->at);
}

static void
sort(struct pointers *pointers)
{
	if (pointers->count > 0)
		qsort(pointers->items, pointers->count,
		    sizeof(*pointers->items), by_receipt);
}

struct listing {
	struct redrives *redrives;
	struct pointers pointers;
};

static int
take_new(void *arg, const char *key, uint64_t length)
{
	struct listing *listing = arg;

	(void)length;
	if (!redriven_is_new(listing->redrives->folder, key)) {
		listing->redrives->any = 1; /* those of paths come behind */
		return 1;
	}
	add(&listing->pointers, key);
	return 0;
}

/* What is known of them goes over; the rest was removed by somebody. */
static void
replace(struct redrives *redrives, struct pointers *listed)
{
	struct pointers *old = &redrives->fresh;

	sort(listed);
	for (size_t i = 0; old->count > 0 && i < listed->count; i++) {
		struct pointer *known = bsearch(&listed->items[i], old->items,
		    old->count, sizeof(*old->items), by_receipt);

		if (known == NULL)
			continue;
		listed->items[i] = *known;
		known->paths = NULL;
		known->path_count = 0;
	}
	pointers_fini(old);
	*old = *listed;
}

/* ---- receipts ---- */

/* *receipt NULL: it is not there, or not yet. */
static int
get(const struct redrives *redrives, const struct redriven *at,
    struct receipt **receipt, struct secor_err *err)
{
	struct manifest_place place = *redrives->topic;
	const struct receipt_name name = {.kind = RECEIPT_DONE,
	    .generation = place.generation,
	    .start = at->start,
	    .number = at->number};

	place.partition = at->partition;
	return receipt_get(redrives->store, &place, &name, receipt, err);
}

static void
note(struct pointer *pointer, const struct receipt *receipt)
{
	pointer->read = 1;
	pointer->written_ms = receipt->written_ms;
	pointer->paths =
	    mem_alloc((receipt->object_count + 1) * sizeof(char *));
	for (size_t i = 0; i < receipt->object_count; i++)
		pointer->paths[i] = mem_dup(
		    receipt->objects[i].path, strlen(receipt->objects[i].path));
	pointer->path_count = receipt->object_count;
}

int
redrives_read(struct redrives *redrives, struct secor_err *err)
{
	struct listing listing = {.redrives = redrives};
	int rc = redrives->store->ops->list(redrives->store->self,
	    redrives->folder, NULL, take_new, &listing, err);

	if (rc != SECOR_OK) {
		pointers_fini(&listing.pointers);
		return rc;
	}
	redrives->any |= listing.pointers.count > 0;
	replace(redrives, &listing.pointers);
	for (size_t i = 0; rc == SECOR_OK && i < redrives->fresh.count; i++) {
		struct pointer *pointer = &redrives->fresh.items[i];
		struct receipt *receipt = NULL;

		if (pointer->read)
			continue;
		rc = get(redrives, &pointer->at, &receipt, err);
		if (receipt == NULL)
			continue;
		ledger_add_receipt(redrives->ledger, receipt);
		note(pointer, receipt);
		receipt_free(receipt);
	}
	return rc;
}

/* ---- one path ---- */

static int
take_any(void *arg, const char *key, uint64_t length)
{
	(void)length;
	add(arg, key);
	return 0;
}

int
redrives_of(
    struct redrives *redrives, const struct entry *entry, struct secor_err *err)
{
	struct pointers found = {.items = NULL};
	char *folder;
	int rc;

	if (!redrives->any)
		return SECOR_OK;
	folder = redriven_path_folder(redrives->folder, entry->path);
	rc = redrives->store->ops->list(
	    redrives->store->self, folder, NULL, take_any, &found, err);
	sort(&found);
	for (size_t i = 0; rc == SECOR_OK && i < found.count; i++) {
		const struct redriven *at = &found.items[i].at;
		struct receipt *receipt = NULL;

		if (ledger_has_receipt(entry, at) ||
		    (i > 0 &&
			redriven_compare(at, &found.items[i - 1].at) == 0))
			continue;
		rc = get(redrives, at, &receipt, err);
		if (receipt != NULL)
			ledger_add_receipt(redrives->ledger, receipt);
		receipt_free(receipt);
	}
	pointers_fini(&found);
	free(folder);
	return rc;
}

/* ---- what is done with ---- */

static int
is_done_with(
    const struct redrives *redrives, const struct pointer *pointer, int64_t now)
{
	if (!pointer->read || pointer->written_ms + keep_ms > now)
		return 0;
	for (size_t i = 0; i < pointer->path_count; i++)
		if (!ledger_is_done_with(
			redrives->ledger, pointer->paths[i], &pointer->at))
			return 0;
	return 1;
}

static int
remove_pointer(const struct redrives *redrives, const struct redriven *at,
    struct secor_err *err)
{
	const struct manifest_store *store = redrives->store;
	char *key = redriven_new_key(redrives->folder, at);
	int rc = store->ops->remove(store->self, key, err);

	free(key);
	return rc;
}

int
redrives_tidy(struct redrives *redrives, int64_t now_ms, struct secor_err *err)
{
	struct secor_err why = {{0}};
	char quoted[1200];
	int rc = SECOR_OK;

	if (redrives->kept)
		return SECOR_OK;
	for (size_t i = 0; rc == SECOR_OK && i < redrives->fresh.count; i++) {
		const struct pointer *pointer = &redrives->fresh.items[i];

		if (is_done_with(redrives, pointer, now_ms))
			rc = remove_pointer(redrives, &pointer->at, &why);
	}
	if (rc == SECOR_RETRY)
		return secor_fail(err, rc, "%s", why.text);
	redrives->kept = rc != SECOR_OK;
	if (redrives->kept)
		log_line(SECOR_DEBUG, "pointers to receipts are kept",
		    "topic=%s reason=%s", redrives->topic->topic,
		    log_quote(quoted, sizeof(quoted), why.text));
	return SECOR_OK;
}
