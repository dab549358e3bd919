/*
 * put.h -- a file as one object (core/flow/put.h has texts).
 */
#ifndef SECOR_CLI_PUT_H
#define SECOR_CLI_PUT_H

#include "core/flow/manifest_walk.h"

#include <stdint.h>
#include <stdio.h>

struct cli_file {
	FILE *file;
	uint64_t length;
	uint32_t crc32c;
	const char *content_type; /* or NULL */
};
/* The codes are those of the store's put. */
int cli_put_file(const struct manifest_store *store, const char *key,
    const struct cli_file *from, struct secor_err *err);

#endif
