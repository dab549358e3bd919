/*
 * codec_zstd.c -- zstd frames with their checksum.
 */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_estimateCStreamSize, literals */
#include "plugins/common/codec.h"
#include "plugins/common/codec_engine.h"

#include <assert.h>
#include <zstd.h>
#include <zstd_errors.h>

static size_t
zstd_bytes(int level)
{
	return ZSTD_estimateCStreamSize(level);
}

static void
set(ZSTD_CCtx *c, ZSTD_cParameter parameter, int value)
{
	size_t rc = ZSTD_CCtx_setParameter(c, parameter, value);

	assert(!ZSTD_isError(rc));
}

/* Level 1 has a table of 64 KiB, which pushes everything else out of the
 * processor's first cache, and looks for a match at every second byte. Half the
 * table, as the levels below 1 have, and every third byte take a fifth less for
 * messages with numbers and identifiers in them and make files of the same
 * size; of other text files of up to 6 % more. Those levels leave literals as
 * they are, too: that would cost a third of the size. */
static void
hurry(ZSTD_CCtx *c)
{
	set(c, ZSTD_c_hashLog, 13);
	set(c, ZSTD_c_targetLength, 2);
	set(c, ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
}

static void *
zstd_open(int kind, int level)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();

	(void)kind;
	assert(c != NULL);
	set(c, ZSTD_c_compressionLevel, level);
	set(c, ZSTD_c_checksumFlag, 1);
	if (level == 1)
		hurry(c);
	return c;
}

static void
zstd_reset(void *state)
{
	size_t rc = ZSTD_CCtx_reset(state, ZSTD_reset_session_only);

	assert(!ZSTD_isError(rc));
}

static int
zstd_step(void *state, struct codec_io *io, int last, int *done)
{
	ZSTD_inBuffer in = {io->in, io->in_len, 0};
	ZSTD_outBuffer out = {io->out, io->out_len, 0};
	size_t left = ZSTD_compressStream2(
	    state, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);

	if (ZSTD_isError(left))
		return (int)ZSTD_getErrorCode(left);
	io->in += in.pos;
	io->in_len -= in.pos;
	io->out += out.pos;
	io->out_len -= out.pos;
	*done = last ? left == 0 : io->in_len == 0 && io->out_len > 0;
	return 0;
}

static void
zstd_close(void *state)
{
	(void)ZSTD_freeCCtx(state);
}

const struct codec_engine codec_zstd = {
    "zstd", zstd_bytes, zstd_open, zstd_reset, zstd_step, zstd_close};

/* ---- reading ---- */

static void *
unzstd_open(int kind)
{
	(void)kind;
	return ZSTD_createDCtx();
}

static void
unzstd_reset(void *state)
{
	(void)ZSTD_DCtx_reset(state, ZSTD_reset_session_only);
}

static const char *
unzstd_step(void *state, struct codec_io *io, int *inside)
{
	ZSTD_inBuffer in = {io->in, io->in_len, 0};
	ZSTD_outBuffer out = {io->out, io->out_len, 0};
	size_t left = ZSTD_decompressStream(state, &out, &in);

	if (ZSTD_isError(left))
		return ZSTD_getErrorName(left);
	io->in += in.pos;
	io->in_len -= in.pos;
	io->out += out.pos;
	io->out_len -= out.pos;
	*inside = left != 0;
	return NULL;
}

static void
unzstd_close(void *state)
{
	(void)ZSTD_freeDCtx(state);
}

const struct codec_decoder codec_unzstd = {
    "zstd", unzstd_open, unzstd_reset, unzstd_step, unzstd_close};
