/*
 * hex.h -- bytes as text: hex pairs, blanks between; 'x' is a letter x.
 */
#ifndef TESTS_FLOW_FETCH_HEX_H
#define TESTS_FLOW_FETCH_HEX_H

#include "core/base/buf.h"

/* Appends them. */
void hex_put(struct buf *buf, const char *text);
/* These bytes and no others. */
void hex_expect(const struct buf *is, const char *hex);

#endif
