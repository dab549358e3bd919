/*
 * threads.c -- C11 threads on POSIX threads, for the tsan variant alone.
 *
 * librdkafka uses C11's functions, which ThreadSanitizer does not know: it sees
 * neither those threads nor those locks, and crashes when such a thread calls
 * back into instrumented code. The executable's own definitions come first, so
 * librdkafka ends up with POSIX ones, which are seen. The types of glibc are
 * the POSIX types under other names.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#define SEEN __attribute__((visibility("default")))

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "mtx_t");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "cnd_t");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "thrd_t");

static int
answer(int rc)
{
	if (rc == 0)
		return thrd_success;
	return rc == ETIMEDOUT ? thrd_timedout
	       : rc == ENOMEM  ? thrd_nomem
	       : rc == EBUSY   ? thrd_busy
			       : thrd_error;
}

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

SEEN int
thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
	struct start *start = malloc(sizeof(*start));

	if (start == NULL)
		return thrd_nomem;
	start->run = run;
	start->arg = arg;
	return answer(pthread_create((pthread_t *)thread, NULL, begin, start));
}

SEEN int
thrd_join(thrd_t thread, int *result)
{
	void *value;
	int rc = pthread_join((pthread_t)thread, &value);

	if (result != NULL)
		*result = (int)(intptr_t)value;
	return answer(rc);
}

SEEN int
mtx_init(mtx_t *lock, int type)
{
	pthread_mutexattr_t attr;
	int rc;

	(void)pthread_mutexattr_init(&attr);
	if (type & mtx_recursive)
		(void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	rc = pthread_mutex_init((pthread_mutex_t *)lock, &attr);
	(void)pthread_mutexattr_destroy(&attr);
	return answer(rc);
}

SEEN int
mtx_lock(mtx_t *lock)
{
	return answer(pthread_mutex_lock((pthread_mutex_t *)lock));
}

SEEN int
mtx_unlock(mtx_t *lock)
{
	return answer(pthread_mutex_unlock((pthread_mutex_t *)lock));
}

SEEN void
mtx_destroy(mtx_t *lock)
{
	(void)pthread_mutex_destroy((pthread_mutex_t *)lock);
}

SEEN int
cnd_init(cnd_t *cond)
{
	return answer(pthread_cond_init((pthread_cond_t *)cond, NULL));
}

SEEN int
cnd_signal(cnd_t *cond)
{
	return answer(pthread_cond_signal((pthread_cond_t *)cond));
}

SEEN int
cnd_broadcast(cnd_t *cond)
{
	return answer(pthread_cond_broadcast((pthread_cond_t *)cond));
}

SEEN int
cnd_wait(cnd_t *cond, mtx_t *lock)
{
	return answer(
	    pthread_cond_wait((pthread_cond_t *)cond, (pthread_mutex_t *)lock));
}

SEEN int
cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict lock,
    const struct timespec *restrict until)
{
	return answer(pthread_cond_timedwait(
	    (pthread_cond_t *)cond, (pthread_mutex_t *)lock, until));
}

SEEN void
cnd_destroy(cnd_t *cond)
{
	(void)pthread_cond_destroy((pthread_cond_t *)cond);
}

SEEN void
call_once(once_flag *flag, void (*run)(void))
{
	(void)pthread_once((pthread_once_t *)flag, run);
}
