/*
 * fetch.c -- see fetch.h: partitions, and the consumer's side of the answers.
 */
#include "core/flow/fetch/fetch_inside.h"

#include "core/base/clock.h"
#include "core/flow/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening and closing ---- */

static int64_t
least_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void
read_properties(struct fetch *fetch, rd_kafka_t *rk)
{
	/* two answers are there. They are small, so that they are looked at
	 * while they are near. */
	int64_t bytes =
	    client_number(rk, "queued.max.messages.kbytes") * 1024 / ANSWERS;

	bytes = least_of(bytes, client_number(rk, "fetch.max.bytes"));
	fetch->max_bytes = (int32_t)bytes;
	fetch->partition_bytes = (int32_t)least_of(
	    bytes, client_number(rk, "max.partition.fetch.bytes"));
	fetch->wait_ms = (int32_t)client_number(rk, "fetch.wait.max.ms");
	fetch->min_bytes = (int32_t)client_number(rk, "fetch.min.bytes");
	fetch->timeout_ms =
	    fetch->wait_ms + client_number(rk, "socket.timeout.ms");
	fetch->error_backoff_ms = client_number(rk, "fetch.error.backoff.ms");
	fetch->reconnect_ms = client_number(rk, "reconnect.backoff.ms");
	fetch->reconnect_max_ms = client_number(rk, "reconnect.backoff.max.ms");
	fetch->rack = client_property(rk, "client.rack");
}

static struct metric *
errors_of(const char *name)
{
	return metric_counter("secor_fetch_errors_total",
	    "What went wrong where the own readers fetch.",
	    METRIC_LABELS("error", name));
}

void
fetch_count_error(const char *name)
{
	metric_add(errors_of(name), 1);
}

static void
register_metrics(struct fetch_metrics *metrics)
{
	metrics->requests = metric_counter("secor_fetch_requests_total",
	    "Fetch requests of the own readers that were answered.", NULL);
	metrics->bytes = metric_counter("secor_fetch_bytes_total",
	    "Bytes of answers to Fetch, as they came.", NULL);
	metrics->connections = metric_gauge("secor_fetch_connections",
	    "Connections of the own readers that are open.", NULL);
	metrics->validations = metric_counter("secor_fetch_validations_total",
	    "How often a broker was asked whether its log was cut.", NULL);
	(void)errors_of("connection");
}

int
fetch_open(
    const struct fetch_conf *conf, struct fetch **fetch, struct secor_err *err)
{
	struct link_conf *link_conf;
	struct fetch *made;
	int rc = link_conf_new(conf->rk, conf->login, &link_conf, err);

	if (rc != SECOR_OK)
		return rc;
	made = mem_alloc(sizeof(*made));
	made->conf = *conf;
	made->link_conf = link_conf;
	read_properties(made, conf->rk);
	register_metrics(&made->metrics);
	(void)pthread_mutex_init(&made->lock, NULL);
	clock_cond_init(&made->lost);
	*fetch = made;
	return SECOR_OK;
}

static void
stop_threads(struct fetch *fetch)
{
	(void)pthread_mutex_lock(&fetch->lock);
	fetch->closing = 1;
	(void)pthread_cond_signal(&fetch->lost);
	for (struct reader *r = fetch->readers; r != NULL; r = r->next) {
		reader_break(r);
		reader_wake(r);
	}
	(void)pthread_mutex_unlock(&fetch->lock);
	if (fetch->started)
		(void)pthread_join(fetch->leaders, NULL);
	while (fetch->readers != NULL) {
		struct reader *reader = fetch->readers;

		fetch->readers = reader->next;
		reader_free(reader);
	}
}

void
fetch_close(struct fetch *fetch)
{
	if (fetch == NULL)
		return;
	stop_threads(fetch);
	while (fetch->parts != NULL) {
		struct fetch_part *part = fetch->parts;

		fetch->parts = part->next;
		if (part->known != NULL)
			rd_kafka_topic_destroy(part->known);
		free(part->topic);
		free(part);
	}
	leaders_fini(fetch);
	link_conf_free(fetch->link_conf);
	(void)pthread_cond_destroy(&fetch->lost);
	(void)pthread_mutex_destroy(&fetch->lock);
	buf_fini(&fetch->text);
	free(fetch->rack);
	free(fetch);
}

/* ---- partitions ---- */

struct fetch_part *
fetch_part_new(
    struct fetch *fetch, const char *topic, int32_t partition, void *owner)
{
	struct fetch_part *part = mem_alloc(sizeof(*part));

	part->fetch = fetch;
	part->topic = mem_dup(topic, strlen(topic));
	part->partition = partition;
	part->owner = owner;
	part->leader = part->replica = part->refused = NOBODY;
	part->epoch = -1;
	part->known = rd_kafka_topic_new(fetch->conf.rk, topic, NULL);
	(void)pthread_mutex_lock(&fetch->lock);
	part->next = fetch->parts;
	fetch->parts = part;
	(void)pthread_mutex_unlock(&fetch->lock);
	return part;
}

/* What was read of it is void: also what is being walked. Holds: lock. */
static void
forget(struct fetch_part *part)
{
	struct fetch *fetch = part->fetch;

	part->serial++;
	part->end_said = part->more = 0;
	if (fetch->item != NULL && fetch->item->part == part)
		fetch->item = NULL;
}

static void
start_leaders(struct fetch *fetch)
{
	int rc;

	if (fetch->started)
		return;
	fetch->started = 1;
	rc = pthread_create(&fetch->leaders, NULL, leaders_run, fetch);
	assert(rc == 0);
	(void)pthread_setname_np(fetch->leaders, "fetch-leaders");
}

void
fetch_prepare(struct fetch *fetch)
{
	(void)pthread_mutex_lock(&fetch->lock);
	start_leaders(fetch);
	for (struct fetch_part *p = fetch->parts; p != NULL; p = p->next)
		fetch->ask |= p->leader == NOBODY;
	if (fetch->ask)
		(void)pthread_cond_signal(&fetch->lost);
	(void)pthread_mutex_unlock(&fetch->lock);
}

void
fetch_start(struct fetch_part *part, int64_t offset)
{
	struct fetch *fetch = part->fetch;

	assert(offset >= 0);
	(void)pthread_mutex_lock(&fetch->lock);
	start_leaders(fetch);
	forget(part);
	part->wanted = 1;
	part->fresh = 1;
	if (offset > part->position)
		part->epoch = -1; /* others have read on */
	part->position = offset;
	part->due_ms = 0;
	if (part->reader == NULL)
		leaders_place(part);
	else
		reader_wake(part->reader);
	(void)pthread_mutex_unlock(&fetch->lock);
}

void
fetch_recall(struct fetch_part *part, int64_t offset, int32_t epoch)
{
	(void)pthread_mutex_lock(&part->fetch->lock);
	if (!part->wanted) {
		part->position = offset;
		part->epoch = epoch;
		part->epoch_from = offset;
	}
	(void)pthread_mutex_unlock(&part->fetch->lock);
}

int32_t
fetch_epoch(struct fetch_part *part, int64_t offset)
{
	int32_t epoch;

	(void)pthread_mutex_lock(&part->fetch->lock);
	epoch = offset <= part->position ? part->epoch : -1;
	(void)pthread_mutex_unlock(&part->fetch->lock);
	return epoch;
}

void
fetch_stop(struct fetch_part *part)
{
	struct fetch *fetch = part->fetch;

	(void)pthread_mutex_lock(&fetch->lock);
	forget(part);
	part->wanted = 0;
	reader_drop(part);
	(void)pthread_mutex_unlock(&fetch->lock);
}

/* ---- answers ---- */

int
fetch_give(struct fetch *fetch, struct answer *answer)
{
	int first = fetch->first == NULL && !fetch->busy;

	answer->next = NULL;
	if (fetch->first == NULL)
		fetch->first = answer;
	else
		fetch->last->next = answer;
	fetch->last = answer;
	(void)atomic_fetch_add_explicit(
	    &fetch->queued, 1, memory_order_relaxed);
	return first;
}

static void
give_back(struct answer *answer)
{
	reader_spare(answer);
	answer->reader->out--;
	reader_wake(answer->reader);
}

/* From one answer to the next. Whether there is one. */
static int
turn(struct fetch *fetch)
{
	struct answer *old = fetch->answer;

	if (old == NULL && !fetch_ready(fetch))
		return 0;
	fetch->at = 0;
	if (old != NULL)
		answer_empty(old);
	(void)pthread_mutex_lock(&fetch->lock);
	if (old != NULL)
		give_back(old);
	fetch->answer = fetch->first;
	fetch->busy = fetch->answer != NULL;
	if (fetch->answer != NULL) {
		fetch->first = fetch->answer->next;
		(void)atomic_fetch_sub_explicit(
		    &fetch->queued, 1, memory_order_relaxed);
	}
	(void)pthread_mutex_unlock(&fetch->lock);
	return fetch->answer != NULL;
}

int
fetch_ready(const struct fetch *fetch)
{
	return fetch->answer != NULL ||
	       atomic_load_explicit(&fetch->queued, memory_order_relaxed) > 0;
}

/* Where the next record of the span that is being walked must be: behind those
 * that were good. */
static int64_t
damaged_at(const struct fetch *fetch)
{
	const struct item *item = fetch->item;
	const struct batches *batches = &fetch->answer->batches[item->batches];
	const struct span *span = &batches->spans[fetch->span - 1];
	int64_t offset = span->base_offset;
	struct cursor again;
	struct message message;

	cursor_begin(&again, span);
	while (cursor_next(&again, &message) > 0)
		offset = message.raw.offset + 1;
	return offset > item->offset ? offset : item->offset;
}

/* The rest of it is void, and is asked for again. */
static enum fetched_kind
say_damaged(struct fetch *fetch, struct fetched *fetched)
{
	struct fetch_part *part = fetch->item->part;
	int64_t offset = damaged_at(fetch), now_ms = clock_boot_ms();

	fetched->owner = part->owner;
	fetched->offset = offset;
	fetched->high = fetch->high;
	fetched->error = RD_KAFKA_RESP_ERR__BAD_MSG;
	fetch->text.len = 0;
	buf_printf(&fetch->text,
	    "topic %s partition %d: the record at offset %lld is damaged",
	    part->topic, (int)part->partition, (long long)offset);
	fetched->text = fetch->text.ptr;
	(void)pthread_mutex_lock(&fetch->lock);
	forget(part);
	part->position = offset;
	part->due_ms = now_ms + SAY_AGAIN_MS;
	part->wanted = 1; /* what was said of it meanwhile is void */
	if (part->replica != NOBODY)
		leaders_leave_replica(part, now_ms);
	else if (part->reader == NULL)
		leaders_place(part);
	(void)pthread_mutex_unlock(&fetch->lock);
	return FETCHED_ERROR;
}

/* Of an item that is not messages. */
static enum fetched_kind
say(const struct item *item, struct fetched *fetched)
{
	fetched->owner = item->part == NULL ? NULL : item->part->owner;
	fetched->offset = item->offset;
	fetched->high = item->high;
	fetched->error = item->error;
	fetched->text = item->text;
	return item->kind;
}

static void
walk(struct fetch *fetch, struct item *item)
{
	memset(&fetch->cursor, 0, sizeof(fetch->cursor));
	fetch->item = item;
	fetch->span = 0;
	fetch->owner = item->part->owner;
	fetch->high = item->high;
}

/* Goes on to the next span of the item. Whether there is one. */
static int
next_span(struct fetch *fetch)
{
	const struct batches *batches =
	    &fetch->answer->batches[fetch->item->batches];

	if (fetch->span == batches->count)
		return 0;
	cursor_begin(&fetch->cursor, &batches->spans[fetch->span++]);
	return 1;
}

/* The next item that counts; NULL: none now. Whatever was started or stopped
 * since it was read is void: the consumer alone does that. */
static struct item *
next_item(struct fetch *fetch)
{
	for (;;) {
		struct answer *answer = fetch->answer;

		while (answer != NULL && fetch->at < answer->count) {
			struct item *item = &answer->items[fetch->at++];

			if (item->part == NULL ||
			    item->serial == item->part->serial)
				return item;
		}
		if (!turn(fetch))
			return NULL;
	}
}

enum fetched_kind
fetch_next(struct fetch *fetch, struct fetched *fetched)
{
	for (;;) {
		struct item *item;

		if (fetch->item != NULL) {
			int rc = cursor_next(&fetch->cursor, &fetched->message);

			if (rc > 0) {
				fetched->owner = fetch->owner;
				fetched->high = fetch->high;
				return FETCHED_MESSAGE;
			}
			if (rc < 0)
				return say_damaged(fetch, fetched);
			if (next_span(fetch))
				continue;
			fetch->item = NULL;
		}
		item = next_item(fetch);
		if (item == NULL)
			return FETCHED_NOTHING;
		if (item->kind != FETCHED_MESSAGE)
			return say(item, fetched);
		walk(fetch, item);
	}
}
