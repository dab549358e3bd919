/* reader.c: partitions that an answer has no room for, and those of which
 * nothing comes meanwhile. */
#include "tests/unit/core/flow/fetch/fake_link.h"

enum {
	EACH = 10,
	MUCH = 10 * EACH,
	SERVED = 2, /* by an answer */
	FEW = 16,
	LONG = 20, /* logs */
	LATE = RIG_MANY - 1,
	NOTED = 1000
};

/* Requests as they came. */
static struct {
	int count, wait_ms;
} requests[NOTED];
static int request_count;

static void
note(const struct asked_one *asked)
{
	if (request_count == NOTED)
		return;
	requests[request_count].count = asked->count;
	requests[request_count++].wait_ms = asked->wait_ms;
}

static int
requests_now(void)
{
	int count;

	(void)pthread_mutex_lock(&script.lock);
	count = request_count;
	(void)pthread_mutex_unlock(&script.lock);
	return count;
}

/* Ten messages of a partition from where it stands, up to `end`. */
static int
put_ten(struct buf *body, int32_t partition, int64_t offset, int64_t end)
{
	const struct part_answer part = {0, -1, end};
	struct buf records = {0};
	int some = offset < end;

	if (some)
		put_batch(&records, offset, EACH, -1);
	put_part(body, partition, &part, some ? &records : NULL);
	buf_fini(&records);
	return some;
}

static void
put_starved(struct buf *body, int32_t partition, int64_t end)
{
	const struct part_answer part = {0, -1, end};

	put_part(body, partition, &part, NULL);
}

static void
start_all(
    struct rig *rig, int (*answer)(const struct asked_one *, struct buf *))
{
	script.answer = answer;
	rig_open(rig, 1, NULL);
	for (int32_t p = 0; p < RIG_MANY; p++)
		rig_start(rig, p, 0);
}

/* Each message of each partition once and in order. */
static void
hear_until(struct rig *rig, int32_t partition, int64_t next)
{
	while (rig->heard[partition].next < next) {
		struct fetched fetched;
		enum fetched_kind kind = rig_next(rig, &fetched);
		struct heard *heard = fetched.owner;

		cr_assert_neq(kind, FETCHED_ERROR, "%s", fetched.text);
		if (kind == FETCHED_MESSAGE)
			cr_assert_eq(fetched.message.raw.offset, heard->next++);
	}
}

/* ---- all have more than there is room for ---- */

static int
answer_first_ones(const struct asked_one *asked, struct buf *body)
{
	int served = 0;

	note(asked);
	put_head(body, asked->count);
	for (int32_t i = 0; i < asked->count; i++)
		if (served < SERVED)
			served += put_ten(body, asked->partitions[i],
			    asked->offsets[i], MUCH);
		else
			put_starved(body, asked->partitions[i], MUCH);
	return SECOR_OK;
}

Test(turns, few_are_asked_for_where_an_answer_has_no_room_for_all)
{
	struct rig rig;
	int few = 0, all = 0;

	start_all(&rig, answer_first_ones);
	for (int32_t p = 0; p < RIG_MANY; p++)
		hear_until(&rig, p, MUCH);
	rig_close(&rig);
	for (int i = 0; i < request_count; i++) {
		all += requests[i].count > FEW;
		few += requests[i].count <= FEW && requests[i].wait_ms == 0;
	}
	/* in 200 answers there is all of it; a slow machine asks for all more
	 * often */
	cr_expect_gt(few, 0, "%d, and %d for all", few, all);
	cr_expect_gt(all, 0);
}

/* ---- some have always more, another one has something late ---- */

static int late_wanted;

static int
answer_long_logs(const struct asked_one *asked, struct buf *body)
{
	int served = 0;

	put_head(body, asked->count);
	for (int32_t i = 0; i < asked->count; i++) {
		int32_t p = asked->partitions[i];
		int64_t offset = asked->offsets[i];

		if (p == LATE)
			(void)put_ten(body, p, offset, late_wanted ? EACH : 0);
		else if (p >= LONG)
			put_starved(body, p, 0);
		else if (served < SERVED)
			served += put_ten(body, p, offset, offset + MUCH);
		else
			put_starved(body, p, offset + MUCH);
	}
	return SECOR_OK;
}

Test(turns, long_logs_do_not_hold_up_a_partition_of_which_something_comes)
{
	struct rig rig;

	start_all(&rig, answer_long_logs);
	hear_until(&rig, 0, MUCH);
	(void)pthread_mutex_lock(&script.lock);
	late_wanted = 1;
	(void)pthread_mutex_unlock(&script.lock);
	hear_until(&rig, LATE, EACH);
	cr_expect_gt(rig.heard[0].next, MUCH);
	rig_close(&rig);
}

/* ---- more is promised than is ever given ---- */

static int
answer_promises(const struct asked_one *asked, struct buf *body)
{
	note(asked);
	put_head(body, asked->count);
	for (int32_t i = 0; i < asked->count; i++)
		if (asked->offsets[i] < EACH)
			(void)put_ten(body, asked->partitions[i],
			    asked->offsets[i], EACH);
		else
			put_starved(body, asked->partitions[i], MUCH);
	return SECOR_OK;
}

Test(turns, broker_that_promises_more_and_gives_nothing_is_left_to_wait)
{
	struct rig rig;
	int waits = 0, heard;

	start_all(&rig, answer_promises);
	for (int32_t p = 0; p < RIG_MANY; p++)
		hear_until(&rig, p, EACH);
	heard = requests_now();
	while (requests_now() < heard + 20) {
		struct timespec nap = {0, 1000000};

		(void)nanosleep(&nap, NULL);
	}
	rig_close(&rig);
	for (int i = request_count - 10; i < request_count; i++)
		waits += requests[i].wait_ms > 0 && requests[i].count > FEW;
	cr_expect_eq(waits, 10);
}
