/*
 * listen.h -- a listening TCP socket from "host:port".
 */
#ifndef SECOR_OBSERVE_LISTEN_H
#define SECOR_OBSERVE_LISTEN_H

#include <secor/plugin.h>

enum { LISTEN_ADDRESS_ROOM = 80 };

/* Listens at the first free port of [port, port + more]. *fd is the caller's;
 * `address` (LISTEN_ADDRESS_ROOM) is where it listens. SECOR_FATAL when the
 * text is no address or nothing is free. */
int listen_open(
    const char *text, int more, int *fd, char *address, struct secor_err *err);

#endif
