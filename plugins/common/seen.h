/*
 * seen.h -- a bounded set of texts: the last paths that were dealt with.
 */
#ifndef SECOR_COMMON_SEEN_H
#define SECOR_COMMON_SEEN_H

#include <stddef.h>

struct seen;

/* Remembers `most` texts, then forgets the oldest. NULL: out of memory. */
struct seen *seen_new(size_t most);
void seen_free(struct seen *seen); /* accepts NULL */
int seen_has(const struct seen *seen, const char *text);
/* Not remembering (out of memory) is allowed: the work is done again. */
void seen_add(struct seen *seen, const char *text);
/* As if it had never been added. */
void seen_forget(struct seen *seen, const char *text);
/* As if all of them had never been added. */
void seen_clear(struct seen *seen);

#endif
