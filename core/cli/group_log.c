/*
 * group_log.c -- messages of a topic for the tools, without joining the group
 * (see group.h).
 */
#include "core/cli/group.h"

#include "core/base/clock.h"

enum { POLL_MS = 200 };

static int
assign(
    struct group *group, const struct group_span *span, struct secor_err *err)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t why;

	rd_kafka_topic_partition_list_add(list, span->topic, span->partition)
	    ->offset = span->start;
	why = rd_kafka_assign(group->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SECOR_OK;
	return secor_fail(err, SECOR_RETRY, "read %s/%d: %s", span->topic,
	    span->partition, rd_kafka_err2str(why));
}

static int
failed(const struct group *group, const struct group_span *span,
    const char *why, struct secor_err *err)
{
	return secor_fail(err, SECOR_RETRY,
	    "read %s/%d from offset %lld: %s (brokers: %s%s)", span->topic,
	    span->partition, (long long)span->start, why,
	    group->config->kafka.brokers.items[0],
	    group->config->kafka.brokers.count > 1 ? ", ..." : "");
}

/* Those after which there is no sense in waiting; others the client mends. */
static int
is_final(rd_kafka_resp_err_t why)
{
	return why == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
	       why == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE ||
	       why == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	       why == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
	       why == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
	       why == RD_KAFKA_RESP_ERR__BAD_MSG ||
	       why == RD_KAFKA_RESP_ERR__FATAL;
}

/* One event. *ended: the span was passed, or the log ends. */
static int
take(const struct group *group, const struct group_span *span,
    const rd_kafka_message_t *message, int *ended, struct secor_err *err)
{
	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		*ended = 1;
	else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		*ended = message->offset >= span->end;
	else if (is_final(message->err))
		return failed(group, span, rd_kafka_err2str(message->err), err);
	return SECOR_OK;
}

static int
read_all(struct group *group, const struct group_span *span,
    group_message_fn each, void *arg, struct secor_err *err)
{
	int64_t deadline = clock_boot_ms() + GROUP_TIMEOUT_MS;
	int ended = 0;
	int rc = SECOR_OK;

	while (rc == SECOR_OK && !ended) {
		rd_kafka_message_t *message =
		    rd_kafka_consumer_poll(group->rk, POLL_MS);

		if (message == NULL) {
			if (clock_boot_ms() > deadline)
				return failed(
				    group, span, "no broker answers", err);
			continue;
		}
		rc = take(group, span, message, &ended, err);
		if (rc == SECOR_OK && !ended &&
		    message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			deadline = clock_boot_ms() + GROUP_TIMEOUT_MS;
			rc = each(arg, message, err);
		}
		rd_kafka_message_destroy(message);
	}
	return rc;
}

int
group_messages(struct group *group, const struct group_span *span,
    group_message_fn each, void *arg, struct secor_err *err)
{
	int rc = assign(group, span, err);

	if (rc != SECOR_OK)
		return rc;
	rc = read_all(group, span, each, arg, err);
	(void)rd_kafka_assign(group->rk, NULL);
	return rc;
}

int
group_partitions(struct group *group, const char *topic, int32_t *count,
    struct secor_err *err)
{
	rd_kafka_topic_t *one = rd_kafka_topic_new(group->rk, topic, NULL);
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t why;

	if (one == NULL)
		return secor_fail(err, SECOR_RETRY, "topic %s: %s", topic,
		    rd_kafka_err2str(rd_kafka_last_error()));
	why = rd_kafka_metadata(group->rk, 0, one, &metadata, GROUP_TIMEOUT_MS);
	rd_kafka_topic_destroy(one);
	if (why != RD_KAFKA_RESP_ERR_NO_ERROR)
		return secor_fail(err, SECOR_RETRY,
		    "list the partitions of %s: %s (brokers: %s%s)", topic,
		    rd_kafka_err2str(why),
		    group->config->kafka.brokers.items[0],
		    group->config->kafka.brokers.count > 1 ? ", ..." : "");
	*count = metadata->topic_cnt == 1 &&
			 metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR
		     ? metadata->topics[0].partition_cnt
		     : 0;
	rd_kafka_metadata_destroy(metadata);
	return SECOR_OK;
}
