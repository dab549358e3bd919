/*
 * due.c -- what is over is told, oldest first, and settled when everybody has
 * heard it. What a notifier has no room for stays in the ledger, and is offered
 * when there is.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/final/finalizer_impl.h"
#include "core/flow/final/redrives.h"
#include "core/flow/notify_impl.h"

#include <inttypes.h>
#include <stdlib.h>

enum { URL_ROOM = 2048, STORE_AGAIN_MS = 5000, TURN_MS = 250 };

static struct telling_with
with(const struct finalizer *f, struct topic *topic)
{
	return (struct telling_with){
	    &f->store, f->tellers, topic->ledger, &topic->config->finalize};
}

static void
come_again(struct topic *topic, int64_t at_boot_ms)
{
	if (at_boot_ms < topic->again_boot_ms)
		topic->again_boot_ms = at_boot_ms;
}

/* ---- what is said of it ---- */

/* Of the entry's first `covers` fresh objects. */
static void
say(const struct finalizer *f, const struct entry *entry, size_t covers,
    const struct tally *sum, const char *failed)
{
	struct finalizer_path path = {.topic = sum->topic,
	    .tally = sum,
	    .amended = entry->state == ENTRY_SETTLED,
	    .fresh_objects = covers,
	    .failed = failed};
	char url[URL_ROOM] = "";

	if (f->how.said == NULL)
		return;
	for (size_t i = 0; i < covers; i++)
		path.fresh_records += entry->fresh[i]->object.records;
	if (f->store.ops->url != NULL)
		f->store.ops->url(
		    f->store.self, entry->folder, url, sizeof(url));
	path.url = url;
	f->how.said(f->how.arg, &path);
}

static void
note_done(struct topic *topic, const struct telling *telling)
{
	const struct tally *sum = &telling->sum;
	int amended = telling->news.amended;

	log_line(SECOR_INFO, amended ? "path amended" : "path finalized",
	    "topic=%s path=%s objects=%" PRIu64 " records=%" PRIu64
	    " bytes=%" PRIu64 " new_objects=%zu",
	    topic->name, sum->path, sum->totals.objects, sum->totals.records,
	    sum->totals.bytes, telling->covers);
	metric_add(
	    amended ? topic->metrics.amended : topic->metrics.finalized, 1);
	if (amended)
		metric_add(topic->metrics.objects, (int64_t)telling->covers);
	metric_add(topic->metrics.waiting, -1);
	topic->waiting--;
	*(amended ? &topic->pass.amended : &topic->pass.finalized) += 1;
}

/* `first`: it has not failed before. */
static void
note_failed(
    struct topic *topic, const struct entry *entry, int first, const char *why)
{
	char quoted[1200];

	if (first)
		log_line(SECOR_WARN, "path not finalized",
		    "topic=%s path=%s reason=%s next=retry", topic->name,
		    entry->path, log_quote(quoted, sizeof(quoted), why));
	metric_add(topic->metrics.failures, 1);
}

/* ---- telling ---- */

/* The store did not take the marker or the tally. */
static void
store_failed(struct finalizer *f, struct topic *topic, struct entry *entry,
    int64_t now_boot_ms, const char *why)
{
	entry->again_boot_ms = now_boot_ms + notify_backoff_ms(entry->tries++,
						 (unsigned)rand_r(&f->seed));
	come_again(topic, entry->again_boot_ms);
	note_failed(topic, entry, entry->tries == 1, why);
	topic->pass.failed++;
}

/* The same, before anything of it was told. */
static void
entry_failed(struct finalizer *f, struct topic *topic, struct entry *entry,
    int64_t now_boot_ms, const char *why)
{
	struct tally sum;

	ledger_sum(topic->ledger, entry, &sum);
	say(f, entry, entry->fresh_count, &sum, why);
	tally_fini(&sum);
	store_failed(f, topic, entry, now_boot_ms, why);
}

/* Everybody has heard it: the tally ends it. */
static void
finish(struct finalizer *f, struct topic *topic, struct telling *telling,
    int64_t now_boot_ms)
{
	struct telling_with env = with(f, topic);
	struct entry *entry = telling->entry;
	struct secor_err why = {{0}};
	int stale;
	int rc = telling_end(&env, telling, &stale, &why);

	topic->stale |= stale;
	if (stale)
		return; /* the topic begins anew */
	say(f, entry, telling->covers, &telling->sum,
	    rc == SECOR_OK ? NULL : why.text);
	if (rc != SECOR_OK) {
		store_failed(f, topic, entry, now_boot_ms, why.text);
		return;
	}
	note_done(topic, telling);
	entry->tries = 0;
	entry->again_boot_ms = 0;
	ledger_settle(entry, &telling->sum);
	telling_settled(telling);
	if (entry->fresh_count > 0) /* came while it was told: amend it */
		come_again(topic, now_boot_ms + TURN_MS);
}

/* Puts the marker where it is to be put. */
static int
begin(struct finalizer *f, struct topic *topic, struct entry *entry,
    int64_t now_boot_ms)
{
	struct telling_with env = with(f, topic);
	struct secor_err why = {{0}};
	int rc = entry->telling == NULL
		     ? telling_begin(&env, entry, &topic->tellings, &why)
		     : telling_renew(&env, entry->telling, &why);

	if (rc != SECOR_OK)
		entry_failed(f, topic, entry, now_boot_ms, why.text);
	return rc;
}

static void
offer_entry(struct finalizer *f, struct topic *topic, struct entry *entry,
    int64_t now_boot_ms)
{
	struct telling_with env = with(f, topic);
	struct telling *telling;
	size_t before;

	if (begin(f, topic, entry, now_boot_ms) != SECOR_OK)
		return;
	telling = entry->telling;
	before = telling->pending;
	if (telling_offer(&env, telling, now_boot_ms) > 0)
		topic->left_out = 1;
	topic->in_flight += telling->pending - before;
	come_again(topic, telling_again(telling));
	if (telling_is_heard(telling))
		finish(f, topic, telling, now_boot_ms);
}

static void
say_only(struct finalizer *f, struct topic *topic, const struct entry *entry)
{
	struct tally sum;

	ledger_sum(topic->ledger, entry, &sum);
	say(f, entry, entry->fresh_count, &sum, NULL);
	*(entry->state == ENTRY_SETTLED ? &topic->pass.amended
					: &topic->pass.finalized) += 1;
	tally_fini(&sum);
}

/* ---- what is due ---- */

/* What the store has of the entry, and of redrives into it. Others may be at
 * work, too: who finds that a tally counts less than he knew of begins anew, so
 * that the last one who wrote, or the next one who looks, has all of it. */
static int
read_entry(const struct finalizer *f, struct topic *topic, struct entry *entry,
    struct secor_err *err)
{
	char *key = tally_key(
	    f->store.prefix, topic->name, topic->place.generation, entry->path);
	struct tally tally;
	int found;
	int rc = tally_get(&f->store, key, &tally, &found, err);

	free(key);
	if (rc == SECOR_OK && found && entry->state != ENTRY_SETTLED &&
	    !f->how.dry_run) {
		struct telling_with env = with(f, topic);

		rc = telling_mend(&env, entry, &tally, err);
		if (rc != SECOR_OK)
			tally_fini(&tally);
	}
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

/* Whether the entry is to be told; what the store knows of it is read first,
 * unless it is being told: that stands until it is settled. */
static int
look_up(const struct finalizer *f, struct topic *topic, struct entry *entry,
    int *wanted, struct secor_err *err)
{
	int64_t oldest_ms =
	    topic->watermark_ms - topic->config->finalize.lookback_ms;
	int rc;

	*wanted = entry->telling != NULL;
	if (*wanted)
		return SECOR_OK;
	rc = read_entry(f, topic, entry, err);
	if (rc != SECOR_OK || topic->stale)
		return rc;
	*wanted = entry->state == ENTRY_SETTLED
		      ? entry->fresh_count > 0
		      : entry->span.until >= oldest_ms || entry->tries > 0;
	entry->unsure = *wanted && !f->how.dry_run;
	return SECOR_OK;
}

/* Whether nothing can be done about it now. */
static int
must_wait(const struct finalizer *f, struct topic *topic,
    const struct entry *entry, int64_t now_boot_ms)
{
	if (entry->again_boot_ms > now_boot_ms) {
		come_again(topic, entry->again_boot_ms);
		topic->pass.left++;
		return 1;
	}
	if (entry->telling != NULL || f->tellers == NULL ||
	    (entry->state == ENTRY_SETTLED && entry->fresh_count == 0) ||
	    tellers_open(f->tellers))
		return 0;
	topic->left_out = 1;
	return 1;
}

static void
tell_or_say(struct finalizer *f, struct topic *topic, struct entry *entry,
    int64_t now_boot_ms)
{
	if (f->tellers == NULL) {
		say_only(f, topic, entry);
		return;
	}
	topic->waiting++;
	if (entry->telling != NULL &&
	    telling_rests(entry->telling, now_boot_ms))
		topic->pass.left++;
	offer_entry(f, topic, entry, now_boot_ms);
}

/* A tally, or a receipt, that cannot be read is trouble of its path alone. */
static int
offer_one(struct finalizer *f, struct topic *topic, struct entry *entry,
    int64_t now_boot_ms, struct secor_err *err)
{
	struct secor_err why = {{0}};
	int wanted, rc;

	if (must_wait(f, topic, entry, now_boot_ms)) {
		topic->waiting++;
		return SECOR_OK;
	}
	rc = look_up(f, topic, entry, &wanted, &why);
	if (rc == SECOR_REJECT) {
		entry_failed(f, topic, entry, now_boot_ms, why.text);
		topic->waiting++;
		return SECOR_OK;
	}
	if (rc != SECOR_OK)
		return secor_fail(err, rc, "%s", why.text);
	if (wanted)
		tell_or_say(f, topic, entry, now_boot_ms);
	return SECOR_OK;
}

int
due_offer(struct finalizer *f, struct topic *topic, int64_t now_boot_ms,
    struct secor_err *err)
{
	size_t count, i;
	struct entry **due = ledger_due(topic->ledger,
	    topic->watermark_ms - topic->config->finalize.delay_ms, &count);
	int rc = SECOR_OK;

	topic->again_boot_ms = INT64_MAX;
	topic->left_out = 0;
	topic->pass.left = 0;
	topic->waiting = 0;
	for (i = 0; rc == SECOR_OK && i < count && !topic->stale; i++) {
		if (atomic_load(&f->stopping))
			break;
		rc = offer_one(f, topic, due[i], now_boot_ms, err);
		topic->waiting += rc != SECOR_OK;
	}
	for (; i < count; i++) /* no look was taken at them */
		topic->waiting += due[i]->telling != NULL || due[i]->tries > 0;
	free(due);
	metric_set(topic->metrics.waiting, topic->waiting);
	if (rc != SECOR_OK)
		come_again(topic, now_boot_ms + STORE_AGAIN_MS);
	/* paths that failed one by one come again a few at a time */
	if (topic->again_boot_ms < now_boot_ms + TURN_MS)
		topic->again_boot_ms = now_boot_ms + TURN_MS;
	return rc;
}

/* ---- answers ---- */

/* Nobody has the path now. */
static void
note_pause(struct finalizer *f, struct topic *topic, struct telling *telling,
    int64_t now_boot_ms)
{
	if (telling_is_heard(telling)) {
		finish(f, topic, telling, now_boot_ms);
	} else if (telling->why != NULL) {
		say(f, telling->entry, telling->covers, &telling->sum,
		    telling->why);
		telling_reported(telling);
		topic->pass.failed++;
	}
	/* else some had no room for it yet */
}

static void
take_answer(struct finalizer *f, struct hearing *hearing, int64_t now_boot_ms)
{
	struct telling *telling = hearing->telling;
	struct entry *entry = telling->entry;
	struct topic *topic = telling->list->topic;
	struct secor_err why = {{0}};
	int64_t again = now_boot_ms + notify_backoff_ms(hearing->tries,
					  (unsigned)rand_r(&f->seed));

	if (entry == NULL) {
		telling_lost(telling);
		return;
	}
	topic->in_flight--;
	if (telling_answered(f->tellers, hearing, again, &why) != SECOR_OK) {
		note_failed(topic, entry, hearing->tries == 1, why.text);
		come_again(topic, again);
	}
	if (telling->pending == 0)
		note_pause(f, topic, telling, now_boot_ms);
}

int
due_answers(struct finalizer *f, int wait, int64_t now_boot_ms)
{
	struct hearing *hearing = tellers_answer(f->tellers, wait);

	if (hearing == NULL)
		return 0;
	for (; hearing != NULL; hearing = tellers_answer(f->tellers, 0))
		take_answer(f, hearing, now_boot_ms);
	return 1;
}

void
due_drop(struct finalizer *f, struct topic *topic)
{
	while (topic->tellings.first != NULL)
		telling_drop(f->tellers, topic->tellings.first, &f->dropped);
	topic->in_flight = 0;
}

void
due_note_oldest(const struct finalizer *f)
{
	int64_t since_ms[TELL_NOTIFIERS] = {0};

	for (const struct topic *topic = f->topics; topic != NULL;
	     topic = topic->next)
		for (const struct telling *at = topic->tellings.first;
		     at != NULL; at = at->next)
			telling_since(at, since_ms);
	tellers_since(f->tellers, since_ms);
}
