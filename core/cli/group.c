/*
 * group.c -- see group.h.
 */
#include "core/cli/group.h"

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/flow/client.h"

#include <stdlib.h>
#include <string.h>

static int
no_answer(const struct group *group, const char *what, rd_kafka_resp_err_t why,
    struct secor_err *err)
{
	return secor_fail(err, SECOR_RETRY, "%s: %s (brokers: %s%s)", what,
	    rd_kafka_err2str(why), group->config->kafka.brokers.items[0],
	    group->config->kafka.brokers.count > 1 ? ", ..." : "");
}

int
group_open(
    const struct config *config, struct group *group, struct secor_err *err)
{
	int rc;

	group->config = config;
	/* what the client library has to say about brokers is in our answer */
	log_level_set(SECOR_ERROR);
	group->rk = NULL;
	group->login = NULL;
	rc = client_tool(config, &group->rk, err);
	if (rc == SECOR_OK)
		rc = login_open(config, group->rk, &group->login, err);
	if (rc != SECOR_OK)
		group_close(group);
	return rc;
}

void
group_close(struct group *group)
{
	if (group->rk == NULL)
		return;
	login_close(group->login);
	rd_kafka_destroy_flags(group->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	group->rk = NULL;
}

static void
printable(char *dst, const char *text, size_t len)
{
	size_t n = len < RECORD_TEXT_MAX - 1 ? len : RECORD_TEXT_MAX - 1;

	for (size_t i = 0; i < n; i++)
		dst[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	dst[n] = '\0';
}

int
group_record(struct group *group, const char *topic, int32_t partition,
    struct record *record, char text[RECORD_TEXT_MAX], struct secor_err *err)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *one =
	    rd_kafka_topic_partition_list_add(list, topic, partition);
	rd_kafka_resp_err_t why =
	    client_committed(group->rk, list, GROUP_TIMEOUT_MS);
	int rc = SECOR_OK;

	if (why != RD_KAFKA_RESP_ERR_NO_ERROR) {
		rc = no_answer(group, "read the group's offsets", why, err);
	} else {
		const char *metadata =
		    one->metadata == NULL ? "" : one->metadata;
		size_t len = one->metadata == NULL ? 0 : one->metadata_size;

		record_read(
		    record, one->offset < 0 ? -1 : one->offset, metadata, len);
		if (text != NULL)
			printable(text, metadata, len);
	}
	rd_kafka_topic_partition_list_destroy(list);
	return rc;
}

int
group_commit(struct group *group, const char *topic, int32_t partition,
    const struct record *record, struct secor_err *err)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *one =
	    rd_kafka_topic_partition_list_add(list, topic, partition);
	char text[RECORD_TEXT_MAX];
	size_t len = record_write(record, text);
	rd_kafka_resp_err_t why;

	one->offset = record->offset;
	one->metadata = mem_dup(text, len); /* the list frees it */
	one->metadata_size = len;
	why = rd_kafka_commit(group->rk, list, 0);
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
		why = one->err;
	rd_kafka_topic_partition_list_destroy(list);
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SECOR_OK;
	if (why == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
	    why == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION)
		return secor_fail(err, SECOR_FATAL,
		    "the group %s has members again: nothing was committed",
		    group->config->kafka.group);
	return no_answer(group, "commit", why, err);
}

int
group_members(struct group *group, int *members, struct secor_err *err)
{
	const struct rd_kafka_group_list *list = NULL;
	const char *name = group->config->kafka.group;
	rd_kafka_resp_err_t why =
	    rd_kafka_list_groups(group->rk, name, &list, GROUP_TIMEOUT_MS);

	if (why != RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (list != NULL)
			rd_kafka_group_list_destroy(list);
		return no_answer(group, "list the group's members", why, err);
	}
	*members = 0;
	for (int i = 0; i < list->group_cnt; i++)
		*members += list->groups[i].member_cnt;
	rd_kafka_group_list_destroy(list);
	return SECOR_OK;
}

int
group_log(struct group *group, const char *topic, int32_t partition,
    int64_t *low, int64_t *high, struct secor_err *err)
{
	rd_kafka_resp_err_t why = rd_kafka_query_watermark_offsets(
	    group->rk, topic, partition, low, high, GROUP_TIMEOUT_MS);

	return why == RD_KAFKA_RESP_ERR_NO_ERROR
		   ? SECOR_OK
		   : no_answer(group, "read the log's offsets", why, err);
}

int
group_offset_at(struct group *group, const char *topic, int32_t partition,
    int64_t ms, int64_t *offset, struct secor_err *err)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *one =
	    rd_kafka_topic_partition_list_add(list, topic, partition);
	rd_kafka_resp_err_t why;

	one->offset = ms;
	why = rd_kafka_offsets_for_times(group->rk, list, GROUP_TIMEOUT_MS);
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
		why = one->err;
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
		*offset = one->offset < 0 ? -1 : one->offset;
	rd_kafka_topic_partition_list_destroy(list);
	return why == RD_KAFKA_RESP_ERR_NO_ERROR
		   ? SECOR_OK
		   : no_answer(group, "find the offset of a time", why, err);
}

static int
by_name(const void *left, const void *right)
{
	const struct group_topic *a = left;
	const struct group_topic *b = right;

	return strcmp(a->name, b->name);
}

int
group_topics(struct group *group, struct group_topic **topics, size_t *count,
    struct secor_err *err)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t why =
	    rd_kafka_metadata(group->rk, 1, NULL, &metadata, GROUP_TIMEOUT_MS);
	struct group_topic *made;
	size_t n = 0;

	if (why != RD_KAFKA_RESP_ERR_NO_ERROR)
		return no_answer(group, "list topics", why, err);
	made = mem_alloc((size_t)metadata->topic_cnt * sizeof(*made));
	for (int i = 0; i < metadata->topic_cnt; i++) {
		const struct rd_kafka_metadata_topic *topic =
		    &metadata->topics[i];

		if (!config_wants_topic(group->config, topic->topic))
			continue;
		made[n].name = mem_dup(topic->topic, strlen(topic->topic));
		made[n++].partitions = topic->partition_cnt;
	}
	rd_kafka_metadata_destroy(metadata);
	qsort(made, n, sizeof(*made), by_name);
	*topics = made;
	*count = n;
	return SECOR_OK;
}

void
group_topics_free(struct group_topic *topics, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(topics[i].name);
	free(topics);
}

/* Of one request; caller destroys them. */
static rd_kafka_AdminOptions_t *
admin_options(struct group *group, rd_kafka_admin_op_t op)
{
	rd_kafka_AdminOptions_t *options =
	    rd_kafka_AdminOptions_new(group->rk, op);

	(void)rd_kafka_AdminOptions_set_request_timeout(
	    options, GROUP_TIMEOUT_MS, NULL, 0);
	return options;
}

/* ---- other groups ---- */

static rd_kafka_event_t *
ask_offsets(struct group *group, const char *name,
    const rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_queue_t *answers = rd_kafka_queue_new(group->rk);
	rd_kafka_ListConsumerGroupOffsets_t *ask =
	    rd_kafka_ListConsumerGroupOffsets_new(name, list);
	rd_kafka_AdminOptions_t *options =
	    admin_options(group, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
	rd_kafka_event_t *event;

	rd_kafka_ListConsumerGroupOffsets(group->rk, &ask, 1, options, answers);
	event = rd_kafka_queue_poll(answers, 2 * GROUP_TIMEOUT_MS);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_ListConsumerGroupOffsets_destroy(ask);
	rd_kafka_queue_destroy(answers);
	return event;
}

static rd_kafka_resp_err_t
read_offsets(rd_kafka_event_t *event, int64_t *offsets)
{
	const rd_kafka_group_result_t **groups;
	const rd_kafka_topic_partition_list_t *list;
	const rd_kafka_error_t *error;
	size_t n = 0;

	groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
	    rd_kafka_event_ListConsumerGroupOffsets_result(event), &n);
	if (n != 1)
		return RD_KAFKA_RESP_ERR__BAD_MSG;
	error = rd_kafka_group_result_error(groups[0]);
	if (error != NULL)
		return rd_kafka_error_code(error);
	list = rd_kafka_group_result_partitions(groups[0]);
	for (int i = 0; i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *one = &list->elems[i];

		if (one->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return one->err;
		if (one->offset >= 0)
			offsets[one->partition] = one->offset;
	}
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

int
group_offsets_of(struct group *group, const char *name,
    const struct group_topic *topic, int64_t *offsets, struct secor_err *err)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(topic->partitions);
	rd_kafka_resp_err_t why = RD_KAFKA_RESP_ERR__TIMED_OUT;
	rd_kafka_event_t *event;

	for (int32_t p = 0; p < topic->partitions; p++) {
		offsets[p] = -1;
		(void)rd_kafka_topic_partition_list_add(list, topic->name, p);
	}
	event = ask_offsets(group, name, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (event != NULL) {
		why = rd_kafka_event_error(event);
		if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
			why = read_offsets(event, offsets);
		rd_kafka_event_destroy(event);
	}
	return why == RD_KAFKA_RESP_ERR_NO_ERROR
		   ? SECOR_OK
		   : no_answer(
			 group, "read the other group's offsets", why, err);
}

/* ---- members ---- */

static rd_kafka_event_t *
ask_members(struct group *group)
{
	const char *name = group->config->kafka.group;
	rd_kafka_queue_t *answers = rd_kafka_queue_new(group->rk);
	rd_kafka_AdminOptions_t *options =
	    admin_options(group, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
	rd_kafka_event_t *event;

	rd_kafka_DescribeConsumerGroups(group->rk, &name, 1, options, answers);
	event = rd_kafka_queue_poll(answers, 2 * GROUP_TIMEOUT_MS);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(answers);
	return event;
}

static int
owns(const rd_kafka_MemberDescription_t *member, const char *topic,
    int32_t partition)
{
	const rd_kafka_topic_partition_list_t *list =
	    rd_kafka_MemberAssignment_partitions(
		rd_kafka_MemberDescription_assignment(member));

	for (int i = 0; list != NULL && i < list->cnt; i++)
		if (list->elems[i].partition == partition &&
		    strcmp(list->elems[i].topic, topic) == 0)
			return 1;
	return 0;
}

static void
find_owner(const rd_kafka_ConsumerGroupDescription_t *group, const char *topic,
    int32_t partition, struct group_member *member)
{
	size_t n = rd_kafka_ConsumerGroupDescription_member_count(group);

	for (size_t i = 0; i < n; i++) {
		const rd_kafka_MemberDescription_t *one =
		    rd_kafka_ConsumerGroupDescription_member(group, i);

		if (!owns(one, topic, partition))
			continue;
		(void)snprintf(member->host, sizeof(member->host), "%s",
		    rd_kafka_MemberDescription_host(one));
		(void)snprintf(member->client, sizeof(member->client), "%s",
		    rd_kafka_MemberDescription_client_id(one));
	}
}

int
group_owner(struct group *group, const char *topic, int32_t partition,
    struct group_member *member, struct secor_err *err)
{
	rd_kafka_event_t *event = ask_members(group);
	rd_kafka_resp_err_t why = event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT
						: rd_kafka_event_error(event);

	memset(member, 0, sizeof(*member));
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR) {
		const rd_kafka_ConsumerGroupDescription_t **groups;
		size_t n = 0;

		groups = rd_kafka_DescribeConsumerGroups_result_groups(
		    rd_kafka_event_DescribeConsumerGroups_result(event), &n);
		if (n == 1)
			find_owner(groups[0], topic, partition, member);
	}
	if (event != NULL)
		rd_kafka_event_destroy(event);
	return why == RD_KAFKA_RESP_ERR_NO_ERROR
		   ? SECOR_OK
		   : no_answer(group, "describe the group", why, err);
}
