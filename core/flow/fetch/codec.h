/*
 * codec.h -- decompression of record batches: gzip, snappy (raw, and in the
 * frames of the Java client), lz4 frames, zstd.
 */
#ifndef SECOR_FLOW_FETCH_CODEC_H
#define SECOR_FLOW_FETCH_CODEC_H

#include "core/base/buf.h"
#include <secor/plugin.h>

#include <stddef.h>

/* Bits 0 to 2 of a batch's attributes. */
enum codec {
	CODEC_NONE = 0,
	CODEC_GZIP = 1,
	CODEC_SNAPPY = 2,
	CODEC_LZ4 = 3,
	CODEC_ZSTD = 4
};

/* No batch is larger than this when it is plain. */
#define CODEC_PLAIN_MAX (INT64_C(1) << 30)

/* Appends what `bytes` are when they are plain. SECOR_REJECT: they are damaged,
 * or larger than CODEC_PLAIN_MAX. SECOR_FATAL: such a codec is not known. Keeps
 * nothing of it on failure. Thread: any; contexts are the thread's. */
int codec_decompress(enum codec codec, const void *bytes, size_t len,
    struct buf *out, struct secor_err *err);
/* With another limit, at most CODEC_PLAIN_MAX. */
int codec_decompress_most(enum codec codec, const struct secor_bytes *bytes,
    size_t most, struct buf *out, struct secor_err *err);

#endif
