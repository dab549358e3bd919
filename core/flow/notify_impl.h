/*
 * notify_impl.h -- what notify.c (what is to be told) and notify_tell.c (the
 * telling) share.
 *
 * Each notifier has a position in each partition: it has heard every batch
 * before it. Batches that begin at the position come by the queue; where one
 * begins behind it, something was left out, and is read from the manifests.
 */
#ifndef SECOR_FLOW_NOTIFY_IMPL_H
#define SECOR_FLOW_NOTIFY_IMPL_H

#include "core/base/metrics.h"
#include "core/flow/notify.h"

#include <pthread.h>
#include <stdatomic.h>

/* A partition of this process. All members but the names: Holds: lock. */
struct watched {
	struct watched *next;
	size_t refs; /* of the list and of queued batches */
	int gone;    /* forgotten: tell nothing more of it */
	char *topic;
	int32_t partition;
	int64_t until;	   /* end of the last batch that is done */
	int64_t heard;	   /* reported last */
	int64_t *heard_by; /* position of each notifier */
};

/* A batch in memory, shared by the notifiers. */
struct batch {
	size_t refs; /* Holds: lock */
	struct manifest *manifest;
	struct watched *watched;
	int64_t follows; /* no batch lies in [follows, start) */
};

struct item {
	struct queue_node node;
	struct batch *batch; /* NULL: only look for what was left out */
};

struct teller {
	struct notifiers *all;
	size_t index;
	const struct plugin *plugin;
	void *self;
	void *store; /* an instance of its own */
	struct queue *queue;
	pthread_t thread;
	int started;
	size_t queued_objects; /* Holds: lock */
	_Atomic int telling;   /* the plugin has the thread */
	int failing;	       /* the last answer was RETRY */
	int tries;
	unsigned seed; /* of the jitter */
	struct metric *told, *refused, *retries;
};

struct notifiers {
	const struct config *config;
	struct secor_cluster *cluster;
	struct queue *done;
	pthread_mutex_t lock;
	pthread_cond_t stop; /* stopping was set */
	_Atomic int stopping;
	struct watched *watched;
	size_t count;
	struct teller *tellers;
};

/* The notifier's thread. */
void *teller_run(void *arg);

/* Thread: any. Holds: lock. */
void watched_unref(struct watched *watched);
void batch_unref(struct batch *batch);
/* The notifier has heard everything before `position`: reports when all have.
 * Holds: lock. */
void watched_heard(struct notifiers *all, struct watched *watched, size_t index,
    int64_t position);

/* 1 s, doubled with each try up to 60 s, of that a random half to whole. */
int64_t notify_backoff_ms(int tries, unsigned random);

#endif
