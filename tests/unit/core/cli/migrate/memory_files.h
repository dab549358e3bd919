/*
 * memory_files.h -- property files that are texts, and what is said of them.
 */
#ifndef TESTS_UNIT_CLI_MIGRATE_MEMORY_FILES_H
#define TESTS_UNIT_CLI_MIGRATE_MEMORY_FILES_H

#include "core/base/buf.h"
#include "core/cli/migrate/properties.h"

struct memory_file {
	const char *path;
	const char *text;
};

struct memory_files {
	const struct memory_file *files; /* ended by a NULL path */
	struct buf said; /* "FILE:LINE: error: text", a line each */
};

/* properties_read of the first of them. */
int memory_files_read(struct memory_files *memory, struct properties *out,
    const struct secor_strings *defines);

#endif
