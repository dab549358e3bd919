/*
 * finalizer.c -- see finalizer.h: topics, and what is read of them.
 */
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/final/catchup.h"
#include "core/flow/final/finalizer_impl.h"
#include "core/flow/final/redrives.h"

#include <stdlib.h>
#include <string.h>

/* ---- opening and closing ---- */

static int
open_store(struct finalizer *f, struct secor_err *err)
{
	const struct config_use *use = &f->how.config->store;

	f->store.ops = use->plugin->ops.store;
	f->store.prefix = f->how.config->layout.manifest_prefix;
	return config_open(use, NULL, &f->store.self, err);
}

int
finalizer_new(const struct finalizer_how *how, struct finalizer **finalizer,
    struct secor_err *err)
{
	struct finalizer *made = mem_alloc(sizeof(*made));
	int rc;

	made->how = *how;
	made->seed = (unsigned)clock_boot_ms();
	rc = open_store(made, err);
	if (rc == SECOR_OK && !how->dry_run)
		rc = tellers_new(
		    how->config, how->wake, how->arg, &made->tellers, err);
	if (rc != SECOR_OK) {
		finalizer_free(made);
		return rc;
	}
	*finalizer = made;
	return SECOR_OK;
}

void
finalizer_stop(struct finalizer *finalizer)
{
	atomic_store(&finalizer->stopping, 1);
	tellers_stop(finalizer->tellers);
}

static void
forget_read(struct topic *topic)
{
	redrives_free(topic->redrives);
	ledger_free(topic->ledger);
	free(topic->read_until);
	topic->redrives = NULL;
	topic->ledger = NULL;
	topic->read_until = NULL;
	topic->partitions = 0;
	topic->stale = 0;
}

static void
topic_free(struct topic *topic)
{
	metric_hide(topic->metrics.watermark);
	metric_hide(topic->metrics.holder);
	metric_hide(topic->metrics.waiting);
	forget_read(topic);
	spans_free(topic->spans);
	free(topic->name);
	free(topic);
}

void
finalizer_forget(struct finalizer *finalizer, const char *topic)
{
	for (struct topic **at = &finalizer->topics; *at != NULL;
	     at = &(*at)->next)
		if (strcmp((*at)->name, topic) == 0) {
			struct topic *gone = *at;

			*at = gone->next;
			due_drop(finalizer, gone);
			topic_free(gone);
			return;
		}
}

void
finalizer_free(struct finalizer *finalizer)
{
	if (finalizer == NULL)
		return;
	tellers_stop(finalizer->tellers);
	while (finalizer->topics != NULL)
		finalizer_forget(finalizer, finalizer->topics->name);
	tellers_free(finalizer->tellers);
	while (finalizer->dropped.first != NULL)
		telling_free(finalizer->dropped.first);
	if (finalizer->store.self != NULL)
		finalizer->store.ops->close(finalizer->store.self);
	free(finalizer);
}

static void
topic_metrics(struct topic_metrics *m, const char *name)
{
	const char *const *labels = METRIC_LABELS("topic", name);

	m->watermark = metric_gauge_ms("secor_topic_watermark_seconds",
	    "Event time up to which a topic is stored, as the finalizer sees "
	    "it.",
	    labels);
	m->holder = metric_gauge("secor_topic_held_back_by",
	    "Partition that holds a topic's watermark back; -1: none.", labels);
	m->finalized = metric_counter("secor_paths_finalized_total",
	    "Paths that were finalized.", labels);
	m->amended = metric_counter("secor_paths_amended_total",
	    "Finalized paths that were amended.", labels);
	m->objects = metric_counter("secor_late_objects_total",
	    "Objects that came into finalized paths.", labels);
	m->failures = metric_counter("secor_paths_failures_total",
	    "Attempts to finalize or amend a path that come again.", labels);
	m->waiting = metric_gauge("secor_paths_waiting",
	    "Paths that are over and not told yet.", labels);
}

static void
begin_read(const struct finalizer *f, struct topic *topic)
{
	topic->ledger = ledger_new(
	    topic->name, topic->spans, f->how.config->layout.md5_prefix);
	topic->redrives = redrives_new(&f->store, &topic->place, topic->ledger);
}

static int
topic_get(struct finalizer *f, const char *name, struct topic **topic,
    struct secor_err *err)
{
	struct topic *made;
	int rc;

	for (*topic = f->topics; *topic != NULL; *topic = (*topic)->next)
		if (strcmp((*topic)->name, name) == 0)
			return SECOR_OK;
	made = mem_alloc(sizeof(*made));
	made->name = mem_dup(name, strlen(name));
	made->config = config_topic(f->how.config, name);
	made->again_boot_ms = INT64_MAX;
	made->tellings.topic = made;
	topic_metrics(&made->metrics, name);
	rc = spans_new(made->config, &made->spans, err);
	if (rc != SECOR_OK) {
		topic_free(made);
		return rc;
	}
	made->place = (struct manifest_place){
	    made->name, 0, f->how.config->layout.generation};
	begin_read(f, made);
	made->next = f->topics;
	f->topics = made;
	*topic = made;
	return SECOR_OK;
}

/* ---- reading ---- */

static void
more_partitions(struct topic *topic, size_t count)
{
	if (count <= topic->partitions)
		return;
	topic->read_until =
	    mem_grow(topic->read_until, count * sizeof(*topic->read_until));
	while (topic->partitions < count)
		topic->read_until[topic->partitions++] = -1;
}

/* What is final is read: everything before the group's records. */
static int
read_manifests(struct finalizer *f, struct topic *topic,
    const struct view *view, int64_t watermark_ms, struct secor_err *err)
{
	int64_t horizon = spans_reach(
	    topic->spans, watermark_ms - topic->config->finalize.lookback_ms);
	int rc = SECOR_OK;

	more_partitions(topic, view->count);
	for (size_t p = 0; rc == SECOR_OK && p < view->count; p++) {
		const struct record *record = &view->parts[p].record;
		struct manifest_place place = {
		    topic->name, (int32_t)p, topic->place.generation};
		struct catchup range = {
		    topic->read_until[p], record->offset, horizon};

		if (record->kind == RECORD_MISSING ||
		    record->kind == RECORD_FOREIGN ||
		    record_generation(record->g) != place.generation ||
		    range.from >= range.until)
			continue;
		rc = catchup(&f->store, &place, &range, topic->ledger, err);
		if (rc == SECOR_OK)
			topic->read_until[p] = range.until;
		if (atomic_load(&f->stopping) && rc == SECOR_OK)
			rc = secor_fail(err, SECOR_RETRY, "stopping");
	}
	return rc;
}

/* ---- telling ---- */

static int
more_to_offer(const struct topic *topic, int rc)
{
	return rc == SECOR_OK && topic->left_out && !topic->stale;
}

/* Everything that is due now, once. */
static int
tell(struct finalizer *f, struct topic *topic, struct secor_err *err)
{
	int64_t now = clock_boot_ms();
	int rc = due_offer(f, topic, now, err);
	uint64_t left = topic->pass.left;

	if (!f->how.wait || f->tellers == NULL)
		return rc;
	while ((topic->in_flight > 0 || more_to_offer(topic, rc)) &&
	       due_answers(f, 1, clock_boot_ms()))
		if (more_to_offer(topic, rc) && tellers_roomy(f->tellers))
			rc = due_offer(f, topic, now, err);
	topic->pass.left = left;
	return rc;
}

static void
begin_anew(struct finalizer *f, struct topic *topic)
{
	if (!topic->stale)
		return;
	log_line(SECOR_INFO, "finalizer begins anew",
	    "topic=%s reason=\"another one was at work\"", topic->name);
	due_drop(f, topic);
	forget_read(topic);
	begin_read(f, topic);
	topic->pass.again = 1;
	topic->again_boot_ms = INT64_MAX;
	topic->left_out = 0;
}

int
finalizer_run(struct finalizer *f, const char *name,
    struct finalizer_pass *pass, struct secor_err *err)
{
	struct view view = {0};
	struct topic *topic;
	int64_t ms;
	int rc = topic_get(f, name, &topic, err);

	memset(pass, 0, sizeof(*pass));
	if (rc == SECOR_OK)
		rc = f->how.look(f->how.arg, name, &view, err);
	if (rc != SECOR_OK)
		return rc;
	memset(&topic->pass, 0, sizeof(topic->pass));
	topic->pass.watermark = watermark_of(&view);
	ms = topic->pass.watermark.ms;
	metric_set(topic->metrics.holder, topic->pass.watermark.holder);
	if (ms != INT64_MIN && topic->config->finalize.delay_ms >= 0) {
		metric_set(topic->metrics.watermark, ms);
		rc = read_manifests(f, topic, &view, ms, err);
		if (rc == SECOR_OK)
			rc = redrives_read(topic->redrives, err);
		if (rc == SECOR_OK) {
			topic->watermark_ms = ms;
			rc = tell(f, topic, err);
		}
		ledger_forget(
		    topic->ledger, ms - topic->config->finalize.lookback_ms);
		if (rc == SECOR_OK && !topic->stale && !f->how.dry_run)
			rc =
			    redrives_tidy(topic->redrives, clock_now_ms(), err);
		begin_anew(f, topic);
	}
	*pass = topic->pass;
	free(view.parts);
	return rc;
}

/* Another topic is the first to get the next room. */
static void
rotate(struct finalizer *f)
{
	struct topic *first = f->topics;
	struct topic **at = &f->topics;

	while (*at != NULL)
		at = &(*at)->next;
	*at = first;
	f->topics = first->next;
	first->next = NULL;
}

int64_t
finalizer_turn(struct finalizer *f, int64_t now_boot_ms)
{
	int64_t again = INT64_MAX;
	int roomy;

	(void)due_answers(f, 0, now_boot_ms);
	roomy = tellers_roomy(f->tellers);
	for (struct topic *topic = f->topics; topic != NULL;
	     topic = topic->next) {
		struct secor_err why; /* the next look says it */

		if (topic->again_boot_ms <= now_boot_ms ||
		    (roomy && topic->left_out))
			(void)due_offer(f, topic, now_boot_ms, &why);
		begin_anew(f, topic);
		if (topic->again_boot_ms < again)
			again = topic->again_boot_ms;
	}
	if (roomy && f->topics != NULL)
		rotate(f);
	due_note_oldest(f);
	return again;
}
