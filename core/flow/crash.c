/*
 * crash.c -- see crash.h. The handler runs on an own stack and uses only what
 * is safe enough in a process that is lost anyway.
 */
#include "core/flow/crash.h"

#include "core/base/log.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

_Thread_local struct crash_point crash_point;

enum { FRAMES_MAX = 64, STACK_BYTES = 64 << 10 };

/* The file whose code is at the address, or "-". */
static const char *
file_of(const void *address)
{
	Dl_info where;

	if (dladdr(address, &where) == 0 || where.dli_fname == NULL)
		return "-";
	return where.dli_fname;
}

/* Whose code it was: behind our own frames (the handler) and those of the C
 * library (the signal, and abort() where that is how it died). */
static const char *
culprit(void)
{
	const char *own = file_of((const void *)crash_init);
	const char *libc = file_of((const void *)raise);
	void *frames[FRAMES_MAX];
	int n = backtrace(frames, FRAMES_MAX);
	int i = 0;

	while (i < n && strcmp(file_of(frames[i]), own) == 0)
		i++;
	while (i < n && strcmp(file_of(frames[i]), libc) == 0)
		i++;
	return i < n ? file_of(frames[i]) : "-";
}

static void
on_crash(int signo, siginfo_t *info, void *context)
{
	const char *file = culprit();

	(void)info;
	(void)context;
	if (crash_point.topic != NULL)
		log_line(SECOR_ERROR, "crash",
		    "signal=%d lost=nothing file=%s topic=%s partition=%d "
		    "offset=%lld",
		    signo, file, crash_point.topic, crash_point.partition,
		    (long long)crash_point.offset);
	else
		log_line(SECOR_ERROR, "crash", "signal=%d lost=nothing file=%s",
		    signo, file);
	(void)raise(signo); /* default action: SA_RESETHAND */
}

void
crash_init(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	static char stack[STACK_BYTES]; /* a recursion may have eaten its own */
	const stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action;
	void *frame;

	(void)sigaltstack(&own, NULL);
	(void)backtrace(&frame, 1); /* loads what it needs, while it can */
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_crash;
	action.sa_flags =
	    SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND | SA_NODEFER;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
}
