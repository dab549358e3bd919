/*
 * produce.c -- `secor produce`: test messages with numbers, so that a reader
 * can tell that each is there once.
 */
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/flow/client.h"
#include "core/flow/login.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "usage: secor produce FILE TOPIC [options]\n"
    "       secor produce --brokers HOST:PORT[,...] TOPIC [options]\n"
    "Writes test messages: {\"id\":N,\"ts\":MS,\"pad\":\"..\"}, id N to "
    "partition N modulo the\n"
    "number of partitions.\n"
    "  --count N        messages (1000)\n"
    "  --size BYTES     of each (300)\n"
    "  --first N        id of the first (0)\n"
    "  --late PERCENT   so many are 1 to 180 minutes late (0%)\n"
    "  --rate N         messages a second (0: as fast as it goes)\n"
    "  --partitions N   make the topic with N partitions when it is not "
    "there\n";

enum { TIMEOUT_MS = 15000, FLUSH_MS = 60000, LATE_MAX_MINUTES = 180 };

struct producing {
	const char *brokers, *topic;
	int64_t count, size, first, rate;
	int32_t partitions;
	double late;
	rd_kafka_t *rk;
	struct login *login;
	unsigned seed;
	int64_t failed;
	char why[256]; /* the first failure */
};

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct producing *producing = opaque;

	(void)rk;
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	if (producing->failed++ == 0)
		(void)snprintf(producing->why, sizeof(producing->why), "%s",
		    rd_kafka_err2str(message->err));
}

static void
on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
	(void)rk;
	(void)level;
	(void)fac;
	(void)text; /* what matters comes back as an error */
}

static int
open_client(struct producing *producing, const struct config *config,
    struct secor_err *err)
{
	rd_kafka_conf_t *conf;
	char why[256] = "";
	int bad = 0;

	if (config == NULL) {
		conf = rd_kafka_conf_new();
		bad = rd_kafka_conf_set(conf, "bootstrap.servers",
			  producing->brokers, why,
			  sizeof(why)) != RD_KAFKA_CONF_OK;
	} else if (client_conf(config, &conf, err) != SECOR_OK) {
		return SECOR_FATAL;
	}
	bad = bad || rd_kafka_conf_set(conf, "enable.idempotence", "true", why,
			 sizeof(why)) != RD_KAFKA_CONF_OK;
	bad = bad || rd_kafka_conf_set(conf, "linger.ms", "20", why,
			 sizeof(why)) != RD_KAFKA_CONF_OK;
	bad = bad || rd_kafka_conf_set(conf, "compression.codec", "lz4", why,
			 sizeof(why)) != RD_KAFKA_CONF_OK;
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_opaque(conf, producing);
	if (!bad)
		producing->rk =
		    rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (producing->rk != NULL)
		return config == NULL ? SECOR_OK
				      : login_open(config, producing->rk,
					    &producing->login, err);
	rd_kafka_conf_destroy(conf);
	return secor_fail(err, SECOR_FATAL, "kafka client: %s", why);
}

/* ---- the topic ---- */

static int
make_topic(struct producing *producing, struct secor_err *err)
{
	char why[256] = "";
	rd_kafka_NewTopic_t *wish = rd_kafka_NewTopic_new(
	    producing->topic, producing->partitions, -1, why, sizeof(why));
	rd_kafka_queue_t *queue = rd_kafka_queue_new(producing->rk);
	rd_kafka_event_t *event;
	const rd_kafka_topic_result_t **results;
	size_t n = 0;
	int rc = SECOR_OK;

	if (wish == NULL) {
		rd_kafka_queue_destroy(queue);
		return secor_fail(err, SECOR_REJECT, "make topic %s: %s",
		    producing->topic, why);
	}
	rd_kafka_CreateTopics(producing->rk, &wish, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
	if (event == NULL || rd_kafka_event_error(event) != 0) {
		rc = secor_fail(err, SECOR_RETRY, "make topic %s: %s",
		    producing->topic,
		    event == NULL ? "no answer"
				  : rd_kafka_event_error_string(event));
	} else {
		results = rd_kafka_CreateTopics_result_topics(
		    rd_kafka_event_CreateTopics_result(event), &n);
		if (n == 1 && rd_kafka_topic_result_error(results[0]) != 0)
			rc = secor_fail(err, SECOR_REJECT, "make topic %s: %s",
			    producing->topic,
			    rd_kafka_topic_result_error_string(results[0]));
	}
	rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_NewTopic_destroy(wish);
	return rc;
}

/* How many partitions there are; 0: no such topic. */
static int
look_up(struct producing *producing, int32_t *partitions, struct secor_err *err)
{
	const struct rd_kafka_metadata *all = NULL;
	rd_kafka_resp_err_t why =
	    rd_kafka_metadata(producing->rk, 1, NULL, &all, TIMEOUT_MS);

	if (why != RD_KAFKA_RESP_ERR_NO_ERROR)
		return secor_fail(err, SECOR_RETRY, "no broker answers: %s",
		    rd_kafka_err2str(why));
	*partitions = 0;
	for (int i = 0; i < all->topic_cnt; i++)
		if (strcmp(all->topics[i].topic, producing->topic) == 0)
			*partitions = all->topics[i].partition_cnt;
	rd_kafka_metadata_destroy(all);
	return SECOR_OK;
}

static int
find_topic(struct producing *producing, struct secor_err *err)
{
	int32_t found = 0;
	int rc = look_up(producing, &found, err);

	if (rc == SECOR_OK && found == 0 && producing->partitions > 0) {
		rc = make_topic(producing, err);
		found = producing->partitions;
	}
	if (rc == SECOR_OK && found == 0)
		return secor_fail(err, SECOR_REJECT,
		    "no topic %s (--partitions N makes it)", producing->topic);
	if (rc == SECOR_OK)
		producing->partitions = found;
	return rc;
}

/* ---- messages ---- */

static void
make_message(struct producing *producing, int64_t id, struct buf *out)
{
	int64_t ts = clock_now_ms();
	int64_t pad;

	if (producing->late > 0 &&
	    rand_r(&producing->seed) < producing->late * (double)RAND_MAX)
		ts -= (1 + rand_r(&producing->seed) % LATE_MAX_MINUTES) *
		      INT64_C(60000);
	out->len = 0;
	buf_printf(
	    out, "{\"id\":%" PRId64 ",\"ts\":%" PRId64 ",\"pad\":\"", id, ts);
	pad = producing->size - (int64_t)out->len - 2;
	while (pad-- > 0)
		buf_putc(out, (char)('a' + (id + pad) % 26));
	buf_puts(out, "\"}");
}

static int
send_one(struct producing *producing, int64_t id, const struct buf *message,
    struct secor_err *err)
{
	for (;;) {
		rd_kafka_resp_err_t why = rd_kafka_producev(producing->rk,
		    RD_KAFKA_V_TOPIC(producing->topic),
		    RD_KAFKA_V_PARTITION((int32_t)(id % producing->partitions)),
		    RD_KAFKA_V_VALUE(message->ptr, message->len),
		    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

		if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
			return SECOR_OK;
		if (why != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return secor_fail(err, SECOR_FATAL,
			    "message %" PRId64 ": %s", id,
			    rd_kafka_err2str(why));
		(void)rd_kafka_poll(producing->rk, 100);
	}
}

/* Waits until message number `n` is due. */
static void
keep_rate(const struct producing *producing, int64_t n, int64_t begun_ms)
{
	int64_t wait;
	struct timespec pause;

	if (producing->rate == 0)
		return;
	wait = begun_ms + n * 1000 / producing->rate - clock_boot_ms();
	if (wait <= 0)
		return;
	pause.tv_sec = wait / 1000;
	pause.tv_nsec = wait % 1000 * 1000000;
	(void)nanosleep(&pause, NULL);
}

static int
send_all(struct producing *producing, struct secor_err *err)
{
	struct buf message = {0};
	int64_t begun_ms = clock_boot_ms();
	int rc = SECOR_OK;

	for (int64_t n = 0; rc == SECOR_OK && n < producing->count; n++) {
		keep_rate(producing, n, begun_ms);
		make_message(producing, producing->first + n, &message);
		rc = send_one(producing, producing->first + n, &message, err);
		(void)rd_kafka_poll(producing->rk, 0);
		if (n % 1000 == 0)
			cli_progress("produce: %" PRId64 " of %" PRId64, n,
			    producing->count);
	}
	buf_fini(&message);
	if (rc == SECOR_OK && rd_kafka_flush(producing->rk, FLUSH_MS) !=
				  RD_KAFKA_RESP_ERR_NO_ERROR)
		rc = secor_fail(err, SECOR_RETRY,
		    "not all messages were taken within %d s", FLUSH_MS / 1000);
	cli_progress(NULL);
	if (rc == SECOR_OK && producing->failed > 0)
		rc = secor_fail(err, SECOR_RETRY,
		    "%" PRId64 " messages were not taken: %s",
		    producing->failed, producing->why);
	return rc;
}

static int
run(struct producing *producing, const struct config *config)
{
	struct secor_err err;
	int rc = open_client(producing, config, &err);

	if (rc == SECOR_OK)
		rc = find_topic(producing, &err);
	if (rc == SECOR_OK)
		rc = send_all(producing, &err);
	login_close(producing->login);
	if (producing->rk != NULL)
		rd_kafka_destroy(producing->rk);
	if (rc != SECOR_OK) {
		(void)fprintf(stderr, "secor produce: %s\n", err.text);
		return CLI_ENVIRONMENT;
	}
	(void)printf("%" PRId64 " messages, ids %" PRId64 "..%" PRId64
		     ", in %" PRId32 " partitions of %s\n",
	    producing->count, producing->first,
	    producing->first + producing->count - 1, producing->partitions,
	    producing->topic);
	return CLI_OK;
}

static int
run_with_file(struct producing *producing, const char *file)
{
	struct registry *registry;
	struct config *config;
	int rc;

	config = cli_config(file, 0, &registry, &rc);
	if (config == NULL)
		return rc;
	rc = run(producing, config);
	config_free(config);
	registry_free(registry);
	return rc;
}

int
cli_produce(int argc, char **argv)
{
	struct producing producing = {.count = 1000, .size = 300, .seed = 1};
	const struct cli_option options[] = {
	    {"brokers", CLI_TEXT, &producing.brokers},
	    {"count", CLI_NUMBER, &producing.count},
	    {"size", CLI_SIZE, &producing.size},
	    {"first", CLI_NUMBER, &producing.first},
	    {"late", CLI_PERCENT, &producing.late},
	    {"rate", CLI_NUMBER, &producing.rate},
	    {"partitions", CLI_INT32, &producing.partitions},
	};
	const struct cli_table table = {
	    usage, options, sizeof(options) / sizeof(options[0]), 1, 2};
	struct cli_words words;
	int rc = cli_args(argc, argv, &table, &words);

	if (rc >= 0)
		return rc;
	if (words.count != (producing.brokers == NULL ? 2 : 1)) {
		(void)fputs(usage, stderr);
		rc = CLI_USAGE;
	} else {
		producing.topic = words.items[words.count - 1];
		rc = producing.brokers != NULL
			 ? run(&producing, NULL)
			 : run_with_file(&producing, words.items[0]);
	}
	free(words.items);
	return rc;
}
