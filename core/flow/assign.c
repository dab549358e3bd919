/*
 * assign.c -- rebalances. The callback only notes what is asked; the loop
 * serves it when the current array is done. Thread: consumer.
 *
 * Invariants: a partition is consumed only after its record was read under this
 * assignment, from an explicit offset; after a revoke nothing is committed or
 * put for it (its epoch has moved) before librdkafka is told.
 *
 * librdkafka begins to read an assigned partition on a thread of its own, not
 * before all commits are answered and what it read before has stopped. A pause,
 * a resume or a seek that meets this beginning makes it void, without a word:
 * the partition would never flow. So rd_kafka_assign() is only called when
 * nothing is left to wait for: then it has begun when the call returns.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct engine *engine = opaque;
	struct rebalance *r = mem_alloc(sizeof(*r));

	r->assign = err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
	r->lost = !r->assign && rd_kafka_assignment_lost(rk);
	r->list = rd_kafka_topic_partition_list_copy(list);
	r->membership = r->assign ? client_membership(rk) : 0;
	*engine->rebalances_last = r;
	engine->rebalances_last = &r->next;
	/* Never rd_kafka_yield() here: rd_kafka_consume_batch_queue() of 2.0.2
	 * then throws away the message that it has just popped. */
	rd_kafka_queue_yield(engine->queue);
}

/* ---- assign ---- */

static void
ask_record(struct engine *engine, struct part *part)
{
	struct inquiry *inquiry = mem_alloc(sizeof(*inquiry));

	inquiry->kind = INQUIRY_OPEN;
	inquiry->part = part;
	inquiry->epoch = part->epoch;
	inquiry->partition = part->partition;
	memcpy(inquiry->topic, part->topic, sizeof(inquiry->topic));
	inquire(engine->inquirer, inquiry);
}

/* Ends the ownership. What was collected in good order is kept. */
static void
give_up(struct part *part, int lost)
{
	if (part->state == PART_AWAY)
		return;
	reading_stop(part);
	held_free(part);
	if (part->state != PART_RUNNING || lost)
		part_drop_batches(part);
	part_new_epoch(part);
	part->state = PART_AWAY;
	part->halt = HALT_NONE;
	part->paused = 0;
	part->pause = 0;
	part->eof = -1;
}

/* Records that are being read for an assignment that is over. */
static void
cancel_assign(struct engine *engine)
{
	if (engine->assigning == NULL)
		return;
	rd_kafka_topic_partition_list_destroy(engine->assigning);
	engine->assigning = NULL;
	engine->opening = 0;
}

static void
give_up_in_order(struct part *part)
{
	give_up(part, 0);
}

/* The generation is over by itself, before it was left. */
static void
need_not_leave(struct engine *engine)
{
	engine->leave_boot_ms = 0;
	engine->rejoin_wanted = 0;
	if (engine->phase == PHASE_REJOINING)
		engine->phase = PHASE_RUNNING;
}

/* Topics that come or grow while librdkafka waits for us make it join again at
 * once: the next assignment then comes without a revoke of the last. */
static void
end_former(struct engine *engine)
{
	log_line(SECOR_WARN, "assigned again without a revoke", NULL);
	metric_add(engine->metrics.rebalances, 1);
	cancel_assign(engine);
	part_each(&engine->parts, give_up_in_order);
}

/* A kept stage whose partition did not come back. */
static void
forget_absent(struct part *part)
{
	if (part->shelf == part->engine->assignment)
		return;
	part_drop_batches(part);
	metrics_part_hide(part);
	notify_forget(part->engine->notifiers, part->topic, part->partition);
}

static void
begin_assign(struct engine *engine, const struct rebalance *r)
{
	rd_kafka_topic_partition_list_t *list = r->list;

	if (engine->leave_boot_ms != 0)
		need_not_leave(engine);
	if (engine->assigned || engine->assigning != NULL)
		end_former(engine);
	engine->assignment++;
	engine->brokers_down = 0;
	engine->membership = r->membership;
	engine->rejoin_later = NULL;
	engine->whole_wanted = 0;
	engine->assigning = list;
	engine->opening = (size_t)list->cnt;
	engine->last_part = NULL;
	for (int i = 0; i < list->cnt; i++) {
		struct part *part = part_get(
		    engine, list->elems[i].topic, list->elems[i].partition);

		part_new_epoch(part);
		part->state = PART_OPENING;
		part->reopened = 0;
		part->shelf = engine->assignment;
		part->pause = 0;
		part->paused = 0;
		part->eof = -1;
		part->overtaken = 0;
		metrics_part(part);
		ask_record(engine, part);
	}
	reading_prepare(engine);
	part_each(&engine->parts, forget_absent);
	log_line(SECOR_INFO, "partitions assigned", "count=%d", list->cnt);
	step_reached("assigned");
}

static void
add_start(rd_kafka_topic_partition_list_t *start, struct part *part)
{
	part->paused = 0; /* begin_reading() lets it go on */
	rd_kafka_topic_partition_list_add(start, part->topic, part->partition)
	    ->offset = part->next;
}

/* Takes `start`. Nothing of before is being stopped, no commit is out. */
static void
begin_reading(struct engine *engine, rd_kafka_topic_partition_list_t *start)
{
	rd_kafka_resp_err_t err;

	reading_before_assign(engine, start);
	err = rd_kafka_assign(engine->rk, start);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		reading_after_assign(engine, start);
	rd_kafka_topic_partition_list_destroy(start);
	engine->last_part = NULL;
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		engine_failed(engine, rd_kafka_err2str(err));
	part_each(&engine->parts, part_sync);
}

/* An empty assignment, but not that which answers a revoke. Each question goes
 * once through librdkafka's thread: it stops the readers, they say that they
 * have stopped, it hears that. */
static void
stop_reading(struct engine *engine)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(0);
	rd_kafka_resp_err_t err = rd_kafka_assign(engine->rk, list);

	part_each(&engine->parts, reading_stop);
	rd_kafka_topic_partition_list_destroy(list);
	for (int i = 0; err == RD_KAFKA_RESP_ERR_NO_ERROR && i < 3; i++) {
		err = rd_kafka_assignment(engine->rk, &list);
		if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
			rd_kafka_topic_partition_list_destroy(list);
	}
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		engine_failed(engine, rd_kafka_err2str(err));
}

/* All records are there: consumption begins. */
static void
complete_assign(struct engine *engine)
{
	rd_kafka_topic_partition_list_t *list = engine->assigning;
	rd_kafka_topic_partition_list_t *start =
	    rd_kafka_topic_partition_list_new(list->cnt);
	int halted = 0;

	for (int i = 0; i < list->cnt; i++) {
		struct part *part = part_find(&engine->parts,
		    list->elems[i].topic, list->elems[i].partition);

		if (part->state == PART_RUNNING)
			add_start(start, part);
		else
			halted++;
	}
	if (engine->assigned) /* no revoke came in between */
		stop_reading(engine);
	begin_reading(engine, start);
	rd_kafka_topic_partition_list_destroy(list);
	engine->assigning = NULL;
	engine->assigned = 1;
	part_each(&engine->parts, commit_kept_back);
	log_line(SECOR_INFO, "consumption begins", "halted=%d", halted);
	step_reached("opened");
	if (engine->rejoin_later != NULL)
		rejoin(engine, engine->rejoin_later);
}

/* librdkafka takes an assignment only whole. The others go on at their `next`:
 * what was fetched for them is void. */
static void
assign_whole(struct engine *engine)
{
	rd_kafka_topic_partition_list_t *start =
	    rd_kafka_topic_partition_list_new(16);

	engine->whole_wanted = 0;
	stop_reading(engine);
	for (size_t i = 0; i < 1024; i++)
		for (struct part *p = engine->parts.buckets[i]; p != NULL;
		     p = p->chained) {
			if (p->state != PART_RUNNING)
				continue;
			add_start(start, p);
		}
	begin_reading(engine, start);
	part_each(&engine->parts, commit_kept_back);
}

static int
is_settled_owner(const struct engine *engine)
{
	return engine->phase == PHASE_RUNNING && engine->rebalances == NULL &&
	       !engine->revoking && engine->assigned &&
	       !rd_kafka_assignment_lost(engine->rk);
}

/* A revoke that is coming takes it away again. */
void
assign_serve(struct engine *engine)
{
	if (engine->whole_wanted && !is_settled_owner(engine))
		engine->whole_wanted = 0;
	if (engine->commits_out > 0)
		return;
	if (engine->assigning != NULL && engine->opening == 0)
		complete_assign(engine);
	if (engine->whole_wanted)
		assign_whole(engine);
}

void
assign_again(struct part *part)
{
	part_new_epoch(part);
	part->state = PART_OPENING;
	part->reopened = 1;
	part->halt = HALT_NONE;
	part->pause = 0;
	part->eof = -1;
	part->overtaken = 0;
	ask_record(part->engine, part);
}

/* Older than what this process knows of an earlier ownership: a coordinator
 * that came back may show what was, and to begin there would store twice. It is
 * read again with a back-off; one that stays is a halt. Returns whether it is
 * to be opened now. */
static int
is_settled(struct part *part, const struct record *found)
{
	const struct record *known = &part->record;
	int tries = record_was_ours(part, found) ? 30 : 3;

	if ((found->kind != RECORD_CLEAN && found->kind != RECORD_PLAN) ||
	    known->kind == RECORD_MISSING || known->kind == RECORD_FOREIGN ||
	    found->offset >= known->offset || strcmp(found->g, known->g) != 0)
		return 1;
	if (part->older_reads++ == 0)
		log_line(SECOR_WARN, "record is older than known",
		    "topic=%s partition=%d offset=%lld known=%lld next=retry",
		    part->topic, part->partition, (long long)found->offset,
		    (long long)known->offset);
	part->inquire_again_boot_ms = clock_boot_ms() + 1000;
	return part->older_reads > tries;
}

void
assign_tick(struct part *part, int64_t boot_ms)
{
	if (part->inquire_again_boot_ms == 0 ||
	    part->inquire_again_boot_ms > boot_ms)
		return;
	part->inquire_again_boot_ms = 0;
	ask_record(part->engine, part);
}

void
assign_answer(struct engine *engine, struct inquiry *inquiry)
{
	struct part *part = inquiry->part;

	if (inquiry->epoch == part->epoch && part->state == PART_OPENING) {
		if (inquiry->status == SECOR_RETRY) {
			ask_record(engine, part);
			return;
		}
		if (!is_settled(part, &inquiry->record))
			return;
		open_part(part, inquiry);
		assert(
		    part->state == PART_RUNNING || part->state == PART_HALTED);
		if (!part->reopened)
			engine->opening--;
		else if (part->state == PART_RUNNING)
			engine->whole_wanted = 1;
		part->reopened = 0;
	}
}

/* ---- revoke ---- */

/* Puts and finals that have begun may still end well. */
static int
in_flight(const struct part *part)
{
	const struct batch *batch = part->past;

	return part->state == PART_RUNNING && batch != NULL && !batch->clean &&
	       batch->planned && batch->state >= BATCH_PUTTING;
}

static int
any_in_flight(struct engine *engine)
{
	for (int i = 0; i < engine->revoke_list->cnt; i++) {
		const struct part *part = part_find(&engine->parts,
		    engine->revoke_list->elems[i].topic,
		    engine->revoke_list->elems[i].partition);

		if (part != NULL && in_flight(part))
			return 1;
	}
	return 0;
}

static void
complete_revoke(struct engine *engine, int lost)
{
	rd_kafka_topic_partition_list_t *list = engine->revoke_list;

	for (int i = 0; i < list->cnt; i++) {
		struct part *part = part_find(&engine->parts,
		    list->elems[i].topic, list->elems[i].partition);

		if (part != NULL)
			give_up(part, lost);
	}
	engine->revoking = 0;
	engine->revoke_list = NULL;
	engine->assigned = 0;
	engine->last_part = NULL;
	rd_kafka_topic_partition_list_destroy(list);
	if (rd_kafka_assign(engine->rk, NULL) != RD_KAFKA_RESP_ERR_NO_ERROR)
		engine_failed(
		    engine, "librdkafka did not take an empty assignment");
	step_reached("revoked");
	if (engine->leave_boot_ms != 0)
		need_not_leave(engine);
	else if (engine->phase == PHASE_REJOINING)
		rejoin_subscribe(engine);
}

static void
begin_revoke(struct engine *engine, struct rebalance *r, int64_t boot_ms)
{
	metric_add(engine->metrics.rebalances, 1);
	if (r->lost)
		metric_add(engine->metrics.lost, 1);
	/* the coordinator has asked for it */
	if (!r->lost && engine->phase == PHASE_RUNNING)
		engine->brokers_down = 0;
	log_line(r->lost ? SECOR_WARN : SECOR_INFO, "partitions revoked",
	    "count=%d lost=%d", r->list->cnt, r->lost);
	cancel_assign(engine);
	engine->revoke_list = r->list;
	r->list = NULL;
	engine->revoking = 1;
	engine->revoke_until_boot_ms =
	    boot_ms + engine->config->engine.revoke_grace_ms;
	if (engine->phase == PHASE_LEAVING || r->lost ||
	    engine->rejoin_wanted || !any_in_flight(engine))
		complete_revoke(engine, r->lost || engine->rejoin_wanted);
}

void
rebalance_serve(struct engine *engine, int64_t boot_ms)
{
	struct rebalance *r;

	if (engine->revoking) {
		if (any_in_flight(engine) &&
		    boot_ms < engine->revoke_until_boot_ms)
			return;
		complete_revoke(engine, 0);
	}
	while (!engine->revoking && (r = engine->rebalances) != NULL) {
		engine->moving = 1;
		engine->rebalances = r->next;
		if (engine->rebalances == NULL)
			engine->rebalances_last = &engine->rebalances;
		if (r->assign)
			begin_assign(engine, r);
		else
			begin_revoke(engine, r, boot_ms);
		if (!r->assign && r->list != NULL)
			rd_kafka_topic_partition_list_destroy(r->list);
		free(r);
	}
}

/* ---- leaving the generation ---- */

void
rejoin_subscribe(struct engine *engine)
{
	engine->rejoin_wanted = 0;
	engine->phase = PHASE_RUNNING;
	engine_subscribe(engine);
}

static void
leave_generation(struct engine *engine)
{
	engine->leave_boot_ms = 0;
	if (rd_kafka_unsubscribe(engine->rk) != RD_KAFKA_RESP_ERR_NO_ERROR)
		engine_failed(engine, "librdkafka did not unsubscribe");
	else if (!engine->assigned)
		rejoin_subscribe(engine);
}

/* In which a heartbeat has its answer. Whoever has the name now would be fenced
 * by the one that has lost it, were that to join again. */
static int64_t
fenced_ms(const struct config_kafka *kafka)
{
	return 2 * client_heartbeat_ms(kafka) + 500;
}

void
rejoin_serve(struct engine *engine, int64_t boot_ms)
{
	if (engine->leave_boot_ms != 0 && engine->phase == PHASE_REJOINING &&
	    boot_ms >= engine->leave_boot_ms)
		leave_generation(engine);
}

void
rejoin(struct engine *engine, const char *why)
{
	char quoted[256];

	if (engine->phase != PHASE_RUNNING)
		return;
	if (engine->assigning != NULL) {
		/* librdkafka waits for our assignment first */
		engine->rejoin_later = why;
		return;
	}
	log_line(SECOR_WARN, "joins the group again", "reason=%s",
	    log_quote(quoted, sizeof(quoted), why));
	metric_add(engine->metrics.rejoins, 1);
	engine->rejoin_wanted = 1;
	engine->phase = PHASE_REJOINING;
	part_each(&engine->parts, part_fence);
	if (engine->config->kafka.instance_id != NULL)
		engine->leave_boot_ms =
		    clock_boot_ms() + fenced_ms(&engine->config->kafka);
	else
		leave_generation(engine);
}
