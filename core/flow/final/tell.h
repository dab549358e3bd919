/*
 * tell.h -- the notifiers that hear of paths: each on its own thread, with its
 * own queue, so that one that hangs holds up itself alone.
 *
 * A queue is bounded by paths and by the objects that they speak of; who does
 * not fit is offered again when there is room. A hearing goes to the notifier's
 * thread and comes back as an answer; it is the notifier's in between. What is
 * not said otherwise: the finalizer's thread alone.
 */
#ifndef SECOR_FLOW_FINAL_TELL_H
#define SECOR_FLOW_FINAL_TELL_H

#include "core/base/metrics.h"
#include "core/base/queue.h"
#include "core/config/config.h"

#include <secor/notifier.h>
#include <stdatomic.h>

/* Of one notifier: */
enum { TELL_PATHS = 1000, TELL_OBJECTS = 50000, TELL_NOTIFIERS = 64 };

struct tellers;

/* What is told. */
struct news {
	const struct secor_event_path *path;
	int amended;
	_Atomic int dropped; /* nobody wants to know any more */
};

enum hearing_state {
	HEARING_DUE = 0, /* to be offered at `again_boot_ms` */
	HEARING_QUEUED,	 /* the notifier has it */
	HEARING_HEARD	 /* or refused for good */
};

/* News for one notifier. */
struct hearing {
	struct queue_node node;
	struct telling *telling;
	const struct news *news;
	size_t notifier;
	enum hearing_state state;
	int tries; /* that failed */
	int64_t again_boot_ms;
	/* the answer */
	int dropped; /* it was not told */
	int status;
	char *why; /* of SECOR_RETRY; the taker frees it with free() */
};

/* Opens them and starts the threads. `wake` (may be NULL) is called, in the
 * notifier's thread, when there is an answer and was none. SECOR_FATAL with a
 * sentence. */
int tellers_new(const struct config *config, void (*wake)(void *arg), void *arg,
    struct tellers **tellers, struct secor_err *err);
/* Nothing more is told, but for what they are at. Any thread. */
void tellers_stop(struct tellers *tellers); /* accepts NULL */
/* Ends after the calls that they are at, however long they take. Hearings that
 * are queued are let go: the caller ends them. Accepts NULL. */
void tellers_free(struct tellers *tellers);

size_t tellers_count(const struct tellers *tellers);
/* Whether the notifier wants to hear such news at all. */
int tellers_wants(const struct tellers *tellers, size_t i, int amended);
/* Whether one of them can take more. */
int tellers_open(const struct tellers *tellers);
/* Whether its queue has room for a path of so many objects. Where it has not,
 * it is full until half of it is empty. */
int tellers_fits(struct tellers *tellers, size_t i, size_t objects);
/* Puts what fits into the queue of its notifier: HEARING_QUEUED. */
void tellers_offer(struct tellers *tellers, struct hearing *hearing);
/* The next answer, HEARING_HEARD or HEARING_DUE; waits for it where `wait`.
 * NULL: there is none, or stopped. */
struct hearing *tellers_answer(struct tellers *tellers, int wait);
/* Whether one that was full has room since this was asked last. */
int tellers_roomy(struct tellers *tellers);

/* Paths that this notifier has yet to hear: `n` more. */
void tellers_wait(struct tellers *tellers, size_t i, int n);
/* Since when the oldest of them waits, by notifier; 0: there is none. */
void tellers_since(struct tellers *tellers, const int64_t *since_ms);

#endif
