/*
 * prefix.c -- the length before a record, when there is no delimiter.
 */
#include "plugins/format/text/text.h"

#include <string.h>

size_t
text_prefix_put(int framing, uint64_t len, char *to)
{
	size_t n = 0;

	if (framing != TEXT_VARINT) {
		for (; n < 4; n++)
			to[n] = (char)(len >>
				       8 * (framing == TEXT_U32BE ? 3 - n : n));
		return n;
	}
	for (; len >= 0x80; len >>= 7)
		to[n++] = (char)(len | 0x80);
	to[n++] = (char)len;
	return n;
}

int
text_prefix_get(int framing, const char *from, size_t n, uint64_t *len)
{
	uint64_t value = 0;

	if (framing == TEXT_VARINT ? (from[n - 1] & 0x80) != 0 : n < 4)
		return 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t byte = (unsigned char)from[i];

		if (framing == TEXT_VARINT)
			value |= (byte & 0x7f) << (7 * i);
		else
			value |= byte
				 << 8 * (framing == TEXT_U32BE ? 3 - i : i);
	}
	*len = value;
	return 1;
}
