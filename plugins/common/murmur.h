/*
 * murmur.h -- the 32-bit MurmurHash2 with the seed of Kafka's producers: what
 * is hashed here falls as a key falls there.
 */
#ifndef PLUGINS_COMMON_MURMUR_H
#define PLUGINS_COMMON_MURMUR_H

#include <stddef.h>
#include <stdint.h>

/* Without its sign bit, as Kafka's default partitioner takes it: 0..2^31-1. */
uint32_t murmur2(const void *bytes, size_t len);

#endif
