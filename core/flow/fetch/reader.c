/*
 * reader.c -- the thread of one broker: asks for all of its partitions at once,
 * takes what comes apart, and asks on while the consumer looks at it.
 */
#include "core/flow/fetch/fetch_inside.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SAME_COMPLAINT_MS = 60 * 1000 };

/* ---- its partitions ---- */

static void
unlink_part(struct reader *reader, struct fetch_part *part)
{
	if (part->before == NULL)
		reader->first = part->behind;
	else
		part->before->behind = part->behind;
	if (part->behind == NULL)
		reader->last = part->before;
	else
		part->behind->before = part->before;
}

static void
link_last(struct reader *reader, struct fetch_part *part)
{
	part->before = reader->last;
	part->behind = NULL;
	if (reader->last == NULL)
		reader->first = part;
	else
		reader->last->behind = part;
	reader->last = part;
}

void
reader_take(struct reader *reader, struct fetch_part *part)
{
	assert(part->reader == NULL);
	part->reader = reader;
	link_last(reader, part);
	reader_wake(reader);
}

void
reader_drop(struct fetch_part *part)
{
	struct reader *reader = part->reader;

	if (reader == NULL)
		return;
	unlink_part(reader, part);
	part->reader = NULL;
	if (reader->first == NULL)
		reader->idle_ms = clock_boot_ms();
}

void
reader_rotate(struct fetch_part *part)
{
	unlink_part(part->reader, part);
	link_last(part->reader, part);
}

/* ---- waking ---- */

void
reader_wake(struct reader *reader)
{
	if (reader->waits)
		(void)pthread_cond_signal(&reader->changed);
}

void
reader_break(struct reader *reader)
{
	(void)eventfd_write(reader->break_fd, 1);
}

static void
wait_until(struct reader *reader, int64_t due_ms, int64_t now_ms)
{
	struct timespec until;

	reader->waits = 1;
	if (due_ms == INT64_MAX) {
		(void)pthread_cond_wait(&reader->changed, &reader->fetch->lock);
	} else {
		until = clock_after(due_ms - now_ms);
		(void)pthread_cond_timedwait(
		    &reader->changed, &reader->fetch->lock, &until);
	}
	reader->waits = 0;
}

/* ---- what to ask for ---- */

static void
add_asked(struct reader *reader, struct fetch_part *part)
{
	if (reader->asked_count == reader->asked_room) {
		size_t room =
		    reader->asked_room == 0 ? 16 : reader->asked_room * 2;

		reader->asked =
		    mem_grow(reader->asked, room * sizeof(*reader->asked));
		reader->asks =
		    mem_grow(reader->asks, room * sizeof(*reader->asks));
		reader->asked_room = room;
	}
	reader->asked[reader->asked_count] =
	    (struct asked){part, part->serial, part->position};
	reader->asks[reader->asked_count++] =
	    (struct ask){part->topic, part->partition, part->position};
	reader->leader_alone |= part->leader_alone;
}

/* A lease of a replica that is over: the leader says anew who it is. */
static int
lease_ends(struct fetch_part *part, int64_t now_ms)
{
	if (part->replica == NOBODY || now_ms < part->lease_ms)
		return 0;
	part->replica = NOBODY;
	reader_drop(part);
	leaders_place(part);
	return 1;
}

/* All that is due. Returns when the next one is. */
static int64_t
collect(struct reader *reader, int64_t now_ms)
{
	int64_t due_ms = INT64_MAX;
	struct fetch_part *behind;

	reader->asked_count = 0;
	reader->leader_alone = 0;
	for (struct fetch_part *p = reader->first; p != NULL; p = behind) {
		behind = p->behind;
		if (lease_ends(p, now_ms))
			continue;
		if (p->due_ms <= now_ms)
			add_asked(reader, p);
		else if (p->due_ms < due_ms)
			due_ms = p->due_ms;
	}
	return due_ms;
}

/* Waits until there is something to ask for and room for what comes. NULL: this
 * is the end. Holds: lock. */
static struct answer *
await_turn(struct reader *reader)
{
	while (!reader->fetch->closing && !reader->leave) {
		struct answer *answer = reader->spare;
		int64_t now_ms = clock_boot_ms();
		int64_t due_ms = INT64_MAX;

		if (answer != NULL && now_ms < reader->due_ms)
			due_ms = reader->due_ms;
		else if (answer != NULL)
			due_ms = collect(reader, now_ms);
		if (answer != NULL && now_ms >= reader->due_ms &&
		    reader->asked_count > 0) {
			reader->spare = answer->next;
			return answer;
		}
		wait_until(reader, due_ms, now_ms);
	}
	return NULL;
}

/* ---- the connection ---- */

static void
drop_link(struct reader *reader)
{
	if (reader->link == NULL)
		return;
	link_close(reader->link);
	reader->link = NULL;
	reader->answered = 0;
	metric_add(reader->fetch->metrics.connections, -1);
}

/* Where to connect to from now on. Takes back what was broken off. Holds:
 * lock. */
static void
heed_move(struct reader *reader)
{
	eventfd_t was;

	if (!reader->moved)
		return;
	(void)eventfd_read(reader->break_fd, &was);
	reader->moved = 0;
	free(reader->dial);
	reader->dial = mem_dup(reader->host, strlen(reader->host));
	reader->dial_port = reader->port;
	reader->anew = 1;
}

static int
connect_anew(struct reader *reader, struct secor_err *err)
{
	struct fetch *fetch = reader->fetch;
	int rc;

	drop_link(reader);
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
	    .wait_ms = fetch->wait_ms,
	    .min_bytes = fetch->min_bytes,
	    .max_bytes = fetch->max_bytes,
	    .partition_bytes = fetch->partition_bytes,
	    .rack = reader->leader_alone ? NULL : fetch->rack,
	    .asks = reader->asks,
	    .count = reader->asked_count};

	reader->body.len = 0;
	request_write(&request, &reader->body);
	return link_send(reader->link, API_FETCH, version, &reader->body, err);
}

/* One request and its answer. */
static int
exchange(struct reader *reader, struct answer *answer, int version,
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
	return answer_read(answer, version, err);
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
	reader->failures = 0;
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

	drop_link(reader);
	if (was_good || breaks_off(reader))
		return 0;
	reader->failures++;
	fetch_count_error("connection");
	complain(reader, rc == SECOR_RETRY ? SECOR_WARN : SECOR_ERROR, why,
	    clock_boot_ms());
	return back_off(reader);
}

/* ---- one turn ---- */

/* What a turn came to. */
struct result {
	int rc;
	int64_t wait_ms;
};

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
	drop_link(reader);
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

/* Without the lock. */
static struct result
talk(struct reader *reader, struct answer *answer)
{
	struct secor_err err = {""};
	int64_t began_ms = clock_boot_ms();
	int rc = SECOR_OK, version;

	if (!link_is_good(reader))
		rc = connect_anew(reader, &err);
	if (rc == SECOR_OK) {
		version = link_version(
		    reader->link, API_FETCH, FETCH_LEAST, FETCH_MOST);
		if (version < 0)
			return refused_version(reader, answer);
		rc = exchange(reader, answer, version, &err);
	}
	if (rc != SECOR_OK)
		return (struct result){
		    rc, fail(reader, rc, err.text, clock_boot_ms() - began_ms)};
	if (answer->replies.error != 0 && answer->count == 0)
		return refused(reader, answer);
	works(reader);
	/* before version 8 the broker itself had waited */
	return (struct result){
	    SECOR_OK, version >= 8 && answer->replies.throttle_ms > 0
			  ? answer->replies.throttle_ms
			  : 0};
}

static void
put_spare(struct reader *reader, struct answer *answer)
{
	answer_empty(answer);
	answer->next = reader->spare;
	reader->spare = answer;
}

/* Holds: lock. Returns whether the consumer must be woken. */
static int
finish(struct reader *reader, struct answer *answer, struct result result)
{
	struct fetch *fetch = reader->fetch;
	int64_t now_ms = clock_boot_ms();
	int some = 0;

	if (result.wait_ms > 0)
		reader->due_ms = now_ms + result.wait_ms;
	if (result.rc == SECOR_OK)
		some = answer_settle(answer, now_ms);
	else if (result.rc == SECOR_FATAL && answer->count > 0)
		some = 1; /* no such version */
	if (result.rc != SECOR_OK) {
		fetch->ask = 1;
		(void)pthread_cond_signal(&fetch->lost);
	}
	if (!some) {
		put_spare(reader, answer);
		return 0;
	}
	reader->out++;
	return fetch_give(fetch, answer);
}

static void *
reader_run(void *arg)
{
	struct reader *reader = arg;
	struct fetch *fetch = reader->fetch;
	struct answer *answer;

	(void)pthread_mutex_lock(&fetch->lock);
	while ((answer = await_turn(reader)) != NULL) {
		struct result result;
		int wakes;

		heed_move(reader);
		(void)pthread_mutex_unlock(&fetch->lock);
		result = talk(reader, answer);
		(void)pthread_mutex_lock(&fetch->lock);
		wakes = finish(reader, answer, result);
		if (!wakes)
			continue;
		(void)pthread_mutex_unlock(&fetch->lock);
		fetch->conf.wake(fetch->conf.arg);
		(void)pthread_mutex_lock(&fetch->lock);
	}
	(void)pthread_mutex_unlock(&fetch->lock);
	drop_link(reader);
	return NULL;
}

/* ---- set-up ---- */

struct reader *
reader_new(struct fetch *fetch, const struct broker *broker)
{
	struct reader *reader = mem_alloc(sizeof(*reader));
	pthread_condattr_t attr;
	char name[16];
	int rc;

	reader->fetch = fetch;
	reader->id = broker->id;
	reader->host = mem_dup(broker->host, strlen(broker->host));
	reader->port = broker->port;
	reader->moved = 1;
	reader->lot = (unsigned)clock_boot_ms() + (unsigned)broker->id;
	reader->break_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(reader->break_fd >= 0);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&reader->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	for (int i = 0; i < ANSWERS; i++) {
		answer_init(&reader->answers[i], reader);
		reader->answers[i].next = reader->spare;
		reader->spare = &reader->answers[i];
	}
	reader->next = fetch->readers;
	fetch->readers = reader;
	rc = pthread_create(&reader->thread, NULL, reader_run, reader);
	assert(rc == 0);
	(void)snprintf(
	    name, sizeof(name), "fetch-%d", (int)(broker->id % 1000000));
	(void)pthread_setname_np(reader->thread, name);
	return reader;
}

void
reader_free(struct reader *reader)
{
	(void)pthread_join(reader->thread, NULL);
	for (int i = 0; i < ANSWERS; i++)
		answer_fini(&reader->answers[i]);
	(void)pthread_cond_destroy(&reader->changed);
	(void)close(reader->break_fd);
	buf_fini(&reader->body);
	free(reader->asked);
	free(reader->asks);
	free(reader->said);
	free(reader->host);
	free(reader->dial);
	free(reader);
}
