/*
 * pool.h -- blocks of memory that travel from the consumer to the writers, and
 * the one memory budget. Any thread.
 *
 * Everything that grows with the data is counted here: blocks, queued bytes,
 * codec state. The budget is a limit that the consumer heeds, not one that
 * fails: pool_get always succeeds.
 */
#ifndef SECOR_FLOW_POOL_H
#define SECOR_FLOW_POOL_H

#include "core/base/queue.h"

/* Large blocks hold a page more than a power of two: what is cut off a stream
 * at the last page that is full is then that power of two. */
enum { POOL_WHOLE = 128 << 10, POOL_MORE = 4096 };

struct pool;

struct block {
	struct queue_node node;
	struct pool *pool;
	size_t room; /* of data: a power of two from 4 KiB, POOL_MORE on top
		      * from POOL_WHOLE on; or what was asked for, if more */
	size_t len;
	char *data;
};

struct pool *pool_new(int64_t budget_bytes);
/* Every block is back and nothing is counted any more; accepts NULL. */
void pool_free(struct pool *pool);

/* A block with at least `room` bytes; freed blocks of the same class first. */
struct block *pool_get(struct pool *pool, size_t room);
void pool_put(struct block *block); /* accepts NULL */

/* Counts other memory (codec state); negative gives back. */
void pool_count(struct pool *pool, int64_t bytes);

int64_t pool_used(const struct pool *pool);
int64_t pool_budget(const struct pool *pool);

#endif
