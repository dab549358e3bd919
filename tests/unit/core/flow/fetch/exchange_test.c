/* exchange.c, answer.c, fetch.c with a connection that says what a test wants:
 * what no mock cluster answers. Who leads is librdkafka's mock cluster's. */
#include "tests/unit/core/flow/fetch/fake_link.h"

#include <time.h>

/* ---- good batches ---- */

Test(exchange, offset_within_a_batch_begins_there_and_ends)
{
	struct rig rig;
	struct fetched fetched;

	begin(&rig, answer_ten, 3);
	for (int64_t offset = 3; offset < 10; offset++)
		expect_message(&rig, offset);
	cr_expect_eq(rig_next(&rig, &fetched), FETCHED_END);
	cr_expect_eq(fetched.offset, 10);
	cr_expect_eq(fetched.high, 10);
	rig_close(&rig);
}

/* ---- turns ---- */

/* Which partition was the first of each request for both, in order. */
static int firsts[100], firsts_count;

/* Always ten more of partition 0; ten of partition 1, but the first time only a
 * part of them. */
static int
answer_cut_off(const struct asked_one *asked, struct buf *body)
{
	static int cut;
	struct buf records = {0};

	if (asked->count == 2 && firsts_count < 100)
		firsts[firsts_count++] = asked->partition;
	if (asked->partition == 0 || asked->offset < 10)
		put_batch(&records, asked->offset, 10, -1);
	if (asked->partition == 1 && asked->count == 2 && !cut) {
		cut = 1;
		records.len -= 5;
	}
	put_answer(body, asked, &GOOD, &records);
	buf_fini(&records);
	return SECOR_OK;
}

/* Only the first partition of a request gets a batch that is larger than what
 * is asked for. */
Test(exchange, partition_whose_batch_was_cut_off_stays_first)
{
	struct rig rig;
	struct fetched fetched;
	int messages = 0, at = 0;

	begin(&rig, answer_cut_off, 0);
	fetch_start(rig.heard[1].part, 0);
	while (messages < 10)
		messages += rig_next(&rig, &fetched) == FETCHED_MESSAGE &&
			    fetched.owner == &rig.heard[1];
	rig_close(&rig);
	while (at < firsts_count && firsts[at] != 1)
		at++;
	cr_assert_lt(at + 1, firsts_count);
	cr_expect_eq(firsts[at + 1], 1);
}

/* ---- damage ---- */

static int asked_again; /* for what is damaged */

static int
answer_damaged_record(const struct asked_one *asked, struct buf *body)
{
	struct buf records = {0};

	asked_again += asked->offset == 8;
	put_batch(&records, 0, 5, -1);
	put_batch(&records, 5, 5, 3);
	put_batch(&records, 10, 5, -1);
	put_answer(body, asked, &GOOD, &records);
	buf_fini(&records);
	return SECOR_OK;
}

Test(exchange, damaged_record_is_said_with_all_before_it_and_again)
{
	struct rig rig;

	begin(&rig, answer_damaged_record, 0);
	for (int64_t offset = 0; offset < 8; offset++)
		expect_message(&rig, offset);
	expect_error(&rig, RD_KAFKA_RESP_ERR__BAD_MSG, 8, "offset 8");
	expect_error(&rig, RD_KAFKA_RESP_ERR__BAD_MSG, 8, "offset 8");
	rig_close(&rig);
	cr_expect_gt(asked_again, 0);
}

static int
answer_damaged_batch(const struct asked_one *asked, struct buf *body)
{
	struct buf records = {0};

	put_batch(&records, 0, 5, -1);
	put_batch(&records, 5, 5, -1);
	/* mended the third time that it is asked for */
	if (asked->requests < 4)
		records.ptr[records.len - 1] ^= 1;
	put_answer(body, asked, &GOOD, asked->offset < 10 ? &records : NULL);
	buf_fini(&records);
	return SECOR_OK;
}

Test(exchange, damaged_batch_is_said_until_it_is_good)
{
	struct rig rig;

	begin(&rig, answer_damaged_batch, 0);
	for (int64_t offset = 0; offset < 5; offset++)
		expect_message(&rig, offset);
	expect_error(&rig, RD_KAFKA_RESP_ERR__BAD_MSG, 5, "offset 5");
	expect_error(&rig, RD_KAFKA_RESP_ERR__BAD_MSG, 5, "checksum");
	for (int64_t offset = 5; offset < 10; offset++)
		expect_message(&rig, offset);
	rig_close(&rig);
}

static int
answer_old_format(const struct asked_one *asked, struct buf *body)
{
	struct buf records = {0};

	put_batch(&records, 0, 5, -1);
	records.ptr[16] = 1;
	put_answer(body, asked, &GOOD, &records);
	buf_fini(&records);
	return SECOR_OK;
}

Test(exchange, format_that_is_not_known_is_unsupported)
{
	struct rig rig;

	begin(&rig, answer_old_format, 0);
	expect_error(
	    &rig, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, 0, "partition 0");
	rig_close(&rig);
}

/* A length that is beyond what there is, twice. */
static int
answer_too_long(const struct asked_one *asked, struct buf *body)
{
	struct buf records = {0};

	if (asked->requests > 2)
		return answer_ten(asked, body);
	put_batch(&records, 0, 5, -1);
	records.len -= 3;
	put_answer(body, asked, &GOOD, &records);
	buf_fini(&records);
	return SECOR_OK;
}

Test(exchange, length_that_is_too_large_is_said_and_asked_for_again)
{
	struct rig rig;

	begin(&rig, answer_too_long, 0);
	expect_error(&rig, RD_KAFKA_RESP_ERR__BAD_MSG, 0, "length");
	for (int64_t offset = 0; offset < 10; offset++)
		expect_message(&rig, offset);
	rig_close(&rig);
}

/* ---- the connection ---- */

Test(exchange, login_that_is_refused_to_us_alone_is_said)
{
	struct rig rig;
	struct fetched fetched;

	script.open_failures = 1000;
	script.open_rc = SECOR_FATAL;
	begin(&rig, answer_ten, 0);
	cr_assert_eq(rig_next(&rig, &fetched), FETCHED_ERROR);
	cr_expect_null(fetched.owner);
	cr_expect_eq(fetched.error, RD_KAFKA_RESP_ERR__AUTHENTICATION);
	cr_expect_not_null(strstr(fetched.text, "refused"));
	rig_close(&rig);
}

static int32_t waits_ms[2]; /* of the first request and the last */

static int
answer_and_note_wait(const struct asked_one *asked, struct buf *body)
{
	waits_ms[asked->requests > 1] = asked->wait_ms;
	return answer_ten(asked, body);
}

/* A start of others meanwhile would wait for its end. */
Test(exchange, first_request_after_a_start_does_not_wait_for_messages)
{
	struct rig rig;
	struct fetched fetched;

	waits_ms[0] = -1;
	begin(&rig, answer_and_note_wait, 0);
	for (int64_t offset = 0; offset < 10; offset++)
		expect_message(&rig, offset);
	cr_expect_eq(rig_next(&rig, &fetched), FETCHED_END);
	rig_close(&rig);
	cr_expect_eq(waits_ms[0], 0);
	cr_expect_gt(waits_ms[1], 0);
}

Test(exchange, broker_without_a_version_in_common_is_said_of_no_partition)
{
	struct rig rig;
	struct fetched fetched;

	script.version = 12;
	begin(&rig, answer_ten, 0);
	cr_assert_eq(rig_next(&rig, &fetched), FETCHED_ERROR);
	cr_expect_null(fetched.owner);
	cr_expect_eq(fetched.error, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE);
	cr_expect_eq(fetched.offset, -1);
	cr_expect_not_null(fetched.text);
	rig_close(&rig);
}

/* Breaks, then garbage, then what is cut off, then the ten. */
static int
answer_at_last(const struct asked_one *asked, struct buf *body)
{
	if (asked->requests == 1)
		return SECOR_RETRY;
	if (asked->requests == 2) {
		buf_puts(body, "this is not an answer");
		return SECOR_OK;
	}
	(void)answer_ten(asked, body);
	if (asked->requests == 3)
		body->len--;
	return SECOR_OK;
}

Test(exchange, broken_connections_and_garbage_lose_nothing)
{
	struct rig rig;

	script.open_failures = 3;
	begin(&rig, answer_at_last, 0);
	for (int64_t offset = 0; offset < 10; offset++)
		expect_message(&rig, offset);
	cr_expect_eq(script.opens, 3 + 4);
	rig_close(&rig);
}

static int
answer_never(const struct asked_one *asked, struct buf *body)
{
	(void)asked;
	(void)body;
	return -1;
}

Test(exchange, close_breaks_off_what_is_awaited)
{
	struct rig rig;
	int requests = 0;

	begin(&rig, answer_never, 0);
	while (requests == 0) {
		struct timespec t = {0, 1000000};

		(void)nanosleep(&t, NULL);
		(void)pthread_mutex_lock(&script.lock);
		requests = script.requests;
		(void)pthread_mutex_unlock(&script.lock);
	}
	rig_close(&rig);
}

/* ---- replicas ---- */

/* The leader names a broker that is not there, but not without a rack. */
static int
answer_elsewhere(const struct asked_one *asked, struct buf *body)
{
	static const struct part_answer elsewhere = {0, 77, 10};

	if (asked->rack[0] == '\0')
		return answer_ten(asked, body);
	put_answer(body, asked, &elsewhere, NULL);
	return SECOR_OK;
}

Test(exchange, replica_that_is_not_there_leader_is_asked_without_a_rack)
{
	struct rig rig;

	begin(&rig, answer_elsewhere, 0);
	for (int64_t offset = 0; offset < 10; offset++)
		expect_message(&rig, offset);
	rig_close(&rig);
}
