/*
 * wire.h -- a cursor over bytes of somebody else, for binary encodings. What
 * would go past the end is refused, and the cursor stays where it was: nothing
 * is read that was not checked.
 */
#ifndef PLUGINS_COMMON_WIRE_H
#define PLUGINS_COMMON_WIRE_H

#include <secor/plugin.h>
#include <string.h>

struct wire {
	const uint8_t *at, *end;
};

static inline struct wire
wire_of(struct secor_bytes bytes)
{
	const uint8_t *at = (const uint8_t *)bytes.ptr;

	return (struct wire){at, at == NULL ? NULL : at + bytes.len};
}

static inline size_t
wire_left(const struct wire *wire)
{
	return (size_t)(wire->end - wire->at);
}

/* NULL: there are not so many. */
static inline const uint8_t *
wire_take(struct wire *wire, uint64_t n)
{
	const uint8_t *at = wire->at;

	if (n > wire_left(wire))
		return NULL;
	wire->at += n;
	return at;
}

/* `size` bytes, 1 to 8, the highest first. 0: there are not so many. */
static inline int
wire_big(struct wire *wire, unsigned size, uint64_t *value)
{
	const uint8_t *at = wire_take(wire, size);
	uint64_t v = 0;

	if (at == NULL)
		return 0;
	for (unsigned i = 0; i < size; i++)
		v = v << 8 | at[i];
	*value = v;
	return 1;
}

/* The lowest first. */
static inline int
wire_little(struct wire *wire, unsigned size, uint64_t *value)
{
	const uint8_t *at = wire_take(wire, size);
	uint64_t v = 0;

	if (at == NULL)
		return 0;
	for (unsigned i = size; i > 0; i--)
		v = v << 8 | at[i - 1];
	*value = v;
	return 1;
}

/* Seven bits a byte, the lowest first. 0: cut off, or over ten bytes. What ten
 * bytes have over 64 bits is dropped; *over says whether that was anything. */
static inline int
wire_varint_over(struct wire *wire, uint64_t *value, int *over)
{
	const uint8_t *p = wire->at;
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && p < wire->end; shift += 7) {
		uint64_t bits = *p & 0x7fU;

		*over = shift == 63 && bits > 1;
		v |= bits << shift;
		if ((*p++ & 0x80) == 0) {
			wire->at = p;
			*value = v;
			return 1;
		}
	}
	return 0;
}

/* The same, and what is over 64 bits is none. */
static inline int
wire_varint(struct wire *wire, uint64_t *value)
{
	const uint8_t *start = wire->at;
	int over;

	if (!wire_varint_over(wire, value, &over))
		return 0;
	if (over)
		wire->at = start;
	return !over;
}

static inline int64_t
wire_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline int
wire_zigzag(struct wire *wire, int64_t *value)
{
	uint64_t v;

	if (!wire_varint(wire, &v))
		return 0;
	*value = wire_unzigzag(v);
	return 1;
}

static inline double
wire_double(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static inline double
wire_float(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return (double)f;
}

#endif
