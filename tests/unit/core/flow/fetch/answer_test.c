/* answer.c: answers that become large when they are plain, replicas that are
 * damaged or behind, brokers that leave partitions out. */
#include "core/base/clock.h"
#include "tests/unit/core/flow/fetch/batch_make.h"
#include "tests/unit/core/flow/fetch/fake_link.h"

enum { PACKED = 6, PLAIN_EACH = 3 << 20 };

/* ---- much that comes as little ---- */

static int64_t asked_from[100];
static int asked_times;

/* All that there is of both partitions from where the first one stands. */
static int
answer_packed(const struct asked_one *asked, struct buf *body)
{
	static const struct part_answer end = {0, -1, PACKED};
	static struct buf whole;
	struct buf rest = {0};
	static size_t size;

	if (whole.len == 0)
		for (int i = 0; i < PACKED; i++) {
			batch_put_packed(&whole, i, PLAIN_EACH);
			size = i == 0 ? whole.len : size;
		}
	if (asked_times < 100)
		asked_from[asked_times++] = asked->offset;
	if (asked->offset < PACKED)
		buf_put(&rest, whole.ptr + (size_t)asked->offset * size,
		    whole.len - (size_t)asked->offset * size);
	put_answer(body, asked, &end, rest.len > 0 ? &rest : NULL);
	buf_fini(&rest);
	return SECOR_OK;
}

Test(answer, what_becomes_large_is_taken_in_parts)
{
	struct rig rig;
	struct fetched fetched;

	begin(&rig, answer_packed, 0);
	for (int64_t offset = 0; offset < PACKED; offset++)
		expect_message(&rig, offset);
	cr_expect_eq(rig_next(&rig, &fetched), FETCHED_END);
	rig_close(&rig);
	/* 8 MiB are reached by the third */
	cr_assert_gt(asked_times, 2);
	cr_expect_eq(asked_from[1], 3);
	cr_expect_eq(asked_from[2], 6);
}

/* ---- replicas ---- */

/* Where it is read: the leader names broker 2, unless it is asked without a
 * rack. What broker 2 gives is damaged. */
static int
answer_damaged_replica(const struct asked_one *asked, struct buf *body)
{
	static const struct part_answer elsewhere = {0, 2, 10};
	struct buf records = {0};

	if (asked->rack[0] == '\0')
		return answer_ten(asked, body);
	if (asked->port == script.first_port) {
		put_answer(body, asked, &elsewhere, NULL);
		return SECOR_OK;
	}
	put_batch(&records, 0, 5, -1);
	records.ptr[records.len - 1] ^= 1;
	put_answer(body, asked, &GOOD, &records);
	buf_fini(&records);
	return SECOR_OK;
}

Test(answer, damaged_replica_leader_is_asked_next)
{
	struct rig rig;

	script.answer = answer_damaged_replica;
	rig_open(&rig, 2, "r");
	fetch_start(rig.heard[0].part, 0);
	expect_error(&rig, RD_KAFKA_RESP_ERR__BAD_MSG, 0, "checksum");
	for (int64_t offset = 0; offset < 10; offset++)
		expect_message(&rig, offset);
	rig_close(&rig);
}

/* The checksum is right, a record is not. */
static int
answer_damaged_record_of_replica(
    const struct asked_one *asked, struct buf *body)
{
	static const struct part_answer elsewhere = {0, 2, 10};
	struct buf records = {0};

	if (asked->rack[0] == '\0')
		return answer_ten(asked, body);
	if (asked->port == script.first_port) {
		put_answer(body, asked, &elsewhere, NULL);
		return SECOR_OK;
	}
	put_batch(&records, 0, 5, 3);
	put_answer(body, asked, &GOOD, &records);
	buf_fini(&records);
	return SECOR_OK;
}

Test(answer, damaged_record_of_a_replica_leader_is_asked_next)
{
	struct rig rig;

	script.answer = answer_damaged_record_of_replica;
	rig_open(&rig, 2, "r");
	fetch_start(rig.heard[0].part, 0);
	for (int64_t offset = 0; offset < 3; offset++)
		expect_message(&rig, offset);
	expect_error(&rig, RD_KAFKA_RESP_ERR__BAD_MSG, 3, "offset 3");
	for (int64_t offset = 3; offset < 10; offset++)
		expect_message(&rig, offset);
	rig_close(&rig);
}

static int
answer_behind(const struct asked_one *asked, struct buf *body)
{
	static const struct part_answer behind = {0, -1, 5};

	put_answer(body, asked, &behind, NULL);
	return SECOR_OK;
}

Test(answer, end_before_what_was_asked_for_is_said_where_reading_stands)
{
	struct rig rig;
	struct fetched fetched;

	begin(&rig, answer_behind, 8);
	cr_assert_eq(rig_next(&rig, &fetched), FETCHED_END);
	cr_expect_eq(fetched.offset, 8);
	cr_expect_eq(fetched.high, 5);
	rig_close(&rig);
}

/* ---- brokers that leave out what they were asked for ---- */

enum { ENOUGH = 24, DULL_LEAST_MS = 500 };

static int
answer_nothing(const struct asked_one *asked, struct buf *body)
{
	(void)asked;
	put_head(body, 0);
	return SECOR_OK;
}

Test(answer, broker_that_leaves_all_out_is_not_asked_without_a_pause)
{
	struct rig rig;
	struct timespec nap = {0, 1000000};
	int64_t began_ms;
	int requests = 0;

	script.answer = answer_nothing;
	rig_open(&rig, 1, NULL);
	began_ms = clock_boot_ms();
	fetch_start(rig.heard[0].part, 0);
	while (requests < ENOUGH) {
		(void)nanosleep(&nap, NULL);
		(void)pthread_mutex_lock(&script.lock);
		requests = script.requests;
		(void)pthread_mutex_unlock(&script.lock);
	}
	cr_expect_geq(clock_boot_ms() - began_ms, DULL_LEAST_MS);
	rig_close(&rig);
}
