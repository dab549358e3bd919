/*
 * put.c -- see put.h.
 */
#include "core/cli/put.h"

#include <errno.h>
#include <string.h>

static int
go_on(const struct secor_put *put)
{
	(void)put;
	return 1;
}

static int
read_file(const struct secor_put *put, uint64_t at, void *bytes, size_t len,
    struct secor_err *err)
{
	FILE *file = put->arg;

	if (fseeko(file, (off_t)at, SEEK_SET) == 0 &&
	    fread(bytes, 1, len, file) == len)
		return SECOR_OK;
	return secor_fail(
	    err, SECOR_RETRY, "read a temporary file: %s", strerror(errno));
}

int
cli_put_file(const struct manifest_store *store, const char *key,
    const struct cli_file *from, struct secor_err *err)
{
	struct secor_put put = {.size = sizeof(put),
	    .key = key,
	    .length = from->length,
	    .crc32c = from->crc32c,
	    .content_type = from->content_type,
	    .read_at = read_file,
	    .arg = from->file,
	    .go_on = go_on};

	return store->ops->put(store->self, &put, err);
}
