/*
 * queue_test.c -- core/base/queue.
 */
#include "core/base/queue.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

struct item {
	struct queue_node node; /* first */
	int n;
};

static int
number(struct queue_node *node)
{
	return node == NULL ? -1 : ((struct item *)node)->n;
}

Test(queue, get_of_an_empty_one_gives_null_at_once)
{
	struct queue *queue = queue_new(NULL, NULL);

	cr_assert_null(queue_get(queue, 0));
	cr_assert_null(queue_get_all(queue));
	cr_assert_null(queue_get(queue, 1)); /* and after a wait */
	queue_free(queue);
}

Test(queue, get_gives_them_in_the_order_of_put)
{
	struct queue *queue = queue_new(NULL, NULL);
	struct item items[3] = {{.n = 0}, {.n = 1}, {.n = 2}};

	for (int i = 0; i < 3; i++)
		queue_put(queue, &items[i].node);
	cr_assert_eq(queue_length(queue), 3);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(number(queue_get(queue, -1)), i);
	cr_assert_eq(queue_length(queue), 0);
	queue_put(queue, &items[1].node); /* emptied: works again */
	cr_assert_eq(number(queue_get(queue, 0)), 1);
	queue_free(queue);
}

Test(queue, put_first_goes_before_all_others)
{
	struct queue *queue = queue_new(NULL, NULL);
	struct item items[4] = {{.n = 0}, {.n = 1}, {.n = 2}, {.n = 3}};

	queue_put_first(queue, &items[1].node); /* into an empty one */
	queue_put(queue, &items[2].node);
	queue_put_first(queue, &items[0].node);
	queue_put(queue, &items[3].node);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(number(queue_get(queue, 0)), i);
	queue_free(queue);
}

Test(queue, get_all_gives_a_list_in_order_and_leaves_it_empty)
{
	struct queue *queue = queue_new(NULL, NULL);
	struct item items[3] = {{.n = 0}, {.n = 1}, {.n = 2}};
	struct queue_node *list;
	int n = 0;

	for (int i = 0; i < 3; i++)
		queue_put(queue, &items[i].node);
	list = queue_get_all(queue);
	for (; list != NULL; list = list->next)
		cr_assert_eq(number(list), n++);
	cr_assert_eq(n, 3);
	cr_assert_eq(queue_length(queue), 0);
	queue_put(queue, &items[2].node);
	cr_assert_eq(number(queue_get(queue, 0)), 2);
	queue_free(queue);
}

static void
wake(void *arg)
{
	(*(int *)arg)++;
}

Test(queue, wake_is_called_when_it_was_empty_only)
{
	int wakes = 0;
	struct queue *queue = queue_new(wake, &wakes);
	struct item items[3] = {{.n = 0}, {.n = 1}, {.n = 2}};

	queue_put(queue, &items[0].node);
	cr_assert_eq(wakes, 1);
	queue_put(queue, &items[1].node);
	queue_put_first(queue, &items[2].node);
	cr_assert_eq(wakes, 1);
	(void)queue_get_all(queue);
	queue_put_first(queue, &items[0].node);
	cr_assert_eq(wakes, 2);
	(void)queue_get_all(queue);
	queue_free(queue);
}

Test(queue, close_leaves_what_is_in_it_and_then_gives_null)
{
	struct queue *queue = queue_new(NULL, NULL);
	struct item items[2] = {{.n = 0}, {.n = 1}};

	queue_put(queue, &items[0].node);
	cr_assert_not(queue_closed(queue));
	queue_close(queue);
	cr_assert(queue_closed(queue));
	queue_put(queue, &items[1].node); /* still taken */
	cr_assert_eq(number(queue_get(queue, -1)), 0);
	cr_assert_eq(number(queue_get(queue, -1)), 1);
	cr_assert_null(queue_get(queue, -1)); /* does not wait */
	queue_free(queue);
}

Test(queue, wait_below_says_whether_it_is_so)
{
	struct queue *queue = queue_new(NULL, NULL);
	struct item items[2] = {{.n = 0}, {.n = 1}};

	cr_assert(queue_wait_below(queue, 1, -1));
	queue_put(queue, &items[0].node);
	queue_put(queue, &items[1].node);
	cr_assert(queue_wait_below(queue, 3, -1));
	cr_assert_not(queue_wait_below(queue, 2, 0));
	cr_assert_not(queue_wait_below(queue, 2, 1));
	(void)queue_get_all(queue);
	queue_free(queue);
}

/* A consumer that is gone must not hold up whoever stops the service. */
Test(queue, wait_below_of_a_closed_full_one_returns, .timeout = 120)
{
	struct queue *queue = queue_new(NULL, NULL);
	struct item item = {.n = 0};

	queue_put(queue, &item.node);
	queue_close(queue);
	cr_assert_not(queue_wait_below(queue, 1, -1));
	(void)queue_get_all(queue);
	queue_free(queue);
}

Test(queue, free_of_one_that_is_not_empty_aborts, .signal = SIGABRT)
{
	struct queue *queue = queue_new(NULL, NULL);
	struct item item = {.n = 0};

	queue_put(queue, &item.node);
	queue_free(queue);
}

Test(queue, free_accepts_null)
{
	queue_free(NULL);
}

/* ---- threads ---- */

enum { PRODUCERS = 3, CONSUMERS = 3, EACH = 5000 };

struct crowd {
	struct queue *queue;
	struct item *items;
	atomic_int next; /* which producer */
	atomic_int seen[PRODUCERS * EACH];
};

static void *
produce(void *arg)
{
	struct crowd *crowd = arg;
	int base = atomic_fetch_add(&crowd->next, 1) * EACH;

	for (int i = base; i < base + EACH; i++) {
		(void)queue_wait_below(crowd->queue, 64, -1);
		crowd->items[i].n = i;
		queue_put(crowd->queue, &crowd->items[i].node);
	}
	return NULL;
}

static void *
consume(void *arg)
{
	struct crowd *crowd = arg;
	struct queue_node *node;

	while ((node = queue_get(crowd->queue, -1)) != NULL)
		atomic_fetch_add(&crowd->seen[number(node)], 1);
	return NULL;
}

Test(queue, crowd_of_threads_hands_over_each_item_once, .timeout = 120)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));
	pthread_t producers[PRODUCERS], consumers[CONSUMERS];

	crowd->queue = queue_new(NULL, NULL);
	crowd->items = calloc(PRODUCERS * EACH, sizeof(*crowd->items));
	for (int i = 0; i < CONSUMERS; i++)
		(void)pthread_create(&consumers[i], NULL, consume, crowd);
	for (int i = 0; i < PRODUCERS; i++)
		(void)pthread_create(&producers[i], NULL, produce, crowd);
	for (int i = 0; i < PRODUCERS; i++)
		(void)pthread_join(producers[i], NULL);
	queue_close(crowd->queue);
	for (int i = 0; i < CONSUMERS; i++)
		(void)pthread_join(consumers[i], NULL);
	for (int i = 0; i < PRODUCERS * EACH; i++)
		cr_assert_eq(atomic_load(&crowd->seen[i]), 1, "item %d", i);
	queue_free(crowd->queue);
	free(crowd->items);
	free(crowd);
}
