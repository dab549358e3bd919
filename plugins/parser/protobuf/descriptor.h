/*
 * descriptor.h -- a FileDescriptorSet (protoc --descriptor_set_out, with
 * --include_imports): field names of a message to numbers and types.
 *
 * It is read as any other protobuf message; nothing of it is turned into
 * tables.
 */
#ifndef PLUGINS_PARSER_PROTOBUF_DESCRIPTOR_H
#define PLUGINS_PARSER_PROTOBUF_DESCRIPTOR_H

#include "plugins/parser/protobuf/read.h"

#define DESCRIPTOR_LEVELS 32

struct descriptor {
	char *bytes; /* the file */
	size_t len;
	/* the message within its file, as Confluent counts */
	int64_t index[DESCRIPTOR_LEVELS];
	int levels;
};

/* Reads the file and gives every node of `root` its number and its type
 * (`use`, owned by the tree's user: free it). SECOR_OK or SECOR_FATAL. */
int descriptor_open(struct descriptor *d, const char *file, const char *message,
    struct wanted *root, struct secor_err *err);
void descriptor_close(struct descriptor *d);

#endif
