/*
 * host.h -- the clock and the counters of an engine, for targets that open a
 * plugin; what it may log and count, each target says.
 */
#ifndef TESTS_FUZZ_HOST_H
#define TESTS_FUZZ_HOST_H

#include "tests/fuzz/fuzz.h"

#include <secor/plugin.h>

#define HOST_NOW INT64_C(1770000000000)

static inline int64_t
host_now(const struct secor_host *host)
{
	(void)host;
	return HOST_NOW;
}

static inline struct secor_counter *
host_counter(const struct secor_host *host, const char *name, const char *help)
{
	static char any;

	(void)host;
	MUST(name != NULL && help != NULL);
	return (struct secor_counter *)&any;
}

#endif
