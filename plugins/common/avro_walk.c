/*
 * avro_walk.c -- over the bytes of one datum: see avro_walk.h.
 */
#include "plugins/common/avro_walk.h"

#include "plugins/common/utf8.h"

#include <assert.h>
#include <string.h>

/* Of a datum: so many nodes a byte, and so many that take none. */
#define NODES_A_BYTE 64
#define NODES_FREE 65536

struct walk {
	const char *at, *end;
	uint64_t nodes; /* that may still come */
	size_t depth;
};

static const char *walk_node(struct walk *w, const struct avro_node *node);

static const char short_of[] = "it ends too early";

size_t
avro_long_get(const char *bytes, size_t len, int64_t *value)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < len && i < AVRO_LONG_MAX; i++) {
		uint64_t byte = (unsigned char)bytes[i];

		if (i == AVRO_LONG_MAX - 1 && byte > 1)
			return 0;
		bits |= (byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*value = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
			return i + 1;
		}
	}
	return 0;
}

size_t
avro_long_put(char *to, int64_t value)
{
	uint64_t bits = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
	size_t n = 0;

	for (; bits >= 0x80; bits >>= 7)
		to[n++] = (char)(bits | 0x80);
	to[n++] = (char)bits;
	return n;
}

static const char *
walk_long(struct walk *w, int64_t *value)
{
	size_t n = avro_long_get(w->at, (size_t)(w->end - w->at), value);

	w->at += n;
	return n > 0				 ? NULL
	       : w->end - w->at >= AVRO_LONG_MAX ? "a number that is too long"
						 : short_of;
}

static const char *
skip(struct walk *w, int64_t n)
{
	if (n < 0 || n > w->end - w->at)
		return n < 0 ? "a length below zero" : short_of;
	w->at += n;
	return NULL;
}

static const char *
walk_bytes(struct walk *w, int text)
{
	int64_t n = 0;
	const char *wrong = walk_long(w, &n);
	const char *begin = w->at;

	if (wrong == NULL)
		wrong = skip(w, n);
	if (wrong == NULL && text && !utf8_are(begin, (size_t)n))
		wrong = "a string that is not UTF-8";
	return wrong;
}

static const char *
walk_index(struct walk *w, const struct avro_node *node, int64_t *index)
{
	const char *wrong = walk_long(w, index);

	if (wrong == NULL && (*index < 0 || (uint64_t)*index >= node->count))
		wrong = node->type == AVRO_ENUM
			    ? "a symbol that its enum does not have"
			    : "a branch that its union does not have";
	return wrong;
}

static const char *
walk_items(struct walk *w, const struct avro_node *item, int map, int64_t n)
{
	const char *wrong = NULL;

	for (; n > 0 && wrong == NULL; n--) {
		if (map)
			wrong = walk_bytes(w, 1);
		if (wrong == NULL)
			wrong = walk_node(w, item);
	}
	return wrong;
}

/* Blocks of an array or a map. */
static const char *
walk_blocks(struct walk *w, const struct avro_node *node)
{
	const struct avro_node *item = node->nodes[0];
	int map = node->type == AVRO_MAP;
	const char *wrong, *begin;
	int64_t n = 0, bytes = 0;

	for (;;) {
		wrong = walk_long(w, &n);
		if (wrong != NULL || n == 0)
			return wrong;
		bytes = -1;
		if (n < 0) {
			wrong = walk_long(w, &bytes);
			if (wrong != NULL || n == INT64_MIN || bytes < 0)
				return wrong != NULL ? wrong
						     : "a block that is none";
			n = -n;
		}
		begin = w->at;
		wrong = walk_items(w, item, map, n);
		if (wrong != NULL)
			return wrong;
		if (bytes >= 0 && w->at - begin != bytes)
			return "a block of another length";
	}
}

static const char *
walk_record(struct walk *w, const struct avro_node *node)
{
	const char *wrong = NULL;

	for (size_t i = 0; i < node->count && wrong == NULL; i++)
		wrong = walk_node(w, node->nodes[i]);
	return wrong;
}

static const char *
walk_union(struct walk *w, const struct avro_node *node)
{
	int64_t branch = 0;
	const char *wrong = walk_index(w, node, &branch);

	return wrong != NULL ? wrong : walk_node(w, node->nodes[branch]);
}

static const char *
walk_number(struct walk *w, int type)
{
	int64_t value = 0;
	const char *wrong = walk_long(w, &value);

	if (wrong == NULL && type == AVRO_INT &&
	    (value < INT32_MIN || value > INT32_MAX))
		wrong = "an int of more than 32 bits";
	return wrong;
}

static const char *
walk_boolean(struct walk *w)
{
	const char *begin = w->at;
	const char *wrong = skip(w, 1);

	return wrong == NULL && *begin != 0 && *begin != 1
		   ? "a boolean that is neither"
		   : wrong;
}

static const char *
walk_type(struct walk *w, const struct avro_node *node)
{
	int64_t index = 0;

	switch (node->type) {
	case AVRO_NULL:
		return NULL;
	case AVRO_BOOLEAN:
		return walk_boolean(w);
	case AVRO_INT:
	case AVRO_LONG:
		return walk_number(w, node->type);
	case AVRO_FLOAT:
		return skip(w, 4);
	case AVRO_DOUBLE:
		return skip(w, 8);
	case AVRO_FIXED:
		return node->size > INT64_MAX ? short_of
					      : skip(w, (int64_t)node->size);
	case AVRO_BYTES:
	case AVRO_STRING:
		return walk_bytes(w, node->type == AVRO_STRING);
	case AVRO_ENUM:
		return walk_index(w, node, &index);
	case AVRO_RECORD:
		return walk_record(w, node);
	case AVRO_UNION:
		return walk_union(w, node);
	default:
		return walk_blocks(w, node);
	}
}

static const char *
walk_node(struct walk *w, const struct avro_node *node)
{
	const char *wrong;

	if (w->depth == AVRO_WALK_DEPTH)
		return "it is nested too deep";
	if (w->nodes-- == 0)
		return "more items than there can be";
	w->depth++;
	wrong = walk_type(w, node);
	w->depth--;
	return wrong;
}

const char *
avro_datum_len(const struct avro_schema *schema, const char *bytes, size_t len,
    size_t *used)
{
	struct walk w = {
	    bytes, bytes + len, NODES_A_BYTE * (uint64_t)len + NODES_FREE, 0};
	const char *wrong = walk_node(&w, avro_schema_root(schema));

	if (wrong == NULL)
		*used = (size_t)(w.at - bytes);
	return wrong;
}
