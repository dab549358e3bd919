/*
 * pack.h -- records in a block, for formats that take many at once (`write`).
 * Consumer packs, writer unpacks; a record never spans blocks, and packed
 * records may be joined in any way: each says how long it is.
 */
#ifndef SECOR_FLOW_PACK_H
#define SECOR_FLOW_PACK_H

#include <secor/message.h>

/* Appends one record at dst: offset, value, and key, timestamp, headers as
 * `looks_at` says (absent otherwise); fields and time are not kept. *used >
 * room: nothing written, come again with that much room. */
void pack_record(const struct secor_record *record, uint32_t looks_at,
    char *dst, size_t room, size_t *used);

enum { UNPACK_RECORDS = 256 };

/* Up to 256 records; slices point into the packed bytes. Begins zeroed. */
struct unpacked {
	size_t count;
	struct secor_record records[UNPACK_RECORDS];
	struct secor_message messages[UNPACK_RECORDS];
	struct secor_header *headers; /* of all of them */
	size_t header_room;
};

/* Reads as many whole records as fit; returns the bytes that they take. count
 * == 0: `bytes` does not hold a whole record. `topic` is put in. */
size_t unpack_records(struct unpacked *out, const char *bytes, size_t len,
    const char *topic, int32_t partition);

void unpacked_fini(struct unpacked *out);

#endif
