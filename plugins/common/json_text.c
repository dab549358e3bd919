/*
 * json_text.c -- see json_text.h.
 */
#include "plugins/common/json_text.h"

#include <stdint.h>
#include <string.h>

static int
hex_value(char c)
{
	if (json_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits at p, or -1. */
static int32_t
hex4(const char *p)
{
	int32_t value = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_value(p[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

int
json_escapes_good(const char *p, size_t n)
{
	const char *end = p + n;

	while ((p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
		if (end - p < 2)
			return 0;
		if (p[1] == 'u') {
			if (end - p < 6 || hex4(p + 2) < 0)
				return 0;
			p += 6;
		} else if (p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL) {
			p += 2;
		} else {
			return 0;
		}
	}
	return 1;
}

static size_t
put_utf8(char *to, uint32_t rune)
{
	if (rune < 0x80) {
		to[0] = (char)rune;
		return 1;
	}
	if (rune < 0x800) {
		to[0] = (char)(0xc0 | rune >> 6);
		to[1] = (char)(0x80 | (rune & 0x3f));
		return 2;
	}
	if (rune < 0x10000) {
		to[0] = (char)(0xe0 | rune >> 12);
		to[1] = (char)(0x80 | (rune >> 6 & 0x3f));
		to[2] = (char)(0x80 | (rune & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | rune >> 18);
	to[1] = (char)(0x80 | (rune >> 12 & 0x3f));
	to[2] = (char)(0x80 | (rune >> 6 & 0x3f));
	to[3] = (char)(0x80 | (rune & 0x3f));
	return 4;
}

/* The rune of the `\uXXXX` at *p, which moves behind it (or behind the pair).
 */
static uint32_t
read_rune(const char **p, const char *end)
{
	uint32_t high = (uint32_t)hex4(*p + 2);
	uint32_t low;

	*p += 6;
	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high >= 0xdc00 || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
		return 0xfffd;
	low = (uint32_t)hex4(*p + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*p += 6;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static char
simple_escape(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c; /* " \ / */
	}
}

size_t
json_unescape(const char *p, size_t n, char *to)
{
	const char *end = p + n;
	char *out = to;

	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((slash != NULL ? slash : end) - p);

		memcpy(out, p, plain);
		out += plain;
		p += plain;
		if (slash == NULL)
			break;
		if (p[1] == 'u') {
			out += put_utf8(out, read_rune(&p, end));
		} else {
			*out++ = simple_escape(p[1]);
			p += 2;
		}
	}
	return (size_t)(out - to);
}
