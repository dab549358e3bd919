/*
 * text_test.c -- core/observe/text.
 */
#include "core/observe/text.h"

#include <criterion/criterion.h>

typedef void (*put_fn)(struct buf *out, const char *text);

static void
expect(put_fn put, const char *text, const char *want)
{
	struct buf buf = {0};

	buf_puts(&buf, "");
	put(&buf, text);
	cr_assert_str_eq(buf.ptr, want);
	buf_fini(&buf);
}

Test(text, utf8_of_valid_and_broken_sequences)
{
	static const struct {
		const char *text;
		size_t want;
	} rows[] = {
	    {"", 0},
	    {"a", 1},
	    {"\x7f", 1},
	    {"\xc3\xbc", 2},
	    {"\xe2\x82\xac", 3},
	    {"\xf0\x9f\x98\x80", 4},
	    {"\xf4\x8f\xbf\xbf", 4},
	    {"\xef\xbf\xbf", 3},
	    {"\x80", 0},     /* goes on what did not begin */
	    {"\xc0\xaf", 0}, /* overlong '/' */
	    {"\xc1\xbf", 0},
	    {"\xe0\x80\xaf", 0},
	    {"\xe0\x9f\xbf", 0},
	    {"\xf0\x80\x80\xaf", 0},
	    {"\xf0\x8f\xbf\xbf", 0},
	    {"\xed\xa0\x80", 0},     /* surrogate */
	    {"\xf4\x90\x80\x80", 0}, /* past U+10FFFF */
	    {"\xf5\x80\x80\x80", 0},
	    {"\xff", 0},
	    {"\xe2\x82", 0}, /* cut */
	    {"\xc3", 0},
	    {"\xc3(", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(
		    text_utf8(rows[i].text), rows[i].want, "row %zu", i);
}

Test(text, html_of_markup_stays_text)
{
	expect(text_put_html, "<a href='x'>\"&\"</a>",
	    "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;");
	expect(text_put_html, "", "");
}

Test(text, json_of_quotes_and_control_bytes_is_escaped)
{
	expect(text_put_json, NULL, "null");
	expect(text_put_json, "", "\"\"");
	expect(text_put_json, "a\"b\\c\n\x1f\x7f/",
	    "\"a\\\"b\\\\c\\u000a\\u001f\\u007f/\"");
	expect(text_put_json, "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"");
}

Test(text, any_form_of_broken_utf8_becomes_valid)
{
	static const put_fn puts[] = {
	    text_put_html, text_put_json, text_put_label, text_put_help};

	for (size_t i = 0; i < sizeof(puts) / sizeof(puts[0]); i++) {
		struct buf buf = {0};

		puts[i](&buf, "a\xff\xe2\x82z\xc3");
		for (const char *at = buf.ptr; *at != '\0';) {
			cr_assert_gt(text_utf8(at), 0);
			at += text_utf8(at);
		}
		buf_fini(&buf);
	}
	expect(text_put_html,
	    "a\xff"
	    "b",
	    "a\xef\xbf\xbd"
	    "b");
}

Test(text, label_and_help_escape_what_the_format_says)
{
	expect(text_put_label, "a\"b\\c\nd", "a\\\"b\\\\c\\nd");
	expect(text_put_help, "a\"b\\c\nd", "a\"b\\\\c\\nd");
}
