/*
 * retry.h -- how long to wait between attempts: doubled, jittered, capped.
 *
 * Half of the wait is drawn by lot, so that many who failed together do not
 * come back together.
 */
#ifndef SECOR_COMMON_RETRY_H
#define SECOR_COMMON_RETRY_H

#include <stdint.h>

struct retry {
	int most;	 /* attempts in all */
	int64_t base_ms; /* longest wait before the second */
	int64_t cap_ms;	 /* longest wait at all */
	uint64_t seed;	 /* any */
	int done;	 /* attempts that have failed; begins with 0 */
};

/* Notes a failed attempt. The milliseconds to wait before the next one (at
 * least `at_least_ms`, which a server may ask for, as far as the cap allows),
 * or -1: that was the last. */
int64_t retry_next(struct retry *retry, int64_t at_least_ms);

/* Sleeps in slices and asks go_on (may be NULL) before each and at the end.
 * Returns what it said last: 0 means give up. `nap` NULL: nanosleep. */
int retry_wait(
    int64_t ms, int (*go_on)(void *arg), void *arg, void (*nap)(int64_t ms));

#endif
