/*
 * read.c -- see read.h.
 */
#include "plugins/parser/protobuf/read.h"

#define DEPTH_MAX 64
#define NUMBER_MAX ((1U << 29) - 1)
#define NO "the value is no protobuf message: "

static const char cut_off[] = NO "it is cut off";

/* ---- fields ---- */

static int
fail(const char **why, const char *phrase)
{
	*why = phrase;
	return 0;
}

static int
next_tag(struct wire *wire, struct protobuf_item *item, const char **why)
{
	uint64_t tag;

	if (!wire_varint(wire, &tag))
		return fail(why, cut_off);
	if (tag >> 3 == 0 || tag >> 3 > NUMBER_MAX)
		return fail(why, NO "a field has no number");
	item->number = (uint32_t)(tag >> 3);
	item->encoding = tag & 7;
	return 1;
}

static int
next_value(struct wire *wire, struct protobuf_item *item, const char **why)
{
	const uint8_t *at;
	int over; /* protobuf's own readers drop it */

	switch (item->encoding) {
	case 0:
		return wire_varint_over(wire, &item->bits, &over) ||
		       fail(why, cut_off);
	case 1:
		return wire_little(wire, 8, &item->bits) || fail(why, cut_off);
	case 5:
		return wire_little(wire, 4, &item->bits) || fail(why, cut_off);
	case 2:
		if (!wire_varint(wire, &item->bits))
			return fail(why, cut_off);
		at = wire_take(wire, item->bits);
		if (at == NULL)
			return fail(why, cut_off);
		item->bytes =
		    (struct secor_bytes){(const char *)at, (size_t)item->bits};
		return 1;
	default:
		return fail(why, NO "an encoding is unknown");
	}
}

/* Up to the end of the group that has begun; groups may be within it. */
static int
skip_group(struct wire *wire, struct protobuf_item *group, const char **why)
{
	const uint8_t *start = wire->at;
	uint32_t open[DEPTH_MAX];
	struct protobuf_item item;
	int depth = 1;

	open[0] = group->number;
	while (depth > 0) {
		if (!next_tag(wire, &item, why))
			return 0;
		if (item.encoding == 4) {
			if (item.number != open[--depth])
				return fail(why, NO "a group has a wrong end");
		} else if (item.encoding == 3) {
			if (depth == DEPTH_MAX)
				return fail(why, NO "it is nested too deep");
			open[depth++] = item.number;
		} else if (!next_value(wire, &item, why)) {
			return 0;
		}
	}
	group->bytes = (struct secor_bytes){
	    (const char *)start, (size_t)(wire->at - start)};
	return 1;
}

int
protobuf_next(struct wire *wire, struct protobuf_item *item, const char **why)
{
	*why = NULL;
	if (wire_left(wire) == 0)
		return 0;
	if (!next_tag(wire, item, why))
		return 0;
	if (item->encoding == 3)
		return skip_group(wire, item, why);
	if (item->encoding == 4)
		return fail(why, NO "a group has a wrong end");
	return next_value(wire, item, why);
}

/* ---- values ---- */

/* The encoding that values of a type have. */
static unsigned
encoding_of(int type)
{
	switch (type) {
	case PB_DOUBLE:
	case PB_FIXED64:
	case PB_SFIXED64:
		return 1;
	case PB_FLOAT:
	case PB_FIXED32:
	case PB_SFIXED32:
		return 5;
	case PB_STRING:
	case PB_BYTES:
	case PB_MESSAGE:
	case PB_TIMESTAMP:
		return 2;
	case PB_GROUP:
		return 3;
	default:
		return 0;
	}
}

/* What a value is where nobody says its type. */
static int
type_by(unsigned encoding)
{
	static const unsigned char types[] = {
	    PB_INT64, PB_SFIXED64, PB_STRING, PB_GROUP, 0, PB_SFIXED32};

	return types[encoding];
}

static const char *
read_timestamp(struct secor_bytes bytes, struct scalar *value)
{
	struct wire wire = wire_of(bytes);
	struct protobuf_item item;
	const char *why;

	value->kind = SCALAR_TIME;
	value->time.seconds = 0;
	value->time.nanos = 0;
	while (protobuf_next(&wire, &item, &why)) {
		if (item.encoding == 0 && item.number == 1)
			value->time.seconds = (int64_t)item.bits;
		else if (item.encoding == 0 && item.number == 2)
			value->time.nanos = (int32_t)item.bits;
	}
	if (value->time.nanos < 0 || value->time.nanos > 999999999) {
		value->kind = SCALAR_BAD;
		value->why = "a timestamp of too many nanoseconds";
	}
	return why;
}

/* The name of a number of an enumeration; its number when it has none. */
static void
read_enum(struct secor_bytes values, int64_t number, struct scalar *value)
{
	struct wire wire = wire_of(values), inner;
	struct protobuf_item item, of;
	const char *why;

	value->kind = SCALAR_INT;
	value->i = number;
	while (protobuf_next(&wire, &item, &why)) {
		struct secor_bytes name = {NULL, 0};
		int64_t n = 0;

		if (item.number != 2 || item.encoding != 2)
			continue;
		inner = wire_of(item.bytes);
		while (protobuf_next(&inner, &of, &why)) {
			if (of.number == 1 && of.encoding == 2)
				name = of.bytes;
			else if (of.number == 2 && of.encoding == 0)
				n = (int32_t)of.bits;
		}
		if (n == number && name.ptr != NULL) {
			value->kind = SCALAR_TEXT;
			value->bytes = name;
			return;
		}
	}
}

static void
set(struct scalar *value, int kind, int64_t i)
{
	value->kind = kind;
	value->i = i;
}

static const char *
read_scalar(const struct protobuf_item *item, int type,
    const struct protobuf_field *field, struct scalar *value)
{
	switch (type) {
	case PB_DOUBLE:
		value->kind = SCALAR_DOUBLE;
		value->d = wire_double(item->bits);
		break;
	case PB_FLOAT:
		value->kind = SCALAR_FLOAT;
		value->d = wire_float((uint32_t)item->bits);
		break;
	case PB_INT64:
	case PB_SFIXED64:
		set(value, SCALAR_INT, (int64_t)item->bits);
		break;
	case PB_UINT64:
	case PB_FIXED64:
		set(value, SCALAR_UINT, (int64_t)item->bits);
		break;
	case PB_INT32:
	case PB_SFIXED32:
		set(value, SCALAR_INT, (int32_t)item->bits);
		break;
	case PB_UINT32:
	case PB_FIXED32:
		set(value, SCALAR_INT, (uint32_t)item->bits);
		break;
	case PB_SINT32:
		set(value, SCALAR_INT,
		    (int32_t)wire_unzigzag((uint32_t)item->bits));
		break;
	case PB_SINT64:
		set(value, SCALAR_INT, wire_unzigzag(item->bits));
		break;
	case PB_BOOL:
		set(value, SCALAR_BOOL, item->bits != 0);
		break;
	case PB_ENUM:
		read_enum(field->values, (int32_t)item->bits, value);
		break;
	case PB_STRING:
	case PB_BYTES:
		value->kind = type == PB_STRING ? SCALAR_TEXT : SCALAR_BYTES;
		value->bytes = item->bytes;
		break;
	case PB_TIMESTAMP:
		return read_timestamp(item->bytes, value);
	default:
		value->kind = SCALAR_COMPOUND;
	}
	return NULL;
}

/* Fields that are not on the wire have what the schema says, except the time:
 * one that was not sent is missing. */
static void
presume(struct finder *finder, const struct wanted *node)
{
	for (node = node->below; node != NULL; node = node->next) {
		const struct protobuf_field *field = node->use;
		struct scalar *value;

		if (field == NULL || field->instead.ptr == NULL ||
		    node->slot == WANTED_NO_SLOT ||
		    node->slot == finder->time_slot)
			continue;
		value = &finder->values[node->slot];
		if (value->kind == SCALAR_ABSENT) {
			value->kind = SCALAR_TEXT;
			value->bytes = field->instead;
		}
	}
}

static const char *read_message(struct finder *finder,
    const struct wanted *node, struct secor_bytes bytes, int depth);

static const char *
read_item(struct finder *finder, const struct wanted *node,
    const struct protobuf_item *item, int depth)
{
	const struct protobuf_field *field = node->use;
	int type = field != NULL ? field->type : PB_BY_ENCODING;
	const char *why = NULL;

	if (type == PB_BY_ENCODING)
		type = type_by(item->encoding);
	else if (encoding_of(type) != item->encoding)
		return NULL;
	if (node->slot != WANTED_NO_SLOT)
		why =
		    read_scalar(item, type, field, &finder->values[node->slot]);
	if (why != NULL || node->below == NULL || item->bytes.ptr == NULL ||
	    (item->encoding != 2 && item->encoding != 3))
		return why;
	return read_message(finder, node, item->bytes, depth + 1);
}

/* As deep as the wanted paths. */
static const char *
read_message(struct finder *finder, const struct wanted *node,
    struct secor_bytes bytes, int depth)
{
	struct wire wire = wire_of(bytes);
	struct protobuf_item item;
	const char *why;

	if (depth == DEPTH_MAX)
		return NO "it is nested too deep";
	presume(finder, node);
	for (;;) {
		const struct wanted *below;

		item.bytes.ptr = NULL;
		if (!protobuf_next(&wire, &item, &why))
			return why;
		below = wanted_number(node, item.number);
		if (below != NULL)
			why = read_item(finder, below, &item, depth);
		if (why != NULL)
			return why;
	}
}

const char *
protobuf_read(struct finder *finder, struct secor_bytes bytes)
{
	return read_message(finder, &finder->root, bytes, 0);
}
