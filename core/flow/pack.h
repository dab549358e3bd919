/*
 * pack.h -- records in a block, for formats that take many at once (`write`).
 * Consumer packs, writer unpacks; a record never spans blocks.
 */
#ifndef SECOR_FLOW_PACK_H
#define SECOR_FLOW_PACK_H

#include <secor/message.h>

/* Appends one record at dst: value, and key, timestamp, headers as `looks_at`
 * says; fields and time are not kept. *used > room: nothing written, come again
 * with that much room. */
void pack_record(const struct secor_record *record, uint32_t looks_at,
    char *dst, size_t room, size_t *used);

struct unpacked {
	struct secor_record record;
	struct secor_message message;
	struct secor_header *headers; /* of the unpacker */
};

/* Reads the record at `at`; returns the bytes that it takes (0 at the end).
 * Slices point into the block. `topic` and `partition` are put in. */
size_t unpack_record(const char *at, size_t left, const char *topic,
    int32_t partition, struct unpacked *out);

#endif
