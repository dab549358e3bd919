/*
 * codec.c -- compressed streams. Invariant: the n-th call of a compressor gets
 * the n-th piece of CODEC_PIECE bytes of the stream and a window of OUT_WINDOW,
 * whatever the calls of the stream were.
 */
#include "plugins/common/codec.h"

#include "plugins/common/codec_engine.h"

#include <assert.h>
#include <stdlib.h>

#define OUT_WINDOW ((size_t)65536)
#define OUT_ROOM (4 * OUT_WINDOW)
#define IGZIP_LAST_LEVEL 3

struct codec {
	const struct codec_engine *engine; /* NULL: CODEC_NONE */
	int kind;
	int level;
	void *spare; /* a reset compressor, or NULL */
	size_t out_len;
	char out[OUT_ROOM];
};

struct codec_stream {
	struct codec *codec;
	void *state;	     /* NULL: no full piece yet */
	struct grow pending; /* the beginning of a piece */
};

static const struct codec_engine *
engine_of(int kind, int level)
{
	switch (kind) {
	case CODEC_GZIP:
	case CODEC_ZLIB:
	case CODEC_DEFLATE:
		return level <= IGZIP_LAST_LEVEL ? &codec_igzip : &codec_zlib;
	case CODEC_ZSTD:
		return &codec_zstd;
	case CODEC_LZ4:
	case CODEC_LZ4_HADOOP:
		return &codec_lz4;
	case CODEC_SNAPPY:
	case CODEC_SNAPPY_HADOOP:
		return &codec_snappy;
	case CODEC_BZIP2:
		return &codec_bzip2;
	default:
		return NULL;
	}
}

const char *
codec_complaint(int kind, int level)
{
	switch (kind) {
	case CODEC_GZIP:
	case CODEC_ZLIB:
	case CODEC_DEFLATE:
		return level >= 1 && level <= 9
			   ? NULL
			   : "levels of gzip and zlib are 1 to 9 (1 to 3: "
			     "ISA-L, from 4 on: zlib)";
	case CODEC_ZSTD:
		return level >= -7 && level <= 19 && level != 0
			   ? NULL
			   : "levels of zstd are -7 to -1 and 1 to 19";
	case CODEC_LZ4:
	case CODEC_LZ4_HADOOP:
		return level >= 1 && level <= 12
			   ? NULL
			   : "levels of lz4 are 1 to 12 (1 and 2: fast)";
	case CODEC_BZIP2:
		return level >= 1 && level <= 9 ? NULL
						: "levels of bzip2 are 1 to 9";
	default:
		return NULL;
	}
}

void
codec_check(int kind, int64_t level, const struct secor_check *check)
{
	const char *complaint = codec_complaint(kind, (int)level);

	if (complaint != NULL)
		check->complain(check, "level", complaint);
}

size_t
codec_stream_bytes(int kind, int level)
{
	const struct codec_engine *engine = engine_of(kind, level);

	return sizeof(struct codec_stream) +
	       (engine == NULL ? 0 : CODEC_PIECE + engine->bytes(level));
}

int
codec_open(int kind, int level, struct codec **codec, struct secor_err *err)
{
	const char *complaint = codec_complaint(kind, level);
	struct codec *made;

	if (complaint != NULL)
		return secor_fail(
		    err, SECOR_FATAL, "level %d: %s", level, complaint);
	made = malloc(sizeof(*made));
	assert(made != NULL);
	made->engine = engine_of(kind, level);
	made->kind = kind;
	made->level = level;
	made->spare = NULL;
	made->out_len = 0;
	*codec = made;
	return SECOR_OK;
}

void
codec_close(struct codec *codec)
{
	if (codec == NULL)
		return;
	if (codec->spare != NULL)
		codec->engine->close(codec->spare);
	free(codec);
}

static void *
take_state(struct codec *codec)
{
	void *state = codec->spare;

	codec->spare = NULL;
	return state != NULL ? state
			     : codec->engine->open(codec->kind, codec->level);
}

static void
give_state(struct codec *codec, void *state)
{
	if (state == NULL)
		return;
	if (codec->spare != NULL) {
		codec->engine->close(state);
		return;
	}
	codec->engine->reset(state);
	codec->spare = state;
}

static int
empty_out(struct codec *codec, struct secor_sink *sink, struct secor_err *err)
{
	size_t len = codec->out_len;

	codec->out_len = 0;
	return len == 0 ? SECOR_OK : sink->put(sink, codec->out, len, err);
}

static int
step_failed(const struct codec *codec, int code, struct secor_err *err)
{
	return secor_fail(
	    err, SECOR_FATAL, "%s: code %d", codec->engine->name, code);
}

/* One piece through the stream's compressor. */
static int
feed(struct codec_stream *stream, const struct secor_bytes *piece, int last,
    struct secor_sink *sink, struct secor_err *err)
{
	struct codec *codec = stream->codec;
	struct codec_io io = {piece->ptr, piece->len, NULL, 0};
	int rc, done = 0;

	if (stream->state == NULL)
		stream->state = take_state(codec);
	while (!done) {
		if (OUT_ROOM - codec->out_len < OUT_WINDOW) {
			rc = empty_out(codec, sink, err);
			if (rc != SECOR_OK)
				return rc;
		}
		io.out = codec->out + codec->out_len;
		io.out_len = OUT_WINDOW;
		rc = codec->engine->step(stream->state, &io, last, &done);
		if (rc != 0)
			return step_failed(codec, rc, err);
		codec->out_len += OUT_WINDOW - io.out_len;
	}
	return SECOR_OK;
}

struct codec_stream *
codec_begin(struct codec *codec)
{
	struct codec_stream *stream = calloc(1, sizeof(*stream));

	assert(stream != NULL);
	stream->codec = codec;
	return stream;
}

/* Takes up to one piece from `rest`; feeds it when it is whole. */
static int
put_piece(struct codec_stream *stream, struct secor_bytes *rest,
    struct secor_sink *sink, struct secor_err *err)
{
	struct grow *pending = &stream->pending;
	struct secor_bytes piece;
	size_t n = CODEC_PIECE - pending->len;

	if (n > rest->len) {
		grow_put(pending, rest->ptr, rest->len);
		rest->len = 0;
		return SECOR_OK;
	}
	piece = (struct secor_bytes){rest->ptr, n};
	if (pending->len > 0) {
		grow_put(pending, rest->ptr, n);
		piece = (struct secor_bytes){pending->ptr, pending->len};
		pending->len = 0;
	}
	rest->ptr += n;
	rest->len -= n;
	return feed(stream, &piece, 0, sink, err);
}

int
codec_put(struct codec_stream *stream, const char *bytes, size_t len,
    struct secor_sink *sink, struct secor_err *err)
{
	struct secor_bytes rest = {bytes, len};
	int rc;

	if (stream->codec->engine == NULL)
		return len == 0 ? SECOR_OK : sink->put(sink, bytes, len, err);
	assert(stream->codec->out_len == 0);
	while (rest.len > 0) {
		rc = put_piece(stream, &rest, sink, err);
		if (rc != SECOR_OK)
			goto failed;
	}
	return empty_out(stream->codec, sink, err);
failed:
	stream->codec->out_len = 0;
	return rc;
}

int
codec_finish(
    struct codec_stream *stream, struct secor_sink *sink, struct secor_err *err)
{
	struct secor_bytes piece = {stream->pending.ptr, stream->pending.len};
	int rc;

	if (stream->codec->engine == NULL)
		return SECOR_OK;
	rc = feed(stream, &piece, 1, sink, err);
	if (rc == SECOR_OK)
		return empty_out(stream->codec, sink, err);
	stream->codec->out_len = 0;
	return rc;
}

void
codec_end(struct codec_stream *stream)
{
	if (stream == NULL)
		return;
	give_state(stream->codec, stream->state);
	grow_fini(&stream->pending);
	free(stream);
}

int
codec_pack(struct codec *codec, const char *bytes, size_t len, struct grow *out,
    struct secor_err *err)
{
	struct codec_io io = {bytes, len, NULL, 0};
	size_t window = len < 4096 ? 4096 : OUT_WINDOW;
	void *state = NULL;
	int rc = 0, done = 0;

	assert(len <= INT32_MAX);
	if (codec->engine == NULL) {
		grow_put(out, bytes, len);
		return SECOR_OK;
	}
	state = take_state(codec);
	while (rc == 0 && !done) {
		io.out = grow_room(out, window);
		io.out_len = window;
		rc = codec->engine->step(state, &io, 1, &done);
		out->len += window - io.out_len;
	}
	give_state(codec, state);
	return rc == 0 ? SECOR_OK : step_failed(codec, rc, err);
}
