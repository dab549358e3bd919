/*
 * text.c -- see text.h.
 */
#include "core/observe/text.h"

#include <string.h>

/* What stands for `c`, or NULL: itself. */
typedef const char *(*escape_fn)(unsigned char c, char *room);

size_t
text_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t n = 0;

	if (at[0] >= 0x01 && at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf)
		n = 2;
	else if (at[0] >= 0xe0 && at[0] <= 0xef)
		n = 3;
	else if (at[0] >= 0xf0 && at[0] <= 0xf4)
		n = 4;
	for (size_t i = 1; i < n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0; /* also the NUL of a cut one */
	if ((at[0] == 0xe0 && at[1] < 0xa0) ||
	    (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return n;
}

static void
put(struct buf *out, const char *text, escape_fn escape)
{
	char room[8];
	size_t n;

	for (; *text != '\0'; text += n) {
		const char *other;

		n = text_utf8(text);
		if (n == 0) {
			n = 1;
			buf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
			continue;
		}
		other = n == 1 ? escape((unsigned char)*text, room) : NULL;
		if (other != NULL)
			buf_puts(out, other);
		else
			buf_put(out, text, n);
	}
}

static const char *
escape_html(unsigned char c, char *room)
{
	(void)room;
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
escape_json(unsigned char c, char *room)
{
	if (c == '"')
		return "\\\"";
	if (c == '\\')
		return "\\\\";
	if (c >= ' ' && c != 0x7f)
		return NULL;
	(void)memcpy(room, "\\u0000", 7);
	room[4] = "0123456789abcdef"[c >> 4];
	room[5] = "0123456789abcdef"[c & 15];
	return room;
}

static const char *
escape_help(unsigned char c, char *room)
{
	(void)room;
	return c == '\\' ? "\\\\" : c == '\n' ? "\\n" : NULL;
}

static const char *
escape_label(unsigned char c, char *room)
{
	return c == '"' ? "\\\"" : escape_help(c, room);
}

void
text_put_html(struct buf *out, const char *text)
{
	put(out, text, escape_html);
}

void
text_put_json(struct buf *out, const char *text)
{
	if (text == NULL) {
		buf_puts(out, "null");
		return;
	}
	buf_putc(out, '"');
	put(out, text, escape_json);
	buf_putc(out, '"');
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
