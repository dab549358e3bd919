/*
 * deadletter_test.c -- what was a bad message comes back whole.
 */
#include "core/flow/deadletter.h"

#include "core/base/buf.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct secor_format_ops *
ops(void)
{
	return deadletter_format.plugin->ops.format;
}

#define BYTES(text)                     \
	(struct secor_bytes)            \
	{                               \
		text, sizeof(text) - 1u \
	}

/* Encodes as the engine does: once with too little room. */
static char *
encode(const struct secor_message *message, const char *reason, size_t *len)
{
	struct secor_bytes fields[] = {{reason, strlen(reason)}, BYTES("json")};
	struct secor_record record = {.size = sizeof(record),
	    .field_count = 2,
	    .message = message,
	    .time_ms = SECOR_NO_TIME,
	    .fields = fields};
	char small[8] = "xxxxxxx";
	size_t used;
	void *self;
	char *line;

	cr_assert_eq(ops()->open(NULL, &self, NULL), SECOR_OK);
	cr_assert_eq(
	    ops()->encode(self, &record, small, 7, len, NULL), SECOR_OK);
	cr_assert_gt(*len, 7);
	cr_assert_str_eq(small, "xxxxxxx");
	line = mem_alloc(*len + 1);
	cr_assert_eq(
	    ops()->encode(self, &record, line, *len, &used, NULL), SECOR_OK);
	cr_assert_eq(used, *len);
	ops()->close(self);
	return line;
}

Test(deadletter, encode_a_full_message_writes_every_field)
{
	const struct secor_header headers[] = {{"trace", BYTES("\x01\x02")},
	    {"null", {NULL, 0}}, {"\xff", BYTES("")}};
	const struct secor_message message = {.size = sizeof(message),
	    .partition = 3,
	    .topic = "logs",
	    .offset = 9007199254740993,
	    .timestamp_ms = 1700000000123,
	    .timestamp_type = SECOR_TIMESTAMP_APPEND,
	    .header_count = 3,
	    .headers = headers,
	    .key = BYTES("k"),
	    .value = BYTES("{\"a\"")};
	size_t len;
	char *line = encode(&message, "not JSON: \"x\"\n\xff", &len);

	cr_assert_str_eq(line,
	    "{\"topic\":\"logs\",\"partition\":3,\"offset\":9007199254740993,"
	    "\"timestamp\":1700000000123,\"timestamp_type\":\"append\","
	    "\"headers\":[{\"name\":\"trace\",\"value\":\"AQI=\"},"
	    "{\"name\":\"null\",\"value\":null},"
	    "{\"name_base64\":\"/w==\",\"value\":\"\"}],\"key\":\"aw==\","
	    "\"value\":\"eyJhIg==\","
	    "\"reason\":\"not JSON: \\\"x\\\"\\n\xef\xbf\xbd\","
	    "\"plugin\":\"json\"}\n");
	free(line);
}

/* A source that gives at most `step` bytes a call. */
struct pieces {
	struct secor_source source;
	const char *at;
	size_t left, step;
};

static int
pieces_get(struct secor_source *source, void *bytes, size_t room, size_t *got,
    struct secor_err *err)
{
	struct pieces *pieces = (struct pieces *)source;
	size_t n = pieces->step < room ? pieces->step : room;

	(void)err;
	if (n > pieces->left)
		n = pieces->left;
	memcpy(bytes, pieces->at, n);
	pieces->at += n;
	pieces->left -= n;
	*got = n;
	return SECOR_OK;
}

static void *
reader_of(struct pieces *pieces, const char *text, size_t len, size_t step)
{
	void *reader;

	pieces->source.size = sizeof(pieces->source);
	pieces->source.get = pieces_get;
	pieces->at = text;
	pieces->left = len;
	pieces->step = step;
	cr_assert_eq(
	    ops()->read_begin(NULL, &pieces->source, &reader, NULL), SECOR_OK);
	return reader;
}

Test(deadletter, read_back_gives_what_was_encoded)
{
	const struct secor_message null = {.size = sizeof(null),
	    .topic = "t",
	    .offset = 5,
	    .timestamp_ms = SECOR_NO_TIME};
	const struct secor_message full = {.size = sizeof(full),
	    .topic = "t",
	    .offset = 6,
	    .timestamp_ms = 77,
	    .timestamp_type = SECOR_TIMESTAMP_CREATE,
	    .key = BYTES(""),
	    .value = BYTES("\0\xff\n")};
	struct secor_read_record record;
	struct pieces pieces;
	struct buf text = {0};
	size_t len;
	int more;

	for (int i = 0; i < 2; i++) {
		char *line = encode(i == 0 ? &null : &full, "why", &len);

		buf_put(&text, line, len);
		free(line);
	}
	for (size_t step = 1; step < 200; step += 33) {
		void *reader = reader_of(&pieces, text.ptr, text.len, step);

		cr_assert_eq(
		    ops()->read(reader, &record, &more, NULL), SECOR_OK);
		cr_assert(more && record.offset == 5 && !record.has_timestamp);
		cr_assert(record.key.ptr == NULL && record.value.ptr == NULL);
		cr_assert_eq(
		    ops()->read(reader, &record, &more, NULL), SECOR_OK);
		cr_assert(more && record.offset == 6 &&
			  record.timestamp_ms == 77 && record.has_timestamp);
		cr_assert(record.key.ptr != NULL && record.key.len == 0);
		cr_assert_eq(record.value.len, 3);
		cr_assert_eq(memcmp(record.value.ptr, "\0\xff\n", 3), 0);
		cr_assert_str_eq(deadletter_reason(reader), "why");
		cr_assert_eq(
		    ops()->read(reader, &record, &more, NULL), SECOR_OK);
		cr_assert_not(more);
		ops()->read_end(reader);
	}
	buf_fini(&text);
}

Test(deadletter, read_garbage_says_at_which_byte)
{
	static const char text[] =
	    "{\"offset\":1,\"timestamp\":null,\"key\":null,\"value\":null}\n"
	    "{\"offset\":2,\"timestamp\":null,\"key\":\"*\",\"value\":null}\n";
	struct secor_read_record record;
	struct secor_err err;
	struct pieces pieces;
	void *reader = reader_of(&pieces, text, sizeof(text) - 1, 4096);
	int more;

	cr_assert_eq(ops()->read(reader, &record, &more, &err), SECOR_OK);
	cr_assert_eq(ops()->read(reader, &record, &more, &err), SECOR_REJECT);
	cr_assert_str_eq(err.text, "line at byte 54 is not a dead letter");
	ops()->read_end(reader);
}

Test(deadletter, read_a_line_without_end_is_rejected)
{
	struct secor_read_record record;
	struct secor_err err;
	struct pieces pieces;
	void *reader = reader_of(&pieces, "{\"offset\"", 9, 4);
	int more;

	cr_assert_eq(ops()->read(reader, &record, &more, &err), SECOR_REJECT);
	cr_assert_str_eq(err.text, "line at byte 0 has no end");
	ops()->read_end(reader);
}
