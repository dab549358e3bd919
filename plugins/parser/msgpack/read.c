/*
 * read.c -- see read.h.
 */
#include "plugins/parser/msgpack/read.h"
#include "plugins/common/wire.h"

static const char cut_off[] = "the value is no MessagePack: it is cut off";

/* The head of one value: either its scalar, or how many values follow. */
struct head {
	struct scalar value;
	uint64_t count; /* elements of an array, pairs of a map */
	int is_map, is_array;
};

/* ---- heads ---- */

static int
read_bytes(struct wire *wire, int kind, uint64_t len, struct head *head)
{
	const uint8_t *at = wire_take(wire, len);

	head->value.kind = kind;
	head->value.bytes = (struct secor_bytes){(const char *)at, (size_t)len};
	return at != NULL;
}

/* Bytes behind a length of `size` bytes. */
static int
read_sized(struct wire *wire, int kind, unsigned size, struct head *head)
{
	uint64_t len;

	return wire_big(wire, size, &len) && read_bytes(wire, kind, len, head);
}

/* Extension type -1 in its three sizes. */
static void
read_timestamp(struct secor_bytes bytes, struct scalar *value)
{
	struct wire wire = wire_of(bytes);
	uint64_t nanos = 0, seconds = 0;

	if (bytes.len == 4) {
		(void)wire_big(&wire, 4, &seconds);
	} else if (bytes.len == 8) {
		(void)wire_big(&wire, 8, &seconds);
		nanos = seconds >> 34;
		seconds &= (UINT64_C(1) << 34) - 1;
	} else if (bytes.len == 12) {
		(void)wire_big(&wire, 4, &nanos);
		(void)wire_big(&wire, 8, &seconds);
	} else {
		value->kind = SCALAR_BAD;
		value->why = "a timestamp of a wrong length";
		return;
	}
	value->kind = SCALAR_TIME;
	value->time.seconds = (int64_t)seconds;
	value->time.nanos = (int64_t)nanos;
	if (nanos > 999999999) {
		value->kind = SCALAR_BAD;
		value->why = "a timestamp of too many nanoseconds";
	}
}

static int
read_extension(struct wire *wire, uint64_t len, struct head *head)
{
	uint64_t type;

	if (!wire_big(wire, 1, &type) ||
	    !read_bytes(wire, SCALAR_BAD, len, head))
		return 0;
	if ((int8_t)type == -1) {
		read_timestamp(head->value.bytes, &head->value);
		return 1;
	}
	head->value.why = "of an extension type";
	return 1;
}

static int
read_number(struct wire *wire, unsigned code, struct head *head)
{
	unsigned size = 1U << (code & 3);
	uint64_t bits;

	if (code <= 0xcb)
		size = code == 0xca ? 4 : 8;
	if (!wire_big(wire, size, &bits))
		return 0;
	if (code == 0xca) {
		head->value.kind = SCALAR_FLOAT;
		head->value.d = wire_float((uint32_t)bits);
	} else if (code == 0xcb) {
		head->value.kind = SCALAR_DOUBLE;
		head->value.d = wire_double(bits);
	} else if (code <= 0xcf) {
		head->value.kind = SCALAR_UINT;
		head->value.u = bits;
	} else {
		unsigned unused = 64 - 8 * size;

		head->value.kind = SCALAR_INT;
		head->value.i = (int64_t)(bits << unused) >> unused;
	}
	return 1;
}

static int
read_many(struct wire *wire, unsigned code, struct head *head)
{
	head->value.kind = SCALAR_COMPOUND;
	head->is_map = code >= 0xde;
	head->is_array = !head->is_map;
	return wire_big(wire, code & 1 ? 4 : 2, &head->count);
}

static int
read_small(struct wire *wire, unsigned code, struct head *head)
{
	if (code >= 0xe0 || code < 0x80) {
		head->value.kind = SCALAR_INT;
		head->value.i = (int8_t)code;
		return 1;
	}
	if (code >= 0xa0)
		return read_bytes(wire, SCALAR_TEXT, code & 0x1f, head);
	head->value.kind = SCALAR_COMPOUND;
	head->is_map = code < 0x90;
	head->is_array = !head->is_map;
	head->count = code & 0x0f;
	return 1;
}

static int
read_word(unsigned code, struct head *head)
{
	head->value.kind = code == 0xc0 ? SCALAR_NULL : SCALAR_BOOL;
	head->value.i = code == 0xc3;
	return code != 0xc1; /* never used */
}

/* 0: cut off, or no MessagePack. */
static int
read_head(struct wire *wire, struct head *head)
{
	const uint8_t *at = wire_take(wire, 1);
	unsigned code;
	uint64_t len;

	head->is_map = 0;
	head->is_array = 0;
	head->count = 0;
	if (at == NULL)
		return 0;
	code = *at;
	if (code < 0xc0 || code >= 0xe0)
		return read_small(wire, code, head);
	if (code <= 0xc3)
		return read_word(code, head);
	if (code <= 0xc6)
		return read_sized(
		    wire, SCALAR_BYTES, 1U << (code - 0xc4), head);
	if (code <= 0xc9)
		return wire_big(wire, 1U << (code - 0xc7), &len) &&
		       read_extension(wire, len, head);
	if (code <= 0xd3)
		return read_number(wire, code, head);
	if (code <= 0xd8)
		return read_extension(wire, 1U << (code - 0xd4), head);
	if (code <= 0xdb)
		return read_sized(wire, SCALAR_TEXT, 1U << (code - 0xd9), head);
	return read_many(wire, code, head);
}

/* ---- values ---- */

/* Values that are still to come; 0: more than bytes. */
static int
more(const struct wire *wire, const struct head *head, uint64_t *left)
{
	*left += head->is_map ? 2 * head->count : head->count;
	return *left <= wire_left(wire);
}

static int
skip(struct wire *wire, uint64_t left)
{
	struct head head;

	while (left > 0) {
		if (!read_head(wire, &head))
			return 0;
		left--;
		if (!more(wire, &head, &left))
			return 0;
	}
	return 1;
}

static const struct wanted *
wanted_key(const struct wanted *node, const struct scalar *key)
{
	switch (key->kind) {
	case SCALAR_TEXT:
		return wanted_name(node, key->bytes.ptr, key->bytes.len);
	case SCALAR_INT:
		return wanted_number(node, key->i);
	case SCALAR_UINT:
		if (key->u > INT32_MAX)
			return NULL;
		return wanted_number(node, (int64_t)key->u);
	default:
		return NULL;
	}
}

static int
read_value(struct finder *finder, const struct wanted *node, struct wire *wire);

static int
read_map(struct finder *finder, const struct wanted *node, struct wire *wire,
    uint64_t count)
{
	struct head key;

	for (; count > 0; count--) {
		const struct wanted *below;
		uint64_t left = 0;

		if (!read_head(wire, &key) || !more(wire, &key, &left) ||
		    !skip(wire, left))
			return 0;
		below = wanted_key(node, &key.value);
		if (below == NULL ? !skip(wire, 1)
				  : !read_value(finder, below, wire))
			return 0;
	}
	return 1;
}

static int
read_array(struct finder *finder, const struct wanted *node, struct wire *wire,
    uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		const struct wanted *below = wanted_number(node, (int64_t)i);

		if (below == NULL ? !skip(wire, 1)
				  : !read_value(finder, below, wire))
			return 0;
	}
	return 1;
}

/* A value that is wanted, or something of it: as deep as the wanted paths. */
static int
read_value(struct finder *finder, const struct wanted *node, struct wire *wire)
{
	struct head head;
	uint64_t left = 0;

	if (!read_head(wire, &head) || !more(wire, &head, &left))
		return 0;
	finder_forget(finder, node);
	if (node->slot != WANTED_NO_SLOT)
		finder->values[node->slot] = head.value;
	if (node->below == NULL)
		return skip(wire, left);
	if (head.is_map)
		return read_map(finder, node, wire, head.count);
	return read_array(finder, node, wire, head.count);
}

const char *
msgpack_read(struct finder *finder, struct secor_bytes bytes)
{
	struct wire wire = wire_of(bytes);

	if (bytes.ptr == NULL)
		return "the value is null";
	if (!read_value(finder, &finder->root, &wire))
		return cut_off;
	if (wire_left(&wire) > 0)
		return "the value is no MessagePack: it goes on behind its end";
	return NULL;
}
