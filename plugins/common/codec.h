/*
 * codec.h -- compressed streams: gzip, zlib, zstd, lz4, snappy, bzip2.
 *
 * The bytes that come out are a function of the bytes that go in, the kind, the
 * level, the build and the kind of processor (ISA-L finds other matches without
 * SSE 4, at level 3 also with AVX-512), however the input is cut into calls:
 * compressors are fed pieces of CODEC_PIECE bytes (their output depends on what
 * they are fed), with output windows of one size. gzip and zlib of levels 1 to
 * 3 come from ISA-L, from 4 on from zlib. gzip headers carry no time, no name
 * and OS 255.
 *
 * A `struct codec` belongs to one thread: it holds the output room and a spare
 * compressor that all its streams share. A stream gets a compressor of its own
 * (80 KB to 4 MB) with its first full piece; small ones borrow the spare at
 * their end, so that thousands of them may be open.
 */
#ifndef SECOR_COMMON_CODEC_H
#define SECOR_COMMON_CODEC_H

#include <secor/format.h>

#include "plugins/common/grow.h"

enum codec_kind {
	CODEC_NONE,
	CODEC_GZIP,
	CODEC_ZLIB,
	CODEC_ZSTD,
	CODEC_LZ4, /* frames */
	CODEC_LZ4_HADOOP,
	CODEC_SNAPPY, /* the framing format */
	CODEC_SNAPPY_HADOOP,
	CODEC_BZIP2,
	CODEC_DEFLATE /* bare, inside other formats */
};

/* What a file may be compressed by, as an option says it: an index is a kind
 * (up to CODEC_BZIP2). */
extern const char *const codec_choices[];
const char *codec_extension(int kind); /* as Hadoop's, with the dot */
const char *codec_content_type(int kind, const char *plain);
/* For the help of an option. */
#define CODEC_HELP_LEVEL                                                       \
	"Compression level: gzip and deflate 1 to 3 (ISA-L, fast) and 4 to 9 " \
	"(zlib, small), zstd -7 to 19, lz4 1 to 12 (from 3 on slow and "       \
	"small), bzip2 1 to 9; snappy has none."

#define CODEC_PIECE ((size_t)16384)

struct codec;
struct codec_stream;
struct codec_reader;

/* What is wrong with a level, or NULL. */
const char *codec_complaint(int kind, int level);
/* Complains of it at the option "level". */
void codec_check(int kind, int64_t level, const struct secor_check *check);
/* Memory of an open stream at its largest. */
size_t codec_stream_bytes(int kind, int level);

/* CODEC_NONE passes bytes on. SECOR_FATAL: a level that is none. */
int
codec_open(int kind, int level, struct codec **codec, struct secor_err *err);
void codec_close(struct codec *codec); /* after its streams; accepts NULL */

/* A stream puts what it has made into the sink before it returns; what the sink
 * answers is passed on. After any failure only codec_end. */
struct codec_stream *codec_begin(struct codec *codec);
int codec_put(struct codec_stream *stream, const char *bytes, size_t len,
    struct secor_sink *sink, struct secor_err *err);
int codec_finish(struct codec_stream *stream, struct secor_sink *sink,
    struct secor_err *err);
void codec_end(struct codec_stream *stream); /* accepts NULL */

/* A whole stream in memory, at most INT32_MAX bytes: appended to `out`. */
int codec_pack(struct codec *codec, const char *bytes, size_t len,
    struct grow *out, struct secor_err *err);

/* Reading: members and frames that follow one another are one stream. `kind` of
 * gzip and zlib: both are known by their first bytes. SECOR_REJECT says at
 * which byte of `source` it goes wrong or ends too early (snappy and the blocks
 * of Hadoop do not say where they end: they may be cut between two blocks;
 * what follows a bare deflate stream is not looked at). */
int codec_read_begin(int kind, struct secor_source *source,
    struct codec_reader **reader, struct secor_err *err);
struct secor_source *codec_read_source(struct codec_reader *reader);
void codec_read_end(struct codec_reader *reader); /* accepts NULL */

/* A whole stream from memory by a reader that was begun with source NULL:
 * appended to `out`; more than `max` bytes are SECOR_REJECT. */
int codec_unpack(struct codec_reader *reader, const struct secor_bytes *bytes,
    struct grow *out, size_t max, struct secor_err *err);

#endif
