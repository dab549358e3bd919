/*
 * text_test.c -- core/observe/text.
 */
#include "core/observe/text.h"

#include "core/base/text.h"

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

Test(text, html_of_markup_stays_text)
{
	expect(text_put_html, "<a href='x'>\"&\"</a>",
	    "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;");
	expect(text_put_html, "", "");
}

Test(text, any_form_of_broken_utf8_becomes_valid)
{
	static const put_fn puts[] = {
	    text_put_html, text_put_label, text_put_help};

	for (size_t i = 0; i < sizeof(puts) / sizeof(puts[0]); i++) {
		struct buf buf = {0};

		puts[i](&buf, "a\xff\xe2\x82z\xc3");
		cr_assert(utf8_valid(buf.ptr, buf.len));
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
