/*
 * manifest_walk_test.c -- every place is found once, every manifest is passed
 * once and in order.
 */
#include "core/flow/manifest_walk.h"

#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct manifest_store store_of = {NULL, NULL, "_manifests"};

static struct manifest_store
the_store(void)
{
	struct manifest_store store = store_of;

	store.ops = memory_store.plugin->ops.store;
	return store;
}

static void
put(const char *topic, int32_t partition, int64_t generation, int64_t start)
{
	char *name = mem_dup(topic, strlen(topic));
	struct manifest manifest = {.topic = name,
	    .partition = partition,
	    .generation = generation,
	    .start = start,
	    .end = start + 1,
	    .cut = CUT_SIZE};
	char *key =
	    manifest_key("_manifests", topic, partition, generation, start);
	char *text = manifest_write(&manifest);

	memory_store_put(key, text, strlen(text));
	free(text);
	free(key);
	free(name);
}

static void
expect_places(const char *topic, const char *expected)
{
	struct manifest_store store = the_store();
	struct manifest_places places;
	struct buf found = {0};

	buf_puts(&found, "");
	cr_assert_eq(
	    manifest_places(&store, topic, -1, &places, NULL), SECOR_OK);
	for (size_t i = 0; i < places.count; i++)
		buf_printf(&found, "%s/%" PRId32 " %" PRId64 ";",
		    places.items[i].topic, places.items[i].partition,
		    places.items[i].generation);
	cr_assert_str_eq(found.ptr, expected);
	buf_fini(&found);
	manifest_places_fini(&places);
}

Test(manifest_walk, places_are_sorted_by_number_and_found_once)
{
	char *mark;

	put("a", 10, 0, 5);
	put("a", 2, 10, 5);
	put("a", 2, 1, 5);
	put("a", 2, 1, 6);
	put("a.b", 0, 0, 0);
	put("b", 0, 0, 0);
	mark = manifest_mark_key("_manifests", "c", 0, 0);
	memory_store_put(mark, "{}", 2);
	free(mark);
	memory_store_put("_manifests/readme", "x", 1);
	memory_store_put("_manifests/a/x/0_00000000000000000001.json", "x", 1);
	memory_store_put("_manifests/a/2/readme", "x", 1);
	/* names that no manifest has; nothing below may go round */
	memory_store_put("_manifests/a/02/1_00000000000000000001.json", "x", 1);
	memory_store_put("_manifests/a/2/01_00000000000000000001.json", "x", 1);
	memory_store_put(
	    "_manifests/a/2/3/1_00000000000000000001.json", "x", 1);
	expect_places(NULL, "a/2 1;a/2 10;a/10 0;a.b/0 0;b/0 0;");
	expect_places("a", "a/2 1;a/2 10;a/10 0;");
	expect_places("none", "");
	memory_store_clear();
}

static int
take(void *arg, const char *key, const struct manifest *manifest,
    const char *why, struct secor_err *err)
{
	struct buf *passed = arg;

	(void)key;
	(void)why;
	if (manifest == NULL)
		buf_puts(passed, "? ");
	else
		buf_printf(passed, "%" PRId64 " ", manifest->start);
	if (manifest != NULL && manifest->start == 77)
		return secor_fail(err, SECOR_REJECT, "enough");
	return SECOR_OK;
}

static char topic[] = "a";
static const struct manifest_place place = {topic, 0, 1};

Test(manifest_walk, walk_passes_the_generation_from_an_offset_on)
{
	struct manifest_store store = the_store();
	struct buf passed = {0};

	put("a", 0, 0, 3);
	put("a", 0, 1, 9);
	put("a", 0, 1, 10);
	put("a", 0, 1, 100);
	put("a", 0, 10, 3);
	memory_store_put("_manifests/a/0/1_00000000000000000050.json", "x", 1);
	memory_store_put(
	    "_manifests/a/0/1_old/1_00000000000000000050.json", "x", 1);
	cr_assert_eq(
	    manifest_walk(&store, &place, 10, take, &passed, NULL), SECOR_OK);
	cr_assert_str_eq(passed.ptr, "10 ? 100 ");
	buf_fini(&passed);
	memory_store_clear();
}

Test(manifest_walk, walk_of_many_passes_each_once)
{
	struct manifest_store store = the_store();
	struct buf passed = {0};
	struct buf expected = {0};

	for (int64_t i = 100; i < 2100; i++) {
		put("a", 0, 1, i);
		buf_printf(&expected, "%" PRId64 " ", i);
	}
	cr_assert_eq(
	    manifest_walk(&store, &place, 0, take, &passed, NULL), SECOR_OK);
	cr_assert_str_eq(passed.ptr, expected.ptr);
	buf_fini(&passed);
	buf_fini(&expected);
	memory_store_clear();
}

Test(manifest_walk, walk_ends_when_told_to)
{
	struct manifest_store store = the_store();
	struct buf passed = {0};
	struct secor_err err;

	put("a", 0, 1, 76);
	put("a", 0, 1, 77);
	put("a", 0, 1, 78);
	cr_assert_eq(manifest_walk(&store, &place, 0, take, &passed, &err),
	    SECOR_REJECT);
	cr_assert_str_eq(err.text, "enough");
	cr_assert_str_eq(passed.ptr, "76 77 ");
	buf_fini(&passed);
	memory_store_clear();
}
