/*
 * bare.c -- the least that a librdkafka consumer can do: takes arrays of 1,000
 * messages and drops them. What the product costs is measured against it, so
 * its handle is made by the product's own client_conf: the same properties and,
 * where librdkafka needs it, the same wake-up of a queue that was full.
 *
 *     bare [PARTITIONS [PROPERTY VALUE]...]
 */
#include "bench/tool.h"
#include "core/flow/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARRAY = 1000, PROPERTIES = 16 };

struct bare {
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
	struct wake wake;
};

static void
open_handle(
    struct bare *bare, int partitions, const struct secor_pairs *properties)
{
	const char *broker = env("BENCH_BROKER");
	struct config config = {.kafka = {.brokers = {&broker, 1},
				    .group = "bare",
				    .properties = *properties,
				    .session_timeout_ms = 10000,
				    .max_poll_interval_ms = 300000}};
	rd_kafka_topic_partition_list_t *all =
	    rd_kafka_topic_partition_list_new(partitions);
	rd_kafka_conf_t *conf;
	struct secor_err err;
	char why[512];

	if (client_conf(&config, &conf, &err) != SECOR_OK)
		give_up("configuration", err.text);
	bare->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (bare->rk == NULL)
		give_up("client", why);
	(void)rd_kafka_poll_set_consumer(bare->rk);
	bare->queue = rd_kafka_queue_get_consumer(bare->rk);
	for (int i = 0; i < partitions; i++)
		rd_kafka_topic_partition_list_add(all, "bench", i)->offset = 0;
	if (rd_kafka_assign(bare->rk, all) != RD_KAFKA_RESP_ERR_NO_ERROR)
		give_up("assign", "refused");
	rd_kafka_topic_partition_list_destroy(all);
	client_queue_limits(bare->rk, &bare->wake);
}

static void
wake(struct bare *bare, int64_t messages, int64_t bytes)
{
	if (!client_has_queue_backoff() &&
	    wake_due(&bare->wake, messages, bytes,
		(int64_t)rd_kafka_queue_length(bare->queue)))
		rd_kafka_error_destroy(
		    rd_kafka_sasl_set_credentials(bare->rk, "", ""));
}

static void
consume_and_drop(struct bare *bare, int64_t wanted)
{
	rd_kafka_message_t *array[ARRAY];

	while (wanted > 0) {
		int wait_ms = rd_kafka_queue_length(bare->queue) > 0 ? 0 : 100;
		ssize_t n = rd_kafka_consume_batch_queue(
		    bare->queue, wait_ms, array, ARRAY);
		int64_t messages = 0, bytes = 0;

		for (ssize_t i = 0; i < n; i++) {
			if (array[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
				messages++;
				bytes += (int64_t)array[i]->len;
			}
			rd_kafka_message_destroy(array[i]);
		}
		wanted -= messages;
		wake(bare, messages, bytes);
	}
}

/* PROPERTY VALUE, as often as there are two more words. */
static struct secor_pairs
read_properties(int argc, char **argv)
{
	static struct secor_pair pairs[PROPERTIES];
	struct secor_pairs found = {pairs, 0};

	for (int i = 2; i + 1 < argc && found.count < PROPERTIES; i += 2) {
		pairs[found.count].key = argv[i];
		pairs[found.count++].value = argv[i + 1];
	}
	return found;
}

int
main(int argc, char **argv)
{
	struct secor_pairs properties = read_properties(argc, argv);
	struct bare bare = {0};

	open_handle(&bare, argc > 1 ? atoi(argv[1]) : 4, &properties);
	consume_and_drop(&bare, atoll(env("BENCH_MESSAGES")));
	_exit(0); /* the end of the measured time */
}
