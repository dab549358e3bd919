/*
 * monotonic.h -- the clock by which time limits are kept: nobody sets it.
 */
#ifndef SECOR_COMMON_MONOTONIC_H
#define SECOR_COMMON_MONOTONIC_H

#include <stdint.h>
#include <time.h>

static inline int64_t
monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
