/*
 * codec_hadoop.h -- the blocks of Hadoop's SnappyCodec and Lz4Codec:
 *
 *	u32 bytes of the block, { u32 bytes packed, packed }..., and so on
 *
 * big-endian; the packed pieces of a block make up its bytes. A block of no
 * bytes ends a stream; Hadoop writes it only where there is no other.
 */
#ifndef SECOR_COMMON_CODEC_HADOOP_H
#define SECOR_COMMON_CODEC_HADOOP_H

#include "plugins/common/codec_blocks.h"

/* Of a block; packed it fits the 256 KiB that Hadoop's readers have room for.
 */
#define CODEC_HADOOP_SIZE ((size_t)131072)

struct codec_hadoop_packer {
	size_t (*most)(size_t len);
	/* The bytes made; 0: it failed. */
	size_t (*pack)(
	    int level, const char *bytes, size_t len, char *to, size_t room);
};

int codec_hadoop_block(struct codec_blocks *blocks,
    const struct codec_hadoop_packer *packer, const char *bytes, size_t len);
int codec_hadoop_end(struct codec_blocks *blocks);

/* One piece to `to`, `room` bytes at most: what it made. */
#define CODEC_HADOOP_DAMAGED SIZE_MAX
typedef size_t (*codec_hadoop_unpack_fn)(
    const char *bytes, size_t len, char *to, size_t room);

const char *codec_hadoop_unit(struct codec_units *units,
    codec_hadoop_unpack_fn unpack, const char *bytes, size_t len);

#endif
