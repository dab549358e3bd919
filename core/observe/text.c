/*
 * text.c -- see text.h.
 */
#include "core/observe/text.h"

#include "core/base/text.h"

#include <string.h>

/* What stands for `c`, or NULL: itself. */
typedef const char *(*escape_fn)(char c);

static void
put(struct buf *out, const char *text, escape_fn escape)
{
	size_t left = strlen(text), n;

	for (; left > 0; text += n, left -= n) {
		const char *other;

		n = utf8_char(text, left);
		if (n == 0) {
			n = 1;
			buf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
			continue;
		}
		other = n == 1 ? escape(*text) : NULL;
		if (other != NULL)
			buf_puts(out, other);
		else
			buf_put(out, text, n);
	}
}

static const char *
escape_html(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static const char *
escape_help(char c)
{
	return c == '\\' ? "\\\\" : c == '\n' ? "\\n" : NULL;
}

static const char *
escape_label(char c)
{
	return c == '"' ? "\\\"" : escape_help(c);
}

void
text_put_html(struct buf *out, const char *text)
{
	put(out, text, escape_html);
}

void
text_put_label(struct buf *out, const char *text)
{
	put(out, text, escape_label);
}

void
text_put_help(struct buf *out, const char *text)
{
	put(out, text, escape_help);
}
