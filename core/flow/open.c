/*
 * open.c -- what the record found on assignment means, and what a kept stage is
 * worth (DESIGN 4.3, 4.4). Thread: consumer.
 *
 * Every row ends in PART_RUNNING with `next`, the slots and the commits set up,
 * or in PART_HALTED. Nothing is guessed.
 */
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <string.h>

static void
run_from(struct part *part, const struct record *record)
{
	part->record = *record;
	memset(part->earlier, 0, sizeof(part->earlier));
	part->heard = record->q;
	part->next = record->offset;
	part->state = PART_RUNNING;
}

static struct record
clean_at(const struct part *part, int64_t offset)
{
	struct record record = {.kind = RECORD_CLEAN,
	    .offset = offset,
	    .w = INT64_MIN,
	    .q = offset};

	memcpy(record.g, part->engine->g, sizeof(record.g));
	return record;
}

/* ---- kept stages ---- */

/* The batch behind `past`, or behind the record, may go on. */
static void
keep_cur(struct part *part, int64_t start)
{
	struct batch *cur = part->cur;
	int64_t w =
	    part->past != NULL ? batch_watermark(part->past) : part->record.w;

	if (cur == NULL)
		return;
	if (cur->start == start && cur->before_ms == w && !cur->replay &&
	    cur->messages > 0) {
		part->next = cur->end;
		metric_add(part->engine->metrics.kept, 1);
		if (cur->state == BATCH_CUT && part->past != NULL)
			part->pause |= PAUSE_CUT;
		return;
	}
	batch_drop(cur);
	part->cur = NULL;
}

static void
drop_past(struct part *part)
{
	batch_drop(part->past);
	part->past = NULL;
}

/* Sealed files wait for the next step under this ownership. What was stored
 * under the last one may have been removed since, when a plan was resolved: all
 * objects are put again. */
static void
rewind_past(struct batch *batch, enum batch_state state)
{
	batch->planned = 0;
	batch->state = batch->sealing > 0 ? BATCH_SEALING : state;
	batch->manifest_retry_ms = 0;
	manifest_free(batch->manifest);
	batch->manifest = NULL;
	batch->stored = 0;
	metric_add(batch->part->engine->metrics.kept, 1);
	for (size_t i = 0; i < batch->object_count; i++)
		batch->objects[i]->retry_boot_ms = 0;
}

/* What was staged before a revoke in good order, seen with the record as it is
 * now. Returns whether `past` stays. */
static int
keep_past(struct part *part, const struct record *found)
{
	struct batch *past = part->past;

	if (past == NULL || past->clean || past->putting > 0 ||
	    past->manifest_upload != NULL || past->start != found->offset ||
	    past->before_ms != found->w || past->seal_failed) {
		drop_past(part);
		return 0;
	}
	if (found->kind == RECORD_CLEAN && !past->replay) {
		rewind_past(past, BATCH_CHECKING);
		return 1;
	}
	if (found->kind == RECORD_PLAN && found->e == past->plan.e &&
	    found->n == past->plan.n && found->i == past->plan.i &&
	    found->o == past->plan.o && found->f == past->plan.f &&
	    found->c == past->plan.c) {
		rewind_past(past, BATCH_PLANNING);
		return 1;
	}
	drop_past(part);
	return 0;
}

/* ---- rows ---- */

/* The group had no record at all when this assignment began. Those that are
 * there meanwhile are of partitions that were opened before this one. */
static int
is_first_start(const struct part *part, const struct inquiry *found)
{
	struct engine *engine = part->engine;

	if (!found->others)
		engine->first_start = engine->assignment;
	return engine->first_start == engine->assignment;
}

/* Where the configuration wants it; resolved here once, then in its record. A
 * time that no message has yet is the end, as it is now. */
static int64_t
first_offset(const struct part *part, const struct inquiry *found)
{
	int kind = part->lane->topic->start.kind;

	if (!is_first_start(part, found) || kind == CONFIG_START_EARLIEST)
		return found->low;
	if (kind == CONFIG_START_LATEST || found->start < 0 ||
	    found->start > found->high)
		return found->high;
	return found->start < found->low ? found->low : found->start;
}

static void
open_missing(struct part *part, const struct inquiry *found)
{
	struct record record;
	int64_t start;

	part_drop_batches(part);
	if (found->list_refused && !part->engine->options.assume_new) {
		halt(part, HALT_STORE_LIST,
		    "no committed offset, and the store does not say whether "
		    "this partition was ever stored: %s",
		    found->err.text);
		return;
	}
	if (found->has_manifests) {
		halt(part, HALT_LOST,
		    "no committed offset, but the store has manifests, or the "
		    "mark of a first batch, of this generation: offsets "
		    "expired, the group was deleted, or the topic was created "
		    "again");
		return;
	}
	start = first_offset(part, found);
	record = clean_at(part, start);
	run_from(part, &record);
	part->record.kind = RECORD_MISSING; /* until it is acknowledged */
	log_line(SECOR_INFO, "new partition",
	    "topic=%s partition=%d start=%lld", part->topic, part->partition,
	    (long long)start);
	commit_want(part, &record);
}

static void
open_gap(struct part *part, int64_t until, const struct record *plan)
{
	struct batch *batch = batch_new(part, part->lane, part->record.offset);

	batch->end = until;
	batch->cut = CUT_GAP;
	batch->state = BATCH_SEALING;
	if (plan != NULL) {
		batch->plan = *plan;
		batch->replay = 1;
	} else {
		batch->plan.kind = RECORD_PLAN;
		batch->plan.offset = batch->start;
		batch->plan.e = until;
		batch->plan.o = batch_output_hash(batch);
		batch->plan.f = part->lane->topic->fingerprint;
		batch->plan.c = CUT_GAP;
	}
	part->past = batch;
	part->next = until;
	metric_add(part->engine->metrics.gaps, 1);
	log_line(SECOR_ERROR, "data loss",
	    "topic=%s partition=%d start=%lld end=%lld what=\"retention or "
	    "DeleteRecords removed messages before they were read\" next=gap",
	    part->topic, part->partition, (long long)batch->start,
	    (long long)until);
}

void
open_generation(struct part *part)
{
	struct record bumped = clean_at(part, part->record.offset);

	if (record_generation(part->record.g) == record_generation(bumped.g))
		return;
	bumped.w = part->record.w;
	bumped.m = part->record.m; /* what was stored before is still before */
	commit_want(part, &bumped);
}

static void
open_clean(struct part *part, const struct inquiry *found)
{
	const struct record *record = &found->record;
	int kept = keep_past(part, record);

	run_from(part, record);
	if (kept)
		part->next = part->past->end;
	keep_cur(part, kept ? part->past->end : record->offset);
	if (found->low > record->offset && !kept &&
	    !(part->cur != NULL && part->next >= found->low)) {
		part_drop_batches(part);
		if (part->engine->config->kafka.on_data_loss ==
		    CONFIG_LOSS_HALT) {
			halt(part, HALT_DATA_LOSS,
			    "messages [%lld,%lld) were removed before they "
			    "were read",
			    (long long)record->offset, (long long)found->low);
			return;
		}
		open_gap(part, found->low, NULL);
	}
	if (record_generation(record->g) !=
	    record_generation(part->engine->g)) {
		part_drop_batches(part);
		part->pause &= ~(unsigned)PAUSE_CUT;
		part->next = record->offset;
		open_generation(part);
	}
	if (part->heard < record->offset)
		notify_catch_up(part->engine->notifiers, part->topic,
		    part->partition, part->heard, record->offset);
}

/* The lane that made the plan: the running one, or that of the configuration
 * given with --finish-plans-with. */
static struct lane *
lane_of_plan(struct part *part, uint64_t fingerprint)
{
	struct engine *engine = part->engine;
	const struct config *old = engine->options.finish_plans_with;
	struct lane *lane;
	struct secor_err err;

	if (part->lane->topic->fingerprint == fingerprint)
		return part->lane;
	if (old == NULL ||
	    config_topic(old, part->topic)->fingerprint != fingerprint)
		return NULL;
	if (lane_get(&engine->old_lanes, old, part->topic, engine->key_overhead,
		&lane, &err) == SECOR_OK)
		return lane;
	log_line(SECOR_ERROR, "old configuration does not open",
	    "reason=\"%s\"", err.text);
	return NULL;
}

static void
open_plan(struct part *part, const struct inquiry *found)
{
	const struct record *record = &found->record;
	struct lane *lane = lane_of_plan(part, record->f);
	int kept;

	if (lane == NULL) {
		part_drop_batches(part);
		part->record = *record;
		halt(part, HALT_FINGERPRINT,
		    "a plan for [%lld,%lld) was made with another "
		    "configuration (%016llx, running %016llx)",
		    (long long)record->offset, (long long)record->e,
		    (unsigned long long)record->f,
		    (unsigned long long)part->lane->topic->fingerprint);
		return;
	}
	part->plan_lane = lane;
	kept = keep_past(part, record);
	run_from(part, record);
	part->next = kept ? part->past->end : record->offset;
	keep_cur(part, kept ? part->past->end : -1);
	if (!kept && record->c == CUT_GAP) {
		open_gap(part, record->e, record);
	} else if (!kept && found->low > record->offset) {
		halt(part, HALT_PLAN_UNREADABLE,
		    "the plan for [%lld,%lld) cannot be read again: the log "
		    "begins at %lld",
		    (long long)record->offset, (long long)record->e,
		    (long long)found->low);
		return;
	} else if (!kept) {
		part->cur = batch_new(part, lane, record->offset);
		part->cur->replay = 1;
		part->cur->plan = *record;
		log_line(SECOR_INFO, "replay begins",
		    "topic=%s partition=%d start=%lld end=%lld", part->topic,
		    part->partition, (long long)record->offset,
		    (long long)record->e);
	}
	if (part->heard < record->offset)
		notify_catch_up(part->engine->notifiers, part->topic,
		    part->partition, part->heard, record->offset);
	/* under our own generation, before any put */
	commit_want(part, record);
	step_reached("recommit-sent");
}

/* Rows that halt whatever else is true; 0 when none applies. */
static int
refuse(struct part *part, const struct inquiry *found)
{
	const struct record *record = &found->record;
	struct engine *engine = part->engine;

	if (found->compacted &&
	    engine->config->kafka.compacted == CONFIG_COMPACTED_REFUSE)
		halt(part, HALT_COMPACTED,
		    "the topic is compacted: a replay may find other messages");
	else if (record->kind == RECORD_FOREIGN)
		halt(part, HALT_FOREIGN,
		    "offset %lld was committed by something else than this "
		    "version of secor",
		    (long long)record->offset);
	else if (record->kind == RECORD_MISSING)
		return 0;
	else if (!record_same_family(record->g, engine->g) ||
		 record_generation(record->g) > record_generation(engine->g))
		halt(part, HALT_OTHER_GROUP,
		    "the record is of %s, this configuration is %s", record->g,
		    engine->g);
	else if (record->kind == RECORD_HALT)
		halt(part, record->r != HALT_NONE ? record->r : HALT_FOREIGN,
		    "an earlier owner halted here at offset %lld, and said "
		    "more in its log",
		    (long long)record->offset);
	else if (record->offset > found->high)
		halt(part, HALT_TRUNCATED,
		    "offset %lld is beyond the end of the log (%lld): the log "
		    "was truncated or the topic created again",
		    (long long)record->offset, (long long)found->high);
	else
		return 0;
	return 1;
}

void
open_part(struct part *part, const struct inquiry *found)
{
	struct engine *engine = part->engine;
	struct secor_err err;
	int64_t known;
	int went_back;

	part->low = found->low;
	part->high = found->high;
	part->halt = HALT_NONE;
	if (lane_get(&engine->lanes, engine->config, part->topic,
		engine->key_overhead, &part->lane, &err) != SECOR_OK) {
		log_line(SECOR_ERROR, "plugin does not open", "reason=\"%s\"",
		    err.text);
		die("a plugin does not open");
	}
	part->inquire_again_boot_ms = 0;
	went_back = part->older_reads > 0;
	part->older_reads = 0;
	known = part->record.offset;
	if (!record_equal(&part->record, &found->record) &&
	    !record_equal(&part->sent, &found->record))
		reading_recall(part, found->record.offset,
		    found->leader_epoch); /* another owner was here */
	part->record = found->record;
	if (refuse(part, found))
		return;
	if (went_back && found->record.offset < known) {
		part_drop_batches(part);
		halt(part, HALT_OLDER,
		    "the committed offset went back from %lld to %lld and "
		    "stays there",
		    (long long)known, (long long)found->record.offset);
		return;
	}
	if (found->record.kind == RECORD_MISSING)
		open_missing(part, found);
	else if (found->record.kind == RECORD_CLEAN)
		open_clean(part, found);
	else
		open_plan(part, found);
}
