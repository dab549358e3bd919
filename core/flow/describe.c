/*
 * describe.c -- see describe.h.
 */
#include "core/flow/describe.h"

#include "core/base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 2000, HALVINGS = 12 };

/* ---- settings ---- */

/* NULL: not told. */
static const char *
setting(const rd_kafka_ConfigResource_t *resource, const char *name)
{
	const rd_kafka_ConfigEntry_t **entries;
	size_t n;

	entries = rd_kafka_ConfigResource_configs(resource, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
			return rd_kafka_ConfigEntry_value(entries[i]);
	return NULL;
}

/* The answer, or NULL. Caller destroys it, before it frees `answers`. */
static rd_kafka_event_t *
ask(rd_kafka_t *rk, rd_kafka_queue_t *answers, const char *const *topics,
    size_t n)
{
	rd_kafka_AdminOptions_t *options =
	    rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_ConfigResource_t **resources =
	    mem_alloc(n * sizeof(*resources));
	rd_kafka_event_t *event;

	for (size_t i = 0; i < n; i++)
		resources[i] = rd_kafka_ConfigResource_new(
		    RD_KAFKA_RESOURCE_TOPIC, topics[i]);
	(void)rd_kafka_AdminOptions_set_request_timeout(
	    options, ASK_MS, NULL, 0);
	rd_kafka_DescribeConfigs(rk, resources, n, options, answers);
	event = rd_kafka_queue_poll(answers, ASK_MS + 500);
	rd_kafka_ConfigResource_destroy_array(resources, n);
	free(resources);
	rd_kafka_AdminOptions_destroy(options);
	return event;
}

/* NULL when there is no answer; lives as long as the event. */
static const rd_kafka_ConfigResource_t **
resources_of(rd_kafka_event_t *event, size_t *n)
{
	*n = 0;
	if (event == NULL ||
	    rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return NULL;
	return rd_kafka_DescribeConfigs_result_resources(
	    rd_kafka_event_DescribeConfigs_result(event), n);
}

int
describe_compacted(rd_kafka_t *rk, const char *topic)
{
	rd_kafka_queue_t *answers = rd_kafka_queue_new(rk);
	rd_kafka_event_t *event = ask(rk, answers, &topic, 1);
	const rd_kafka_ConfigResource_t **got;
	const char *policy = NULL;
	size_t n;
	int yes;

	got = resources_of(event, &n);
	if (n == 1)
		policy = setting(got[0], "cleanup.policy");
	yes = policy != NULL && strstr(policy, "compact") != NULL;
	rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(answers);
	return yes;
}

static void
take_answer(rd_kafka_topic_partition_t *tp, struct retention *kept,
    const rd_kafka_ConfigResource_t *resource)
{
	tp->err = rd_kafka_ConfigResource_error(resource);
	if (tp->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		retention_read(kept, setting(resource, "cleanup.policy"),
		    setting(resource, "retention.ms"),
		    setting(resource, "retention.bytes"));
}

int
describe_retention(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
    struct retention *kept, struct secor_err *err)
{
	size_t count = (size_t)list->cnt, n;
	const char **topics = mem_alloc(count * sizeof(*topics));
	rd_kafka_queue_t *answers = rd_kafka_queue_new(rk);
	const rd_kafka_ConfigResource_t **got;
	rd_kafka_event_t *event;
	int rc = SECOR_OK;

	for (size_t i = 0; i < count; i++)
		topics[i] = list->elems[i].topic;
	event = ask(rk, answers, topics, count);
	got = resources_of(event, &n);
	for (size_t i = 0; i < count; i++) /* whom no answer names */
		list->elems[i].err = RD_KAFKA_RESP_ERR__NOENT;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < count; k++)
			if (strcmp(rd_kafka_ConfigResource_name(got[i]),
				topics[k]) == 0)
				take_answer(&list->elems[k], &kept[k], got[i]);
	if (got == NULL)
		rc = secor_fail(err, SECOR_RETRY, "settings of topics: %s",
		    event != NULL ? rd_kafka_event_error_string(event)
				  : "no answer");
	rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(answers);
	free(topics);
	return rc;
}

/* ---- times ---- */

/* Whether messages up to each offset have a timestamp at times[i] or later:
 * Kafka tells the first offset of such a one. */
static int
reach(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list,
    const int64_t *times, int *reached, struct secor_err *err)
{
	rd_kafka_topic_partition_list_t *asked =
	    rd_kafka_topic_partition_list_copy(list);
	rd_kafka_resp_err_t rc;

	for (int i = 0; i < asked->cnt; i++)
		asked->elems[i].offset = times[i];
	rc = rd_kafka_offsets_for_times(rk, asked, ASK_MS);
	for (int i = 0; i < asked->cnt; i++) {
		const rd_kafka_topic_partition_t *tp = &asked->elems[i];

		if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
			rc = tp->err;
		reached[i] =
		    tp->offset >= 0 && tp->offset <= list->elems[i].offset;
	}
	rd_kafka_topic_partition_list_destroy(asked);
	if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SECOR_OK;
	return secor_fail(
	    err, SECOR_RETRY, "age of messages: %s", rd_kafka_err2str(rc));
}

int
describe_times(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list,
    int64_t *since_ms, int64_t now_ms, struct secor_err *err)
{
	size_t n = (size_t)list->cnt;
	int64_t *low = mem_alloc(n * sizeof(*low));
	int64_t *high = mem_alloc(n * sizeof(*high));
	int64_t *at = mem_alloc(n * sizeof(*at));
	int *reached = mem_alloc(n * sizeof(*reached));
	int rc = SECOR_OK;

	for (size_t i = 0; i < n; i++) {
		low[i] = since_ms[i] > 0 ? since_ms[i] : 0;
		high[i] = now_ms;
	}
	for (int turn = 0; rc == SECOR_OK && turn < HALVINGS; turn++) {
		for (size_t i = 0; i < n; i++)
			at[i] = low[i] + (high[i] - low[i] + 1) / 2;
		rc = reach(rk, list, at, reached, err);
		for (size_t i = 0; rc == SECOR_OK && i < n; i++)
			*(reached[i] ? &low[i] : &high[i]) = at[i];
	}
	if (rc == SECOR_OK)
		memcpy(since_ms, low, n * sizeof(*low));
	free(reached);
	free(at);
	free(high);
	free(low);
	return rc;
}
