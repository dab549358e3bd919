/*
 * fetch_rig.c -- see fetch_rig.h.
 */
#include "tests/unit/core/flow/fetch/fetch_rig.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- set up ---- */

static void
on_wake(void *arg)
{
	struct rig *rig = arg;

	(void)pthread_mutex_lock(&rig->lock);
	rig->wakes++;
	(void)pthread_cond_signal(&rig->woken);
	(void)pthread_mutex_unlock(&rig->lock);
}

static void
set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char why[512];

	cr_assert_eq(rd_kafka_conf_set(conf, key, value, why, sizeof(why)),
	    RD_KAFKA_CONF_OK, "%s", why);
}

static void
open_cluster(struct rig *rig, int brokers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	rd_kafka_conf_set_log_cb(conf, NULL);
	rig->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	cr_assert_not_null(rig->producer, "%s", why);
	rig->cluster = rd_kafka_mock_cluster_new(rig->producer, brokers);
	cr_assert_not_null(rig->cluster);
	cr_assert_eq(rd_kafka_mock_topic_create(rig->cluster, RIG_TOPIC,
			 RIG_MANY, brokers > 1 ? 2 : 1),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
	for (int32_t p = 0; p < RIG_MANY; p++)
		cr_assert_eq(rd_kafka_mock_partition_set_leader(
				 rig->cluster, RIG_TOPIC, p, 1),
		    RD_KAFKA_RESP_ERR_NO_ERROR);
	(void)rd_kafka_brokers_add(
	    rig->producer, rd_kafka_mock_cluster_bootstraps(rig->cluster));
}

static void
open_handle(struct rig *rig, const char *rack)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	rd_kafka_conf_set_log_cb(conf, NULL);
	set(conf, "bootstrap.servers",
	    rd_kafka_mock_cluster_bootstraps(rig->cluster));
	set(conf, "group.id", "unit");
	set(conf, "fetch.wait.max.ms", "20");
	set(conf, "fetch.error.backoff.ms", "5");
	set(conf, "max.partition.fetch.bytes", "4096");
	set(conf, "queued.max.messages.kbytes", "2048"); /* as the product */
	set(conf, "reconnect.backoff.ms", "10");
	set(conf, "reconnect.backoff.max.ms", "100");
	if (rack != NULL)
		set(conf, "client.rack", rack);
	rig->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	cr_assert_not_null(rig->rk, "%s", why);
	/* that it asks for metadata of it */
	rig->topic = rd_kafka_topic_new(rig->rk, RIG_TOPIC, NULL);
	cr_assert_not_null(rig->topic);
}

void
rig_open(struct rig *rig, int brokers, const char *rack)
{
	struct fetch_conf conf = {.wake = on_wake, .arg = rig};
	struct secor_err err;
	pthread_condattr_t attr;

	memset(rig, 0, sizeof(*rig));
	log_level_set(getenv("MOCK_LOG") != NULL ? SECOR_DEBUG : -1);
	(void)pthread_mutex_init(&rig->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&rig->woken, &attr);
	open_cluster(rig, brokers);
	open_handle(rig, rack);
	conf.rk = rig->rk;
	cr_assert_eq(fetch_open(&conf, &rig->fetch, &err), SECOR_OK);
	for (int32_t p = 0; p < RIG_MANY; p++) {
		rig->heard[p].partition = p;
		rig->heard[p].part =
		    fetch_part_new(rig->fetch, RIG_TOPIC, p, &rig->heard[p]);
	}
}

void
rig_close(struct rig *rig)
{
	fetch_close(rig->fetch);
	rd_kafka_topic_destroy(rig->topic);
	rd_kafka_destroy(rig->rk);
	rd_kafka_mock_cluster_destroy(rig->cluster);
	rd_kafka_destroy(rig->producer);
}

/* ---- producing: the value says partition and offset ---- */

void
rig_produce(struct rig *rig, int32_t partition, int from, int until)
{
	for (int i = from; i < until; i++) {
		char value[32];
		int n =
		    snprintf(value, sizeof(value), "%d/%d", (int)partition, i);

		cr_assert_eq(rd_kafka_producev(rig->producer,
				 RD_KAFKA_V_TOPIC(RIG_TOPIC),
				 RD_KAFKA_V_PARTITION(partition),
				 RD_KAFKA_V_VALUE(value, (size_t)n),
				 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
				 RD_KAFKA_V_END),
		    RD_KAFKA_RESP_ERR_NO_ERROR);
	}
	cr_assert_eq(rd_kafka_flush(rig->producer, RIG_LIMIT_MS),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
}

void
rig_start(struct rig *rig, int32_t partition, int64_t offset)
{
	struct heard *heard = &rig->heard[partition];

	heard->next = offset;
	heard->ends = heard->errors = 0;
	fetch_start(heard->part, offset);
}

/* ---- listening ---- */

static void
hear(const struct fetched *fetched, enum fetched_kind kind)
{
	struct heard *heard = fetched->owner;
	const struct secor_message *raw = &fetched->message.raw;
	char value[32];
	int n;

	cr_assert_not_null(heard);
	if (kind == FETCHED_END) {
		cr_expect_eq(fetched->offset, heard->next);
		heard->ends++;
	} else if (kind == FETCHED_ERROR) {
		cr_assert_not_null(fetched->text);
		heard->error = fetched->error;
		heard->errors++;
	} else {
		cr_assert_eq(raw->offset, heard->next, "%lld, not %lld",
		    (long long)raw->offset, (long long)heard->next);
		n = snprintf(value, sizeof(value), "%d/%lld",
		    (int)heard->partition, (long long)raw->offset);
		cr_assert_eq(raw->value.len, (size_t)n);
		cr_assert_eq(memcmp(raw->value.ptr, value, (size_t)n), 0);
		cr_assert_gt(fetched->high, raw->offset);
		heard->next++;
	}
}

void
rig_await_wake(struct rig *rig, int wakes)
{
	struct timespec until = clock_after(RIG_LIMIT_MS);

	(void)pthread_mutex_lock(&rig->lock);
	while (rig->wakes == wakes)
		cr_assert_eq(
		    pthread_cond_timedwait(&rig->woken, &rig->lock, &until), 0,
		    "nothing comes");
	(void)pthread_mutex_unlock(&rig->lock);
}

static int
wakes_now(struct rig *rig)
{
	int wakes;

	(void)pthread_mutex_lock(&rig->lock);
	wakes = rig->wakes;
	(void)pthread_mutex_unlock(&rig->lock);
	return wakes;
}

/* The next thing, as long as that takes. */
enum fetched_kind
rig_next(struct rig *rig, struct fetched *fetched)
{
	for (;;) {
		int wakes = wakes_now(rig);
		enum fetched_kind kind = fetch_next(rig->fetch, fetched);

		if (kind != FETCHED_NOTHING)
			return kind;
		rig_await_wake(rig, wakes);
	}
}

enum fetched_kind
rig_hear(struct rig *rig)
{
	struct fetched fetched;
	enum fetched_kind kind = rig_next(rig, &fetched);

	hear(&fetched, kind);
	return kind;
}

void
rig_hear_until(struct rig *rig, int32_t partition, int64_t next)
{
	while (rig->heard[partition].next < next)
		(void)rig_hear(rig);
	cr_expect_eq(rig->heard[partition].next, next);
}

void
rig_hear_end(struct rig *rig, int32_t partition, int ends)
{
	while (rig->heard[partition].ends < ends)
		(void)rig_hear(rig);
	cr_expect_eq(rig->heard[partition].ends, ends);
}

void
rig_hear_error(struct rig *rig, int32_t partition, rd_kafka_resp_err_t error)
{
	while (rig->heard[partition].errors == 0)
		(void)rig_hear(rig);
	cr_expect_eq(rig->heard[partition].error, error, "%s",
	    rd_kafka_err2name(rig->heard[partition].error));
}
