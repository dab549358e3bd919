/*
 * wake.h -- when librdkafka's threads must be woken up. Thread: consumer.
 *
 * Before 2.2 librdkafka sleeps up to a second after its queue was full. It is
 * woken when the queue falls under half of its limit, once each time. The limit
 * is in bytes and in messages, but the length of the queue is known in messages
 * alone: bytes are guessed from the messages just taken.
 */
#ifndef SECOR_FLOW_WAKE_H
#define SECOR_FLOW_WAKE_H

#include <stddef.h>
#include <stdint.h>

struct wake {
	int64_t half_bytes, half_messages;
	double mean_bytes; /* of a message, lately */
	int above;	   /* the queue was above half */
};

/* The limits of the queue. */
void wake_init(struct wake *wake, int64_t max_bytes, int64_t max_messages);

/* After `messages` of `bytes` were taken out of the queue, which now holds
 * `left`: 1 when a wake-up is due. */
int wake_due(struct wake *wake, int64_t messages, int64_t bytes, int64_t left);

/* How many messages to take at once, `most` at most: about a quarter of the
 * queue, so that the rest of it lasts until the next fetch is there. */
size_t wake_take(const struct wake *wake, size_t most);

#endif
