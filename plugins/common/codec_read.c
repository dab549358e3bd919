/*
 * codec_read.c -- compressed streams back to bytes. Invariant: the end is only
 * reported when the compressed stream said that it ends, so a file that was cut
 * short is never read as a whole one.
 */
#include "plugins/common/codec.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define IN_ROOM ((size_t)65536)
#define GZIP_OR_ZLIB (15 + 32)
#define UNPACK_STEP ((size_t)65536)

struct codec_reader {
	struct secor_source source; /* what it gives; first */
	struct secor_source *from;
	int kind;
	int inside;	   /* a member has begun, or none was seen */
	uint64_t consumed; /* bytes of `from` */
	const char *in;
	size_t in_len;
	z_stream z;
	ZSTD_DCtx *zstd;
	char room[IN_ROOM];
};

/* Bytes in memory as a source. */
struct memory {
	struct secor_source source;
	struct secor_bytes rest;
};

static int
memory_get(struct secor_source *source, void *bytes, size_t room, size_t *got,
    struct secor_err *err)
{
	struct memory *memory = (struct memory *)source;
	size_t n = memory->rest.len < room ? memory->rest.len : room;

	(void)err;
	if (n > 0)
		memcpy(bytes, memory->rest.ptr, n);
	memory->rest.ptr += n;
	memory->rest.len -= n;
	*got = n;
	return SECOR_OK;
}

static int
broken(
    const struct codec_reader *reader, const char *what, struct secor_err *err)
{
	return secor_fail(err, SECOR_REJECT,
	    "byte %" PRIu64 ": not a %s stream: %s", reader->consumed,
	    reader->kind == CODEC_ZSTD ? "zstd" : "gzip or zlib", what);
}

/* Both steps: take from `in`, write at `out`, *made of `room`; they know by
 * themselves whether a member has ended. */
static int
step_zlib(struct codec_reader *reader, char *out, size_t room, size_t *made,
    struct secor_err *err)
{
	z_stream *z = &reader->z;
	int rc;

	/* A member that follows another. */
	if (!reader->inside && inflateReset(z) != Z_OK)
		return secor_fail(err, SECOR_FATAL, "zlib: cannot reset");
	/* The library's pointer is not const; it only reads. */
	z->next_in = (Bytef *)(uintptr_t)reader->in;
	z->avail_in = (uInt)reader->in_len;
	z->next_out = (Bytef *)out;
	z->avail_out = (uInt)room;
	rc = inflate(z, Z_NO_FLUSH);
	reader->inside = rc != Z_STREAM_END;
	reader->consumed += reader->in_len - z->avail_in;
	reader->in += reader->in_len - z->avail_in;
	reader->in_len = z->avail_in;
	*made = room - z->avail_out;
	if (rc == Z_NEED_DICT)
		return broken(reader, "it needs a dictionary", err);
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return broken(reader, z->msg ? z->msg : "damaged", err);
	return SECOR_OK;
}

static int
step_zstd(struct codec_reader *reader, char *out, size_t room, size_t *made,
    struct secor_err *err)
{
	ZSTD_inBuffer in = {reader->in, reader->in_len, 0};
	ZSTD_outBuffer to = {out, room, 0};
	size_t left = ZSTD_decompressStream(reader->zstd, &to, &in);

	reader->consumed += in.pos;
	if (ZSTD_isError(left))
		return broken(reader, ZSTD_getErrorName(left), err);
	reader->in += in.pos;
	reader->in_len -= in.pos;
	reader->inside = left != 0;
	*made = to.pos;
	return SECOR_OK;
}

static int
fill(struct codec_reader *reader, struct secor_err *err)
{
	size_t got = 0;
	int rc = reader->from->get(
	    reader->from, reader->room, sizeof(reader->room), &got, err);

	reader->in = reader->room;
	reader->in_len = rc == SECOR_OK ? got : 0;
	return rc;
}

static int
reader_get(struct secor_source *source, void *bytes, size_t room, size_t *got,
    struct secor_err *err)
{
	struct codec_reader *reader = (struct codec_reader *)source;
	int rc;

	if (reader->kind == CODEC_NONE)
		return reader->from->get(reader->from, bytes, room, got, err);
	room = room < UINT32_MAX ? room : UINT32_MAX;
	*got = 0;
	while (*got == 0 && room > 0) {
		/* What a step did not give for want of room comes first. */
		if (reader->inside || reader->in_len > 0) {
			rc = reader->kind == CODEC_ZSTD
				 ? step_zstd(reader, bytes, room, got, err)
				 : step_zlib(reader, bytes, room, got, err);
			if (rc != SECOR_OK)
				return rc;
			if (*got > 0 || reader->in_len > 0)
				continue;
		}
		rc = fill(reader, err);
		if (rc != SECOR_OK)
			return rc;
		if (reader->in_len == 0)
			return reader->inside
				   ? broken(reader, "it ends too early", err)
				   : SECOR_OK;
	}
	return SECOR_OK;
}

int
codec_read_begin(int kind, struct secor_source *source,
    struct codec_reader **reader, struct secor_err *err)
{
	struct codec_reader *made = malloc(sizeof(*made));

	assert(made != NULL);
	memset(made, 0, offsetof(struct codec_reader, room));
	made->source.size = sizeof(made->source);
	made->source.get = reader_get;
	made->from = source;
	made->kind = kind;
	made->inside = 1;
	if (kind == CODEC_ZSTD)
		made->zstd = ZSTD_createDCtx();
	if ((kind == CODEC_ZSTD && made->zstd == NULL) ||
	    ((kind == CODEC_GZIP || kind == CODEC_ZLIB) &&
		inflateInit2(&made->z, GZIP_OR_ZLIB) != Z_OK)) {
		codec_read_end(made);
		return secor_fail(err, SECOR_FATAL, "out of memory");
	}
	*reader = made;
	return SECOR_OK;
}

struct secor_source *
codec_read_source(struct codec_reader *reader)
{
	return &reader->source;
}

void
codec_read_end(struct codec_reader *reader)
{
	if (reader == NULL)
		return;
	(void)inflateEnd(&reader->z); /* of a zeroed one: nothing */
	(void)ZSTD_freeDCtx(reader->zstd);
	free(reader);
}

/* Ready for another stream. */
static void
restart(struct codec_reader *reader, struct secor_source *from)
{
	reader->from = from;
	reader->in = reader->room;
	reader->in_len = 0;
	reader->consumed = 0;
	reader->inside = 1;
	if (reader->zstd != NULL)
		(void)ZSTD_DCtx_reset(reader->zstd, ZSTD_reset_session_only);
	if (reader->z.state != NULL)
		(void)inflateReset(&reader->z);
}

int
codec_unpack(struct codec_reader *reader, const struct secor_bytes *bytes,
    struct grow *out, size_t max, struct secor_err *err)
{
	struct memory memory = {{sizeof(memory.source), memory_get}, *bytes};
	size_t got = 1, total = 0;
	int rc;

	restart(reader, &memory.source);
	while (got > 0) {
		char *to = grow_room(out, UNPACK_STEP);

		rc = reader->source.get(
		    &reader->source, to, UNPACK_STEP, &got, err);
		if (rc != SECOR_OK)
			return rc;
		total += got;
		if (total > max)
			return secor_fail(err, SECOR_REJECT,
			    "more than %zu bytes come out of %zu", max,
			    bytes->len);
		out->len += got;
	}
	return SECOR_OK;
}
