/*
 * codec_inflate.c -- gzip, zlib and bare deflate streams back to bytes.
 */
#include "plugins/common/codec.h"
#include "plugins/common/codec_engine.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_OR_ZLIB (15 + 32)
#define BARE (-15)

struct inflater {
	z_stream z; /* first */
	int bare;
};

static void *
inflate_open(int kind)
{
	struct inflater *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return NULL;
	made->bare = kind == CODEC_DEFLATE;
	if (inflateInit2(&made->z, made->bare ? BARE : GZIP_OR_ZLIB) != Z_OK) {
		free(made);
		return NULL;
	}
	return made;
}

static void
inflate_reset(void *state)
{
	(void)inflateReset(state);
}

static uInt
part(size_t len)
{
	return len < UINT32_MAX ? (uInt)len : UINT32_MAX;
}

static const char *
inflate_step(void *state, struct codec_io *io, int *inside)
{
	z_stream *z = state;
	uInt in = part(io->in_len), out = part(io->out_len);
	int rc;

	/* Nothing follows a bare one: some leave a piece of zlib's checksum. */
	if (!*inside && ((struct inflater *)state)->bare) {
		io->in_len = 0;
		return NULL;
	}
	if (!*inside) /* a member that follows another */
		(void)inflateReset(z);
	/* The library's pointer is not const; it only reads. */
	z->next_in = (Bytef *)(uintptr_t)io->in;
	z->avail_in = in;
	z->next_out = (Bytef *)io->out;
	z->avail_out = out;
	rc = inflate(z, Z_NO_FLUSH);
	*inside = rc != Z_STREAM_END;
	io->in += in - z->avail_in;
	io->in_len -= in - z->avail_in;
	io->out += out - z->avail_out;
	io->out_len -= out - z->avail_out;
	if (rc == Z_NEED_DICT)
		return "it needs a dictionary";
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return z->msg != NULL ? z->msg : "damaged";
	return NULL;
}

static void
inflate_close(void *state)
{
	(void)inflateEnd(state);
	free(state);
}

const struct codec_decoder codec_inflate = {
    "gzip or zlib", inflate_open, inflate_reset, inflate_step, inflate_close};
