/*
 * codec_place.h -- memory for an ISA-L stream at an address of a certain kind.
 *
 * ISA-L 2.30 hashes the third byte of a stream by the address of its state: in
 * its bodies for x86 the register for those bytes still holds the pointer,
 * which is shifted down by 16, hashed with CRC32C, and made a place in the hash
 * table. So the same input gives other bytes in one of some hundred (short
 * input) or thousand processes. All places here have the same hash, and the
 * first piece of a stream goes through one of them.
 */
#ifndef SECOR_COMMON_CODEC_PLACE_H
#define SECOR_COMMON_CODEC_PLACE_H

#include <isa-l/igzip_lib.h>

/* One that nobody else has until it is given back; NULL: none to be had here,
 * as under ThreadSanitizer. What is in it is not defined. Any thread. */
struct isal_zstream *codec_place_take(void);
void codec_place_give(struct isal_zstream *place); /* accepts NULL */

#endif
