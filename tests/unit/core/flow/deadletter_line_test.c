/*
 * deadletter_line_test.c -- a line is the message that it was, with nothing
 * lost, and nothing else is taken for one.
 */
#include "core/flow/deadletter_line.h"

#include "core/flow/deadletter.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(text)                     \
	(struct secor_bytes)            \
	{                               \
		text, sizeof(text) - 1u \
	}

static char *
line_of(const struct secor_message *message, size_t *len)
{
	const struct secor_format_ops *ops =
	    deadletter_format.plugin->ops.format;
	struct secor_bytes fields[] = {BYTES("why"), BYTES("json")};
	struct secor_record record = {.size = sizeof(record),
	    .field_count = 2,
	    .message = message,
	    .time_ms = SECOR_NO_TIME,
	    .fields = fields};
	char *line = mem_alloc(4096);

	cr_assert_eq(
	    ops->encode(NULL, &record, line, 4096, len, NULL), SECOR_OK);
	cr_assert_eq(line[--*len], '\n');
	return line;
}

Test(deadletter_line, parse_gives_the_whole_message)
{
	const struct secor_header headers[] = {{"trace", BYTES("\x01\x00")},
	    {"null", {NULL, 0}}, {"\xff", BYTES("")}, {"", BYTES("x")}};
	const struct secor_message message = {.size = sizeof(message),
	    .partition = 3,
	    .topic = "logs",
	    .offset = 9007199254740993,
	    .timestamp_ms = 1700000000123,
	    .timestamp_type = SECOR_TIMESTAMP_APPEND,
	    .header_count = 4,
	    .headers = headers,
	    .key = {NULL, 0},
	    .value = BYTES("\0\xff\n")};
	struct deadletter letter = {0};
	const struct secor_message *m = &letter.message;
	size_t len;
	char *line = line_of(&message, &len);

	for (int again = 0; again < 2; again++) {
		cr_assert(deadletter_parse(&letter, line, len));
		cr_assert_str_eq(m->topic, "logs");
		cr_assert_eq(m->partition, 3);
		cr_assert_eq(m->offset, message.offset);
		cr_assert_eq(m->timestamp_ms, message.timestamp_ms);
		cr_assert_eq(m->timestamp_type, SECOR_TIMESTAMP_APPEND);
		cr_assert_null(m->key.ptr);
		cr_assert_eq(m->value.len, 3);
		cr_assert_eq(memcmp(m->value.ptr, "\0\xff\n", 3), 0);
		cr_assert_eq(m->header_count, 4);
		for (int i = 0; i < 4; i++) {
			cr_assert_str_eq(m->headers[i].name, headers[i].name);
			cr_assert_eq(
			    m->headers[i].value.len, headers[i].value.len);
			cr_assert_eq(m->headers[i].value.ptr == NULL, i == 1);
		}
		cr_assert_str_eq(letter.reason, "why");
	}
	deadletter_fini(&letter);
	free(line);
}

Test(deadletter_line, parse_takes_no_time_and_no_headers)
{
	static const char line[] = "{\"offset\":7,\"timestamp\":null,"
				   "\"key\":\"\",\"value\":null}";
	struct deadletter letter = {0};

	cr_assert(deadletter_parse(&letter, line, sizeof(line) - 1));
	cr_assert_eq(letter.message.offset, 7);
	cr_assert_eq(letter.message.timestamp_ms, SECOR_NO_TIME);
	cr_assert_eq(letter.message.partition, -1);
	cr_assert_str_eq(letter.message.topic, "");
	cr_assert_not_null(letter.message.key.ptr);
	cr_assert_eq(letter.message.key.len, 0);
	cr_assert_null(letter.message.value.ptr);
	cr_assert_eq(letter.message.header_count, 0);
	deadletter_fini(&letter);
}

Test(deadletter_line, parse_of_anything_else_fails)
{
#define LETTER(more) \
	"{\"offset\":1,\"timestamp\":1,\"key\":null,\"value\":null" more "}"
	static const char *const bad[] = {"", "[]", "{}", "{\"offset\":1}",
	    "{\"offset\":-1,\"timestamp\":1,\"key\":null,\"value\":null}",
	    "{\"offset\":1,\"timestamp\":1,\"key\":\"*\",\"value\":null}",
	    LETTER(",\"partition\":-1"), LETTER(",\"partition\":2147483648"),
	    LETTER(",\"partition\":\"0\""), LETTER(",\"topic\":1"),
	    LETTER(",\"headers\":1"), LETTER(",\"headers\":[1]"),
	    LETTER(",\"headers\":[{\"name\":\"a\"}]"),
	    LETTER(",\"headers\":[{\"name\":\"a\\u0000\",\"value\":null}]"),
	    LETTER(",\"headers\":[{\"name_base64\":null,\"value\":null}]")};
	struct deadletter letter = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(deadletter_parse(&letter, bad[i], strlen(bad[i])),
		    "%s", bad[i]);
	deadletter_fini(&letter);
}
