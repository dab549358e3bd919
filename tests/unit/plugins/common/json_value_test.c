/*
 * json_value_test.c -- what is a JSON value, of any kind and with anything
 * behind it.
 */
#include "plugins/common/json_value.h"
#include "plugins/common/utf8.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

Test(json_value, text_is_judged_as_rfc_8259_does)
{
	static const struct {
		const char *text;
		int is;
	} rows[] = {{"{}", 1}, {"[]", 1}, {" [ ] ", 1}, {"null", 1},
	    {"true", 1}, {"false", 1}, {"0", 1}, {"-0", 1}, {"-12.5e+10", 1},
	    {"1E9", 1}, {"\"\"", 1}, {"\"a\\u00e9\\n\"", 1},
	    {"{\"a\":[1,{\"b\":null}],\"c\":\"}\"}", 1},
	    {"[[[[1]]],[{}]]\n", 1}, {"123456789012345678901234567890", 1},
	    {"", 0}, {" ", 0}, {"nul", 0}, {"nulll", 0}, {"01", 0}, {"1.", 0},
	    {".5", 0}, {"-", 0}, {"1e", 0}, {"1e+", 0}, {"+1", 0}, {"NaN", 0},
	    {"\"", 0}, {"\"\\", 0}, {"\"\\x\"", 0}, {"\"\\u12\"", 0},
	    {"\"\n\"", 0}, {"{", 0}, {"[", 0}, {"}", 0}, {"{]", 0}, {"[}", 0},
	    {"[1", 0}, {"[1,", 0}, {"[1,]", 0}, {"[,1]", 0}, {"[1 2]", 0},
	    {"{\"a\"}", 0}, {"{\"a\":}", 0}, {"{\"a\":1,}", 0}, {"{a:1}", 0},
	    {"{'a':1}", 0}, {"{\"a\" 1}", 0}, {"{} {}", 0}, {"{\"a\":1", 0},
	    {"\xef\xbb\xbf{}", 0}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* Of its own size, so that a sanitizer sees the end. */
		size_t len = strlen(rows[i].text);
		char *copy = malloc(len + (len == 0));

		memcpy(copy, rows[i].text, len);
		cr_assert_eq(
		    json_value_is(copy, len), rows[i].is, "%s", rows[i].text);
		free(copy);
	}
}

Test(json_value, nesting_has_a_limit)
{
	char *deep = malloc(2 * JSON_VALUE_DEPTH + 2);

	memset(deep, '[', JSON_VALUE_DEPTH + 1);
	memset(deep + JSON_VALUE_DEPTH + 1, ']', JSON_VALUE_DEPTH + 1);
	cr_assert(json_value_is(deep + 1, 2 * JSON_VALUE_DEPTH));
	cr_assert_not(json_value_is(deep, 2 * JSON_VALUE_DEPTH + 2));
	free(deep);
}

Test(json_value, end_of_a_value_is_behind_it)
{
	const char *text = "[1,\"]\"] rest";

	cr_assert_eq(json_value_end(text, text + strlen(text)), text + 7);
}

Test(utf8, bytes_are_judged_as_rfc_3629_does)
{
	static const struct {
		const char *bytes;
		size_t len;
		int are;
	} rows[] = {{"", 0, 1}, {"plain text that is longer", 25, 1},
	    {"a\0b", 3, 1}, {"\xc3\xa9", 2, 1}, {"\xe2\x82\xac", 3, 1},
	    {"\xf0\x9f\x98\x80", 4, 1}, {"\xf4\x8f\xbf\xbf", 4, 1},
	    {"12345678\xc3\xa9", 10, 1}, {"\xc3", 1, 0}, {"\x80", 1, 0},
	    {"\xc0\x80", 2, 0}, {"\xc1\xbf", 2, 0}, {"\xe0\x80\x80", 3, 0},
	    {"\xed\xa0\x80", 3, 0}, {"\xf4\x90\x80\x80", 4, 0},
	    {"\xf8\x88\x80\x80\x80", 5, 0}, {"\xe2\x82", 2, 0},
	    {"\xe2\x82"
	     "a",
		3, 0},
	    {"12345678\xff", 9, 0}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(utf8_are(rows[i].bytes, rows[i].len), rows[i].are,
		    "row %zu", i);
}
