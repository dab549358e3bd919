/*
 * sigpipe.c -- see sigpipe.h. One that was raised meanwhile is taken.
 */
#include "plugins/common/sigpipe.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

int
sigpipe_hide(sigset_t *before)
{
	sigset_t pipe, pending;

	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)sigpending(&pending);
	return !sigismember(&pending, SIGPIPE) &&
	       pthread_sigmask(SIG_BLOCK, &pipe, before) == 0;
}

void
sigpipe_show(const sigset_t *before)
{
	static const struct timespec at_once = {.tv_sec = 0};
	sigset_t pipe;

	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	while (sigtimedwait(&pipe, NULL, &at_once) == -1 && errno == EINTR)
		;
	(void)pthread_sigmask(SIG_SETMASK, before, NULL);
}
