/*
 * log.h -- the log that every partition serves: ready-made record batches over
 * and over, as if it were long.
 */
#ifndef BENCH_BROKER_LOG_H
#define BENCH_BROKER_LOG_H

#include <stddef.h>
#include <stdint.h>

struct log {
	int64_t messages;     /* of a partition; a multiple of per_batch */
	size_t message_bytes; /* of each value, exactly */
	size_t per_batch;     /* messages */
	size_t batch_count;
	struct batch_bytes {
		char *ptr; /* begins with 8 bytes of base offset */
		size_t len;
	} * batches;
};

/* JSON objects of exactly `message_bytes` (100 or more), in batches of about
 * 100 kB; at least `messages` a partition, rounded up to whole batches. From
 * 250 bytes on "dc" is the same in all of them and "host" one of 1,000 at
 * random. */
struct log *log_new(size_t message_bytes, int64_t messages);
void log_free(struct log *log);

#endif
