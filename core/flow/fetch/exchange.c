/*
 * exchange.c -- one request to a broker and its answer, over a connection that
 * is made when there is none. What goes wrong is said once a minute.
 */
#include "core/flow/fetch/fetch_inside.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <stdlib.h>
#include <string.h>

enum {
	SAME_COMPLAINT_MS = 60 * 1000,
	DULL_MOST = 4, /* answers in a row that have nothing and come at once */
	DULL_WAIT_MS = 50
};

/* Of an answer when it is decompressed: less is asked for where it is more. */
#define PLAIN_BYTES (2 << 20)
#define LEAST_BYTES (64 << 10)

/* ---- the connection ---- */

void
exchange_hang_up(struct reader *reader)
{
	if (reader->link == NULL)
		return;
	link_close(reader->link);
	reader->link = NULL;
	reader->answered = 0;
	metric_add(reader->fetch->metrics.connections, -1);
}

static int
connect_anew(struct reader *reader, struct secor_err *err)
{
	struct fetch *fetch = reader->fetch;
	int rc;

	exchange_hang_up(reader);
	reader->anew = 0;
	rc = link_open(fetch->link_conf, reader->dial, reader->dial_port,
	    reader->break_fd, &reader->link, err);
	if (rc != SECOR_OK)
		reader->link = NULL;
	else
		metric_add(fetch->metrics.connections, 1);
	return rc;
}

static int
send_request(struct reader *reader, int version, struct secor_err *err)
{
	const struct fetch *fetch = reader->fetch;
	const struct request request = {.version = version,
	    /* others may be started in this moment, or were not asked for:
	     * they do not wait for it */
	    .wait_ms = reader->fresh || reader->few ? 0 : fetch->wait_ms,
	    .min_bytes = fetch->min_bytes,
	    .max_bytes = reader->max_bytes,
	    .partition_bytes = reader->max_bytes < fetch->partition_bytes
				   ? reader->max_bytes
				   : fetch->partition_bytes,
	    .rack = reader->leader_alone ? NULL : fetch->rack,
	    .asks = reader->asks,
	    .count = reader->asked_count};

	reader->body.len = 0;
	request_write(&request, &reader->body);
	return link_send(reader->link, API_FETCH, version, &reader->body, err);
}

/* One request and its answer. */
static int
ask_once(struct reader *reader, struct answer *answer, int version,
    struct secor_err *err)
{
	const struct fetch *fetch = reader->fetch;
	int rc = send_request(reader, version, err);

	if (rc == SECOR_OK)
		rc = link_receive(
		    reader->link, fetch->timeout_ms, &answer->bytes, err);
	if (rc != SECOR_OK)
		return rc;
	metric_add(fetch->metrics.requests, 1);
	metric_add(fetch->metrics.bytes, (int64_t)answer->bytes.len);
	rc = answer_read(answer, version, err);
	return rc == SECOR_OK ? validate(reader, answer, err) : rc;
}

/* ---- when it fails ---- */

static int64_t
back_off(struct reader *reader)
{
	const struct fetch *fetch = reader->fetch;
	int64_t ms = fetch->reconnect_ms;

	for (int i = 1; i < reader->failures && ms < fetch->reconnect_max_ms;
	     i++)
		ms *= 2;
	if (ms > fetch->reconnect_max_ms)
		ms = fetch->reconnect_max_ms;
	reader->lot = reader->lot * 1103515245u + 12345u;
	return ms * (80 + (reader->lot >> 16) % 41) / 100;
}

static void
complain(struct reader *reader, int level, const char *why, int64_t now_ms)
{
	char quoted[1024];

	if (reader->said != NULL && strcmp(reader->said, why) == 0 &&
	    now_ms - reader->said_ms < SAME_COMPLAINT_MS)
		return;
	free(reader->said);
	reader->said = mem_dup(why, strlen(why));
	reader->said_ms = now_ms;
	log_line(level, "fetch connection failed",
	    "broker=%d reason=%s next=retry", (int)reader->id,
	    log_quote(quoted, sizeof(quoted), why));
}

static void
works(struct reader *reader)
{
	if (reader->failures > 0)
		log_line(SECOR_INFO, "fetch connection works", "broker=%d",
		    (int)reader->id);
	reader->failures = reader->refusals = 0;
	reader->answered = 1;
}

static int
breaks_off(struct reader *reader)
{
	struct fetch *fetch = reader->fetch;
	int breaks;

	(void)pthread_mutex_lock(&fetch->lock);
	breaks = fetch->closing || reader->leave || reader->moved;
	(void)pthread_mutex_unlock(&fetch->lock);
	return breaks;
}

/* A connection that was good may end at any time: that is no failure, unless
 * the next one is. Returns how long to wait. */
static int64_t
fail(struct reader *reader, int rc, const char *why, int64_t took_ms)
{
	int was_good = reader->answered && took_ms < reader->fetch->timeout_ms;

	exchange_hang_up(reader);
	if (was_good || breaks_off(reader))
		return 0;
	reader->failures++;
	if (rc != SECOR_FATAL)
		reader->refusals = 0;
	else if (reader->refusals++ == 0)
		reader->refused_ms = clock_boot_ms();
	fetch_count_error("connection");
	complain(reader, rc == SECOR_RETRY ? SECOR_WARN : SECOR_ERROR, why,
	    clock_boot_ms());
	return back_off(reader);
}

/* ---- all of it ---- */

static int
link_is_good(const struct reader *reader)
{
	return reader->link != NULL && !reader->anew &&
	       !link_expired(reader->link);
}

static struct result
refused_version(struct reader *reader, struct answer *answer)
{
	struct secor_err err;

	(void)secor_fail(&err, SECOR_FATAL,
	    "broker %d takes no Fetch of versions %d to %d", (int)reader->id,
	    (int)FETCH_LEAST, (int)FETCH_MOST);
	answer_say(answer, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, err.text);
	exchange_hang_up(reader);
	return (struct result){SECOR_FATAL, reader->fetch->reconnect_max_ms};
}

/* The whole answer is an error, and nothing is said of partitions. */
static struct result
refused(struct reader *reader, const struct answer *answer)
{
	rd_kafka_resp_err_t error = (rd_kafka_resp_err_t)answer->replies.error;

	reader->failures++;
	fetch_count_error(rd_kafka_err2name(error));
	complain(reader, SECOR_WARN, rd_kafka_err2str(error), clock_boot_ms());
	return (struct result){SECOR_RETRY, back_off(reader)};
}

/* So much of it comes to PLAIN_BYTES. */
static void
size_up(struct reader *reader, const struct answer *answer)
{
	int64_t bytes = (int64_t)answer->bytes.len;
	int64_t plain = (int64_t)answer->plain_bytes;
	int64_t most = reader->fetch->max_bytes;

	if (plain > 0 && bytes * PLAIN_BYTES / plain < most)
		most = bytes * PLAIN_BYTES / plain;
	if (most < LEAST_BYTES && LEAST_BYTES < reader->fetch->max_bytes)
		most = LEAST_BYTES;
	reader->max_bytes = (int32_t)most;
}

/* A broker that has nothing takes its time to say so, else it is not asked all
 * the time. */
static int64_t
dull_wait(struct reader *reader, const struct answer *answer, int64_t took_ms)
{
	int dull = took_ms < reader->fetch->wait_ms / 2;

	/* those that were just started want to hear at once: once */
	if (reader->fresh && answer->replies.count >= reader->asked_count)
		dull = 0;
	for (size_t i = 0; dull && i < answer->replies.count; i++)
		dull = answer->replies.items[i].len == 0;
	reader->dull = dull ? reader->dull + 1 : 0;
	return reader->dull > DULL_MOST ? DULL_WAIT_MS : 0;
}

/* How long to wait until the next request. */
static int64_t
rest(struct reader *reader, const struct answer *answer, int version,
    int64_t took_ms)
{
	int64_t ms = dull_wait(reader, answer, took_ms);

	/* before version 8 the broker itself had waited */
	if (version >= 8 && answer->replies.throttle_ms > ms)
		ms = answer->replies.throttle_ms;
	return ms;
}

struct result
exchange(struct reader *reader, struct answer *answer)
{
	struct secor_err err = {""};
	int64_t began_ms = clock_boot_ms(), took_ms;
	int rc = SECOR_OK, version = FETCH_LEAST;

	if (!link_is_good(reader))
		rc = connect_anew(reader, &err);
	if (rc == SECOR_OK) {
		version = link_version(
		    reader->link, API_FETCH, FETCH_LEAST, FETCH_MOST);
		if (version < 0)
			return refused_version(reader, answer);
		rc = ask_once(reader, answer, version, &err);
	}
	took_ms = clock_boot_ms() - began_ms;
	if (rc != SECOR_OK)
		return (struct result){rc, fail(reader, rc, err.text, took_ms)};
	if (answer->replies.error != 0 && answer->count == 0)
		return refused(reader, answer);
	works(reader);
	size_up(reader, answer);
	return (struct result){
	    SECOR_OK, rest(reader, answer, version, took_ms)};
}
