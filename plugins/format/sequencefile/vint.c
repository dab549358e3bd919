/*
 * vint.c -- Hadoop's variable-length integers: -112 to 127 in one byte; else a
 * byte that says sign and length, and the magnitude, big-endian.
 */
#include "plugins/format/sequencefile/sequencefile.h"

#define ONE_BYTE_MIN (-112)
#define NEGATIVE_BASE (-120)

void
seq_vint_put(struct grow *to, int64_t value)
{
	uint64_t magnitude = value < 0 ? ~(uint64_t)value : (uint64_t)value;
	char bytes[SEQ_VINT_MAX];
	size_t n = 1, i;

	if (value >= ONE_BYTE_MIN && value <= INT8_MAX) {
		bytes[0] = (char)value;
		grow_put(to, bytes, 1);
		return;
	}
	while (n < 8 && magnitude >> (8 * n) != 0)
		n++;
	bytes[0] = (char)((value < 0 ? NEGATIVE_BASE : ONE_BYTE_MIN) - (int)n);
	for (i = 0; i < n; i++)
		bytes[1 + i] = (char)(magnitude >> (8 * (n - 1 - i)));
	grow_put(to, bytes, 1 + n);
}

size_t
seq_vint_get(const char *from, size_t len, int64_t *value)
{
	uint64_t magnitude = 0;
	int first, negative;
	size_t n, i;

	if (len == 0)
		return 0;
	first = (signed char)from[0];
	if (first >= ONE_BYTE_MIN) {
		*value = first;
		return 1;
	}
	negative = first < NEGATIVE_BASE;
	n = (size_t)((negative ? NEGATIVE_BASE : ONE_BYTE_MIN) - first);
	if (len < 1 + n)
		return 0;
	for (i = 0; i < n; i++)
		magnitude = magnitude << 8 | (unsigned char)from[1 + i];
	*value = (int64_t)(negative ? ~magnitude : magnitude);
	return 1 + n;
}
