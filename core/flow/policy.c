/*
 * policy.c -- when a batch ends, and when taking in must wait. Thread:
 * consumer.
 *
 * A policy may look at clocks, sizes and memory as it likes: what it decides is
 * written down as the plan before anything is stored. Invariant: a batch that
 * replays a plan is never cut here.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <assert.h>
#include <stdlib.h>

enum {
	BAD_MIN = 10,
	EXACT_EVERY_MS = 100,
	IDLE_COMMIT_MS = 60000,
	MEMORY_CUT = 85, /* percent of the budget */
	MEMORY_GOES_ON = 60
};

#define STAGE_CUT (INT64_C(64) << 20)

/* ---- pausing ---- */

static void
sync_pause(struct part *part)
{
	int wanted = part->pause != 0;

	if (wanted == part->paused || part->state != PART_RUNNING)
		return;
	part->paused = wanted;
	reading_pause(part, wanted);
	if (wanted)
		metric_add(part->engine->metrics.pauses, 1);
}

void
pause_set(struct part *part, unsigned reason)
{
	part->pause |= reason;
	sync_pause(part);
}

void
pause_clear(struct part *part, unsigned reason)
{
	part->pause &= ~reason;
	sync_pause(part);
}

void
pause_full(struct part *part)
{
	if (!part->engine->full) {
		pause_clear(part, PAUSE_FULL);
	} else if (part->cur == NULL || !part->cur->replay) {
		pause_set(part, PAUSE_FULL);
	} else if (part->state == PART_RUNNING) {
		log_line(SECOR_WARN, "replay goes on over the limits",
		    "topic=%s partition=%d start=%lld end=%lld", part->topic,
		    part->partition, (long long)part->cur->start,
		    (long long)part->cur->plan.e);
		pause_clear(part, PAUSE_FULL);
	}
}

/* ---- cutting ---- */

/* Objects whose every record was refused by the format hold nothing. */
static void
forget_empty(struct batch *batch)
{
	size_t kept = 0;

	for (size_t i = 0; i < batch->object_count; i++) {
		struct object *object = batch->objects[i];

		if (object->records > 0)
			batch->objects[kept++] = object;
		else
			batch_forget(batch, object);
	}
	batch->object_count = kept;
}

/* What a replay made must be what was planned; nothing is put otherwise. */
static int
replay_equals(struct batch *batch, uint64_t output)
{
	const struct record *plan = &batch->plan;

	if (batch->messages == plan->n && batch->input_hash == plan->i &&
	    output == plan->o)
		return 1;
	halt(batch->part, HALT_PLAN_DIFFERS,
	    "replay of [%lld,%lld) has %lld messages (planned %lld), input "
	    "hash %016llx (%016llx), output hash %016llx (%016llx)",
	    (long long)plan->offset, (long long)plan->e,
	    (long long)batch->messages, (long long)plan->n,
	    (unsigned long long)batch->input_hash, (unsigned long long)plan->i,
	    (unsigned long long)output, (unsigned long long)plan->o);
	return 0;
}

/* A batch that is too small for collect()'s running count is looked at whole:
 * a mistyped option must not turn a quiet topic into dead letters. */
static int
too_bad(struct batch *batch)
{
	double limit = batch->lane->topic->bad.halt_above;

	if (batch->replay || limit >= 1 || batch->bad < BAD_MIN ||
	    (double)batch->bad <= limit * (double)batch->messages)
		return 0;
	halt(batch->part, HALT_BAD_MESSAGES,
	    "%lld of the %lld messages of a batch are bad (bad_messages."
	    "halt_above)",
	    (long long)batch->bad, (long long)batch->messages);
	return 1;
}

/* `cur` becomes `past`. */
static void
begin_past(struct part *part)
{
	struct batch *batch = part->cur;
	uint64_t output;

	assert(part->past == NULL);
	if (too_bad(batch))
		return;
	part->past = batch;
	part->cur = NULL;
	forget_empty(batch);
	output = batch_output_hash(batch);
	if (batch->replay) {
		batch->end = batch->plan.e;
		if (!replay_equals(batch, output))
			return;
		metric_add(part->engine->metrics.replays, 1);
	} else {
		batch->plan.kind = RECORD_PLAN;
		batch->plan.offset = batch->start;
		batch->plan.e = batch->end;
		batch->plan.n = batch->messages;
		batch->plan.i = batch->input_hash;
		batch->plan.o = output;
		batch->plan.f = batch->lane->topic->fingerprint;
		batch->plan.c = batch->cut;
	}
	batch->state = BATCH_SEALING;
	batch_seal(batch);
	step_reached(batch->replay ? "replay-cut" : "cut");
	log_line(SECOR_DEBUG, "batch cut",
	    "topic=%s partition=%d start=%lld end=%lld messages=%lld "
	    "objects=%zu cut=%s replay=%d",
	    part->topic, part->partition, (long long)batch->start,
	    (long long)batch->end, (long long)batch->messages,
	    batch->object_count, cut_name(batch->plan.c), batch->replay);
	pause_clear(part, PAUSE_CUT);
	if (part->engine->full) /* a replay did not heed it */
		pause_set(part, PAUSE_FULL);
}

void
cut_batch(struct part *part, enum cut cut)
{
	struct batch *batch = part->cur;

	if (batch->state == BATCH_COLLECTING) {
		batch->cut = cut;
		batch->state = BATCH_CUT;
		count_cut(cut);
	}
	if (part->past != NULL) {
		pause_set(part, PAUSE_CUT);
		return;
	}
	begin_past(part);
	advance(part);
}

/* ---- why a batch is due ---- */

static int
marked(const struct config_batch *conf, int minute)
{
	for (size_t i = 0; i < conf->at_minutes.count; i++)
		if (atoi(conf->at_minutes.items[i]) == minute)
			return 1;
	return 0;
}

/* Once a mark, whatever there was to cut. */
static int
at_mark(struct part *part)
{
	const struct config_batch *conf = &part->lane->topic->batch;
	int now;

	if (conf->at_minutes.count == 0)
		return 0;
	now = (int)(clock_now_ms() / 60000);
	if (now == part->last_minute || !marked(conf, now % 60))
		return 0;
	part->last_minute = now;
	return 1;
}

static int
too_large(struct batch *batch, const struct config_batch *conf, int64_t boot_ms)
{
	if (conf->max_bytes <= 0 || batch->encoded < conf->max_bytes)
		return 0;
	if (boot_ms - batch->exact_boot_ms < EXACT_EVERY_MS)
		return 0;
	batch->exact_boot_ms = boot_ms;
	return batch_bytes(batch) >= conf->max_bytes;
}

static int
failed_early(struct batch *batch)
{
	unsigned failures = writers_failures(batch->part->engine->writers);

	if (batch->state != BATCH_COLLECTING || batch->failures == failures)
		return 0;
	batch->failures = failures;
	return batch_failed(batch);
}

static int64_t
age(const struct batch *batch, int64_t boot_ms)
{
	int64_t since = batch->lane->topic->batch.age_of == CONFIG_AGE_YOUNGEST
			    ? batch->youngest_boot_ms
			    : batch->born_boot_ms;

	if (since == 0) /* only filtered or skipped messages so far */
		since = batch->first_boot_ms;
	return boot_ms - since;
}

static enum cut
due(struct part *part, struct batch *batch, int64_t boot_ms)
{
	const struct config_batch *conf = &batch->lane->topic->batch;

	if (at_mark(part))
		return CUT_MINUTE;
	if (too_large(batch, conf, boot_ms))
		return CUT_SIZE;
	if (conf->max_messages > 0 && batch->messages >= conf->max_messages)
		return CUT_MESSAGES;
	if (conf->max_objects > 0 &&
	    (int64_t)batch->object_count >= conf->max_objects)
		return CUT_OBJECTS;
	if (conf->max_age_ms > 0 && age(batch, boot_ms) >= conf->max_age_ms)
		return CUT_AGE;
	return CUT_NONE;
}

/* Nothing but transaction markers since S: the end is committed clean. That no
 * message is there shows `next`, which went behind each that was taken in, also
 * behind those that were dropped since. */
static void
idle(struct part *part, int64_t boot_ms)
{
	const struct config_batch *conf = &part->lane->topic->batch;
	int64_t wait = conf->max_age_ms > 0 ? conf->max_age_ms : IDLE_COMMIT_MS;

	if (part->past != NULL || part->eof <= part->record.offset ||
	    part->next > part->record.offset ||
	    part->record.kind != RECORD_CLEAN || part->committing ||
	    part->want_commit || part->held.count > 0) {
		part->idle_boot_ms = 0;
		return;
	}
	if (part->idle_boot_ms == 0)
		part->idle_boot_ms = boot_ms;
	if (boot_ms - part->idle_boot_ms < wait)
		return;
	part->past = batch_new(part, part->lane, part->record.offset);
	part->past->clean = 1;
	part->past->end = part->eof;
	part->past->state = BATCH_SEALING;
	part->idle_boot_ms = 0;
	advance(part);
}

/* The log begins behind what was read: that is ended first, then its record
 * shows the gap. */
static void
overtaken(struct part *part)
{
	if (part->past != NULL || part->held.count > part->held.at)
		return;
	if (part->cur != NULL && part->cur->messages > 0)
		cut_batch(part, CUT_STOP);
	else
		rejoin(part->engine, "the log begins behind what was read");
}

void
policy_part(struct part *part, int64_t boot_ms)
{
	struct batch *batch = part->cur;
	enum cut cut;

	if (part->overtaken) {
		overtaken(part);
		return;
	}
	if (batch == NULL) {
		(void)at_mark(part);
		idle(part, boot_ms);
		return;
	}
	if (failed_early(batch)) {
		/* collecting on would be for nothing */
		if (batch->replay)
			advance_stage_failed(
			    part, "a staged file of a replay failed");
		else
			cut_batch(part, CUT_STAGE);
		return;
	}
	if (batch->replay || batch->messages == 0)
		return;
	if (batch->state == BATCH_CUT) {
		if (part->past == NULL)
			cut_batch(part, batch->cut);
		return;
	}
	if (batch->first_boot_ms == 0)
		batch->first_boot_ms = boot_ms;
	cut = due(part, batch, boot_ms);
	if (cut != CUT_NONE)
		cut_batch(part, cut);
}

int
policy_rests(const struct part *part, int64_t boot_ms)
{
	const struct batch *batch = part->cur;
	const struct config_batch *conf;

	if (part->past != NULL || part->overtaken)
		return 0;
	if (batch == NULL)
		return part->idle_boot_ms == 0;
	conf = &part->lane->topic->batch;
	if (batch->state != BATCH_COLLECTING || batch->replay ||
	    batch->messages == 0 || conf->at_minutes.count > 0 ||
	    (conf->max_bytes > 0 && batch->encoded >= conf->max_bytes))
		return 0;
	return conf->max_age_ms <= 0 ||
	       age(batch, boot_ms) + POLICY_REST_MS < conf->max_age_ms;
}

/* ---- memory, stage, writers ---- */

/* The batch that can be cut now and holds most, by memory or by stage. */
static struct part *
largest(struct engine *engine, int by_stage)
{
	struct part *best = NULL;
	int64_t most = 0;

	for (size_t i = 0; i < 1024; i++)
		for (struct part *p = engine->parts.buckets[i]; p != NULL;
		     p = p->chained) {
			int64_t held;

			if (p->state != PART_RUNNING || p->cur == NULL ||
			    p->past != NULL || p->cur->replay ||
			    p->cur->messages == 0)
				continue;
			held =
			    by_stage ? batch_bytes(p->cur) : p->cur->held_bytes;
			if (held > most) {
				most = held;
				best = p;
			}
		}
	return best;
}

static void
set_full(struct engine *engine, int full, const char *why)
{
	if (engine->full == full)
		return;
	engine->full = full;
	log_line(SECOR_WARN, full ? "intake waits" : "intake goes on",
	    "%s%s%smemory=%lld budget=%lld stage=%lld backlog=%zu",
	    full ? "for=" : "", full ? why : "", full ? " " : "",
	    (long long)pool_used(engine->pool),
	    (long long)pool_budget(engine->pool),
	    (long long)stage_used(engine->stage),
	    writers_backlog(engine->writers));
	for (size_t i = 0; i < 1024; i++)
		for (struct part *p = engine->parts.buckets[i]; p != NULL;
		     p = p->chained)
			pause_full(p);
}

/* Where a batch is cut for want of disk: at a quarter of what the stage may
 * have in all when that is little. */
static int64_t
stage_cut_at(const struct engine *engine, int64_t room)
{
	int64_t quarter = (room + stage_used(engine->stage)) / 4;

	return quarter < STAGE_CUT ? quarter : STAGE_CUT;
}

/* What stands in the way of taking more, or NULL. Once full, it takes more room
 * than before to go on; batches are cut until that is reached, see
 * policy_budget. */
static const char *
obstacle(struct engine *engine, int64_t room)
{
	int64_t budget = pool_budget(engine->pool);
	int64_t used = pool_used(engine->pool);
	int64_t cut_at = stage_cut_at(engine, room);

	if (used > (engine->full ? budget / 100 * MEMORY_GOES_ON : budget))
		return "memory";
	if (room < (engine->full ? cut_at : cut_at / 4))
		return "stage";
	if (writers_backlog(engine->writers) >
	    (engine->full ? engine->backlog_limit / 2
			  : engine->backlog_limit * 8))
		return "writers";
	return NULL;
}

void
policy_budget(struct engine *engine, int64_t boot_ms)
{
	int64_t room =
	    stage_room(engine->stage, engine->config->stage.max_bytes);
	int short_of_stage = room < stage_cut_at(engine, room);
	int64_t percent = engine->full ? MEMORY_GOES_ON : MEMORY_CUT;
	struct part *part = NULL;
	const char *why;

	(void)boot_ms;
	if (pool_used(engine->pool) >
		pool_budget(engine->pool) / 100 * percent ||
	    short_of_stage)
		part = largest(engine, short_of_stage);
	if (part != NULL)
		cut_batch(part, short_of_stage ? CUT_STAGE : CUT_MEMORY);
	why = obstacle(engine, room);
	set_full(engine, why != NULL, why);
}
