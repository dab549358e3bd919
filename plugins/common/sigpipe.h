/*
 * sigpipe.h -- a write to a socket that the other side has closed must not end
 * the process, whatever that has made of SIGPIPE: libraries that write by
 * themselves (curl, OpenSSL) are called between these two.
 */
#ifndef SECOR_COMMON_SIGPIPE_H
#define SECOR_COMMON_SIGPIPE_H

#include <signal.h>

/* Returns whether there is something to show again. Thread: the same. */
int sigpipe_hide(sigset_t *before);
void sigpipe_show(const sigset_t *before);

#endif
