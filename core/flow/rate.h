/*
 * rate.h -- a token bucket: how much may be taken now. Thread: its owner.
 *
 * It holds what one second lets through at most. What is taken may be more than
 * it holds, so that a large message passes at all; the debt is waited for.
 */
#ifndef SECOR_FLOW_RATE_H
#define SECOR_FLOW_RATE_H

#include <stdint.h>

struct rate {
	int64_t per_second; /* 0: no limit */
	int64_t level;	    /* in thousandths */
};

/* Begins full. */
void rate_init(struct rate *rate, int64_t per_second);

/* So much time has passed. */
void rate_pass(struct rate *rate, int64_t ms);

/* Whether nothing may be taken now. */
static inline int
rate_waits(const struct rate *rate)
{
	return rate->per_second > 0 && rate->level <= 0;
}

static inline void
rate_take(struct rate *rate, int64_t n)
{
	rate->level -= rate->per_second > 0 ? n * 1000 : 0;
}

#endif
