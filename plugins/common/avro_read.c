/*
 * avro_read.c -- see avro_read.h.
 */
#include "plugins/common/avro_read.h"

#define DEPTH_MAX 64
#define NO "the value is not of its Avro schema: "

static const char cut_off[] = NO "it is cut off";

struct reader {
	struct finder *finder;
	struct wire *wire;
	int depth;
	const char *why;
};

static int read_node(
    struct reader *r, const struct avro_node *node, const struct wanted *want);

static int
fail(struct reader *r, const char *why)
{
	r->why = why;
	return 0;
}

static int
get_long(struct reader *r, int64_t *value)
{
	return wire_zigzag(r->wire, value) || fail(r, cut_off);
}

static int
get_sized(struct reader *r, int kind, struct scalar *value)
{
	const uint8_t *at;
	int64_t len;

	if (!get_long(r, &len))
		return 0;
	at = len < 0 ? NULL : wire_take(r->wire, (uint64_t)len);
	value->kind = kind;
	value->bytes = (struct secor_bytes){(const char *)at, (size_t)len};
	return at != NULL || fail(r, cut_off);
}

/* ---- scalars ---- */

static void
logical(const struct avro_node *node, int64_t number, struct scalar *value)
{
	switch (node->logical) {
	case AVRO_TIMESTAMP:
		*value = scalar_time(SCALAR_TIME, number, node->per_second);
		break;
	case AVRO_LOCAL_TIMESTAMP:
		*value = scalar_time(SCALAR_LOCAL, number, node->per_second);
		break;
	default:
		value->kind =
		    node->logical == AVRO_DATE ? SCALAR_DATE : SCALAR_INT;
		value->i = number;
	}
}

static int
get_number(struct reader *r, const struct avro_node *node, struct scalar *value)
{
	int64_t number;

	if (!get_long(r, &number))
		return 0;
	if (node->type == AVRO_INT &&
	    (number < INT32_MIN || number > INT32_MAX))
		return fail(r, NO "an int is too large");
	logical(node, number, value);
	return 1;
}

static int
get_boolean(struct reader *r, struct scalar *value)
{
	uint64_t byte;

	if (!wire_big(r->wire, 1, &byte))
		return fail(r, cut_off);
	if (byte > 1)
		return fail(r, NO "a boolean is neither 0 nor 1");
	value->kind = SCALAR_BOOL;
	value->i = (int64_t)byte;
	return 1;
}

static int
get_real(struct reader *r, const struct avro_node *node, struct scalar *value)
{
	unsigned size = node->type == AVRO_FLOAT ? 4 : 8;
	uint64_t bits;

	if (!wire_little(r->wire, size, &bits))
		return fail(r, cut_off);
	value->kind = size == 4 ? SCALAR_FLOAT : SCALAR_DOUBLE;
	value->d = size == 4 ? wire_float((uint32_t)bits) : wire_double(bits);
	return 1;
}

static int
get_symbol(struct reader *r, const struct avro_node *node, struct scalar *value)
{
	int64_t at;

	if (!get_long(r, &at))
		return 0;
	if (at < 0 || (uint64_t)at >= node->count)
		return fail(r, NO "an enum has no such symbol");
	value->kind = SCALAR_TEXT;
	value->bytes =
	    (struct secor_bytes){node->names[at], strlen(node->names[at])};
	return 1;
}

static int
get_fixed(struct reader *r, const struct avro_node *node, struct scalar *value)
{
	const uint8_t *at = wire_take(r->wire, node->size);

	value->kind = SCALAR_BYTES;
	value->bytes =
	    (struct secor_bytes){(const char *)at, (size_t)node->size};
	return at != NULL || fail(r, cut_off);
}

static int
get_scalar(struct reader *r, const struct avro_node *node, struct scalar *value)
{
	switch (node->type) {
	case AVRO_NULL:
		value->kind = SCALAR_NULL;
		return 1;
	case AVRO_BOOLEAN:
		return get_boolean(r, value);
	case AVRO_INT:
	case AVRO_LONG:
		return get_number(r, node, value);
	case AVRO_FLOAT:
	case AVRO_DOUBLE:
		return get_real(r, node, value);
	case AVRO_BYTES:
		return get_sized(r, SCALAR_BYTES, value);
	case AVRO_STRING:
		return get_sized(r, SCALAR_TEXT, value);
	case AVRO_ENUM:
		return get_symbol(r, node, value);
	default:
		return get_fixed(r, node, value);
	}
}

/* ---- what has values within ---- */

static int
read_record(
    struct reader *r, const struct avro_node *node, const struct wanted *want)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct wanted *below =
		    want == NULL || want->below == NULL
			? NULL
			: wanted_name(
			      want, node->names[i], strlen(node->names[i]));

		if (!read_node(r, node->nodes[i], below))
			return 0;
	}
	return 1;
}

static int
read_union(
    struct reader *r, const struct avro_node *node, const struct wanted *want)
{
	int64_t at;

	if (!get_long(r, &at))
		return 0;
	if (at < 0 || (uint64_t)at >= node->count)
		return fail(r, NO "a union has no such branch");
	return read_node(r, node->nodes[at], want);
}

static int
read_item(struct reader *r, const struct avro_node *node,
    const struct wanted *want, int64_t at)
{
	const struct wanted *below;
	struct scalar key;

	if (node->type == AVRO_ARRAY)
		return read_node(r, node->nodes[0], wanted_number(want, at));
	if (!get_sized(r, SCALAR_TEXT, &key))
		return 0;
	below = wanted_name(want, key.bytes.ptr, key.bytes.len);
	if (below != NULL)
		finder_forget(r->finder, below);
	return read_node(r, node->nodes[0], below);
}

struct block {
	int64_t count;
	int skipped;
	const uint8_t *end; /* as it says; or NULL */
};

/* A negative count says how long the block is, so that one which nobody wants
 * is skipped at once. */
static int
begin_sized(struct reader *r, const struct wanted *want, struct block *block)
{
	int64_t size;

	if (!get_long(r, &size))
		return 0;
	if (size < 0 || (uint64_t)size > wire_left(r->wire) ||
	    block->count == INT64_MIN)
		return fail(r, cut_off);
	block->count = -block->count;
	block->end = r->wire->at + size;
	block->skipped = want == NULL || want->below == NULL;
	if (block->skipped)
		r->wire->at = block->end;
	return 1;
}

static int
begin_block(struct reader *r, const struct avro_node *node,
    const struct wanted *want, struct block *block)
{
	uint64_t least = node->nodes[0]->least + (node->type == AVRO_MAP);

	memset(block, 0, sizeof(*block));
	if (!get_long(r, &block->count))
		return 0;
	if (block->count < 0 && !begin_sized(r, want, block))
		return 0;
	if (least == 0)
		block->skipped = 1; /* no bytes at all */
	else if (!block->skipped &&
		 (uint64_t)block->count > wire_left(r->wire) / least)
		return fail(r, cut_off);
	return 1;
}

static int
read_blocks(
    struct reader *r, const struct avro_node *node, const struct wanted *want)
{
	struct block block;
	int64_t at = 0;

	for (;;) {
		if (!begin_block(r, node, want, &block))
			return 0;
		if (block.count == 0)
			return 1;
		for (; !block.skipped && block.count > 0; block.count--, at++)
			if (!read_item(r, node, want, at))
				return 0;
		if (block.end != NULL && r->wire->at != block.end)
			return fail(r, NO "a block is not as long as it says");
	}
}

static int
read_compound(
    struct reader *r, const struct avro_node *node, const struct wanted *want)
{
	int good;

	if (r->depth == DEPTH_MAX)
		return fail(r, NO "it is nested too deep");
	r->depth++;
	good = node->type == AVRO_RECORD  ? read_record(r, node, want)
	       : node->type == AVRO_UNION ? read_union(r, node, want)
					  : read_blocks(r, node, want);
	r->depth--;
	return good;
}

static int
read_node(
    struct reader *r, const struct avro_node *node, const struct wanted *want)
{
	struct scalar value = {.kind = SCALAR_COMPOUND};
	int compound = node->type == AVRO_RECORD || node->type >= AVRO_ARRAY;

	/* also ends schemas of many records without a byte within each other */
	if (want == NULL && node->least == 0)
		return 1;
	if (node->least > wire_left(r->wire))
		return fail(r, cut_off);
	if (!compound && !get_scalar(r, node, &value))
		return 0;
	if (want != NULL && want->slot != WANTED_NO_SLOT &&
	    node->type != AVRO_UNION)
		r->finder->values[want->slot] = value;
	return compound ? read_compound(r, node, want) : 1;
}

const char *
avro_read(
    const struct avro_node *node, struct finder *finder, struct wire *wire)
{
	struct reader r = {.finder = finder, .wire = wire};
	const struct wanted *want = finder == NULL ? NULL : &finder->root;

	return read_node(&r, node, want) ? NULL : r.why;
}
