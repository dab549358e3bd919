/*
 * codec_lz4.c -- lz4: frames with their checksum, and the blocks of Hadoop's
 * Lz4Codec (which say nowhere where a stream ends: one that was cut between two
 * blocks reads as a shorter one). Levels 1 and 2 are the fast compressor.
 */
#include "plugins/common/codec.h"
#include "plugins/common/codec_blocks.h"
#include "plugins/common/codec_hadoop.h"

#include <assert.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BLOCK ((size_t)65536)
#define FIRST_HC_LEVEL 3

/* ---- frames ---- */

static LZ4F_preferences_t
preferences(int level)
{
	LZ4F_preferences_t p;

	memset(&p, 0, sizeof(p));
	p.frameInfo.blockSizeID = LZ4F_max64KB;
	p.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	p.autoFlush = 1;
	/* 1 is what lz4's own program calls -1. */
	p.compressionLevel = level < FIRST_HC_LEVEL ? 0 : level;
	return p;
}

/* What was made, or the library's code. */
static int
made(struct codec_blocks *blocks, size_t n)
{
	if (LZ4F_isError(n))
		return (int)(0 - n);
	blocks->out.len += n;
	return 0;
}

/* With a state of its own: one that was used finds other matches. */
static int
frame_begin(struct codec_blocks *blocks)
{
	LZ4F_preferences_t p = preferences(blocks->level);
	LZ4F_cctx *context = blocks->work;
	LZ4F_errorCode_t rc;

	(void)LZ4F_freeCompressionContext(context);
	blocks->work = NULL;
	rc = LZ4F_createCompressionContext(&context, LZ4F_VERSION);
	assert(!LZ4F_isError(rc));
	blocks->work = context;
	return made(blocks, LZ4F_compressBegin(context,
				grow_room(&blocks->out, LZ4F_HEADER_SIZE_MAX),
				LZ4F_HEADER_SIZE_MAX, &p));
}

static int
frame_block(struct codec_blocks *blocks, const char *bytes, size_t len)
{
	LZ4F_preferences_t p = preferences(blocks->level);
	size_t most = LZ4F_compressBound(len, &p);

	return made(
	    blocks, LZ4F_compressUpdate(blocks->work,
			grow_room(&blocks->out, most), most, bytes, len, NULL));
}

static int
frame_end(struct codec_blocks *blocks)
{
	LZ4F_preferences_t p = preferences(blocks->level);
	size_t most = LZ4F_compressBound(0, &p);

	return made(blocks, LZ4F_compressEnd(blocks->work,
				grow_room(&blocks->out, most), most, NULL));
}

static const struct codec_blocks_rule frame_rule = {
    FRAME_BLOCK, frame_begin, frame_block, frame_end};

/* ---- Hadoop's blocks ---- */

static size_t
hadoop_most(size_t len)
{
	return (size_t)LZ4_compressBound((int)len);
}

static size_t
hadoop_pack(int level, const char *bytes, size_t len, char *to, size_t room)
{
	int n = level < FIRST_HC_LEVEL
		    ? LZ4_compress_default(bytes, to, (int)len, (int)room)
		    : LZ4_compress_HC(bytes, to, (int)len, (int)room, level);

	return n > 0 ? (size_t)n : 0;
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
lz4_bytes(int level)
{
	size_t state = level < FIRST_HC_LEVEL ? sizeof(LZ4_stream_t)
					      : sizeof(LZ4_streamHC_t);

	return state + 4 * CODEC_HADOOP_SIZE;
}

static void *
lz4_open(int kind, int level)
{
	return codec_blocks_new(
	    kind == CODEC_LZ4 ? &frame_rule : &hadoop_rule, level);
}

static void
lz4_close(void *state)
{
	struct codec_blocks *blocks = state;

	(void)LZ4F_freeCompressionContext(blocks->work);
	codec_blocks_free(blocks);
}

const struct codec_engine codec_lz4 = {"lz4", lz4_bytes, lz4_open,
    codec_blocks_reset, codec_blocks_step, lz4_close};

/* ---- reading ---- */

static void *
unframe_open(int kind)
{
	LZ4F_dctx *context = NULL;

	(void)kind;
	return LZ4F_isError(
		   LZ4F_createDecompressionContext(&context, LZ4F_VERSION))
		   ? NULL
		   : context;
}

static void
unframe_reset(void *state)
{
	LZ4F_resetDecompressionContext(state);
}

static const char *
unframe_step(void *state, struct codec_io *io, int *inside)
{
	size_t in = io->in_len, out = io->out_len;
	size_t rc = LZ4F_decompress(state, io->out, &out, io->in, &in, NULL);

	if (LZ4F_isError(rc)) {
		LZ4F_resetDecompressionContext(state);
		return LZ4F_getErrorName(rc);
	}
	io->in += in;
	io->in_len -= in;
	io->out += out;
	io->out_len -= out;
	*inside = rc != 0;
	return NULL;
}

static void
unframe_close(void *state)
{
	(void)LZ4F_freeDecompressionContext(state);
}

const struct codec_decoder codec_unlz4 = {
    "lz4", unframe_open, unframe_reset, unframe_step, unframe_close};

static size_t
hadoop_unpack(const char *bytes, size_t len, char *to, size_t room)
{
	int n = LZ4_decompress_safe(bytes, to, (int)len, (int)room);

	return n < 0 ? CODEC_HADOOP_DAMAGED : (size_t)n;
}

static const char *
hadoop_unit(struct codec_units *units, const char *bytes, size_t len)
{
	return codec_hadoop_unit(units, hadoop_unpack, bytes, len);
}

static void *
unhadoop_open(int kind)
{
	(void)kind;
	return codec_units_new(hadoop_unit, 4);
}

const struct codec_decoder codec_unlz4_hadoop = {"lz4 (Hadoop)", unhadoop_open,
    codec_units_reset, codec_units_step, codec_units_free};
