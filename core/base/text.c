/*
 * text.c -- see text.h.
 */
#include "core/base/text.h"

#include <string.h>

/* What the second byte may be, by the first (Unicode 15, table 3-7). */
static size_t
utf8_lead(unsigned char lead, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef) {
		if (lead == 0xe0)
			*low = 0xa0;
		if (lead == 0xed)
			*high = 0x9f;
		return 3;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		if (lead == 0xf0)
			*low = 0x90;
		if (lead == 0xf4)
			*high = 0x8f;
		return 4;
	}
	return 0;
}

size_t
utf8_char(const char *at, size_t left)
{
	const unsigned char *byte = (const unsigned char *)at;
	unsigned char low, high;
	size_t n;

	if (left == 0)
		return 0;
	if (byte[0] < 0x80)
		return 1;
	n = utf8_lead(byte[0], &low, &high);
	if (n == 0 || n > left || byte[1] < low || byte[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

int
utf8_valid(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n = utf8_char(text + at, len - at);

		if (n == 0)
			return 0;
		at += n;
	}
	return 1;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *in = bytes;
	char *at;

	buf_reserve(out, (len + 2) / 3 * 4);
	at = out->ptr + out->len;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t word = (uint32_t)in[i] << 16;

		if (left > 1)
			word |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			word |= in[i + 2];
		*at++ = base64_digits[word >> 18];
		*at++ = base64_digits[word >> 12 & 63];
		*at++ = left > 1 ? base64_digits[word >> 6 & 63] : '=';
		*at++ = left > 2 ? base64_digits[word & 63] : '=';
	}
	*at = '\0';
	out->len = (size_t)(at - out->ptr);
}

static int
base64_value(char c)
{
	const char *digit =
	    c == '\0' ? NULL : memchr(base64_digits, c, sizeof(base64_digits));

	return digit == NULL ? -1 : (int)(digit - base64_digits);
}

/* One group of four; how many bytes it gave, or -1. */
static int
base64_group(const char *text, int last, unsigned char bytes[3])
{
	uint32_t word = 0;
	int n = 4;

	if (last && text[3] == '=')
		n = text[2] == '=' ? 2 : 3;
	for (int i = 0; i < 4; i++) {
		int value = i < n ? base64_value(text[i]) : 0;

		if (value < 0)
			return -1;
		word = word << 6 | (uint32_t)value;
	}
	bytes[0] = (unsigned char)(word >> 16);
	bytes[1] = (unsigned char)(word >> 8);
	bytes[2] = (unsigned char)word;
	return n - 1;
}

int
base64_decode(struct buf *out, const char *text, size_t len)
{
	size_t before = out->len;

	if (len % 4 != 0)
		return 0;
	buf_reserve(out, len / 4 * 3);
	for (size_t i = 0; i < len; i += 4) {
		unsigned char bytes[3];
		int n = base64_group(text + i, i + 4 == len, bytes);

		if (n < 0) {
			out->len = before;
			return 0;
		}
		buf_put(out, bytes, (size_t)n);
	}
	return 1;
}

int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
hex_decode(struct buf *out, const char *text, size_t len)
{
	size_t before = out->len;

	if (len % 2 != 0)
		return 0;
	buf_reserve(out, len / 2);
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(text[i]);
		int low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0) {
			out->len = before;
			return 0;
		}
		buf_putc(out, (char)(high << 4 | low));
	}
	return 1;
}

static void
json_put_byte(struct buf *out, char c)
{
	static const char with[] = "\"\\\b\f\n\r\t";
	static const char as[] = "\"\\bfnrt";
	const char *found = c == '\0' ? NULL : strchr(with, c);

	if (found != NULL) {
		buf_putc(out, '\\');
		buf_putc(out, as[found - with]);
	} else if ((unsigned char)c < 0x20) {
		buf_printf(out, "\\u%04x", (unsigned)c);
	} else {
		buf_putc(out, c);
	}
}

void
json_put_string(struct buf *out, const char *text, size_t len)
{
	buf_putc(out, '"');
	for (size_t at = 0; at < len;) {
		size_t n = utf8_char(text + at, len - at);

		if (n == 1)
			json_put_byte(out, text[at]);
		else if (n == 0)
			buf_puts(out, "\xef\xbf\xbd");
		else
			buf_put(out, text + at, n);
		at += n == 0 ? 1 : n;
	}
	buf_putc(out, '"');
}
