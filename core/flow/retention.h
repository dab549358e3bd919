/*
 * retention.h -- how long Kafka still keeps what is not stored. Arithmetic
 * only: no clock, no I/O. Any thread.
 *
 * Kafka deletes whole segments, the oldest first, so the broker deletes a
 * message at the earliest when this says so, mostly later. Where something is
 * estimated (bytes), the estimate is on the early side.
 */
#ifndef SECOR_FLOW_RETENTION_H
#define SECOR_FLOW_RETENTION_H

#include <stdint.h>

/* Of a topic. -1: no limit. */
struct retention {
	int64_t ms;
	int64_t bytes; /* of each partition */
};

/* What is left of a limit. */
struct retention_left {
	int64_t ms;   /* until the first message that is not stored may be
			 deleted; 0: at any moment */
	double share; /* of the limit, 0..1 */
};

/* A log that grows: offsets a second, over the last minutes. */
struct growth {
	int64_t end, boot_ms; /* as seen last; boot_ms 0: never */
	double offsets, seconds;
};

/* More than this is not told: a log that hardly grows is kept for ever. */
#define RETENTION_FAR_MS (INT64_C(365) * 86400 * 1000)

/* From the topic's cleanup.policy, retention.ms and retention.bytes. NULL, or
 * what is no number: no limit. A topic that is only compacted has none. */
void retention_read(struct retention *retention, const char *policy,
    const char *ms, const char *bytes);

/* `time_ms`: Kafka's timestamp of the message. Returns 0 without a limit:
 * *left is untouched. */
int retention_by_time(const struct retention *retention, int64_t time_ms,
    int64_t now_ms, struct retention_left *left);

/* `waiting`: bytes between the message and the end of the log, which grows by
 * `bytes_s`. Returns 0 without a limit. */
int retention_by_bytes(const struct retention *retention, double waiting,
    double bytes_s, struct retention_left *left);

/* Whether the alarm holds: raised below `limit` (0..1; 0: never), and until
 * there is a tenth more than that. */
int retention_alarm(int raised, double share, double limit);

/* The log ends there now. */
void growth_see(struct growth *growth, int64_t end, int64_t boot_ms);
/* Offsets a second; 0 when nothing is known yet. */
double growth_rate(const struct growth *growth);

#endif
