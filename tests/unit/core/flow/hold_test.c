/*
 * hold_test.c -- what a person's command finds when it asks a running engine
 * for a partition: the engine against a mock broker.
 */
#include "core/flow/hold.h"

#include "tests/unit/helpers/mock_service.h"

#include <criterion/criterion.h>
#include <string.h>

MOCK_SIDE_BY_SIDE

static struct mock_service s;

static void
end(void)
{
	engine_hold_end(s.engine);
	mock_end(&s);
}

static struct hold
ask(enum hold_verb verb, int32_t partition, const struct hold *taken)
{
	struct hold hold = {.verb = verb, .partition = partition};

	(void)snprintf(hold.topic, sizeof(hold.topic), MOCK_TOPIC);
	if (verb == HOLD_TAKE)
		memcpy(hold.g, s.engine->g, sizeof(hold.g));
	else
		hold.epoch = taken->epoch;
	if (verb == HOLD_COMMIT) /* it is held: nobody else looks at it */
		hold.record =
		    part_find(&s.engine->parts, MOCK_TOPIC, partition)->record;
	engine_hold(s.engine, &hold);
	return hold;
}

static struct hold
take(int32_t partition)
{
	struct hold hold = ask(HOLD_TAKE, partition, NULL);

	cr_assert_eq(hold.status, SECOR_OK, "%s", hold.text);
	return hold;
}

static void
release(const struct hold *taken, int32_t partition, const char *says)
{
	struct hold hold = ask(HOLD_RELEASE, partition, taken);

	cr_assert_eq(hold.status, SECOR_OK);
	cr_assert_eq(
	    strncmp(hold.text, says, strlen(says)), 0, "%s", hold.text);
}

static void
push(rd_kafka_resp_err_t err)
{
	rd_kafka_mock_push_request_errors(
	    s.cluster, MOCK_OFFSET_COMMIT, 1, err);
}

Test(hold, taken_committed_and_released_goes_on_with_the_others, .timeout = 240)
{
	mock_begin(&s, 3);
	for (int32_t p = 0; p < 3; p++) {
		struct hold taken = take(p), commit;

		for (int32_t other = 0; other < 3; other++)
			mock_produce(&s, other, 20);
		commit = ask(HOLD_COMMIT, p, &taken);
		cr_assert_eq(commit.status, SECOR_OK, "%s", commit.text);
		release(&taken, p, "runs again");
	}
	for (int32_t p = 0; p < 3; p++)
		mock_wait_done(&s, p);
	cr_assert_eq(metric_get(s.engine->metrics.rebalances), 0);
	end();
}

Test(hold, released_without_a_commit_goes_on, .timeout = 240)
{
	struct hold taken;

	mock_begin(&s, 1);
	taken = take(0);
	mock_produce(&s, 0, 20);
	release(&taken, 0, "runs again");
	mock_wait_done(&s, 0);
	end();
}

Test(hold, refused_where_it_is_not_to_be_had, .timeout = 240)
{
	struct hold taken, hold = {.verb = HOLD_TAKE};

	mock_begin(&s, 1);
	hold = ask(HOLD_TAKE, 7, NULL);
	cr_assert_eq(hold.status, SECOR_REJECT);
	hold.partition = 0;
	(void)snprintf(hold.g, sizeof(hold.g), "0123456789abcdef.1");
	engine_hold(s.engine, &hold);
	cr_assert_eq(hold.status, SECOR_FATAL);
	cr_assert_not_null(strstr(hold.text, "another configuration"));
	taken = take(0);
	hold = ask(HOLD_TAKE, 0, NULL);
	cr_assert_eq(hold.status, SECOR_FATAL);
	cr_assert_not_null(strstr(hold.text, "another command"));
	taken.epoch--;
	hold = ask(HOLD_COMMIT, 0, &taken);
	cr_assert_eq(hold.status, SECOR_REJECT);
	cr_assert_not_null(strstr(hold.text, "nothing was committed"));
	taken.epoch++;
	release(&taken, 0, "runs again");
	end();
}

Test(hold, lost_in_the_commit_is_told_and_joined_again, .timeout = 240)
{
	struct hold taken, hold;

	mock_begin(&s, 1);
	taken = take(0);
	push(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
	hold = ask(HOLD_COMMIT, 0, &taken);
	cr_assert_eq(hold.status, SECOR_REJECT, "%s", hold.text);
	release(&taken, 0, "has moved");
	mock_wait_metric(s.engine->metrics.rebalances, 1);
	mock_produce(&s, 0, 20);
	mock_wait_done(&s, 0);
	end();
}

Test(hold, refused_commit_halts_until_it_is_taken_again, .timeout = 240)
{
	struct hold taken, hold;

	mock_begin(&s, 1);
	taken = take(0);
	push(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	hold = ask(HOLD_COMMIT, 0, &taken);
	cr_assert_eq(hold.status, SECOR_FATAL, "%s", hold.text);
	cr_assert_not_null(strstr(hold.text, "refused the commit"));
	release(&taken, 0, "is halted: commit-refused");
	taken = take(0);
	release(&taken, 0, "runs again");
	mock_produce(&s, 0, 20);
	mock_wait_done(&s, 0);
	end();
}

Test(hold, stop_with_a_held_partition_is_clean, .timeout = 240)
{
	struct hold taken, hold;

	mock_begin(&s, 1);
	taken = take(0);
	engine_hold_end(s.engine);
	hold = ask(HOLD_RELEASE, 0, &taken);
	cr_assert_eq(hold.status, SECOR_RETRY);
	end();
}
