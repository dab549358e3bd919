/*
 * hold.c -- see hold.h. Thread: consumer, but for engine_hold and
 * engine_hold_end.
 *
 * Invariant: a partition is taken only when nothing of it is on its way: no
 * batch past its cut, no replay, no commit. So no put of this process can land
 * under a name that the person removes.
 */
#include "core/flow/hold.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <stdarg.h>
#include <string.h>

enum { TAKE_MS = 30000, RELEASE_MS = 60000 };

/* ---- the asker's side ---- */

void
engine_hold(void *arg, struct hold *hold)
{
	struct engine *engine = arg;

	hold->answered = hold->begun = 0;
	(void)pthread_mutex_lock(&engine->hold_lock);
	if (engine->holds_ended) {
		hold->status = SECOR_RETRY;
		(void)snprintf(
		    hold->text, sizeof(hold->text), "the process stops");
	} else {
		hold->next = engine->holds;
		engine->holds = hold;
		engine_wake(engine);
		while (!hold->answered)
			(void)pthread_cond_wait(
			    &engine->hold_answered, &engine->hold_lock);
	}
	(void)pthread_mutex_unlock(&engine->hold_lock);
}

/* ---- answers. Holds: hold_lock ---- */

__attribute__((format(printf, 3, 4))) static void
answer(struct hold *hold, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(hold->text, sizeof(hold->text), fmt, ap);
	va_end(ap);
	hold->status = status;
	hold->answered = 1;
}

void
engine_hold_end(void *arg)
{
	struct engine *engine = arg;

	(void)pthread_mutex_lock(&engine->hold_lock);
	engine->holds_ended = 1;
	for (struct hold *h = engine->holds; h != NULL; h = h->next)
		answer(h, SECOR_RETRY, "the process stops");
	engine->holds = NULL;
	(void)pthread_cond_broadcast(&engine->hold_answered);
	(void)pthread_mutex_unlock(&engine->hold_lock);
}

/* ---- take ---- */

static int
is_quiet(const struct part *part)
{
	if (part->committing || part->want_commit || part->past != NULL ||
	    halt_due(part))
		return 0;
	return part->state == PART_HALTED ||
	       (part->state == PART_RUNNING && !part->inquiring &&
		   (part->cur == NULL || !part->cur->replay));
}

static void
take(struct part *part, struct hold *hold)
{
	if (!is_quiet(part)) {
		/* what is on its way ends, and nothing follows it */
		if (part->state == PART_RUNNING &&
		    (part->cur == NULL || !part->cur->replay))
			pause_set(part, PAUSE_HELD);
		return;
	}
	pause_set(part, PAUSE_HELD);
	part_new_epoch(part);
	part_drop_batches(part);
	part->state = PART_HELD;
	hold->epoch = part->epoch;
	log_line(SECOR_WARN, "partition held for a person",
	    "topic=%s partition=%d offset=%lld", part->topic, part->partition,
	    (long long)part->record.offset);
	answer(hold, SECOR_OK, "held");
}

static void
serve_take(struct engine *engine, struct hold *hold, int64_t boot_ms)
{
	struct part *part =
	    part_find(&engine->parts, hold->topic, hold->partition);

	if (hold->until_boot_ms < boot_ms) {
		if (part != NULL && part->state == PART_RUNNING)
			pause_clear(part, PAUSE_HELD);
		answer(hold, SECOR_RETRY,
		    "a batch of it is being stored, or it is being opened: "
		    "try again in a moment");
		return;
	}
	if (engine->phase == PHASE_REJOINING || engine->revoking ||
	    engine->rebalances != NULL || !engine->assigned ||
	    (part != NULL && part->state == PART_OPENING))
		return;
	if (part == NULL || part->state == PART_AWAY)
		answer(hold, SECOR_REJECT, "not a partition of this process");
	else if (strcmp(hold->g, engine->g) != 0)
		answer(hold, SECOR_FATAL,
		    "the process runs with another configuration (its records "
		    "are of %s, those of this file of %s): start it again with "
		    "this file first",
		    engine->g, hold->g);
	else if (part->state == PART_HELD)
		answer(
		    hold, SECOR_FATAL, "another command holds this partition");
	else
		take(part, hold);
}

/* ---- commit ---- */

static void
serve_commit(struct part *part, struct hold *hold)
{
	if (part->epoch != hold->epoch) {
		answer(hold, SECOR_REJECT,
		    hold->begun
			? "the partition was taken away in the middle of the "
			  "commit: 'secor offsets show' tells what holds"
			: "the partition was taken away meanwhile: nothing was "
			  "committed");
	} else if (part->state != PART_HELD) {
		answer(hold, SECOR_FATAL, "%s", part->halt_text);
	} else if (!hold->begun) {
		hold->begun = 1;
		commit_submit(part, &hold->record);
	} else if (!part->committing) {
		answer(hold, SECOR_OK, "committed");
	}
}

/* ---- release ---- */

static void
serve_release(struct part *part, struct hold *hold, int64_t boot_ms)
{
	int opens = part->state == PART_OPENING || part->engine->whole_wanted;

	if (!hold->begun && part->epoch == hold->epoch &&
	    part->state == PART_HELD) {
		log_line(SECOR_INFO, "partition given back",
		    "topic=%s partition=%d", part->topic, part->partition);
		assign_again(part);
		hold->epoch = part->epoch;
	} else if (part->epoch != hold->epoch) {
		answer(hold, SECOR_OK, "has moved to another process");
	} else if (part->state == PART_HALTED) {
		answer(hold, SECOR_OK, "is halted: %s, %s",
		    halt_name(part->halt), part->halt_text);
	} else if (!opens) {
		answer(hold, SECOR_OK, "runs again");
	} else if (hold->until_boot_ms < boot_ms) {
		answer(hold, SECOR_OK, "is still being opened");
	}
	hold->begun = 1;
}

/* ---- all that wait ---- */

static void
serve(struct engine *engine, struct hold *hold, int64_t boot_ms)
{
	struct part *part =
	    part_find(&engine->parts, hold->topic, hold->partition);

	if (hold->until_boot_ms == 0)
		hold->until_boot_ms =
		    boot_ms + (hold->verb == HOLD_TAKE ? TAKE_MS : RELEASE_MS);
	if (engine->phase >= PHASE_STOPPING)
		answer(hold, SECOR_RETRY, "the process stops");
	else if (hold->verb == HOLD_TAKE)
		serve_take(engine, hold, boot_ms);
	else if (part == NULL)
		answer(hold, SECOR_REJECT, "not a partition of this process");
	else if (hold->verb == HOLD_COMMIT)
		serve_commit(part, hold);
	else
		serve_release(part, hold, boot_ms);
}

void
hold_serve(struct engine *engine, int64_t boot_ms)
{
	struct hold **at = &engine->holds;
	int answered = 0;

	(void)pthread_mutex_lock(&engine->hold_lock);
	while (*at != NULL) {
		struct hold *hold = *at;

		serve(engine, hold, boot_ms);
		if (hold->answered) {
			*at = hold->next;
			answered = 1;
		} else {
			at = &hold->next;
		}
	}
	if (answered)
		(void)pthread_cond_broadcast(&engine->hold_answered);
	(void)pthread_mutex_unlock(&engine->hold_lock);
}
