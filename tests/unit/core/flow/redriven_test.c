/*
 * redriven_test.c -- names of pointers go both ways; all of a receipt's are put
 * and removed.
 */
#include "core/flow/redriven.h"

#include "core/base/buf.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct manifest_store
memory(void)
{
	return (struct manifest_store){
	    memory_store.plugin->ops.store, NULL, "_manifests"};
}

static int
has(const char *key)
{
	size_t len;

	return memory_store_get(key, &len) != NULL;
}

Test(redriven, names_go_both_ways)
{
	const struct redriven at = {12, 3400, 7};
	char *folder = redriven_folder("_manifests", "t", 3);
	char *key = redriven_new_key(folder, &at);
	struct redriven found;

	cr_assert_str_eq(key, "_manifests/t/_redriven/3/new/"
			      "12_00000000000000003400_7.json");
	cr_assert(redriven_parse(key, &found));
	cr_assert_eq(redriven_compare(&found, &at), 0);
	cr_assert(redriven_is_new(folder, key));
	free(key);
	free(folder);
}

Test(redriven, names_of_others_are_not_taken)
{
	static const char *const bad[] = {"", "new/", "1_2_3.json",
	    "1_00000000000000000002_0.json", "1_00000000000000000002_3",
	    "01_00000000000000000002_3.json", "x_00000000000000000002_3.json",
	    "4294967296_00000000000000000002_3.json",
	    "1_00000000000000000002_1000000.json",
	    "1_00000000000000000002_3.json.x"};
	struct redriven found;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(redriven_parse(bad[i], &found), "%s", bad[i]);
}

/* S3 counts its prefix: a redrive must not fail for what only helps. */
Test(redriven, name_that_is_too_long_with_what_the_store_adds_is_left_out)
{
	char path[1024] = "", topic[] = "t";
	struct receipt_object object = {.path = path};
	const struct receipt receipt = {.topic = topic,
	    .partition = 2,
	    .generation = 1,
	    .start = 30,
	    .number = 1,
	    .objects = &object,
	    .object_count = 1};
	const struct redriven at = {2, 30, 1};
	const struct manifest_store store = memory();
	char *folder = redriven_folder("_manifests", "t", 1);
	char *fresh = redriven_new_key(folder, &at);
	struct secor_err err = {""};
	size_t len = 1024 - strlen("_manifests/t/_redriven/1/paths//"
				   "2_00000000000000000030_1.json");
	char *sub, *key;

	for (int longer = 0; longer < 2; longer++) {
		memset(path, 'x', len - strlen("memory://") + (size_t)longer);
		sub = redriven_path_folder(folder, path);
		key = mem_text("%s2_00000000000000000030_1.json", sub);
		cr_assert_eq(redriven_put(&store, &receipt, &err), SECOR_OK);
		cr_assert_eq(has(key), !longer);
		cr_assert(has(fresh));
		free(key);
		free(sub);
	}
	free(fresh);
	free(folder);
	memory_store_clear();
}

Test(redriven, pointers_of_a_receipt_are_put_once_a_path_and_removed)
{
	static const char first[] = "_manifests/t/_redriven/1/paths/dt=1/hr=0/"
				    "2_00000000000000000030_1.json";
	static const char other[] = "_manifests/t/_redriven/1/paths/dt=2/"
				    "2_00000000000000000030_1.json";
	static const char fresh[] =
	    "_manifests/t/_redriven/1/new/2_00000000000000000030_1.json";
	char one[] = "dt=1/hr=0", two[] = "dt=2", none[] = "", topic[] = "t";
	char *very_long = mem_alloc(1100);
	struct receipt_object objects[] = {{.path = none}, {.path = one},
	    {.path = one}, {.path = two}, {.path = very_long}};
	const struct receipt receipt = {.topic = topic,
	    .partition = 2,
	    .generation = 1,
	    .start = 30,
	    .number = 1,
	    .objects = objects,
	    .object_count = 5};
	const struct manifest_store store = memory();
	struct secor_err err = {""};

	memset(very_long, 'x', 1099);
	cr_assert_eq(redriven_put(&store, &receipt, &err), SECOR_OK);
	cr_assert(has(first) && has(other) && has(fresh));
	cr_assert_eq(redriven_remove(&store, &receipt, &err), SECOR_OK);
	cr_assert_not(has(first) || has(other) || has(fresh));
	free(very_long);
	memory_store_clear();
}
