/*
 * clock_after.c -- see clock.h. Apart from the clocks that tests set.
 */
#include "core/base/clock.h"

struct timespec
clock_after(int64_t ms)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += ms % 1000 * 1000000;
	at.tv_sec += ms / 1000 + at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return at;
}
