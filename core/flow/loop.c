/*
 * loop.c -- the one loop: answers of other threads, rebalances, time, stopping,
 * messages. The thread that calls engine_run is the consumer thread.
 *
 * Invariant: the loop never waits for disk or network: it waits in
 * librdkafka's queue only, and other threads wake it there.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	TURN_MAX_MS = 5000, /* longer: it did not run all the time */
	TICK_MS = 100,
	SLOW_TICK_MS = 1000, /* below POLICY_REST_MS */
	IDLE_WAIT_MS = 100,
	WRITERS_WAIT_MS = 100
};

/* ---- events of other threads ---- */

static void
answer(struct engine *engine, struct inquiry *inquiry)
{
	if (inquiry->kind == INQUIRY_PING) {
		commit_pinged(engine, inquiry->status == SECOR_OK);
	} else if (inquiry->kind == INQUIRY_ENDS) {
		status_ends(engine, inquiry);
	} else if (inquiry->kind == INQUIRY_RETENTION ||
		   inquiry->kind == INQUIRY_TIMES) {
		expire_answer(engine, inquiry);
	} else if (inquiry->kind == INQUIRY_RANGE) {
		if (inquiry->epoch == inquiry->part->epoch)
			consume_range(inquiry->part, inquiry);
	} else if (inquiry->kind == INQUIRY_CUT) {
		if (inquiry->epoch == inquiry->part->epoch)
			consume_cut(inquiry->part, inquiry);
	} else if (inquiry->kind == INQUIRY_OPEN) {
		assign_answer(engine, inquiry);
	} else if (inquiry->epoch == inquiry->part->epoch) {
		if (inquiry->status == SECOR_OK)
			advance_read_back(inquiry->part, &inquiry->record);
		else
			inquiry->part->inquiring = 0;
	}
	inquiry_free(inquiry);
}

static void
hear(struct engine *engine, struct notify_heard *heard)
{
	struct part *part =
	    part_find(&engine->parts, heard->topic, heard->partition);

	if (part != NULL && heard->heard > part->heard) {
		part->heard = heard->heard;
		step_reached("notified");
	}
	free(heard);
}

#define EACH(queue, type, var)                                       \
	for (struct queue_node *node = queue_get_all(queue), *after; \
	     node != NULL; node = after)                             \
		for (type *var = (after = node->next, (type *)node); \
		     var != NULL; var = NULL)

static void
serve_events(struct engine *engine)
{
	commit_serve(engine);
	EACH(engine->staged_done, struct staged_done, staged)
	{
		advance_staged(engine, staged);
	}
	EACH(engine->uploads_done, struct upload, upload)
	{
		advance_upload(engine, upload);
	}
	EACH(engine->heard, struct notify_heard, heard)
	{
		hear(engine, heard);
	}
	EACH(engine->answers, struct inquiry, inquiry)
	{
		answer(engine, inquiry);
	}
}

/* ---- time ---- */

/* Nothing of it gets due by itself soon: only messages, answers and rebalances
 * go on with it. */
static int
at_rest(const struct part *part, int64_t boot_ms)
{
	if (part->state == PART_AWAY)
		return 1;
	if (part->committing || part->want_commit || part->pause != 0)
		return 0;
	if (part->state == PART_HALTED)
		return !halt_due(part);
	return part->state == PART_RUNNING && policy_rests(part, boot_ms);
}

static void
tick_part(struct part *part)
{
	int64_t now = part->engine->tick_boot_ms;

	if (part->state == PART_OPENING)
		assign_tick(part, now);
	if (part->state == PART_AWAY || part->state == PART_OPENING)
		return;
	commit_tick(part, now);
	advance_tick(part, now);
	if (part->state == PART_RUNNING && part->engine->phase == PHASE_RUNNING)
		policy_part(part, now);
}

/* Before anything that came meanwhile is looked at. */
static void
turn(struct engine *engine, int64_t boot_ms)
{
	int64_t took_ms = boot_ms - engine->turn_boot_ms;

	engine->turn_boot_ms = boot_ms;
	engine->awake_ms += took_ms < TURN_MAX_MS ? took_ms : TURN_MAX_MS;
}

static void
tick_and_look(struct part *part)
{
	tick_part(part);
	part->engine->moving |= !at_rest(part, part->engine->tick_boot_ms);
}

/* The finalizer has the topics whose partition 0 is here. */
static void
hand_on_topics(struct engine *engine)
{
	const char **topics;
	size_t count = 0;

	if (engine->finals == NULL)
		return;
	topics = mem_alloc((engine->parts.count + 1) * sizeof(*topics));
	for (size_t i = 0; i < PART_BUCKETS; i++)
		for (const struct part *part = engine->parts.buckets[i];
		     part != NULL; part = part->chained)
			if (part->partition == 0 && part->state != PART_AWAY)
				topics[count++] = part->topic;
	final_service_topics(engine->finals, topics, count);
	free(topics);
}

/* With a thousand partitions at rest, walking over them is what a process does
 * all day: seldom, then. */
static void
tick(struct engine *engine, int64_t boot_ms)
{
	if (boot_ms - engine->tick_boot_ms <
	    (engine->moving ? TICK_MS : SLOW_TICK_MS))
		return;
	engine->tick_boot_ms = boot_ms;
	engine->moving = engine->full;
	part_each(&engine->parts, tick_and_look);
	policy_budget(engine, boot_ms);
	if (boot_ms - engine->slow_tick_boot_ms < SLOW_TICK_MS)
		return;
	engine->slow_tick_boot_ms = boot_ms;
	hand_on_topics(engine);
	status_ask_ends(engine);
	expire_ask(engine);
	status_publish(engine);
}

/* ---- stopping ---- */

void
engine_stop(struct engine *engine)
{
	if (atomic_fetch_add(&engine->stop_asked, 1) > 0)
		_exit(3);
}

static void
stop_part(struct part *part)
{
	struct batch *cur = part->cur;

	if (part->state != PART_RUNNING)
		return;
	if (cur != NULL && cur->messages > 0 && !cur->replay &&
	    part->lane->topic->batch.on_stop == CONFIG_STOP_FINISH) {
		cut_batch(part, CUT_STOP);
		return;
	}
	part_drop_cur(part);
	if (part->past != NULL && part->past->state < BATCH_PLANNING &&
	    part->lane->topic->batch.on_stop == CONFIG_STOP_DROP) {
		batch_drop(part->past);
		part->past = NULL;
	}
}

/* What still collects gets no more messages: only what is cut is waited for,
 * also of an assignment that came meanwhile. */
static void
count_busy(struct part *part)
{
	int committing =
	    part->committing || part->want_commit || halt_due(part);
	int cut = part->cur != NULL && part->cur->state == BATCH_CUT;

	if ((part->state == PART_RUNNING &&
		(part->past != NULL || cut || committing)) ||
	    ((part->state == PART_HALTED || part->state == PART_HELD) &&
		committing))
		part->engine->busy_now++;
}

static void
leave(struct engine *engine)
{
	rd_kafka_error_t *error;

	status_publish(engine); /* what a reporter's last snapshot tells */
	engine->phase = PHASE_LEAVING;
	error = rd_kafka_consumer_close_queue(engine->rk, engine->queue);
	if (error != NULL)
		rd_kafka_error_destroy(error);
}

/* Returns 1 when the loop is over. */
static int
stop_serve(struct engine *engine, int64_t boot_ms)
{
	if (engine->phase == PHASE_RUNNING ||
	    engine->phase == PHASE_REJOINING) {
		if (atomic_load(&engine->stop_asked) == 0)
			return 0;
		log_line(SECOR_INFO, "stopping", NULL);
		engine->phase = PHASE_STOPPING;
		engine->stop_until_boot_ms =
		    boot_ms + engine->config->engine.stop_timeout_ms;
		part_each(&engine->parts, reading_stop);
		part_each(&engine->parts, stop_part);
	}
	if (engine->phase == PHASE_STOPPING) {
		engine->busy_now = 0;
		part_each(&engine->parts, count_busy);
		if (engine->busy_now > 0 &&
		    boot_ms < engine->stop_until_boot_ms - 1000)
			return 0;
		leave(engine);
	}
	return rd_kafka_consumer_closed(engine->rk) ||
	       boot_ms >= engine->stop_until_boot_ms;
}

/* ---- the loop ---- */

/* Learns g before the first assignment; waits for brokers without an end, and
 * says so. */
static int
learn_g(struct engine *engine)
{
	struct secor_err err;
	int said = 0;

	while (atomic_load(&engine->stop_asked) == 0) {
		if (client_g(engine->rk, engine->config, 2000, engine->g,
			&err) == SECOR_OK) {
			engine->unreachable = engine->brokers_down = 0;
			return 1;
		}
		engine->unreachable = 1;
		status_publish(engine);
		if (said++ % 15 == 0)
			log_line(SECOR_ERROR, "kafka not reachable",
			    "reason=\"%s\" next=retry", err.text);
		(void)rd_kafka_poll(engine->rk, 0);
		atomic_store(&engine->heartbeat_boot_ms, clock_boot_ms());
	}
	return 0;
}

/* A short wait is cheaper than a pause, which throws the queue away. Where the
 * writers hang, it ends, the backlog grows and tick() pauses the partitions. */
static void
let_writers_catch_up(struct engine *engine)
{
	if (writers_backlog(engine->writers) >= engine->backlog_limit)
		(void)writers_wait(engine->writers, engine->backlog_limit / 2,
		    WRITERS_WAIT_MS);
}

/* At rest nothing is due before the next tick; whatever comes wakes the loop.
 */
static int
idle_wait(const struct engine *engine, int64_t boot_ms)
{
	int64_t left = engine->tick_boot_ms + SLOW_TICK_MS - boot_ms;

	if (engine->moving || engine->revoking ||
	    engine->phase != PHASE_RUNNING || left < IDLE_WAIT_MS)
		return IDLE_WAIT_MS;
	return left > SLOW_TICK_MS ? SLOW_TICK_MS : (int)left;
}

static void
serve_limits(struct engine *engine, int64_t boot_ms)
{
	if (engine->throttle != NULL && engine->phase == PHASE_RUNNING &&
	    !engine->revoking)
		engine->moving |= throttle_serve(engine->throttle, boot_ms);
}

static void
say_start(const struct engine *engine)
{
	struct buf reader = {0};

	reading_say(engine, &reader);
	log_line(SECOR_INFO, "joins the group",
	    "group=%s g=%s writers=%d librdkafka=%s %s",
	    engine->config->kafka.group, engine->g,
	    engine_writers(engine->config), rd_kafka_version_str(), reader.ptr);
	buf_fini(&reader);
}

int
engine_run(struct engine *engine, struct secor_err *err)
{
	if (!learn_g(engine))
		return SECOR_OK;
	say_start(engine);
	engine_subscribe(engine);
	for (;;) {
		int64_t now = clock_boot_ms();

		turn(engine, now);
		serve_events(engine);
		rebalance_serve(engine, now);
		rejoin_serve(engine, now);
		assign_serve(engine);
		hold_serve(engine, now);
		tick(engine, now);
		serve_limits(engine, now);
		if (engine->fatal) {
			*err = engine->fatal_err;
			return engine->fatal;
		}
		if (stop_serve(engine, now))
			break;
		let_writers_catch_up(engine);
		consume(engine, idle_wait(engine, now));
	}
	log_line(SECOR_INFO, "stopped", NULL);
	return SECOR_OK;
}

/* Events of a ledger that is dropped: they only free what they hold. */
void
serve_leftovers(struct engine *engine)
{
	EACH(engine->staged_done, struct staged_done, staged)
	{
		advance_staged(engine, staged);
	}
	EACH(engine->uploads_done, struct upload, upload)
	{
		advance_upload(engine, upload);
	}
	EACH(engine->heard, struct notify_heard, heard)
	{
		free(heard);
	}
	EACH(engine->answers, struct inquiry, inquiry)
	{
		inquiry_free(inquiry);
	}
	while (engine->commit_answers != NULL) {
		struct commit_answer *next = engine->commit_answers->next;

		free(engine->commit_answers);
		engine->commit_answers = next;
	}
}
