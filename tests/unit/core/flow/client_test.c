/* client.c: librdkafka takes what is set, whatever a user adds to it. */
#include "core/flow/client.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/prctl.h>

static rd_kafka_conf_t *
conf_with(const struct secor_pair *properties, size_t count)
{
	static const char *broker = "127.0.0.1:1";
	struct config config = {.kafka = {.brokers = {&broker, 1},
				    .group = "unit",
				    .properties = {properties, count},
				    .session_timeout_ms = 10000,
				    .max_poll_interval_ms = 300000}};
	rd_kafka_conf_t *conf;
	struct secor_err err;

	cr_assert_eq(client_conf(&config, &conf, &err), SECOR_OK);
	return conf;
}

static rd_kafka_t *
handle_of(rd_kafka_conf_t *conf)
{
	char why[512] = "";
	rd_kafka_t *rk =
	    rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));

	cr_assert_not_null(rk, "%s", why);
	return rk;
}

static long
fetch_bytes(const struct secor_pair *properties, size_t count)
{
	rd_kafka_t *rk = handle_of(conf_with(properties, count));
	char text[64];
	size_t size = sizeof(text);

	cr_assert_eq(rd_kafka_conf_get(
			 rd_kafka_conf(rk), "fetch.max.bytes", text, &size),
	    RD_KAFKA_CONF_OK);
	rd_kafka_destroy(rk);
	return strtol(text, NULL, 10);
}

Test(client, fetch_of_all_partitions_is_as_large_as_the_queue)
{
	cr_assert_eq(fetch_bytes(NULL, 0), 2 << 20);
}

Test(client, larger_messages_allowed_fetch_follows)
{
	static const struct secor_pair larger[] = {
	    {"message.max.bytes", "10000000"}};

	cr_assert_eq(fetch_bytes(larger, 1), 10000000);
}

/* Slack of the threads that librdkafka starts, by their type. */
static _Atomic int slack_ns[3];

static rd_kafka_resp_err_t
look(
    rd_kafka_t *rk, rd_kafka_thread_type_t type, const char *name, void *opaque)
{
	(void)rk;
	(void)name;
	(void)opaque;
	slack_ns[type] = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t
add_look(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *opaque, char *why,
    size_t room)
{
	(void)conf;
	(void)opaque;
	(void)why;
	(void)room;
	return rd_kafka_interceptor_add_on_thread_start(rk, "look", look, NULL);
}

Test(client, main_thread_may_be_woken_late_others_not)
{
	rd_kafka_conf_t *conf = conf_with(NULL, 0);
	int ours = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);

	cr_assert_eq(
	    rd_kafka_conf_interceptor_add_on_new(conf, "look", add_look, NULL),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_destroy(handle_of(conf));
	cr_assert_eq(slack_ns[RD_KAFKA_THREAD_MAIN], 1000000);
	cr_assert_eq(slack_ns[RD_KAFKA_THREAD_BROKER], ours);
}

/* ---- who it is ---- */

static void
expect_property(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char text[64] = "";
	size_t size = sizeof(text);

	(void)rd_kafka_conf_get(conf, key, text, &size);
	cr_expect_str_eq(text, value, "%s", key);
}

Test(client, rack_and_instance_are_told_the_client_but_tools_join_as_nobody)
{
	static const char *broker = "127.0.0.1:1";
	struct config config = {.kafka = {.brokers = {&broker, 1},
				    .group = "unit",
				    .rack = "eu-1a",
				    .instance_id = "secor-0",
				    .session_timeout_ms = 10000,
				    .max_poll_interval_ms = 300000}};
	rd_kafka_conf_t *conf;
	struct secor_err err;

	cr_assert_eq(client_conf(&config, &conf, &err), SECOR_OK);
	expect_property(conf, "client.rack", "eu-1a");
	expect_property(conf, "group.instance.id", "");
	cr_assert_eq(client_member(&config, conf, &err), SECOR_OK);
	expect_property(conf, "group.instance.id", "secor-0");
	rd_kafka_conf_destroy(conf);
	config.kafka.rack = config.kafka.instance_id = NULL;
	cr_assert_eq(client_conf(&config, &conf, &err), SECOR_OK);
	cr_assert_eq(client_member(&config, conf, &err), SECOR_OK);
	expect_property(conf, "client.rack", "");
	expect_property(conf, "group.instance.id", "");
	rd_kafka_conf_destroy(conf);
}
