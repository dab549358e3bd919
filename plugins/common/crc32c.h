/*
 * crc32c.h -- CRC-32C (Castagnoli), as the protocol and S3 use it.
 */
#ifndef SECOR_COMMON_CRC32C_H
#define SECOR_COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of further bytes; begin with 0. */
uint32_t crc32c_more(uint32_t sofar, const void *bytes, size_t n);

#endif
