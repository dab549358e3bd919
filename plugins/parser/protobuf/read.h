/*
 * read.h -- what is wanted of one protobuf message: fields by their numbers.
 *
 * All of a message and of what is wanted within it is walked; what nobody wants
 * is skipped. Of a field that comes again the last one holds, and a message
 * that comes again adds to what was before. A field whose encoding is not that
 * of its type is unknown, as it is to protobuf's own readers.
 */
#ifndef PLUGINS_PARSER_PROTOBUF_READ_H
#define PLUGINS_PARSER_PROTOBUF_READ_H

#include "plugins/common/finder.h"
#include "plugins/common/wire.h"

/* Numbers as in descriptors. */
enum protobuf_type {
	PB_BY_ENCODING = 0,
	PB_DOUBLE = 1,
	PB_FLOAT = 2,
	PB_INT64 = 3,
	PB_UINT64 = 4,
	PB_INT32 = 5,
	PB_FIXED64 = 6,
	PB_FIXED32 = 7,
	PB_BOOL = 8,
	PB_STRING = 9,
	PB_GROUP = 10,
	PB_MESSAGE = 11,
	PB_BYTES = 12,
	PB_UINT32 = 13,
	PB_ENUM = 14,
	PB_SFIXED32 = 15,
	PB_SFIXED64 = 16,
	PB_SINT32 = 17,
	PB_SINT64 = 18,
	PB_TIMESTAMP = 19 /* google.protobuf.Timestamp */
};

/* What `use` of a wanted node points to; NULL: by its encoding. */
struct protobuf_field {
	int type;
	struct secor_bytes values;  /* EnumDescriptorProto, for names */
	struct secor_bytes instead; /* of a field that is not there; or null */
};

/* One field of a message. */
struct protobuf_item {
	uint32_t number;
	unsigned encoding; /* 0, 1, 2 or 5; 3: a group, in bytes with its end */
	uint64_t bits;	   /* 0, 1, 5 */
	struct secor_bytes bytes;
};

/* 0 at the end, or with *why when it is none. */
int
protobuf_next(struct wire *wire, struct protobuf_item *item, const char **why);

/* NULL, or a constant phrase: why it is no message. */
const char *protobuf_read(struct finder *finder, struct secor_bytes bytes);

#endif
