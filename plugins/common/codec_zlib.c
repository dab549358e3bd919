/*
 * codec_zlib.c -- gzip and zlib streams by zlib, levels 4 to 9.
 */
#include "plugins/common/codec.h"
#include "plugins/common/codec_engine.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#define WINDOW_BITS 15
#define GZIP_WRAP 16
#define MEM_LEVEL 8
#define OS_UNKNOWN 255

struct deflater {
	z_stream z;
	gz_header head;
};

static size_t
zlib_bytes(int level)
{
	(void)level;
	/* From zlib's own account of its memory. */
	return sizeof(struct deflater) + (1u << (WINDOW_BITS + 2)) +
	       (1u << (MEM_LEVEL + 9)) + 8192;
}

static void *
zlib_open(int kind, int level)
{
	struct deflater *d = calloc(1, sizeof(*d));
	int bits = kind == CODEC_GZIP	? WINDOW_BITS + GZIP_WRAP
		   : kind == CODEC_ZLIB ? WINDOW_BITS
					: -WINDOW_BITS;
	int rc;

	assert(d != NULL);
	rc = deflateInit2(
	    &d->z, level, Z_DEFLATED, bits, MEM_LEVEL, Z_DEFAULT_STRATEGY);
	assert(rc == Z_OK);
	if (kind == CODEC_GZIP) {
		/* zlib itself would write the system that it was built on. */
		d->head.os = OS_UNKNOWN;
		rc = deflateSetHeader(&d->z, &d->head);
		assert(rc == Z_OK);
	}
	return d;
}

static void
zlib_reset(void *state)
{
	struct deflater *d = state;
	int rc = deflateReset(&d->z);

	assert(rc == Z_OK);
}

static int
zlib_step(void *state, struct codec_io *io, int last, int *done)
{
	struct deflater *d = state;
	int rc;

	assert(io->in_len <= UINT32_MAX && io->out_len <= UINT32_MAX);
	/* The library's pointer is not const; it only reads. */
	d->z.next_in = (Bytef *)(uintptr_t)io->in;
	d->z.avail_in = (uInt)io->in_len;
	d->z.next_out = (Bytef *)io->out;
	d->z.avail_out = (uInt)io->out_len;
	rc = deflate(&d->z, last ? Z_FINISH : Z_NO_FLUSH);
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return rc;
	io->in += io->in_len - d->z.avail_in;
	io->in_len = d->z.avail_in;
	io->out += io->out_len - d->z.avail_out;
	io->out_len = d->z.avail_out;
	*done = last ? rc == Z_STREAM_END : io->in_len == 0 && io->out_len > 0;
	return 0;
}

static void
zlib_close(void *state)
{
	struct deflater *d = state;

	(void)deflateEnd(&d->z);
	free(d);
}

const struct codec_engine codec_zlib = {
    "zlib", zlib_bytes, zlib_open, zlib_reset, zlib_step, zlib_close};
