/*
 * text.c -- see text.h.
 */
#include "plugins/common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for n more bytes and the NUL. */
static int
reserve(struct text *text, size_t n)
{
	size_t room = text->room == 0 ? 256 : text->room;
	char *ptr;

	while (room < text->len + n + 1)
		room *= 2;
	if (text->failed)
		return 0;
	if (room == text->room)
		return 1;
	ptr = realloc(text->ptr, room);
	if (ptr == NULL) {
		text->failed = 1;
		return 0;
	}
	text->ptr = ptr;
	text->room = room;
	return 1;
}

void
text_add(struct text *text, const char *bytes, size_t n)
{
	if (!reserve(text, n))
		return;
	if (n > 0)
		memcpy(text->ptr + text->len, bytes, n);
	text->len += n;
	text->ptr[text->len] = '\0';
}

void
text_adds(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void
text_addf(struct text *text, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0 && reserve(text, (size_t)n)) {
		(void)vsnprintf(
		    text->ptr + text->len, (size_t)n + 1, fmt, again);
		text->len += (size_t)n;
	}
	va_end(again);
}

size_t
utf8_length(const char *at)
{
	const unsigned char *u = (const unsigned char *)at;
	size_t n = u[0] < 0x80 ? u[0] != 0 : u[0] < 0xc2 ? 0 : 2;

	if (u[0] >= 0xe0)
		n = u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	/* overlong forms, surrogates, past U+10FFFF */
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return n;
}

int
utf8_is(const char *string)
{
	size_t n;

	while ((n = utf8_length(string)) > 0)
		string += n;
	return *string == '\0';
}

void
text_add_json_inside(struct text *text, const char *string)
{
	while (*string != '\0') {
		size_t n = utf8_length(string);
		unsigned char c = (unsigned char)*string;

		if (n == 0)
			text_adds(text, "\xef\xbf\xbd");
		else if (c == '"' || c == '\\')
			text_addf(text, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			text_addf(text, "\\u%04x", c);
		else
			text_add(text, string, n);
		string += n == 0 ? 1 : n;
	}
}

void
text_add_json(struct text *text, const char *string)
{
	if (string == NULL) {
		text_adds(text, "null");
		return;
	}
	text_adds(text, "\"");
	text_add_json_inside(text, string);
	text_adds(text, "\"");
}

void
text_fini(struct text *text)
{
	free(text->ptr);
	memset(text, 0, sizeof(*text));
}
