/*
 * url_test.c -- plugins/common/url and text.
 */
#include "plugins/common/url.h"

#include "plugins/common/text.h"

#include <criterion/criterion.h>
#include <string.h>

Test(url, complaint_of_good_and_bad_addresses)
{
	cr_assert_null(url_complaint("http://h"));
	cr_assert_null(url_complaint("HTTPS://h:1/p?q=a@b"));
	cr_assert_null(url_complaint("http://[::1]:80/"));
	cr_assert_not_null(url_complaint(""));
	cr_assert_not_null(url_complaint("http:/h"));
	cr_assert_not_null(url_complaint("file:///etc/passwd"));
	cr_assert_not_null(url_complaint("http://"));
	cr_assert_not_null(url_complaint("http://?x"));
	cr_assert_not_null(url_complaint("http://a@h"));
	cr_assert_not_null(url_complaint("http://h/\n"));
}

Test(url, header_value_is_one_line)
{
	cr_assert(header_value_is("a b\tc"));
	cr_assert(header_value_is("gr\xc3\xbc"));
	cr_assert(header_value_is(""));
	cr_assert_not(header_value_is("a\rb"));
	cr_assert_not(header_value_is("a\nb"));
	cr_assert_not(header_value_is("\x7f"));
}

Test(text, adding_pieces_of_any_size_keeps_them)
{
	struct text text = {0};

	for (int i = 0; i < 1000; i++) {
		text_addf(&text, "%d,", i);
		text_adds(&text, "");
	}
	cr_assert_not(text.failed);
	cr_assert_eq(text.len, 3890);
	cr_assert_eq(strlen(text.ptr), text.len);
	cr_assert_str_eq(text.ptr + text.len - 8, "998,999,");
	text_fini(&text);
}

Test(text, json_is_escaped_and_utf8)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {NULL, "null"},
	    {"", "\"\""},
	    {"a\"\\\n\x1f\x7f", "\"a\\\"\\\\\\u000a\\u001f\\u007f\""},
	    {"\xe2\x82\xac\xf0\x9f\x98\x80",
		"\"\xe2\x82\xac\xf0\x9f\x98\x80\""},
	    {"a\xff", "\"a\xef\xbf\xbd\""},
	    {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	    {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text text = {0};

		text_add_json(&text, rows[i].text);
		cr_assert_str_eq(text.ptr, rows[i].want);
		text_fini(&text);
	}
}

Test(text, utf8_of_valid_and_broken_sequences)
{
	static const char *const good[] = {"", "a\x7f", "\xc2\x80", "\xdf\xbf",
	    "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
	    "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xc0\xaf", "\xc1\xbf",
	    "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
	    "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xc3",
	    "\xc3(", "a\xbf"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert(utf8_is(good[i]), "good %zu", i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(utf8_is(bad[i]), "bad %zu", i);
}
