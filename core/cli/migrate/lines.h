/*
 * lines.h -- a property file as logical lines: comments are left out, also
 * between lines that continue each other; blanks around each are cut.
 */
#ifndef SECOR_CLI_MIGRATE_LINES_H
#define SECOR_CLI_MIGRATE_LINES_H

#include "core/base/buf.h"
#include "core/cli/migrate/properties.h"

/* One file and where in it. */
struct cursor {
	const char *at, *end;
	struct property_place place; /* of the line that was read last */
	int next_line;
};

/* The next one, into out. 0 at the end; *lost: that is in the middle of one,
 * which the original then forgets. */
int line_next(struct cursor *cursor, struct buf *out, int *lost);

/* How long the key is, and where the value begins behind it. */
size_t line_key(const char *line, size_t len);
size_t line_value(const char *line, size_t len, size_t at);

#endif
