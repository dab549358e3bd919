/*
 * records_test.c -- an object is fetched whole with its sums, read to its end,
 * and known by its folder.
 */
#include "core/cli/records.h"

#include "core/base/buf.h"
#include "core/base/hash.h"
#include "core/flow/deadletter.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char letters[] =
    "{\"offset\":7,\"timestamp\":null,\"key\":null,\"value\":\"YQ==\","
    "\"reason\":\"bad\"}\n"
    "{\"offset\":9,\"timestamp\":1,\"key\":\"aw==\",\"value\":null,"
    "\"reason\":\"worse\"}\n";

struct heard {
	struct buf text;
	size_t stop_after;
};

static int
hear(void *arg, const struct secor_read_record *record, const void *reader,
    struct secor_err *err)
{
	struct heard *heard = arg;

	buf_printf(&heard->text, "%d:%.*s:%s;", (int)record->offset,
	    (int)record->value.len,
	    record->value.ptr == NULL ? "" : record->value.ptr,
	    deadletter_reason(reader));
	if (--heard->stop_after == 0)
		return secor_fail(err, SECOR_FATAL, "enough");
	return SECOR_OK;
}

static int
read_stored(const char *key, struct heard *heard, struct secor_err *err)
{
	struct records_file file;
	int rc = records_fetch(
	    memory_store.plugin->ops.store, NULL, key, &file, err);

	if (rc != SECOR_OK)
		return rc;
	rc = records_read(&deadletter_format, file.file, key, hear, heard, err);
	(void)fclose(file.file);
	return rc;
}

Test(records, fetch_sums_the_bytes_as_they_come)
{
	struct records_file file;

	memory_store_put("k", letters, sizeof(letters) - 1);
	cr_assert_eq(records_fetch(memory_store.plugin->ops.store, NULL, "k",
			 &file, NULL),
	    SECOR_OK);
	cr_assert_eq(file.length, sizeof(letters) - 1);
	cr_assert_eq(file.crc32c, crc32c_add(0, letters, sizeof(letters) - 1));
	cr_assert_eq(ftell(file.file), 0);
	(void)fclose(file.file);
	memory_store_clear();
}

Test(records, read_gives_every_record_once)
{
	struct heard heard = {.stop_after = 9};
	struct secor_err err = {{0}};

	memory_store_put("k", letters, sizeof(letters) - 1);
	cr_assert_eq(read_stored("k", &heard, &err), SECOR_OK, "%s", err.text);
	cr_assert_str_eq(heard.text.ptr, "7:a:bad;9::worse;");
	buf_fini(&heard.text);
	memory_store_clear();
}

Test(records, read_ends_when_the_taker_has_enough)
{
	struct heard heard = {.stop_after = 1};
	struct secor_err err;

	memory_store_put("k", letters, sizeof(letters) - 1);
	cr_assert_eq(read_stored("k", &heard, &err), SECOR_FATAL);
	cr_assert_str_eq(err.text, "enough");
	cr_assert_str_eq(heard.text.ptr, "7:a:bad;");
	buf_fini(&heard.text);
	memory_store_clear();
}

Test(records, object_that_is_cut_missing_or_not_to_be_had_is_told_apart)
{
	struct heard heard = {.stop_after = 9};
	struct secor_err err;

	memory_store_put("k", letters, sizeof(letters) - 3);
	cr_assert_eq(read_stored("k", &heard, &err), SECOR_REJECT);
	cr_assert_eq(read_stored("none", &heard, &err), SECOR_REJECT);
	memory_store_fail(1);
	cr_assert_eq(read_stored("k", &heard, &err), SECOR_RETRY);
	buf_fini(&heard.text);
	memory_store_clear();
}

Test(records, dead_letters_are_known_by_their_folder)
{
	static const struct {
		const char *key;
		int dead;
	} rows[] = {{"_dead/t/0_0_1.jsonl", 1}, {"/out/_dead/t/x", 1},
	    {"t/_dead", 0}, {"t/a.jsonl", 0}, {"_deadly/t/x", 0}};
	const struct config config = {
	    .layout = {.dead_letter_prefix = "_dead"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(records_is_dead_letter(&config, rows[i].key),
		    rows[i].dead, "%s", rows[i].key);
}
