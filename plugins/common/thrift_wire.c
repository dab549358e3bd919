/*
 * thrift_wire.c -- see thrift_wire.h. Numbers are big-endian; lengths and
 * counts are signed 32 bits. No recursion without a bound, no count believed
 * before its bytes are there.
 */
#include "plugins/common/thrift_wire.h"

#define STRICT UINT32_C(0x80010000) /* version 1, the kind in the last byte */

/* ---- writing ---- */

static void
put_number(struct text *to, uint64_t value, int size)
{
	char bytes[8];

	for (int i = size; i > 0; i--, value >>= 8)
		bytes[i - 1] = (char)(value & 0xff);
	text_add(to, bytes, (size_t)size);
}

void
thrift_put_field(struct text *to, enum thrift_type type, int id)
{
	put_number(to, type, 1);
	put_number(to, (uint64_t)id, 2);
}

void
thrift_put_stop(struct text *to)
{
	put_number(to, THRIFT_STOP, 1);
}

void
thrift_put_bool(struct text *to, int value)
{
	put_number(to, value != 0, 1);
}

void
thrift_put_i32(struct text *to, int32_t value)
{
	put_number(to, (uint32_t)value, 4);
}

void
thrift_put_bytes(struct text *to, const void *bytes, size_t len)
{
	if (len > THRIFT_MOST) { /* nobody would take it */
		to->failed = 1;
		return;
	}
	put_number(to, len, 4);
	text_add(to, bytes, len);
}

void
thrift_put_string(struct text *to, const char *string)
{
	thrift_put_bytes(to, string, strlen(string));
}

void
thrift_put_list(struct text *to, enum thrift_type of, size_t count)
{
	put_number(to, of, 1);
	put_number(to, count, 4);
}

void
thrift_put_map(struct text *to, size_t count)
{
	put_number(to, THRIFT_STRING, 1);
	thrift_put_list(to, THRIFT_STRING, count);
}

void
thrift_put_raw(struct text *to, struct wire bytes)
{
	text_add(to, (const char *)bytes.at, wire_left(&bytes));
}

void
thrift_put_string_field(struct text *to, int id, const char *string)
{
	thrift_put_field(to, THRIFT_STRING, id);
	thrift_put_string(to, string);
}

void
thrift_put_call(struct text *to, const char *method, int32_t sequence)
{
	put_number(to, STRICT | THRIFT_CALL, 4);
	thrift_put_string(to, method);
	thrift_put_i32(to, sequence);
}

/* ---- reading ---- */

/* A length or a count, which stands for as many bytes at least. */
static enum thrift_read
read_count(struct wire *wire, uint32_t *count)
{
	uint64_t value;

	if (!wire_big(wire, 4, &value))
		return THRIFT_SHORT;
	*count = (uint32_t)value;
	return value > THRIFT_MOST ? THRIFT_BAD : THRIFT_WHOLE;
}

static enum thrift_read
skip_bytes(struct wire *wire, uint64_t n)
{
	return wire_take(wire, n) == NULL ? THRIFT_SHORT : THRIFT_WHOLE;
}

static enum thrift_read skip(struct wire *wire, int type, int depth);

static enum thrift_read
skip_string(struct wire *wire)
{
	uint32_t n;
	enum thrift_read rc = read_count(wire, &n);

	return rc == THRIFT_WHOLE ? skip_bytes(wire, n) : rc;
}

static enum thrift_read
skip_struct(struct wire *wire, int depth)
{
	enum thrift_read rc = THRIFT_WHOLE;
	uint64_t type, id;

	while (rc == THRIFT_WHOLE) {
		if (!wire_big(wire, 1, &type))
			return THRIFT_SHORT;
		if (type == THRIFT_STOP)
			return THRIFT_WHOLE;
		if (!wire_big(wire, 2, &id))
			return THRIFT_SHORT;
		rc = skip(wire, (int)type, depth);
	}
	return rc;
}

static enum thrift_read
skip_many(struct wire *wire, int is_map, int depth)
{
	uint64_t key = THRIFT_STOP, value;
	enum thrift_read rc;
	uint32_t n;

	if ((is_map && !wire_big(wire, 1, &key)) || !wire_big(wire, 1, &value))
		return THRIFT_SHORT;
	rc = read_count(wire, &n);
	for (uint32_t i = 0; rc == THRIFT_WHOLE && i < n; i++) {
		if (is_map)
			rc = skip(wire, (int)key, depth);
		if (rc == THRIFT_WHOLE)
			rc = skip(wire, (int)value, depth);
	}
	return rc;
}

static enum thrift_read
skip(struct wire *wire, int type, int depth)
{
	if (depth == 0)
		return THRIFT_BAD;
	switch (type) {
	case THRIFT_BOOL:
	case THRIFT_BYTE:
		return skip_bytes(wire, 1);
	case THRIFT_I16:
		return skip_bytes(wire, 2);
	case THRIFT_I32:
		return skip_bytes(wire, 4);
	case THRIFT_I64:
	case THRIFT_DOUBLE:
		return skip_bytes(wire, 8);
	case THRIFT_STRING:
		return skip_string(wire);
	case THRIFT_STRUCT:
		return skip_struct(wire, depth - 1);
	case THRIFT_MAP:
	case THRIFT_SET:
	case THRIFT_LIST:
		return skip_many(wire, type == THRIFT_MAP, depth - 1);
	default:
		return THRIFT_BAD;
	}
}

enum thrift_read
thrift_skip(struct wire *wire, int type)
{
	return skip(wire, type, THRIFT_DEEPEST);
}

enum thrift_read
thrift_message(struct secor_bytes bytes, struct thrift_message *message)
{
	struct wire wire = wire_of(bytes);
	uint64_t head, sequence;
	enum thrift_read rc;
	uint32_t n;

	if (!wire_big(&wire, 4, &head))
		return THRIFT_SHORT;
	if ((head & UINT32_C(0xffffff00)) != STRICT)
		return THRIFT_BAD;
	rc = read_count(&wire, &n);
	if (rc != THRIFT_WHOLE)
		return rc;
	message->kind = (int)(head & 0xff);
	message->method = (struct secor_bytes){(const char *)wire.at, n};
	if (wire_take(&wire, n) == NULL || !wire_big(&wire, 4, &sequence))
		return THRIFT_SHORT;
	message->sequence = (int32_t)(uint32_t)sequence;
	message->body = wire;
	rc = thrift_skip(&wire, THRIFT_STRUCT);
	message->body.end = wire.at;
	message->length = bytes.len - wire_left(&wire);
	return rc;
}

int
thrift_next(struct wire *structure, struct thrift_field *field)
{
	struct wire at = *structure;
	uint64_t type, id;

	if (!wire_big(&at, 1, &type) || type == THRIFT_STOP ||
	    !wire_big(&at, 2, &id))
		return 0;
	field->type = (int)type;
	field->id = (int16_t)(uint16_t)id;
	field->value.at = at.at;
	if (thrift_skip(&at, field->type) != THRIFT_WHOLE)
		return 0;
	field->value.end = at.at;
	field->whole = (struct wire){structure->at, at.at};
	*structure = at;
	return 1;
}

int
thrift_find(struct wire structure, int id, int type, struct wire *value)
{
	struct thrift_field field;

	while (thrift_next(&structure, &field))
		if (field.id == id && field.type == type) {
			*value = field.value;
			return 1;
		}
	return 0;
}

int
thrift_bytes(struct wire *value, struct secor_bytes *bytes)
{
	const uint8_t *at;
	uint32_t n;

	if (read_count(value, &n) != THRIFT_WHOLE)
		return 0;
	at = wire_take(value, n);
	if (at == NULL)
		return 0;
	*bytes = (struct secor_bytes){(const char *)at, n};
	return 1;
}

int
thrift_list(struct wire *value, int of, uint32_t *count)
{
	uint64_t type;

	return wire_big(value, 1, &type) &&
	       read_count(value, count) == THRIFT_WHOLE &&
	       ((int)type == of || *count == 0);
}

int
thrift_map(struct wire *value, uint32_t *count)
{
	uint64_t type;

	return wire_big(value, 1, &type) &&
	       thrift_list(value, THRIFT_STRING, count) &&
	       (type == THRIFT_STRING || *count == 0);
}
