/* client.c: librdkafka takes what is set, whatever a user adds to it. */
#include "core/flow/client.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static long
fetch_bytes(const struct secor_pair *properties, size_t count)
{
	static const char *broker = "127.0.0.1:1";
	struct config config = {.kafka = {.brokers = {&broker, 1},
				    .group = "unit",
				    .session_timeout_ms = 10000,
				    .max_poll_interval_ms = 300000}};
	char text[64], why[512] = "";
	size_t size = sizeof(text);
	rd_kafka_conf_t *conf;
	struct secor_err err;
	rd_kafka_t *rk;

	config.kafka.properties.items = properties;
	config.kafka.properties.count = count;
	cr_assert_eq(client_conf(&config, &conf, &err), SECOR_OK);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	cr_assert_not_null(rk, "%s", why);
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
