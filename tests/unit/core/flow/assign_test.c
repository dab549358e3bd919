/*
 * assign_test.c -- how librdkafka is told of an assignment: the engine against
 * a mock broker, with what it calls looked at in between.
 *
 * librdkafka makes the beginning of a partition void when a pause, a resume or
 * a seek meets it: the partition never flows, and nothing says so. That takes a
 * thread that is interrupted between two instructions, so no test can wait for
 * it. What rules it out can be seen: whether the call of rd_kafka_assign() has
 * anything to wait for, so that partitions begin later, beside what follows.
 */
#include "tests/unit/helpers/mock_service.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <string.h>
#include <time.h>

MOCK_SIDE_BY_SIDE

static struct mock_service s;

/* Of the engine's thread, but for reading them when it has ended. */
static int commits_out;
static int commits;
static int commits_first; /* sent before the first assignment was given */
static int reading;	  /* partitions of the assignment that librdkafka has */
static int questions;	  /* asked since it got an empty one */
static int begun, with_commits_out, over_another, resumed_behind;
static int fresh; /* nothing was taken in since the assignment */

/* What librdkafka does when topics come or grow while it waits for us, which a
 * mock broker cannot time: it gives an assignment without a revoke before, and
 * has the generation of the next one already. */
static _Atomic(rd_kafka_topic_partition_list_t *) given;
static _Atomic int next_generation;
static _Atomic int commits_of_next_generation;

/* What the client's error callback does, and what became of it. */
static _Atomic int all_down;
static _Atomic int said_down;

enum { STOP_TURNS = 3 }; /* of librdkafka's thread, until readers are gone */

/* ---- between the engine and librdkafka ---- */

#define REAL(name) (__extension__(__typeof__(&(name))) dlsym(RTLD_NEXT, #name))

rd_kafka_resp_err_t
rd_kafka_assign(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
	if (list != NULL && list->cnt > 0) {
		begun++;
		commits_first = begun == 1 ? commits : commits_first;
		with_commits_out += commits_out > 0;
		over_another += reading > 0 || questions < STOP_TURNS;
		fresh = 1;
	} else {
		/* an answer to a revoke: librdkafka waits before it joins */
		questions = list == NULL ? STOP_TURNS : 0;
	}
	reading = list == NULL ? 0 : list->cnt;
	return REAL(rd_kafka_assign)(rk, list);
}

rd_kafka_resp_err_t
rd_kafka_assignment(rd_kafka_t *rk, rd_kafka_topic_partition_list_t **list)
{
	questions++;
	return REAL(rd_kafka_assignment)(rk, list);
}

rd_kafka_resp_err_t
rd_kafka_resume_partitions(
    rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
	resumed_behind += fresh;
	return REAL(rd_kafka_resume_partitions)(rk, list);
}

ssize_t
rd_kafka_consume_batch_queue(rd_kafka_queue_t *queue, int timeout_ms,
    rd_kafka_message_t **messages, size_t room)
{
	rd_kafka_topic_partition_list_t *list = atomic_exchange(&given, NULL);

	if (list != NULL) {
		on_rebalance(s.engine->rk, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS,
		    list, s.engine);
		rd_kafka_topic_partition_list_destroy(list);
	}
	fresh = 0;
	if (atomic_exchange(&all_down, 0))
		s.engine->brokers_down = 1;
	atomic_store(&said_down, s.engine->brokers_down);
	return REAL(rd_kafka_consume_batch_queue)(
	    queue, timeout_ms, messages, room);
}

rd_kafka_resp_err_t
rd_kafka_commit_queue(rd_kafka_t *rk,
    const rd_kafka_topic_partition_list_t *offsets, rd_kafka_queue_t *queue,
    void (*cb)(rd_kafka_t *rk, rd_kafka_resp_err_t err,
	rd_kafka_topic_partition_list_t *offsets, void *opaque),
    void *opaque)
{
	commits_out++;
	commits++;
	atomic_fetch_add(
	    &commits_of_next_generation, atomic_load(&next_generation));
	return REAL(rd_kafka_commit_queue)(rk, offsets, queue, cb, opaque);
}

rd_kafka_consumer_group_metadata_t *
rd_kafka_consumer_group_metadata(rd_kafka_t *rk)
{
	if (atomic_load(&next_generation))
		return rd_kafka_consumer_group_metadata_new_with_genid(
		    "g", 1000, "member", NULL);
	return REAL(rd_kafka_consumer_group_metadata)(rk);
}

rd_kafka_event_t *
rd_kafka_queue_poll(rd_kafka_queue_t *queue, int timeout_ms)
{
	rd_kafka_event_t *event = REAL(rd_kafka_queue_poll)(queue, timeout_ms);

	if (event != NULL &&
	    rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT)
		commits_out--;
	return event;
}

/* ---- tests ---- */

static void
begin(int partitions)
{
	questions = STOP_TURNS;
	mock_fetch = CONFIG_FETCH_LIBRDKAFKA;
	mock_begin(&s, partitions);
}

static void
end(int assignments)
{
	engine_hold_end(s.engine);
	mock_end(&s);
	cr_assert_eq(begun, assignments, "begun: %d", begun);
	cr_assert_eq(with_commits_out, 0);
	cr_assert_eq(over_another, 0);
	cr_assert_eq(resumed_behind, 0);
}

static struct hold
ask(enum hold_verb verb, int32_t partition, uint64_t epoch)
{
	struct hold hold = {
	    .verb = verb, .partition = partition, .epoch = epoch};

	(void)snprintf(hold.topic, sizeof(hold.topic), MOCK_TOPIC);
	memcpy(hold.g, s.engine->g, sizeof(hold.g));
	engine_hold(s.engine, &hold);
	cr_assert_eq(hold.status, SECOR_OK, "%s", hold.text);
	return hold;
}

/* The partitions before `count`, without a revoke. */
static void
give(int32_t count)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(count);

	for (int32_t p = 0; p < count; p++)
		(void)rd_kafka_topic_partition_list_add(list, MOCK_TOPIC, p);
	atomic_store(&given, list);
}

Test(assign, new_partitions_begin_in_the_call, .timeout = 240)
{
	begin(3);
	end(1);
}

/* Killed a moment later, the next process must not begin elsewhere. */
Test(assign, new_partitions_commit_their_places_before, .timeout = 240)
{
	begin(3);
	end(1);
	cr_assert_eq(commits_first, 3, "sent: %d", commits_first);
}

Test(assign, given_anew_begins_in_the_call, .timeout = 240)
{
	begin(3);
	for (int32_t p = 0; p < 3; p++) {
		struct hold taken = ask(HOLD_TAKE, p, 0);

		/* the others commit meanwhile */
		for (int32_t other = 0; other < 3; other++)
			mock_produce(&s, other, 20);
		(void)ask(HOLD_RELEASE, p, taken.epoch);
	}
	for (int32_t p = 0; p < 3; p++)
		mock_wait_done(&s, p);
	end(4);
}

Test(assign, after_a_rejoin_begins_in_the_call, .timeout = 240)
{
	begin(1);
	rd_kafka_mock_push_request_errors(s.cluster, MOCK_OFFSET_COMMIT, 1,
	    RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
	mock_produce(&s, 0, 20);
	mock_wait_metric(s.engine->metrics.rebalances, 1);
	mock_wait_done(&s, 0);
	end(2);
}

Test(assign, without_a_revoke_ends_what_was_before, .timeout = 240)
{
	begin(2);
	give(1);
	mock_wait_away(&s, 1);
	mock_produce(&s, 0, 20);
	mock_wait_done(&s, 0);
	end(2);
}

Test(assign, commit_is_not_sent_under_another_generation, .timeout = 240)
{
	begin(1);
	atomic_store(&next_generation, 1);
	mock_produce(&s, 0, 20);
	mock_wait_away(&s, 0);
	cr_assert_eq(atomic_load(&commits_of_next_generation), 0);
	atomic_store(&next_generation, 0);
	give(1);
	mock_wait_done(&s, 0);
	end(2);
}

static void
wait_said_down(int down)
{
	const struct timespec nap = {0, 10000000};

	for (int i = 0; i < 6000 && atomic_load(&said_down) != down; i++)
		(void)nanosleep(&nap, NULL);
	cr_assert_eq(atomic_load(&said_down), down);
}

/* A revoke of next week is not for them. */
Test(assign, brokers_that_answer_again_are_not_down, .timeout = 240)
{
	begin(1);
	atomic_store(&all_down, 1);
	wait_said_down(1);
	mock_produce(&s, 0, 20);
	mock_wait_done(&s, 0);
	wait_said_down(0);
	end(1);
}
