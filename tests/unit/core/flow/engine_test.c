/*
 * engine_test.c -- the engine whole, against a mock broker that fails where it
 * is told to.
 */
#include "tests/unit/helpers/mock_service.h"

#include <criterion/criterion.h>
#include <string.h>

MOCK_SIDE_BY_SIDE

static struct mock_service s;

static int
ready(char *reasons, size_t room)
{
	struct buf text = {0};
	int yes = engine_ready(s.engine, &text);

	(void)snprintf(reasons, room, "%.*s", (int)text.len, text.ptr);
	buf_fini(&text);
	return yes;
}

/* A record that cannot be read is not a missing one. */
Test(engine, record_that_cannot_be_read_is_asked_for_again, .timeout = 240)
{
	mock_begin(&s, 1);
	mock_stop(&s);
	rd_kafka_mock_push_request_errors(s.cluster, MOCK_OFFSET_FETCH, 5,
	    RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
	    RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
	    RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
	    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
	    RD_KAFKA_RESP_ERR__TRANSPORT);
	mock_start(&s);
	mock_produce(&s, 0, 10);
	mock_wait_done(&s, 0);
	mock_end(&s);
}

Test(engine, ends_of_the_log_that_are_not_known_are_asked_for_again,
    .timeout = 240)
{
	mock_begin(&s, 1);
	mock_stop(&s);
	rd_kafka_mock_push_request_errors(s.cluster, MOCK_LIST_OFFSETS, 3,
	    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
	    RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
	    RD_KAFKA_RESP_ERR__TRANSPORT);
	mock_start(&s);
	mock_produce(&s, 0, 10);
	mock_wait_done(&s, 0);
	mock_end(&s);
}

Test(engine, broker_that_goes_and_comes_back_loses_nothing, .timeout = 240)
{
	mock_begin(&s, 2);
	cr_assert_eq(rd_kafka_mock_broker_set_down(s.cluster, 1),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_eq(rd_kafka_mock_broker_set_up(s.cluster, 1),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	for (int32_t p = 0; p < 2; p++) {
		mock_produce(&s, p, 100);
		mock_wait_done(&s, p);
	}
	mock_end(&s);
}

Test(engine, readiness_says_what_is_missing, .timeout = 240)
{
	struct engine_options options = {.finish_plans_with = NULL};
	char reasons[512];

	mock_open(&s, 1);
	cr_assert_eq(
	    engine_new(s.config, &options, &s.engine, &s.err), SECOR_OK);
	cr_expect_not(ready(reasons, sizeof(reasons)));
	cr_expect_not_null(strstr(reasons, "no assignment yet"), "%s", reasons);
	engine_free(s.engine);
	mock_start(&s);
	mock_produce(&s, 0, 10);
	mock_wait_done(&s, 0);
	cr_expect(ready(reasons, sizeof(reasons)), "%s", reasons);
	rd_kafka_mock_push_request_errors(s.cluster, MOCK_OFFSET_COMMIT, 1,
	    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	mock_produce(&s, 0, 10);
	mock_wait_state(&s, 0, "halt", "commit-refused");
	cr_expect_not(ready(reasons, sizeof(reasons)));
	cr_expect_not_null(
	    strstr(reasons, "1 partitions are halted"), "%s", reasons);
	mock_stop(&s);
	mock_close(&s);
}

Test(engine, stop_before_any_broker_answered_is_clean, .timeout = 120)
{
	struct engine_options options = {.finish_plans_with = NULL};

	mock_open(&s, 1);
	(void)rd_kafka_mock_broker_set_down(s.cluster, 1);
	cr_assert_eq(
	    engine_new(s.config, &options, &s.engine, &s.err), SECOR_OK);
	engine_stop(s.engine);
	cr_expect_eq(engine_run(s.engine, &s.err), SECOR_OK);
	engine_free(s.engine);
	mock_close(&s);
}
