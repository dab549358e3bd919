/*
 * message_test.c -- what is kept of a message outlives its reader's buffer.
 */
#include "core/flow/message.h"

#include <criterion/criterion.h>
#include <string.h>

static char bytes[] = "keyvalueheaders";

static struct message
of_own_readers(void)
{
	struct message message = {.header_count = 2,
	    .headers = bytes + 8,
	    .headers_end = bytes + 15,
	    .raw = {.offset = 7,
		.timestamp_ms = 11,
		.timestamp_type = SECOR_TIMESTAMP_APPEND,
		.key = {bytes, 3},
		.value = {bytes + 3, 5}}};

	return message;
}

Test(message, keep_copies_the_bytes)
{
	struct message message = of_own_readers();
	struct message *kept = message_keep(&message);

	memset(bytes, '-', sizeof(bytes) - 1);
	cr_assert_eq(kept->raw.key.len, 3);
	cr_assert_eq(memcmp(kept->raw.key.ptr, "key", 3), 0);
	cr_assert_eq(kept->raw.value.len, 5);
	cr_assert_eq(memcmp(kept->raw.value.ptr, "value", 5), 0);
	cr_assert_eq(kept->headers_end - kept->headers, 7);
	cr_assert_eq(memcmp(kept->headers, "headers", 7), 0);
	cr_assert_eq(kept->header_count, 2);
	cr_assert_eq(kept->raw.offset, 7);
	cr_assert_eq(kept->raw.timestamp_ms, 11);
	cr_assert_eq(kept->raw.timestamp_type, SECOR_TIMESTAMP_APPEND);
	message_free(kept);
}

Test(message, keep_tells_null_from_empty)
{
	struct message message = of_own_readers(), *kept;

	message.raw.key.ptr = NULL;
	message.raw.key.len = 0;
	message.raw.value.len = 0;
	message.headers = message.headers_end = NULL;
	message.header_count = 0;
	kept = message_keep(&message);
	cr_assert_null(kept->raw.key.ptr);
	cr_assert_not_null(kept->raw.value.ptr);
	cr_assert_eq(kept->raw.value.len, 0);
	cr_assert_eq(kept->headers, kept->headers_end);
	message_free(kept);
}
