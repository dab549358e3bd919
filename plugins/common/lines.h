/*
 * lines.h -- what lies between delimiters in a file, through a codec.
 * Invariant: every byte is in exactly one line or one delimiter; a file that
 * ends without a delimiter is refused.
 */
#ifndef SECOR_COMMON_LINES_H
#define SECOR_COMMON_LINES_H

#include "plugins/common/codec.h"

#define LINES_MAX ((size_t)1 << 30) /* of a line */

struct lines {
	struct secor_bytes delimiter; /* of the caller */
	struct codec_reader *codec;
	struct grow buf; /* what was read and not yet given */
	size_t given;	 /* bytes of `buf` that are done */
	uint64_t at;	 /* where buf.ptr[given] lies in the plain stream */
	int drained;
};

int lines_begin(struct lines *lines, int kind, struct secor_source *source,
    struct secor_err *err);
void lines_end(struct lines *lines);

/* *line of *len, which may be changed in place, until the next call; NULL at
 * the end. */
int lines_next(
    struct lines *lines, char **line, size_t *len, struct secor_err *err);

/* The next n bytes, whatever they are. *bytes NULL: the file ends here; it is
 * refused when it ends within them. */
int
lines_take(struct lines *lines, size_t n, char **bytes, struct secor_err *err);

#endif
