/*
 * verify_tree.c -- see verify_tree.h.
 */
#include "tests/unit/helpers/verify_tree.h"

#include "core/base/hash.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct config verify_tree_config;

static int
the_record(void *arg, const char *topic, int32_t partition,
    struct record *record, struct secor_err *err)
{
	struct verify_seen *seen = arg;

	(void)topic;
	(void)err;
	if (seen->asked++ == 0 && seen->meanwhile != NULL)
		seen->meanwhile(seen);
	if (partition == 0)
		*record = seen->asked > 1 && seen->second.kind != 0
			      ? seen->second
			      : seen->record;
	return SECOR_OK;
}

static void
take_report(void *arg, const struct verify_report *report)
{
	struct verify_seen *seen = arg;

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

int64_t verify_tree_generation;

static char *
object_key(int64_t start)
{
	return mem_text(
	    "t/dt=1/%" PRId64 "_0_%020" PRId64, verify_tree_generation, start);
}

/* A batch with one object of as many bytes as offsets; the new chain head. */
uint64_t
verify_tree_batch(int64_t start, int64_t end, uint64_t previous)
{
	static char topic[] = "t";
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

	manifest.generation = verify_tree_generation;
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

void
verify_tree_begin(struct verify_seen *seen)
{
	uint64_t chain = 0;

	verify_tree_generation = 0;
	memset(seen, 0, sizeof(*seen));
	memset(&verify_tree_config, 0, sizeof(verify_tree_config));
	verify_tree_config.layout.manifest_prefix = "_manifests";
	verify_tree_config.layout.dead_letter_prefix = "_dead_letters";
	for (int64_t start = 0; start < 30; start += 10)
		chain = verify_tree_batch(start, start + 10, chain);
	seen->record = (struct record){
	    .kind = RECORD_CLEAN, .offset = 30, .w = INT64_MIN, .m = chain};
	(void)strcpy(seen->record.g, "0123456789abcdef.0");
	buf_puts(&seen->found, "");
	buf_puts(&seen->notes, "");
}

struct verify
verify_tree_of(struct verify_seen *seen, int with_group)
{
	struct verify verify = {.config = &verify_tree_config,
	    .store = {memory_store.plugin->ops.store, NULL, "_manifests"},
	    .partition = -1,
	    .generation = -1,
	    .scope = {.removed_before = INT64_MIN},
	    .record = with_group ? the_record : NULL,
	    .report = take_report,
	    .done = take_done,
	    .arg = seen};

	return verify;
}

void
verify_tree_check(
    struct verify_seen *seen, const char *found, const char *notes)
{
	struct verify verify = verify_tree_of(seen, 1);
	struct secor_err err;

	cr_assert_eq(verify_run(&verify, &err), SECOR_OK, "%s", err.text);
	cr_assert_str_eq(seen->found.ptr, found, "found %s", seen->found.ptr);
	cr_assert_str_eq(seen->notes.ptr, notes, "notes %s", seen->notes.ptr);
	cr_assert_eq(verify.totals.found != 0, found[0] != '\0');
	buf_fini(&seen->found);
	buf_fini(&seen->notes);
	memory_store_clear();
}
