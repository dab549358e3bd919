/*
 * pack_test.c -- records in and out of a block.
 */
#include "core/flow/pack.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
#define EVERYTHING \
	(SECOR_LOOKS_AT_HEADERS | SECOR_LOOKS_AT_KEY | SECOR_LOOKS_AT_TIMESTAMP)

static const struct secor_header headers[] = {
    {"trace", BYTES("a\0b")},
    {"", {NULL, 0}},
    {"empty", BYTES("")},
};

static const struct secor_message full = {
    .size = sizeof(full),
    .offset = INT64_C(1) << 40,
    .timestamp_ms = 1700000000123,
    .timestamp_type = SECOR_TIMESTAMP_APPEND,
    .header_count = 3,
    .headers = headers,
    .key = BYTES("key"),
    .value = BYTES("va\0lue"),
};

static size_t
pack(const struct secor_message *message, uint32_t looks_at, char *dst,
    size_t room)
{
	struct secor_record record = {
	    .size = sizeof(record), .message = message};
	size_t used = 0;

	pack_record(&record, looks_at, dst, room, &used);
	return used;
}

static void
same_bytes(struct secor_bytes a, struct secor_bytes b)
{
	cr_assert_eq(a.ptr == NULL, b.ptr == NULL);
	cr_assert_eq(a.len, b.len);
	cr_assert(a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

Test(pack, record_with_everything_comes_back)
{
	static struct unpacked out;
	char block[4096];
	size_t n = pack(&full, EVERYTHING, block, sizeof(block));
	const struct secor_message *m;

	cr_assert_eq(unpack_records(&out, block, n, "t", 7), n);
	cr_assert_eq(out.count, 1);
	m = out.records[0].message;
	cr_assert_str_eq(m->topic, "t");
	cr_assert_eq(m->partition, 7);
	cr_assert_eq(m->offset, full.offset);
	cr_assert_eq(m->timestamp_ms, full.timestamp_ms);
	cr_assert_eq(m->timestamp_type, full.timestamp_type);
	same_bytes(m->key, full.key);
	same_bytes(m->value, full.value);
	cr_assert_eq(m->header_count, 3);
	for (int i = 0; i < 3; i++) {
		cr_assert_str_eq(m->headers[i].name, headers[i].name);
		same_bytes(m->headers[i].value, headers[i].value);
	}
	unpacked_fini(&out);
}

Test(pack, record_keeps_only_what_is_looked_at)
{
	static struct unpacked out;
	char block[4096];
	size_t n = pack(&full, 0, block, sizeof(block));
	const struct secor_message *m;

	cr_assert_eq(unpack_records(&out, block, n, "t", 0), n);
	m = out.records[0].message;
	cr_assert_eq(m->timestamp_ms, SECOR_NO_TIME);
	cr_assert_eq(m->timestamp_type, SECOR_TIMESTAMP_NONE);
	cr_assert_eq(m->header_count, 0);
	cr_assert_null(m->key.ptr);
	same_bytes(m->value, full.value);
	unpacked_fini(&out);
}

Test(pack, null_and_empty_stay_different)
{
	static struct unpacked out;
	struct secor_message null = full, empty = full;
	char block[4096];
	size_t n;

	null.key = null.value = (struct secor_bytes){NULL, 0};
	empty.key = empty.value = (struct secor_bytes){"", 0};
	n = pack(&null, EVERYTHING, block, sizeof(block));
	n += pack(&empty, EVERYTHING, block + n, sizeof(block) - n);
	cr_assert_eq(unpack_records(&out, block, n, "t", 0), n);
	cr_assert_eq(out.count, 2);
	same_bytes(out.messages[0].value, null.value);
	same_bytes(out.messages[0].key, null.key);
	same_bytes(out.messages[1].value, empty.value);
	same_bytes(out.messages[1].key, empty.key);
	unpacked_fini(&out);
}

Test(pack, record_without_room_writes_nothing_and_says_how_much)
{
	char block[256];
	size_t need = pack(&full, EVERYTHING, NULL, 0);

	memset(block, 'x', sizeof(block));
	cr_assert_lt(need, sizeof(block));
	cr_assert_eq(pack(&full, EVERYTHING, block, need - 1), need);
	for (size_t i = 0; i < sizeof(block); i++)
		cr_assert_eq(block[i], 'x');
	cr_assert_eq(pack(&full, EVERYTHING, block, need), need);
	cr_assert_eq(block[need], 'x');
}

/* Bytes of a spilled file come in any pieces. */
Test(pack, unpack_of_a_part_gives_the_whole_records_in_it)
{
	static struct unpacked out;
	char block[4096];
	size_t one = pack(&full, EVERYTHING, block, sizeof(block));

	(void)pack(&full, EVERYTHING, block + one, sizeof(block) - one);
	for (size_t n = 0; n <= 2 * one; n++) {
		char *exact = malloc(n + 1); /* the sanitizer sees overruns */

		memcpy(exact, block, n);
		cr_assert_eq(unpack_records(&out, exact, n, "t", 0),
		    n / one * one, "%zu bytes", n);
		cr_assert_eq(out.count, n / one);
		free(exact);
	}
	unpacked_fini(&out);
}

Test(pack, unpack_of_many_gives_them_in_full_batches)
{
	static struct unpacked out;
	enum { MANY = UNPACK_RECORDS * 2 + 3 };
	size_t one = pack(&full, EVERYTHING, NULL, 0), at = 0, seen = 0;
	char *block = malloc(MANY * one);

	for (size_t i = 0; i < MANY; i++) {
		struct secor_message m = full;

		m.offset = (int64_t)i;
		(void)pack(&m, EVERYTHING, block + i * one, one);
	}
	while (seen < MANY) {
		at += unpack_records(&out, block + at, MANY * one - at, "t", 0);
		cr_assert_gt(out.count, 0);
		for (size_t i = 0; i < out.count; i++, seen++) {
			const struct secor_message *m = out.records[i].message;

			cr_assert_eq(m->offset, (int64_t)seen);
			cr_assert_str_eq(m->headers[2].name, "empty");
		}
	}
	cr_assert_eq(at, MANY * one);
	free(block);
	unpacked_fini(&out);
}
