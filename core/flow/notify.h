/*
 * notify.h -- tells the notifiers of finished batches, at least once, in order
 * within a Kafka partition, each notifier on its own thread.
 *
 * A notifier that is behind never stalls the flow: its queue is bounded, what
 * does not fit is left out and read from the manifests once the queue has room
 * again. What all notifiers have heard comes back as an event, and is q of the
 * partition's next record; after a crash the catch-up begins at q.
 */
#ifndef SECOR_FLOW_NOTIFY_H
#define SECOR_FLOW_NOTIFY_H

#include "core/base/queue.h"
#include "core/config/config.h"
#include "core/flow/manifest.h"

struct notifiers;

/* All notifiers have heard every batch of this partition before `heard`. The
 * receiver frees it with free(). */
struct notify_heard {
	struct queue_node node;
	int32_t partition;
	int64_t heard; /* start of the first batch that is not heard by all */
	char topic[250];
};

/* Opens every notifier (SECOR_FATAL with its sentence). None configured: every
 * batch is heard at once. */
int notifiers_new(const struct config *config, struct queue *done,
    struct notifiers **notifiers, struct secor_err *err);
/* Ends after the event that a notifier is being told, however long the plugin
 * takes; what is not heard comes again after the next start. */
void notifiers_free(struct notifiers *notifiers);

/* A batch is done: its final commit is acknowledged. Takes `manifest`. Thread:
 * consumer. */
void notify_batch(struct notifiers *notifiers, struct manifest *manifest);

/* A partition was assigned: batches in [from, until) are finished, and not
 * known to be heard; they are read from the manifests. Thread: consumer. */
void notify_catch_up(struct notifiers *notifiers, const char *topic,
    int32_t partition, int64_t from, int64_t until);

/* A partition went away: forget what is queued for it (the next owner tells).
 * Thread: consumer. */
void notify_forget(
    struct notifiers *notifiers, const char *topic, int32_t partition);

#endif
