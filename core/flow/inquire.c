/*
 * inquire.c -- see inquire.h. Invariants: the return code of
 * rd_kafka_committed() is looked at before anything else, and INVALID is "no
 * offset" only when every error says NO_ERROR (a pending transaction shows as a
 * time-out with INVALID). Everything runs on the inquirer's thread.
 */
#include "core/flow/inquire.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/flow/client.h"
#include "core/flow/describe.h"
#include "core/flow/manifest.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ASK_MS = 5000,
	ASK_ENDS_MS = 1000, /* nobody's batch may wait long for it */
	TRUNCATED_TRIES = 10,
	BATCH_MAX = 1000,
	NAP_MS = 50
};

struct inquirer {
	rd_kafka_t *rk;
	const struct config *config;
	struct queue *questions;
	struct queue *answers;
	void *store;
	_Atomic int store_waits; /* a list is repeated */
	pthread_t thread;
};

/* Less when the process stops. */
static void
nap(const struct inquirer *q, int64_t ms)
{
	struct timespec t = {0, NAP_MS * 1000000};

	for (; ms > 0 && !queue_closed(q->questions); ms -= NAP_MS)
		(void)nanosleep(&t, NULL);
}

/* ---- records ---- */

/* Reads the records of `list` until Kafka says something definite. */
static int
committed(struct inquirer *q, rd_kafka_topic_partition_list_t *list,
    struct secor_err *err)
{
	int64_t wait = 100;

	while (!queue_closed(q->questions)) {
		rd_kafka_resp_err_t rc =
		    rd_kafka_committed(q->rk, list, ASK_MS);

		for (int i = 0;
		     rc == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++)
			rc = list->elems[i].err;
		if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
			return SECOR_OK;
		log_line(SECOR_WARN, "record not read",
		    "partitions=%d reason=%s next=retry", list->cnt,
		    rd_kafka_err2name(rc));
		for (int i = 0; i < list->cnt; i++) {
			list->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
			list->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
		}
		nap(q, wait);
		wait = wait < 2000 ? wait * 2 : 2000;
	}
	return secor_fail(err, SECOR_RETRY, "stopping");
}

static void
read_record(struct record *record, const rd_kafka_topic_partition_t *tp)
{
	record_read(record, tp->offset >= 0 ? tp->offset : -1, tp->metadata,
	    tp->metadata_size);
}

/* ---- log ends ---- */

static int
watermarks(struct inquirer *q, struct inquiry *inquiry)
{
	rd_kafka_resp_err_t rc =
	    rd_kafka_query_watermark_offsets(q->rk, inquiry->topic,
		inquiry->partition, &inquiry->low, &inquiry->high, ASK_MS);

	if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SECOR_OK;
	return secor_fail(&inquiry->err, SECOR_RETRY,
	    "ends of %s [%d] not known: %s", inquiry->topic, inquiry->partition,
	    rd_kafka_err2str(rc));
}

/* A follower that lags may show an end that is too low for a moment. What halts
 * anyway does not wait for it. */
static int
ends(struct inquirer *q, struct inquiry *inquiry)
{
	enum record_kind kind = inquiry->record.kind;
	int runs = kind == RECORD_CLEAN || kind == RECORD_PLAN;
	int rc = watermarks(q, inquiry);

	for (int i = 0; rc == SECOR_OK && runs && i < TRUNCATED_TRIES &&
			inquiry->record.offset > inquiry->high &&
			!queue_closed(q->questions);
	     i++) {
		nap(q, 1000);
		rc = watermarks(q, inquiry);
	}
	return rc;
}

/* ---- a partition without a record ---- */

/* Adds all partitions of the topics that the group reads, but this one. */
static void
add_wanted(struct inquirer *q, const struct rd_kafka_metadata *md,
    const struct inquiry *but, rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < md->topic_cnt; i++) {
		const struct rd_kafka_metadata_topic *topic = &md->topics[i];

		if (!config_wants_topic(q->config, topic->topic))
			continue;
		for (int32_t p = 0; p < topic->partition_cnt; p++)
			if (p != but->partition ||
			    strcmp(topic->topic, but->topic) != 0)
				(void)rd_kafka_topic_partition_list_add(
				    list, topic->topic, p);
	}
}

/* Whether the group has a record of anything that it reads: then this one came
 * later. Where all begin at their beginning nobody wants to know. */
static int
others(struct inquirer *q, struct inquiry *inquiry)
{
	rd_kafka_topic_partition_list_t *list;
	const struct rd_kafka_metadata *md;
	rd_kafka_resp_err_t why;
	int rc;

	if (!config_starts_somewhere(q->config))
		return SECOR_OK;
	why = rd_kafka_metadata(q->rk, 1, NULL, &md, ASK_MS);
	if (why != RD_KAFKA_RESP_ERR_NO_ERROR)
		return secor_fail(&inquiry->err, SECOR_RETRY,
		    "topics of the group not known: %s", rd_kafka_err2str(why));
	list = rd_kafka_topic_partition_list_new(16);
	add_wanted(q, md, inquiry, list);
	rd_kafka_metadata_destroy(md);
	rc = list->cnt == 0 ? SECOR_OK : committed(q, list, &inquiry->err);
	for (int i = 0; rc == SECOR_OK && i < list->cnt; i++)
		inquiry->others |= list->elems[i].offset >= 0;
	rd_kafka_topic_partition_list_destroy(list);
	return rc;
}

/* The first message of the time at which the topic is to start, as Kafka finds
 * it; -1 when there is none so late. */
static int
start_by_time(struct inquirer *q, struct inquiry *inquiry)
{
	const struct config_start *start =
	    &config_topic(q->config, inquiry->topic)->start;
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t why;

	inquiry->start = -1;
	if (start->kind != CONFIG_START_TIME && start->kind != CONFIG_START_AGO)
		return SECOR_OK;
	list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(
	    list, inquiry->topic, inquiry->partition)
	    ->offset = start->kind == CONFIG_START_TIME
			   ? start->ms
			   : clock_now_ms() - start->ms;
	why = rd_kafka_offsets_for_times(q->rk, list, ASK_MS);
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
		why = list->elems[0].err;
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR && list->elems[0].offset >= 0)
		inquiry->start = list->elems[0].offset;
	rd_kafka_topic_partition_list_destroy(list);
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SECOR_OK;
	return secor_fail(&inquiry->err, SECOR_RETRY,
	    "offset of the start of %s [%d] not known: %s", inquiry->topic,
	    inquiry->partition, rd_kafka_err2str(why));
}

struct look {
	size_t folder; /* bytes of a key before its name */
	int64_t generation;
	char *mark;
	int found;
};

static int
look_at(void *arg, const char *key, uint64_t length)
{
	struct look *look = arg;
	int64_t generation, start;

	(void)length;
	if (manifest_parse_name(key + look->folder, &generation, &start))
		look->found = generation == look->generation;
	else
		look->found = strcmp(key, look->mark) == 0;
	return look->found;
}

int
inquirer_store_waits(struct inquirer *inquirer)
{
	return atomic_load(&inquirer->store_waits);
}

/* Whether the store has manifests of this partition in this generation, or the
 * mark of a first batch that never got one. */
static int
manifests(struct inquirer *q, struct inquiry *inquiry)
{
	const struct config_layout *layout = &q->config->layout;
	struct look look = {.generation = layout->generation,
	    .mark = manifest_mark_key(layout->manifest_prefix, inquiry->topic,
		inquiry->partition, layout->generation)};
	char *folder = manifest_folder(
	    layout->manifest_prefix, inquiry->topic, inquiry->partition);
	int64_t wait = 500;
	int rc;

	look.folder = strlen(folder);
	do {
		rc = q->config->store.plugin->ops.store->list(
		    q->store, folder, NULL, look_at, &look, &inquiry->err);
		if (rc != SECOR_RETRY || queue_closed(q->questions))
			break;
		log_line(SECOR_WARN, "store not listed",
		    "folder=%s reason=\"%s\" next=retry", folder,
		    inquiry->err.text);
		atomic_store(&q->store_waits, 1);
		nap(q, wait);
		wait = wait < 30000 ? wait * 2 : 30000;
	} while (1);
	atomic_store(&q->store_waits, 0);
	free(folder);
	free(look.mark);
	inquiry->has_manifests = look.found;
	inquiry->list_refused = rc == SECOR_FATAL || rc == SECOR_REJECT;
	return rc == SECOR_RETRY ? rc : SECOR_OK;
}

/* ---- the questions ---- */

static int
open_rest(struct inquirer *q, struct inquiry *inquiry)
{
	int rc = ends(q, inquiry);

	if (rc != SECOR_OK || inquiry->record.kind != RECORD_MISSING)
		return rc;
	rc = others(q, inquiry);
	if (rc == SECOR_OK)
		rc = start_by_time(q, inquiry);
	if (rc == SECOR_OK)
		rc = manifests(q, inquiry);
	return rc;
}

static int
ping(struct inquirer *q, struct inquiry *inquiry)
{
	const struct rd_kafka_metadata *md;
	rd_kafka_resp_err_t rc = rd_kafka_metadata(q->rk, 0, NULL, &md, ASK_MS);

	if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
		return secor_fail(
		    &inquiry->err, SECOR_RETRY, "%s", rd_kafka_err2str(rc));
	rd_kafka_metadata_destroy(md);
	return SECOR_OK;
}

/* One request a broker. */
static int
log_ends(struct inquirer *q, struct inquiry *inquiry)
{
	rd_kafka_resp_err_t rc;

	for (int i = 0; i < inquiry->list->cnt; i++)
		inquiry->list->elems[i].offset = RD_KAFKA_OFFSET_END;
	rc = rd_kafka_offsets_for_times(q->rk, inquiry->list, ASK_ENDS_MS);
	if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SECOR_OK;
	return secor_fail(
	    &inquiry->err, SECOR_RETRY, "%s", rd_kafka_err2str(rc));
}

/* The records of a whole list with one request. */
static int
read_records(struct inquirer *q, struct inquiry **list, size_t n)
{
	rd_kafka_topic_partition_list_t *tps =
	    rd_kafka_topic_partition_list_new((int)n);
	struct secor_err err = {{0}};
	int rc;

	for (size_t i = 0; i < n; i++)
		(void)rd_kafka_topic_partition_list_add(
		    tps, list[i]->topic, list[i]->partition);
	rc = committed(q, tps, &err);
	for (size_t i = 0; i < n; i++) {
		const rd_kafka_topic_partition_t *tp =
		    rd_kafka_topic_partition_list_find(
			tps, list[i]->topic, list[i]->partition);

		list[i]->status = rc;
		list[i]->err = err;
		if (rc != SECOR_OK)
			continue;
		read_record(&list[i]->record, tp);
		list[i]->leader_epoch = client_epoch(tp);
	}
	rd_kafka_topic_partition_list_destroy(tps);
	return rc;
}

/* `last_topic` spares a question a partition. */
static void
complete(struct inquirer *q, struct inquiry *inquiry, char last_topic[250],
    int *last_compacted)
{
	if (inquiry->kind == INQUIRY_PING) {
		inquiry->status = ping(q, inquiry);
	} else if (inquiry->kind == INQUIRY_RANGE) {
		inquiry->status = watermarks(q, inquiry);
	} else if (inquiry->kind == INQUIRY_ENDS) {
		inquiry->status = log_ends(q, inquiry);
	} else if (inquiry->kind == INQUIRY_RETENTION) {
		inquiry->status = describe_retention(
		    q->rk, inquiry->list, inquiry->kept, &inquiry->err);
	} else if (inquiry->kind == INQUIRY_TIMES) {
		inquiry->status = describe_times(q->rk, inquiry->list,
		    inquiry->times, clock_now_ms(), &inquiry->err);
	} else if (inquiry->kind == INQUIRY_OPEN &&
		   inquiry->status == SECOR_OK) {
		if (q->config->kafka.compacted == CONFIG_COMPACTED_REFUSE &&
		    strcmp(last_topic, inquiry->topic) != 0) {
			*last_compacted =
			    describe_compacted(q->rk, inquiry->topic);
			memcpy(last_topic, inquiry->topic, 250);
		}
		inquiry->compacted = *last_compacted;
		inquiry->status = open_rest(q, inquiry);
		if (inquiry->status == SECOR_RETRY) {
			log_line(SECOR_WARN, "partition not opened",
			    "topic=%s partition=%d reason=\"%s\" next=retry",
			    inquiry->topic, inquiry->partition,
			    inquiry->err.text);
			nap(q, 1000);
		}
	}
	queue_put(q->answers, &inquiry->node);
}

static int
asks_record(enum inquiry_kind kind)
{
	return kind == INQUIRY_OPEN || kind == INQUIRY_READ_BACK ||
	       kind == INQUIRY_CUT;
}

static void *
work(void *arg)
{
	struct inquirer *q = arg;
	struct inquiry *list[BATCH_MAX];
	char last_topic[250];
	struct queue_node *node;
	int last_compacted = 0;

	while ((node = queue_get(q->questions, -1)) != NULL) {
		size_t n = 0, asked = 0;
		struct inquiry *records[BATCH_MAX];

		do
			list[n++] = (struct inquiry *)node;
		while (n < BATCH_MAX &&
		       (node = queue_get(q->questions, 0)) != NULL);
		for (size_t i = 0; i < n; i++)
			if (asks_record(list[i]->kind))
				records[asked++] = list[i];
		if (asked > 0)
			(void)read_records(q, records, asked);
		last_topic[0] = '\0';
		for (size_t i = 0; i < n; i++)
			complete(q, list[i], last_topic, &last_compacted);
	}
	return NULL;
}

int
inquirer_new(rd_kafka_t *rk, const struct config *config, struct queue *answers,
    struct inquirer **inquirer, struct secor_err *err)
{
	struct inquirer *q = mem_alloc(sizeof(*q));
	struct secor_open with = {.size = sizeof(with),
	    .conf = config->store.conf,
	    .host = config->store.plugin->host,
	    .compat = config->store.compat};

	q->rk = rk;
	q->config = config;
	q->answers = answers;
	if (config->store.plugin->ops.store->open(&with, &q->store, err) !=
	    SECOR_OK) {
		free(q);
		return SECOR_FATAL;
	}
	q->questions = queue_new(NULL, NULL);
	if (pthread_create(&q->thread, NULL, work, q) != 0)
		abort();
	*inquirer = q;
	return SECOR_OK;
}

void
inquirer_free(struct inquirer *inquirer)
{
	if (inquirer == NULL)
		return;
	queue_close(inquirer->questions);
	(void)pthread_join(inquirer->thread, NULL);
	inquirer->config->store.plugin->ops.store->close(inquirer->store);
	queue_free(inquirer->questions);
	free(inquirer);
}

void
inquire(struct inquirer *inquirer, struct inquiry *inquiry)
{
	queue_put(inquirer->questions, &inquiry->node);
}

void
inquiry_free(struct inquiry *inquiry)
{
	if (inquiry->list != NULL)
		rd_kafka_topic_partition_list_destroy(inquiry->list);
	free(inquiry->kept);
	free(inquiry->times);
	free(inquiry);
}
