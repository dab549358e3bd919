/*
 * crash.c -- see crash.h. The handler runs on an own stack and uses only what
 * is safe enough in a process that is lost anyway.
 */
#include "core/flow/crash.h"

#include "core/base/log.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

_Thread_local struct crash_point crash_point;

static void *
fault_address(void *context)
{
#if defined(__x86_64__)
	return (void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (void *)((ucontext_t *)context)->uc_mcontext.pc;
#else
	(void)context;
	return NULL;
#endif
}

static void
on_crash(int signo, siginfo_t *info, void *context)
{
	Dl_info where;
	const char *file = "-";

	(void)info;
	if (dladdr(fault_address(context), &where) != 0 &&
	    where.dli_fname != NULL)
		file = where.dli_fname;
	if (crash_point.topic != NULL)
		log_line(SECOR_ERROR, "crash",
		    "signal=%d file=%s topic=%s partition=%d offset=%lld",
		    signo, file, crash_point.topic, crash_point.partition,
		    (long long)crash_point.offset);
	else
		log_line(
		    SECOR_ERROR, "crash", "signal=%d file=%s", signo, file);
	(void)raise(signo); /* default action: SA_RESETHAND */
}

void
crash_init(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_crash;
	action.sa_flags = SA_SIGINFO | (int)SA_RESETHAND | SA_NODEFER;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
}
