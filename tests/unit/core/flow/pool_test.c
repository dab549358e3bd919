/*
 * pool_test.c -- blocks, their classes, and what is counted.
 */
#include "core/flow/pool.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

Test(pool, get_of_any_size_gives_the_class_that_holds_it)
{
	static const struct {
		size_t asked, room;
	} rows[] = {
	    {0, 4096},
	    {1, 4096},
	    {4096, 4096},
	    {4097, 8192},
	    {65536, 65536},
	    {65537, (128 << 10) + 4096},
	    {128 << 10, (128 << 10) + 4096},
	    {1 << 20, (1 << 20) + 4096},
	    {(1 << 20) + 4097, (1 << 20) + 8192},
	    {5000000, 5001216},
	};
	struct pool *pool = pool_new(64 << 20);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct block *block = pool_get(pool, rows[i].asked);

		cr_assert_eq(block->room, rows[i].room, "%zu gives %zu",
		    rows[i].asked, block->room);
		cr_assert_eq(block->len, 0);
		memset(block->data, 'x', block->room);
		cr_assert_eq(pool_used(pool), (int64_t)block->room);
		pool_put(block);
		cr_assert_eq(pool_used(pool), 0);
	}
	pool_free(pool);
}

Test(pool, get_after_put_gives_the_same_block_again)
{
	struct pool *pool = pool_new(1 << 20);
	struct block *first = pool_get(pool, 8192);

	first->len = 17;
	pool_put(first);
	struct block *other = pool_get(pool, 4096);
	struct block *again = pool_get(pool, 8000);

	cr_assert_neq(other, first);
	cr_assert_eq(again, first);
	cr_assert_eq(again->len, 0);
	pool_put(other);
	pool_put(again);
	pool_free(pool);
}

Test(pool, put_beyond_a_quarter_of_the_budget_frees)
{
	struct pool *pool = pool_new(64 * 1024);
	struct block *blocks[8], *again;

	for (int i = 0; i < 8; i++)
		blocks[i] = pool_get(pool, 8192);
	/* 16 KiB may be kept: two of them, the one put last on top */
	for (int i = 0; i < 8; i++)
		pool_put(blocks[i]);
	again = pool_get(pool, 8192);
	cr_assert_eq(again, blocks[1]);
	pool_put(again);
	pool_free(pool);
}

Test(pool, count_of_other_memory_is_in_used)
{
	struct pool *pool = pool_new(1000);
	struct block *block = pool_get(pool, 1);

	pool_count(pool, 5000);
	cr_assert_eq(pool_used(pool), 9096);
	cr_assert_eq(pool_budget(pool), 1000);
	pool_count(pool, -5000);
	pool_put(block);
	pool_put(NULL);
	cr_assert_eq(pool_used(pool), 0);
	pool_free(pool);
}

static void *
churn(void *arg)
{
	struct block *held[16] = {NULL};

	for (size_t i = 0; i < 20000; i++) {
		struct block **at = &held[i * 7 % 16];

		pool_put(*at);
		*at = pool_get(arg, (size_t)1 << (10 + i % 9));
		(*at)->data[0] = (char)i;
	}
	for (int i = 0; i < 16; i++)
		pool_put(held[i]);
	return NULL;
}

Test(pool, get_and_put_from_four_threads_ends_at_zero)
{
	struct pool *pool = pool_new(1 << 20);
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, churn, pool), 0);
	for (int i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	cr_assert_eq(pool_used(pool), 0);
	pool_free(pool);
}
