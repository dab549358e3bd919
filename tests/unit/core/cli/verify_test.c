/*
 * verify_test.c -- a whole store is found whole, and each planted fault is
 * found by its name, with the object and the offsets.
 */
#include "core/cli/verify.h"

#include "core/base/hash.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* What was reported: "kind topic/partition [start,end) key;" a finding, and
 * the kinds of notes. */
struct seen {
	struct buf found, notes;
	struct record record; /* of partition 0 */
	struct record second; /* when it is asked again; kind 0: the same */
	int asked;
};

static struct config config;

static int
the_record(void *arg, const char *topic, int32_t partition,
    struct record *record, struct secor_err *err)
{
	struct seen *seen = arg;

	(void)topic;
	(void)err;
	seen->asked++;
	if (partition == 0)
		*record = seen->asked > 1 && seen->second.kind != 0
			      ? seen->second
			      : seen->record;
	return SECOR_OK;
}

static void
take_report(void *arg, const struct verify_report *report)
{
	struct seen *seen = arg;

	if (report->found)
		buf_printf(&seen->found,
		    "%s %s/%d [%" PRId64 ",%" PRId64 ") %s;", report->kind,
		    report->topic, report->partition, report->start,
		    report->end, report->key == NULL ? "-" : report->key);
	else
		buf_printf(&seen->notes, "%s;", report->kind);
}

static void
take_done(void *arg, const struct verify_partition *partition)
{
	(void)arg;
	(void)partition;
}

/* ---- a store with three batches of t/0: [0,10) [10,20) [20,30) ---- */

static char topic[] = "t";

static void
store_manifest(const struct manifest *manifest)
{
	char *key = manifest_key("_manifests", manifest->topic,
	    manifest->partition, manifest->generation, manifest->start);
	char *text = manifest_write(manifest);

	memory_store_put(key, text, strlen(text));
	free(text);
	free(key);
}

static int64_t generation_now;

static char *
object_key(int64_t start)
{
	return mem_text(
	    "t/dt=1/%" PRId64 "_0_%020" PRId64, generation_now, start);
}

/* A batch with one object of as many bytes as offsets; the new chain head. */
static uint64_t
store_batch(int64_t start, int64_t end, uint64_t previous)
{
	static char path[] = "dt=1";
	struct manifest_object object = {.key = object_key(start),
	    .path = path,
	    .records = (uint64_t)(end - start),
	    .bytes = (uint64_t)(end - start),
	    .first_offset = start,
	    .last_offset = end - 1};
	struct manifest manifest = {.topic = topic,
	    .start = start,
	    .end = end,
	    .messages = object.records,
	    .cut = CUT_SIZE,
	    .previous = previous,
	    .objects = &object,
	    .object_count = 1};
	char *bytes = mem_alloc(object.bytes);

	manifest.generation = generation_now;
	memset(bytes, 'x', object.bytes);
	object.crc32c = crc32c_add(0, bytes, object.bytes);
	memory_store_put(object.key, bytes, object.bytes);
	manifest.output_hash = manifest_output_hash(&manifest);
	manifest.chain = manifest_chain(&manifest);
	store_manifest(&manifest);
	free(bytes);
	free(object.key);
	return manifest.chain;
}

static void
begin(struct seen *seen)
{
	uint64_t chain = 0;

	generation_now = 0;
	memset(seen, 0, sizeof(*seen));
	memset(&config, 0, sizeof(config));
	config.layout.manifest_prefix = "_manifests";
	config.layout.dead_letter_prefix = "_dead_letters";
	for (int64_t start = 0; start < 30; start += 10)
		chain = store_batch(start, start + 10, chain);
	seen->record = (struct record){
	    .kind = RECORD_CLEAN, .offset = 30, .w = INT64_MIN, .m = chain};
	(void)strcpy(seen->record.g, "0123456789abcdef.0");
	buf_puts(&seen->found, "");
	buf_puts(&seen->notes, "");
}

static struct verify
verify_of(struct seen *seen, int with_group)
{
	struct verify verify = {.config = &config,
	    .store = {memory_store.plugin->ops.store, NULL, "_manifests"},
	    .partition = -1,
	    .generation = -1,
	    .record = with_group ? the_record : NULL,
	    .report = take_report,
	    .done = take_done,
	    .arg = seen};

	return verify;
}

static void
check(struct seen *seen, const char *found, const char *notes)
{
	struct verify verify = verify_of(seen, 1);
	struct secor_err err;

	cr_assert_eq(verify_run(&verify, &err), SECOR_OK, "%s", err.text);
	cr_assert_str_eq(seen->found.ptr, found, "found %s", seen->found.ptr);
	cr_assert_str_eq(seen->notes.ptr, notes, "notes %s", seen->notes.ptr);
	cr_assert_eq(verify.totals.found != 0, found[0] != '\0');
	buf_fini(&seen->found);
	buf_fini(&seen->notes);
	memory_store_clear();
}

Test(verify, whole_store_finds_nothing_and_counts)
{
	struct seen seen;
	struct verify verify;

	begin(&seen);
	verify = verify_of(&seen, 1);
	cr_assert_eq(verify_run(&verify, NULL), SECOR_OK);
	cr_assert_eq(verify.totals.found, 0);
	cr_assert_eq(verify.totals.notes, 0);
	cr_assert_eq(verify.totals.objects, 3);
	cr_assert_eq(verify.totals.messages, 30);
	cr_assert_eq(verify.totals.records, 30);
	cr_assert_eq(verify.totals.bytes, 30);
	check(&seen, "", "");
}

Test(verify, object_deleted_is_missing)
{
	struct seen seen;

	begin(&seen);
	memory_store_remove("t/dt=1/0_0_00000000000000000010");
	check(&seen,
	    "missing-object t/0 [10,20) t/dt=1/0_0_00000000000000000010;", "");
}

Test(verify, object_truncated_has_another_size)
{
	struct seen seen;

	begin(&seen);
	memory_store_put("t/dt=1/0_0_00000000000000000010", "xxx", 3);
	check(&seen, "size t/0 [10,20) t/dt=1/0_0_00000000000000000010;", "");
}

Test(verify, object_changed_has_another_crc)
{
	struct seen seen;

	for (int knows = 0; knows < 2; knows++) {
		begin(&seen);
		memory_store_knows_crc(knows);
		memory_store_put(
		    "t/dt=1/0_0_00000000000000000010", "xxxxyxxxxx", 10);
		check(&seen,
		    "crc32c t/0 [10,20) t/dt=1/0_0_00000000000000000010;", "");
	}
}

Test(verify, manifest_removed_is_a_hole_and_its_object_foreign)
{
	struct seen seen;

	begin(&seen);
	memory_store_remove("_manifests/t/0/0_00000000000000000010.json");
	check(&seen,
	    "hole t/0 [10,20) _manifests/t/0/0_00000000000000000020.json;"
	    "foreign-object t/0 [10,-1) t/dt=1/0_0_00000000000000000010;",
	    "");
}

Test(verify, last_manifest_removed_is_a_hole_before_the_committed_offset)
{
	struct seen seen;

	begin(&seen);
	memory_store_remove("_manifests/t/0/0_00000000000000000020.json");
	memory_store_remove("t/dt=1/0_0_00000000000000000020");
	check(&seen, "hole t/0 [20,30) -;", "");
}

Test(verify, first_manifest_removed_is_found_by_the_chain)
{
	struct seen seen;

	begin(&seen);
	memory_store_remove("_manifests/t/0/0_00000000000000000000.json");
	memory_store_remove("t/dt=1/0_0_00000000000000000000");
	check(&seen,
	    "missing-before t/0 [-1,10) "
	    "_manifests/t/0/0_00000000000000000010.json;",
	    "");
}

Test(verify, every_manifest_removed_leaves_foreign_objects)
{
	struct seen seen;
	static const char *const named[] = {"t"};

	begin(&seen);
	config.kafka.topics = (struct secor_strings){named, 1};
	for (int64_t start = 0; start < 30; start += 10) {
		char *key = manifest_key("_manifests", "t", 0, 0, start);

		memory_store_remove(key);
		free(key);
	}
	check(&seen,
	    "foreign-object t/0 [0,-1) t/dt=1/0_0_00000000000000000000;"
	    "foreign-object t/0 [10,-1) t/dt=1/0_0_00000000000000000010;"
	    "foreign-object t/0 [20,-1) t/dt=1/0_0_00000000000000000020;",
	    "");
}

Test(verify, overlapping_batch_is_found)
{
	struct seen seen;

	begin(&seen);
	(void)store_batch(15, 20, 7);
	check(&seen,
	    "overlap t/0 [15,20) _manifests/t/0/0_00000000000000000015.json;"
	    "chain t/0 [20,30) _manifests/t/0/0_00000000000000000020.json;",
	    "");
}

Test(verify, manifest_changed_is_altered)
{
	struct seen seen;
	size_t len;
	char *text;

	begin(&seen);
	text = memory_store_get(
	    "_manifests/t/0/0_00000000000000000010.json", &len);
	memcpy(strstr(text, "\"cut\":\"size\""), "\"cut\":\"stop\"", 12);
	check(&seen,
	    "altered t/0 [10,20) _manifests/t/0/0_00000000000000000010.json;",
	    "");
}

Test(verify, object_taken_out_of_a_manifest_is_altered)
{
	struct seen seen;
	size_t len;
	char *text, *list;

	begin(&seen);
	text = memory_store_get(
	    "_manifests/t/0/0_00000000000000000010.json", &len);
	list = strstr(text, "\"objects\":[") + 11;
	memset(list, ' ', len - (size_t)(list - text) - 3);
	check(&seen,
	    "altered t/0 [10,20) _manifests/t/0/0_00000000000000000010.json;"
	    "count t/0 [10,20) _manifests/t/0/0_00000000000000000010.json;"
	    "foreign-object t/0 [10,-1) t/dt=1/0_0_00000000000000000010;",
	    "");
}

Test(verify, manifest_with_other_counts_is_found)
{
	struct seen seen;
	size_t len;
	char *text;

	begin(&seen);
	text = memory_store_get(
	    "_manifests/t/0/0_00000000000000000010.json", &len);
	*(strstr(text, "\"records\":10") + 11) = '1';
	check(&seen,
	    "altered t/0 [10,20) _manifests/t/0/0_00000000000000000010.json;"
	    "count t/0 [10,20) _manifests/t/0/0_00000000000000000010.json;",
	    "");
}

Test(verify, manifest_that_is_garbage_is_found)
{
	struct seen seen;

	begin(&seen);
	memory_store_put("_manifests/t/0/0_00000000000000000020.json", "{", 1);
	check(&seen,
	    "manifest t/0 [-1,-1) _manifests/t/0/0_00000000000000000020.json;"
	    "hole t/0 [20,30) -;"
	    "foreign-object t/0 [20,-1) t/dt=1/0_0_00000000000000000020;",
	    "");
}

Test(verify, manifest_under_another_name_is_found)
{
	struct seen seen;
	size_t len;
	char *text, *copy;

	begin(&seen);
	text = memory_store_get(
	    "_manifests/t/0/0_00000000000000000010.json", &len);
	copy = mem_dup(text, len);
	memory_store_put(
	    "_manifests/t/0/0_00000000000000000012.json", copy, len);
	free(copy);
	check(&seen,
	    "manifest t/0 [-1,-1) _manifests/t/0/0_00000000000000000012.json;",
	    "");
}

Test(verify, foreign_object_is_found_and_a_later_one_is_not_final)
{
	struct seen seen;

	begin(&seen);
	memory_store_put("t/dt=1/0_0_00000000000000000012.gz", "x", 1);
	memory_store_put("t/dt=1/0_0_00000000000000000030.gz", "x", 1);
	memory_store_put(
	    "_dead_letters/t/0_0_00000000000000000003.jsonl", "", 0);
	memory_store_put("t/readme", "x", 1);
	check(&seen,
	    "foreign-object t/0 [12,-1) t/dt=1/0_0_00000000000000000012.gz;"
	    "foreign-object t/0 [3,-1) "
	    "_dead_letters/t/0_0_00000000000000000003.jsonl;",
	    "not-final;stranger;");
}

Test(verify, offsets_without_messages_are_skipped_by_the_chain)
{
	struct seen seen;

	begin(&seen);
	seen.record.m = store_batch(35, 40, seen.record.m);
	seen.record.offset = 42;
	check(&seen, "", "skipped;skipped;");
}

Test(verify, record_with_another_head_is_found)
{
	struct seen seen;

	begin(&seen);
	seen.record.m++;
	check(&seen, "chain t/0 [30,-1) -;", "");
}

Test(verify, record_inside_of_a_batch_is_found)
{
	struct seen seen;

	begin(&seen);
	seen.record.offset = 25;
	check(&seen, "inside t/0 [25,30) -;", "");
}

Test(verify, record_set_back_is_found)
{
	struct seen seen;

	begin(&seen);
	seen.record.offset = 10;
	check(&seen, "ahead t/0 [20,-1) -;chain t/0 [10,-1) -;",
	    "not-final;not-final;");
}

Test(verify, batch_of_an_open_plan_is_not_final)
{
	struct seen seen;
	uint64_t before;

	begin(&seen);
	before = seen.record.m;
	(void)store_batch(30, 40, before);
	seen.record.kind = RECORD_PLAN;
	check(&seen, "", "not-final;not-final;");
}

/* The whole first batch of a partition, between the listing of manifests and
 * that of objects. */
static int
record_after_a_batch(void *arg, const char *name, int32_t partition,
    struct record *record, struct secor_err *err)
{
	struct seen *seen = arg;

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

Test(verify, partition_that_begins_meanwhile_has_no_foreign_object)
{
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
	struct seen seen;
	struct verify verify;
	struct verify_topic now = {.name = "t"};
	char *text;

	begin(&seen);
	memory_store_clear();
	text = manifest_write(&manifest);
	memory_store_put(name, text, strlen(text));
	memory_store_put(key, "", 0);
	memory_store_put("t/dt=2/0_1_00000000000000000000", "", 0);
	free(text);
	verify = verify_of(&seen, 1);
	verify.record = record_after_a_batch;
	cr_assert_eq(verify_strangers(&verify, &now, NULL), SECOR_OK);
	cr_assert_str_eq(seen.found.ptr,
	    "foreign-object t/1 [0,-1) t/dt=2/0_1_00000000000000000000;");
	free(now.finals);
	buf_fini(&seen.found);
	buf_fini(&seen.notes);
	memory_store_clear();
}

Test(verify, batch_that_ends_meanwhile_is_not_final)
{
	struct seen seen;

	begin(&seen);
	seen.second = seen.record;
	seen.second.offset = 40;
	(void)store_batch(30, 40, seen.record.m);
	check(&seen, "", "not-final;not-final;");
}

Test(verify, record_that_is_missing_or_foreign_is_found)
{
	struct seen seen;

	begin(&seen);
	seen.record.kind = RECORD_MISSING;
	check(&seen, "record t/0 [-1,-1) -;", "");
	begin(&seen);
	seen.record.kind = RECORD_FOREIGN;
	check(&seen, "record t/0 [-1,-1) -;", "");
}

Test(verify, generation_that_begins_again_is_a_note)
{
	struct seen seen;

	begin(&seen);
	generation_now = 1;
	seen.record.m = store_batch(20, 24, store_batch(5, 20, 7));
	seen.record.offset = 24;
	(void)strcpy(seen.record.g, "0123456789abcdef.1");
	memory_store_put("t/dt=1/0_0_00000000000000000040", "x", 1);
	check(&seen,
	    "foreign-object t/0 [40,-1) t/dt=1/0_0_00000000000000000040;",
	    "again;");
}

Test(verify, generation_that_goes_on_keeps_the_chain)
{
	struct seen seen;

	begin(&seen);
	generation_now = 1;
	seen.record.m = store_batch(30, 40, seen.record.m);
	seen.record.offset = 40;
	(void)strcpy(seen.record.g, "0123456789abcdef.1");
	check(&seen, "", "");
}

Test(verify, group_that_is_not_asked_finds_only_what_the_store_shows)
{
	struct seen seen;
	struct verify verify;

	begin(&seen);
	memory_store_remove("t/dt=1/0_0_00000000000000000010");
	verify = verify_of(&seen, 0);
	cr_assert_eq(verify_run(&verify, NULL), SECOR_OK);
	cr_assert_eq(verify.totals.found, 1);
	cr_assert_eq(seen.asked, 0);
	buf_fini(&seen.found);
	buf_fini(&seen.notes);
	memory_store_clear();
}

Test(verify, store_that_fails_is_no_finding)
{
	struct seen seen;
	struct verify verify;
	struct secor_err err;

	begin(&seen);
	memory_store_fail(1);
	verify = verify_of(&seen, 1);
	cr_assert_eq(verify_run(&verify, &err), SECOR_RETRY);
	cr_assert_str_eq(err.text, "memory: told to fail");
	cr_assert_eq(verify.totals.found, 0);
	buf_fini(&seen.found);
	buf_fini(&seen.notes);
	memory_store_clear();
}

Test(verify, parse_key_takes_objects_only)
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
