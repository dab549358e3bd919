/*
 * batch_make.h -- record batches for tests, right or wrong in one place.
 */
#ifndef TESTS_FLOW_FETCH_BATCH_MAKE_H
#define TESTS_FLOW_FETCH_BATCH_MAKE_H

#include "core/base/buf.h"

#include <stdint.h>

/* Zeros are good values but for last_delta and count. */
struct batch_made {
	int64_t base_offset;
	int32_t last_delta, count;
	int attributes;
	int64_t base_ms, max_ms;
	int64_t producer_id;
};

/* A batch with these records, as they are, appended with its CRC. */
void batch_put(
    struct buf *out, const struct batch_made *made, const struct buf *records);
/* Its CRC is right again. */
void batch_sign(char *batch, size_t len);

void varint_put(struct buf *out, int64_t value);
/* A record without headers, appended; NULL is null. */
void record_put(struct buf *records, int32_t delta, int64_t ms_delta,
    const char *key, const char *value);
/* `count` records one after the other, values "v0" and so on. */
void batch_put_plain(
    struct buf *out, int64_t base_offset, int32_t count, int attributes);
/* One record of so many zeros, compressed by zstd. */
void batch_put_packed(struct buf *out, int64_t offset, size_t zeros);

#endif
