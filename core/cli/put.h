/*
 * put.h -- puts of the tools: a text, or a file, as one object.
 */
#ifndef SECOR_CLI_PUT_H
#define SECOR_CLI_PUT_H

#include "core/flow/manifest_walk.h"

#include <stdint.h>
#include <stdio.h>

/* The codes are those of the store's put. */
int cli_put_json(const struct manifest_store *store, const char *key,
    const char *text, struct secor_err *err);

struct cli_file {
	FILE *file;
	uint64_t length;
	uint32_t crc32c;
	const char *content_type; /* or NULL */
};
int cli_put_file(const struct manifest_store *store, const char *key,
    const struct cli_file *from, struct secor_err *err);

#endif
