/*
 * escape.c -- backslash escapes: of options, and of payloads.
 */
#include "plugins/format/text/text.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that the escape at `from` (behind its backslash) stands for, and how
 * many characters that took; 0: it is none. */
static size_t
escape_byte(const char *from, size_t len, char *byte)
{
	static const char letters[] = "ntr0\\", bytes[] = "\n\t\r\0\\";
	const char *found;
	int high, low;

	if (len == 0)
		return 0;
	if (from[0] != 'x') {
		found = memchr(letters, from[0], sizeof(letters) - 1);
		if (found == NULL)
			return 0;
		*byte = bytes[found - letters];
		return 1;
	}
	if (len < 3)
		return 0;
	high = hex_value(from[1]);
	low = hex_value(from[2]);
	if (high < 0 || low < 0)
		return 0;
	*byte = (char)(high * 16 + low);
	return 3;
}

const char *
text_unescape_option(const char *option, char *bytes, size_t room, size_t *len)
{
	size_t at = 0, left = strlen(option), took, n = 0;

	while (left > 0) {
		if (n == room)
			return "it is too long";
		if (option[at] != '\\') {
			bytes[n++] = option[at];
			took = 1;
		} else {
			took =
			    escape_byte(option + at + 1, left - 1, &bytes[n++]);
			if (took == 0)
				return "a backslash begins \\n, \\t, \\r, \\0, "
				       "\\\\ or \\xNN";
			took++;
		}
		at += took;
		left -= took;
	}
	*len = n;
	return NULL;
}

/* The letter of a short escape, or 0. */
static char
short_escape(char c)
{
	switch (c) {
	case '\n':
		return 'n';
	case '\t':
		return 't';
	case '\r':
		return 'r';
	case '\\':
		return '\\';
	default:
		return 0;
	}
}

static size_t
count(const struct secor_bytes *value, char c)
{
	const char *at = value->ptr, *end = at + value->len;
	size_t n = 0;

	while (at < end && (at = memchr(at, c, (size_t)(end - at))) != NULL) {
		n++;
		at++;
	}
	return n;
}

size_t
text_escaped_len(const struct secor_bytes *value, char first)
{
	size_t grows = short_escape(first) != 0 ? 1 : 3;

	if (value->len == 0)
		return 0;
	return value->len + count(value, '\\') + grows * count(value, first);
}

void
text_escape(const struct secor_bytes *value, char first, char *dst)
{
	size_t i;

	for (i = 0; i < value->len; i++) {
		char c = value->ptr[i];

		if (c != '\\' && c != first) {
			*dst++ = c;
			continue;
		}
		*dst++ = '\\';
		if (short_escape(c) != 0) {
			*dst++ = short_escape(c);
			continue;
		}
		*dst++ = 'x';
		*dst++ = hex_digits[(unsigned char)c >> 4];
		*dst++ = hex_digits[(unsigned char)c & 15];
	}
}

int
text_unescape(char *bytes, size_t *len, size_t *at)
{
	size_t from = 0, to = 0, took;

	while (from < *len) {
		if (bytes[from] != '\\') {
			bytes[to++] = bytes[from++];
			continue;
		}
		took =
		    escape_byte(bytes + from + 1, *len - from - 1, &bytes[to]);
		if (took == 0) {
			*at = from;
			return SECOR_REJECT;
		}
		to++;
		from += took + 1;
	}
	*len = to;
	return SECOR_OK;
}
