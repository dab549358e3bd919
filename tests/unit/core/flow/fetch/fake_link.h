/*
 * fake_link.h -- in the place of link.c: a connection that says what a test
 * wants, which no mock cluster does. Who leads is librdkafka's mock cluster's.
 * Included by a test alone; what is here is that test's.
 */
#ifndef TESTS_UNIT_FAKE_LINK_H
#define TESTS_UNIT_FAKE_LINK_H

#include "core/base/hash.h"
#include "core/flow/fetch/link.h"
#include "core/flow/fetch/wire.h"
#include "tests/unit/core/flow/fetch/fetch_rig.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- the connection ---- */

/* A request, and what was asked for of its first partition. */
struct asked_one {
	int32_t wait_ms, max_bytes, partition, count;
	int64_t offset;
	int32_t partitions[RIG_MANY]; /* of all */
	int64_t offsets[RIG_MANY];
	char rack[16];
	int requests; /* with this one */
	int port;
};

/* What was asked of the log's epochs: of the first partition. */
struct asked_epoch {
	int32_t partition, epoch, count;
	int requests; /* with this one */
	int port;
};

/* What the broker answers. `answer` and `epochs` write the body, `answer`
 * returns a status. */
static struct {
	pthread_mutex_t lock;
	int version, opens, open_failures, requests;
	int open_rc;	/* of those failures */
	int first_port; /* that was connected to */
	int (*answer)(const struct asked_one *asked, struct buf *body);
	int validations;
	void (*epochs)(const struct asked_epoch *asked, struct buf *body);
} script = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .version = 11, .open_rc = SECOR_RETRY};

struct link {
	struct asked_one asked;
	struct asked_epoch asked_epoch;
	int api; /* that was sent last */
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
	(void)pthread_mutex_lock(&script.lock);
	script.opens++;
	if (script.first_port == 0)
		script.first_port = port;
	fails = script.open_failures > 0;
	script.open_failures -= fails;
	(void)pthread_mutex_unlock(&script.lock);
	if (fails)
		return secor_fail(err, script.open_rc, "refused");
	*link = mem_alloc(sizeof(**link));
	(*link)->stop_fd = stop_fd;
	(*link)->asked.port = (*link)->asked_epoch.port = port;
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
	(void)pthread_mutex_lock(&script.lock);
	version = script.version;
	if (api == API_OFFSET_FOR_LEADER_EPOCH)
		version = script.epochs == NULL ? -1 : 3;
	else
		cr_assert_eq(api, API_FETCH);
	(void)pthread_mutex_unlock(&script.lock);
	return version < least || version > most ? -1 : version;
}

int
link_expired(const struct link *link)
{
	(void)link;
	return 0;
}

static void
read_epoch_request(struct asked_epoch *asked, struct wire *in)
{
	cr_assert_eq(wire_int32(in), -1);
	cr_assert_eq(wire_int32(in), 1);
	(void)wire_string(in);
	asked->count = wire_int32(in);
	asked->partition = wire_int32(in);
	wire_skip(in, 4);
	asked->epoch = wire_int32(in);
	cr_assert_not(in->bad);
}

int
link_send(struct link *link, int api, int version, const struct buf *body,
    struct secor_err *err)
{
	struct wire in = {body->ptr, body->ptr + body->len, 0};
	struct wire_bytes rack;

	(void)err;
	link->api = api;
	if (api == API_OFFSET_FOR_LEADER_EPOCH) {
		read_epoch_request(&link->asked_epoch, &in);
		return SECOR_OK;
	}
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
		cr_assert_lt(i, RIG_MANY);
		link->asked.partitions[i] = partition;
		link->asked.offsets[i] = offset;
	}
	link->asked.partition = link->asked.partitions[0];
	link->asked.offset = link->asked.offsets[0];
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
	if (link->api == API_OFFSET_FOR_LEADER_EPOCH) {
		link->asked_epoch.requests = ++script.validations;
		script.epochs(&link->asked_epoch, answer);
		rc = SECOR_OK;
	} else {
		link->asked.requests = ++script.requests;
		rc = script.answer(&link->asked, answer);
	}
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

/* An answer up to its first partition, of `count`. */
static void
put_head(struct buf *body, int32_t count)
{
	wire_put_int32(body, 0);
	wire_put_int16(body, 0);
	wire_put_int32(body, 0);
	wire_put_int32(body, 1);
	wire_put_string(body, RIG_TOPIC);
	wire_put_int32(body, count);
}

static void
put_part(struct buf *body, int32_t partition, const struct part_answer *part,
    const struct buf *records)
{
	wire_put_int32(body, partition);
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
put_answer(struct buf *body, const struct asked_one *asked,
    const struct part_answer *part, const struct buf *records)
{
	put_head(body, 1);
	put_part(body, asked->partition, part, records);
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

/* `count` records from `base` on, of the leader's epoch; the one of `bad` (-1:
 * none) is damaged, the checksum is right all the same. */
static void
put_batch_of(struct buf *out, int32_t epoch, int64_t base, int count, int bad)
{
	size_t at = out->len, crc_at;

	wire_put_int64(out, base);
	wire_put_int32(out, 0);
	wire_put_int32(out, epoch);
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

static inline void
put_batch(struct buf *out, int64_t base, int count, int bad)
{
	put_batch_of(out, -1, base, count, bad);
}

/* ---- what is read of partition 0 ---- */

static inline void
begin(struct rig *rig,
    int (*answer)(const struct asked_one *asked, struct buf *body),
    int64_t offset)
{
	script.answer = answer;
	rig_open(rig, 1, "r");
	fetch_start(rig->heard[0].part, offset);
}

static inline void
expect_message(struct rig *rig, int64_t offset)
{
	struct fetched fetched;

	cr_assert_eq(rig_next(rig, &fetched), FETCHED_MESSAGE);
	cr_assert_eq(fetched.owner, &rig->heard[0]);
	cr_assert_eq(fetched.message.raw.offset, offset, "%lld, not %lld",
	    (long long)fetched.message.raw.offset, (long long)offset);
}

static inline void
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

static const struct part_answer GOOD = {0, -1, 10};

/* Ten messages, two batches; nothing more. */
static inline int
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

#endif
