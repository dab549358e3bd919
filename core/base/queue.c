/*
 * queue.c -- a mutex, two conditions, a singly linked list. Things change
 * hands a few thousand times a second (whole buffers, not messages), so a lock
 * is cheap enough.
 */
#include "core/base/queue.h"

#include "core/base/buf.h"
#include "core/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_cond_t drained;
	struct queue_node *first;
	struct queue_node **last;
	atomic_size_t length;
	atomic_int closed;
	size_t waiting_below;
	void (*wake)(void *arg);
	void *arg;
};

struct queue *
queue_new(void (*wake)(void *arg), void *arg)
{
	struct queue *queue = mem_alloc(sizeof(*queue));

	(void)pthread_mutex_init(&queue->lock, NULL);
	clock_cond_init(&queue->filled);
	clock_cond_init(&queue->drained);
	queue->last = &queue->first;
	queue->wake = wake;
	queue->arg = arg;
	return queue;
}

void
queue_free(struct queue *queue)
{
	if (queue == NULL)
		return;
	assert(queue->first == NULL);
	(void)pthread_cond_destroy(&queue->filled);
	(void)pthread_cond_destroy(&queue->drained);
	(void)pthread_mutex_destroy(&queue->lock);
	free(queue);
}

static void
put(struct queue *queue, struct queue_node *node, int first)
{
	int was_empty;

	(void)pthread_mutex_lock(&queue->lock);
	was_empty = queue->first == NULL;
	if (first) {
		node->next = queue->first;
		queue->first = node;
		if (was_empty)
			queue->last = &node->next;
	} else {
		node->next = NULL;
		*queue->last = node;
		queue->last = &node->next;
	}
	atomic_fetch_add(&queue->length, 1);
	(void)pthread_cond_signal(&queue->filled);
	(void)pthread_mutex_unlock(&queue->lock);
	if (was_empty && queue->wake != NULL)
		queue->wake(queue->arg);
}

void
queue_put(struct queue *queue, struct queue_node *node)
{
	put(queue, node, 0);
}

void
queue_put_first(struct queue *queue, struct queue_node *node)
{
	put(queue, node, 1);
}

/* Holds: lock. */
static int
wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t wait_ms,
    struct timespec *until)
{
	if (wait_ms < 0)
		return pthread_cond_wait(cond, lock);
	if (until->tv_sec == 0)
		*until = clock_after(wait_ms);
	return pthread_cond_timedwait(cond, lock, until);
}

/* Holds: lock. */
static void
drained(struct queue *queue)
{
	if (queue->waiting_below > 0)
		(void)pthread_cond_broadcast(&queue->drained);
}

struct queue_node *
queue_get(struct queue *queue, int64_t wait_ms)
{
	struct queue_node *node;
	struct timespec until = {0, 0};

	(void)pthread_mutex_lock(&queue->lock);
	while ((node = queue->first) == NULL && wait_ms != 0 &&
	       !atomic_load(&queue->closed))
		if (wait_until(&queue->filled, &queue->lock, wait_ms, &until) ==
		    ETIMEDOUT)
			wait_ms = 0;
	if (node != NULL) {
		queue->first = node->next;
		if (queue->first == NULL)
			queue->last = &queue->first;
		atomic_fetch_sub(&queue->length, 1);
		node->next = NULL;
		drained(queue);
	}
	(void)pthread_mutex_unlock(&queue->lock);
	return node;
}

struct queue_node *
queue_get_all(struct queue *queue)
{
	struct queue_node *list;

	if (atomic_load(&queue->length) == 0)
		return NULL;
	(void)pthread_mutex_lock(&queue->lock);
	list = queue->first;
	queue->first = NULL;
	queue->last = &queue->first;
	atomic_store(&queue->length, 0);
	drained(queue);
	(void)pthread_mutex_unlock(&queue->lock);
	return list;
}

size_t
queue_length(const struct queue *queue)
{
	return atomic_load_explicit(&queue->length, memory_order_relaxed);
}

int
queue_wait_below(struct queue *queue, size_t limit, int64_t wait_ms)
{
	struct timespec until = {0, 0};
	int below;

	(void)pthread_mutex_lock(&queue->lock);
	queue->waiting_below++;
	while (!(below = atomic_load(&queue->length) < limit) && wait_ms != 0 &&
	       !atomic_load(&queue->closed))
		if (wait_until(&queue->drained, &queue->lock, wait_ms,
			&until) == ETIMEDOUT)
			wait_ms = 0;
	queue->waiting_below--;
	(void)pthread_mutex_unlock(&queue->lock);
	return below;
}

void
queue_close(struct queue *queue)
{
	(void)pthread_mutex_lock(&queue->lock);
	atomic_store(&queue->closed, 1);
	(void)pthread_cond_broadcast(&queue->filled);
	(void)pthread_cond_broadcast(&queue->drained);
	(void)pthread_mutex_unlock(&queue->lock);
}

int
queue_closed(const struct queue *queue)
{
	return atomic_load(&queue->closed);
}
