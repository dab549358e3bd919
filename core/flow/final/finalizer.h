/*
 * finalizer.h -- says of paths that they are over: the marker in the path's
 * folder, the notifiers, last the tally. What comes into them later amends
 * them in the same order.
 *
 * Notifiers hear in their own threads (tell.h): one that hangs or fails holds
 * up the tallies of its paths, and nothing else. All but finalizer_stop is for
 * one thread.
 *
 * Works from what is committed and stored alone, so it may be done by any
 * process, by two at once, and again after a crash at any step: a marker is put
 * again with the same totals, notifiers hear at least once, a tally ends it.
 */
#ifndef SECOR_FLOW_FINAL_FINALIZER_H
#define SECOR_FLOW_FINAL_FINALIZER_H

#include "core/flow/final/ledger.h"
#include "core/flow/final/watermark.h"

struct finalizer;

/* What Kafka says of a topic now: ends first, then records. view->parts: caller
 * frees with free(). */
typedef int (*finalizer_look_fn)(
    void *arg, const char *topic, struct view *view, struct secor_err *err);

/* A path that was finalized or amended, or would be. */
struct finalizer_path {
	const char *topic;
	const char *url; /* of the folder */
	const struct tally *tally;
	int amended; /* else for the first time */
	uint64_t fresh_objects, fresh_records;
	const char *failed; /* why not, or NULL */
};

struct finalizer_how {
	const struct config *config;
	finalizer_look_fn look;
	void *arg;   /* of look, said and wake */
	int dry_run; /* nothing is put, nobody is told */
	/* finalizer_run ends when each path was told to all or has failed, once
	 * each; else finalizer_turn goes on with it. */
	int wait;
	/* A turn has something to do; in any thread. May be NULL. */
	void (*wake)(void *arg);
	/* Each path as it is done; may be NULL. */
	void (*said)(void *arg, const struct finalizer_path *path);
};

/* Of one topic. */
struct finalizer_pass {
	struct watermark watermark;
	uint64_t finalized, amended, failed;
	uint64_t left; /* failed before, and not due to be tried again */
	int again; /* another one was at work: the next look has all of it */
		   /* without `wait` more becomes of them in later turns */
};

/* Opens store and notifiers, instances of its own. SECOR_FATAL with a
 * sentence. */
int finalizer_new(const struct finalizer_how *how, struct finalizer **finalizer,
    struct secor_err *err);
/* The pass ends behind the path that it is at, and nobody is told more than
 * what he is being told. Any thread. */
void finalizer_stop(struct finalizer *finalizer);
/* Ends after what notifiers are being told, however long they take. Accepts
 * NULL. */
void finalizer_free(struct finalizer *finalizer);

/* One look at a topic: everything that is over and was not told is told, as far
 * as notifiers have room. A path that fails is logged and comes again, for that
 * notifier alone, with a back-off; the others go on. SECOR_RETRY when Kafka or
 * the store do not answer. */
int finalizer_run(struct finalizer *finalizer, const char *topic,
    struct finalizer_pass *pass, struct secor_err *err);

/* Takes in what notifiers have answered, and goes on telling at `now`: what
 * failed and is due again, what had no room. Returns when it is to be called
 * again at the latest, by the same clock; INT64_MAX: when it wakes. */
int64_t finalizer_turn(struct finalizer *finalizer, int64_t now_boot_ms);

/* Forgets what it knows of a topic: another process has it now. */
void finalizer_forget(struct finalizer *finalizer, const char *topic);

#endif
