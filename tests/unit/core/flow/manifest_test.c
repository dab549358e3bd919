/*
 * manifest_test.c -- manifests go both ways, and hostile ones are refused.
 */
#include "core/flow/manifest.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char topic[] = "access.log";
static char key_a[] = "access.log/dt=1/0_2_00000000000000000010.gz";
static char path_a[] = "dt=1";
static char key_b[] = "_dead_letters/access.log/0_2_00000000000000000010.jsonl";
static char none[] = "";

static struct manifest
sample(struct manifest_object objects[2])
{
	struct manifest manifest = {.topic = topic,
	    .partition = 2,
	    .generation = 0,
	    .start = 10,
	    .end = 20,
	    .messages = 9,
	    .filtered = 1,
	    .bad = 1,
	    .input_hash = UINT64_C(0xfedcba9876543210),
	    .output_hash = 1,
	    .fingerprint = UINT64_MAX,
	    .cut = CUT_AGE,
	    .watermark = INT64_MIN,
	    .previous = 5,
	    .written_ms = 1700000000000,
	    .objects = objects,
	    .object_count = 2};

	objects[0] = (struct manifest_object){.key = key_b,
	    .path = none,
	    .dead_letter = 1,
	    .records = 1,
	    .bytes = 300,
	    .crc32c = 0xdeadbeef,
	    .first_offset = 12,
	    .last_offset = 12,
	    .offsets_hash = 3};
	objects[1] = (struct manifest_object){.key = key_a,
	    .path = path_a,
	    .records = 7,
	    .bytes = 900,
	    .crc32c = 1,
	    .first_offset = 10,
	    .last_offset = 19,
	    .offsets_hash = UINT64_MAX,
	    .has_times = 1,
	    .first_ms = -5,
	    .last_ms = 1700000000000};
	manifest.chain = manifest_chain(&manifest);
	return manifest;
}

Test(manifest, write_and_read_give_the_same)
{
	struct manifest_object objects[2];
	struct manifest first = sample(objects);
	char *text = manifest_write(&first);
	struct manifest *second;
	struct secor_err err;
	char *again;

	cr_assert_eq(manifest_read(text, strlen(text), &second, &err), SECOR_OK,
	    "%s", err.text);
	cr_assert_eq(second->watermark, INT64_MIN);
	cr_assert_eq(second->objects[0].dead_letter, 1);
	cr_assert_eq(second->objects[1].crc32c, 1);
	cr_assert_eq(second->objects[0].has_times, 0);
	cr_assert_eq(second->objects[1].has_times, 1);
	cr_assert_eq(second->objects[1].first_ms, -5);
	cr_assert_eq(second->objects[1].last_ms, 1700000000000);
	cr_assert_eq(manifest_chain(second), first.chain);
	again = manifest_write(second);
	cr_assert_str_eq(again, text);
	cr_assert_eq(text[strlen(text) - 1], '\n');
	free(text);
	free(again);
	manifest_free(second);
}

Test(manifest, chain_covers_each_logical_field)
{
	struct manifest_object objects[2];
	const struct manifest base = sample(objects);
	struct manifest changed[14];
	static char other[] = "other";

	for (size_t i = 0; i < 14; i++)
		changed[i] = base;
	changed[0].topic = other;
	changed[1].partition++;
	changed[2].generation++;
	changed[3].start--;
	changed[4].end++;
	changed[5].messages++;
	changed[6].filtered++;
	changed[7].bad++;
	changed[8].input_hash++;
	changed[9].output_hash++;
	changed[10].fingerprint++;
	changed[11].cut = CUT_SIZE;
	changed[12].watermark = 0;
	changed[13].previous++;
	for (size_t i = 0; i < 14; i++)
		cr_assert_neq(
		    manifest_chain(&changed[i]), base.chain, "row %zu", i);
}

Test(manifest, chain_leaves_bytes_of_objects_out)
{
	struct manifest_object objects[2];
	struct manifest manifest = sample(objects);

	objects[1].bytes++;
	objects[1].crc32c++;
	manifest.written_ms++;
	cr_assert_eq(manifest_chain(&manifest), manifest.chain);
}

/* The sample's text with the first `from` replaced by `to`. */
static char *
broken(const char *from, const char *to)
{
	struct manifest_object objects[2];
	struct manifest manifest = sample(objects);
	char *text = manifest_write(&manifest);
	char *at = strstr(text, from);
	struct buf out = {0};

	cr_assert_not_null(at, "%s", from);
	buf_put(&out, text, (size_t)(at - text));
	buf_puts(&out, to);
	buf_puts(&out, at + strlen(from));
	free(text);
	return buf_take(&out);
}

Test(manifest, read_hostile_text_is_rejected_with_the_reason)
{
	static const char *const rows[][3] = {
	    {"{\"secor_manifest\":1", "{\"secor_manifest\":2",
		"manifest: 'secor_manifest' is missing or not a number in "
		"range"},
	    {"\"start\":10", "\"start\":-1",
		"manifest: 'start' is missing or not a number in range"},
	    {"\"end\":20", "\"end\":9",
		"manifest: 'end' is missing or not a number in range"},
	    {"\"end\":20", "\"end\":20.5",
		"manifest: 'end' is missing or not a number in range"},
	    {"\"partition\":2", "\"partition\":2147483648",
		"manifest: 'partition' is missing or not a number in range"},
	    {"\"cut\":\"age\"", "\"cut\":\"mood\"",
		"manifest: 'cut' is not a known reason"},
	    {"\"fedcba9876543210\"", "\"fedcba987654321\"",
		"manifest: 'input_hash' is not a hash in hex"},
	    {"\"fedcba9876543210\"", "\"fedcba987654321g\"",
		"manifest: 'input_hash' is not a hash in hex"},
	    {"\"key\":\"_dead", "\"key\":\"/_dead",
		"object: 'key' is not a plain relative key"},
	    {"\"key\":\"_dead", "\"key\":\"../_dead",
		"object: 'key' is not a plain relative key"},
	    {"\"topic\":\"access", "\"topic\":\"\\u0000access",
		"manifest: 'topic' is missing or not text"},
	    {"\"records\":7", "\"records\":\"7\"",
		"object: 'records' is missing or not a number in range"},
	    {"\"first_time_ms\":-5", "\"first_time_ms\":1700000000001",
		"object: 'last_time_ms' is missing or not a number in range"},
	    {"\"first_time_ms\":-5", "\"first_time_ms\":null",
		"object: 'first_time_ms' is missing or not a number in range"},
	    {"\"objects\":[", "\"things\":[",
		"manifest: 'objects' is missing or not a list"},
	    {"\"end\":20", "\"end\":20,\"end\":21",
		"not a manifest: line 1: duplicate object key near '\"end\"'"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = broken(rows[i][0], rows[i][1]);
		struct manifest *manifest;
		struct secor_err err;

		cr_assert_eq(manifest_read(text, strlen(text), &manifest, &err),
		    SECOR_REJECT, "row %zu", i);
		cr_assert_str_eq(
		    err.text, rows[i][2], "row %zu: %s", i, err.text);
		free(text);
	}
}

Test(manifest, read_every_truncation_is_rejected)
{
	struct manifest_object objects[2];
	struct manifest manifest = sample(objects);
	char *text = manifest_write(&manifest);
	struct manifest *read;

	for (size_t len = 0; len + 1 < strlen(text); len++)
		cr_assert_eq(manifest_read(text, len, &read, NULL),
		    SECOR_REJECT, "%zu bytes", len);
	free(text);
}

Test(manifest, key_sorts_by_start_and_parses_back)
{
	char *low = manifest_key("_manifests", "t", 3, 1, 99);
	char *high = manifest_key("_manifests", "t", 3, 1, 100);
	char *folder = manifest_folder("_manifests", "t", 3);
	int64_t generation, start;

	cr_assert_str_eq(low, "_manifests/t/3/1_00000000000000000099.json");
	cr_assert_lt(strcmp(low, high), 0);
	cr_assert_eq(strncmp(low, folder, strlen(folder)), 0);
	cr_assert(manifest_parse_key(high, &generation, &start));
	cr_assert_eq(generation, 1);
	cr_assert_eq(start, 100);
	free(low);
	free(high);
	free(folder);
}

Test(manifest, parse_key_of_something_else_is_refused)
{
	static const char *const rows[] = {"", "a/b", "m/t/0/0_1.json",
	    "m/t/0/_00000000000000000001.json",
	    "m/t/0/0_00000000000000000001.jsonx",
	    "m/t/0/0_000000000000000000001.json",
	    "m/t/0/-1_00000000000000000001.json",
	    "m/t/0/0_99999999999999999999.json",
	    "m/t/0/01_00000000000000000001.json",
	    "m/t/0/0_00000000000000000001"};
	int64_t generation, start;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_not(manifest_parse_key(rows[i], &generation, &start),
		    "row %zu", i);
}
