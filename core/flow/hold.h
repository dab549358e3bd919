/*
 * hold.h -- a person's command on a partition of a running process: its owner
 * lets go of what it has collected, commits for the person as a member of the
 * group, and opens the partition again as if it were newly assigned.
 *
 *	TAKE -> COMMIT, as often as needed -> RELEASE
 *
 * Between TAKE and RELEASE nothing of the partition is read, put or committed
 * but what the person commits. A rebalance ends it: what was taken before is
 * known by its epoch, so no commit is made for a partition that has gone.
 */
#ifndef SECOR_FLOW_HOLD_H
#define SECOR_FLOW_HOLD_H

#include "core/flow/record.h"

enum hold_verb { HOLD_TAKE = 0, HOLD_COMMIT, HOLD_RELEASE };

/* One question; belongs to the asker, who waits for its answer. */
struct hold {
	enum hold_verb verb;
	char topic[250];
	int32_t partition;
	char g[40];	      /* TAKE: of the asker's configuration */
	struct record record; /* COMMIT */
	uint64_t epoch;	      /* TAKE gives it, the others bring it */
	/* the answer. SECOR_OK: done, RELEASE with the state in text;
	 * SECOR_REJECT: the partition is not this process's (any more);
	 * SECOR_RETRY: later; SECOR_FATAL: text says why not */
	int status;
	char text[640];
	/* hold.c's own */
	struct hold *next;
	int answered, begun;
	int64_t until_boot_ms;
};

/* Asks the consumer thread and waits. Any thread but that one. `engine` is
 * void so that it fits a table of slots. */
void engine_hold(void *engine, struct hold *hold);
/* Answers all that wait, and whoever asks from now on: the loop is over. */
void engine_hold_end(void *engine);

#endif
