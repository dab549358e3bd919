/*
 * reader.c -- the thread of one broker: asks for all of its partitions at once,
 * takes what comes apart, and asks on while the consumer looks at it.
 */
#include "core/flow/fetch/fetch_inside.h"

#include "core/base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

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
	reader->parts++;
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
	reader->parts--;
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
add_asked(struct reader *reader, struct fetch_part *part, int64_t now_ms)
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
	reader->asked[reader->asked_count] = (struct asked){
	    part, part->serial, part->position, part->epoch, part->epoch_from};
	reader->asks[reader->asked_count++] =
	    (struct ask){part->topic, part->partition, part->position};
	reader->leader_alone |= now_ms < part->alone_ms;
	reader->fresh |= part->fresh;
}

/* A lease of a replica that is over: the leader says anew who it is. */
static int
lease_ends(struct fetch_part *part, int64_t now_ms)
{
	if (part->replica == NOBODY || now_ms < part->lease_ms)
		return 0;
	part->replica = NOBODY;
	if (part->leader == part->reader->id)
		return 0; /* it leads by now */
	reader_drop(part);
	leaders_place(part);
	return 1;
}

/* Where an answer has no room for all, only those that have more are asked for:
 * to go through a thousand costs both sides as much as what comes of a few. The
 * others are heard of again soon, so that nobody waits for a log that is long.
 * Whether there are such. */
static int
collect_few(struct reader *reader, int64_t now_ms)
{
	if (reader->parts <= FEW_LEAST ||
	    now_ms - reader->all_ms >= ALL_AGAIN_MS)
		return 0;
	for (struct fetch_part *p = reader->first;
	     p != NULL && reader->asked_count < reader->few_most; p = p->behind)
		if (p->more && p->due_ms <= now_ms)
			add_asked(reader, p, now_ms);
	return reader->asked_count > 0;
}

/* All that is due, or some of it. Returns when the next one is. */
static int64_t
collect(struct reader *reader, int64_t now_ms)
{
	int64_t due_ms = INT64_MAX;
	struct fetch_part *behind;

	reader->asked_count = 0;
	reader->leader_alone = 0;
	reader->fresh = 0;
	reader->few = collect_few(reader, now_ms);
	if (reader->few)
		return now_ms;
	reader->all_ms = now_ms;
	for (struct fetch_part *p = reader->first; p != NULL; p = behind) {
		behind = p->behind;
		if (lease_ends(p, now_ms))
			continue;
		if (p->due_ms <= now_ms)
			add_asked(reader, p, now_ms);
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

/* ---- a turn ---- */

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

void
reader_spare(struct answer *answer)
{
	struct answer **at = &answer->reader->spare;

	while (*at != NULL)
		at = &(*at)->next;
	*at = answer;
	answer->next = NULL;
}

/* Who is a replica of somebody is not waited for. Holds: lock. */
static void
release(struct reader *reader, int64_t now_ms)
{
	struct fetch_part *behind;

	for (struct fetch_part *p = reader->first; p != NULL; p = behind) {
		behind = p->behind;
		if (p->replica == reader->id)
			leaders_leave_replica(p, now_ms);
	}
}

/* It refuses us again and again, and librdkafka, which is asked for who leads
 * after each failure, had its answer since. Holds: lock. */
static int
refuses_us_alone(const struct reader *reader)
{
	return reader->refusals >= REFUSALS_MOST &&
	       reader->fetch->metadata_ms > reader->refused_ms;
}

/* What came, or what is to be said of the failure. Whether there is something
 * for the consumer. Holds: lock. */
static int
settle(struct reader *reader, struct answer *answer, int rc, int64_t now_ms)
{
	if (reader->leave)
		return 0; /* nobody would give the answer back */
	if (rc == SECOR_OK)
		return answer_settle(answer, now_ms);
	if (rc != SECOR_FATAL)
		return 0;
	if (answer->count == 0 && refuses_us_alone(reader)) {
		answer_say(
		    answer, RD_KAFKA_RESP_ERR__AUTHENTICATION, reader->said);
		reader->refusals = 0;
	}
	return answer->count > 0;
}

/* Holds: lock. Returns whether the consumer must be woken. */
static int
finish(struct reader *reader, struct answer *answer, struct result result)
{
	struct fetch *fetch = reader->fetch;
	int64_t now_ms = clock_boot_ms();
	int some = settle(reader, answer, result.rc, now_ms);

	if (result.wait_ms > 0)
		reader->due_ms = now_ms + result.wait_ms;
	if (result.rc != SECOR_OK && result.wait_ms > 0)
		release(reader, now_ms);
	if (result.rc != SECOR_OK)
		leaders_ask(fetch);
	if (!some) {
		answer_empty(answer);
		reader_spare(answer);
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
		result = exchange(reader, answer);
		(void)pthread_mutex_lock(&fetch->lock);
		wakes = finish(reader, answer, result);
		if (!wakes)
			continue;
		(void)pthread_mutex_unlock(&fetch->lock);
		fetch->conf.wake(fetch->conf.arg);
		(void)pthread_mutex_lock(&fetch->lock);
	}
	(void)pthread_mutex_unlock(&fetch->lock);
	exchange_hang_up(reader);
	return NULL;
}

/* ---- set-up ---- */

struct reader *
reader_new(struct fetch *fetch, const struct broker *broker)
{
	struct reader *reader = mem_alloc(sizeof(*reader));
	char name[16];
	int rc;

	reader->fetch = fetch;
	reader->id = broker->id;
	reader->host = mem_dup(broker->host, strlen(broker->host));
	reader->port = broker->port;
	reader->moved = 1;
	reader->max_bytes = fetch->max_bytes;
	reader->lot = (unsigned)clock_boot_ms() + (unsigned)broker->id;
	reader->break_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(reader->break_fd >= 0);
	clock_cond_init(&reader->changed);
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
