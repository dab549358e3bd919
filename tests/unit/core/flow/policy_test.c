/* policy.c: when a partition may be left alone for a while. */
#include "core/flow/flow.h"

#include <criterion/criterion.h>

enum { AGE_MS = 60000, BORN = 1000 };

static struct config_topic topic;
static struct lane lane = {.topic = &topic};
static struct batch batch, other;
static struct part part;

/* A batch that collects, of one message. */
static void
set_up(void)
{
	topic.batch.max_age_ms = AGE_MS;
	topic.batch.max_bytes = 1000;
	part.lane = batch.lane = &lane;
	part.cur = &batch;
	batch.messages = 1;
	batch.encoded = 100;
	batch.first_boot_ms = batch.born_boot_ms = BORN;
	batch.youngest_boot_ms = BORN;
}

TestSuite(policy, .init = set_up);

Test(policy, batch_rests_until_its_age_is_near)
{
	int64_t due_ms = BORN + AGE_MS;

	cr_expect(policy_rests(&part, BORN));
	cr_expect(policy_rests(&part, due_ms - POLICY_REST_MS - 1));
	cr_expect_not(policy_rests(&part, due_ms - POLICY_REST_MS));
	cr_expect_not(policy_rests(&part, due_ms));
}

Test(policy, age_is_of_what_the_configuration_says)
{
	topic.batch.age_of = CONFIG_AGE_YOUNGEST;
	batch.youngest_boot_ms = BORN + AGE_MS;
	cr_expect(policy_rests(&part, BORN + AGE_MS));
	cr_expect_not(policy_rests(&part, BORN + 2 * AGE_MS));
	/* without an object: since it was seen */
	batch.youngest_boot_ms = 0;
	cr_expect_not(policy_rests(&part, BORN + AGE_MS));
}

Test(policy, batch_without_an_age_rests)
{
	topic.batch.max_age_ms = 0;
	cr_expect(policy_rests(&part, BORN + 1000 * (int64_t)AGE_MS));
}

Test(policy, batch_that_may_be_full_does_not_rest)
{
	batch.encoded = 1000;
	cr_expect_not(policy_rests(&part, BORN));
	topic.batch.max_bytes = 0;
	cr_expect(policy_rests(&part, BORN));
}

Test(policy, marks_of_the_clock_are_not_slept_through)
{
	topic.batch.at_minutes.count = 1;
	cr_expect_not(policy_rests(&part, BORN));
}

Test(policy, what_goes_on_by_itself_does_not_rest)
{
	batch.replay = 1;
	cr_expect_not(policy_rests(&part, BORN));
	batch.replay = 0;
	batch.state = BATCH_CUT;
	cr_expect_not(policy_rests(&part, BORN));
	batch.state = BATCH_COLLECTING;
	batch.messages = 0;
	cr_expect_not(policy_rests(&part, BORN));
	batch.messages = 1;
	part.overtaken = 1;
	cr_expect_not(policy_rests(&part, BORN));
	part.overtaken = 0;
	part.past = &other;
	cr_expect_not(policy_rests(&part, BORN));
	part.past = NULL;
	cr_expect(policy_rests(&part, BORN));
}

Test(policy, nothing_collected_rests_where_no_end_waits_for_its_commit)
{
	part.cur = NULL;
	cr_expect(policy_rests(&part, BORN));
	part.idle_boot_ms = BORN;
	cr_expect_not(policy_rests(&part, BORN));
}
