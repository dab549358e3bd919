/*
 * queue.h -- how things change hands between threads.
 *
 * Intrusive: what is queued begins with (or contains) a queue_node, so putting
 * allocates nothing. Any number of producers and consumers. A full queue is
 * back-pressure: the producer sees it, it never blocks unless it asks to.
 */
#ifndef SECOR_BASE_QUEUE_H
#define SECOR_BASE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct queue_node {
	struct queue_node *next;
};

struct queue;

/* `wake` (may be NULL) is called after each put that found the queue empty, in
 * the producer's thread, without locks held. */
struct queue *queue_new(void (*wake)(void *arg), void *arg);
void queue_free(struct queue *queue); /* must be empty; accepts NULL */

/* Takes `node`. After queue_close it is still taken: a consumer drains. */
void queue_put(struct queue *queue, struct queue_node *node);
/* In front of all others. */
void queue_put_first(struct queue *queue, struct queue_node *node);

/* The oldest, or NULL after `wait_ms` (0: at once; -1: for ever), or NULL at
 * once when the queue is closed and empty. */
struct queue_node *queue_get(struct queue *queue, int64_t wait_ms);

/* All at once as a list in order, or NULL. Never waits. */
struct queue_node *queue_get_all(struct queue *queue);

size_t queue_length(const struct queue *queue);

/* Waits until fewer than `limit` are in it, `wait_ms` at most (-1: for ever),
 * or until the queue is closed. Returns whether fewer are in it. */
int queue_wait_below(struct queue *queue, size_t limit, int64_t wait_ms);

/* Wakes all who wait; queue_get returns NULL when empty from now on. */
void queue_close(struct queue *queue);
int queue_closed(const struct queue *queue);

#endif
