/*
 * avro_walk.h -- whether bytes are one Avro datum of a schema, and where it
 * ends, for those who store it as it is.
 *
 * Stricter than who looks for values in it: every byte is judged, ranges of
 * int, indices of enums and unions, UTF-8 of strings, lengths of blocks, so
 * that any reader will take it. Nesting up to AVRO_WALK_DEPTH; the work for a
 * datum is bounded by its length.
 */
#ifndef SECOR_COMMON_AVRO_WALK_H
#define SECOR_COMMON_AVRO_WALK_H

#include "plugins/common/avro_schema.h"

#define AVRO_WALK_DEPTH 100

/* NULL with the bytes that one datum takes in *used, or what is wrong. */
const char *avro_datum_len(const struct avro_schema *schema, const char *bytes,
    size_t len, size_t *used);

/* A long at `bytes`: how many bytes it takes, 0 when they are none. */
#define AVRO_LONG_MAX 10
size_t avro_long_get(const char *bytes, size_t len, int64_t *value);
size_t avro_long_put(char *to, int64_t value);

#endif
