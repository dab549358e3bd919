/*
 * guard.c -- see guard.h.
 */
#include "core/flow/guard.h"

#include "core/base/hash.h"
#include "core/flow/path.h"

#include <stdlib.h>
#include <string.h>

int
guard_replace(const struct guarded *guarded, const struct secor_route_out *all,
    struct guard_text *to, struct secor_err *err)
{
	const char *value = guarded->use->overflow_value;

	to->text.len = 0;
	to->value_hash = 0;
	for (uint32_t i = 0; i < all->level_count; i++) {
		struct secor_level_text *level = &to->levels[i];

		*level = all->levels[i];
		if (i >= guarded->from && i < guarded->until) {
			to->value_hash = hash64_add(
			    to->value_hash, level->value.ptr, level->value.len);
			level->value =
			    (struct secor_bytes){value, strlen(value)};
		}
		if (i > 0)
			buf_putc(&to->text, '/');
		if (path_level(&to->text, level, err) != SECOR_OK)
			return SECOR_REJECT;
	}
	return SECOR_OK;
}

/* Where the hash is in the order, or would be. */
static size_t
place_of(const struct guard_values *values, uint64_t hash)
{
	size_t from = 0, until = values->count;

	while (from < until) {
		size_t middle = from + (until - from) / 2;

		if (values->hashes[middle] < hash)
			from = middle + 1;
		else
			until = middle;
	}
	return from;
}

int
guard_admit(struct guard_values *values, uint64_t hash, size_t most)
{
	size_t at = place_of(values, hash);

	if (at < values->count && values->hashes[at] == hash)
		return 1;
	if (values->count >= most)
		return 0;
	if (values->count == values->room) {
		values->room = values->room == 0 ? 16 : values->room * 2;
		values->hashes = mem_grow(
		    values->hashes, values->room * sizeof(*values->hashes));
	}
	memmove(values->hashes + at + 1, values->hashes + at,
	    (values->count - at) * sizeof(*values->hashes));
	values->hashes[at] = hash;
	values->count++;
	return 1;
}

void
guard_values_fini(struct guard_values *values)
{
	free(values->hashes);
	memset(values, 0, sizeof(*values));
}
