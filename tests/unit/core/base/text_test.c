/*
 * text_test.c -- UTF-8, base64, hex and JSON strings against their edges.
 */
#include "core/base/text.h"

#include <criterion/criterion.h>
#include <string.h>

Test(text, utf8_well_formed_is_valid)
{
	static const char *const good[] = {"", "plain", "\xc2\x80", "\xdf\xbf",
	    "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80",
	    "\xf4\x8f\xbf\xbf"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert(utf8_valid(good[i], strlen(good[i])), "row %zu", i);
}

Test(text, utf8_malformed_is_not_valid)
{
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf",
	    "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
	    "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
	    "a\xc2z"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(utf8_valid(bad[i], strlen(bad[i])), "row %zu", i);
}

Test(text, base64_of_rfc4648_goes_both_ways)
{
	static const char *const rows[][2] = {{"", ""}, {"f", "Zg=="},
	    {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf there = {0};
		struct buf back = {0};

		base64_encode(&there, rows[i][0], strlen(rows[i][0]));
		cr_assert_str_eq(there.ptr, rows[i][1]);
		cr_assert(base64_decode(&back, there.ptr, there.len));
		cr_assert_eq(back.len, strlen(rows[i][0]));
		cr_assert_eq(memcmp(back.ptr, rows[i][0], back.len), 0);
		buf_fini(&there);
		buf_fini(&back);
	}
}

Test(text, base64_garbage_leaves_the_buffer)
{
	static const char *const bad[] = {
	    "Z", "Zg=", "Zg", "=Zg=", "Zg==Zg==", "Zm9v*A==", "===="};
	struct buf out = {0};

	buf_puts(&out, "kept");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_not(
		    base64_decode(&out, bad[i], strlen(bad[i])), "row %zu", i);
		cr_assert_eq(out.len, 4);
	}
	buf_fini(&out);
}

Test(text, hex_takes_pairs_of_digits_only)
{
	struct buf out = {0};

	cr_assert(hex_decode(&out, "00fFa5", 6));
	cr_assert_eq(out.len, 3);
	cr_assert_eq(memcmp(out.ptr, "\0\xff\xa5", 3), 0);
	cr_assert_not(hex_decode(&out, "0", 1));
	cr_assert_not(hex_decode(&out, "0g", 2));
	cr_assert_eq(out.len, 3);
	buf_fini(&out);
}

Test(text, json_string_escapes_and_replaces)
{
	struct buf out = {0};

	json_put_string(&out, "a\"\\\n\x01\0\xc3\xa9\xff", 9);
	cr_assert_str_eq(out.ptr, "\"a\\\"\\\\\\n\\u0001\\u0000\xc3\xa9"
				  "\xef\xbf\xbd\"");
	buf_fini(&out);
}
