/*
 * codec_engine.h -- what codec.c asks of a compressor, and codec_read.c of what
 * undoes it.
 */
#ifndef SECOR_COMMON_CODEC_ENGINE_H
#define SECOR_COMMON_CODEC_ENGINE_H

#include <stddef.h>

struct codec_io {
	const char *in;
	size_t in_len;
	char *out;
	size_t out_len;
};

struct codec_engine {
	const char *name;
	size_t (*bytes)(int level);
	/* A compressor at the beginning of a stream. Out of memory aborts. */
	void *(*open)(int kind, int level);
	void (*reset)(void *state);
	/* Takes from `in`, gives to `out` (both move on). *done: all of `in` is
	 * taken and, if `last`, the stream is complete. 0, or the library's
	 * code. */
	int (*step)(void *state, struct codec_io *io, int last, int *done);
	void (*close)(void *state);
};

extern const struct codec_engine codec_igzip, codec_zlib, codec_zstd, codec_lz4,
    codec_snappy, codec_bzip2;

struct codec_decoder {
	const char *name;
	void *(*open)(int kind); /* NULL: out of memory */
	void (*reset)(void *state);
	/* Takes from `in`, gives to `out`. *inside: a stream has begun and not
	 * ended (as it was at the last call; 1 at first); when it is 0, what
	 * comes next is another stream. NULL, or what is wrong. */
	const char *(*step)(void *state, struct codec_io *io, int *inside);
	void (*close)(void *state); /* not of NULL */
};

extern const struct codec_decoder codec_inflate, codec_unzstd, codec_unlz4,
    codec_unlz4_hadoop, codec_unsnappy, codec_unbzip2;

#endif
