/*
 * receipt_test.c -- receipts go both ways, and hostile ones are refused.
 */
#include "core/flow/receipt.h"

#include "core/base/hash.h"
#include "core/flow/manifest.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void
add_all(struct offset_runs *runs, const char *digits)
{
	for (; *digits != '\0'; digits++)
		offset_runs_add(runs, *digits - '0');
}

static char *
text_of(const char *text)
{
	return mem_dup(text, strlen(text));
}

static struct receipt
sample(int done)
{
	struct receipt receipt = {.done = done,
	    .topic = text_of("t"),
	    .partition = 2,
	    .generation = 1,
	    .start = 0,
	    .number = 3,
	    .source = text_of("_dead_letters/t/1_2_00000000000000000000.jsonl"),
	    .fingerprint = UINT64_MAX,
	    .written_ms = 1700000000000,
	    .objects = mem_alloc(2 * sizeof(struct receipt_object)),
	    .object_count = 2,
	    .bad = mem_alloc(sizeof(struct receipt_bad)),
	    .bad_count = 1};

	receipt.objects[0].key =
	    text_of("t/dt=1/redrive3_1_2_00000000000000000000.gz");
	receipt.objects[0].path = text_of("dt=1");
	receipt.objects[0].bytes = done ? 40 : 0;
	receipt.objects[0].crc32c = done ? 0xdeadbeef : 0;
	add_all(&receipt.objects[0].offsets, "0237");
	receipt_note_time(&receipt.objects[0], SECOR_NO_TIME);
	receipt_note_time(&receipt.objects[0], 5000);
	receipt_note_time(&receipt.objects[0], -1000);
	receipt_note_time(&receipt.objects[1], SECOR_NO_TIME);
	receipt.objects[1].key =
	    text_of("t/dt=2/redrive3_1_2_00000000000000000000.gz");
	receipt.objects[1].path = text_of("dt=2");
	add_all(&receipt.objects[1].offsets, "1");
	receipt.bad[0].reason = text_of("no \"time\"\n");
	add_all(&receipt.bad[0].offsets, "45");
	add_all(&receipt.filtered, "9");
	receipt.plan = receipt_plan(&receipt);
	return receipt;
}

Test(receipt, write_and_read_give_the_same)
{
	for (int done = 0; done < 2; done++) {
		struct receipt first = sample(done);
		char *text = receipt_write(&first);
		struct receipt *second;
		struct secor_err err;
		char *again;

		cr_assert_eq(receipt_read(text, strlen(text), &second, &err),
		    SECOR_OK, "%s", err.text);
		again = receipt_write(second);
		cr_assert_str_eq(again, text);
		cr_assert_eq(second->done, done);
		cr_assert_eq(receipt_plan(second), first.plan);
		cr_assert_eq(receipt_records(second), 5);
		cr_assert_eq(second->objects[0].offsets.count, 3);
		cr_assert_eq(second->bad[0].offsets.offsets, 2);
		cr_assert_eq(second->objects[0].first_ms, -1000);
		cr_assert_eq(second->objects[0].last_ms, 5000);
		cr_assert_not(second->objects[1].has_times);
		receipt_fini(&first);
		receipt_free(second);
		free(text);
		free(again);
	}
}

Test(receipt, plan_is_of_what_decides_the_objects)
{
	struct receipt receipt = sample(1);
	uint64_t plan = receipt.plan;

	receipt.written_ms++;
	receipt.objects[0].bytes++;
	receipt.objects[0].crc32c++;
	receipt.done = 0;
	offset_runs_add(&receipt.bad[0].offsets, 8);
	cr_assert_eq(receipt_plan(&receipt), plan);
	offset_runs_add(&receipt.objects[1].offsets, 8);
	cr_assert_neq(receipt_plan(&receipt), plan);
	receipt_fini(&receipt);
	receipt = sample(1);
	receipt.number++;
	cr_assert_neq(receipt_plan(&receipt), plan);
	receipt_fini(&receipt);
	receipt = sample(1);
	receipt.fingerprint--;
	cr_assert_neq(receipt_plan(&receipt), plan);
	receipt_fini(&receipt);
}

Test(receipt, runs_hold_what_was_added_and_nothing_else)
{
	struct offset_runs runs = {0};
	uint64_t hash = 0;

	cr_assert_not(offset_runs_has(&runs, 0));
	for (int64_t i = 0; i < 4000; i++)
		if (i % 7 < 3) {
			offset_runs_add(&runs, i);
			hash += hash64(&i, sizeof(i));
		}
	for (int64_t i = 0; i < 4001; i++)
		cr_assert_eq(offset_runs_has(&runs, i), i < 4000 && i % 7 < 3);
	cr_assert_eq(runs.count, 572);
	cr_assert_eq(offset_runs_hash(&runs), hash);
	free(runs.items);
}

/* The sample with one text replaced by another. */
static int
read_with(const char *what, const char *by)
{
	struct receipt sampled = sample(1);
	char *text = receipt_write(&sampled);
	char *at = strstr(text, what);
	struct receipt *receipt = NULL;
	struct secor_err err = {""};
	char *changed;
	int rc;

	cr_assert_not_null(at, "%s", what);
	changed =
	    mem_text("%.*s%s%s", (int)(at - text), text, by, at + strlen(what));
	rc = receipt_read(changed, strlen(changed), &receipt, &err);
	cr_assert_eq(rc == SECOR_OK, receipt != NULL);
	cr_assert_eq(rc == SECOR_OK, err.text[0] == '\0', "%s", err.text);
	receipt_free(receipt);
	receipt_fini(&sampled);
	free(changed);
	free(text);
	return rc;
}

Test(receipt, read_of_a_wrong_one_is_rejected)
{
	static const char *const changes[][2] = {
	    {"\"secor_redrive\":1", "\"secor_redrive\":2"},
	    {"\"state\":\"done\"", "\"state\":\"x\""},
	    {"\"number\":3", "\"number\":0"}, {"[0,0],[2,3]", "[2,3],[0,0]"},
	    {"[0,0],[2,3]", "[0,2],[2,3]"}, {"[2,3]", "[3,2]"},
	    {"[2,3]", "[2]"}, {"[2,3]", "2"}, {"[2,3]", "[2,3,4]"},
	    {"[2,3]", "[2,9223372036854775807]"},
	    {"\"records\":4", "\"records\":5"},
	    {"\"offsets\":[[1,1]]", "\"offsets\":[]"},
	    {"\"filtered\":[[9,9]]", "\"filtered\":null"},
	    {"\"crc32c\":\"deadbeef\"", "\"crc32c\":\"deadbee\""},
	    {"\"key\":\"t/dt=1", "\"key\":\"../dt=1"},
	    {"\"source\":\"_dead", "\"source\":\"/_dead"},
	    {"\"last_time_ms\":5000", "\"last_time_ms\":-1001"},
	    {"\"first_time_ms\":-1000", "\"first_time_ms\":null"},
	    {"\"bad\":[", "\"worse\":["}};

	cr_assert_eq(
	    read_with("\"written_ms\"", "\"new\":1,\"written_ms\""), SECOR_OK);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		cr_assert_eq(read_with(changes[i][0], changes[i][1]),
		    SECOR_REJECT, "%s", changes[i][1]);
}

Test(receipt, names_go_both_ways_and_are_no_manifests)
{
	struct receipt_name name = {.kind = RECEIPT_CLAIM,
	    .generation = 4,
	    .start = 120,
	    .number = 12,
	    .plan = 0xabc,
	    .nonce = 0xffffffffffffffff};
	struct receipt_name found;
	int64_t generation, start;

	for (int kind = RECEIPT_DONE; kind <= RECEIPT_CLAIM; kind++) {
		char *folder = receipt_folder("_manifests", "t", 7);
		char *key;

		name.kind = (enum receipt_kind)kind;
		key = receipt_key(folder, &name);
		cr_assert(receipt_parse_name(key + strlen(folder), &found));
		cr_assert_eq(found.kind, name.kind);
		cr_assert_eq(found.start, 120);
		cr_assert_eq(found.number, 12);
		cr_assert_eq(found.plan, kind == RECEIPT_DONE ? 0 : 0xabc);
		cr_assert_eq(found.nonce == UINT64_MAX, kind == RECEIPT_CLAIM);
		cr_assert_not(manifest_parse_key(key, &generation, &start));
		free(key);
		free(folder);
	}
}

Test(receipt, names_of_others_are_not_taken)
{
	static const char *const bad[] = {"", "1_00000000000000000000.json",
	    "1_00000000000000000000_0.json", "1_00000000000000000000_01.json",
	    "1_00000000000000000000_1000000.json",
	    "01_00000000000000000000_1."
	    "json",
	    "1_0_1.json", "1_00000000000000000000_1.jsonl",
	    "1_00000000000000000000_1_plan.json",
	    "1_00000000000000000000_1_0000000000000ABC_plan.json",
	    "1_00000000000000000000_1_0000000000000abc_claim",
	    "x/1_00000000000000000000_1.json",
	    "-1_00000000000000000000_1.json"};
	struct receipt_name name;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(receipt_parse_name(bad[i], &name), "%s", bad[i]);
}
