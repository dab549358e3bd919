/*
 * tally_test.c -- tallies survive writing and reading; strange ones are
 * refused with the reason.
 */
#include "core/flow/final/tally.h"

#include "core/base/buf.h"
#include "tests/unit/helpers/memory_store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct tally
sample(void)
{
	struct tally tally = {.topic = mem_text("events"),
	    .path = mem_text("dt=2026-01-01/hr=07"),
	    .generation = 3,
	    .span = {1767250800000, 1767254400000},
	    .totals = {2, 30, 4000},
	    .amended = 1,
	    .written_ms = 1767260000000};

	*tally_part(&tally, 4) = (struct tally_part){
	    .partition = 4, .end = 90, .first = 10, .last = 59, .records = 25};
	*tally_part(&tally, 1) = (struct tally_part){
	    .partition = 1, .end = 7, .first = -1, .last = -1, .records = 0};
	*tally_part(&tally, 9) = (struct tally_part){
	    .partition = 9, .end = 12, .first = 7, .last = 11, .records = 5};
	tally_add_redriven(&tally, &(struct redriven){9, 30, 2});
	tally_add_redriven(&tally, &(struct redriven){9, 0, 1});
	tally_add_redriven(&tally, &(struct redriven){9, 30, 1});
	tally_add_redriven(&tally, &(struct redriven){9, 0, 1});
	return tally;
}

Test(tally, write_and_read_give_the_same)
{
	struct tally first = sample();
	char *text = tally_write(&first);
	struct tally second;
	struct secor_err err = {""};
	char *again;

	cr_assert_eq(tally_read(text, strlen(text), &second, &err), SECOR_OK,
	    "%s", err.text);
	again = tally_write(&second);
	cr_assert_str_eq(again, text);
	cr_assert_eq(second.part_count, 3);
	cr_assert_eq(second.parts[0].partition, 1);
	cr_assert_eq(second.parts[0].first, -1);
	cr_assert_eq(second.parts[1].last, 59);
	cr_assert_eq(second.parts[2].redriven_count, 3);
	cr_assert(tally_has_redriven(&second, &(struct redriven){9, 30, 2}));
	cr_assert_not(tally_has_redriven(&second, &(struct redriven){9, 0, 2}));
	cr_assert_not(tally_has_redriven(&second, &(struct redriven){4, 0, 1}));
	cr_assert(tally_covers(&first, &second));
	tally_add_redriven(&second, &(struct redriven){4, 0, 1});
	cr_assert(tally_covers(&second, &first));
	cr_assert_not(tally_covers(&first, &second));
	tally_part(&first, 4)->end = 91;
	cr_assert_not(tally_covers(&second, &first));
	free(text);
	free(again);
	tally_fini(&first);
	tally_fini(&second);
}

Test(tally, marker_tells_readers_what_is_in_the_path)
{
	struct tally tally = sample();
	char *text = tally_marker(&tally);

	cr_assert_str_eq(text,
	    "{\"secor_success\":1,\"topic\":\"events\",\"path\":"
	    "\"dt=2026-01-01/hr=07\",\"generation\":3,\"from_ms\":"
	    "1767250800000,\"until_ms\":1767254400000,\"objects\":2,"
	    "\"records\":30,\"bytes\":4000,\"amended\":1,\"written_ms\":"
	    "1767260000000,\"partitions\":[\n"
	    " {\"partition\":4,\"first_offset\":10,\"last_offset\":59,"
	    "\"records\":25},\n"
	    " {\"partition\":9,\"first_offset\":7,\"last_offset\":11,"
	    "\"records\":5}]}\n");
	free(text);
	tally_fini(&tally);
}

Test(tally, read_hostile_text_is_rejected_with_the_reason)
{
	static const char *const rows[][3] = {
	    {"{\"secor_path\":1", "{\"secor_path\":2",
		"tally: 'secor_path' is missing or not a number in range"},
	    {"\"until_ms\":1767254400000", "\"until_ms\":1",
		"tally: 'until_ms' is missing or not a number in range"},
	    {"\"records\":30", "\"records\":-1",
		"tally: 'records' is missing or not a number in range"},
	    {"\"topic\":\"events\"", "\"topic\":5",
		"tally: 'topic' is missing or not text"},
	    {"\"partition\":9", "\"partition\":4",
		"partition of it: 'partition' comes twice"},
	    {"\"last_offset\":59", "\"last_offset\":9",
		"partition of it: 'last_offset' is missing or not a number in "
		"range"},
	    {"[[0,1],", "[[0],",
		"partition of it: 'redriven' is not a list of [start,number]"},
	    {"[[0,1],", "[[0,0],",
		"partition of it: 'redriven' is not a list of [start,number]"},
	    {"\"redriven\":[[0,1],[30,1],[30,2]]", "\"redriven\":1",
		"partition of it: 'redriven' is not a list of [start,number]"},
	    {"\"partitions\":[", "\"parts\":[",
		"tally: 'partitions' is missing or not a list"},
	};
	struct tally tally = sample();
	char *good = tally_write(&tally);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at = strstr(good, rows[i][0]);
		struct tally found;
		struct secor_err err = {""};
		char *bad;

		cr_assert_not_null(at, "row %zu", i);
		bad = mem_text("%.*s%s%s", (int)(at - good), good, rows[i][1],
		    at + strlen(rows[i][0]));
		cr_assert_eq(tally_read(bad, strlen(bad), &found, &err),
		    SECOR_REJECT, "row %zu", i);
		cr_assert_str_eq(err.text, rows[i][2], "row %zu", i);
		free(bad);
	}
	free(good);
	tally_fini(&tally);
}

Test(tally, get_finds_refuses_and_misses)
{
	struct manifest_store store = {
	    memory_store.plugin->ops.store, NULL, "_manifests"};
	struct tally tally = sample(), found;
	char *text = tally_write(&tally);
	char *key = tally_key("_manifests", "events", 3, tally.path);
	struct secor_err err = {""};
	int is;

	cr_assert_str_eq(
	    key, "_manifests/events/_paths/3/dt=2026-01-01/hr=07/_path.json");
	cr_assert_eq(tally_get(&store, key, &found, &is, &err), SECOR_OK);
	cr_assert_eq(is, 0);
	memory_store_put(key, text, strlen(text));
	cr_assert_eq(tally_get(&store, key, &found, &is, &err), SECOR_OK);
	cr_assert_eq(is, 1);
	cr_assert_eq(found.totals.bytes, 4000);
	tally_fini(&found);
	memory_store_put(key, "{", 1);
	cr_assert_eq(tally_get(&store, key, &found, &is, &err), SECOR_REJECT);
	cr_assert_not_null(strstr(err.text, key));
	memory_store_fail(1);
	cr_assert_eq(tally_get(&store, key, &found, &is, &err), SECOR_RETRY);
	memory_store_clear();
	free(text);
	free(key);
	tally_fini(&tally);
}
