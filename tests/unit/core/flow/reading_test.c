/*
 * reading_test.c -- the engine against a mock broker, read by the own readers,
 * by librdkafka, and by one after the other.
 */
#include "tests/unit/helpers/mock_service.h"

#include <criterion/criterion.h>
#include <string.h>

MOCK_SIDE_BY_SIDE

enum { FETCH = 1, FETCH_TOO_OLD = 3 };

static struct mock_service s;

static int
status_has(const char *text)
{
	struct buf status = {0};
	int yes;

	engine_status(s.engine, &status);
	yes = status.ptr != NULL && strstr(status.ptr, text) != NULL;
	buf_fini(&status);
	return yes;
}

static void
produce_and_wait(int count)
{
	for (int32_t p = 0; p < 4; p++)
		mock_produce(&s, p, count);
	for (int32_t p = 0; p < 4; p++)
		mock_wait_done(&s, p);
}

Test(reading, own_readers_store_each_message_once, .timeout = 240)
{
	mock_begin(&s, 4);
	cr_expect(status_has("\"fetch\":\"own\""));
	produce_and_wait(2000);
	mock_end(&s);
}

Test(reading, librdkafka_reads_where_the_configuration_says_so, .timeout = 240)
{
	mock_fetch = CONFIG_FETCH_LIBRDKAFKA;
	mock_begin(&s, 4);
	cr_expect(status_has("\"fetch\":\"librdkafka\""));
	produce_and_wait(500);
	mock_end(&s);
}

Test(reading, what_one_left_the_other_goes_on_with, .timeout = 240)
{
	static const int ways[] = {
	    CONFIG_FETCH_LIBRDKAFKA, CONFIG_FETCH_OWN, CONFIG_FETCH_LIBRDKAFKA};

	mock_begin(&s, 4);
	for (size_t i = 0; i < 3; i++) {
		mock_stop(&s);
		s.config->kafka.fetch = ways[i];
		mock_start(&s);
		produce_and_wait(200);
	}
	mock_end(&s);
}

Test(reading, broker_that_is_too_old_is_read_by_librdkafka, .timeout = 240)
{
	mock_open(&s, 4);
	/* the producer has asked for versions: from an old broker it would send
	 * what the mock does not take */
	mock_produce(&s, 0, 1);
	cr_assert_eq(
	    rd_kafka_mock_set_apiversion(s.cluster, FETCH, 0, FETCH_TOO_OLD),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	mock_start(&s);
	produce_and_wait(100);
	cr_expect(status_has("\"fetch\":\"librdkafka\""));
	mock_end(&s);
}

Test(reading, broker_that_is_too_old_ends_what_must_read_itself, .timeout = 240)
{
	struct engine_options options = {.finish_plans_with = NULL};

	mock_fetch = CONFIG_FETCH_OWN;
	mock_open(&s, 1);
	cr_assert_eq(
	    rd_kafka_mock_set_apiversion(s.cluster, FETCH, 0, FETCH_TOO_OLD),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	cr_assert_eq(
	    engine_new(s.config, &options, &s.engine, &s.err), SECOR_OK);
	cr_expect_eq(engine_run(s.engine, &s.err), SECOR_FATAL);
	cr_expect_not_null(
	    strstr(s.err.text, "kafka.fetch: own is not possible"), "%s",
	    s.err.text);
	engine_free(s.engine);
	mock_close(&s);
}
