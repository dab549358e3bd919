/*
 * hash.c -- xxHash's XXH3 and ISA-L's CRC. Both choose the vector unit of the
 * machine at run time (AVX2 takes 9 ns for 300 bytes where SSE2 takes 23) and
 * give the same value everywhere.
 */
#include "core/base/hash.h"

#include <isa-l/crc.h>
#include <string.h>
#include <xxhash.h>
#ifdef __x86_64__
#include <xxh_x86dispatch.h> /* XXH3 by the vector unit that is there */
#endif

uint64_t
hash64(const void *bytes, size_t n)
{
	return XXH3_64bits(bytes, n);
}

uint64_t
hash64_seed(const void *bytes, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, n, seed);
}

uint64_t
hash64_add(uint64_t sofar, const void *bytes, size_t n)
{
	uint64_t words[3] = {sofar, n, XXH3_64bits(bytes, n)};

	return XXH3_64bits(words, sizeof(words));
}

uint64_t
hash64_add_int(uint64_t sofar, int64_t value)
{
	return hash64_add(sofar, &value, sizeof(value));
}

uint64_t
hash64_add_text(uint64_t sofar, const char *text)
{
	if (text == NULL)
		return hash64_add_int(sofar, -1);
	return hash64_add(sofar, text, strlen(text));
}

uint32_t
crc32c_add(uint32_t sofar, const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	unsigned int crc = ~sofar;

	while (n > 0) {
		int part = n > (1 << 30) ? 1 << 30 : (int)n;

		/* the library takes a pointer to non-const and only reads */
		crc = crc32_iscsi((unsigned char *)(uintptr_t)at, part, crc);
		at += part;
		n -= (size_t)part;
	}
	return ~crc;
}
