/*
 * read.h -- what is wanted of one Thrift struct, in the binary or the compact
 * protocol. Numbers of a path are field ids, and places in a list or set.
 *
 * The whole struct is walked: what is cut off, of an unknown type, nested
 * deeper than 64 or goes on behind its end is none. Nothing is allocated; a
 * count is never believed beyond the bytes that are there.
 */
#ifndef PLUGINS_PARSER_THRIFT_READ_H
#define PLUGINS_PARSER_THRIFT_READ_H

#include "plugins/common/finder.h"

enum thrift_protocol { THRIFT_BINARY = 0, THRIFT_COMPACT };

/* NULL, or a constant phrase: why it is no struct. */
const char *
thrift_read(struct finder *finder, int protocol, struct secor_bytes bytes);

#endif
