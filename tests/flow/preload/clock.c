/*
 * clock.c -- a wall clock that is $SKEW_MS off. To be preloaded.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int
clock_gettime(clockid_t id, struct timespec *t)
{
	int (*next)(clockid_t, struct timespec *) = (int (*)(
	    clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int rc = next(id, t);
	long long ns;

	if (id != CLOCK_REALTIME)
		return rc;
	ns = t->tv_nsec + atoll(getenv("SKEW_MS")) % 1000 * 1000000;
	t->tv_sec += atoll(getenv("SKEW_MS")) / 1000;
	if (ns < 0) {
		ns += 1000000000;
		t->tv_sec--;
	}
	t->tv_sec += ns / 1000000000;
	t->tv_nsec = ns % 1000000000;
	return rc;
}
