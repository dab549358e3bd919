/*
 * telling.h -- one path on its way: its marker is put, each notifier hears of
 * it or tries again by itself, last the tally is put.
 *
 * What is told stands from the marker on: objects that come while notifiers
 * hear are not in it, nor in the tally that ends it; they amend the path
 * afterwards. The finalizer's thread.
 */
#ifndef SECOR_FLOW_FINAL_TELLING_H
#define SECOR_FLOW_FINAL_TELLING_H

#include "core/flow/final/event.h"
#include "core/flow/final/tell.h"

struct telling {
	struct telling *next, *before; /* in the order of their markers */
	struct tellings *list;
	struct entry *entry; /* NULL: forgotten */
	struct news news;
	struct tally sum;	  /* what is told */
	size_t covers;		  /* first fresh objects of the entry */
	struct path_event *event; /* while one of the notifiers has it */
	size_t pending;		  /* notifiers that have it */
	size_t heard;		  /* who has heard, or does not want to */
	int told;		  /* one of them has heard */
	int64_t since_ms;
	char *why;    /* what failed first, and is not reported yet */
	size_t count; /* of notifiers */
	struct hearing hearings[];
};

struct tellings {
	struct telling *first, *last;
	struct topic *topic; /* whose they are, for the finalizer */
};

/* What a telling works with. */
struct telling_with {
	const struct manifest_store *store;
	struct tellers *tellers;
	const struct ledger *ledger;
	const struct config_finalize *how;
};

/* Puts the marker of the entry as it is now; entry->telling is it then, at the
 * end of `list`. SECOR_RETRY when the store does not take it. */
int telling_begin(const struct telling_with *with, struct entry *entry,
    struct tellings *list, struct secor_err *err);
/* Nobody has heard it or has it, and more objects have come: the marker is put
 * again with them. */
int telling_renew(const struct telling_with *with, struct telling *telling,
    struct secor_err *err);
/* Offers it to whom is due at `now`. Returns how many had no room. */
size_t telling_offer(const struct telling_with *with, struct telling *telling,
    int64_t now_boot_ms);
/* When the next notifier is due that is in a back-off; INT64_MAX: none. */
int64_t telling_again(const struct telling *telling);
/* Nobody has it, and all who are to hear it are in a back-off. */
int telling_rests(const struct telling *telling, int64_t now_boot_ms);
int telling_is_heard(const struct telling *telling); /* by all */
/* Since when it waits for each who has not heard it, where that is longer than
 * what `since_ms` has (0: nothing). */
void telling_since(const struct telling *telling, int64_t *since_ms);
/* Takes in an answer. SECOR_RETRY with why, where it comes again at
 * again_boot_ms. */
int telling_answered(struct tellers *tellers, struct hearing *hearing,
    int64_t again_boot_ms, struct secor_err *why);
/* `why` was said. */
void telling_reported(struct telling *telling);
/* Puts the tally, unless the store has one by now that counts all of it: that
 * is the telling's then. *stale: it has one that counts what is not known here;
 * nothing is put. SECOR_RETRY when the store does not answer. */
int telling_end(const struct telling_with *with, struct telling *telling,
    int *stale, struct secor_err *err);

/* Puts the marker of a path that had this tally before we came, where there is
 * none or one that counts less: another finalizer had put an older one behind
 * it, and was killed before its own tally would have told it so. SECOR_RETRY
 * when the store does not answer. */
int telling_mend(const struct telling_with *with, const struct entry *entry,
    const struct tally *tally, struct secor_err *err);

/* The entry is settled. */
void telling_settled(struct telling *telling);
/* The entry goes away: what is queued of it is not told; it is in `dropped`
 * until the last answer. */
void telling_drop(
    struct tellers *tellers, struct telling *telling, struct tellings *dropped);
/* An answer to one that was dropped. */
void telling_lost(struct telling *telling);
/* No notifier's thread has it any more. */
void telling_free(struct telling *telling);

#endif
