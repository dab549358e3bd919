/*
 * watch.h -- runs one client against the broker and says what it cost.
 */
#ifndef BENCH_BROKER_WATCH_H
#define BENCH_BROKER_WATCH_H

#include "bench/broker/broker.h"

struct watch {
	struct broker *broker;
	char **command; /* gets BENCH_BROKER, BENCH_HTTP, BENCH_MESSAGES */
	int http_port;	/* 0: the client ends by itself */
	double timeout_s;
};

/*
 * Starts the command, waits for its end and prints one line of key=value:
 * wall_s (first Fetch to the last commit, or to the client's end where it
 * commits nothing), cpu_s (of the client, its whole life), broker_cpu_s, rss_mb
 * (peak), bytes (of message values), messages, batches (commits that moved on),
 * foreign (share of the allowed cores that others used). With http_port the
 * client gets SIGTERM when its metrics say that all messages are taken in, and
 * must have committed all of them. Returns 0, or 1 when the client failed or
 * did not do it all.
 */
int watch_run(const struct watch *watch);

/* A port that was free a moment ago. */
int watch_free_port(void);

#endif
