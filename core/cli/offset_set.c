/*
 * offset_set.c -- see offset_set.h.
 */
#include "core/cli/offset_set.h"

#include "core/base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 65536, WORDS = CHUNK / 64 };

/* The first chunk whose number is not less. */
static size_t
place_of(const struct offset_set *set, int64_t number)
{
	size_t low = 0, high = set->chunk_count;

	/* objects are in order of offsets: mostly the last one */
	if (high > 0 && set->chunks[high - 1].number < number)
		return high;
	if (high > 0 && set->chunks[high - 1].number == number)
		return high - 1;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->chunks[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct offset_chunk *
chunk_at(const struct offset_set *set, size_t at, int64_t number)
{
	if (at == set->chunk_count || set->chunks[at].number != number)
		return NULL;
	return &set->chunks[at];
}

static struct offset_chunk *
chunk_for(struct offset_set *set, int64_t number)
{
	size_t at = place_of(set, number);

	if (chunk_at(set, at, number) != NULL)
		return &set->chunks[at];
	if (set->chunk_count == set->room) {
		set->room = set->room == 0 ? 16 : set->room * 2;
		set->chunks =
		    mem_grow(set->chunks, set->room * sizeof(*set->chunks));
	}
	memmove(&set->chunks[at + 1], &set->chunks[at],
	    (set->chunk_count - at) * sizeof(*set->chunks));
	set->chunk_count++;
	set->chunks[at] = (struct offset_chunk){
	    .number = number, .words = mem_alloc(WORDS * sizeof(uint64_t))};
	return &set->chunks[at];
}

int
offset_set_add(struct offset_set *set, int64_t offset)
{
	struct offset_chunk *chunk = chunk_for(set, offset / CHUNK);
	unsigned at = (unsigned)(offset % CHUNK);
	uint64_t bit = UINT64_C(1) << (at % 64);

	if (chunk->words == NULL || (chunk->words[at / 64] & bit) != 0)
		return 0;
	chunk->words[at / 64] |= bit;
	set->count++;
	if (++chunk->count == CHUNK) {
		free(chunk->words);
		chunk->words = NULL;
	}
	return 1;
}

static int
chunk_has(const struct offset_chunk *chunk, int64_t offset)
{
	unsigned at = (unsigned)(offset % CHUNK);

	return chunk->words == NULL || (chunk->words[at / 64] >> (at % 64) & 1);
}

int
offset_set_has(const struct offset_set *set, int64_t offset)
{
	int64_t number = offset / CHUNK;
	const struct offset_chunk *chunk =
	    chunk_at(set, place_of(set, number), number);

	return chunk != NULL && chunk_has(chunk, offset);
}

/* The same inside of one chunk (or of none), up to `end`. */
static int64_t
next_inside(
    const struct offset_chunk *chunk, int64_t from, int64_t end, int wanted)
{
	if (chunk == NULL)
		return wanted ? end : from;
	if (chunk->words == NULL)
		return wanted ? from : end;
	while (from < end && chunk_has(chunk, from) != wanted)
		from++;
	return from;
}

/* Where the chunk of `from`, or the room up to the next chunk, ends. */
static int64_t
piece_end(const struct offset_set *set, size_t at, int64_t number, int64_t end)
{
	int64_t next;

	if (chunk_at(set, at, number) != NULL)
		next = number + 1;
	else if (at < set->chunk_count)
		next = set->chunks[at].number;
	else
		return end;
	return next >= end / CHUNK + 1 || next * CHUNK > end ? end
							     : next * CHUNK;
}

int64_t
offset_set_next(
    const struct offset_set *set, int64_t from, int64_t end, int wanted)
{
	while (from < end) {
		int64_t number = from / CHUNK;
		size_t at = place_of(set, number);
		int64_t until = piece_end(set, at, number, end);
		int64_t found =
		    next_inside(chunk_at(set, at, number), from, until, wanted);

		if (found < until)
			return found;
		from = until;
	}
	return end;
}

void
offset_set_fini(struct offset_set *set)
{
	for (size_t i = 0; i < set->chunk_count; i++)
		free(set->chunks[i].words);
	free(set->chunks);
	memset(set, 0, sizeof(*set));
}
