/*
 * run.h -- runs a program to its end: without a shell, in a process group of
 * its own, with a time limit and a bound on what is kept of its output.
 */
#ifndef SECOR_COMMON_RUN_H
#define SECOR_COMMON_RUN_H

#include <secor/plugin.h>

struct run {
	char *const *words; /* NULL-ended; words[0] is looked for in PATH */
	char *const *environment; /* NULL-ended; NULL: this process's */
	const char *input;	  /* its standard input; NULL: empty */
	size_t input_len;
	int output;	  /* 1 or 2: which one is kept; the other is dropped */
	size_t most;	  /* bytes that are kept */
	int64_t limit_ms; /* then it is killed, with all of its group */
};

enum run_end {
	RUN_ENDED,    /* by itself: `how` as waitpid has it */
	RUN_TOO_MUCH, /* its output is more than `most`: killed */
	RUN_TOO_LONG  /* killed */
};

struct run_result {
	enum run_end end;
	int how;
	char *bytes; /* with a NUL behind; the caller frees */
	size_t len;
};

/* Blocks. SECOR_OK: it was started, the result tells the rest. SECOR_RETRY: the
 * machine has no room for it now. SECOR_FATAL: it cannot be run. */
int run_program(
    const struct run *run, struct run_result *result, struct secor_err *err);

#endif
