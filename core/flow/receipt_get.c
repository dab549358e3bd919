/*
 * receipt_get.c -- receipts and plans out of the store.
 */
#include "core/flow/put.h"
#include "core/flow/receipt.h"

#include <stdlib.h>
#include <string.h>

static int
is_where_it_says(const struct manifest_place *place,
    const struct receipt_name *name, const struct receipt *receipt)
{
	return strcmp(receipt->topic, place->topic) == 0 &&
	       receipt->partition == place->partition &&
	       receipt->generation == name->generation &&
	       receipt->start == name->start &&
	       receipt->number == name->number &&
	       receipt->done == (name->kind == RECEIPT_DONE) &&
	       (name->kind != RECEIPT_PLAN || receipt->plan == name->plan);
}

static int
read_it(const struct buf *text, const char *key, struct receipt **receipt,
    struct secor_err *err)
{
	struct secor_err why;

	if (receipt_read(text->ptr, text->len, receipt, &why) == SECOR_OK)
		return SECOR_OK;
	return secor_fail(err, SECOR_REJECT, "%.300s: %.600s", key, why.text);
}

int
receipt_get(const struct manifest_store *store,
    const struct manifest_place *place, const struct receipt_name *name,
    struct receipt **receipt, struct secor_err *err)
{
	char *folder =
	    receipt_folder(store->prefix, place->topic, place->partition);
	char *key = receipt_key(folder, name);
	struct receipt *made = NULL;
	struct buf text = {0};
	int rc = store_get_text(store, key, RECEIPT_BYTES_MAX, &text, err);
	int found = rc == SECOR_OK;

	if (rc == SECOR_REJECT)
		rc = SECOR_OK;
	if (found)
		rc = read_it(&text, key, &made, err);
	buf_fini(&text);
	if (made != NULL && !is_where_it_says(place, name, made)) {
		receipt_free(made);
		made = NULL;
		rc = secor_fail(
		    err, SECOR_REJECT, "%s: it is not what its name says", key);
	}
	free(folder);
	free(key);
	if (rc == SECOR_OK)
		*receipt = made;
	return rc;
}
