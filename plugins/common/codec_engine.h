/*
 * codec_engine.h -- what codec.c asks of a compressor.
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

extern const struct codec_engine codec_igzip, codec_zlib, codec_zstd;

#endif
