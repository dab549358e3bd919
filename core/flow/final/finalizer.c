/*
 * finalizer.c -- see finalizer.h: topics, what is due, what failed.
 */
#include "core/flow/final/finalizer.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/flow/final/catchup.h"
#include "core/flow/final/redrives.h"
#include "core/flow/final/tell.h"
#include "core/flow/notify_impl.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { URL_ROOM = 2048 };

struct topic_metrics {
	struct metric *watermark, *holder, *finalized, *amended, *failures,
	    *waiting, *objects;
};

struct topic {
	struct topic *next;
	char *name;
	const struct config_topic *config;
	struct spans *spans;
	struct ledger *ledger;
	struct manifest_place place; /* borrows name */
	struct redrives *redrives;
	int64_t *read_until; /* by partition; -1: nothing was read yet */
	size_t partitions;
	int stale; /* somebody else's tallies took the place of ours */
	struct topic_metrics metrics;
};

struct finalizer {
	struct finalizer_how how;
	struct manifest_store store;
	struct tellers *tellers;
	struct topic *topics;
	_Atomic int stopping;
	unsigned seed; /* of the back-off */
};

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
		rc =
		    tellers_new(how->config, &made->store, &made->tellers, err);
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
			topic_free(gone);
			return;
		}
}

void
finalizer_free(struct finalizer *finalizer)
{
	if (finalizer == NULL)
		return;
	while (finalizer->topics != NULL)
		finalizer_forget(finalizer, finalizer->topics->name);
	tellers_free(finalizer->tellers);
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

/* What the store has of the entry, and of redrives into it. Others may be at
 * work, too: who finds that a tally counts less than he knew of begins anew, so
 * that the last one who wrote, or the next one who looks, has all of it. */
static int
read_entry(struct finalizer *f, struct topic *topic, struct entry *entry,
    struct secor_err *err)
{
	char *key = tally_key(
	    f->store.prefix, topic->name, topic->place.generation, entry->path);
	struct tally tally;
	int found;
	int rc = tally_get(&f->store, key, &tally, &found, err);

	free(key);
	if (rc != SECOR_OK)
		return rc;
	if (entry->state == ENTRY_SETTLED &&
	    !(found && tally_covers(&tally, &entry->tally))) {
		topic->stale = 1;
		if (found)
			tally_fini(&tally);
		return SECOR_OK;
	}
	ledger_settle(entry, found ? &tally : NULL);
	return redrives_of(topic->redrives, entry, err);
}

/* Whether the entry is to be told; what the store knows of it is read first. */
static int
look_up(struct finalizer *f, struct topic *topic, struct entry *entry,
    int64_t oldest_ms, int *wanted, struct secor_err *err)
{
	int rc = read_entry(f, topic, entry, err);

	*wanted = 0;
	if (rc != SECOR_OK || topic->stale)
		return rc;
	*wanted = entry->state == ENTRY_SETTLED
		      ? entry->fresh_count > 0
		      : entry->span.until >= oldest_ms || entry->tries > 0;
	entry->unsure = *wanted && !f->how.dry_run;
	return SECOR_OK;
}

/* ---- telling ---- */

static void
say(const struct finalizer *f, const struct topic *topic,
    const struct entry *entry, const struct tally *sum, const char *failed)
{
	struct finalizer_path path = {.topic = topic->name,
	    .tally = sum,
	    .amended = entry->state == ENTRY_SETTLED,
	    .fresh_objects = entry->fresh_count,
	    .failed = failed};
	char url[URL_ROOM] = "";

	for (size_t i = 0; i < entry->fresh_count; i++)
		path.fresh_records += entry->fresh[i]->object.records;
	if (f->store.ops->url != NULL)
		f->store.ops->url(
		    f->store.self, entry->folder, url, sizeof(url));
	path.url = url;
	if (f->how.said != NULL)
		f->how.said(f->how.arg, &path);
}

static void
note_done(struct topic *topic, const struct entry *entry,
    const struct tally *sum, struct finalizer_pass *pass)
{
	int amended = entry->state == ENTRY_SETTLED;

	log_line(SECOR_INFO, amended ? "path amended" : "path finalized",
	    "topic=%s path=%s objects=%" PRIu64 " records=%" PRIu64
	    " bytes=%" PRIu64 " new_objects=%zu",
	    topic->name, sum->path, sum->totals.objects, sum->totals.records,
	    sum->totals.bytes, entry->fresh_count);
	metric_add(
	    amended ? topic->metrics.amended : topic->metrics.finalized, 1);
	if (amended)
		metric_add(topic->metrics.objects, (int64_t)entry->fresh_count);
	*(amended ? &pass->amended : &pass->finalized) += 1;
}

static void
note_failed(struct finalizer *f, struct topic *topic, struct entry *entry,
    const char *why, struct finalizer_pass *pass)
{
	int64_t wait =
	    notify_backoff_ms(entry->tries++, (unsigned)rand_r(&f->seed));
	char quoted[1200];

	if (entry->tries == 1)
		log_line(SECOR_WARN, "path not finalized",
		    "topic=%s path=%s reason=%s next=retry", topic->name,
		    entry->path, log_quote(quoted, sizeof(quoted), why));
	entry->again_boot_ms = clock_boot_ms() + wait;
	metric_add(topic->metrics.failures, 1);
	pass->failed++;
}

static void
do_entry(struct finalizer *f, struct topic *topic, struct entry *entry,
    struct finalizer_pass *pass)
{
	struct secor_err why = {{0}};
	struct tally sum;
	int rc = SECOR_OK;

	ledger_sum(topic->ledger, entry, &sum);
	if (!f->how.dry_run)
		rc = tell_path(
		    f->tellers, &topic->config->finalize, entry, &sum, &why);
	say(f, topic, entry, &sum, rc == SECOR_OK ? NULL : why.text);
	if (rc != SECOR_OK) {
		note_failed(f, topic, entry, why.text, pass);
	} else if (f->how.dry_run) {
		*(entry->state == ENTRY_SETTLED ? &pass->amended
						: &pass->finalized) += 1;
	} else {
		note_done(topic, entry, &sum, pass);
		entry->tries = 0;
		ledger_settle(entry, &sum);
	}
	tally_fini(&sum);
}

/* A tally, or a receipt, that cannot be read is trouble of its path alone. */
static int
do_unreadable(struct finalizer *f, struct topic *topic, struct entry *entry,
    const struct secor_err *why, struct finalizer_pass *pass)
{
	struct tally sum;

	ledger_sum(topic->ledger, entry, &sum);
	say(f, topic, entry, &sum, why->text);
	note_failed(f, topic, entry, why->text, pass);
	tally_fini(&sum);
	return SECOR_OK;
}

static int
do_due(struct finalizer *f, struct topic *topic, int64_t watermark_ms,
    struct finalizer_pass *pass, struct secor_err *err)
{
	const struct config_finalize *how = &topic->config->finalize;
	size_t count;
	struct entry **due =
	    ledger_due(topic->ledger, watermark_ms - how->delay_ms, &count);
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < count && !topic->stale; i++) {
		struct secor_err why = {{0}};
		int wanted;

		if (atomic_load(&f->stopping))
			break;
		if (due[i]->again_boot_ms > clock_boot_ms()) {
			pass->left++;
			continue;
		}
		rc = look_up(f, topic, due[i], watermark_ms - how->lookback_ms,
		    &wanted, &why);
		if (rc == SECOR_OK && wanted)
			do_entry(f, topic, due[i], pass);
		else if (rc == SECOR_REJECT)
			rc = do_unreadable(f, topic, due[i], &why, pass);
		else if (rc != SECOR_OK)
			(void)secor_fail(err, rc, "%s", why.text);
	}
	free(due);
	return rc;
}

static int
end_pass(struct finalizer *f, struct topic *topic, struct secor_err *err)
{
	if (topic->stale) {
		log_line(SECOR_INFO, "finalizer begins anew",
		    "topic=%s reason=\"another one was at work\"", topic->name);
		forget_read(topic);
		begin_read(f, topic);
		return SECOR_OK;
	}
	return f->how.dry_run
		   ? SECOR_OK
		   : redrives_tidy(topic->redrives, clock_now_ms(), err);
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
	pass->watermark = watermark_of(&view);
	ms = pass->watermark.ms;
	metric_set(topic->metrics.holder, pass->watermark.holder);
	if (ms != INT64_MIN && topic->config->finalize.delay_ms >= 0) {
		metric_set(topic->metrics.watermark, ms);
		rc = read_manifests(f, topic, &view, ms, err);
		if (rc == SECOR_OK)
			rc = redrives_read(topic->redrives, err);
		if (rc == SECOR_OK)
			rc = do_due(f, topic, ms, pass, err);
		metric_set(topic->metrics.waiting,
		    (int64_t)(pass->failed + pass->left));
		ledger_forget(
		    topic->ledger, ms - topic->config->finalize.lookback_ms);
		if (rc == SECOR_OK)
			rc = end_pass(f, topic, err);
	}
	free(view.parts);
	return rc;
}
