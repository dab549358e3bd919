/*
 * hash.h -- the hashes of the protocol. They are written down in Kafka and in
 * manifests, so they never change.
 */
#ifndef SECOR_BASE_HASH_H
#define SECOR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* xxh3-64 of n bytes. */
uint64_t hash64(const void *bytes, size_t n);
uint64_t hash64_seed(const void *bytes, size_t n, uint64_t seed);

/* A hash that takes pieces: each is hashed with its length, so ("ab","c") and
 * ("a","bc") differ. Order matters. */
uint64_t hash64_add(uint64_t sofar, const void *bytes, size_t n);
uint64_t hash64_add_int(uint64_t sofar, int64_t value);
uint64_t hash64_add_text(uint64_t sofar, const char *text); /* NULL: its own */

/* CRC32C (Castagnoli) of further bytes; begin with 0. */
uint32_t crc32c_add(uint32_t sofar, const void *bytes, size_t n);

#endif
