/*
 * clock.h -- the clocks. Any thread.
 */
#ifndef SECOR_BASE_CLOCK_H
#define SECOR_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds since the epoch, UTC. Never decides names or records. */
int64_t clock_now_ms(void);

/* Milliseconds since boot; goes on while the machine sleeps (CLOCK_BOOTTIME):
 * a process that was paused sees how long. For deadlines and fences. */
int64_t clock_boot_ms(void);

/* So many milliseconds (0 or more) from now by CLOCK_MONOTONIC, for conditions
 * that wait until then. */
struct timespec clock_after(int64_t ms);
/* A condition of that clock. */
void clock_cond_init(pthread_cond_t *cond);

#endif
