/*
 * batches.c -- see batches.h.
 */
#include "core/cli/batches.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct finding {
	size_t folder; /* bytes of a key before its name */
	int64_t offset;
	struct batches found;
};

/* Names come in order of their starts. */
static int
on_name(void *arg, const char *key, uint64_t length)
{
	struct finding *finding = arg;
	struct batches *found = &finding->found;
	int64_t generation, start;

	(void)length;
	if (!manifest_parse_name(key + finding->folder, &generation, &start))
		return 0;
	if (start > finding->offset) {
		found->after = mem_dup(key, strlen(key));
		return 1;
	}
	free(found->before);
	found->before = found->at;
	found->at = mem_dup(key, strlen(key));
	return 0;
}

int
batches_find(const struct manifest_store *store,
    const struct manifest_place *place, int64_t offset, struct batches *found,
    struct secor_err *err)
{
	struct finding finding = {.offset = offset};
	char *folder =
	    manifest_folder(store->prefix, place->topic, place->partition);
	char *prefix = mem_text("%s%" PRId64 "_", folder, place->generation);
	int rc;

	finding.folder = strlen(folder);
	rc =
	    store->ops->list(store->self, prefix, NULL, on_name, &finding, err);
	free(prefix);
	free(folder);
	if (rc == SECOR_OK)
		*found = finding.found;
	else
		batches_forget(&finding.found);
	return rc;
}

void
batches_forget(struct batches *found)
{
	free(found->before);
	free(found->at);
	free(found->after);
	memset(found, 0, sizeof(*found));
}

int
batches_manifest(const struct manifest_store *store, const char *key,
    struct manifest **manifest, struct secor_err *why)
{
	int rc;

	*manifest = NULL;
	if (key == NULL)
		return SECOR_OK;
	rc = manifest_get(store->ops, store->self, key, manifest, why);
	return rc == SECOR_REJECT ? SECOR_OK : rc;
}
