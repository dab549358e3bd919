/*
 * pool.c -- free lists by size class, each under its own lock. Blocks are got
 * and given back a few thousand times a second. At most a quarter of the budget
 * is kept in free lists; the rest goes back to malloc.
 */
#include "core/flow/pool.h"

#include "core/base/buf.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	CLASS_FIRST = 12, /* log2: 4 KiB */
	CLASS_LAST = 20,  /* 1 MiB */
	CLASSES = CLASS_LAST - CLASS_FIRST + 1
};

struct size_class {
	pthread_mutex_t lock;
	struct queue_node *free;
};

struct pool {
	int64_t budget;
	_Atomic int64_t used;
	_Atomic int64_t kept;
	struct size_class classes[CLASSES];
};

struct pool *
pool_new(int64_t budget_bytes)
{
	struct pool *pool = mem_alloc(sizeof(*pool));

	pool->budget = budget_bytes;
	for (int i = 0; i < CLASSES; i++)
		(void)pthread_mutex_init(&pool->classes[i].lock, NULL);
	return pool;
}

static void
block_free(struct block *block)
{
	free(block->data);
	free(block);
}

void
pool_free(struct pool *pool)
{
	struct queue_node *node;

	if (pool == NULL)
		return;
	assert(pool_used(pool) == 0);
	for (int i = 0; i < CLASSES; i++) {
		while ((node = pool->classes[i].free) != NULL) {
			pool->classes[i].free = node->next;
			block_free((struct block *)node);
		}
		(void)pthread_mutex_destroy(&pool->classes[i].lock);
	}
	free(pool);
}

static size_t
class_room(int i)
{
	size_t room = (size_t)1 << (CLASS_FIRST + i);

	return room < POOL_WHOLE ? room : room + POOL_MORE;
}

/* The class that holds `room`; CLASSES when none does. */
static int
class_of(size_t room)
{
	int i = 0;

	while (i < CLASSES && class_room(i) < room)
		i++;
	return i;
}

static struct block *
block_new(struct pool *pool, size_t room)
{
	struct block *block = mem_alloc(sizeof(*block));

	block->pool = pool;
	block->room = room;
	block->data = mem_grow(NULL, room); /* not zeroed */
	return block;
}

static struct block *
take_kept(struct pool *pool, struct size_class *of)
{
	struct block *block;

	(void)pthread_mutex_lock(&of->lock);
	block = (struct block *)of->free;
	if (block != NULL)
		of->free = block->node.next;
	(void)pthread_mutex_unlock(&of->lock);
	if (block != NULL)
		atomic_fetch_sub(&pool->kept, (int64_t)block->room);
	return block;
}

struct block *
pool_get(struct pool *pool, size_t room)
{
	int i = class_of(room);
	struct block *block = NULL;

	if (i < CLASSES) {
		room = class_room(i);
		block = take_kept(pool, &pool->classes[i]);
	} else {
		room = (room + 4095) / 4096 * 4096;
	}
	if (block == NULL)
		block = block_new(pool, room);
	block->len = 0;
	block->node.next = NULL;
	pool_count(pool, (int64_t)room);
	return block;
}

/* Whether so much more may lie in free lists; counts it if so. */
static int
keep(struct pool *pool, int64_t bytes)
{
	if (atomic_fetch_add(&pool->kept, bytes) + bytes <= pool->budget / 4)
		return 1;
	atomic_fetch_sub(&pool->kept, bytes);
	return 0;
}

void
pool_put(struct block *block)
{
	struct pool *pool;
	struct size_class *of;
	int i;

	if (block == NULL)
		return;
	pool = block->pool;
	i = class_of(block->room);
	pool_count(pool, -(int64_t)block->room);
	if (i == CLASSES || !keep(pool, (int64_t)block->room)) {
		block_free(block);
		return;
	}
	of = &pool->classes[i];
	(void)pthread_mutex_lock(&of->lock);
	block->node.next = of->free;
	of->free = &block->node;
	(void)pthread_mutex_unlock(&of->lock);
}

void
pool_count(struct pool *pool, int64_t bytes)
{
	atomic_fetch_add(&pool->used, bytes);
}

int64_t
pool_used(const struct pool *pool)
{
	return atomic_load(&pool->used);
}

int64_t
pool_budget(const struct pool *pool)
{
	return pool->budget;
}
