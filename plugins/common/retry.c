/*
 * retry.c -- see retry.h.
 */
#include "plugins/common/retry.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#define SLICE_MS 500

/* splitmix64: spreads seeds that differ in one bit */
static uint64_t
draw(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t
retry_next(struct retry *retry, int64_t at_least_ms)
{
	int64_t wait = retry->base_ms;
	int i;

	if (++retry->done >= retry->most)
		return -1;
	for (i = 1; i < retry->done && wait < retry->cap_ms; i++)
		wait *= 2;
	if (wait > retry->cap_ms)
		wait = retry->cap_ms;
	wait -= (int64_t)(draw(&retry->seed) % (uint64_t)(wait / 2 + 1));
	if (at_least_ms > retry->cap_ms)
		at_least_ms = retry->cap_ms;
	return wait > at_least_ms ? wait : at_least_ms;
}

static void
sleep_ms(int64_t ms)
{
	struct timespec left = {.tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

int
retry_wait(
    int64_t ms, int (*go_on)(void *arg), void *arg, void (*nap)(int64_t ms))
{
	int64_t slice;

	if (nap == NULL)
		nap = sleep_ms;
	for (; ms > 0; ms -= slice) {
		if (go_on != NULL && !go_on(arg))
			return 0;
		slice = ms < SLICE_MS ? ms : SLICE_MS;
		nap(slice);
	}
	return go_on == NULL || go_on(arg);
}
