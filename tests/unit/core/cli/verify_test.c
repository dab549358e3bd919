/*
 * verify_test.c -- a whole store is found whole, and each planted fault is
 * found by its name, with the object and the offsets.
 */
#include "tests/unit/helpers/verify_tree.h"

#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(verify, whole_store_finds_nothing_and_counts)
{
	struct verify_seen seen;
	struct verify verify;

	verify_tree_begin(&seen);
	verify = verify_tree_of(&seen, 1);
	cr_assert_eq(verify_run(&verify, NULL), SECOR_OK);
	cr_assert_eq(verify.totals.found, 0);
	cr_assert_eq(verify.totals.notes, 0);
	cr_assert_eq(verify.totals.objects, 3);
	cr_assert_eq(verify.totals.messages, 30);
	cr_assert_eq(verify.totals.records, 30);
	cr_assert_eq(verify.totals.bytes, 30);
	verify_tree_check(&seen, "", "");
}

Test(verify, object_deleted_is_missing)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	memory_store_remove("t/dt=1/0_0_00000000000000000010");
	verify_tree_check(&seen,
	    "missing-object t/0 [10,20) t/dt=1/0_0_00000000000000000010;", "");
}

Test(verify, object_truncated_has_another_size)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	memory_store_put("t/dt=1/0_0_00000000000000000010", "xxx", 3);
	verify_tree_check(
	    &seen, "size t/0 [10,20) t/dt=1/0_0_00000000000000000010;", "");
}

Test(verify, object_changed_has_another_crc)
{
	struct verify_seen seen;

	for (int knows = 0; knows < 2; knows++) {
		verify_tree_begin(&seen);
		memory_store_knows_crc(knows);
		memory_store_put(
		    "t/dt=1/0_0_00000000000000000010", "xxxxyxxxxx", 10);
		verify_tree_check(&seen,
		    "crc32c t/0 [10,20) t/dt=1/0_0_00000000000000000010;", "");
	}
}

Test(verify, manifest_removed_is_a_hole_and_its_object_foreign)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	memory_store_remove("_manifests/t/0/0_00000000000000000010.json");
	verify_tree_check(&seen,
	    "hole t/0 [10,20) _manifests/t/0/0_00000000000000000020.json;"
	    "foreign-object t/0 [10,-1) t/dt=1/0_0_00000000000000000010;",
	    "");
}

Test(verify, last_manifest_removed_is_a_hole_before_the_committed_offset)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	memory_store_remove("_manifests/t/0/0_00000000000000000020.json");
	memory_store_remove("t/dt=1/0_0_00000000000000000020");
	verify_tree_check(&seen, "hole t/0 [20,30) -;", "");
}

Test(verify, first_manifest_removed_is_found_by_the_chain)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	memory_store_remove("_manifests/t/0/0_00000000000000000000.json");
	memory_store_remove("t/dt=1/0_0_00000000000000000000");
	verify_tree_check(&seen,
	    "missing-before t/0 [-1,10) "
	    "_manifests/t/0/0_00000000000000000010.json;",
	    "");
}

Test(verify, every_manifest_removed_leaves_foreign_objects)
{
	struct verify_seen seen;
	static const char *const named[] = {"t"};

	verify_tree_begin(&seen);
	verify_tree_config.kafka.topics = (struct secor_strings){named, 1};
	for (int64_t start = 0; start < 30; start += 10) {
		char *key = manifest_key("_manifests", "t", 0, 0, start);

		memory_store_remove(key);
		free(key);
	}
	verify_tree_check(&seen,
	    "foreign-object t/0 [0,-1) t/dt=1/0_0_00000000000000000000;"
	    "foreign-object t/0 [10,-1) t/dt=1/0_0_00000000000000000010;"
	    "foreign-object t/0 [20,-1) t/dt=1/0_0_00000000000000000020;",
	    "");
}

Test(verify, overlapping_batch_is_found)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	(void)verify_tree_batch(15, 20, 7);
	verify_tree_check(&seen,
	    "overlap t/0 [15,20) _manifests/t/0/0_00000000000000000015.json;"
	    "chain t/0 [20,30) _manifests/t/0/0_00000000000000000020.json;",
	    "");
}

Test(verify, manifest_changed_is_altered)
{
	struct verify_seen seen;
	size_t len;
	char *text;

	verify_tree_begin(&seen);
	text = memory_store_get(
	    "_manifests/t/0/0_00000000000000000010.json", &len);
	memcpy(strstr(text, "\"cut\":\"size\""), "\"cut\":\"stop\"", 12);
	verify_tree_check(&seen,
	    "altered t/0 [10,20) _manifests/t/0/0_00000000000000000010.json;",
	    "");
}

Test(verify, object_taken_out_of_a_manifest_is_altered)
{
	struct verify_seen seen;
	size_t len;
	char *text, *list;

	verify_tree_begin(&seen);
	text = memory_store_get(
	    "_manifests/t/0/0_00000000000000000010.json", &len);
	list = strstr(text, "\"objects\":[") + 11;
	memset(list, ' ', len - (size_t)(list - text) - 3);
	verify_tree_check(&seen,
	    "altered t/0 [10,20) _manifests/t/0/0_00000000000000000010.json;"
	    "count t/0 [10,20) _manifests/t/0/0_00000000000000000010.json;"
	    "foreign-object t/0 [10,-1) t/dt=1/0_0_00000000000000000010;",
	    "");
}

Test(verify, manifest_with_other_counts_is_found)
{
	struct verify_seen seen;
	size_t len;
	char *text;

	verify_tree_begin(&seen);
	text = memory_store_get(
	    "_manifests/t/0/0_00000000000000000010.json", &len);
	*(strstr(text, "\"records\":10") + 11) = '1';
	verify_tree_check(&seen,
	    "altered t/0 [10,20) _manifests/t/0/0_00000000000000000010.json;"
	    "count t/0 [10,20) _manifests/t/0/0_00000000000000000010.json;",
	    "");
}

Test(verify, manifest_that_is_garbage_is_found)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	memory_store_put("_manifests/t/0/0_00000000000000000020.json", "{", 1);
	verify_tree_check(&seen,
	    "manifest t/0 [-1,-1) _manifests/t/0/0_00000000000000000020.json;"
	    "hole t/0 [20,30) -;"
	    "foreign-object t/0 [20,-1) t/dt=1/0_0_00000000000000000020;",
	    "");
}

Test(verify, manifest_under_another_name_is_found)
{
	struct verify_seen seen;
	size_t len;
	char *text, *copy;

	verify_tree_begin(&seen);
	text = memory_store_get(
	    "_manifests/t/0/0_00000000000000000010.json", &len);
	copy = mem_dup(text, len);
	memory_store_put(
	    "_manifests/t/0/0_00000000000000000012.json", copy, len);
	free(copy);
	verify_tree_check(&seen,
	    "manifest t/0 [-1,-1) _manifests/t/0/0_00000000000000000012.json;",
	    "");
}

Test(verify, offsets_without_messages_are_skipped_by_the_chain)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	seen.record.m = verify_tree_batch(35, 40, seen.record.m);
	seen.record.offset = 42;
	verify_tree_check(&seen, "", "skipped;skipped;");
}

Test(verify, record_with_another_head_is_found)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	seen.record.m++;
	verify_tree_check(&seen, "chain t/0 [30,-1) -;", "");
}

Test(verify, record_inside_of_a_batch_is_found)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	seen.record.offset = 25;
	verify_tree_check(&seen, "inside t/0 [25,30) -;", "");
}

Test(verify, record_set_back_is_found)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	seen.record.offset = 10;
	verify_tree_check(&seen, "ahead t/0 [20,-1) -;chain t/0 [10,-1) -;",
	    "not-final;not-final;");
}

Test(verify, batch_of_an_open_plan_is_not_final)
{
	struct verify_seen seen;
	uint64_t before;

	verify_tree_begin(&seen);
	before = seen.record.m;
	(void)verify_tree_batch(30, 40, before);
	seen.record.kind = RECORD_PLAN;
	verify_tree_check(&seen, "", "not-final;not-final;");
}

Test(verify, batch_that_ends_meanwhile_is_not_final)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	seen.second = seen.record;
	seen.second.offset = 40;
	(void)verify_tree_batch(30, 40, seen.record.m);
	verify_tree_check(&seen, "", "not-final;not-final;");
}

static void
store_the_first(struct verify_seen *seen)
{
	seen->record.offset = 10;
	seen->record.m = verify_tree_batch(0, 10, 0);
}

static int
one_partition(
    void *arg, const char *topic, int32_t *count, struct secor_err *err)
{
	(void)arg;
	(void)topic;
	(void)err;
	*count = 1;
	return SECOR_OK;
}

Test(verify, first_batch_that_ends_meanwhile_is_looked_at)
{
	struct verify_seen seen;
	struct verify verify;

	verify_tree_begin(&seen);
	memory_store_clear();
	seen.meanwhile = store_the_first;
	verify = verify_tree_of(&seen, 1);
	verify.topic = "t";
	verify.partitions = one_partition;
	cr_assert_eq(verify_run(&verify, NULL), SECOR_OK);
	cr_assert_eq(verify.totals.found, 0, "found %s", seen.found.ptr);
	cr_assert_eq(verify.totals.messages, 10);
	buf_fini(&seen.found);
	buf_fini(&seen.notes);
	memory_store_clear();
}

static void
store_a_newer_generation(struct verify_seen *seen)
{
	verify_tree_generation = 1;
	seen->record.m = verify_tree_batch(30, 40, seen->record.m);
	seen->record.offset = 40;
	(void)strcpy(seen->record.g, "0123456789abcdef.1");
}

Test(verify, generation_that_begins_meanwhile_is_looked_at)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	seen.meanwhile = store_a_newer_generation;
	verify_tree_check(&seen, "", "");
}

Test(verify, record_that_is_missing_or_foreign_is_found)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	seen.record.kind = RECORD_MISSING;
	verify_tree_check(&seen, "record t/0 [-1,-1) -;", "");
	verify_tree_begin(&seen);
	seen.record.kind = RECORD_FOREIGN;
	verify_tree_check(&seen, "record t/0 [-1,-1) -;", "");
}

Test(verify, generation_that_begins_again_is_a_note)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	verify_tree_generation = 1;
	seen.record.m = verify_tree_batch(20, 24, verify_tree_batch(5, 20, 7));
	seen.record.offset = 24;
	(void)strcpy(seen.record.g, "0123456789abcdef.1");
	memory_store_put("t/dt=1/0_0_00000000000000000040", "x", 1);
	verify_tree_check(&seen,
	    "foreign-object t/0 [40,-1) t/dt=1/0_0_00000000000000000040;",
	    "again;");
}

Test(verify, generation_that_goes_on_keeps_the_chain)
{
	struct verify_seen seen;

	verify_tree_begin(&seen);
	verify_tree_generation = 1;
	seen.record.m = verify_tree_batch(30, 40, seen.record.m);
	seen.record.offset = 40;
	(void)strcpy(seen.record.g, "0123456789abcdef.1");
	verify_tree_check(&seen, "", "");
}

Test(verify, group_that_is_not_asked_finds_only_what_the_store_shows)
{
	struct verify_seen seen;
	struct verify verify;

	verify_tree_begin(&seen);
	memory_store_remove("t/dt=1/0_0_00000000000000000010");
	verify = verify_tree_of(&seen, 0);
	cr_assert_eq(verify_run(&verify, NULL), SECOR_OK);
	cr_assert_eq(verify.totals.found, 1);
	cr_assert_eq(seen.asked, 0);
	buf_fini(&seen.found);
	buf_fini(&seen.notes);
	memory_store_clear();
}

Test(verify, store_that_fails_is_no_finding)
{
	struct verify_seen seen;
	struct verify verify;
	struct secor_err err;

	verify_tree_begin(&seen);
	memory_store_fail(1);
	verify = verify_tree_of(&seen, 1);
	cr_assert_eq(verify_run(&verify, &err), SECOR_RETRY);
	cr_assert_str_eq(err.text, "memory: told to fail");
	cr_assert_eq(verify.totals.found, 0);
	buf_fini(&seen.found);
	buf_fini(&seen.notes);
	memory_store_clear();
}
