/*
 * store_help.c -- see store_help.h.
 */
#include "tests/unit/plugins/store/store_help.h"

#include "core/base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

static int
read_source(const struct secor_put *put, uint64_t at, void *bytes, size_t len,
    struct secor_err *err)
{
	struct source *source = put->arg;

	cr_assert_leq(at + len, put->length, "read behind the end");
	source->reads++;
	if (source->fails > 0 ||
	    (source->fails_at > 0 && at + len > source->fails_at)) {
		source->fails -= source->fails > 0;
		return secor_fail(err, SECOR_RETRY, "the disk says no");
	}
	memcpy(bytes, source->bytes + at, len);
	return SECOR_OK;
}

static int
go_on_source(const struct secor_put *put)
{
	struct source *source = put->arg;

	source->asked++;
	if (source->go_on_left < 0)
		return 1;
	return source->go_on_left-- > 0;
}

struct secor_put
source_put(struct source *source, const char *key, size_t length)
{
	struct secor_put put = {
	    .size = sizeof(put),
	    .key = key,
	    .length = length,
	    .crc32c = crc32c_add(0, source->bytes, length),
	    .read_at = read_source,
	    .go_on = go_on_source,
	    .arg = source,
	};

	return put;
}

int
hear_key(void *arg, const char *key, uint64_t length)
{
	struct heard *heard = arg;
	int n;

	(void)length;
	n = snprintf(heard->text + heard->len, sizeof(heard->text) - heard->len,
	    "%s ", key);
	cr_assert_lt(heard->len + (size_t)n, sizeof(heard->text));
	heard->len += (size_t)n;
	return heard->left > 0 && --heard->left == 0;
}

int
hear_piece(void *arg, const void *bytes, size_t len)
{
	struct heard *heard = arg;

	cr_assert_lt(heard->len + len, sizeof(heard->text));
	memcpy(heard->text + heard->len, bytes, len);
	heard->len += len;
	heard->text[heard->len] = '\0';
	return heard->left > 0 && --heard->left == 0;
}
