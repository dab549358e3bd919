/*
 * spare.h -- files of the stage that nobody needs any more, kept for the next
 * ones. To overwrite a file takes a third of the CPU that it takes to make one,
 * fill it and remove it: its pages and blocks are there.
 *
 * Thread: its writer. Only large files are kept, and never more than an eighth
 * of what may still be staged: so they stand in nobody's way.
 */
#ifndef SECOR_FLOW_SPARE_H
#define SECOR_FLOW_SPARE_H

#include "core/flow/stage.h"

struct spare;

struct spares {
	struct stage *stage;
	int64_t max_bytes;   /* of the stage; 0: no limit */
	struct spare *first; /* the one that came last: its pages are warm */
};

/* Takes `name`, a file of `bytes`: keeps it and returns 1; or returns 0, and it
 * is still the caller's. */
int spares_give(struct spares *spares, char *name, uint64_t bytes);

/* Counts so many more as spare if they may be: 1. Also for room of a file that
 * is being written, which must stand in nobody's way either. */
int spares_count(struct spares *spares, int64_t bytes);

/* The name of a file of *bytes, which is the caller's from now on: they stay
 * counted as spare until he overwrites them. NULL: there is none. */
char *spares_take(struct spares *spares, uint64_t *bytes);

/* Removes all; returns whether there were any. */
int spares_drop(struct spares *spares);

#endif
