/*
 * json_text.h -- the insides of JSON tokens: numbers, and strings with escapes.
 */
#ifndef PLUGINS_COMMON_JSON_TEXT_H
#define PLUGINS_COMMON_JSON_TEXT_H

#include <stddef.h>

static inline int
json_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The end of the number that begins at p, or NULL when it is none. Some byte
 * that cannot be part of a number must follow: there is no limit. */
static inline const char *
json_number_end(const char *p)
{
	if (*p == '-')
		p++;
	if (!json_digit(*p))
		return NULL;
	if (*p++ != '0') {
		while (json_digit(*p))
			p++;
	}
	if (*p == '.') {
		p++;
		if (!json_digit(*p++))
			return NULL;
		while (json_digit(*p))
			p++;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		if (!json_digit(*p++))
			return NULL;
		while (json_digit(*p))
			p++;
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
