/* fetch.c, reader.c, leaders.c, answer.c against librdkafka's mock cluster:
 * each message once and in order, whatever the brokers do meanwhile. */
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "tests/unit/core/flow/fetch/fetch_rig.h"
#include "tests/unit/helpers/mock_service.h"

#include <criterion/criterion.h>
#include <time.h>

enum { API = 1 /* Fetch */ };

MOCK_SIDE_BY_SIDE

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
	int64_t deadline = clock_boot_ms() + RIG_LIMIT_MS;
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

	rig_open(&rig, 1, NULL);
	for (int32_t p = 0; p < RIG_PARTS; p++)
		rig_produce(&rig, p, 0, 500 + 100 * p);
	for (int32_t p = 0; p < RIG_PARTS; p++)
		rig_start(&rig, p, 0);
	for (int32_t p = 0; p < RIG_PARTS; p++)
		rig_hear_end(&rig, p, 1);
	for (int32_t p = 0; p < RIG_PARTS; p++)
		cr_expect_eq(rig.heard[p].next, 500 + 100 * p);
	rig_close(&rig);
}

Test(fetch, start_in_the_middle_begins_there)
{
	struct rig rig;

	rig_open(&rig, 1, NULL);
	rig_produce(&rig, 2, 0, 300);
	rig_start(&rig, 2, 123);
	rig_hear_until(&rig, 2, 300);
	rig_close(&rig);
}

Test(fetch, not_started_nothing_comes)
{
	struct rig rig;
	struct fetched fetched;

	rig_open(&rig, 1, NULL);
	cr_expect_eq(fetch_next(rig.fetch, &fetched), FETCHED_NOTHING);
	cr_expect_not(fetch_ready(rig.fetch));
	rig_close(&rig);
}

Test(fetch, stop_drops_what_was_read)
{
	struct rig rig;

	rig_open(&rig, 1, NULL);
	rig_produce(&rig, 0, 0, 100);
	rig_produce(&rig, 1, 0, 1);
	rig_start(&rig, 0, 0);
	rig_hear_until(&rig, 0, 1);
	fetch_stop(rig.heard[0].part);
	rig_start(&rig, 1, 0);
	rig_hear_end(&rig, 1, 1);
	hear_nothing(&rig, 3);
	cr_expect_eq(rig.heard[0].next, 1);
	rig_close(&rig);
}

Test(fetch, restart_at_an_earlier_offset_reads_from_there)
{
	struct rig rig;

	rig_open(&rig, 1, NULL);
	rig_produce(&rig, 0, 0, 200);
	rig_start(&rig, 0, 150);
	rig_hear_until(&rig, 0, 170);
	rig_start(&rig, 0, 20);
	rig_hear_until(&rig, 0, 60);
	fetch_stop(rig.heard[0].part);
	rig_start(&rig, 0, 60);
	rig_hear_end(&rig, 0, 1);
	cr_expect_eq(rig.heard[0].next, 200);
	rig_close(&rig);
}

Test(fetch, end_is_said_once_each_time_it_is_reached)
{
	struct rig rig;

	rig_open(&rig, 1, NULL);
	rig_start(&rig, 0, 0);
	rig_hear_end(&rig, 0, 1);
	hear_nothing(&rig, 3);
	rig_produce(&rig, 0, 0, 10);
	rig_hear_end(&rig, 0, 2);
	cr_expect_eq(rig.heard[0].next, 10);
	hear_nothing(&rig, 3);
	rig_start(&rig, 0, 10);
	rig_hear_end(&rig, 0, 1);
	rig_close(&rig);
}

/* ---- errors ---- */

Test(fetch, out_of_range_is_said_and_waits_for_a_start)
{
	struct rig rig;

	rig_open(&rig, 1, NULL);
	rig_produce(&rig, 0, 0, 10);
	rig_start(&rig, 0, 1000);
	rig_hear_error(&rig, 0, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
	rig_start(&rig, 1, 0);
	rig_hear_end(&rig, 1, 1);
	hear_nothing(&rig, 3);
	cr_expect_eq(rig.heard[0].errors, 1);
	rig_start(&rig, 0, 0);
	rig_hear_end(&rig, 0, 1);
	cr_expect_eq(rig.heard[0].next, 10);
	rig_close(&rig);
}

Test(fetch, errors_that_pass_are_not_said)
{
	struct rig rig;

	rig_open(&rig, 1, NULL);
	rig_produce(&rig, 0, 0, 10);
	rd_kafka_mock_push_request_errors(rig.cluster, API, 7,
	    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
	    RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
	    RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
	    RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
	    RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
	    RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
	    RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE);
	rig_start(&rig, 0, 0);
	rig_hear_until(&rig, 0, 10);
	cr_expect_eq(rig.heard[0].errors, 0);
	rig_close(&rig);
}

static void
expect_said(rd_kafka_resp_err_t pushed, rd_kafka_resp_err_t said)
{
	struct rig rig;

	rig_open(&rig, 1, NULL);
	rig_produce(&rig, 0, 0, 10);
	rd_kafka_mock_push_request_errors(rig.cluster, API, 1, pushed);
	rig_start(&rig, 0, 0);
	rig_hear_error(&rig, 0, said);
	cr_expect_eq(rig.heard[0].next, 0);
	rig_hear_until(&rig, 0, 10);
	cr_expect_eq(rig.heard[0].errors, 1);
	rig_close(&rig);
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
			 rig->cluster, RIG_TOPIC, partition, broker),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
}

Test(fetch, leader_changes_to_and_fro_each_message_once)
{
	struct rig rig;
	int read = 0;

	rig_open(&rig, 3, NULL);
	for (int32_t p = 0; p < RIG_PARTS; p++)
		rig_start(&rig, p, 0);
	for (int32_t round = 0; round < 6; round++, read += 50) {
		for (int32_t p = 0; p < RIG_PARTS; p++)
			rig_produce(&rig, p, read, read + 50);
		rig_hear_until(&rig, 0, read + 1);
		for (int32_t p = 0; p < RIG_PARTS; p++)
			lead(&rig, p, 1 + (round + p) % 3);
	}
	for (int32_t p = 0; p < RIG_PARTS; p++)
		while (rig.heard[p].next < read)
			(void)rig_hear(&rig);
	rig_close(&rig);
}

Test(fetch, no_leader_for_a_while_goes_on_afterwards)
{
	struct rig rig;

	rig_open(&rig, 2, NULL);
	rig_produce(&rig, 0, 0, 10);
	lead(&rig, 0, -1);
	rig_start(&rig, 0, 0);
	rig_start(&rig, 1, 0);
	rig_hear_end(&rig, 1, 1);
	cr_expect_eq(rig.heard[0].next, 0);
	lead(&rig, 0, 2);
	rig_hear_until(&rig, 0, 10);
	rig_close(&rig);
}

Test(fetch, broker_goes_down_and_comes_back)
{
	struct rig rig;

	rig_open(&rig, 1, NULL);
	rig_produce(&rig, 0, 0, 10);
	rig_start(&rig, 0, 0);
	rig_hear_until(&rig, 0, 10);
	for (int round = 1; round < 4; round++) {
		(void)rd_kafka_mock_broker_set_down(rig.cluster, 1);
		(void)rd_kafka_mock_broker_set_up(rig.cluster, 1);
		rig_produce(&rig, 0, 10 * round, 10 * round + 10);
		rig_hear_until(&rig, 0, 10 * round + 10);
	}
	rig_close(&rig);
}

Test(fetch, broker_is_down_at_first_goes_on_when_it_is_up)
{
	struct rig rig;

	rig_open(&rig, 2, NULL);
	rig_produce(&rig, 0, 0, 10);
	(void)rd_kafka_mock_broker_set_down(rig.cluster, 1);
	lead(&rig, 1, 2);
	rig_start(&rig, 0, 0);
	rig_start(&rig, 1, 0);
	rig_hear_end(&rig, 1, 1); /* the other one is read */
	(void)rd_kafka_mock_broker_set_up(rig.cluster, 1);
	rig_hear_until(&rig, 0, 10);
	rig_close(&rig);
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
			 rig->cluster, RIG_TOPIC, 0, broker),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
}

Test(fetch, follower_that_the_leader_names_is_read)
{
	struct rig rig;

	rig_open(&rig, 2, "r");
	rig_produce(&rig, 0, 0, 50);
	follow(&rig, 2);
	rig_start(&rig, 0, 0);
	rig_hear_until(
	    &rig, 0, 50); /* the mock's leader gives nothing itself */
	cr_expect_eq(connections(), 2);
	rig_hear_end(&rig, 0, 1);
	rig_close(&rig);
}

Test(fetch, follower_that_has_it_not_leader_is_asked_again)
{
	struct rig rig;

	rig_open(&rig, 2, "r");
	rig_produce(&rig, 0, 0, 50);
	follow(&rig, 2);
	cr_assert_eq(rd_kafka_mock_partition_set_follower_wmarks(
			 rig.cluster, RIG_TOPIC, 0, 20, 50),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	rig_start(&rig, 1, 0);
	rig_start(&rig, 0, 0);
	rig_hear_end(&rig, 1, 1);
	follow(&rig, -1);
	rig_hear_until(&rig, 0, 50);
	cr_expect_eq(rig.heard[0].errors, 0);
	rig_close(&rig);
}

Test(fetch, follower_goes_down_leader_is_read)
{
	struct rig rig;

	rig_open(&rig, 2, "r");
	rig_produce(&rig, 0, 0, 50);
	follow(&rig, 2);
	rig_start(&rig, 0, 0);
	rig_hear_end(&rig, 0, 1);
	(void)rd_kafka_mock_broker_set_down(rig.cluster, 2);
	rig_produce(&rig, 0, 50, 80);
	follow(&rig, -1);
	rig_hear_until(&rig, 0, 80);
	cr_expect_eq(rig.heard[0].errors, 0);
	rig_close(&rig);
}

/* ---- closing ---- */

/* Far below what it would wait for otherwise. */
enum { SOON_MS = 15 * 1000 };

Test(fetch, close_while_a_broker_does_not_answer_is_soon)
{
	struct rig rig;
	int64_t began_ms;

	rig_open(&rig, 2, NULL);
	for (int32_t p = 0; p < RIG_PARTS; p++)
		rig_start(&rig, p, 0);
	rig_hear_end(&rig, 0, 1);
	(void)rd_kafka_mock_broker_set_rtt(rig.cluster, 1, 60 * 1000);
	began_ms = clock_boot_ms();
	fetch_close(rig.fetch);
	cr_expect_lt(clock_boot_ms() - began_ms, SOON_MS);
	rig.fetch = NULL;
	(void)rd_kafka_mock_broker_set_rtt(rig.cluster, 1, 0);
	rig_close(&rig);
}

Test(fetch, close_while_all_brokers_are_down_is_soon)
{
	struct rig rig;
	int64_t began_ms;

	rig_open(&rig, 1, NULL);
	(void)rd_kafka_mock_broker_set_down(rig.cluster, 1);
	for (int32_t p = 0; p < RIG_PARTS; p++)
		rig_start(&rig, p, 0);
	began_ms = clock_boot_ms();
	fetch_close(rig.fetch);
	cr_expect_lt(clock_boot_ms() - began_ms, SOON_MS);
	rig.fetch = NULL;
	rig_close(&rig);
}

Test(fetch, close_with_answers_that_nobody_took)
{
	struct rig rig;

	rig_open(&rig, 1, NULL);
	for (int32_t p = 0; p < RIG_PARTS; p++) {
		rig_produce(&rig, p, 0, 100);
		rig_start(&rig, p, 0);
	}
	rig_await_wake(&rig, 0);
	cr_expect(fetch_ready(rig.fetch));
	rig_close(&rig);
}
