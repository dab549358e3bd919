/*
 * read.h -- what is wanted of one MessagePack value.
 *
 * The whole value is walked, whatever is wanted of it: a message that is cut
 * off, or that has bytes behind its value, is found out. Nothing is allocated,
 * and counts that bytes claim are never believed: each element takes at least
 * one byte, so a count over what is left is a cut-off message. What nobody
 * wants is skipped without recursion, however deep it is.
 *
 * Names match keys that are strings; numbers match keys that are integers, and
 * places in an array. The last of equal keys holds.
 */
#ifndef PLUGINS_PARSER_MSGPACK_READ_H
#define PLUGINS_PARSER_MSGPACK_READ_H

#include "plugins/common/finder.h"

/* NULL, or a constant phrase: why it is no MessagePack. */
const char *msgpack_read(struct finder *finder, struct secor_bytes bytes);

#endif
