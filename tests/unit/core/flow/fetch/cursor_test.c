/*
 * cursor_test.c -- core/flow/fetch/batches, record by record.
 */
#include "core/flow/fetch/batches.h"
#include "tests/unit/core/flow/fetch/batch_make.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Read from memory of exactly that size, so that asan sees what is beyond. */
static struct span
span_of(const struct buf *records, int32_t count)
{
	struct span span = {.records = mem_dup(records->ptr, records->len),
	    .len = records->len,
	    .count = count,
	    .last_delta = 99,
	    .base_offset = 500,
	    .from = 500,
	    .base_timestamp_ms = 1000,
	    .max_timestamp_ms = 7777};

	span.records = realloc((char *)(uintptr_t)span.records,
	    records->len > 0 ? records->len : 1);
	return span;
}

static void
let_go(const struct span *span)
{
	free((char *)(uintptr_t)span->records);
}

/* How the records end: 0 or -1, after `good` of them. */
static int
walk(const struct span *span, int *good)
{
	struct cursor cursor;
	struct message message;
	int rc;

	cursor_begin(&cursor, span);
	*good = 0;
	while ((rc = cursor_next(&cursor, &message)) == 1)
		++*good;
	cr_assert_eq(cursor_next(&cursor, &message), rc);
	return rc;
}

Test(cursor, begins_in_the_middle_where_that_was_asked_for)
{
	struct buf records = {0};
	struct cursor cursor;
	struct message message;
	struct span span;

	record_put(&records, 0, 0, "k", "a");
	record_put(&records, 4, 1, "k", "b");
	record_put(&records, 5, 2, "k", "c");
	span = span_of(&records, 3);
	span.from = 502;
	cursor_begin(&cursor, &span);
	cr_assert_eq(cursor_next(&cursor, &message), 1);
	cr_assert_eq(message.raw.offset, 504);
	cr_assert_eq(message.raw.timestamp_ms, 1001);
	cr_assert_eq(*message.raw.value.ptr, 'b');
	span.from = 505;
	cursor_begin(&cursor, &span);
	cr_assert_eq(cursor_next(&cursor, &message), 1);
	cr_assert_eq(message.raw.offset, 505);
	cr_assert_eq(cursor_next(&cursor, &message), 0);
	span.from = 506;
	cursor_begin(&cursor, &span);
	cr_assert_eq(cursor_next(&cursor, &message), 0);
	let_go(&span);
	buf_fini(&records);
}

Test(cursor, times_are_as_librdkafka_tells_them)
{
	struct buf records = {0};
	struct cursor cursor;
	struct message message;
	struct span span;

	record_put(&records, 0, -1001, NULL, NULL);
	record_put(&records, 1, INT64_MAX, NULL, NULL); /* wraps */
	record_put(&records, 2, -1000, NULL, NULL);
	span = span_of(&records, 3);
	cursor_begin(&cursor, &span);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(cursor_next(&cursor, &message), 1);
		cr_assert_eq(message.raw.timestamp_ms, SECOR_NO_TIME);
		cr_assert_eq(
		    message.raw.timestamp_type, SECOR_TIMESTAMP_CREATE);
	}
	cr_assert_eq(cursor_next(&cursor, &message), 1);
	cr_assert_eq(message.raw.timestamp_ms, 0);
	span.log_append = 1;
	cursor_begin(&cursor, &span);
	cr_assert_eq(cursor_next(&cursor, &message), 1);
	cr_assert_eq(message.raw.timestamp_ms, 7777);
	cr_assert_eq(message.raw.timestamp_type, SECOR_TIMESTAMP_APPEND);
	let_go(&span);
	buf_fini(&records);
}

Test(cursor, record_that_says_it_was_appended_is_as_librdkafka_tells_it)
{
	struct buf records = {0};
	struct cursor cursor;
	struct message message;
	struct span span;

	record_put(&records, 0, 5, NULL, NULL);
	records.ptr[1] |= 0x08; /* its attributes, behind its length */
	span = span_of(&records, 1);
	cursor_begin(&cursor, &span);
	cr_assert_eq(cursor_next(&cursor, &message), 1);
	cr_expect_eq(message.raw.timestamp_ms, 7777);
	cr_expect_eq(message.raw.timestamp_type, SECOR_TIMESTAMP_APPEND);
	let_go(&span);
	buf_fini(&records);
}

/* More than librdkafka reads: to both they are damaged. */
Test(cursor, headers_without_number_are_damaged)
{
	enum { MOST = 100000 };
	struct message message = {.header_count = MOST};
	struct secor_header *list = mem_alloc((MOST + 1) * sizeof(*list));
	struct buf bytes = {0}, names = {0};

	for (int i = 0; i <= MOST; i++) {
		buf_putc(&bytes, 0);	/* an empty name */
		buf_putc(&bytes, 0x01); /* null */
	}
	message.headers = bytes.ptr;
	message.headers_end = bytes.ptr + 2 * MOST;
	cr_expect_eq(message_headers(&message, list, &names), MOST);
	message.headers_end += 2;
	message.header_count++;
	names.len = 0;
	cr_expect_eq(message_headers(&message, list, &names), -1);
	buf_fini(&bytes);
	buf_fini(&names);
	free(list);
}

/* A record of these bytes behind a good one, alone and with more behind it. */
static const struct {
	const char *name, *bytes;
	size_t len;
} damages[] = {
#define RECORD(name, text)                   \
	{                                    \
		name, text, sizeof(text) - 1 \
	}
    RECORD("negative length", "\x01"),
    RECORD("length 0", "\x00"),
    RECORD("length beyond the end", "\x10\0\0\2\1\1\0"),
    RECORD("length of five bytes", "\xfe\xff\xff\xff\x0f\0\0\2\1\1\0"),
    RECORD("length of eleven bytes",
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0\0\2\1\1\0"),
    RECORD("length that does not end", "\xff\xff\xff"),
    RECORD("time of 65 bits",
	"\x1e\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\2\1\1\0"),
    RECORD("attributes alone", "\x02\0"),
    RECORD("no offset", "\x04\0\0"),
    RECORD("offset that was there", "\x0c\0\0\0\1\1\0"),
    RECORD("negative offset", "\x0c\0\0\1\1\1\0"),
    RECORD("offset beyond the batch", "\x0e\0\0\xc8\x01\1\1\0"),
    RECORD("offset of an int64", "\x18\0\0\x82\x80\x80\x80\x20\1\1\0\0\0"),
    RECORD("key of -2 bytes", "\x0c\0\0\2\3\1\0"),
    RECORD("key beyond the record", "\x0c\0\0\2\6\1\0"),
    RECORD("value of -2 bytes", "\x0c\0\0\2\1\3\0"),
    RECORD("value beyond the record", "\x0c\0\0\2\1\4\0"),
    RECORD("absurd value", "\x14\0\0\2\1\xfe\xff\xff\xff\x0f\0"),
    RECORD("no headers", "\x0a\0\0\2\1\1"),
    RECORD("negative count of headers", "\x0c\0\0\2\1\1\1"),
    RECORD("more headers than bytes", "\x0e\0\0\2\1\1\2\0"),
    RECORD("bytes behind it", "\x0e\0\0\2\1\1\0\0"),
};

Test(cursor, damaged_record_is_told_and_nothing_behind_it_given)
{
	static const char tail[] = "\x0c\0\0\4\1\1\0";

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		for (size_t more = 0; more < sizeof(tail); more += 7) {
			struct buf records = {0};
			struct span span;
			int good;

			record_put(&records, 0, 0, "k", "v");
			buf_put(&records, damages[i].bytes, damages[i].len);
			buf_put(&records, tail, more);
			span = span_of(&records, more == 0 ? 2 : 3);
			/* with more behind it, a length that was too much may
			 * be one that is there, and holds other things */
			cr_assert_eq(
			    walk(&span, &good), -1, "%s", damages[i].name);
			cr_assert_eq(good, 1, "%s", damages[i].name);
			let_go(&span);
			buf_fini(&records);
		}
	}
}

Test(cursor, fewer_or_more_records_than_said_are_damage)
{
	struct buf records = {0};
	struct span span;
	int good;

	record_put(&records, 0, 0, "k", "v");
	record_put(&records, 1, 0, "k", "v");
	for (int count = 0; count < 4; count++) {
		span = span_of(&records, count);
		cr_assert_eq(walk(&span, &good), count == 2 ? 0 : -1);
		cr_assert_eq(good, count < 2 ? count : 2);
		let_go(&span);
	}
	buf_fini(&records);
}

Test(cursor, every_length_of_varint_is_read)
{
	struct buf records = {0}, value = {0};
	struct cursor cursor;
	struct message message;
	struct span span;
	size_t len = 0;

	buf_reserve(&value, 3 << 20);
	memset(value.ptr, 'x', 3 << 20);
	for (int i = 0; i < 22; i++, len = 2 * len + 1) {
		value.ptr[len] = '\0';
		record_put(&records, i,
		    (i % 2 ? -1 : 1) * ((INT64_C(1) << 2 * i) - 1), value.ptr,
		    NULL);
		value.ptr[len] = 'x';
	}
	span = span_of(&records, 22);
	span.base_timestamp_ms = INT64_C(1) << 45;
	cursor_begin(&cursor, &span);
	len = 0;
	for (int i = 0; i < 22; i++, len = 2 * len + 1) {
		cr_assert_eq(cursor_next(&cursor, &message), 1);
		cr_assert_eq(message.raw.key.len, len);
		cr_assert_eq(message.raw.timestamp_ms,
		    span.base_timestamp_ms +
			(i % 2 ? -1 : 1) * ((INT64_C(1) << 2 * i) - 1));
	}
	cr_assert_eq(cursor_next(&cursor, &message), 0);
	let_go(&span);
	buf_fini(&records);
	buf_fini(&value);
}

/* ---- headers ---- */

static int
headers_of(const char *bytes, size_t len, int32_t count)
{
	char *exact = mem_dup(bytes, len);
	struct secor_header list[4];
	struct buf names = {0};
	struct message message = {.headers = exact,
	    .headers_end = exact + len,
	    .header_count = count};
	int rc = message_headers(&message, list, &names);

	buf_fini(&names);
	free(exact);
	return rc;
}

Test(cursor, damaged_headers_are_told)
{
	cr_assert_eq(headers_of("", 0, 0), 0);
	cr_assert_eq(headers_of("\2a\2b", 4, 1), 1);
	cr_assert_eq(headers_of("\2a\2b\0\1", 6, 2), 2);
	cr_assert_eq(headers_of("\2a\2b\0\1", 6, 1), -1); /* one too many */
	cr_assert_eq(headers_of("\2a\2b", 4, 2), -1);
	cr_assert_eq(headers_of("\1\2b", 3, 1), -1); /* a name of null */
	cr_assert_eq(headers_of("\2a\4b", 4, 1), -1);
	cr_assert_eq(headers_of("\4a", 2, 1), -1);
	cr_assert_eq(headers_of("\2a\3", 3, 1), -1);
	cr_assert_eq(headers_of("\2a", 2, 1), -1);
	cr_assert_eq(headers_of("\xff\xff\xff\xff\x0f", 5, 1), -1);
}

Test(cursor, names_of_headers_stay_where_they_are)
{
	struct buf bytes = {0}, names = {0};
	struct secor_header list[200];
	struct message message = {.header_count = 200};

	for (int i = 0; i < 200; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%d", i);
		varint_put(&bytes, (int64_t)strlen(name));
		buf_puts(&bytes, name);
		varint_put(&bytes, -1);
	}
	message.headers = bytes.ptr;
	message.headers_end = bytes.ptr + bytes.len;
	cr_assert_eq(message_headers(&message, list, &names), 200);
	cr_assert_str_eq(list[0].name, "n0");
	cr_assert_str_eq(list[199].name, "n199");
	cr_assert_null(list[0].value.ptr);
	buf_fini(&bytes);
	buf_fini(&names);
}
