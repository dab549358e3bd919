/*
 * base64.c -- see base64.h.
 */
#include "plugins/common/base64.h"

#include <stdint.h>
#include <string.h>

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_put(const char *bytes, size_t len, char *to)
{
	const unsigned char *in = (const unsigned char *)bytes;
	uint32_t three;

	for (; len >= 3; len -= 3, in += 3, to += 4) {
		three = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		to[0] = letters[three >> 18];
		to[1] = letters[three >> 12 & 63];
		to[2] = letters[three >> 6 & 63];
		to[3] = letters[three & 63];
	}
	if (len == 0)
		return;
	three = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0);
	to[0] = letters[three >> 18];
	to[1] = letters[three >> 12 & 63];
	to[2] = len > 1 ? letters[three >> 6 & 63] : '=';
	to[3] = '=';
}

static int
value_of(char c)
{
	const char *at = c == '\0' ? NULL : strchr(letters, c);

	return at == NULL ? -1 : (int)(at - letters);
}

/* Four letters, the last one or two of which may be padding, to three bytes. */
static size_t
get_four(const char *text, int last, char *to)
{
	size_t n = 3;
	uint32_t bits = 0;

	if (last && text[3] == '=')
		n = text[2] == '=' ? 1 : 2;
	for (size_t i = 0; i < 4; i++) {
		int value = i <= n ? value_of(text[i]) : 0;

		if (value < 0)
			return 0;
		bits = bits << 6 | (uint32_t)value;
	}
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(bits >> (16 - 8 * i));
	return n;
}

int
base64_get(const char *text, size_t len, char *to, size_t *made)
{
	size_t at, n, sum = 0;

	if (len % 4 != 0)
		return 0;
	for (at = 0; at < len; at += 4) {
		n = get_four(text + at, at + 4 == len, to + sum);
		if (n == 0)
			return 0;
		sum += n;
	}
	*made = sum;
	return 1;
}
