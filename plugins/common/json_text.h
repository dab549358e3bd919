/*
 * json_text.h -- the insides of JSON tokens: numbers, and strings with escapes.
 */
#ifndef PLUGINS_COMMON_JSON_TEXT_H
#define PLUGINS_COMMON_JSON_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline int
json_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Behind the digits at p. Eight at a time: the lengths of numbers vary, and a
 * loop over digits is guessed wrong by the processor once a number. */
static inline const char *
json_skip_digits(const char *p, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t each = UINT64_C(0x0101010101010101);

	while (end - p >= 8) {
		uint64_t w;

		(void)memcpy(&w, p, 8);
		w ^= each * '0'; /* a digit is 0..9 now */
		w = (((w & each * 0x7f) + each * (0x80 - 10)) | w) &
		    each * 0x80;
		if (w != 0)
			return p + __builtin_ctzll(w) / 8;
		p += 8;
	}
#endif
	while (p < end && json_digit(*p))
		p++;
	return p;
}

/* The end of the number that begins at p, or NULL when it is none. A byte that
 * cannot be part of a number stands before `end`. */
static inline const char *
json_number_end(const char *p, const char *end)
{
	const char *digits;

	if (*p == '-')
		p++;
	digits = p;
	p = json_skip_digits(p, end);
	if (p == digits || (*digits == '0' && p - digits > 1))
		return NULL;
	if (*p == '.') {
		digits = p + 1;
		p = json_skip_digits(digits, end);
		if (p == digits)
			return NULL;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		digits = p;
		p = json_skip_digits(digits, end);
		if (p == digits)
			return NULL;
	}
	return p;
}

/* 1 when all escapes of the n bytes are those of JSON. */
int json_escapes_good(const char *p, size_t n);

/* Writes the n bytes of a string (whose escapes are good) without escapes, as
 * UTF-8. `to` needs n bytes; returns how many were used. Half a surrogate pair
 * becomes U+FFFD, as there is no UTF-8 for it. */
size_t json_unescape(const char *p, size_t n, char *to);

#endif
