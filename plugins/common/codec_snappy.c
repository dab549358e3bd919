/*
 * codec_snappy.c -- snappy: the framing format, and the blocks of Hadoop's
 * SnappyCodec.
 *
 * Snappy has no levels, and neither of the two says where a stream ends: one
 * that was cut between two pieces reads as a shorter one.
 */
#include "plugins/common/codec.h"
#include "plugins/common/codec_blocks.h"
#include "plugins/common/codec_hadoop.h"
#include "plugins/common/crc32c.h"

#include <assert.h>
#include <snappy-c.h>
#include <string.h>

#define FRAME_SIZE ((size_t)65536)
#define HEAD 4
#define CRC 4

enum { PACKED = 0x00, PLAIN = 0x01, FIRST_SKIPPABLE = 0x80, BEGIN = 0xff };
enum { AT_HEAD, AT_BODY };

static const char stream_head[] = "\xff\x06\0\0sNaPpY";
#define STREAM_HEAD (sizeof(stream_head) - 1)

/* As the framing format wants it. */
static uint32_t
masked_crc(const char *bytes, size_t len)
{
	uint32_t crc = crc32c_more(0, bytes, len);

	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void
set_le(char *to, uint32_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(value >> (8 * i));
}

static uint32_t
get_le(const char *from, size_t n)
{
	uint32_t value = 0;

	for (size_t i = 0; i < n; i++)
		value |= (uint32_t)(unsigned char)from[i] << (8 * i);
	return value;
}

/* ---- writing ---- */

static int
frame_begin(struct codec_blocks *blocks)
{
	grow_put(&blocks->out, stream_head, STREAM_HEAD);
	return 0;
}

/* As plain bytes where that is not longer by an eighth, as others do. */
static int
frame_block(struct codec_blocks *blocks, const char *bytes, size_t len)
{
	size_t most = snappy_max_compressed_length(len);
	char *to = grow_room(&blocks->out, HEAD + CRC + most);
	char *body = to + HEAD + CRC;
	int plain;

	if (snappy_compress(bytes, len, body, &most) != SNAPPY_OK)
		return -1;
	plain = most >= len - len / 8;
	if (plain) {
		memcpy(body, bytes, len);
		most = len;
	}
	to[0] = plain ? PLAIN : PACKED;
	set_le(to + 1, (uint32_t)(CRC + most), 3);
	set_le(to + HEAD, masked_crc(bytes, len), CRC);
	blocks->out.len += HEAD + CRC + most;
	return 0;
}

static const struct codec_blocks_rule frame_rule = {
    FRAME_SIZE, frame_begin, frame_block, NULL};

static size_t
hadoop_most(size_t len)
{
	return snappy_max_compressed_length(len);
}

static size_t
hadoop_pack(int level, const char *bytes, size_t len, char *to, size_t room)
{
	(void)level;
	return snappy_compress(bytes, len, to, &room) == SNAPPY_OK ? room : 0;
}

static int
hadoop_block(struct codec_blocks *blocks, const char *bytes, size_t len)
{
	static const struct codec_hadoop_packer packer = {
	    hadoop_most, hadoop_pack};

	return codec_hadoop_block(blocks, &packer, bytes, len);
}

static const struct codec_blocks_rule hadoop_rule = {
    CODEC_HADOOP_SIZE, NULL, hadoop_block, codec_hadoop_end};

static size_t
snappy_bytes(int level)
{
	(void)level;
	return 4 * CODEC_HADOOP_SIZE;
}

static void *
snappy_open(int kind, int level)
{
	return codec_blocks_new(
	    kind == CODEC_SNAPPY ? &frame_rule : &hadoop_rule, level);
}

const struct codec_engine codec_snappy = {"snappy", snappy_bytes, snappy_open,
    codec_blocks_reset, codec_blocks_step, codec_blocks_free};

/* ---- reading ---- */

static const char *
frame_head(struct codec_units *units, const char *bytes)
{
	units->type = (unsigned char)bytes[0];
	units->need = get_le(bytes + 1, 3);
	units->phase = AT_BODY;
	if (!units->begun && units->type != BEGIN)
		return "it does not begin with a stream identifier";
	if (units->type == BEGIN)
		return units->need == STREAM_HEAD - HEAD
			   ? NULL
			   : "a stream identifier of another length";
	if (units->type >= FIRST_SKIPPABLE)
		return NULL;
	if (units->type > PLAIN)
		return "a chunk of a type that is not known";
	return units->need >= CRC ? NULL : "a chunk that is too short";
}

/* The bytes of a chunk to `out`. */
static const char *
frame_data(struct codec_units *units, const char *bytes, size_t len)
{
	size_t n = len - CRC;
	char *to;

	bytes += CRC;
	len -= CRC;
	if (units->type == PACKED &&
	    snappy_uncompressed_length(bytes, len, &n) != SNAPPY_OK)
		return "a chunk that is damaged";
	if (n > FRAME_SIZE)
		return "a chunk of more than 65536 bytes";
	to = grow_room(&units->out, n);
	if (units->type == PLAIN)
		memcpy(to, bytes, n);
	else if (snappy_uncompress(bytes, len, to, &n) != SNAPPY_OK)
		return "a chunk that is damaged";
	if (masked_crc(to, n) != get_le(bytes - CRC, CRC))
		return "a chunk with another checksum";
	units->out.len += n;
	return NULL;
}

static const char *
frame_unit(struct codec_units *units, const char *bytes, size_t len)
{
	if (units->phase == AT_HEAD)
		return frame_head(units, bytes);
	units->phase = AT_HEAD;
	units->need = HEAD;
	if (units->type == BEGIN)
		return memcmp(bytes, stream_head + HEAD, len) == 0
			   ? NULL
			   : "another stream identifier";
	return units->type >= FIRST_SKIPPABLE ? NULL
					      : frame_data(units, bytes, len);
}

static size_t
hadoop_unpack(const char *bytes, size_t len, char *to, size_t room)
{
	size_t n = 0;

	if (snappy_uncompressed_length(bytes, len, &n) != SNAPPY_OK ||
	    n > room || snappy_uncompress(bytes, len, to, &n) != SNAPPY_OK)
		return CODEC_HADOOP_DAMAGED;
	return n;
}

static const char *
hadoop_unit(struct codec_units *units, const char *bytes, size_t len)
{
	return codec_hadoop_unit(units, hadoop_unpack, bytes, len);
}

static void *
unsnappy_open(int kind)
{
	return kind == CODEC_SNAPPY ? codec_units_new(frame_unit, HEAD)
				    : codec_units_new(hadoop_unit, 4);
}

const struct codec_decoder codec_unsnappy = {"snappy", unsnappy_open,
    codec_units_reset, codec_units_step, codec_units_free};
