/*
 * leaders.c -- who leads what. A thread that sleeps until a wanted partition
 * has nobody who reads it; then it asks librdkafka, and makes the readers that
 * are needed. The consumer never waits for it.
 */
#include "core/flow/fetch/fetch_inside.h"

#include "core/base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
	ASK_MS = 100, /* not more often */
	ASK_MAX_MS = 1000,
	/* How long an answer is waited for: closing waits for it too. It grows
	 * while a broker is there and does not answer. */
	SLICE_MS = 80,
	SLICE_MAX_MS = 1000,
	IDLE_MS = 60 * 1000, /* so long a reader lives without a partition */
	IDLE_LOOK_MS = 10 * 1000
};

struct pace {
	int slice_ms;
	int64_t wait_ms;
};

/* ---- placing ---- */

static struct reader *
find_reader(const struct fetch *fetch, int32_t id)
{
	struct reader *reader = fetch->readers;

	while (reader != NULL && reader->id != id)
		reader = reader->next;
	return reader;
}

static const struct broker *
find_broker(const struct fetch *fetch, int32_t id)
{
	for (size_t i = 0; i < fetch->broker_count; i++)
		if (fetch->brokers[i].id == id)
			return &fetch->brokers[i];
	return NULL;
}

static int32_t
wanted_of(const struct fetch_part *part)
{
	return part->replica != NOBODY ? part->replica : part->leader;
}

void
leaders_place(struct fetch_part *part)
{
	struct fetch *fetch = part->fetch;
	int32_t id = wanted_of(part);
	struct reader *reader = id == NOBODY ? NULL : find_reader(fetch, id);

	if (reader != NULL)
		reader_take(reader, part);
	else
		(void)pthread_cond_signal(&fetch->lost);
}

void
leaders_leave_replica(struct fetch_part *part, int64_t now_ms)
{
	part->replica = NOBODY;
	part->alone_ms = now_ms + REPLICA_AGAIN_MS;
	reader_drop(part);
	leaders_place(part);
}

void
leaders_ask(struct fetch *fetch)
{
	fetch->ask = 1;
	(void)pthread_cond_signal(&fetch->lost);
}

void
leaders_lose(struct fetch_part *part)
{
	if (part->reader != NULL)
		part->refused = part->reader->id;
	part->leader = part->replica = NOBODY;
	reader_drop(part);
	(void)pthread_cond_signal(&part->fetch->lost);
}

/* Makes the readers that are needed of brokers that are known. Returns how many
 * partitions nobody reads then. Holds: lock. */
static size_t
place_all(struct fetch *fetch)
{
	size_t lost = 0;

	for (struct fetch_part *p = fetch->parts; p != NULL; p = p->next) {
		int32_t id = wanted_of(p);
		const struct broker *broker;
		struct reader *reader;

		if (!p->wanted || p->reader != NULL)
			continue;
		broker = id == NOBODY ? NULL : find_broker(fetch, id);
		if (broker == NULL) {
			lost++;
			continue;
		}
		reader = find_reader(fetch, id);
		if (reader == NULL)
			reader = reader_new(fetch, broker);
		reader_take(reader, p);
	}
	return lost;
}

/* ---- metadata ---- */

static void
forget_brokers(struct fetch *fetch)
{
	for (size_t i = 0; i < fetch->broker_count; i++)
		free(fetch->brokers[i].host);
	free(fetch->brokers);
	fetch->brokers = NULL;
	fetch->broker_count = 0;
}

static void
take_brokers(struct fetch *fetch, const struct rd_kafka_metadata *all)
{
	size_t count = (size_t)all->broker_cnt;

	forget_brokers(fetch);
	fetch->brokers = mem_alloc(count * sizeof(*fetch->brokers));
	for (size_t i = 0; i < count; i++) {
		const struct rd_kafka_metadata_broker *from = &all->brokers[i];

		fetch->brokers[i] = (struct broker){.id = from->id,
		    .port = from->port,
		    .host = mem_dup(from->host, strlen(from->host))};
	}
	fetch->broker_count = count;
}

/* A broker that is at another place now is sought there. */
static void
move_readers(struct fetch *fetch)
{
	for (struct reader *r = fetch->readers; r != NULL; r = r->next) {
		const struct broker *broker = find_broker(fetch, r->id);

		if (broker == NULL || (broker->port == r->port &&
					  strcmp(broker->host, r->host) == 0))
			continue;
		free(r->host);
		r->host = mem_dup(broker->host, strlen(broker->host));
		r->port = broker->port;
		r->moved = 1;
		r->due_ms = 0;
		reader_break(r);
		reader_wake(r);
	}
}

/* Partitions of one topic are neighbours: *at is where the last one was. */
static const struct rd_kafka_metadata_topic *
find_topic(const struct rd_kafka_metadata *all, const char *topic, int *at)
{
	for (int i = 0; i < all->topic_cnt; i++) {
		int n = (*at + i) % all->topic_cnt;

		if (strcmp(all->topics[n].topic, topic) == 0) {
			*at = n;
			return &all->topics[n];
		}
	}
	return NULL;
}

static int32_t
leader_of(
    const struct rd_kafka_metadata *all, const struct fetch_part *part, int *at)
{
	const struct rd_kafka_metadata_topic *topic =
	    find_topic(all, part->topic, at);

	for (int i = 0; topic != NULL && i < topic->partition_cnt; i++)
		if (topic->partitions[i].id == part->partition)
			return topic->partitions[i].leader;
	return NOBODY;
}

static void
take_leader(struct fetch_part *part, int32_t leader)
{
	if (leader == NOBODY)
		return;
	if (part->replica != NOBODY &&
	    find_broker(part->fetch, part->replica) == NULL) {
		part->replica = NOBODY;
		part->alone_ms = clock_boot_ms() + REPLICA_AGAIN_MS;
	}
	if (leader != part->leader && leader != part->refused)
		part->due_ms = 0;
	part->leader = leader;
	if (part->reader != NULL && part->reader->id != wanted_of(part))
		reader_drop(part);
}

static void
take_metadata(struct fetch *fetch, const struct rd_kafka_metadata *all)
{
	int at = 0;

	fetch->metadata_ms = clock_boot_ms();
	take_brokers(fetch, all);
	move_readers(fetch);
	for (struct fetch_part *p = fetch->parts; p != NULL; p = p->next)
		take_leader(p, leader_of(all, p, &at));
	fetch->ask = 0;
}

/* Asks for all topics that librdkafka knows here. Gives the lock away
 * meanwhile. */
static void
ask(struct fetch *fetch, struct pace *pace)
{
	const struct rd_kafka_metadata *all = NULL;
	rd_kafka_resp_err_t error;

	(void)pthread_mutex_unlock(&fetch->lock);
	error =
	    rd_kafka_metadata(fetch->conf.rk, 0, NULL, &all, pace->slice_ms);
	(void)pthread_mutex_lock(&fetch->lock);
	if (error == RD_KAFKA_RESP_ERR__TIMED_OUT &&
	    pace->slice_ms < SLICE_MAX_MS)
		pace->slice_ms *= 2;
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	take_metadata(fetch, all);
	rd_kafka_metadata_destroy(all);
}

/* ---- the thread ---- */

/* Readers whose broker has nothing for a minute end. */
static struct reader *
take_idle(struct fetch *fetch, int64_t now_ms)
{
	for (struct reader **at = &fetch->readers; *at != NULL;
	     at = &(*at)->next) {
		struct reader *reader = *at;

		if (reader->first == NULL && reader->out == 0 &&
		    now_ms - reader->idle_ms > IDLE_MS) {
			*at = reader->next;
			return reader;
		}
	}
	return NULL;
}

static void
bury(struct fetch *fetch)
{
	struct reader *reader;

	while ((reader = take_idle(fetch, clock_boot_ms())) != NULL) {
		reader->leave = 1;
		reader_break(reader);
		reader_wake(reader);
		(void)pthread_mutex_unlock(&fetch->lock);
		reader_free(reader);
		(void)pthread_mutex_lock(&fetch->lock);
	}
}

static void
wait_for(struct fetch *fetch, int64_t ms)
{
	struct timespec until = clock_after(ms);

	(void)pthread_cond_timedwait(&fetch->lost, &fetch->lock, &until);
}

static int
somebody_idles(const struct fetch *fetch)
{
	for (const struct reader *r = fetch->readers; r != NULL; r = r->next)
		if (r->first == NULL)
			return 1;
	return 0;
}

static void
sleep_on(struct fetch *fetch)
{
	if (somebody_idles(fetch))
		wait_for(fetch, IDLE_LOOK_MS);
	else
		(void)pthread_cond_wait(&fetch->lost, &fetch->lock);
}

/* Whoever can be placed meanwhile is. */
static void
nap(struct fetch *fetch, int64_t ms)
{
	int64_t until = clock_boot_ms() + ms, now;

	while (!fetch->closing && (now = clock_boot_ms()) < until) {
		wait_for(fetch, until - now);
		if (!fetch->closing)
			(void)place_all(fetch);
	}
}

static void
serve(struct fetch *fetch, struct pace *pace)
{
	size_t lost = place_all(fetch), left;

	if (lost == 0 && !fetch->ask) {
		pace->wait_ms = ASK_MS;
		sleep_on(fetch);
		return;
	}
	ask(fetch, pace);
	if (fetch->closing)
		return;
	left = place_all(fetch);
	if (left < lost)
		pace->wait_ms = ASK_MS;
	nap(fetch, pace->wait_ms);
	if (pace->wait_ms < ASK_MAX_MS)
		pace->wait_ms *= 2;
}

void *
leaders_run(void *arg)
{
	struct fetch *fetch = arg;
	struct pace pace = {.slice_ms = SLICE_MS, .wait_ms = ASK_MS};

	(void)pthread_mutex_lock(&fetch->lock);
	while (!fetch->closing) {
		bury(fetch);
		if (!fetch->closing)
			serve(fetch, &pace);
	}
	(void)pthread_mutex_unlock(&fetch->lock);
	return NULL;
}

void
leaders_fini(struct fetch *fetch)
{
	forget_brokers(fetch);
}
