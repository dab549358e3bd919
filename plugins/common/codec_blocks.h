/*
 * codec_blocks.h -- compressors that work on blocks, and formats of blocks that
 * a reader finds by their lengths, as `codec_engine` and `codec_decoder` want
 * them: bytes are taken and given as there is room.
 *
 * Invariant: what a stream of blocks is made of depends on its bytes alone,
 * since a block is always cut at `size` bytes of the stream.
 */
#ifndef SECOR_COMMON_CODEC_BLOCKS_H
#define SECOR_COMMON_CODEC_BLOCKS_H

#include "plugins/common/codec_engine.h"
#include "plugins/common/grow.h"

#include <stdint.h>

/* What a piece of a file may be at most, before it is not believed. */
#define CODEC_BLOCK_MAX ((size_t)64 << 20)

/* ---- writing ---- */

struct codec_blocks;

struct codec_blocks_rule {
	size_t size; /* of a block */
	/* All append to `out`; 0, or the library's code. */
	int (*begin)(struct codec_blocks *blocks); /* or NULL */
	int (*block)(
	    struct codec_blocks *blocks, const char *bytes, size_t len);
	int (*end)(struct codec_blocks *blocks); /* or NULL */
};

struct codec_blocks {
	const struct codec_blocks_rule *rule;
	int level;
	void *work; /* of the rule */
	struct grow in, out;
	size_t given; /* bytes of `out` */
	uint64_t count;
	int begun, ended;
};

struct codec_blocks *
codec_blocks_new(const struct codec_blocks_rule *rule, int level);
void codec_blocks_reset(void *blocks);
int codec_blocks_step(void *blocks, struct codec_io *io, int last, int *done);
void codec_blocks_free(void *blocks);

/* ---- reading ---- */

struct codec_units;

/* A unit is whole: appends to `out` and says by `need` and `phase` what comes
 * next. NULL, or what is wrong with it. */
typedef const char *(*codec_unit_fn)(
    struct codec_units *units, const char *bytes, size_t len);

struct codec_units {
	codec_unit_fn unit;
	size_t head; /* bytes of what every unit begins with */
	size_t need;
	int phase;	     /* 0: between units, where a stream may end */
	int begun;	     /* a stream of no unit at all is none */
	uint32_t type, left; /* of the format */
	struct grow in, out;
	size_t given;
};

struct codec_units *codec_units_new(codec_unit_fn unit, size_t head);
void codec_units_reset(void *units);
const char *codec_units_step(void *units, struct codec_io *io, int *inside);
void codec_units_free(void *units);

#endif
