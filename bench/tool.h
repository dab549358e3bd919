/*
 * tool.h -- what the small programs of bench/ share.
 */
#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H

/* Says "<program>: what: why" and ends with 1. */
void give_up(const char *what, const char *why) __attribute__((noreturn));

/* Of the environment that the replaying broker gives; dies without it. */
const char *env(const char *name);

#endif
