/*
 * read.c -- see read.h. Types are those of the binary protocol; the compact
 * ones are mapped to them where they are read.
 */
#include "plugins/parser/thrift/read.h"
#include "plugins/common/wire.h"

#define DEPTH_MAX 64
#define NO "the value is no Thrift struct: "

static const char cut_off[] = NO "it is cut off";
static const char no_type[] = NO "a type is unknown";
static const char too_deep[] = NO "it is nested too deep";

enum type {
	T_STOP = 0,
	T_BOOL = 2,
	T_BYTE = 3,
	T_DOUBLE = 4,
	T_I16 = 6,
	T_I32 = 8,
	T_I64 = 10,
	T_STRING = 11,
	T_STRUCT = 12,
	T_MAP = 13,
	T_SET = 14,
	T_LIST = 15,
	T_UUID = 16,
	T_TRUE, /* compact: a field that is its own value */
	T_FALSE,
	T_NONE
};

struct reader {
	struct finder *finder;
	struct wire wire;
	int compact;
	int depth;
	const char *why; /* NULL: all is well */
};

static int
fail(struct reader *r, const char *why)
{
	r->why = why;
	return 0;
}

/* ---- what both protocols have ---- */

static int
get_byte(struct reader *r, uint64_t *byte)
{
	return wire_big(&r->wire, 1, byte) ? 1 : fail(r, cut_off);
}

static enum type
compact_type(unsigned code, int of_field)
{
	static const unsigned char types[] = {T_STOP, T_TRUE, T_FALSE, T_BYTE,
	    T_I16, T_I32, T_I64, T_DOUBLE, T_STRING, T_LIST, T_SET, T_MAP,
	    T_STRUCT, T_UUID};

	if (code >= sizeof(types))
		return T_NONE;
	if (!of_field && (code == 1 || code == 2))
		return T_BOOL;
	return (enum type)types[code];
}

static enum type
type_of(const struct reader *r, uint64_t code)
{
	if (r->compact)
		return compact_type((unsigned)code, 0);
	return code <= T_UUID ? (enum type)code : T_NONE;
}

static int
get_integer(struct reader *r, unsigned size, int64_t *value)
{
	unsigned unused = 64 - 8 * size;
	uint64_t bits = 0;

	if (r->compact && size > 1)
		return wire_zigzag(&r->wire, value) ? 1 : fail(r, cut_off);
	if (!wire_big(&r->wire, size, &bits))
		return fail(r, cut_off);
	*value = (int64_t)(bits << unused) >> unused;
	return 1;
}

static int
get_double(struct reader *r, double *value)
{
	uint64_t bits = 0;

	if (r->compact ? !wire_little(&r->wire, 8, &bits)
		       : !wire_big(&r->wire, 8, &bits))
		return fail(r, cut_off);
	*value = wire_double(bits);
	return 1;
}

/* A size, or a count of elements of at least `least` bytes each. */
static int
get_count(struct reader *r, uint64_t least, uint64_t *count)
{
	if (r->compact ? !wire_varint(&r->wire, count)
		       : !wire_big(&r->wire, 4, count))
		return fail(r, cut_off);
	if (*count > wire_left(&r->wire) / least)
		return fail(r, cut_off);
	return 1;
}

static int
get_bytes(struct reader *r, uint64_t len, int kind, struct scalar *value)
{
	const uint8_t *at = wire_take(&r->wire, len);

	if (at == NULL)
		return fail(r, cut_off);
	value->kind = kind;
	value->bytes = (struct secor_bytes){(const char *)at, (size_t)len};
	return 1;
}

/* ---- values ---- */

static int
read_value(struct reader *r, enum type type, const struct wanted *node);

static int
get_scalar(struct reader *r, enum type type, struct scalar *value)
{
	uint64_t n;

	value->kind = SCALAR_INT;
	switch (type) {
	case T_TRUE:
	case T_FALSE:
		value->kind = SCALAR_BOOL;
		value->i = type == T_TRUE;
		return 1;
	case T_BOOL:
		value->kind = SCALAR_BOOL;
		if (!get_byte(r, &n))
			return 0;
		value->i = n == 1;
		return 1;
	case T_BYTE:
		return get_integer(r, 1, &value->i);
	case T_I16:
		return get_integer(r, 2, &value->i);
	case T_I32:
		return get_integer(r, 4, &value->i);
	case T_I64:
		return get_integer(r, 8, &value->i);
	case T_DOUBLE:
		value->kind = SCALAR_DOUBLE;
		return get_double(r, &value->d);
	case T_STRING:
		return get_count(r, 1, &n) &&
		       get_bytes(r, n, SCALAR_TEXT, value);
	case T_UUID:
		return get_bytes(r, 16, SCALAR_BYTES, value);
	default:
		return fail(r, no_type);
	}
}

/* The type and id of the next field. */
static int
next_field(struct reader *r, enum type *type, int64_t *id)
{
	uint64_t byte;

	if (!get_byte(r, &byte))
		return 0;
	*type = r->compact ? compact_type(byte & 15, 1) : type_of(r, byte);
	if (*type == T_STOP)
		return 1;
	if (r->compact && byte >> 4 != 0) {
		*id += (int64_t)(byte >> 4);
		return 1;
	}
	return get_integer(r, 2, id);
}

static int
read_struct(struct reader *r, const struct wanted *node)
{
	enum type type;
	int64_t id = 0;

	for (;;) {
		if (!next_field(r, &type, &id))
			return 0;
		if (type == T_STOP)
			return 1;
		if (id < INT16_MIN || id > INT16_MAX)
			return fail(r, NO "a field id is too large");
		if (!read_value(r, type, wanted_number(node, id)))
			return 0;
	}
}

static int
read_list(struct reader *r, const struct wanted *node)
{
	uint64_t byte, count;
	enum type type;

	if (!get_byte(r, &byte))
		return 0;
	type = type_of(r, r->compact ? byte & 15 : byte);
	if (r->compact && byte >> 4 != 15) {
		count = byte >> 4;
		if (count > wire_left(&r->wire))
			return fail(r, cut_off);
	} else if (!get_count(r, 1, &count)) {
		return 0;
	}
	for (uint64_t i = 0; i < count; i++)
		if (!read_value(r, type, wanted_number(node, (int64_t)i)))
			return 0;
	return 1;
}

static int
read_map(struct reader *r)
{
	uint64_t key = 0, value = 0, count;

	if (r->compact) {
		if (!get_count(r, 2, &count))
			return 0;
		if (count == 0)
			return 1;
		if (!get_byte(r, &value))
			return 0;
		key = value >> 4;
		value &= 15;
	} else if (!get_byte(r, &key) || !get_byte(r, &value) ||
		   !get_count(r, 2, &count)) {
		return 0;
	}
	for (; count > 0; count--)
		if (!read_value(r, type_of(r, key), NULL) ||
		    !read_value(r, type_of(r, value), NULL))
			return 0;
	return 1;
}

static int
read_compound(struct reader *r, enum type type, const struct wanted *node)
{
	int good;

	if (r->depth == DEPTH_MAX)
		return fail(r, too_deep);
	r->depth++;
	good = type == T_STRUCT ? read_struct(r, node)
	       : type == T_MAP	? read_map(r)
				: read_list(r, node);
	r->depth--;
	return good;
}

static int
read_value(struct reader *r, enum type type, const struct wanted *node)
{
	struct scalar value = {.kind = SCALAR_COMPOUND};
	int compound = type >= T_STRUCT && type <= T_LIST;

	if (!compound && !get_scalar(r, type, &value))
		return 0;
	if (node != NULL) {
		finder_forget(r->finder, node);
		if (node->slot != WANTED_NO_SLOT)
			r->finder->values[node->slot] = value;
	}
	return compound ? read_compound(r, type, node) : 1;
}

const char *
thrift_read(struct finder *finder, int protocol, struct secor_bytes bytes)
{
	struct reader r = {.finder = finder,
	    .wire = wire_of(bytes),
	    .compact = protocol == THRIFT_COMPACT};

	if (bytes.ptr == NULL)
		return "the value is null";
	if (!read_compound(&r, T_STRUCT, &finder->root))
		return r.why;
	if (wire_left(&r.wire) > 0)
		return NO "it goes on behind its end";
	return NULL;
}
