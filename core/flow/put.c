/*
 * put.c -- see put.h.
 */
#include "core/flow/put.h"

#include "core/base/hash.h"

#include <string.h>

static int
read_text(const struct secor_put *put, uint64_t at, void *bytes, size_t len,
    struct secor_err *err)
{
	const char *text = put->arg;

	(void)err;
	memcpy(bytes, text + at, len);
	return SECOR_OK;
}

static int
go_on(const struct secor_put *put)
{
	(void)put;
	return 1;
}

int
store_put_text(const struct manifest_store *store, const char *key,
    const char *text, const char *type, struct secor_err *err)
{
	size_t len = strlen(text);
	struct secor_put put = {.size = sizeof(put),
	    .key = key,
	    .length = len,
	    .crc32c = crc32c_add(0, text, len),
	    .content_type = type,
	    .read_at = read_text,
	    .arg = (void *)(uintptr_t)text,
	    .go_on = go_on};

	return store->ops->put(store->self, &put, err);
}

struct getting {
	struct buf *text;
	size_t most;
};

static int
collect(void *arg, const void *bytes, size_t len)
{
	struct getting *getting = arg;

	buf_put(getting->text, bytes, len);
	return getting->text->len > getting->most;
}

int
store_get_text(const struct manifest_store *store, const char *key, size_t most,
    struct buf *text, struct secor_err *err)
{
	struct getting getting = {text, most};
	int rc = store->ops->get(store->self, key, collect, &getting, err);

	buf_put(text, "", 0); /* NUL-terminated also when it is empty */
	if (rc == SECOR_OK && text->len > most)
		rc = secor_fail(err, SECOR_REJECT,
		    "%s: has more than %zu bytes", key, most);
	return rc;
}
