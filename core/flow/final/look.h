/*
 * look.h -- a topic as the finalizer sees it: ends of its log, then the group's
 * records. A client of its own that does not join the group; one thread.
 */
#ifndef SECOR_FLOW_FINAL_LOOK_H
#define SECOR_FLOW_FINAL_LOOK_H

#include "core/config/config.h"
#include "core/flow/final/watermark.h"

struct look;

/* SECOR_FATAL with a sentence; does not reach a broker yet. */
int look_new(
    const struct config *config, struct look **look, struct secor_err *err);
void look_free(struct look *look); /* accepts NULL */

/* A finalizer_look_fn: `arg` is the struct look. SECOR_RETRY when no broker
 * answers. */
int
look_at(void *arg, const char *topic, struct view *view, struct secor_err *err);

/* Every topic that the subscription takes and that is finalized, by name: each
 * a text of the caller's (free), as is the list. */
int look_topics(
    struct look *look, char ***topics, size_t *count, struct secor_err *err);

#endif
