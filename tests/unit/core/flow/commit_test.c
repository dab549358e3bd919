/*
 * commit_test.c -- the table of answers to a commit, row by row: the engine
 * against a mock broker that gives them. The clock is the machine's; it jumps
 * where a row speaks of half a minute, as after a pause of the process, and
 * runs faster where that minute is one of work.
 */
#include "core/base/clock.h"
#include "tests/unit/helpers/mock_service.h"

#include <criterion/criterion.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static _Atomic int64_t jumped_ms;
static _Atomic int64_t fast_from_ms; /* FAST times from then on; 0: not */
enum { FAST = 30 };

static int64_t
read_ms(clockid_t id)
{
	struct timespec now;

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Instead of core/base/clock.c. */
int64_t
clock_now_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t
clock_boot_ms(void)
{
	int64_t now = read_ms(CLOCK_BOOTTIME);
	int64_t from = atomic_load(&fast_from_ms);

	if (from != 0)
		now += (now - from) * (FAST - 1);
	return now + atomic_load(&jumped_ms);
}

static struct mock_service s;

MOCK_SIDE_BY_SIDE

static void
begin(int partitions)
{
	atomic_store(&jumped_ms, 0);
	mock_begin(&s, partitions);
}

static void
push(rd_kafka_resp_err_t err, int times)
{
	for (int i = 0; i < times; i++)
		rd_kafka_mock_push_request_errors(
		    s.cluster, MOCK_OFFSET_COMMIT, 1, err);
}

Test(commit, not_a_definite_no_is_repeated, .timeout = 240)
{
	static const rd_kafka_resp_err_t rows[] = {
	    RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
	    RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
	    RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
	    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
	    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, /* for a moment */
	    RD_KAFKA_RESP_ERR_UNKNOWN,		     /* anything else */
	};

	begin(1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		push(rows[i], 1); /* the plan */
		push(RD_KAFKA_RESP_ERR_NO_ERROR, 1);
		push(rows[i], 1); /* the final commit */
		mock_produce(&s, 0, 10);
		mock_wait_done(&s, 0);
		cr_expect_eq(metric_get(s.engine->metrics.rejoins), 0, "%s",
		    rd_kafka_err2name(rows[i]));
		cr_expect_eq(metric_get(s.engine->metrics.rebalances), 0, "%s",
		    rd_kafka_err2name(rows[i]));
		rd_kafka_mock_clear_request_errors(
		    s.cluster, MOCK_OFFSET_COMMIT);
	}
	mock_end(&s);
}

Test(commit, not_the_owner_drops_and_joins_again, .timeout = 240)
{
	static const rd_kafka_resp_err_t rows[] = {
	    RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
	    RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
	};

	begin(1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		push(rows[i], 1);
		mock_produce(&s, 0, 10);
		mock_wait_metric(s.engine->metrics.rebalances, (int64_t)i + 1);
		mock_wait_done(&s, 0);
	}
	mock_end(&s);
}

Test(commit, rebalance_in_progress_is_not_written, .timeout = 240)
{
	begin(1);
	push(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, 1);
	mock_produce(&s, 0, 10);
	mock_wait_done(&s, 0);
	mock_end(&s);
}

Test(commit, fenced_instance_drops_and_joins_again, .timeout = 240)
{
	begin(1);
	push(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, 1);
	mock_produce(&s, 0, 10);
	mock_wait_metric(s.engine->metrics.rejoins, 1);
	mock_wait_done(&s, 0);
	mock_end(&s);
}

/* Joining again would take the name back from the other one, and so on. */
Test(commit, fenced_instance_with_a_name_ends, .timeout = 240)
{
	mock_open(&s, 1);
	s.config->kafka.instance_id = mem_dup("one", 3);
	mock_start(&s);
	mock_produce(&s, 0, 10);
	mock_wait_done(&s, 0);
	push(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, 1);
	mock_produce(&s, 0, 10);
	cr_assert_eq(pthread_join(s.thread, NULL), 0);
	s.running = 0;
	cr_expect_eq(s.rc, SECOR_REJECT);
	cr_expect(strstr(s.err.text, "as kafka.instance_id 'one'") != NULL,
	    "%s", s.err.text);
	cr_expect_eq(metric_get(s.engine->metrics.rejoins), 0);
	engine_free(s.engine);
	mock_close(&s);
}

Test(commit, refusal_halts_that_partition_only, .timeout = 240)
{
	static const rd_kafka_resp_err_t rows[] = {
	    RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
	    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
	    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
	};

	begin(4);
	for (int32_t p = 0; p < (int32_t)COUNT(rows); p++) {
		push(rows[p], 1);
		mock_produce(&s, p, 10);
		mock_wait_state(&s, p, "halt", "commit-refused");
	}
	mock_produce(&s, 3, 10);
	mock_wait_done(&s, 3);
	mock_stop(&s);
	/* started again, with the rights mended: nothing is lost */
	mock_start(&s);
	for (int32_t p = 0; p < 4; p++)
		mock_wait_done(&s, p);
	mock_end(&s);
}

Test(commit, topic_that_stays_unknown_halts, .timeout = 240)
{
	begin(1);
	push(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 1000);
	mock_produce(&s, 0, 10);
	mock_wait_state(&s, 0, "state", "planning");
	atomic_fetch_add(&jumped_ms, 5500);
	mock_wait_state(&s, 0, "halt", "commit-refused");
	rd_kafka_mock_clear_request_errors(s.cluster, MOCK_OFFSET_COMMIT);
	mock_stop(&s);
	mock_start(&s);
	mock_wait_done(&s, 0);
	mock_end(&s);
}

Test(commit, unclear_for_half_a_minute_joins_again, .timeout = 240)
{
	begin(1);
	push(RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, 1000);
	mock_produce(&s, 0, 10);
	mock_wait_state(&s, 0, "state", "planning");
	cr_expect_eq(metric_get(s.engine->metrics.rejoins), 0);
	atomic_fetch_add(&jumped_ms, 31000);
	mock_wait_metric(s.engine->metrics.rejoins, 1);
	rd_kafka_mock_clear_request_errors(s.cluster, MOCK_OFFSET_COMMIT);
	mock_wait_done(&s, 0);
	mock_end(&s);
}

Test(commit, acknowledged_late_is_believed_in_a_new_generation, .timeout = 240)
{
	begin(1);
	(void)rd_kafka_mock_broker_push_request_error_rtts(s.cluster, 1,
	    MOCK_OFFSET_COMMIT, 1, RD_KAFKA_RESP_ERR_NO_ERROR, 1500);
	mock_produce(&s, 0, 10);
	mock_wait_state(&s, 0, "state", "planning");
	atomic_fetch_add(&jumped_ms, 31000);
	mock_wait_metric(s.engine->metrics.rejoins, 1);
	mock_wait_done(&s, 0);
	cr_expect_geq(metric_get(s.engine->metrics.replays), 1,
	    "the plan that was acknowledged is the one that is done");
	mock_end(&s);
}

Test(commit, silence_with_brokers_there_ends_at_once, .timeout = 240,
    .exit_code = 3)
{
	begin(1);
	(void)rd_kafka_mock_broker_push_request_error_rtts(s.cluster, 1,
	    MOCK_OFFSET_COMMIT, 1, RD_KAFKA_RESP_ERR_NO_ERROR, 9000);
	mock_produce(&s, 0, 10);
	mock_wait_state(&s, 0, "state", "planning");
	atomic_store(&fast_from_ms, read_ms(CLOCK_BOOTTIME));
	mock_wait_state(&s, 0, "state", "gone");
}

/* A process that was stopped, or a machine that slept, heard nothing either. */
Test(commit, pause_with_a_commit_out_is_no_silence, .timeout = 240)
{
	begin(1);
	(void)rd_kafka_mock_broker_push_request_error_rtts(s.cluster, 1,
	    MOCK_OFFSET_COMMIT, 1, RD_KAFKA_RESP_ERR_NO_ERROR, 3000);
	mock_produce(&s, 0, 10);
	mock_wait_state(&s, 0, "state", "planning");
	atomic_fetch_add(&jumped_ms, 3600000);
	mock_wait_metric(s.engine->metrics.rejoins, 1);
	mock_wait_done(&s, 0);
	mock_end(&s);
}
