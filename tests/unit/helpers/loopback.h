/*
 * loopback.h -- where the servers of tests listen.
 */
#ifndef TESTS_LOOPBACK_H
#define TESTS_LOOPBACK_H

/* A socket that listens at 127.0.0.1, on a port that was free. */
int loopback_listen(int *port);

#endif
