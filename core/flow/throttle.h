/*
 * throttle.h -- kafka.max_messages_per_second and max_bytes_per_second, of the
 * process and of overrides. Inside of core/flow only. Thread: consumer.
 *
 * The queue is emptied all the same, since rebalances come through it behind
 * messages: what may not be taken in yet is held by its partition, in order. A
 * pause would throw away what librdkafka has fetched, so partitions are paused
 * only when all that is held comes to its limit, each until its own is taken
 * in.
 */
#ifndef SECOR_FLOW_THROTTLE_H
#define SECOR_FLOW_THROTTLE_H

#include "core/flow/part.h"

struct throttle;

/* NULL where the configuration sets no limit. `queue_bytes`: what librdkafka's
 * queue holds at most. */
struct throttle *throttle_new(const struct config *config, int64_t queue_bytes);
void throttle_free(struct throttle *throttle); /* accepts NULL */

/* Whether the partition may take nothing in now. */
int throttle_waits(struct throttle *throttle, const struct part *part);
/* It has taken in a message. */
void throttle_take(struct throttle *throttle, const struct part *part,
    const struct message *message);
/* It holds one more, of so many bytes, and is served in its turn. */
void throttle_hold(struct throttle *throttle, struct part *part, int64_t bytes);

/* Time passed: takes in what may be, partition by partition. Whether more
 * waits. */
int throttle_serve(struct throttle *throttle, int64_t boot_ms);

#endif
