/*
 * utf8.c -- see utf8.h.
 */
#include "plugins/common/utf8.h"

#include <stdint.h>
#include <string.h>

#define EACH UINT64_C(0x0101010101010101)

/* Eight bytes at a time: most text is ASCII. */
static const unsigned char *
skip_ascii(const unsigned char *p, const unsigned char *end)
{
	uint64_t w;

	while (end - p >= 8) {
		memcpy(&w, p, 8);
		if ((w & EACH * 0x80) != 0)
			break;
		p += 8;
	}
	while (p < end && *p < 0x80)
		p++;
	return p;
}

/* How many bytes follow the first, and the limits of the second; 0: not a first
 * byte of several. */
static size_t
tail_of(unsigned char first, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef) {
		*low = first == 0xe0 ? 0xa0 : 0x80;
		*high = first == 0xed ? 0x9f : 0xbf;
		return 2;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*low = first == 0xf0 ? 0x90 : 0x80;
		*high = first == 0xf4 ? 0x8f : 0xbf;
		return 3;
	}
	return 0;
}

int
utf8_are(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	const unsigned char *end = p + len;
	unsigned char low, high;
	size_t tail;

	if (len == 0)
		return 1;
	while ((p = skip_ascii(p, end)) < end) {
		tail = tail_of(*p++, &low, &high);
		if (tail == 0 || (size_t)(end - p) < tail || *p < low ||
		    *p > high)
			return 0;
		while (tail-- > 0)
			if ((*p++ & 0xc0) != 0x80)
				return 0;
	}
	return 1;
}
