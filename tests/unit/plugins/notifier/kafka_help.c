/*
 * kafka_help.c -- see kafka_help.h.
 */
#include "tests/unit/plugins/notifier/kafka_help.h"

#include "tests/unit/plugins/notifier/event.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

const struct secor_event_level EVENTS_LEVELS[1] = {{"dt", "2026-01-01"}};

void
events_begin(struct events *e, const char *key, const char *value)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	memset(e, 0, sizeof(*e));
	e->owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	cr_assert_not_null(e->owner, "%s", why);
	e->cluster = rd_kafka_mock_cluster_new(e->owner, 1);
	cr_assert_not_null(e->cluster);
	(void)rd_kafka_mock_topic_create(e->cluster, "events-t", 1, 1);
	e->plugin = harness_plugin("notifier/kafka");
	e->conf = harness_conf(e->plugin, "brokers",
	    rd_kafka_mock_cluster_bootstraps(e->cluster), "topic",
	    "events-{topic}", key, value, NULL);
}

void
events_open(struct events *e)
{
	char *complaints = harness_check(e->plugin, e->conf);

	cr_assert_str_eq(complaints, "");
	free(complaints);
	e->self = harness_open(e->plugin, e->conf, NULL);
}

void
events_end(struct events *e)
{
	for (size_t i = 0; i < EVENTS_MOST; i++)
		json_decref(e->values[i]);
	harness_close(e->plugin, e->self);
	harness_conf_free(e->plugin, e->conf);
	rd_kafka_mock_cluster_destroy(e->cluster);
	rd_kafka_destroy(e->owner);
}

int
events_batch(struct events *e)
{
	struct event_object objects[] = {
	    event_object("dt=2026-01-01", EVENTS_LEVELS, 1),
	    event_object("dt=2026-01-02", EVENTS_LEVELS, 1)};
	struct secor_event_batch batch = event_batch("t", objects, 2);

	return e->plugin->ops.notifier->batch_done(e->self, &batch, &e->err);
}

int
events_path(struct events *e, size_t count)
{
	struct event_object objects[100];
	struct secor_event_path path =
	    event_path("dt=2026-01-01", EVENTS_LEVELS, 1);

	path.objects = (const void *)objects;
	path.object_count = count;
	for (size_t i = 0; i < count; i++) {
		objects[i] = event_object("dt=2026-01-01", EVENTS_LEVELS, 1);
		objects[i].object.first_offset = (int64_t)i;
	}
	return e->plugin->ops.notifier->path_finalized(e->self, &path, &e->err);
}

static void
keep(struct events *e, size_t i, const rd_kafka_message_t *m)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t n;

	e->values[i] = json_loadb(m->payload, m->len, 0, NULL);
	cr_assert_not_null(e->values[i]);
	(void)snprintf(e->keys[i], sizeof(e->keys[i]), "%.*s", (int)m->key_len,
	    m->key == NULL ? "" : (const char *)m->key);
	cr_assert_eq(
	    rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_eq(
	    rd_kafka_header_get_last(headers, "secor-event", &value, &n),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	(void)snprintf(
	    e->names[i], sizeof(e->names[i]), "%s", (const char *)value);
	cr_assert_eq(
	    rd_kafka_header_get_last(headers, "content-type", &value, &n),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_str_eq(value, "application/json");
}

size_t
events_read(struct events *e)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(1);
	size_t count = 0;
	char why[256];
	rd_kafka_t *rk;
	int over = 0;

	(void)rd_kafka_conf_set(conf, "bootstrap.servers",
	    rd_kafka_mock_cluster_bootstraps(e->cluster), why, sizeof(why));
	(void)rd_kafka_conf_set(conf, "group.id", "g", why, sizeof(why));
	(void)rd_kafka_conf_set(
	    conf, "enable.partition.eof", "true", why, sizeof(why));
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	cr_assert_not_null(rk, "%s", why);
	(void)rd_kafka_poll_set_consumer(rk);
	rd_kafka_topic_partition_list_add(list, "events-t", 0)->offset = 0;
	(void)rd_kafka_assign(rk, list);
	while (!over) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 1000);

		if (m == NULL)
			continue;
		over = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
		if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			cr_assert_lt(count, EVENTS_MOST);
			keep(e, count++, m);
		}
		rd_kafka_message_destroy(m);
	}
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
	return count;
}

void
events_forget(struct events *e)
{
	for (size_t i = 0; i < EVENTS_MOST; i++) {
		json_decref(e->values[i]);
		e->values[i] = NULL;
	}
}

void
events_refuse(struct events *e, size_t requests, rd_kafka_resp_err_t code)
{
	for (size_t i = 0; i < requests; i++)
		rd_kafka_mock_push_request_errors(
		    e->cluster, EVENTS_PRODUCE, 1, code);
}

const char *
events_member(const struct events *e, size_t i, const char *key)
{
	return json_string_value(json_object_get(e->values[i], key));
}
