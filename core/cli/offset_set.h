/*
 * offset_set.h -- which offsets of a range were seen. 8 KiB for 65,536 of them
 * while some are missing, nothing but a word where all are there: memory goes
 * by what is around the holes.
 */
#ifndef SECOR_CLI_OFFSET_SET_H
#define SECOR_CLI_OFFSET_SET_H

#include <stddef.h>
#include <stdint.h>

struct offset_chunk {
	int64_t number;	 /* offset / 65536 */
	uint32_t count;	 /* 1..65536 */
	uint64_t *words; /* NULL: all are there */
};

/* Zeroed: empty. */
struct offset_set {
	struct offset_chunk *chunks; /* by number */
	size_t chunk_count, room;
	uint64_t count;
};

/* 1: it is new; 0: it was there. Offsets are 0 or more. */
int offset_set_add(struct offset_set *set, int64_t offset);
int offset_set_has(const struct offset_set *set, int64_t offset);

/* The first offset in [from, end) that is not (wanted 0) or that is (wanted 1)
 * in the set; end when there is none. */
int64_t offset_set_next(
    const struct offset_set *set, int64_t from, int64_t end, int wanted);

/* Empties it. */
void offset_set_fini(struct offset_set *set);

#endif
