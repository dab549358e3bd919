/*
 * step.h -- the named steps of the protocol, where tests stop the process.
 *
 * SECOR_STOP_AT="plan-acked" or "put-done:3" in the environment stops the
 * process (SIGSTOP) when it reaches that step for the first, or third, time;
 * the test then kills or continues it. Not set: one comparison of a pointer.
 * Any thread.
 */
#ifndef SECOR_FLOW_STEP_H
#define SECOR_FLOW_STEP_H

/* Reads the environment once; an unknown step is SECOR_FATAL for the caller
 * (returns non-zero). */
int step_init(void);

/* All names, NULL-ended, in the order in which a batch meets them. */
extern const char *const step_names[];

void step_reached(const char *name);

#endif
