/*
 * key.c -- keys of records: the offset as a LongWritable, or, as the Secor in
 * Java had it, a MessagePack map in a BytesWritable:
 *
 *	{ 1: offset, 3: timestamp in ms, 2: key }
 *
 * in this order; no 3 without a timestamp, no 2 for a key that is missing or
 * empty; integers in their shortest form.
 */
#include "plugins/format/sequencefile/sequencefile.h"

#include <string.h>

#define NO_TIMESTAMP (-1) /* as Kafka writes it */

enum { OFFSET = 1, KEY = 2, TIMESTAMP = 3 };

static char *
put_be(char *to, char type, uint64_t value, size_t n)
{
	*to++ = type;
	while (n-- > 0)
		*to++ = (char)(value >> (8 * n));
	return to;
}

/* A negative one: fixint, d0 to d3. */
static char *
put_negative(char *to, int64_t value)
{
	if (value >= -32)
		return put_be(to, (char)value, 0, 0);
	if (value >= INT8_MIN)
		return put_be(to, '\xd0', (uint64_t)value, 1);
	if (value >= INT16_MIN)
		return put_be(to, '\xd1', (uint64_t)value, 2);
	if (value >= INT32_MIN)
		return put_be(to, '\xd2', (uint64_t)value, 4);
	return put_be(to, '\xd3', (uint64_t)value, 8);
}

static char *
put_int(char *to, int64_t value)
{
	if (value < 0)
		return put_negative(to, value);
	if (value <= INT8_MAX)
		return put_be(to, (char)value, 0, 0);
	if (value <= UINT8_MAX)
		return put_be(to, '\xcc', (uint64_t)value, 1);
	if (value <= UINT16_MAX)
		return put_be(to, '\xcd', (uint64_t)value, 2);
	if (value <= UINT32_MAX)
		return put_be(to, '\xce', (uint64_t)value, 4);
	return put_be(to, '\xcf', (uint64_t)value, 8);
}

static char *
put_bin_head(char *to, size_t len)
{
	if (len <= UINT8_MAX)
		return put_be(to, '\xc4', len, 1);
	if (len <= UINT16_MAX)
		return put_be(to, '\xc5', len, 2);
	return put_be(to, '\xc6', len, 4);
}

static int
has_time(const struct secor_message *message)
{
	return message->timestamp_ms != SECOR_NO_TIME &&
	       message->timestamp_ms != NO_TIMESTAMP;
}

/* All but the bytes of the key; how many. */
static size_t
put_map(const struct secor_message *message, char *to)
{
	char *begin = to;

	*to++ = (char)(0x81 + has_time(message) + (message->key.len > 0));
	*to++ = OFFSET;
	to = put_int(to, message->offset);
	if (has_time(message)) {
		*to++ = TIMESTAMP;
		to = put_int(to, message->timestamp_ms);
	}
	if (message->key.len > 0) {
		*to++ = KEY;
		to = put_bin_head(to, message->key.len);
	}
	return (size_t)(to - begin);
}

size_t
seq_map_head(const struct secor_message *message, char *to)
{
	size_t n = put_map(message, to + 4);

	seq_set32(to, (uint32_t)(n + message->key.len));
	return 4 + n;
}

/* ---- reading ---- */

struct rest {
	const unsigned char *ptr;
	size_t len;
};

static int
get_be(struct rest *rest, size_t n, uint64_t *value)
{
	if (rest->len < n)
		return 0;
	*value = 0;
	for (size_t i = 0; i < n; i++)
		*value = *value << 8 | rest->ptr[i];
	rest->ptr += n;
	rest->len -= n;
	return 1;
}

static int
get_int(struct rest *rest, int64_t *value)
{
	uint64_t type, bits;
	size_t n;

	if (!get_be(rest, 1, &type))
		return 0;
	if (type <= 0x7f || type >= 0xe0) {
		*value = (signed char)type;
		return 1;
	}
	if (type < 0xcc || type > 0xd3)
		return 0;
	n = (size_t)1 << (type & 3);
	if (!get_be(rest, n, &bits) || (type == 0xcf && bits > INT64_MAX))
		return 0;
	if (type >= 0xd0 && n < 8 && (bits >> (8 * n - 1)) != 0)
		bits |= ~UINT64_C(0) << (8 * n); /* the sign */
	*value = (int64_t)bits;
	return 1;
}

static int
get_bin(struct rest *rest, struct secor_bytes *bytes)
{
	uint64_t type, len;

	if (!get_be(rest, 1, &type) || type < 0xc4 || type > 0xc6 ||
	    !get_be(rest, (size_t)1 << (type - 0xc4), &len) || len > rest->len)
		return 0;
	*bytes = (struct secor_bytes){(const char *)rest->ptr, (size_t)len};
	rest->ptr += len;
	rest->len -= (size_t)len;
	return 1;
}

static int
get_member(struct rest *rest, struct secor_read_record *record)
{
	uint64_t name;

	if (!get_be(rest, 1, &name))
		return 0;
	switch (name) {
	case OFFSET:
		record->has_offset = 1;
		return get_int(rest, &record->offset);
	case TIMESTAMP:
		record->has_timestamp = 1;
		return get_int(rest, &record->timestamp_ms);
	case KEY:
		return get_bin(rest, &record->key);
	default:
		return 0;
	}
}

int
seq_key_map(const struct secor_bytes *key, struct secor_read_record *record)
{
	struct rest rest = {(const unsigned char *)key->ptr, key->len};
	struct secor_read_record found = {
	    .size = record->size, .has_key = 1, .value = record->value};
	uint64_t head = 0;
	int good = get_be(&rest, 1, &head) && head >= 0x81 && head <= 0x83;

	for (uint64_t i = 0x80; good && i < head; i++)
		good = get_member(&rest, &found);
	if (!good || rest.len > 0 || !found.has_offset)
		return 0;
	*record = found;
	return 1;
}
