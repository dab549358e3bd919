/*
 * avro_walk_test.c -- data that end where their schema says, or are refused.
 */
#include "plugins/common/avro_walk.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static struct avro_schema *
parsed(const char *text)
{
	struct avro_schema *schema = NULL;
	struct secor_err err = {""};

	cr_assert_eq(avro_schema_new(&text, 1, &schema, &err), SECOR_OK,
	    "%s: %s", text, err.text);
	return schema;
}

#define LIST                                                           \
	"{\"type\":\"record\",\"name\":\"n.L\",\"fields\":[{\"name\":" \
	"\"next\",\"type\":[\"null\",\"L\"]}]}"
Test(avro_walk, datum_ends_where_its_schema_says)
{
	static const struct {
		const char *schema, *bytes;
		size_t len, used;
	} rows[] = {{"\"null\"", "x", 1, 0}, {"\"boolean\"", "\1x", 2, 1},
	    {"\"int\"", "\xff\xff\xff\xff\x0f", 5, 5},
	    {"\"long\"", "\x80\1x", 3, 2}, {"\"float\"", "12345", 5, 4},
	    {"\"double\"", "123456789", 9, 8},
	    {"\"bytes\"", "\4\xff\xfez", 4, 3},
	    {"{\"type\":\"string\"}", "\4\xc3\xa9", 3, 3},
	    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}", "abcd", 4, 3},
	    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a\",\"b\"]}",
		"\2", 1, 1},
	    {"{\"type\":\"array\",\"items\":\"int\"}", "\4\2\4\2\6\0x", 7, 6},
	    {"{\"type\":\"array\",\"items\":\"int\"}", "\3\4\2\4\0", 5, 5},
	    {"{\"type\":\"map\",\"values\":\"int\"}", "\2\2k\2\0", 5, 5},
	    {"[\"null\",\"string\"]", "\2\2a", 3, 3},
	    {"[\"null\",\"string\"]", "\0a", 2, 1}, {LIST, "\2\2\2\0", 4, 4},
	    {"{\"type\":\"array\",\"items\":\"null\"}", "\x80\x80\2\0", 4, 4}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct avro_schema *schema = parsed(rows[i].schema);
		size_t used = 99;
		const char *wrong =
		    avro_datum_len(schema, rows[i].bytes, rows[i].len, &used);

		cr_assert_null(wrong, "row %zu: %s", i, wrong);
		cr_assert_eq(used, rows[i].used, "row %zu: %zu", i, used);
		avro_schema_free(schema);
	}
}

Test(avro_walk, bytes_that_are_no_datum_are_refused)
{
	static const struct {
		const char *schema, *bytes;
		size_t len;
		const char *wrong;
	} rows[] = {{"\"boolean\"", "\2", 1, "a boolean that is neither"},
	    {"\"boolean\"", "", 0, "it ends too early"},
	    {"\"int\"", "\x80\x80\x80\x80\x10", 5,
		"an int of more than 32 bits"},
	    {"\"long\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 10,
		"a number that is too long"},
	    {"\"long\"", "\x80", 1, "it ends too early"},
	    {"\"bytes\"", "\1", 1, "a length below zero"},
	    {"\"bytes\"", "\4a", 2, "it ends too early"},
	    {"\"string\"", "\2\xff", 2, "a string that is not UTF-8"},
	    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a\"]}", "\2", 1,
		"a symbol that its enum does not have"},
	    {"[\"null\"]", "\2", 1, "a branch that its union does not have"},
	    {"{\"type\":\"array\",\"items\":\"int\"}", "\3\6\2\4\0", 5,
		"a block of another length"},
	    {"{\"type\":\"array\",\"items\":\"int\"}",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0", 11,
		"a block that is none"},
	    {"{\"type\":\"array\",\"items\":\"null\"}",
		"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1\0", 11,
		"more items than there can be"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct avro_schema *schema = parsed(rows[i].schema);
		size_t used;
		const char *wrong =
		    avro_datum_len(schema, rows[i].bytes, rows[i].len, &used);

		cr_assert_not_null(wrong, "row %zu", i);
		cr_assert_str_eq(wrong, rows[i].wrong);
		avro_schema_free(schema);
	}
}

Test(avro_walk, longs_come_back)
{
	static const int64_t values[] = {
	    0, -1, 1, 63, -64, 64, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char bytes[AVRO_LONG_MAX];
		size_t n = avro_long_put(bytes, values[i]);
		int64_t value = 5;

		cr_assert_eq(avro_long_get(bytes, n, &value), n);
		cr_assert_eq(value, values[i]);
		cr_assert_eq(avro_long_get(bytes, n - 1, &value), 0);
	}
}
