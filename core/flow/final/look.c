/*
 * look.c -- see look.h.
 */
#include "core/flow/final/look.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/flow/client.h"
#include "core/flow/login.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 15000 };

struct look {
	const struct config *config;
	rd_kafka_t *rk;
	struct login *login;
	char g[40]; /* empty: not asked yet */
};

int
look_new(const struct config *config, struct look **look, struct secor_err *err)
{
	struct look *made = mem_alloc(sizeof(*made));
	int rc = client_looker(config, &made->rk, err);

	made->config = config;
	if (rc == SECOR_OK)
		rc = login_open(config, made->rk, &made->login, err);
	if (rc != SECOR_OK) {
		look_free(made);
		return rc;
	}
	*look = made;
	return SECOR_OK;
}

void
look_free(struct look *look)
{
	if (look == NULL)
		return;
	login_close(look->login);
	if (look->rk != NULL)
		rd_kafka_destroy_flags(
		    look->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	free(look);
}

static int
no_answer(const struct look *look, const char *what, rd_kafka_resp_err_t why,
    struct secor_err *err)
{
	return secor_fail(err, SECOR_RETRY, "%s: %s (brokers: %s%s)", what,
	    rd_kafka_err2str(why), look->config->kafka.brokers.items[0],
	    look->config->kafka.brokers.count > 1 ? ", ..." : "");
}

/* ---- topics ---- */

static int
by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

int
look_topics(
    struct look *look, char ***topics, size_t *count, struct secor_err *err)
{
	const struct rd_kafka_metadata *md = NULL;
	rd_kafka_resp_err_t why =
	    rd_kafka_metadata(look->rk, 1, NULL, &md, ANSWER_MS);
	size_t n = 0;

	if (why != RD_KAFKA_RESP_ERR_NO_ERROR)
		return no_answer(look, "list topics", why, err);
	*topics = mem_alloc(((size_t)md->topic_cnt + 1) * sizeof(char *));
	for (int i = 0; i < md->topic_cnt; i++) {
		const char *name = md->topics[i].topic;

		if (config_wants_topic(look->config, name) &&
		    config_topic(look->config, name)->finalize.delay_ms >= 0)
			(*topics)[n++] = mem_dup(name, strlen(name));
	}
	rd_kafka_metadata_destroy(md);
	qsort(*topics, n, sizeof(char *), by_text);
	*count = n;
	return SECOR_OK;
}

/* ---- one topic ---- */

static int
partitions(
    struct look *look, const char *topic, size_t *count, struct secor_err *err)
{
	rd_kafka_topic_t *handle = rd_kafka_topic_new(look->rk, topic, NULL);
	const struct rd_kafka_metadata *md = NULL;
	rd_kafka_resp_err_t why =
	    rd_kafka_metadata(look->rk, 0, handle, &md, ANSWER_MS);

	*count = 0;
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR && md->topic_cnt == 1) {
		why = md->topics[0].err;
		*count = (size_t)md->topics[0].partition_cnt;
	}
	if (md != NULL)
		rd_kafka_metadata_destroy(md);
	rd_kafka_topic_destroy(handle);
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SECOR_OK;
	return no_answer(look, topic, why, err);
}

static int
read_ends(struct look *look, const char *topic, struct view *view,
    struct secor_err *err)
{
	for (size_t p = 0; p < view->count; p++) {
		rd_kafka_resp_err_t why = rd_kafka_query_watermark_offsets(
		    look->rk, topic, (int32_t)p, &view->parts[p].low,
		    &view->parts[p].end, ANSWER_MS);

		if (why != RD_KAFKA_RESP_ERR_NO_ERROR)
			return no_answer(look, "read the log's end", why, err);
	}
	return SECOR_OK;
}

static int
read_records(struct look *look, const char *topic, struct view *view,
    struct secor_err *err)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new((int)view->count);
	rd_kafka_resp_err_t why;

	for (size_t p = 0; p < view->count; p++)
		(void)rd_kafka_topic_partition_list_add(
		    list, topic, (int32_t)p);
	why = client_committed(look->rk, list, ANSWER_MS);
	for (int i = 0; why == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt;
	     i++) {
		const rd_kafka_topic_partition_t *tp = &list->elems[i];
		struct record *record = &view->parts[tp->partition].record;

		record_read(record, tp->offset < 0 ? -1 : tp->offset,
		    tp->metadata, tp->metadata_size);
		if (record->kind != RECORD_MISSING &&
		    record->kind != RECORD_FOREIGN &&
		    !record_same_family(record->g, look->g))
			record->kind = RECORD_FOREIGN;
	}
	rd_kafka_topic_partition_list_destroy(list);
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SECOR_OK;
	return no_answer(look, "read the group's offsets", why, err);
}

int
look_at(void *arg, const char *topic, struct view *view, struct secor_err *err)
{
	struct look *look = arg;
	size_t count;
	int rc = SECOR_OK;

	memset(view, 0, sizeof(*view));
	while (rd_kafka_poll(look->rk, 0) > 0)
		continue; /* wishes for a new token, which login.c fulfils */
	if (look->g[0] == '\0')
		rc = client_g(look->rk, look->config, ANSWER_MS, look->g, err);
	if (rc == SECOR_OK)
		rc = partitions(look, topic, &count, err);
	if (rc != SECOR_OK)
		return rc;
	view->asked_ms = clock_now_ms();
	view->count = count;
	view->parts = mem_alloc((count + 1) * sizeof(*view->parts));
	rc = read_ends(look, topic, view, err);
	if (rc == SECOR_OK)
		rc = read_records(look, topic, view, err);
	if (rc != SECOR_OK) {
		free(view->parts);
		memset(view, 0, sizeof(*view));
	}
	return rc;
}
