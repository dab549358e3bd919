/* exchange.c, answer.c, fetch.c with a connection that says what a test wants:
 * what no mock cluster answers. Who leads is librdkafka's mock cluster's. */
#include "core/base/hash.h"
#include "core/flow/fetch/link.h"
#include "core/flow/fetch/wire.h"
#include "tests/unit/core/flow/fetch/fetch_rig.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the connection ---- */

/* What was asked for of the first partition of a request. */
struct asked_one {
	int32_t wait_ms, max_bytes, partition, count;
	int64_t offset;
	char rack[16];
	int requests; /* with this one */
};

/* What the broker answers. `answer` writes the body and returns a status. */
static struct {
	pthread_mutex_t lock;
	int version, opens, open_failures, requests;
	int open_rc; /* of those failures */
	int (*answer)(const struct asked_one *asked, struct buf *body);
} script = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .version = 11, .open_rc = SECOR_RETRY};

struct link {
	struct asked_one asked;
	int stop_fd;
};

int
link_conf_new(rd_kafka_t *rk, struct login *login, struct link_conf **conf,
    struct secor_err *err)
{
	(void)rk;
	(void)login;
	(void)err;
	*conf = NULL;
	return SECOR_OK;
}

void
link_conf_free(struct link_conf *conf)
{
	(void)conf;
}

int
link_open(const struct link_conf *conf, const char *host, int port, int stop_fd,
    struct link **link, struct secor_err *err)
{
	int fails;

	(void)conf;
	(void)host;
	(void)port;
	(void)pthread_mutex_lock(&script.lock);
	script.opens++;
	fails = script.open_failures > 0;
	script.open_failures -= fails;
	(void)pthread_mutex_unlock(&script.lock);
	if (fails)
		return secor_fail(err, script.open_rc, "refused");
	*link = mem_alloc(sizeof(**link));
	(*link)->stop_fd = stop_fd;
	return SECOR_OK;
}

void
link_close(struct link *link)
{
	free(link);
}

int
link_version(const struct link *link, int api, int least, int most)
{
	int version;

	(void)link;
	cr_assert_eq(api, API_FETCH);
	(void)pthread_mutex_lock(&script.lock);
	version = script.version;
	(void)pthread_mutex_unlock(&script.lock);
	return version < least || version > most ? -1 : version;
}

int
link_expired(const struct link *link)
{
	(void)link;
	return 0;
}

int
link_send(struct link *link, int api, int version, const struct buf *body,
    struct secor_err *err)
{
	struct wire in = {body->ptr, body->ptr + body->len, 0};
	struct wire_bytes rack;

	(void)api;
	(void)err;
	cr_assert_eq(version, 11);
	wire_skip(&in, 4);
	link->asked.wait_ms = wire_int32(&in);
	wire_skip(&in, 4);
	link->asked.max_bytes = wire_int32(&in);
	wire_skip(&in, 1 + 8);
	cr_assert_eq(wire_int32(&in), 1);
	(void)wire_string(&in);
	link->asked.count = wire_int32(&in);
	for (int32_t i = 0; i < link->asked.count; i++) {
		int32_t partition = wire_int32(&in);
		int64_t offset;

		wire_skip(&in, 4);
		offset = wire_int64(&in);
		wire_skip(&in, 12);
		if (i > 0)
			continue;
		link->asked.partition = partition;
		link->asked.offset = offset;
	}
	(void)wire_int32(&in);
	rack = wire_string(&in);
	cr_assert_not(in.bad);
	cr_assert_lt(rack.len, sizeof(link->asked.rack));
	memset(link->asked.rack, 0, sizeof(link->asked.rack));
	memcpy(link->asked.rack, rack.ptr, rack.len);
	return SECOR_OK;
}

int
link_receive(struct link *link, int64_t timeout_ms, struct buf *answer,
    struct secor_err *err)
{
	struct pollfd stop = {.fd = link->stop_fd, .events = POLLIN};
	int rc;

	(void)timeout_ms;
	answer->len = 0;
	(void)pthread_mutex_lock(&script.lock);
	link->asked.requests = ++script.requests;
	rc = script.answer(&link->asked, answer);
	(void)pthread_mutex_unlock(&script.lock);
	if (rc == SECOR_OK)
		return rc;
	/* negative: nothing comes at all */
	if (rc < 0)
		(void)poll(&stop, 1, -1);
	return secor_fail(err, SECOR_RETRY, "broken");
}

/* ---- what it answers ---- */

struct part_answer {
	int16_t error;
	int32_t preferred;
	int64_t end;
};

static void
put_answer(struct buf *body, const struct asked_one *asked,
    const struct part_answer *part, const struct buf *records)
{
	wire_put_int32(body, 0);
	wire_put_int16(body, 0);
	wire_put_int32(body, 0);
	wire_put_int32(body, 1);
	wire_put_string(body, RIG_TOPIC);
	wire_put_int32(body, 1);
	wire_put_int32(body, asked->partition);
	wire_put_int16(body, part->error);
	wire_put_int64(body, part->end);
	wire_put_int64(body, part->end);
	wire_put_int64(body, 0);
	wire_put_int32(body, 0);
	wire_put_int32(body, part->preferred);
	if (records == NULL)
		wire_put_int32(body, -1);
	else
		wire_put_bytes(body, records->ptr, records->len);
}

static void
put_record(struct buf *out, int delta)
{
	static const char empty[] = {12, 0, 0};

	/* length 6: attributes, time, delta, no key, no value, no headers */
	buf_put(out, empty, sizeof(empty));
	buf_putc(out, (char)(2 * delta));
	buf_put(out, "\x01\x01", 2);
	buf_putc(out, 0);
}

/* `count` records from `base` on; the one of `bad` (-1: none) is damaged, the
 * checksum is right all the same. */
static void
put_batch(struct buf *out, int64_t base, int count, int bad)
{
	size_t at = out->len, crc_at;

	wire_put_int64(out, base);
	wire_put_int32(out, 0);
	wire_put_int32(out, -1);
	wire_put_int8(out, 2);
	crc_at = out->len;
	wire_put_int32(out, 0);
	wire_put_int16(out, 0);
	wire_put_int32(out, count - 1);
	wire_put_int64(out, 1);
	wire_put_int64(out, 1);
	wire_put_int64(out, -1);
	wire_put_int16(out, -1);
	wire_put_int32(out, -1);
	wire_put_int32(out, count);
	for (int i = 0; i < count; i++) {
		put_record(out, i);
		if (i == bad)
			out->ptr[out->len - 7] = 0; /* its length */
	}
	wire_set_int32(out, at + 8, (int32_t)(out->len - at - 12));
	wire_set_int32(out, crc_at,
	    (int32_t)crc32c_add(
		0, out->ptr + crc_at + 4, out->len - crc_at - 4));
}

/* ---- what is read of partition 0 ---- */

static void
begin(struct rig *rig,
    int (*answer)(const struct asked_one *asked, struct buf *body),
    int64_t offset)
{
	script.answer = answer;
	rig_open(rig, 1, "r");
	fetch_start(rig->heard[0].part, offset);
}

static void
expect_message(struct rig *rig, int64_t offset)
{
	struct fetched fetched;

	cr_assert_eq(rig_next(rig, &fetched), FETCHED_MESSAGE);
	cr_assert_eq(fetched.owner, &rig->heard[0]);
	cr_assert_eq(fetched.message.raw.offset, offset, "%lld, not %lld",
	    (long long)fetched.message.raw.offset, (long long)offset);
}

static void
expect_error(struct rig *rig, rd_kafka_resp_err_t error, int64_t offset,
    const char *names)
{
	struct fetched fetched;

	cr_assert_eq(rig_next(rig, &fetched), FETCHED_ERROR);
	cr_assert_eq(fetched.owner, &rig->heard[0]);
	cr_assert_eq(fetched.error, error, "%s", fetched.text);
	cr_assert_eq(fetched.offset, offset);
	cr_assert_not_null(strstr(fetched.text, names), "%s", fetched.text);
	cr_assert_not_null(strstr(fetched.text, RIG_TOPIC), "%s", fetched.text);
}

/* ---- good batches ---- */

static const struct part_answer GOOD = {0, -1, 10};

/* Ten messages, two batches; nothing more. */
static int
answer_ten(const struct asked_one *asked, struct buf *body)
{
	struct buf records = {0};

	if (asked->offset < 10) {
		put_batch(&records, 0, 5, -1);
		put_batch(&records, 5, 5, -1);
	}
	put_answer(body, asked, &GOOD, asked->offset < 10 ? &records : NULL);
	buf_fini(&records);
	return SECOR_OK;
}

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
