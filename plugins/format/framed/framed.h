/*
 * framed.h -- messages as they were: what the files of this plugin share.
 *
 *	file   = magic, u32 n, about (n bytes), u32 crc, { frame }, end
 *	about  = i32 partition, i64 start, topic
 *	frame  = u32 n (not 0), body (n bytes), u32 crc
 *	body   = u8 flags, u8 timestamp type, u16 0, u32 headers,
 *	         i64 offset, i64 timestamp, u32 k, u32 v, key (k bytes),
 *	         value (v bytes), { header }
 *	header = u32 n, u32 v (2^32 - 1: null), name (n bytes), value (v bytes)
 *	end    = u32 0, "SECOREND"
 *
 * little-endian, through one compressor; each crc is the CRC-32C of what its
 * length counts. Files may follow one another.
 */
#ifndef SECOR_FORMAT_FRAMED_H
#define SECOR_FORMAT_FRAMED_H

#include <secor/format.h>

#include "plugins/common/codec.h"

#include <endian.h>
#include <string.h>

#define FRAMED_MAGIC "SECORFR1"
#define FRAMED_END "\0\0\0\0SECOREND"
#define FRAMED_MARK 8 /* bytes of either word */
#define FRAMED_ABOUT 12
#define FRAMED_HEAD 32 /* of a body */
#define FRAMED_NULL UINT32_MAX
#define FRAMED_MAX ((size_t)1 << 30) /* of a body */

enum { FRAMED_HAS_KEY = 1, FRAMED_HAS_VALUE = 2, FRAMED_HAS_TIME = 4 };

struct framed_conf {
	int compression;
	int64_t level;
};

/* An instance. */
struct framed {
	const struct framed_conf *conf;
	struct codec *codec;
};

static inline char *
framed_put32(char *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
	return to + sizeof(value);
}

static inline char *
framed_put64(char *to, int64_t value)
{
	uint64_t bits = htole64((uint64_t)value);

	memcpy(to, &bits, sizeof(bits));
	return to + sizeof(bits);
}

static inline uint32_t
framed_get32(const char *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

static inline int64_t
framed_get64(const char *from)
{
	uint64_t bits;

	memcpy(&bits, from, sizeof(bits));
	return (int64_t)le64toh(bits);
}

/* The slots of the reader. */
int framed_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err);
int framed_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err);
void framed_read_end(void *reader);

#endif
