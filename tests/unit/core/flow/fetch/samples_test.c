/*
 * samples_test.c -- core/flow/fetch/batches over what producers made.
 */
#include "core/flow/fetch/batches.h"
#include "tests/unit/core/flow/fetch/samples.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define TS INT64_C(1700000000000)
#define RECORDS 8

static struct buf bytes;
static struct batches batches;
static struct secor_err err;

static int
read_from(const char *name, int64_t from)
{
	struct batches_in in = {.from = from};

	sample(name, &bytes);
	in.bytes = bytes.ptr;
	in.len = bytes.len;
	return batches_read(&in, &batches, &err);
}

static void
done(void)
{
	batches_fini(&batches);
	buf_fini(&bytes);
}

/* As Gen of both producers: key, value and time of record i. */
static const char *
key_of(int i, char *room, size_t size)
{
	if (i == 1)
		return NULL;
	if (i == 3)
		return "";
	(void)snprintf(room, size, i < 4 ? "k%d" : "key-%d", i);
	return room;
}

static const char *
value_of(int i, char *room, size_t size)
{
	char piece[32];

	if (i == 2)
		return NULL;
	room[0] = '\0';
	if (i == 1)
		(void)snprintf(room, size, "value 1");
	(void)snprintf(
	    piece, sizeof(piece), i == 0 ? "value 0 " : "{\"n\": %d}, ", i);
	for (int n = 0; n < (i == 0 ? 40 : i < 4 ? 0 : i); n++)
		(void)strncat(room, piece, size - strlen(room) - 1);
	return room;
}

static int64_t
time_of(int i)
{
	static const int64_t deltas[RECORDS] = {0, 5, -70, 300000, 4, 5, 6, 7};

	return TS + deltas[i];
}

static void
is_text(struct secor_bytes got, const char *want, int i)
{
	if (want == NULL) {
		cr_assert_null(got.ptr, "record %d", i);
		return;
	}
	cr_assert_not_null(got.ptr, "record %d", i);
	cr_assert_eq(got.len, strlen(want), "record %d", i);
	cr_assert_eq(memcmp(got.ptr, want, got.len), 0, "record %d", i);
}

static void
has_headers(const struct message *message)
{
	struct secor_header list[3];
	struct buf names = {0};

	cr_assert_eq(message->header_count, 3);
	cr_assert_eq(message_headers(message, list, &names), 3);
	cr_assert_str_eq(list[0].name, "h1");
	is_text(list[0].value, "x", 0);
	cr_assert_str_eq(list[1].name, "none");
	is_text(list[1].value, NULL, 0);
	cr_assert_str_eq(list[2].name, "");
	is_text(list[2].value, "", 0);
	buf_fini(&names);
}

static void
is_record(const struct message *message, int i, int64_t base, int append)
{
	char room[400];

	cr_assert_eq(message->raw.size, sizeof(message->raw));
	cr_assert_eq(message->raw.offset, base + i);
	cr_assert_null(message->rkm);
	if (append) {
		cr_assert_eq(
		    message->raw.timestamp_type, SECOR_TIMESTAMP_APPEND);
	} else {
		cr_assert_eq(
		    message->raw.timestamp_type, SECOR_TIMESTAMP_CREATE);
		cr_assert_eq(message->raw.timestamp_ms, time_of(i));
	}
	is_text(message->raw.key, key_of(i, room, sizeof(room)), i);
	is_text(message->raw.value, value_of(i, room, sizeof(room)), i);
	if (i == 0)
		has_headers(message);
	else
		cr_assert_eq(message->header_count, 0);
}

static void
is_sample(const char *name, int64_t base, int append)
{
	struct cursor cursor;
	struct message message;

	cr_assert_eq(read_from(name, base), SECOR_OK, "%s: %s", name, err.text);
	cr_assert_eq(batches.count, 1, "%s", name);
	cr_assert_eq(batches.next, base + RECORDS);
	cursor_begin(&cursor, &batches.spans[0]);
	for (int i = 0; i < RECORDS; i++) {
		cr_assert_eq(cursor_next(&cursor, &message), 1, "%s", name);
		is_record(&message, i, base, append);
		if (append)
			cr_assert_eq(message.raw.timestamp_ms, TS + 9999);
	}
	cr_assert_eq(cursor_next(&cursor, &message), 0);
	done();
}

Test(samples, librdkafka_of_every_codec_has_its_records)
{
	static const char *const names[] = {
	    "rd-none", "rd-gzip", "rd-snappy", "rd-lz4", "rd-zstd"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is_sample(names[i], 0, 0);
}

Test(samples, java_client_of_every_codec_has_its_records)
{
	static const char *const names[] = {
	    "java-none", "java-gzip", "java-snappy", "java-lz4", "java-zstd"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is_sample(names[i], 100, 0);
}

Test(samples, log_append_time_is_the_time_of_all)
{
	is_sample("java-append", 100, 1);
}

Test(samples, cut_off_anywhere_gives_nothing)
{
	struct batches_in in = {.from = 100};

	sample("java-lz4", &bytes);
	in.bytes = bytes.ptr;
	for (in.len = 0; in.len < bytes.len; in.len++) {
		cr_assert_eq(batches_read(&in, &batches, &err), SECOR_OK);
		cr_assert_eq(batches.count, 0);
		cr_assert_eq(batches.next, 100);
	}
	done();
}

Test(samples, changed_byte_that_the_checksum_covers_is_damage)
{
	struct batches_in in = {.from = 100};

	sample("java-zstd", &bytes);
	in.bytes = bytes.ptr;
	in.len = bytes.len;
	for (size_t i = 17; i < bytes.len; i++) {
		bytes.ptr[i] ^= 1;
		cr_assert_eq(batches_read(&in, &batches, &err), SECOR_REJECT);
		cr_assert_str_eq(
		    err.text, "batch at offset 100: the checksum is wrong");
		cr_assert_eq(batches.next, 100);
		bytes.ptr[i] ^= 1;
	}
	done();
}

Test(samples, compacted_batch_keeps_its_offsets_and_its_end)
{
	struct cursor cursor;
	struct message message;

	cr_assert_eq(read_from("java-compacted", 100), SECOR_OK);
	cr_assert_eq(batches.count, 1);
	cr_assert_eq(batches.spans[0].count, 2);
	cr_assert_eq(batches.next, 108);
	cursor_begin(&cursor, &batches.spans[0]);
	cr_assert_eq(cursor_next(&cursor, &message), 1);
	is_record(&message, 2, 100, 0);
	cr_assert_eq(cursor_next(&cursor, &message), 1);
	is_record(&message, 5, 100, 0);
	cr_assert_eq(cursor_next(&cursor, &message), 0);
	done();
}

Test(samples, batch_that_compaction_emptied_is_passed_over)
{
	cr_assert_eq(read_from("java-empty", 100), SECOR_OK);
	cr_assert_eq(batches.count, 0);
	cr_assert_eq(batches.next, 108);
	done();
}

Test(samples, old_message_formats_are_said_to_be_such)
{
	cr_assert_eq(read_from("java-v0", 100), SECOR_FATAL);
	cr_assert_not_null(strstr(err.text, "message format 0"));
	cr_assert_eq(batches.next, 100);
	cr_assert_eq(read_from("java-v1", 100), SECOR_FATAL);
	cr_assert_not_null(strstr(err.text, "message format 1"));
	done();
}

/* Offsets 10, 11 of producer 1001 and 12, 13 of 1002; 14 outside of any; 15 the
 * abort of 1001; 16 of 1001 again; 17, 18 the commits of 1002 and 1001. */
static void
values_are(
    const struct aborted *aborted, size_t count, int64_t from, const char *want)
{
	struct batches_in in = {
	    .from = from, .aborted = aborted, .aborted_count = count};
	struct cursor cursor;
	struct message message;
	char got[16] = "";

	sample("java-txn", &bytes);
	in.bytes = bytes.ptr;
	in.len = bytes.len;
	cr_assert_eq(batches_read(&in, &batches, &err), SECOR_OK);
	cr_assert_eq(batches.next, 19);
	for (size_t i = 0; i < batches.count; i++) {
		cursor_begin(&cursor, &batches.spans[i]);
		while (cursor_next(&cursor, &message) == 1)
			(void)strncat(got, message.raw.value.ptr, 1);
	}
	cr_assert_str_eq(got, want);
	done();
}

Test(samples, aborted_transaction_ends_with_its_marker)
{
	static const struct aborted aborted = {1001, 10};

	values_are(&aborted, 1, 10, "cdef");
	values_are(NULL, 0, 10, "abcdef");
}

Test(samples, transactions_aborted_at_once_are_told_apart)
{
	/* as if 1002 were aborted by a marker that is not here yet */
	static const struct aborted aborted[] = {{1002, 12}, {1001, 10}};

	values_are(aborted, 2, 10, "ef");
	values_are(aborted, 1, 10, "abef");
}

Test(samples, transaction_from_its_middle_on_is_as_well_aborted)
{
	static const struct aborted aborted = {1001, 10};

	values_are(&aborted, 1, 11, "cdef");
	values_are(NULL, 0, 11, "bcdef");
	values_are(NULL, 0, 13, "def");
	values_are(NULL, 0, 16, "f");
}
