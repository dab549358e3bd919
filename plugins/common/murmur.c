/*
 * murmur.c -- see murmur.h. Words are little-endian whatever the machine.
 */
#include "plugins/common/murmur.h"

#define MULTIPLY UINT32_C(0x5bd1e995)
#define SEED UINT32_C(0x9747b28c)

static uint32_t
word_at(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

uint32_t
murmur2(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint32_t h = SEED ^ (uint32_t)len;

	for (; len >= 4; p += 4, len -= 4) {
		uint32_t k = word_at(p) * MULTIPLY;

		k ^= k >> 24;
		h = h * MULTIPLY ^ k * MULTIPLY;
	}
	for (size_t i = len; i-- > 0;)
		h ^= (uint32_t)p[i] << 8 * i;
	if (len > 0)
		h *= MULTIPLY;
	h ^= h >> 13;
	h *= MULTIPLY;
	h ^= h >> 15;
	return h & INT32_MAX;
}
