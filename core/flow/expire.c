/*
 * expire.c -- how long until Kafka's retention reaches what is not stored: the
 * metric, and the alarm in the log. Thread: consumer.
 *
 * Nothing here decides anything: a question that is not answered, or a right
 * that lacks, only leaves people without the number.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/flow.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
	RETENTION_EVERY_MS = 300000,
	RETENTION_AGAIN_MS = 30000, /* a topic that is not known yet */
	MISSED_MS = 2000,	    /* a batch mostly begins before */
	TIMES_EVERY_MS = 5000,
	TIMES_FAILED_MS = 30000,
	RECENT = 1000000,    /* messages that a mean size looks back over */
	RECORD_OVERHEAD = 12 /* bytes in the log beside key and value */
};

enum by { BY_TIME = 0, BY_BYTES, BY_COUNT };

static const char *const by_names[] = {"time", "bytes"};

/* What is known of a topic. Lives as long as the engine. */
struct expiry_topic {
	struct expiry_topic *next;
	char name[250];
	int asked, known;
	struct retention kept;
	double bytes, messages; /* taken in lately */
};

/* Of a partition. */
struct expiry {
	struct expiry_topic *topic;
	struct growth growth;
	/* the timestamp of what lies at the committed offset */
	int64_t offset; /* that `time_ms` is of; -1: none */
	int64_t time_ms;
	int64_t missed_boot_ms; /* not known since; 0 */
	struct metric *gauge[BY_COUNT];
	struct retention_left left[BY_COUNT];
	int told[BY_COUNT];
	int raised[BY_COUNT];
};

static struct expiry_topic *
topic_of(struct engine *engine, const char *name)
{
	struct expiry_topic *topic = engine->expiry_topics;

	while (topic != NULL && strcmp(topic->name, name) != 0)
		topic = topic->next;
	if (topic != NULL)
		return topic;
	topic = mem_alloc(sizeof(*topic));
	(void)snprintf(topic->name, sizeof(topic->name), "%s", name);
	topic->next = engine->expiry_topics;
	engine->expiry_topics = topic;
	return topic;
}

void
expire_free(struct engine *engine)
{
	while (engine->expiry_topics != NULL) {
		struct expiry_topic *topic = engine->expiry_topics;

		engine->expiry_topics = topic->next;
		free(topic);
	}
}

static struct metric *
gauge_of(const struct part *part, enum by by)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", part->partition);
	return metric_gauge_ms("secor_retention_seconds",
	    "Until Kafka may delete the first message that is not stored.",
	    METRIC_LABELS(
		"topic", part->topic, "partition", number, "by", by_names[by]));
}

/* ---- the alarm and the number ---- */

static void
say(const struct part *part, enum by by)
{
	const struct expiry *expiry = part->expiry;
	const struct retention *kept = &expiry->topic->kept;

	if (!expiry->raised[by]) {
		log_line(SECOR_INFO, "retention is far again",
		    "topic=%s partition=%d by=%s left_s=%lld", part->topic,
		    part->partition, by_names[by],
		    (long long)(expiry->left[by].ms / 1000));
		return;
	}
	log_line(SECOR_WARN, "retention comes near",
	    "topic=%s partition=%d offset=%lld by=%s left_s=%lld limit=%lld%s "
	    "what=\"Kafka deletes messages that are not stored when nothing "
	    "changes\"",
	    part->topic, part->partition, (long long)part->record.offset,
	    by_names[by], (long long)(expiry->left[by].ms / 1000),
	    (long long)(by == BY_TIME ? kept->ms : kept->bytes),
	    by == BY_TIME ? "ms" : "bytes");
}

/* `known`: left[by] is new; else there is nothing to tell. */
static void
tell(struct part *part, enum by by, int known)
{
	struct expiry *expiry = part->expiry;
	double limit = part->engine->config->kafka.retention_alarm;
	int raised = known && retention_alarm(expiry->raised[by],
				  expiry->left[by].share, limit);

	if (known) {
		/* also shows what was hidden */
		if (!expiry->told[by])
			expiry->gauge[by] = gauge_of(part, by);
		metric_set(expiry->gauge[by], expiry->left[by].ms);
	} else if (expiry->told[by]) {
		metric_hide(expiry->gauge[by]);
	}
	expiry->told[by] = known;
	if (raised == expiry->raised[by])
		return;
	expiry->raised[by] = raised;
	if (known)
		say(part, by);
}

void
expire_hide(struct part *part)
{
	struct expiry *expiry = part->expiry;

	if (expiry == NULL)
		return;
	for (int by = 0; by < BY_COUNT; by++)
		tell(part, (enum by)by, 0);
	expiry->missed_boot_ms = 0;
	memset(&expiry->growth, 0, sizeof(expiry->growth));
}

void
expire_describe(const struct part *part, void *json)
{
	const struct expiry *expiry = part->expiry;
	json_t *left = json_object(), *one = json;

	for (int by = 0; expiry != NULL && by < BY_COUNT; by++)
		if (expiry->told[by])
			(void)json_object_set_new(left, by_names[by],
			    json_integer(expiry->left[by].ms / 1000));
	if (json_object_size(left) > 0)
		(void)json_object_set(one, "retention_left_s", left);
	json_decref(left);
}

/* ---- measuring ---- */

static void
take_sizes(struct part *part)
{
	struct expiry_topic *topic = part->expiry->topic;

	topic->bytes += (double)part->taken_bytes;
	topic->messages += (double)part->taken_messages;
	part->taken_bytes = part->taken_messages = 0;
	if (topic->messages > RECENT) {
		topic->bytes /= 2;
		topic->messages /= 2;
	}
}

/* The first message of the batch that begins at the committed offset is the
 * oldest that is not stored. */
static void
look_at_batch(struct part *part)
{
	struct expiry *expiry = part->expiry;
	const struct batch *batch = part->past != NULL ? part->past : part->cur;

	if (batch == NULL || batch->messages == 0 ||
	    batch->start != part->record.offset || batch->first_ms < 0)
		return;
	expiry->offset = batch->start;
	expiry->time_ms = batch->first_ms;
}

/* Returns 0 when what is left stays as it was told last: it will be asked. */
static int
by_time(struct part *part, int64_t waiting, int *known)
{
	struct expiry *expiry = part->expiry;
	int64_t now = clock_now_ms();

	look_at_batch(part);
	if (waiting > 0 && expiry->offset != part->record.offset) {
		if (expiry->missed_boot_ms == 0)
			expiry->missed_boot_ms = clock_boot_ms();
		return 0;
	}
	expiry->missed_boot_ms = 0;
	*known = retention_by_time(&expiry->topic->kept,
	    waiting > 0 ? expiry->time_ms : now, now, &expiry->left[BY_TIME]);
	return 1;
}

static int
by_bytes(struct part *part, int64_t waiting)
{
	struct expiry *expiry = part->expiry;
	const struct expiry_topic *topic = expiry->topic;
	double each;

	if (topic->messages < 1)
		return 0;
	each = topic->bytes / topic->messages + RECORD_OVERHEAD;
	return retention_by_bytes(&topic->kept, (double)waiting * each,
	    growth_rate(&expiry->growth) * each, &expiry->left[BY_BYTES]);
}

void
expire_measure(struct part *part, int64_t end, int64_t waiting)
{
	struct expiry *expiry = part->expiry;
	int known = 0;

	if (part->record.kind == RECORD_MISSING) { /* nobody knows what waits */
		expire_hide(part);
		return;
	}
	if (expiry == NULL) {
		expiry = part->expiry = mem_alloc(sizeof(*expiry));
		expiry->topic = topic_of(part->engine, part->topic);
		expiry->offset = -1;
	}
	take_sizes(part);
	growth_see(&expiry->growth, end, part->engine->tick_boot_ms);
	if (!expiry->topic->asked)
		part->engine->expiry_new = 1;
	if (!expiry->topic->known)
		return;
	if (expiry->topic->kept.ms < 0) {
		expiry->missed_boot_ms = 0;
		tell(part, BY_TIME, 0);
	} else if (by_time(part, waiting, &known)) {
		tell(part, BY_TIME, known);
	}
	tell(part, BY_BYTES, by_bytes(part, waiting));
}

/* ---- the retention of topics ---- */

static int
is_ours(const struct part *part)
{
	return part->state == PART_RUNNING || part->state == PART_HALTED;
}

static void
list_topic(struct part *part)
{
	rd_kafka_topic_partition_list_t *list = part->engine->expiry_now;

	if (is_ours(part) && part->expiry != NULL &&
	    rd_kafka_topic_partition_list_find(list, part->topic, 0) == NULL)
		(void)rd_kafka_topic_partition_list_add(list, part->topic, 0);
}

static void
ask_kafka(struct engine *engine, enum inquiry_kind kind)
{
	struct inquiry *inquiry;
	size_t n = (size_t)engine->expiry_now->cnt;

	if (n == 0) {
		rd_kafka_topic_partition_list_destroy(engine->expiry_now);
		return;
	}
	inquiry = mem_alloc(sizeof(*inquiry));
	inquiry->kind = kind;
	inquiry->list = engine->expiry_now;
	if (kind == INQUIRY_RETENTION)
		inquiry->kept = mem_alloc(n * sizeof(*inquiry->kept));
	else
		inquiry->times = engine->expiry_times;
	engine->asking_expiry = 1;
	inquire(engine->inquirer, inquiry);
}

static void
ask_retention(struct engine *engine)
{
	engine->expiry_now = rd_kafka_topic_partition_list_new(16);
	engine->expiry_new = 0;
	part_each(&engine->parts, list_topic);
	ask_kafka(engine, INQUIRY_RETENTION);
}

/* Once for each time that the right comes or goes. */
static void
say_denied(struct engine *engine, int denied, const char *topic)
{
	if ((denied > 0) == engine->expiry_denied)
		return;
	engine->expiry_denied = denied > 0;
	if (denied > 0)
		log_line(SECOR_WARN, "retention not known",
		    "topics=%d topic=%s reason=\"Kafka does not let us read "
		    "the topic's settings\" remedy=\"grant DescribeConfigs on "
		    "it\" next=without",
		    denied, topic);
	else
		log_line(SECOR_INFO, "retention known", NULL);
}

static void
retention_answer(struct engine *engine, const struct inquiry *inquiry)
{
	int denied = 0;
	const char *which = NULL;

	engine->ask_retention_boot_ms =
	    engine->tick_boot_ms + (inquiry->status == SECOR_OK
					   ? RETENTION_EVERY_MS
					   : RETENTION_AGAIN_MS);
	engine->ask_new_boot_ms = engine->tick_boot_ms + RETENTION_AGAIN_MS;
	if (inquiry->status != SECOR_OK)
		return;
	for (int i = 0; i < inquiry->list->cnt; i++) {
		const rd_kafka_topic_partition_t *tp = &inquiry->list->elems[i];
		struct expiry_topic *topic = topic_of(engine, tp->topic);

		topic->asked = 1;
		if (tp->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			topic->known = 1;
			topic->kept = inquiry->kept[i];
		} else if (tp->err ==
			       RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
			   tp->err ==
			       RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
			if (denied++ == 0)
				which = topic->name;
		}
	}
	say_denied(engine, denied, which);
}

/* ---- how old what waits is, where nothing of it was read ---- */

/* Halted, or not read for a while: nobody has its first message. */
static void
list_missed(struct part *part)
{
	struct engine *engine = part->engine;
	const struct expiry *expiry = part->expiry;
	rd_kafka_topic_partition_list_t *list = engine->expiry_now;

	if (!is_ours(part) || expiry == NULL || expiry->missed_boot_ms == 0 ||
	    engine->tick_boot_ms - expiry->missed_boot_ms < MISSED_MS)
		return;
	engine->expiry_times = mem_grow(engine->expiry_times,
	    ((size_t)list->cnt + 1) * sizeof(*engine->expiry_times));
	engine->expiry_times[list->cnt] =
	    clock_now_ms() - expiry->topic->kept.ms;
	rd_kafka_topic_partition_list_add(list, part->topic, part->partition)
	    ->offset = part->record.offset;
}

static void
ask_times(struct engine *engine)
{
	engine->expiry_now = rd_kafka_topic_partition_list_new(16);
	engine->expiry_times = NULL;
	part_each(&engine->parts, list_missed);
	engine->ask_times_boot_ms = engine->tick_boot_ms + TIMES_EVERY_MS;
	ask_kafka(engine, INQUIRY_TIMES);
}

static void
times_answer(struct engine *engine, const struct inquiry *inquiry)
{
	if (inquiry->status != SECOR_OK) {
		engine->ask_times_boot_ms =
		    engine->tick_boot_ms + TIMES_FAILED_MS;
		return;
	}
	for (int i = 0; i < inquiry->list->cnt; i++) {
		const rd_kafka_topic_partition_t *tp = &inquiry->list->elems[i];
		struct part *part =
		    part_find(&engine->parts, tp->topic, tp->partition);

		if (part == NULL || part->expiry == NULL ||
		    part->expiry->offset == tp->offset)
			continue;
		part->expiry->offset = tp->offset;
		part->expiry->time_ms = inquiry->times[i];
	}
}

/* ---- asking ---- */

void
expire_ask(struct engine *engine)
{
	int64_t now = engine->tick_boot_ms;

	if (engine->asking_expiry || !engine->assigned ||
	    engine->phase != PHASE_RUNNING)
		return;
	if (now >= engine->ask_retention_boot_ms ||
	    (now >= engine->ask_new_boot_ms && engine->expiry_new))
		ask_retention(engine);
	else if (now >= engine->ask_times_boot_ms)
		ask_times(engine);
}

void
expire_answer(struct engine *engine, const struct inquiry *inquiry)
{
	engine->asking_expiry = 0;
	if (inquiry->kind == INQUIRY_RETENTION)
		retention_answer(engine, inquiry);
	else
		times_answer(engine, inquiry);
}
