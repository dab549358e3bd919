/*
 * status.c -- what people see: metrics, readiness, the status document.
 *
 * The consumer thread publishes a snapshot; other threads read only that (under
 * status_lock) and the atomic metrics.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"
#include "core/flow/remedy.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct part_metrics {
	struct metric *offset, *lag, *lag_time, *event_time, *halted, *end;
	struct metric *bad_share;
};

enum {
	REFUSED_LONG_MS = 15000,
	ENDS_MS = 5000,
	ENDS_FAILED_MS = 30000,
	DESCRIBE_MS = 5 /* a partition */
};

#define COUNTER(name, help) metric_counter("secor_" name, help, NULL)
#define GAUGE(name, help) metric_gauge("secor_" name, help, NULL)

static struct metric *
cuts(enum cut cut)
{
	return metric_counter("secor_cuts_total", "Batches cut, by reason.",
	    METRIC_LABELS("reason", cut_name(cut)));
}

void
metrics_init(struct engine *engine)
{
	struct engine_metrics *m = &engine->metrics;

	m->messages = COUNTER("messages_total", "Messages taken in.");
	m->bytes = COUNTER("message_bytes_total", "Bytes of message values.");
	m->batches = COUNTER("batches_total", "Batches done.");
	m->objects = COUNTER("objects_total", "Objects stored.");
	m->object_bytes =
	    COUNTER("object_bytes_total", "Bytes of stored objects.");
	m->filtered =
	    COUNTER("filtered_total", "Messages dropped by a transformer.");
	m->overflowed = COUNTER("overflowed_total",
	    "Messages in the overflow path of a partitioner's max_values.");
	m->dead_letters =
	    COUNTER("dead_letters_total", "Bad messages kept as dead letters.");
	m->rebalances =
	    COUNTER("rebalances_total", "Times that partitions were revoked.");
	m->lost = COUNTER("assignments_lost_total",
	    "Revokes that came after the partitions were lost.");
	m->rejoins = COUNTER("rejoins_total", "Times the group was left.");
	m->replays = COUNTER("replays_total", "Plans of others replayed.");
	m->kept =
	    COUNTER("kept_stages_total", "Batches that outlived a rebalance.");
	m->gaps = COUNTER("gaps_total",
	    "Ranges that the log had lost before they were read.");
	m->log_cuts = COUNTER("log_cuts_total",
	    "Logs that were found cut below what was read of them.");
	m->pauses = COUNTER("pauses_total", "Partitions paused.");
	m->halted =
	    GAUGE("partitions_halted", "Partitions that need a person.");
	m->assigned =
	    GAUGE("partitions_assigned", "Partitions of this process.");
	m->memory_used =
	    GAUGE("memory_used_bytes", "Buffers, queues and codec state.");
	m->memory_budget = GAUGE("memory_budget_bytes", "Limit of these.");
	m->stage_used = GAUGE("stage_used_bytes", "Bytes in staged files.");
	m->open_objects = GAUGE("open_objects", "Objects being collected.");
	metric_set(m->memory_budget, pool_budget(engine->pool));
	waits_init(engine);
	for (int i = CUT_NONE + 1; i < CUT_COUNT; i++)
		metric_add(cuts((enum cut)i), 0);
}

void
metrics_part(struct part *part)
{
	char number[16];
	const char *labels[] = {
	    "topic", part->topic, "partition", number, NULL};
	struct part_metrics *m = part->metrics;

	(void)snprintf(number, sizeof(number), "%d", part->partition);
	if (m == NULL)
		m = part->metrics = mem_alloc(sizeof(*m));
	m->offset = metric_gauge(
	    "secor_committed_offset", "Everything below is stored.", labels);
	m->end = metric_gauge(
	    "secor_log_end_offset", "End of the log as last seen.", labels);
	m->lag = metric_gauge("secor_lag_messages",
	    "Offsets between what is stored and the log end.", labels);
	m->lag_time = metric_gauge_ms("secor_lag_seconds",
	    "Age of the largest stored event time while messages wait; 0 "
	    "when none does.",
	    labels);
	m->event_time = metric_gauge_ms("secor_watermark_seconds",
	    "Largest event time that is stored (epoch).", labels);
	m->bad_share = metric_gauge_ms("secor_bad_share",
	    "Share of bad messages among the latest (bad_messages.window).",
	    labels);
	m->halted = metric_gauge(
	    "secor_halted", "1: the partition needs a person.", labels);
}

void
metrics_part_hide(struct part *part)
{
	struct part_metrics *m = part->metrics;

	metric_hide(m->offset);
	metric_hide(m->end);
	metric_hide(m->lag);
	metric_hide(m->lag_time);
	metric_hide(m->event_time);
	metric_hide(m->halted);
	metric_hide(m->bad_share);
	expire_hide(part);
}

void
count_cut(enum cut cut)
{
	metric_add(cuts(cut), 1);
}

void
count_commit(const char *answer)
{
	metric_add(metric_counter("secor_commits_total", "Commits, by answer.",
		       METRIC_LABELS("answer", answer)),
	    1);
}

/* The phrase itself while there are few. A plugin that puts what it has read
 * into its phrases must not make a metric of each message. */
static const char *
reason_label(struct engine *engine, const char *phrase)
{
	for (size_t i = 0; i < engine->reason_count; i++)
		if (strcmp(engine->reason_phrases[i], phrase) == 0)
			return phrase;
	if (engine->reason_count == REASONS_MAX)
		return "other";
	memcpy(engine->reason_phrases[engine->reason_count++], phrase,
	    strlen(phrase) + 1);
	return phrase;
}

/* The constant phrase that the reason begins with: up to a colon or number, and
 * without what is quoted ("field '*' is missing"). */
static void
reason_phrase(char phrase[REASON_ROOM], const char *text)
{
	size_t n = 0;

	while (n < REASON_ROOM - 3) {
		size_t part = strcspn(text, ":'0123456789");
		const char *end =
		    text[part] == '\'' ? strchr(text + part + 1, '\'') : NULL;

		if (part > REASON_ROOM - 3 - n)
			part = REASON_ROOM - 3 - n;
		memcpy(phrase + n, text, part);
		n += part;
		if (end == NULL || n >= REASON_ROOM - 3)
			break;
		memcpy(phrase + n, "'*'", 3);
		n += 3;
		text = end + 1;
	}
	while (n > 0 && phrase[n - 1] == ' ')
		n--;
	phrase[n] = '\0';
}

void
count_bad(struct part *part, const struct routed *routed)
{
	char phrase[REASON_ROOM];

	reason_phrase(phrase, routed->err.text);
	metric_add(
	    metric_counter("secor_bad_messages_total",
		"Bad messages, by topic, plugin and reason.",
		METRIC_LABELS("topic", part->topic, "plugin", routed->plugin,
		    "reason", reason_label(part->engine, phrase))),
	    1);
}

/* ---- the snapshot ---- */

static int64_t
lag(const struct part *part)
{
	int64_t end = part->high > part->next ? part->high : part->next;

	return part->record.kind == RECORD_MISSING ? 0
						   : end - part->record.offset;
}

/* Nothing that is read has waited longer than since the watermark. */
static int64_t
lag_ms(const struct part *part)
{
	int64_t now = clock_now_ms();

	if (lag(part) == 0 || part->record.w == INT64_MIN ||
	    part->record.w > now)
		return 0;
	return now - part->record.w;
}

static int
is_refused_long(const struct part *part)
{
	return part->past != NULL && part->past->refused_boot_ms != 0 &&
	       clock_boot_ms() - part->past->refused_boot_ms >= REFUSED_LONG_MS;
}

static void
measure(struct part *part)
{
	struct part_metrics *m = part->metrics;
	struct engine *engine = part->engine;

	if (part->state == PART_AWAY)
		return;
	engine->owned_now++;
	if (part->state == PART_HALTED)
		engine->halted_now++;
	engine->refused_now += is_refused_long(part);
	waits_count(part);
	metric_set(m->offset, part->record.offset);
	metric_set(m->end, part->high > part->next ? part->high : part->next);
	metric_set(m->lag, lag(part));
	metric_set(m->lag_time, lag_ms(part));
	metric_set(m->bad_share,
	    part->recent > 0 ? (int64_t)(1000 * part->recent_bad / part->recent)
			     : 0);
	if (part->record.w != INT64_MIN)
		metric_set(m->event_time, part->record.w);
	metric_set(m->halted, part->state == PART_HALTED);
	if (part->state != PART_OPENING)
		expire_measure(part,
		    part->high > part->next ? part->high : part->next,
		    lag(part));
}

static const char *
state_name(const struct part *part)
{
	static const char *const past[BATCH_FINISHING + 1] = {
	    [BATCH_COLLECTING] = "collecting",
	    [BATCH_CUT] = "cut",
	    [BATCH_SEALING] = "sealing",
	    [BATCH_CHECKING] = "checking",
	    [BATCH_PLANNING] = "planning",
	    [BATCH_MARKING] = "marking",
	    [BATCH_PUTTING] = "putting",
	    [BATCH_LISTING] = "listing",
	    [BATCH_FINISHING] = "finishing"};

	if (part->state == PART_HALTED)
		return "halted";
	if (part->state == PART_HELD)
		return "held";
	if (part->state == PART_OPENING)
		return "opening";
	if (part->past != NULL)
		return past[part->past->state];
	if (part->cur != NULL)
		return part->cur->replay ? "replaying" : "collecting";
	return "idle";
}

static void
describe_halt(const struct part *part, json_t *one)
{
	const struct halt_place place = {
	    part->engine->config->file, part->topic, part->partition};
	struct buf remedy = {0};

	halt_remedy(part->halt, &place, &remedy);
	(void)json_object_set_new(
	    one, "halt", json_string(halt_name(part->halt)));
	(void)json_object_set_new(one, "what", json_string(part->halt_text));
	(void)json_object_set_new(one, "remedy", json_string(remedy.ptr));
	buf_fini(&remedy);
}

static void
describe(struct part *part)
{
	json_t *list = part->engine->status_now;
	json_t *one;

	if (part->state == PART_AWAY)
		return;
	one = json_pack("{s:s,s:i,s:s,s:I,s:I,s:I,s:I}", "topic", part->topic,
	    "partition", part->partition, "state", state_name(part),
	    "committed", (json_int_t)part->record.offset, "next",
	    (json_int_t)part->next, "end", (json_int_t)part->high, "lag",
	    (json_int_t)lag(part));
	if (part->record.w != INT64_MIN)
		(void)json_object_set_new(
		    one, "watermark_ms", json_integer(part->record.w));
	if (part->cur != NULL)
		(void)json_object_set_new(one, "collecting",
		    json_pack("{s:I,s:I,s:I}", "messages",
			(json_int_t)part->cur->messages, "objects",
			(json_int_t)part->cur->object_count, "encoded_bytes",
			(json_int_t)part->cur->encoded));
	waits_describe(part, one);
	expire_describe(part, one);
	if (part->state == PART_HALTED)
		describe_halt(part, one);
	(void)json_array_append_new(list, one);
}

static void
put_json(struct buf *out, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	out->len = 0;
	buf_puts(out, text);
	free(text);
	json_decref(value);
}

static const char *
why_unassigned(const struct engine *engine)
{
	if (engine->assigning != NULL && inquirer_store_waits(engine->inquirer))
		return "no assignment: the store does not list what it has";
	if (engine->brokers_down)
		return "no assignment: all brokers were down";
	return "no assignment yet";
}

static json_t *
why_not_ready(const struct engine *engine)
{
	json_t *reasons = json_array();

	if (engine->unreachable)
		(void)json_array_append_new(
		    reasons, json_string("no broker can be reached"));
	if (!engine->assigned)
		(void)json_array_append_new(
		    reasons, json_string(why_unassigned(engine)));
	if (engine->halted_now > 0)
		(void)json_array_append_new(
		    reasons, json_sprintf("%lld partitions are halted",
				 (long long)engine->halted_now));
	if (engine->refused_now > 0)
		(void)json_array_append_new(reasons,
		    json_sprintf("the store has refused batches of %lld "
				 "partitions for more than %d s",
			(long long)engine->refused_now,
			REFUSED_LONG_MS / 1000));
	return reasons;
}

static json_t *
describe_all(struct engine *engine)
{
	static const char *const phases[] = {
	    "running", "rejoining", "stopping", "leaving"};

	engine->status_now = json_array();
	part_each(&engine->parts, describe);
	return json_pack("{s:s,s:s,s:s,s:s,s:b,s:b,s:I,s:I,s:I,s:o}", "version",
	    SECOR_VERSION, "group", engine->config->kafka.group, "fetch",
	    engine->fetch != NULL ? "own" : "librdkafka", "phase",
	    phases[engine->phase], "assigned", engine->assigned, "full",
	    engine->full, "memory_used", (json_int_t)pool_used(engine->pool),
	    "memory_budget", (json_int_t)pool_budget(engine->pool),
	    "stage_used", (json_int_t)stage_used(engine->stage), "partitions",
	    engine->status_now);
}

/* The document is the dear part: 5 s old at most with a thousand partitions. */
static int
describe_due(struct engine *engine)
{
	int64_t now = clock_boot_ms();

	if (now < engine->describe_boot_ms && engine->phase == PHASE_RUNNING)
		return 0;
	engine->describe_boot_ms = now + engine->owned_now * DESCRIBE_MS;
	return 1;
}

void
status_publish(struct engine *engine)
{
	json_t *reasons, *all;

	engine->owned_now = engine->halted_now = engine->refused_now = 0;
	part_each(&engine->parts, measure);
	metric_set(engine->metrics.assigned, engine->owned_now);
	metric_set(engine->metrics.halted, engine->halted_now);
	waits_publish(engine);
	metric_set(engine->metrics.memory_used, pool_used(engine->pool));
	metric_set(engine->metrics.stage_used, stage_used(engine->stage));
	all = describe_due(engine) ? describe_all(engine) : NULL;
	reasons = why_not_ready(engine);
	(void)pthread_mutex_lock(&engine->status_lock);
	engine->ready = json_array_size(reasons) == 0;
	put_json(&engine->reasons, reasons);
	if (all != NULL)
		put_json(&engine->status, all);
	(void)pthread_mutex_unlock(&engine->status_lock);
}

/* ---- log ends ---- */

/* It is being read at its end, so that a later end is seen as messages. */
static int
at_end(const struct part *part)
{
	return part->state == PART_RUNNING && part->pause == 0 &&
	       part->eof >= part->next;
}

static void
list_end(struct part *part)
{
	if ((part->state == PART_RUNNING && !at_end(part)) ||
	    part->state == PART_HALTED)
		(void)rd_kafka_topic_partition_list_add(
		    part->engine->ends_now, part->topic, part->partition);
}

void
status_ask_ends(struct engine *engine)
{
	struct inquiry *inquiry;

	if (engine->asking_ends || !engine->assigned ||
	    engine->phase != PHASE_RUNNING ||
	    engine->tick_boot_ms < engine->ask_ends_boot_ms)
		return;
	engine->ends_now = rd_kafka_topic_partition_list_new(16);
	part_each(&engine->parts, list_end);
	if (engine->ends_now->cnt == 0) {
		rd_kafka_topic_partition_list_destroy(engine->ends_now);
		return;
	}
	inquiry = mem_alloc(sizeof(*inquiry));
	inquiry->kind = INQUIRY_ENDS;
	inquiry->list = engine->ends_now;
	engine->asking_ends = 1;
	inquire(engine->inquirer, inquiry);
}

void
status_ends(struct engine *engine, struct inquiry *inquiry)
{
	const rd_kafka_topic_partition_list_t *list = inquiry->list;

	engine->asking_ends = 0;
	engine->ask_ends_boot_ms =
	    engine->tick_boot_ms +
	    (inquiry->status == SECOR_OK ? ENDS_MS : ENDS_FAILED_MS);
	for (int i = 0; inquiry->status == SECOR_OK && i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *tp = &list->elems[i];
		struct part *part =
		    part_find(&engine->parts, tp->topic, tp->partition);

		if (part != NULL && tp->offset >= 0 &&
		    tp->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			part->high = tp->offset;
	}
}

/* ---- for observe ---- */

int64_t
engine_heartbeat_boot_ms(void *arg)
{
	struct engine *engine = arg;

	return atomic_load(&engine->heartbeat_boot_ms);
}

int
engine_ready(void *arg, struct buf *reasons_json)
{
	struct engine *engine = arg;
	int ready;

	(void)pthread_mutex_lock(&engine->status_lock);
	ready = engine->ready;
	buf_put(reasons_json, engine->reasons.ptr, engine->reasons.len);
	(void)pthread_mutex_unlock(&engine->status_lock);
	return ready;
}

void
engine_status(void *arg, struct buf *json)
{
	struct engine *engine = arg;

	(void)pthread_mutex_lock(&engine->status_lock);
	buf_put(json, engine->status.ptr, engine->status.len);
	(void)pthread_mutex_unlock(&engine->status_lock);
}
