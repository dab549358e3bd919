/*
 * codec_read.c -- compressed streams back to bytes. Invariant: the end is only
 * reported when the compressed stream said that it ends, so a file that was cut
 * short is never read as a whole one.
 */
#include "plugins/common/codec.h"

#include "plugins/common/codec_engine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define IN_ROOM ((size_t)65536)
#define UNPACK_STEP ((size_t)65536)

struct codec_reader {
	struct secor_source source; /* what it gives; first */
	struct secor_source *from;
	const struct codec_decoder *decoder; /* NULL: CODEC_NONE */
	void *state;
	int inside;	   /* a member has begun, or none was seen */
	uint64_t consumed; /* bytes of `from` */
	const char *in;
	size_t in_len;
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
	    reader->decoder->name, what);
}

static const struct codec_decoder *
decoder_of(int kind)
{
	static const struct codec_decoder *const decoders[] = {
	    [CODEC_NONE] = NULL,
	    [CODEC_GZIP] = &codec_inflate,
	    [CODEC_ZLIB] = &codec_inflate,
	    [CODEC_ZSTD] = &codec_unzstd,
	    [CODEC_LZ4] = &codec_unlz4,
	    [CODEC_LZ4_HADOOP] = &codec_unlz4_hadoop,
	    [CODEC_SNAPPY] = &codec_unsnappy,
	    [CODEC_SNAPPY_HADOOP] = &codec_unsnappy,
	    [CODEC_BZIP2] = &codec_unbzip2,
	    [CODEC_DEFLATE] = &codec_inflate,
	};

	return decoders[kind];
}

/* Takes from `in`, writes at `out`, *made of `room`. */
static int
step(struct codec_reader *reader, char *out, size_t room, size_t *made,
    struct secor_err *err)
{
	struct codec_io io = {reader->in, reader->in_len, out, room};
	const char *wrong =
	    reader->decoder->step(reader->state, &io, &reader->inside);

	reader->consumed += reader->in_len - io.in_len;
	reader->in = io.in;
	reader->in_len = io.in_len;
	*made = room - io.out_len;
	return wrong == NULL ? SECOR_OK : broken(reader, wrong, err);
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

	if (reader->decoder == NULL)
		return reader->from->get(reader->from, bytes, room, got, err);
	room = room < UINT32_MAX ? room : UINT32_MAX;
	*got = 0;
	while (*got == 0 && room > 0) {
		/* What a step did not give for want of room comes first. */
		if (reader->inside || reader->in_len > 0) {
			rc = step(reader, bytes, room, got, err);
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
	made->decoder = decoder_of(kind);
	made->inside = 1;
	if (made->decoder != NULL) {
		made->state = made->decoder->open(kind);
		if (made->state == NULL) {
			free(made);
			return secor_fail(err, SECOR_FATAL, "out of memory");
		}
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
	if (reader->decoder != NULL)
		reader->decoder->close(reader->state);
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
	if (reader->decoder != NULL)
		reader->decoder->reset(reader->state);
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
