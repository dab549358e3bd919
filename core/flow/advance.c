/*
 * advance.c -- takes the batch past its cut through the protocol: sealed, read
 * back, planned, put, listed in its manifest, done. Thread: consumer.
 *
 * Invariants: nothing is put before the plan is acknowledged under this
 * ownership; the final commit goes out only when every object and the manifest
 * are stored; a batch goes forward only, or is dropped whole.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Only bench/ sets it: a build that puts and commits and knows no read-back,
 * plan or manifest, to see what these cost. */
#ifdef SECOR_BENCH_NO_PROTOCOL
enum { ONLY_PUTS = 1 };
#else
enum { ONLY_PUTS = 0 };
#endif

enum { SAY_EVERY_MS = 60000 };

/* ---- the batch's own failures ---- */

/* Back-off of try n: 0.5 s doubling to 60 s, a quarter of it by chance. */
static int64_t
back_off_ms(int tries)
{
	int64_t ms = 500;

	for (int i = 1; i < tries && ms < 60000; i++)
		ms *= 2;
	if (ms > 60000)
		ms = 60000;
	return ms - random() % (ms / 4 + 1);
}

void
advance_stage_failed(struct part *part, const char *why)
{
	int64_t now = clock_boot_ms();
	char quoted[1024];

	if (part->stage_tries == 0 ||
	    now - part->said_stage_boot_ms >= SAY_EVERY_MS) {
		part->said_stage_boot_ms = now;
		log_line(SECOR_ERROR, "stage failed",
		    "topic=%s partition=%d start=%lld reason=%s next=retry",
		    part->topic, part->partition,
		    (long long)part->record.offset,
		    log_quote(quoted, sizeof(quoted), why));
	}
	part_begin_again(part);
	pause_set(part, PAUSE_DISK);
	part->again_boot_ms = now + back_off_ms(4 + part->stage_tries);
	if (part->stage_tries < 2) /* 16 s at most: it is the own disk */
		part->stage_tries++;
}

/* ---- the steps ---- */

static void
plan(struct batch *batch)
{
	struct part *part = batch->part;
	struct record *plan = &batch->plan;

	/* who replays it begins with this clock */
	assert(batch->before_ms == part->record.w);
	(void)snprintf(plan->g, sizeof(plan->g), "%s", part->record.g);
	plan->w = part->record.w;
	plan->m = part->record.m;
	plan->q = part->record.q;
	batch->state = BATCH_PLANNING;
	part->plan_lane = batch->lane;
#ifdef SECOR_TEST_NO_PLAN /* only `make noplan`: shows what the plan is for */
	puts_begin(batch);
	return;
#endif
	commit_submit(part, plan);
	step_reached("plan-sent");
	if (plan->c == CUT_GAP)
		step_reached("gap-planned");
}

static void
finish(struct batch *batch)
{
	struct part *part = batch->part;
	struct record done = {.kind = RECORD_CLEAN,
	    .offset = batch->end,
	    .w = batch_watermark(batch),
	    .m = batch->manifest == NULL ? part->record.m
					 : batch->manifest->chain,
	    .q = part->heard};

	(void)snprintf(done.g, sizeof(done.g), "%s", part->record.g);
	/* nothing was left unheard before this one: it is the first */
	if (batch->clean && done.q == batch->start)
		done.q = batch->end;
	batch->state = BATCH_FINISHING;
	commit_submit(part, &done);
	step_reached("final-sent");
}

static void
check(struct part *part)
{
	struct inquiry *inquiry;

	if (part->inquiring || part->committing || part->want_commit ||
	    part->inquire_again_boot_ms > clock_boot_ms() ||
	    part->engine->revoking || part->engine->phase == PHASE_LEAVING)
		return;
	inquiry = mem_alloc(sizeof(*inquiry));
	inquiry->kind = INQUIRY_READ_BACK;
	inquiry->part = part;
	inquiry->epoch = part->epoch;
	inquiry->partition = part->partition;
	memcpy(inquiry->topic, part->topic, sizeof(inquiry->topic));
	part->inquiring = 1;
	inquire(part->engine->inquirer, inquiry);
}

static void
sealed(struct batch *batch)
{
	struct part *part = batch->part;

	if (batch->sealing > 0)
		return;
	if (batch->seal_failed) {
		advance_stage_failed(part, batch->seal_err.text);
		return;
	}
	if (!batch->clean)
		step_reached("sealed");
	if (ONLY_PUTS && !batch->clean)
		put_objects(batch);
	else if (!batch->replay)
		batch->state = BATCH_CHECKING;
	else if (batch->planned)
		puts_begin(batch);
	else
		batch->state = BATCH_PLANNING; /* recommit is out */
}

void
advance(struct part *part)
{
	struct batch *batch = part->past;

	if (part->want_commit && !part->committing &&
	    part->state != PART_AWAY) {
		part->want_commit = 0;
		commit_submit(part, &part->want);
		return;
	}
	if (!part->committing && halt_due(part))
		halt_commit(part);
	if (batch == NULL || part->state != PART_RUNNING)
		return;
	if (batch->state == BATCH_SEALING)
		sealed(batch);
	batch = part->past; /* a failed seal dropped it */
	if (batch == NULL)
		return;
	if (batch->state == BATCH_CHECKING)
		check(part);
	if (batch->state == BATCH_PUTTING &&
	    batch->stored == batch->object_count) {
		step_reached("puts-done");
		if (ONLY_PUTS) {
			finish(batch);
			return;
		}
		batch->state = BATCH_LISTING;
		put_manifest(batch);
	}
}

/* ---- what came back ---- */

void
advance_staged(struct engine *engine, struct staged_done *done)
{
	struct object *object = done->owner;
	struct batch *batch;
	struct part *part;

	(void)engine;
	if (object == NULL) { /* dropped in the meantime */
		staged_done_free(done);
		return;
	}
	batch = object->batch;
	part = batch->part;
	batch->sealing--;
	object->sealed = 1;
	object->bytes = done->bytes;
	object->crc32c = done->crc32c;
	if (done->status != SECOR_OK && !batch->seal_failed) {
		batch->seal_failed = 1;
		batch->seal_err = done->err;
	}
	staged_done_free(done);
	if (batch == part->past)
		advance(part);
}

/* Says at once that the store does not take it, then once a minute: a batch may
 * have thousands of objects. */
static void
say_waiting(struct part *part, const struct upload *upload)
{
	int64_t now = clock_boot_ms();
	char quoted[1200];

	if (part->said_store_boot_ms != 0 &&
	    now - part->said_store_boot_ms < SAY_EVERY_MS)
		return;
	part->said_store_boot_ms = now;
	log_line(upload->status == SECOR_RETRY ? SECOR_WARN : SECOR_ERROR,
	    "store waits",
	    "topic=%s partition=%d key=%s tries=%d reason=%s next=retry",
	    part->topic, part->partition, upload->key, upload->tries,
	    log_quote(quoted, sizeof(quoted), upload->err.text));
}

static int64_t
retry_at(struct batch *batch, struct upload *upload)
{
	int64_t now = clock_boot_ms();

	if (upload->fenced) {
		upload->tries--; /* the store was not asked */
	} else {
		say_waiting(batch->part, upload);
		if (batch->refused_boot_ms == 0)
			batch->refused_boot_ms = now;
	}
	return now + back_off_ms(upload->tries);
}

static void
object_landed(struct object *object, const struct upload *upload)
{
	struct part *part = object->batch->part;
	struct engine_metrics *m = &part->engine->metrics;
	char quoted[1200];

	object->batch->stored++;
	object->batch->refused_boot_ms = 0;
	metric_add(m->objects, 1);
	metric_add(m->object_bytes, (int64_t)object->bytes);
	log_line(SECOR_INFO, "object stored",
	    "key=%s topic=%s partition=%d start=%lld records=%" PRIu64
	    " bytes=%" PRIu64 " crc32c=%08x ms=%lld",
	    log_quote(quoted, sizeof(quoted), object->key), part->topic,
	    part->partition, (long long)object->batch->start, object->records,
	    object->bytes, object->crc32c, (long long)upload->took_ms);
	step_reached("put-done");
}

static void
object_answer(struct object *object, struct upload *upload)
{
	struct batch *batch = object->batch;

	batch->putting--;
	if (batch->dropped) {
		batch_settle(batch);
		return;
	}
	if (upload->unreadable) {
		batch->seal_failed = 1; /* not kept either */
		if (batch->part->state == PART_RUNNING)
			advance_stage_failed(batch->part, upload->err.text);
		return;
	}
	if (upload->status == SECOR_OK) {
		object_landed(object, upload);
	} else {
		object->retry_boot_ms = retry_at(batch, upload);
		object->tries = upload->tries;
	}
	advance(batch->part);
}

static void
manifest_answer(struct batch *batch, struct upload *upload)
{
	struct part *part = batch->part;

	batch->manifest_upload = NULL;
	if (batch->dropped) {
		batch_settle(batch);
		return;
	}
	if (upload->status != SECOR_OK) {
		batch->manifest_retry_ms = retry_at(batch, upload);
		batch->manifest_tries = upload->tries;
		return;
	}
	if (batch->state == BATCH_MARKING) {
		step_reached("mark-done");
		if (part->state == PART_RUNNING)
			put_objects(batch);
		return;
	}
	step_reached("manifest-done");
	if (part->state == PART_RUNNING)
		finish(batch);
	else
		batch->state = BATCH_PUTTING; /* kept stage: once more */
}

void
advance_upload(struct engine *engine, struct upload *upload)
{
	(void)engine;
	if (upload->bytes == NULL)
		object_answer(upload->owner, upload);
	else
		manifest_answer(upload->owner, upload);
	upload_free(upload);
}

/* ---- read-back ---- */

int
record_was_ours(const struct part *part, const struct record *found)
{
	for (size_t i = 0; i < 4; i++)
		if (part->earlier[i].kind != RECORD_MISSING &&
		    record_equal(&part->earlier[i], found))
			return 1;
	return 0;
}

static void
older(struct part *part, const struct record *found)
{
	part->older_reads++;
	part->inquire_again_boot_ms = clock_boot_ms() + 1000;
	if (part->older_reads < (record_was_ours(part, found) ? 30 : 3))
		return;
	halt(part, HALT_OLDER,
	    "the committed offset went back from %lld to %lld and stays there",
	    (long long)part->record.offset, (long long)found->offset);
}

void
advance_read_back(struct part *part, const struct record *found)
{
	struct batch *batch = part->past;

	part->inquiring = 0;
	if (batch == NULL || batch->state != BATCH_CHECKING)
		return;
	if (record_equal(&part->record, found)) {
		part->older_reads = 0;
		if (batch->clean) {
			finish(batch);
			return;
		}
		step_reached("read-back");
		plan(batch);
	} else if (found->kind == RECORD_MISSING) {
		halt(part, HALT_GONE,
		    "the committed offset (%lld) is gone: the topic was "
		    "deleted and created again, or the group's offsets were "
		    "deleted",
		    (long long)part->record.offset);
	} else if (found->kind == RECORD_FOREIGN ||
		   !record_same_family(found->g, part->record.g)) {
		halt(part, HALT_FOREIGN,
		    "somebody else committed offset %lld in this group",
		    (long long)found->offset);
	} else if (found->offset < part->record.offset) {
		older(part, found);
	} else {
		rejoin(part->engine, "the record is further on than we are");
	}
}

/* ---- acknowledgements ---- */

static void
done(struct part *part)
{
	struct batch *batch = part->past;
	struct manifest *manifest = batch->manifest;

	batch->manifest = NULL;
	step_reached("final-acked");
	waits_over(part, batch->start);
	metric_add(part->engine->metrics.batches, 1);
	log_line(SECOR_DEBUG, "batch done",
	    "topic=%s partition=%d start=%lld end=%lld objects=%zu",
	    part->topic, part->partition, (long long)batch->start,
	    (long long)batch->end, batch->object_count);
	part->past = NULL;
	batch_free(batch);
	step_reached("files-deleted");
	open_generation(part); /* the old configuration's plan is done */
	if (manifest != NULL)
		notify_batch(part->engine->notifiers, manifest);
	if (part->halt_next != HALT_NONE)
		halt_now(part);
	else if (part->cur != NULL && part->cur->state == BATCH_CUT)
		cut_batch(part, part->cur->cut);
}

void
advance_committed(struct part *part)
{
	struct batch *batch = part->past;

	if (part->state != PART_RUNNING)
		return;
	if (part->record.kind == RECORD_PLAN) {
		struct batch *planned =
		    batch != NULL && batch->start == part->record.offset
			? batch
			: part->cur;

		if (planned == NULL)
			return;
		step_reached(planned->replay ? "recommit-acked" : "plan-acked");
		planned->planned = 1;
		if (planned == batch && batch->state == BATCH_PLANNING)
			puts_begin(batch);
	} else if (batch != NULL && batch->state == BATCH_FINISHING &&
		   part->record.kind == RECORD_CLEAN &&
		   part->record.offset == batch->end) {
		done(part);
	}
	advance(part);
}

/* ---- time ---- */

static void
retry_puts(struct batch *batch, int64_t boot_ms)
{
	if (batch->state == BATCH_PUTTING)
		for (size_t i = 0; i < batch->object_count; i++) {
			struct object *object = batch->objects[i];

			if (object->retry_boot_ms != 0 &&
			    object->retry_boot_ms <= boot_ms)
				put_object(object);
		}
	if (batch->manifest_retry_ms == 0 || batch->manifest_retry_ms > boot_ms)
		return;
	if (batch->state == BATCH_MARKING)
		put_mark(batch);
	if (batch->state == BATCH_LISTING)
		put_manifest(batch);
}

void
advance_tick(struct part *part, int64_t boot_ms)
{
	if (part->state != PART_RUNNING) {
		advance(part); /* a halt that is not committed yet */
		return;
	}
	if ((part->pause & PAUSE_DISK) && part->again_boot_ms <= boot_ms)
		part_seek(part);
	if ((part->pause & PAUSE_RETRY) && part->held_boot_ms <= boot_ms &&
	    part->engine->phase == PHASE_RUNNING && !part->engine->revoking)
		consume_held(part, SIZE_MAX);
	if (part->past != NULL)
		retry_puts(part->past, boot_ms);
	advance(part);
}
