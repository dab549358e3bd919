/* fetch.c, reader.c, leaders.c, answer.c against librdkafka's mock cluster:
 * each message once and in order, whatever the brokers do meanwhile. */
#include "core/flow/fetch/fetch.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC "events"

enum { PARTS = 4, API = 1 /* Fetch */, LIMIT_MS = 80 * 1000 };

/* What one partition gave. */
struct heard {
	struct fetch_part *part;
	int32_t partition;
	int64_t next; /* the offset that must come */
	int ends;
	int errors;
	rd_kafka_resp_err_t error;
};

struct rig {
	rd_kafka_t *producer, *rk;
	rd_kafka_mock_cluster_t *cluster;
	rd_kafka_topic_t *topic;
	struct fetch *fetch;
	struct heard heard[PARTS];
	pthread_mutex_t lock;
	pthread_cond_t woken;
	int wakes;
};

/* ---- set up ---- */

static void
on_wake(void *arg)
{
	struct rig *rig = arg;

	(void)pthread_mutex_lock(&rig->lock);
	rig->wakes++;
	(void)pthread_cond_signal(&rig->woken);
	(void)pthread_mutex_unlock(&rig->lock);
}

static void
set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char why[512];

	cr_assert_eq(rd_kafka_conf_set(conf, key, value, why, sizeof(why)),
	    RD_KAFKA_CONF_OK, "%s", why);
}

static void
open_cluster(struct rig *rig, int brokers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	rd_kafka_conf_set_log_cb(conf, NULL);
	rig->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	cr_assert_not_null(rig->producer, "%s", why);
	rig->cluster = rd_kafka_mock_cluster_new(rig->producer, brokers);
	cr_assert_not_null(rig->cluster);
	cr_assert_eq(rd_kafka_mock_topic_create(
			 rig->cluster, TOPIC, PARTS, brokers > 1 ? 2 : 1),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	for (int32_t p = 0; p < PARTS; p++)
		cr_assert_eq(rd_kafka_mock_partition_set_leader(
				 rig->cluster, TOPIC, p, 1),
		    RD_KAFKA_RESP_ERR_NO_ERROR);
	(void)rd_kafka_brokers_add(
	    rig->producer, rd_kafka_mock_cluster_bootstraps(rig->cluster));
}

static void
open_handle(struct rig *rig, const char *rack)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	rd_kafka_conf_set_log_cb(conf, NULL);
	set(conf, "bootstrap.servers",
	    rd_kafka_mock_cluster_bootstraps(rig->cluster));
	set(conf, "group.id", "unit");
	set(conf, "fetch.wait.max.ms", "20");
	set(conf, "fetch.error.backoff.ms", "10");
	set(conf, "max.partition.fetch.bytes", "4096");
	set(conf, "reconnect.backoff.ms", "10");
	set(conf, "reconnect.backoff.max.ms", "100");
	if (rack != NULL)
		set(conf, "client.rack", rack);
	rig->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	cr_assert_not_null(rig->rk, "%s", why);
	/* that it asks for metadata of it */
	rig->topic = rd_kafka_topic_new(rig->rk, TOPIC, NULL);
	cr_assert_not_null(rig->topic);
}

static void
open_rig(struct rig *rig, int brokers, const char *rack)
{
	struct fetch_conf conf = {.wake = on_wake, .arg = rig};
	struct secor_err err;
	pthread_condattr_t attr;

	memset(rig, 0, sizeof(*rig));
	log_level_set(getenv("MOCK_LOG") != NULL ? SECOR_DEBUG : -1);
	(void)pthread_mutex_init(&rig->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&rig->woken, &attr);
	open_cluster(rig, brokers);
	open_handle(rig, rack);
	conf.rk = rig->rk;
	cr_assert_eq(fetch_open(&conf, &rig->fetch, &err), SECOR_OK);
	for (int32_t p = 0; p < PARTS; p++) {
		rig->heard[p].partition = p;
		rig->heard[p].part =
		    fetch_part_new(rig->fetch, TOPIC, p, &rig->heard[p]);
	}
}

static void
close_rig(struct rig *rig)
{
	fetch_close(rig->fetch);
	rd_kafka_topic_destroy(rig->topic);
	rd_kafka_destroy(rig->rk);
	rd_kafka_mock_cluster_destroy(rig->cluster);
	rd_kafka_destroy(rig->producer);
}

/* ---- producing: the value says partition and offset ---- */

static void
produce(struct rig *rig, int32_t partition, int from, int until)
{
	for (int i = from; i < until; i++) {
		char value[32];
		int n =
		    snprintf(value, sizeof(value), "%d/%d", (int)partition, i);

		cr_assert_eq(
		    rd_kafka_producev(rig->producer, RD_KAFKA_V_TOPIC(TOPIC),
			RD_KAFKA_V_PARTITION(partition),
			RD_KAFKA_V_VALUE(value, (size_t)n),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			RD_KAFKA_V_END),
		    RD_KAFKA_RESP_ERR_NO_ERROR);
	}
	cr_assert_eq(rd_kafka_flush(rig->producer, LIMIT_MS),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void
start(struct rig *rig, int32_t partition, int64_t offset)
{
	struct heard *heard = &rig->heard[partition];

	heard->next = offset;
	heard->ends = heard->errors = 0;
	fetch_start(heard->part, offset);
}

/* ---- listening ---- */

static void
hear(const struct fetched *fetched, enum fetched_kind kind)
{
	struct heard *heard = fetched->owner;
	const struct secor_message *raw = &fetched->message.raw;
	char value[32];
	int n;

	cr_assert_not_null(heard);
	if (kind == FETCHED_END) {
		cr_expect_eq(fetched->offset, heard->next);
		heard->ends++;
	} else if (kind == FETCHED_ERROR) {
		cr_assert_not_null(fetched->text);
		heard->error = fetched->error;
		heard->errors++;
	} else {
		cr_assert_eq(raw->offset, heard->next, "%lld, not %lld",
		    (long long)raw->offset, (long long)heard->next);
		n = snprintf(value, sizeof(value), "%d/%lld",
		    (int)heard->partition, (long long)raw->offset);
		cr_assert_eq(raw->value.len, (size_t)n);
		cr_assert_eq(memcmp(raw->value.ptr, value, (size_t)n), 0);
		cr_assert_gt(fetched->high, raw->offset);
		heard->next++;
	}
}

static void
await_wake(struct rig *rig, int wakes)
{
	struct timespec until = clock_after(LIMIT_MS);

	(void)pthread_mutex_lock(&rig->lock);
	while (rig->wakes == wakes)
		cr_assert_eq(
		    pthread_cond_timedwait(&rig->woken, &rig->lock, &until), 0,
		    "nothing comes");
	(void)pthread_mutex_unlock(&rig->lock);
}

static int
wakes_now(struct rig *rig)
{
	int wakes;

	(void)pthread_mutex_lock(&rig->lock);
	wakes = rig->wakes;
	(void)pthread_mutex_unlock(&rig->lock);
	return wakes;
}

/* The next thing, as long as that takes. */
static enum fetched_kind
hear_one(struct rig *rig)
{
	for (;;) {
		int wakes = wakes_now(rig);
		struct fetched fetched;
		enum fetched_kind kind = fetch_next(rig->fetch, &fetched);

		if (kind != FETCHED_NOTHING) {
			hear(&fetched, kind);
			return kind;
		}
		await_wake(rig, wakes);
	}
}

static void
hear_until(struct rig *rig, int32_t partition, int64_t next)
{
	while (rig->heard[partition].next < next)
		(void)hear_one(rig);
	cr_expect_eq(rig->heard[partition].next, next);
}

static void
hear_end(struct rig *rig, int32_t partition, int ends)
{
	while (rig->heard[partition].ends < ends)
		(void)hear_one(rig);
	cr_expect_eq(rig->heard[partition].ends, ends);
}

static void
hear_error(struct rig *rig, int32_t partition, rd_kafka_resp_err_t error)
{
	while (rig->heard[partition].errors == 0)
		(void)hear_one(rig);
	cr_expect_eq(rig->heard[partition].error, error, "%s",
	    rd_kafka_err2name(rig->heard[partition].error));
}

static int64_t
requests(void)
{
	return metric_get(
	    metric_counter("secor_fetch_requests_total", "help", NULL));
}

/* So many more answers of the brokers, with nothing in them. */
static void
hear_nothing(struct rig *rig, int answers)
{
	int64_t until = requests() + answers;
	int64_t deadline = clock_boot_ms() + LIMIT_MS;
	struct fetched fetched;
	struct timespec t = {0, 1000000};

	while (requests() < until) {
		cr_assert_eq(fetch_next(rig->fetch, &fetched), FETCHED_NOTHING);
		cr_assert_lt(clock_boot_ms(), deadline);
		(void)nanosleep(&t, NULL);
	}
	cr_assert_eq(fetch_next(rig->fetch, &fetched), FETCHED_NOTHING);
}

/* ---- reading ---- */

Test(fetch, four_partitions_each_message_once_in_order)
{
	struct rig rig;

	open_rig(&rig, 1, NULL);
	for (int32_t p = 0; p < PARTS; p++)
		produce(&rig, p, 0, 500 + 100 * p);
	for (int32_t p = 0; p < PARTS; p++)
		start(&rig, p, 0);
	for (int32_t p = 0; p < PARTS; p++)
		hear_end(&rig, p, 1);
	for (int32_t p = 0; p < PARTS; p++)
		cr_expect_eq(rig.heard[p].next, 500 + 100 * p);
	close_rig(&rig);
}

Test(fetch, start_in_the_middle_begins_there)
{
	struct rig rig;

	open_rig(&rig, 1, NULL);
	produce(&rig, 2, 0, 300);
	start(&rig, 2, 123);
	hear_until(&rig, 2, 300);
	close_rig(&rig);
}

Test(fetch, not_started_nothing_comes)
{
	struct rig rig;
	struct fetched fetched;

	open_rig(&rig, 1, NULL);
	cr_expect_eq(fetch_next(rig.fetch, &fetched), FETCHED_NOTHING);
	cr_expect_not(fetch_ready(rig.fetch));
	close_rig(&rig);
}

Test(fetch, stop_drops_what_was_read)
{
	struct rig rig;

	open_rig(&rig, 1, NULL);
	produce(&rig, 0, 0, 100);
	produce(&rig, 1, 0, 1);
	start(&rig, 0, 0);
	hear_until(&rig, 0, 1);
	fetch_stop(rig.heard[0].part);
	start(&rig, 1, 0);
	hear_end(&rig, 1, 1);
	hear_nothing(&rig, 3);
	cr_expect_eq(rig.heard[0].next, 1);
	close_rig(&rig);
}

Test(fetch, restart_at_an_earlier_offset_reads_from_there)
{
	struct rig rig;

	open_rig(&rig, 1, NULL);
	produce(&rig, 0, 0, 200);
	start(&rig, 0, 150);
	hear_until(&rig, 0, 170);
	start(&rig, 0, 20);
	hear_until(&rig, 0, 60);
	fetch_stop(rig.heard[0].part);
	start(&rig, 0, 60);
	hear_end(&rig, 0, 1);
	cr_expect_eq(rig.heard[0].next, 200);
	close_rig(&rig);
}

Test(fetch, end_is_said_once_each_time_it_is_reached)
{
	struct rig rig;

	open_rig(&rig, 1, NULL);
	start(&rig, 0, 0);
	hear_end(&rig, 0, 1);
	hear_nothing(&rig, 3);
	produce(&rig, 0, 0, 10);
	hear_end(&rig, 0, 2);
	cr_expect_eq(rig.heard[0].next, 10);
	hear_nothing(&rig, 3);
	start(&rig, 0, 10);
	hear_end(&rig, 0, 1);
	close_rig(&rig);
}

/* ---- errors ---- */

Test(fetch, out_of_range_is_said_and_waits_for_a_start)
{
	struct rig rig;

	open_rig(&rig, 1, NULL);
	produce(&rig, 0, 0, 10);
	start(&rig, 0, 1000);
	hear_error(&rig, 0, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
	start(&rig, 1, 0);
	hear_end(&rig, 1, 1);
	hear_nothing(&rig, 3);
	cr_expect_eq(rig.heard[0].errors, 1);
	start(&rig, 0, 0);
	hear_end(&rig, 0, 1);
	cr_expect_eq(rig.heard[0].next, 10);
	close_rig(&rig);
}

Test(fetch, errors_that_pass_are_not_said)
{
	struct rig rig;

	open_rig(&rig, 1, NULL);
	produce(&rig, 0, 0, 10);
	rd_kafka_mock_push_request_errors(rig.cluster, API, 7,
	    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
	    RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
	    RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
	    RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
	    RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
	    RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
	    RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE);
	start(&rig, 0, 0);
	hear_until(&rig, 0, 10);
	cr_expect_eq(rig.heard[0].errors, 0);
	close_rig(&rig);
}

static void
expect_said(rd_kafka_resp_err_t pushed, rd_kafka_resp_err_t said)
{
	struct rig rig;

	open_rig(&rig, 1, NULL);
	produce(&rig, 0, 0, 10);
	rd_kafka_mock_push_request_errors(rig.cluster, API, 1, pushed);
	start(&rig, 0, 0);
	hear_error(&rig, 0, said);
	cr_expect_eq(rig.heard[0].next, 0);
	hear_until(&rig, 0, 10);
	cr_expect_eq(rig.heard[0].errors, 1);
	close_rig(&rig);
}

Test(fetch, unknown_topic_is_said_and_asked_for_again)
{
	expect_said(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
	    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

Test(fetch, topic_that_may_not_be_read_is_said_and_asked_for_again)
{
	expect_said(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
	    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
}

Test(fetch, damage_that_the_broker_sees_is_said_and_asked_for_again)
{
	expect_said(RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR__BAD_MSG);
}

/* ---- brokers come and go ---- */

static void
lead(struct rig *rig, int32_t partition, int32_t broker)
{
	cr_assert_eq(rd_kafka_mock_partition_set_leader(
			 rig->cluster, TOPIC, partition, broker),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
}

Test(fetch, leader_changes_to_and_fro_each_message_once)
{
	struct rig rig;
	int read = 0;

	open_rig(&rig, 3, NULL);
	for (int32_t p = 0; p < PARTS; p++)
		start(&rig, p, 0);
	for (int32_t round = 0; round < 6; round++, read += 50) {
		for (int32_t p = 0; p < PARTS; p++)
			produce(&rig, p, read, read + 50);
		hear_until(&rig, 0, read + 1);
		for (int32_t p = 0; p < PARTS; p++)
			lead(&rig, p, 1 + (round + p) % 3);
	}
	for (int32_t p = 0; p < PARTS; p++)
		while (rig.heard[p].next < read)
			(void)hear_one(&rig);
	close_rig(&rig);
}

Test(fetch, no_leader_for_a_while_goes_on_afterwards)
{
	struct rig rig;

	open_rig(&rig, 2, NULL);
	produce(&rig, 0, 0, 10);
	lead(&rig, 0, -1);
	start(&rig, 0, 0);
	start(&rig, 1, 0);
	hear_end(&rig, 1, 1);
	cr_expect_eq(rig.heard[0].next, 0);
	lead(&rig, 0, 2);
	hear_until(&rig, 0, 10);
	close_rig(&rig);
}

Test(fetch, broker_goes_down_and_comes_back)
{
	struct rig rig;

	open_rig(&rig, 1, NULL);
	produce(&rig, 0, 0, 10);
	start(&rig, 0, 0);
	hear_until(&rig, 0, 10);
	for (int round = 1; round < 4; round++) {
		(void)rd_kafka_mock_broker_set_down(rig.cluster, 1);
		(void)rd_kafka_mock_broker_set_up(rig.cluster, 1);
		produce(&rig, 0, 10 * round, 10 * round + 10);
		hear_until(&rig, 0, 10 * round + 10);
	}
	close_rig(&rig);
}

Test(fetch, broker_is_down_at_first_goes_on_when_it_is_up)
{
	struct rig rig;

	open_rig(&rig, 2, NULL);
	produce(&rig, 0, 0, 10);
	(void)rd_kafka_mock_broker_set_down(rig.cluster, 1);
	lead(&rig, 1, 2);
	start(&rig, 0, 0);
	start(&rig, 1, 0);
	hear_end(&rig, 1, 1); /* the other one is read */
	(void)rd_kafka_mock_broker_set_up(rig.cluster, 1);
	hear_until(&rig, 0, 10);
	close_rig(&rig);
}

/* ---- a follower ---- */

static int64_t
connections(void)
{
	return metric_get(
	    metric_gauge("secor_fetch_connections", "help", NULL));
}

static void
follow(struct rig *rig, int32_t broker)
{
	cr_assert_eq(rd_kafka_mock_partition_set_follower(
			 rig->cluster, TOPIC, 0, broker),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
}

Test(fetch, follower_that_the_leader_names_is_read)
{
	struct rig rig;

	open_rig(&rig, 2, "r");
	produce(&rig, 0, 0, 50);
	follow(&rig, 2);
	start(&rig, 0, 0);
	hear_until(&rig, 0, 50); /* the mock's leader gives nothing itself */
	cr_expect_eq(connections(), 2);
	hear_end(&rig, 0, 1);
	close_rig(&rig);
}

Test(fetch, follower_that_has_it_not_leader_is_asked_again)
{
	struct rig rig;

	open_rig(&rig, 2, "r");
	produce(&rig, 0, 0, 50);
	follow(&rig, 2);
	cr_assert_eq(rd_kafka_mock_partition_set_follower_wmarks(
			 rig.cluster, TOPIC, 0, 20, 50),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	start(&rig, 1, 0);
	start(&rig, 0, 0);
	hear_end(&rig, 1, 1);
	follow(&rig, -1);
	hear_until(&rig, 0, 50);
	cr_expect_eq(rig.heard[0].errors, 0);
	close_rig(&rig);
}

Test(fetch, follower_goes_down_leader_is_read)
{
	struct rig rig;

	open_rig(&rig, 2, "r");
	produce(&rig, 0, 0, 50);
	follow(&rig, 2);
	start(&rig, 0, 0);
	hear_end(&rig, 0, 1);
	(void)rd_kafka_mock_broker_set_down(rig.cluster, 2);
	produce(&rig, 0, 50, 80);
	follow(&rig, -1);
	hear_until(&rig, 0, 80);
	cr_expect_eq(rig.heard[0].errors, 0);
	close_rig(&rig);
}

/* ---- closing ---- */

/* Far below what it would wait for otherwise. */
enum { SOON_MS = 15 * 1000 };

Test(fetch, close_while_a_broker_does_not_answer_is_soon)
{
	struct rig rig;
	int64_t began_ms;

	open_rig(&rig, 2, NULL);
	for (int32_t p = 0; p < PARTS; p++)
		start(&rig, p, 0);
	hear_end(&rig, 0, 1);
	(void)rd_kafka_mock_broker_set_rtt(rig.cluster, 1, 60 * 1000);
	began_ms = clock_boot_ms();
	fetch_close(rig.fetch);
	cr_expect_lt(clock_boot_ms() - began_ms, SOON_MS);
	rig.fetch = NULL;
	(void)rd_kafka_mock_broker_set_rtt(rig.cluster, 1, 0);
	close_rig(&rig);
}

Test(fetch, close_while_all_brokers_are_down_is_soon)
{
	struct rig rig;
	int64_t began_ms;

	open_rig(&rig, 1, NULL);
	(void)rd_kafka_mock_broker_set_down(rig.cluster, 1);
	for (int32_t p = 0; p < PARTS; p++)
		start(&rig, p, 0);
	began_ms = clock_boot_ms();
	fetch_close(rig.fetch);
	cr_expect_lt(clock_boot_ms() - began_ms, SOON_MS);
	rig.fetch = NULL;
	close_rig(&rig);
}

Test(fetch, close_with_answers_that_nobody_took)
{
	struct rig rig;

	open_rig(&rig, 1, NULL);
	for (int32_t p = 0; p < PARTS; p++) {
		produce(&rig, p, 0, 100);
		start(&rig, p, 0);
	}
	await_wake(&rig, 0);
	cr_expect(fetch_ready(rig.fetch));
	close_rig(&rig);
}
