/*
 * receipts.c -- see receipts.h.
 */
#include "core/cli/receipts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct listing {
	size_t folder; /* bytes of a key before its name */
	struct receipts *receipts;
};

static int
take_name(void *arg, const char *key, uint64_t length)
{
	const struct listing *listing = arg;
	struct receipts *receipts = listing->receipts;
	struct receipt_file file;

	(void)length;
	if (!receipt_parse_name(key + listing->folder, &file.name))
		return 0;
	file.key = mem_dup(key, strlen(key));
	receipts->items = mem_grow(
	    receipts->items, (receipts->count + 1) * sizeof(*receipts->items));
	receipts->items[receipts->count++] = file;
	return 0;
}

static int
by_name(const void *left, const void *right)
{
	const struct receipt_name *a =
	    &((const struct receipt_file *)left)->name;
	const struct receipt_name *b =
	    &((const struct receipt_file *)right)->name;

	if (a->generation != b->generation)
		return a->generation < b->generation ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return ((int)a->kind > (int)b->kind) - ((int)a->kind < (int)b->kind);
}

int
receipts_list(const struct manifest_store *store,
    const struct manifest_place *place, int64_t start,
    struct receipts *receipts, struct secor_err *err)
{
	char *folder =
	    receipt_folder(store->prefix, place->topic, place->partition);
	char *prefix = place->generation < 0
			   ? mem_text("%s", folder)
			   : mem_text("%s%" PRId64 "_%020" PRId64 "_", folder,
				 place->generation, start);
	struct receipts made = {0};
	struct listing listing = {strlen(folder), &made};
	int rc = store->ops->list(
	    store->self, prefix, NULL, take_name, &listing, err);

	free(prefix);
	free(folder);
	if (rc != SECOR_OK) {
		receipts_fini(&made);
		return rc;
	}
	if (made.count > 0)
		qsort(made.items, made.count, sizeof(*made.items), by_name);
	*receipts = made;
	return SECOR_OK;
}

void
receipts_fini(struct receipts *receipts)
{
	for (size_t i = 0; i < receipts->count; i++)
		free(receipts->items[i].key);
	free(receipts->items);
	memset(receipts, 0, sizeof(*receipts));
}

int
receipts_is_open(const struct receipts *receipts, size_t i)
{
	const struct receipt_name *plan = &receipts->items[i].name;

	if (plan->kind != RECEIPT_PLAN)
		return 0;
	for (size_t j = 0; j < receipts->count; j++) {
		const struct receipt_name *name = &receipts->items[j].name;

		if (name->kind == RECEIPT_DONE &&
		    name->generation == plan->generation &&
		    name->start == plan->start && name->number >= plan->number)
			return 0;
	}
	return 1;
}

int
receipts_get(const struct manifest_store *store,
    const struct manifest_place *place, const struct receipt_file *file,
    struct receipt **receipt, struct secor_err *err)
{
	struct receipt *made;
	int rc = receipt_get(store, place, &file->name, &made, err);

	if (rc != SECOR_OK)
		return rc;
	if (made == NULL)
		return secor_fail(
		    err, SECOR_REJECT, "%s: it is gone", file->key);
	*receipt = made;
	return SECOR_OK;
}

static const struct receipt_object *
object_holding(const struct receipt *receipt, int64_t offset)
{
	for (size_t i = 0; i < receipt->object_count; i++)
		if (offset_runs_has(&receipt->objects[i].offsets, offset))
			return &receipt->objects[i];
	return NULL;
}

int
receipts_holding(const struct manifest_store *store,
    const struct manifest_place *place, int64_t start, int64_t offset,
    struct receipt_found *found, struct secor_err *err)
{
	struct receipts receipts;
	int rc = receipts_list(store, place, start, &receipts, err);

	*found = (struct receipt_found){NULL, NULL};
	if (rc != SECOR_OK)
		return rc;
	for (size_t i = 0;
	     rc == SECOR_OK && found->object == NULL && i < receipts.count;
	     i++) {
		struct receipt *receipt = NULL;

		if (receipts.items[i].name.kind != RECEIPT_DONE)
			continue;
		rc = receipts_get(
		    store, place, &receipts.items[i], &receipt, err);
		if (rc == SECOR_OK)
			found->object = object_holding(receipt, offset);
		if (found->object != NULL)
			found->receipt = receipt;
		else
			receipt_free(receipt);
	}
	receipts_fini(&receipts);
	return rc;
}
