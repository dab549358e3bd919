/*
 * row.h -- one line of delimited text to its cells, as RFC 4180 has it and
 * Python's csv reads it strictly: a cell that begins with a quote ends with
 * one, a quote in it is doubled; in other cells a quote is a byte as any other.
 *
 * Cells are slices of the text, or of the scratch where quotes or escapes were
 * taken out; both hold until the next row.
 */
#ifndef PLUGINS_PARSER_DELIMITED_ROW_H
#define PLUGINS_PARSER_DELIMITED_ROW_H

#include "plugins/common/grow.h"

#include <secor/plugin.h>

#define ROW_NONE (-1)

struct row_rules {
	char delimiter;
	int quote;  /* a byte, or ROW_NONE */
	int escape; /* a byte that makes the next one plain, or ROW_NONE */
	int trim;   /* blanks around cells are no part of them */
	struct secor_bytes null; /* a bare cell that is null; ptr NULL: none is
				  */
};

struct row {
	struct secor_bytes *cells; /* of the reader's owner */
	size_t most;		   /* as many are kept */
	size_t count;		   /* as many there are */
	struct grow scratch;
};

/* Fills the first cells, null ones with ptr == NULL, and the count.
 * SECOR_REJECT with the reason. */
int row_read(const struct row_rules *rules, struct secor_bytes text,
    struct row *row, struct secor_err *err);

#endif
