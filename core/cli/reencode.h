/*
 * reencode.h -- the records of an object through its format once more. Formats
 * are deterministic: when that gives the bytes that a manifest lists, the
 * object holds the records that the manifest was written for, whatever its own
 * bytes are (another version or level of a compression library made them).
 */
#ifndef SECOR_CLI_REENCODE_H
#define SECOR_CLI_REENCODE_H

#include "core/config/config.h"

#include <secor/format.h>
#include <stdio.h>

struct reencoded {
	uint64_t length;
	uint32_t crc32c;
};

/* Reads `file` to its end. SECOR_REJECT: it cannot be read back, or the format
 * does not take what it gave. One record and the codec are in memory. */
int reencode(const struct config_use *format, const struct secor_object *object,
    FILE *file, struct reencoded *made, struct secor_err *err);

#endif
