/*
 * crash.h -- the last log line of a process that dies in a plugin.
 */
#ifndef SECOR_FLOW_CRASH_H
#define SECOR_FLOW_CRASH_H

#include <stdint.h>

/* Handlers for SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT: one error line with
 * the message that was at work and the shared object of the faulting address,
 * then the default action. */
void crash_init(void);

/* The message at work on this thread; topic NULL: none. */
struct crash_point {
	const char *topic;
	int64_t offset;
	int32_t partition;
};
extern _Thread_local struct crash_point crash_point;

static inline void
crash_at(const char *topic, int32_t partition, int64_t offset)
{
	crash_point.topic = topic;
	crash_point.partition = partition;
	crash_point.offset = offset;
}

#endif
