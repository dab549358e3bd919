/*
 * crc32c.c -- by ISA-L, which takes the vector unit that it finds at run time.
 */
#include "plugins/common/crc32c.h"

#include <isa-l/crc.h>

#define PIECE ((size_t)1 << 30) /* its length is an int */

uint32_t
crc32c_more(uint32_t sofar, const void *bytes, size_t n)
{
	/* it takes a pointer to non-const and only reads */
	unsigned char *at = (unsigned char *)(uintptr_t)bytes;
	unsigned int crc = ~sofar;
	size_t len;

	for (; n > 0; at += len, n -= len) {
		len = n < PIECE ? n : PIECE;
		crc = crc32_iscsi(at, (int)len, crc);
	}
	return ~crc;
}
