/*
 * consume.c -- takes messages from the own readers, or arrays of them out of
 * librdkafka's queue, and lets each one go at once. Thread: consumer.
 *
 * Invariant: messages of a partition reach collect() in the order of their
 * offsets, each once, and only while the partition is ours and running.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <string.h>

#define OWN_BYTES_MAX (INT64_C(1) << 20)

/* ---- one message ---- */

/* Dropped in this very array: the rest of it is void. */
static int
skipped(const struct part *part)
{
	return part->skip_array == part->engine->array_serial;
}

static void
retry_later(struct part *part)
{
	char quoted[1024];

	pause_set(part, PAUSE_RETRY);
	part->held_boot_ms = clock_boot_ms() + 1000;
	if (part->said_retry)
		return;
	part->said_retry = 1;
	log_line(SECOR_WARN, "plugin waits",
	    "topic=%s partition=%d offset=%lld plugin=%s reason=%s",
	    part->topic, part->partition, (long long)part->next,
	    part->engine->routed.plugin,
	    log_quote(quoted, sizeof(quoted), part->engine->routed.err.text));
}

/* Nothing is to be made of it: it was taken in before, or will come again. */
static int
is_void(const struct part *part, const struct message *message)
{
	return part->state != PART_RUNNING || part->halt_next != HALT_NONE ||
	       skipped(part) || message->raw.offset < part->next;
}

/* Returns 0 when the message must come again (RETRY). */
static int
take(struct part *part, struct message *message)
{
	int64_t offset = message->raw.offset;
	enum collected result;

	if (is_void(part, message))
		return 1;
	if (part->cur != NULL && part->cur->replay &&
	    offset >= part->cur->plan.e) {
		cut_batch(part, part->cur->plan.c);
		if (part->state != PART_RUNNING) /* it differs from its plan */
			return 1;
	}
	if (part->cur == NULL) {
		part->cur = batch_new(part, part->lane,
		    part->past != NULL ? part->past->end : part->record.offset);
		step_reached("first-message");
	}
	result = collect(part, message);
	if (result == COLLECT_RETRY) {
		retry_later(part);
		return 0;
	}
	if (result == COLLECT_HALTED)
		return 1;
	part->next = offset + 1;
	if (part->engine->throttle != NULL)
		throttle_take(part->engine->throttle, part, message);
	if (part->cur->replay && part->next >= part->cur->plan.e)
		cut_batch(part, part->cur->plan.c);
	return 1;
}

static int
is_limited(const struct part *part)
{
	return part->engine->throttle != NULL &&
	       throttle_waits(part->engine->throttle, part);
}

/* Whether it was kept. */
static int
take_or_hold(struct part *part, struct message *message)
{
	int limited = 0;

	if (part->held.count == part->held.at || skipped(part)) {
		limited = is_limited(part) && !is_void(part, message);
		if (!limited && take(part, message))
			return 0;
	}
	held_put(part, message, limited);
	return 1;
}

/* The log's end is at the plan's or behind it: what is missing of [S, E) is not
 * in the log. Messages that are held are still to come. */
static void
end_replay(struct part *part)
{
	struct batch *cur = part->cur;

	if (part->state == PART_RUNNING && cur != NULL && cur->replay &&
	    part->eof >= cur->plan.e && part->held.at == part->held.count)
		cut_batch(part, cur->plan.c);
}

void
consume_held(struct part *part, size_t most)
{
	struct held *held = &part->held;

	for (; held->at < held->count; most--) {
		if (most == 0 || is_limited(part) ||
		    !take(part, held->items[held->at]))
			return;
		/* a halt or a drop has emptied it */
		if (held->at >= held->count)
			break;
		held_drop_first(part);
	}
	held_free(part);
	if (part->said_retry)
		log_line(SECOR_INFO, "plugin goes on",
		    "topic=%s partition=%d offset=%lld", part->topic,
		    part->partition, (long long)part->next);
	part->said_retry = 0;
	end_replay(part);
	pause_clear(part, PAUSE_RETRY);
}

/* ---- errors and ends ---- */

static void
on_eof(struct part *part, int64_t offset)
{
	part->eof = offset;
	part->high = offset;
	end_replay(part);
}

static void
ask(struct part *part, enum inquiry_kind kind, int64_t cut_at)
{
	struct inquiry *inquiry = mem_alloc(sizeof(*inquiry));

	inquiry->kind = kind;
	inquiry->cut_at = cut_at;
	inquiry->part = part;
	inquiry->epoch = part->epoch;
	inquiry->partition = part->partition;
	memcpy(inquiry->topic, part->topic, sizeof(inquiry->topic));
	inquire(part->engine->inquirer, inquiry);
}

/* What was read before retention overtook us is stored before the gap behind it
 * is looked at. A replay, or a log that was cut off, is judged from the record:
 * what was read of those does not count. */
void
consume_range(struct part *part, const struct inquiry *range)
{
	int replay = part->cur != NULL && part->cur->replay;

	if (part->state != PART_RUNNING)
		return;
	if (range->status == SECOR_OK && range->low > part->next && !replay)
		part->overtaken = 1;
	else
		rejoin(part->engine, "an offset is out of the log's range");
}

static void
on_range(struct part *part, int64_t offset)
{
	log_line(SECOR_WARN, "offset out of range",
	    "topic=%s partition=%d offset=%lld", part->topic, part->partition,
	    (long long)offset);
	ask(part, INQUIRY_RANGE, -1);
}

/* ---- what comes of librdkafka ---- */

static void
on_librdkafka_error(
    struct engine *engine, struct part *part, const rd_kafka_message_t *rkm)
{
	struct complaint complaint = {rkm->err, "-",
	    rd_kafka_message_errstr(rkm), rkm->partition, rkm->offset};

	if (rkm->rkt != NULL)
		complaint.topic = rd_kafka_topic_name(rkm->rkt);
	if (complaint.text == NULL)
		complaint.text = rd_kafka_err2str(rkm->err);
	/* what becomes of its reading is nothing to the own readers */
	if (engine->fetch != NULL && part != NULL && rkm->offset >= 0)
		return;
	if (rkm->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && part != NULL &&
	    part->state == PART_RUNNING)
		on_range(part, rkm->offset);
	else
		complaint_log(engine, &complaint);
}

static struct part *
part_of(struct engine *engine, const rd_kafka_message_t *rkm)
{
	if (rkm->rkt == NULL)
		return NULL;
	if (engine->last_part == NULL || engine->last_rkt != rkm->rkt ||
	    engine->last_partition != rkm->partition) {
		engine->last_part = part_find(&engine->parts,
		    rd_kafka_topic_name(rkm->rkt), rkm->partition);
		engine->last_rkt = rkm->rkt;
		engine->last_partition = rkm->partition;
	}
	return engine->last_part;
}

/* Remembers whom the array touched. */
static void
touch(struct engine *engine, struct part *part)
{
	if (part->touched)
		return;
	part->touched = 1;
	engine->touched[engine->touched_count++] = part;
}

/* Whether what is read may be taken in. */
static int
is_taking(const struct engine *engine)
{
	return !engine->revoking && engine->phase == PHASE_RUNNING;
}

static void
serve_message(struct engine *engine, struct part *part, rd_kafka_message_t *rkm)
{
	struct message message;

	engine->popped++;
	engine->popped_bytes += (int64_t)rkm->len;
	if (part != NULL && is_taking(engine) && engine->fetch == NULL) {
		message_of(&message, rkm);
		if (take_or_hold(part, &message))
			return;
	}
	rd_kafka_message_destroy(rkm);
}

static void
serve(struct engine *engine, rd_kafka_message_t *rkm)
{
	struct part *part = part_of(engine, rkm);

	if (part != NULL)
		touch(engine, part);
	if (rkm->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		serve_message(engine, part, rkm);
		return;
	}
	if (rkm->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
		on_librdkafka_error(engine, part, rkm);
	else if (part != NULL && part->state == PART_RUNNING &&
		 is_taking(engine) && engine->fetch == NULL && !skipped(part))
		on_eof(part, rkm->offset);
	rd_kafka_message_destroy(rkm);
}

/* Setting the (same) SASL credentials wakes librdkafka's threads without any
 * traffic. */
static void
wake_brokers(struct engine *engine)
{
	if (client_has_queue_backoff() ||
	    !wake_due(&engine->wake, engine->popped, engine->popped_bytes,
		(int64_t)rd_kafka_queue_length(engine->queue)))
		return;
	rd_kafka_error_destroy(rd_kafka_sasl_set_credentials(
	    engine->rk, engine->sasl_user, engine->sasl_password));
}

/* ---- what comes of the own readers ---- */

static void
on_own_error(struct engine *engine, const struct fetched *fetched)
{
	struct part *part = fetched->owner;
	struct complaint complaint = {
	    fetched->error, "-", fetched->text, -1, fetched->offset};

	if (part != NULL) {
		complaint.topic = part->topic;
		complaint.partition = part->partition;
	}
	if (fetched->error == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
		reading_unable(engine, fetched->text);
	else if (fetched->error == RD_KAFKA_RESP_ERR__AUTHENTICATION)
		reading_refused(engine, fetched->text);
	else if (fetched->error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE &&
		 part != NULL && part->state == PART_RUNNING)
		on_range(part, fetched->offset);
	else
		complaint_log(engine, &complaint);
}

/* Where the record is, or will be by what is on its way. */
static int64_t
stored_end(const struct part *part)
{
	if (part->past != NULL && part->past->state >= BATCH_PLANNING)
		return part->past->end;
	return part->record.offset;
}

/* What is not stored yet is read again as Kafka has it now. What is stored
 * cannot be taken back, and a reader that went on would miss the messages that
 * have its offsets now. */
static void
on_cut(struct part *part, int64_t offset)
{
	int64_t stored = stored_end(part);

	log_line(SECOR_ERROR, "log was cut",
	    "topic=%s partition=%d end=%lld read=%lld stored=%lld", part->topic,
	    part->partition, (long long)offset, (long long)part->next,
	    (long long)stored);
	metric_add(part->engine->metrics.log_cuts, 1);
	if (offset < stored)
		ask(part, INQUIRY_CUT, offset);
	else
		rejoin(part->engine,
		    "an unclean leader election cut a log below what was read");
}

/* A topic that was created again took its record with it: whoever opens the
 * partition says so. */
void
consume_cut(struct part *part, const struct inquiry *cut)
{
	enum record_kind kind = cut->record.kind;

	if (part->state != PART_RUNNING || part->halt_next != HALT_NONE)
		return;
	if (cut->status == SECOR_OK &&
	    (kind == RECORD_CLEAN || kind == RECORD_PLAN))
		halt_behind(part, HALT_LOG_CUT,
		    "an unclean leader election cut the log at offset %lld: "
		    "what was stored from there on, Kafka does not have, and "
		    "the messages that have its offsets now are not stored",
		    (long long)cut->cut_at);
	else
		rejoin(
		    part->engine, "a log is cut below a record that changed");
}

static void
serve_own(
    struct engine *engine, enum fetched_kind kind, struct fetched *fetched)
{
	struct part *part = fetched->owner;

	if (part != NULL)
		touch(engine, part);
	if (kind == FETCHED_MESSAGE)
		(void)take_or_hold(part, &fetched->message);
	else if (kind == FETCHED_ERROR)
		on_own_error(engine, fetched);
	else if (kind == FETCHED_CUT && part->state == PART_RUNNING)
		on_cut(part, fetched->offset);
	else if (kind == FETCHED_END && part->state == PART_RUNNING &&
		 !skipped(part))
		on_eof(part, fetched->offset);
}

/* As much as librdkafka would give at once. */
static size_t
take_own(struct engine *engine)
{
	int64_t bytes = engine->taken_bytes + OWN_BYTES_MAX;
	size_t n = 0;

	while (n < ARRAY_MAX && engine->taken_bytes < bytes &&
	       is_taking(engine) && engine->fetch != NULL) {
		struct fetched *fetched = &engine->fetched;
		enum fetched_kind kind = fetch_next(engine->fetch, fetched);

		if (kind == FETCHED_NOTHING)
			break;
		serve_own(engine, kind, fetched);
		n++;
	}
	return n;
}

/* ---- the array ---- */

/* Also those that were held; not what an array brings besides messages. */
static void
count_taken(struct engine *engine)
{
	metric_add(engine->metrics.messages, engine->taken);
	metric_add(engine->metrics.bytes, engine->taken_bytes);
	engine->taken = engine->taken_bytes = 0;
}

static void
policies(struct engine *engine, int64_t now)
{
	for (size_t i = 0; i < engine->touched_count; i++) {
		struct part *part = engine->touched[i];

		part->touched = 0;
		if (part->state == PART_RUNNING &&
		    engine->phase == PHASE_RUNNING)
			policy_part(part, now);
	}
	engine->touched_count = 0;
}

static int
nothing_waits(const struct engine *engine)
{
	return rd_kafka_queue_length(engine->queue) == 0 &&
	       (engine->fetch == NULL || !is_taking(engine) ||
		   !fetch_ready(engine->fetch));
}

/* librdkafka waits until an array is full. What is there already does not wait
 * for more to come. */
void
consume(struct engine *engine, int wait_ms)
{
	ssize_t n;
	int64_t now;

	engine->array_serial++;
	if (!nothing_waits(engine))
		wait_ms = 0;
	n = rd_kafka_consume_batch_queue(engine->queue, wait_ms, engine->array,
	    wake_take(&engine->wake, ARRAY_MAX));
	now = clock_boot_ms();

	atomic_store(&engine->fence.polled_boot_ms, now);
	atomic_store(&engine->heartbeat_boot_ms, now);
	/* what was popped before a rebalance was asked for still counts; the
	 * epoch moves only in rebalance_serve */
	engine->popped = engine->popped_bytes = 0;
	for (ssize_t i = 0; i < n; i++)
		serve(engine, engine->array[i]);
	if (n > 0 && engine->fetch == NULL)
		wake_brokers(engine);
	if (take_own(engine) > 0 || n > 0)
		engine->moving = 1;
	count_taken(engine);
	policies(engine, now);
}
