/*
 * batches_test.c -- the batch of an offset and its neighbours, by names alone.
 */
#include "core/cli/batches.h"

#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char topic[] = "t";
static const struct manifest_place place = {topic, 0, 9};

static struct manifest_store
store(void)
{
	static const int64_t starts[] = {10, 20, 100};

	for (size_t i = 0; i < 3; i++) {
		char *key = manifest_key("_manifests", "t", 0, 9, starts[i]);

		memory_store_put(key, "", 0);
		free(key);
	}
	/* of others */
	memory_store_put("_manifests/t/0/90_00000000000000000015.json", "", 0);
	memory_store_put("_manifests/t/00/9_00000000000000000015.json", "", 0);
	memory_store_put("_manifests/t/0/9_x", "", 0);
	return (struct manifest_store){
	    memory_store.plugin->ops.store, NULL, "_manifests"};
}

static int64_t
start_of(const char *key)
{
	int64_t generation, start;

	if (key == NULL)
		return -1;
	cr_assert(manifest_parse_key(key, &generation, &start));
	cr_assert_eq(generation, 9);
	return start;
}

Test(batches, find_gives_the_batch_and_those_beside_it)
{
	static const struct {
		int64_t offset, before, at, after;
	} rows[] = {{0, -1, -1, 10}, {9, -1, -1, 10}, {10, -1, 10, 20},
	    {19, -1, 10, 20}, {20, 10, 20, 100}, {99, 10, 20, 100},
	    {100, 20, 100, -1}, {INT64_MAX - 1, 20, 100, -1}};
	struct manifest_store from = store();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct batches found;

		cr_assert_eq(
		    batches_find(&from, &place, rows[i].offset, &found, NULL),
		    SECOR_OK);
		cr_assert_eq(start_of(found.before), rows[i].before, "%zu", i);
		cr_assert_eq(start_of(found.at), rows[i].at, "%zu", i);
		cr_assert_eq(start_of(found.after), rows[i].after, "%zu", i);
		batches_forget(&found);
	}
	memory_store_clear();
}

Test(batches, find_passes_the_stores_failure_on)
{
	struct manifest_store from = store();
	struct batches found = {0};
	struct secor_err err;

	memory_store_fail(1);
	cr_assert_eq(batches_find(&from, &place, 5, &found, &err), SECOR_RETRY);
	cr_assert_null(found.after);
	memory_store_clear();
}

Test(batches, read_of_a_broken_manifest_gives_none)
{
	struct manifest_store from = store();
	struct manifest *manifest = NULL;
	struct secor_err why;

	cr_assert_eq(batches_manifest(&from, NULL, &manifest, &why), SECOR_OK);
	cr_assert_eq(
	    batches_manifest(&from,
		"_manifests/t/0/9_00000000000000000010.json", &manifest, &why),
	    SECOR_OK);
	cr_assert_null(manifest);
	memory_store_fail(1);
	cr_assert_eq(
	    batches_manifest(&from,
		"_manifests/t/0/9_00000000000000000010.json", &manifest, &why),
	    SECOR_RETRY);
	memory_store_clear();
}
