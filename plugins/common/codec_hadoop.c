/*
 * codec_hadoop.c -- see codec_hadoop.h.
 */
#include "plugins/common/codec_hadoop.h"

#include <string.h>

/* No piece makes more than so many times its bytes (lz4: 255). */
#define MOST_RATIO 256

enum { AT_BLOCK, AT_LENGTH, AT_PIECE };

static void
set_be(char *to, size_t value)
{
	uint32_t v = __builtin_bswap32((uint32_t)value);

	memcpy(to, &v, sizeof(v));
}

static uint32_t
get_be(const char *from)
{
	uint32_t v;

	memcpy(&v, from, sizeof(v));
	return __builtin_bswap32(v);
}

int
codec_hadoop_block(struct codec_blocks *blocks,
    const struct codec_hadoop_packer *packer, const char *bytes, size_t len)
{
	size_t most = packer->most(len);
	char *to = grow_room(&blocks->out, 8 + most);
	size_t made = packer->pack(blocks->level, bytes, len, to + 8, most);

	if (made == 0)
		return -1;
	set_be(to, len);
	set_be(to + 4, made);
	blocks->out.len += 8 + made;
	return 0;
}

int
codec_hadoop_end(struct codec_blocks *blocks)
{
	static const char no_bytes[4];

	if (blocks->count == 0)
		grow_put(&blocks->out, no_bytes, sizeof(no_bytes));
	return 0;
}

static const char *
piece(struct codec_units *units, codec_hadoop_unpack_fn unpack,
    const struct codec_io *in)
{
	size_t most = in->in_len * MOST_RATIO;
	size_t room = units->left < most ? units->left : most;
	size_t made =
	    unpack(in->in, in->in_len, grow_room(&units->out, room), room);

	if (made == CODEC_HADOOP_DAMAGED)
		return "a block that is damaged";
	units->out.len += made;
	units->left -= (uint32_t)made;
	units->phase = units->left > 0 ? AT_LENGTH : AT_BLOCK;
	units->need = 4;
	return NULL;
}

const char *
codec_hadoop_unit(struct codec_units *units, codec_hadoop_unpack_fn unpack,
    const char *bytes, size_t len)
{
	const struct codec_io in = {bytes, len, NULL, 0};

	switch (units->phase) {
	case AT_BLOCK:
		units->left = get_be(bytes);
		units->phase = units->left > 0 ? AT_LENGTH : AT_BLOCK;
		return units->left <= CODEC_BLOCK_MAX
			   ? NULL
			   : "a block that is too large";
	case AT_LENGTH:
		units->need = get_be(bytes);
		units->phase = AT_PIECE;
		return units->need > 0 ? NULL : "a piece of no bytes";
	default:
		return piece(units, unpack, &in);
	}
}
