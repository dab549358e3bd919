/*
 * threads.c -- C11 threads on POSIX ones, for ThreadSanitizer alone.
 *
 * librdkafka makes its threads with thrd_create, which gcc's TSan does not
 * know: a thread that it has not seen begin crashes in its first malloc. The
 * linker binds librdkafka to these.
 */
#ifdef __SANITIZE_THREAD__
#include "core/base/buf.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#pragma GCC visibility push(default) /* librdkafka must see them */
#include <threads.h>
#pragma GCC visibility pop

struct start {
	thrd_start_t run;
	void *arg;
};

static void *
begin(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	return (void *)(intptr_t)start.run(start.arg);
}

int
thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
	struct start *start = mem_alloc(sizeof(*start));

	start->run = run;
	start->arg = arg;
	if (pthread_create(thread, NULL, begin, start) == 0)
		return thrd_success;
	free(start);
	return thrd_error;
}

int
thrd_join(thrd_t thread, int *result)
{
	void *value = NULL;

	if (pthread_join(thread, &value) != 0)
		return thrd_error;
	if (result != NULL)
		*result = (int)(intptr_t)value;
	return thrd_success;
}

int
thrd_detach(thrd_t thread)
{
	return pthread_detach(thread) == 0 ? thrd_success : thrd_error;
}
#else
typedef int threads_need_no_help; /* a unit is never empty */
#endif
