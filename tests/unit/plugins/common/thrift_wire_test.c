/*
 * thrift_wire_test.c -- Thrift's binary protocol against bytes written down
 * from its specification, and against bytes that are none.
 */
#include "plugins/common/thrift_wire.h"

#include <criterion/criterion.h>

#define BYTES(text)                    \
	(struct secor_bytes)           \
	{                              \
		text, sizeof(text) - 1 \
	}

static void
expect(struct text *text, struct secor_bytes want)
{
	cr_assert_not(text->failed);
	cr_assert_eq(text->len, want.len);
	cr_assert_eq(memcmp(text->ptr, want.ptr, want.len), 0);
	text_fini(text);
}

Test(thrift_wire, call_is_written_as_the_protocol_has_it)
{
	struct text text = {0};

	thrift_put_call(&text, "get", 258);
	thrift_put_string_field(&text, 1, "db");
	thrift_put_field(&text, THRIFT_LIST, 3);
	thrift_put_list(&text, THRIFT_STRING, 2);
	thrift_put_string(&text, "");
	thrift_put_bytes(&text, "a\0b", 3);
	thrift_put_field(&text, THRIFT_MAP, 256);
	thrift_put_map(&text, 1);
	thrift_put_string(&text, "k");
	thrift_put_string(&text, "v");
	thrift_put_field(&text, THRIFT_BOOL, 5);
	thrift_put_bool(&text, 7);
	thrift_put_field(&text, THRIFT_I32, 6);
	thrift_put_i32(&text, -1);
	thrift_put_stop(&text);
	expect(&text, BYTES("\x80\1\0\1\0\0\0\3"
			    "get\0\0\1\2"
			    "\x0b\0\1\0\0\0\2"
			    "db"
			    "\x0f\0\3\x0b\0\0\0\2\0\0\0\0\0\0\0\3"
			    "a\0b"
			    "\x0d\1\0\x0b\x0b\0\0\0\1\0\0\0\1k\0\0\0\1v"
			    "\2\0\5\1"
			    "\x08\0\6\xff\xff\xff\xff\0"));
}

Test(thrift_wire, string_over_the_limit_is_not_written)
{
	struct text text = {0};

	thrift_put_bytes(&text, "", (size_t)THRIFT_MOST + 1);
	cr_assert(text.failed);
	text_fini(&text);
}

/* A reply with a value of each type there is. */
#define EVERY                                         \
	"\x80\1\0\2\0\0\0\1m\0\0\0\7"                 \
	"\2\0\1\1"                                    \
	"\3\0\2\xff"                                  \
	"\4\0\3\x3f\xf0\0\0\0\0\0\0"                  \
	"\6\0\4\0\2"                                  \
	"\x08\0\5\0\0\0\3"                            \
	"\x0a\0\6\0\0\0\0\0\0\0\4"                    \
	"\x0b\0\7\0\0\0\2hi"                          \
	"\x0c\0\x08\x0b\0\1\0\0\0\1x\0"               \
	"\x0d\0\x09\x0b\x08\0\0\0\1\0\0\0\1k\0\0\0\1" \
	"\x0e\0\x0a\3\0\0\0\2\1\2"                    \
	"\x0f\xff\xff\x0c\0\0\0\2\0\2\0\1\0\0"        \
	"\0"

Test(thrift_wire, message_with_every_type_is_read_to_its_end)
{
	static const int types[] = {2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15};
	struct secor_bytes bytes = BYTES(EVERY);
	struct thrift_message message;
	struct thrift_field field;
	struct wire body, value;
	struct secor_bytes text;
	size_t n = 0;

	cr_assert_eq(thrift_message(bytes, &message), THRIFT_WHOLE);
	cr_assert_eq(message.kind, THRIFT_REPLY);
	cr_assert_eq(message.sequence, 7);
	cr_assert_eq(message.length, bytes.len);
	cr_assert(message.method.len == 1 && *message.method.ptr == 'm');
	for (body = message.body; thrift_next(&body, &field); n++) {
		cr_assert_eq(field.type, types[n]);
		cr_assert_eq(field.id, n == 10 ? -1 : (int)n + 1);
		cr_assert_eq(field.value.at - field.whole.at, 3);
		cr_assert_eq(field.value.end, field.whole.end);
	}
	cr_assert_eq(n, 11);
	cr_assert_eq(wire_left(&body), 1);
	cr_assert(thrift_find(message.body, 7, THRIFT_STRING, &value));
	cr_assert(thrift_bytes(&value, &text));
	cr_assert(text.len == 2 && memcmp(text.ptr, "hi", 2) == 0);
	cr_assert_not(thrift_find(message.body, 7, THRIFT_LIST, &value));
	cr_assert_not(thrift_find(message.body, 70, THRIFT_STRING, &value));
}

Test(thrift_wire, message_that_is_cut_anywhere_wants_more)
{
	struct secor_bytes bytes = BYTES(EVERY);
	struct thrift_message message;

	for (size_t n = 0; n < bytes.len; n++)
		cr_assert_eq(thrift_message(
				 (struct secor_bytes){bytes.ptr, n}, &message),
		    THRIFT_SHORT, "%zu bytes", n);
}

Test(thrift_wire, what_is_no_message_is_bad)
{
	static const struct {
		const char *what;
		struct secor_bytes bytes;
	} rows[] = {
#define HEAD "\x80\1\0\2\0\0\0\1m\0\0\0\7"
	    {"no version", {"\0\0\0\1m\2\0\0\0\1\0", 11}},
	    {"another version", {"\x80\2\0\2\0\0\0\1m\0\0\0\7\0", 14}},
	    {"HTTP", {"HTTP/1.1 400 Bad", 16}},
	    {"TLS alert", {"\x15\3\1\0\2\2\x28", 7}},
	    {"long name", {"\x80\1\0\2\x7f\xff\xff\xff", 8}},
	    {"negative name", {"\x80\1\0\2\xff\xff\xff\xff", 8}},
	    {"no type 1", {HEAD "\1\0\1\0\0", 18}},
	    {"no type 16", {HEAD "\x10\0\1\0\0", 18}},
	    {"negative string", {HEAD "\x0b\0\1\x80\0\0\0", 20}},
	    {"long list", {HEAD "\x0f\0\1\2\1\0\0\1", 21}},
	    {"list of no type", {HEAD "\x0f\0\1\0\0\0\0\1", 21}},
	    {"map of no type", {HEAD "\x0d\0\1\x0b\5\0\0\0\1\0\0\0\0", 26}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct thrift_message message;

		cr_assert_eq(thrift_message(rows[i].bytes, &message),
		    THRIFT_BAD, "%s", rows[i].what);
	}
}

Test(thrift_wire, depth_has_an_end)
{
	struct text text = {0};
	struct wire wire;

	for (int depth = 1; depth <= 100000; depth *= 10) {
		text_fini(&text);
		for (int i = 0; i < depth; i++)
			thrift_put_field(&text, THRIFT_STRUCT, 1);
		for (int i = 0; i <= depth; i++)
			thrift_put_stop(&text);
		wire = wire_of((struct secor_bytes){text.ptr, text.len});
		cr_assert_eq(thrift_skip(&wire, THRIFT_STRUCT),
		    depth < THRIFT_DEEPEST ? THRIFT_WHOLE : THRIFT_BAD);
	}
	text_fini(&text);
}

Test(thrift_wire, list_and_map_of_other_types_are_refused)
{
	struct wire list = wire_of(BYTES("\x0b\0\0\0\1"));
	struct wire none = wire_of(BYTES("\x0b\0\0\0\0"));
	struct wire map = wire_of(BYTES("\x0b\x08\0\0\0\1"));
	struct wire cut = wire_of(BYTES("\x0b"));
	uint32_t n;

	cr_assert_not(thrift_list(&list, THRIFT_STRUCT, &n));
	cr_assert(thrift_list(&none, THRIFT_STRUCT, &n) && n == 0);
	cr_assert_not(thrift_map(&map, &n));
	cr_assert_not(thrift_map(&cut, &n));
}
