/*
 * redriven.c -- see redriven.h.
 */
#include "core/flow/redriven.h"

#include "core/flow/put.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 1024 };

static const char new_name[] = "new/";

char *
redriven_folder(const char *prefix, const char *topic, int64_t generation)
{
	return mem_text(
	    "%s/%s/_redriven/%" PRId64 "/", prefix, topic, generation);
}

static char *
key_in(const char *folder, const char *sub, const struct redriven *at)
{
	return mem_text("%s%s%" PRId32 "_%020" PRId64 "_%" PRId64 ".json",
	    folder, sub, at->partition, at->start, at->number);
}

char *
redriven_new_key(const char *folder, const struct redriven *at)
{
	return key_in(folder, new_name, at);
}

char *
redriven_path_folder(const char *folder, const char *path)
{
	return mem_text("%spaths/%s/", folder, path);
}

int
redriven_is_new(const char *folder, const char *key)
{
	return strncmp(key + strlen(folder), new_name, strlen(new_name)) == 0;
}

static int
parse_number(const char **at, int64_t most, int64_t *number)
{
	char *end;

	if (**at < '0' || **at > '9')
		return 0;
	*number = strtoll(*at, &end, 10);
	*at = end;
	return *number <= most;
}

/* What it says is written again: only the same text is one. */
int
redriven_parse(const char *key, struct redriven *at)
{
	const char *slash = strrchr(key, '/');
	const char *name = slash == NULL ? key : slash + 1;
	const char *rest = name;
	struct redriven found;
	int64_t partition;
	char *again;
	int same;

	if (!parse_number(&rest, INT32_MAX, &partition) || *rest++ != '_' ||
	    !parse_number(&rest, INT64_MAX - 1, &found.start) ||
	    *rest++ != '_' ||
	    !parse_number(&rest, RECEIPT_NUMBER_MAX, &found.number) ||
	    found.number < 1)
		return 0;
	found.partition = (int32_t)partition;
	again = key_in("", "", &found);
	same = strcmp(again, name) == 0;
	free(again);
	if (same)
		*at = found;
	return same;
}

int
redriven_compare(const struct redriven *left, const struct redriven *right)
{
	if (left->partition != right->partition)
		return left->partition < right->partition ? -1 : 1;
	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return (left->number > right->number) - (left->number < right->number);
}

/* ---- all of a receipt ---- */

typedef int (*key_fn)(
    const struct manifest_store *store, const char *key, struct secor_err *err);

static int
put_one(
    const struct manifest_store *store, const char *key, struct secor_err *err)
{
	return store_put_text(store, key, "{}\n", "application/json", err);
}

static int
remove_one(
    const struct manifest_store *store, const char *key, struct secor_err *err)
{
	return store->ops->remove(store->self, key, err);
}

/* With what the store puts before a key; its url has more than that. */
static size_t
length_of(const struct manifest_store *store, const char *key)
{
	char url[2048] = "";

	if (store->ops->url != NULL)
		store->ops->url(store->self, "", url, sizeof(url));
	return strlen(url) + strlen(key);
}

/* A path that is too long for a pointer has that of `new` alone. */
static int
for_paths(const struct manifest_store *store, const char *folder,
    const struct receipt *receipt, key_fn each, struct secor_err *err)
{
	const struct redriven at = {
	    receipt->partition, receipt->start, receipt->number};
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < receipt->object_count; i++) {
		const char *path = receipt->objects[i].path;
		char *sub, *key;

		if (path[0] == '\0' ||
		    (i > 0 && strcmp(path, receipt->objects[i - 1].path) == 0))
			continue;
		sub = redriven_path_folder(folder, path);
		key = key_in(sub, "", &at);
		if (length_of(store, key) <= KEY_MAX)
			rc = each(store, key, err);
		free(key);
		free(sub);
	}
	return rc;
}

static int
for_all(const struct manifest_store *store, const struct receipt *receipt,
    key_fn each, struct secor_err *err)
{
	const struct redriven at = {
	    receipt->partition, receipt->start, receipt->number};
	char *folder =
	    redriven_folder(store->prefix, receipt->topic, receipt->generation);
	char *key = redriven_new_key(folder, &at);
	int rc = for_paths(store, folder, receipt, each, err);

	if (rc == SECOR_OK)
		rc = each(store, key, err);
	free(key);
	free(folder);
	return rc;
}

int
redriven_put(const struct manifest_store *store, const struct receipt *receipt,
    struct secor_err *err)
{
	return for_all(store, receipt, put_one, err);
}

int
redriven_remove(const struct manifest_store *store,
    const struct receipt *receipt, struct secor_err *err)
{
	return for_all(store, receipt, remove_one, err);
}
