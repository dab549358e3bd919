/*
 * event.h -- a path as notifiers see it. It keeps the objects that it speaks
 * of, whatever becomes of the ledger; made and ended by the ledger's thread,
 * read by any.
 */
#ifndef SECOR_FLOW_FINAL_EVENT_H
#define SECOR_FLOW_FINAL_EVENT_H

#include "core/flow/final/ledger.h"

struct path_event {
	struct secor_event_path path; /* what a plugin gets */
	struct ledger_object **kept;
	char *url;
};

/* Of the entry's first `count` fresh objects; `sum` (borrowed as long as the
 * event lives) has the totals. */
struct path_event *path_event_new(const struct manifest_store *store,
    const struct entry *entry, size_t count, const struct tally *sum);
void path_event_free(struct path_event *event); /* accepts NULL */

#endif
