/*
 * codec_bzip2.c -- bzip2 streams. The level is the size of a block in 100 KB.
 */
#include "plugins/common/codec.h"
#include "plugins/common/codec_engine.h"

#include <assert.h>
#include <bzlib.h>
#include <stdlib.h>

#define BLOCK_UNIT ((size_t)100000)
#define WORK_FACTOR 0 /* the library's own */

struct bzip2 {
	bz_stream z;
	int level;
};

/* From the manual: 400 KB and eight times the block. */
static size_t
bzip2_bytes(int level)
{
	return sizeof(struct bzip2) + 4 * BLOCK_UNIT +
	       8 * BLOCK_UNIT * (size_t)level;
}

static void
begin(struct bzip2 *b)
{
	int rc;

	b->z = (bz_stream){0};
	rc = BZ2_bzCompressInit(&b->z, b->level, 0, WORK_FACTOR);
	assert(rc == BZ_OK);
}

static void *
bzip2_open(int kind, int level)
{
	struct bzip2 *b = calloc(1, sizeof(*b));

	(void)kind;
	assert(b != NULL);
	b->level = level;
	begin(b);
	return b;
}

static void
bzip2_reset(void *state)
{
	struct bzip2 *b = state;

	(void)BZ2_bzCompressEnd(&b->z);
	begin(b);
}

static void
bzip2_close(void *state)
{
	struct bzip2 *b = state;

	(void)BZ2_bzCompressEnd(&b->z);
	free(b);
}

static unsigned
part(size_t len)
{
	return len < UINT32_MAX ? (unsigned)len : UINT32_MAX;
}

static void
lend(bz_stream *z, const struct codec_io *io)
{
	/* The library's pointer is not const; it only reads. */
	z->next_in = (char *)(uintptr_t)io->in;
	z->avail_in = part(io->in_len);
	z->next_out = io->out;
	z->avail_out = part(io->out_len);
}

static void
move_on(const bz_stream *z, struct codec_io *io)
{
	io->in_len -= (size_t)(z->next_in - io->in);
	io->in = z->next_in;
	io->out_len -= (size_t)(z->next_out - io->out);
	io->out = z->next_out;
}

static int
bzip2_step(void *state, struct codec_io *io, int last, int *done)
{
	struct bzip2 *b = state;
	int rc;

	lend(&b->z, io);
	if (last) {
		rc = BZ2_bzCompress(&b->z, BZ_FINISH);
		if (rc != BZ_FINISH_OK && rc != BZ_STREAM_END)
			return rc;
	} else {
		rc = BZ2_bzCompress(&b->z, BZ_RUN);
		if (rc != BZ_RUN_OK)
			return rc;
	}
	move_on(&b->z, io);
	*done = last ? rc == BZ_STREAM_END : io->in_len == 0 && io->out_len > 0;
	return 0;
}

const struct codec_engine codec_bzip2 = {
    "bzip2", bzip2_bytes, bzip2_open, bzip2_reset, bzip2_step, bzip2_close};

/* ---- reading ---- */

static void *
unbzip2_open(int kind)
{
	bz_stream *z = calloc(1, sizeof(*z));

	(void)kind;
	if (z != NULL && BZ2_bzDecompressInit(z, 0, 0) != BZ_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static void
unbzip2_reset(void *state)
{
	bz_stream *z = state;
	int rc;

	(void)BZ2_bzDecompressEnd(z);
	*z = (bz_stream){0};
	rc = BZ2_bzDecompressInit(z, 0, 0);
	assert(rc == BZ_OK);
}

static const char *
unbzip2_step(void *state, struct codec_io *io, int *inside)
{
	bz_stream *z = state;
	int rc;

	if (!*inside) /* a stream that follows another */
		unbzip2_reset(z);
	lend(z, io);
	rc = BZ2_bzDecompress(z);
	if (rc != BZ_OK && rc != BZ_STREAM_END)
		return "damaged";
	move_on(z, io);
	*inside = rc != BZ_STREAM_END;
	return NULL;
}

static void
unbzip2_close(void *state)
{
	(void)BZ2_bzDecompressEnd(state);
	free(state);
}

const struct codec_decoder codec_unbzip2 = {
    "bzip2", unbzip2_open, unbzip2_reset, unbzip2_step, unbzip2_close};
