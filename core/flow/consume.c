/*
 * consume.c -- takes arrays of messages out of librdkafka's queue and lets each
 * one go at once. Thread: consumer.
 *
 * Invariant: messages of a partition reach collect() in the order of their
 * offsets, each once, and only while the partition is ours and running.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <stdlib.h>
#include <string.h>

/* ---- messages that a RETRY or a limit kept back ---- */

enum { HELD_COST = 256 }; /* of a message beside its bytes */

void
held_free(struct part *part)
{
	struct held *held = &part->held;

	for (; held->at < held->count; held->at++)
		rd_kafka_message_destroy(held->items[held->at]);
	free(held->items);
	memset(held, 0, sizeof(*held));
}

static int64_t
held_bytes(const rd_kafka_message_t *rkm)
{
	return (int64_t)(rkm->len + rkm->key_len) + HELD_COST;
}

/* `limited`: because of a limit. */
static void
hold(struct part *part, rd_kafka_message_t *rkm, int limited)
{
	struct held *held = &part->held;

	if (held->count == held->room && held->at > held->room / 2) {
		held->count -= held->at;
		memmove(held->items, held->items + held->at,
		    held->count * sizeof(*held->items));
		held->at = 0;
	}
	if (held->count == held->room) {
		held->room = held->room == 0 ? 64 : held->room * 2;
		held->items =
		    mem_grow(held->items, held->room * sizeof(*held->items));
	}
	held->items[held->count++] = rkm;
	held->bytes += held_bytes(rkm);
	if (part->throttled || limited)
		throttle_hold(part->engine->throttle, part, held_bytes(rkm));
}

static void
unhold(struct held *held)
{
	rd_kafka_message_t *rkm = held->items[held->at++];

	held->bytes -= held_bytes(rkm);
	rd_kafka_message_destroy(rkm);
}

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
is_void(const struct part *part, const rd_kafka_message_t *rkm)
{
	return part->state != PART_RUNNING || part->halt_next != HALT_NONE ||
	       skipped(part) || rkm->offset < part->next;
}

/* Returns 0 when the message must come again (RETRY): it is not destroyed. */
static int
take(struct part *part, rd_kafka_message_t *rkm)
{
	enum collected result;

	if (is_void(part, rkm))
		return 1;
	if (part->cur != NULL && part->cur->replay &&
	    rkm->offset >= part->cur->plan.e) {
		cut_batch(part, part->cur->plan.c);
		if (part->state != PART_RUNNING) /* it differs from its plan */
			return 1;
	}
	if (part->cur == NULL) {
		part->cur = batch_new(part, part->lane,
		    part->past != NULL ? part->past->end : part->record.offset);
		step_reached("first-message");
	}
	result = collect(part, rkm);
	if (result == COLLECT_RETRY) {
		retry_later(part);
		return 0;
	}
	if (result == COLLECT_HALTED)
		return 1;
	part->next = rkm->offset + 1;
	if (part->engine->throttle != NULL)
		throttle_take(part->engine->throttle, part, rkm);
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

static void
take_or_hold(struct part *part, rd_kafka_message_t *rkm)
{
	if (part->held.count > part->held.at && !skipped(part))
		hold(part, rkm, 0);
	else if (is_limited(part) && !is_void(part, rkm))
		hold(part, rkm, 1);
	else if (take(part, rkm))
		rd_kafka_message_destroy(rkm);
	else
		hold(part, rkm, 0);
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
		unhold(held);
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

/* The same complaint once a minute. */
static int
said_lately(const char *text)
{
	static char last[256];
	static int64_t last_boot_ms;
	int64_t now = clock_boot_ms();

	if (strncmp(last, text, sizeof(last) - 1) == 0 &&
	    now - last_boot_ms < 60000)
		return 1;
	(void)snprintf(last, sizeof(last), "%s", text);
	last_boot_ms = now;
	return 0;
}

static void
ask_range(struct part *part)
{
	struct inquiry *inquiry = mem_alloc(sizeof(*inquiry));

	inquiry->kind = INQUIRY_RANGE;
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
on_error(struct engine *engine, struct part *part, rd_kafka_message_t *rkm)
{
	const char *topic =
	    rkm->rkt != NULL ? rd_kafka_topic_name(rkm->rkt) : "-";
	const char *text = rd_kafka_message_errstr(rkm);
	char quoted[512], where[64] = "";

	if (rkm->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && part != NULL &&
	    part->state == PART_RUNNING) {
		log_line(SECOR_WARN, "offset out of range",
		    "topic=%s partition=%d offset=%lld", topic, rkm->partition,
		    (long long)rkm->offset);
		ask_range(part);
		return;
	}
	if (text == NULL)
		text = rd_kafka_err2str(rkm->err);
	if (rkm->err == RD_KAFKA_RESP_ERR__FATAL && engine_fatal(engine))
		return;
	if (said_lately(text))
		return;
	if (rkm->offset >= 0) /* else it is about the topic */
		(void)snprintf(where, sizeof(where),
		    " partition=%d offset=%lld", rkm->partition,
		    (long long)rkm->offset);
	log_line(
	    rkm->err == RD_KAFKA_RESP_ERR__BAD_MSG ||
		    rkm->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
		? SECOR_ERROR
		: SECOR_WARN,
	    "kafka error", "topic=%s%s code=%s text=%s%s", topic, where,
	    rd_kafka_err2name(rkm->err),
	    log_quote(quoted, sizeof(quoted), text),
	    rkm->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ? " next=retry"
								: "");
}

/* ---- the array ---- */

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

static void
serve(struct engine *engine, rd_kafka_message_t *rkm)
{
	struct part *part = part_of(engine, rkm);

	if (part != NULL)
		touch(engine, part);
	if (rkm->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		engine->popped++;
		engine->popped_bytes += (int64_t)rkm->len;
		if (part != NULL && !engine->revoking &&
		    engine->phase == PHASE_RUNNING) {
			take_or_hold(part, rkm);
			return;
		}
	} else if (rkm->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		if (part != NULL && part->state == PART_RUNNING &&
		    !engine->revoking && engine->phase == PHASE_RUNNING &&
		    !skipped(part))
			on_eof(part, rkm->offset);
	} else {
		on_error(engine, part, rkm);
	}
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

/* Also those that were held; not what an array brings besides messages. */
static void
count_taken(struct engine *engine)
{
	metric_add(engine->metrics.messages, engine->taken);
	metric_add(engine->metrics.bytes, engine->taken_bytes);
	engine->taken = engine->taken_bytes = 0;
}

/* librdkafka waits until an array is full. What is there already does not wait
 * for more to come. */
void
consume(struct engine *engine, int wait_ms)
{
	ssize_t n;
	int64_t now;

	engine->array_serial++;
	if (rd_kafka_queue_length(engine->queue) > 0)
		wait_ms = 0;
	n = rd_kafka_consume_batch_queue(engine->queue, wait_ms, engine->array,
	    wake_take(&engine->wake, ARRAY_MAX));
	now = clock_boot_ms();

	atomic_store(&engine->fence.polled_boot_ms, now);
	atomic_store(&engine->heartbeat_boot_ms, now);
	if (n <= 0) {
		count_taken(engine);
		return;
	}
	/* what was popped before a rebalance was asked for still counts; the
	 * epoch moves only in rebalance_serve */
	engine->moving = 1;
	engine->popped = engine->popped_bytes = 0;
	for (ssize_t i = 0; i < n; i++)
		serve(engine, engine->array[i]);
	count_taken(engine);
	wake_brokers(engine);
	for (size_t i = 0; i < engine->touched_count; i++) {
		struct part *part = engine->touched[i];

		part->touched = 0;
		if (part->state == PART_RUNNING &&
		    engine->phase == PHASE_RUNNING)
			policy_part(part, now);
	}
	engine->touched_count = 0;
}
