/*
 * verify_strangers_test.c -- objects that no manifest lists: foreign, of no
 * plan, not final yet, or not named as objects.
 */
#include "tests/unit/helpers/memory_store.h"
#include "tests/unit/helpers/verify_tree.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(verify_strangers, foreign_object_and_one_of_no_plan_are_found)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	memory_store_put("t/dt=1/0_0_00000000000000000012.gz", "x", 1);
	memory_store_put("t/dt=1/0_0_00000000000000000030.gz", "x", 1);
	memory_store_put(
	    "_dead_letters/t/0_0_00000000000000000003.jsonl", "", 0);
	memory_store_put("t/readme", "x", 1);
	memory_store_put("t/dt=1/_SUCCESS", "x", 1);
	memory_store_put("t/dt=1_$folder$", "", 0);
	verify_tree_check(&seen,
	    "stranger t/-1 [-1,-1) t/readme;"
	    "foreign-object t/0 [12,-1) t/dt=1/0_0_00000000000000000012.gz;"
	    "future-object t/0 [30,-1) t/dt=1/0_0_00000000000000000030.gz;"
	    "foreign-object t/0 [3,-1) "
	    "_dead_letters/t/0_0_00000000000000000003.jsonl;",
	    "stranger;stranger;");
}

Test(verify_strangers,
    object_of_an_open_plan_is_not_final_and_one_behind_it_is_found)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	seen.record.kind = RECORD_PLAN;
	memory_store_put("t/dt=1/0_0_00000000000000000030", "x", 1);
	memory_store_put("t/dt=1/0_0_00000000000000000031", "x", 1);
	verify_tree_check(&seen,
	    "future-object t/0 [31,-1) t/dt=1/0_0_00000000000000000031;",
	    "not-final;");
}

/* The whole first batch of a partition, between the listing of manifests and
 * that of objects. */
static int
record_after_a_batch(void *arg, const char *name, int32_t partition,
    struct record *record, struct secor_err *err)
{
	struct verify_seen *seen = arg;

	(void)name;
	(void)err;
	if (partition == 0)
		*record = seen->record;
	else
		*record = (struct record){.kind = RECORD_CLEAN,
		    .offset = 10,
		    .g = "0123456789abcdef.0"};
	return SECOR_OK;
}

Test(verify_strangers, partition_that_begins_meanwhile_has_no_foreign_object)
{
	static char topic[] = "t";
	static char key[] = "t/dt=1/0_1_00000000000000000000";
	static char path[] = "dt=1";
	static char name[] = "_manifests/t/1/0_00000000000000000000.json";
	struct manifest_object object = {.key = key, .path = path};
	struct manifest manifest = {.topic = topic,
	    .partition = 1,
	    .end = 10,
	    .cut = CUT_SIZE,
	    .objects = &object,
	    .object_count = 1};
	struct verify_seen seen;
	struct verify verify;
	struct verify_topic now = {.name = "t"};
	char *text;

	verify_tree_begin(&seen);
	memory_store_clear();
	text = manifest_write(&manifest);
	memory_store_put(name, text, strlen(text));
	memory_store_put(key, "", 0);
	memory_store_put("t/dt=2/0_1_00000000000000000000", "", 0);
	free(text);
	verify = verify_tree_of(&seen, 1);
	verify.record = record_after_a_batch;
	cr_assert_eq(verify_strangers(&verify, &now, NULL), SECOR_OK);
	cr_assert_str_eq(seen.found.ptr,
	    "foreign-object t/1 [0,-1) t/dt=2/0_1_00000000000000000000;");
	free(now.finals);
	buf_fini(&seen.found);
	buf_fini(&seen.notes);
	memory_store_clear();
}

Test(verify_strangers, parse_key_takes_objects_only)
{
	static const char *const bad[] = {"t/x", "t/0_0_1", "t/0_00000",
	    "t/0_0_0000000000000000001", "t/0_0_000000000000000000001",
	    "t/0_4294967296_00000000000000000001", "t/0_0_99999999999999999999",
	    "t/a_0_00000000000000000001"};
	int64_t generation, start;
	int32_t partition;

	cr_assert(verify_parse_key("t/p/12_7_00000000000000000042.gz",
	    &generation, &partition, &start));
	cr_assert(generation == 12 && partition == 7 && start == 42);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(
		    verify_parse_key(bad[i], &generation, &partition, &start),
		    "row %zu", i);
}

/* The original's vectors of names that are read back. */
Test(verify_strangers, parse_key_of_each_vector_of_the_original)
{
	static const struct {
		const char *key;
		int good;
		int64_t generation, start;
		int32_t partition;
	} rows[] = {
	    /* 177: as the original */
	    {"/some_parent_dir/some_topic/some_partition/some_other_partition/"
	     "10_0_00000000000000000100",
		1, 10, 100, 0},
	    /* 178: as the original; what follows the number is the extension */
	    {"t/a/10_0_00000000000000000100.gz", 1, 10, 100, 0},
	    /* 185: better: an object's number has 20 digits, what has fewer is
	     * not ours */
	    {"/foo/bar/baz/1_1_1", 0, 0, 0, 0},
	    {"/foo/bar/baz/1_1_00000000000000000001", 1, 1, 1, 1},
	    /* 187: better: a path may be empty; that is told by the layout */
	    {"/foo/bar/1_1_00000000000000000001", 1, 1, 1, 1},
	    {"/other/bar/baz/1_1_00000000000000000001", 1, 1, 1, 1},
	    /* 187: as the original */
	    {"/foo/bar/baz/1_1", 0, 0, 0, 0},
	    /* 188: as the original: no numbers */
	    {"/foo/bar/baz/1_0-2_abc", 0, 0, 0, 0},
	    {"/foo/bar/baz/x_1_1", 0, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t generation = 0, start = 0;
		int32_t partition = 0;

		cr_expect_eq(verify_parse_key(
				 rows[i].key, &generation, &partition, &start),
		    rows[i].good, "row %zu", i);
		cr_expect(generation == rows[i].generation &&
			      partition == rows[i].partition &&
			      start == rows[i].start,
		    "row %zu", i);
	}
}
