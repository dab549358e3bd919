/*
 * producer.c -- an idempotent producer of librdkafka that is waited for.
 *
 * Invariant: SECOR_OK means that every message since the last end has its
 * answer: brokers have acknowledged it, or will not have it. A handle that
 * leaves one without is closed: what it may still hold is never taken for the
 * next attempt's, and an idempotent producer whose sequence is broken (a fatal
 * error) begins anew. Without an event there is no handle, so who is never told
 * of anything costs nothing.
 */
#include "plugins/common/monotonic.h"
#include "plugins/notifier/kafka/kafka.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	SMALLEST = 4096, /* no broker takes less in earnest */
	OVERHEAD = 1024, /* key, headers, and the batch around a message */
	SLACK_MS = 5000, /* librdkafka looks at its time limits once a second */
	SLICE_MS = 100,
	/* RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD of newer ones: refused
	   with another record of its batch */
	WITH_ANOTHER = -138
};

struct producer {
	const struct kafka_conf *conf;
	const struct secor_host *host;
	const struct secor_cluster *cluster; /* NULL: the configuration's */
	_Atomic int64_t renew_ms;	     /* its token, not before that */
	rd_kafka_t *rk;			     /* NULL: none */
	size_t largest;			     /* message.max.bytes */
	size_t batch;			     /* bytes of a request; shrinks */
	size_t waiting;			     /* messages without an answer */
	rd_kafka_resp_err_t failed;	     /* what may be taken later */
	char topic[250];		     /* of the first that failed */

	pthread_mutex_t lock;
	char said[256]; /* the last complaint of the client. Holds: lock */
};

/* ---- what librdkafka says ---- */

/* Brokers refuse what was sent together as a whole. */
static int
fate_of(rd_kafka_resp_err_t answer)
{
	switch ((int)answer) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return MESSAGE_TAKEN;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
		return MESSAGE_TOO_LARGE;
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case WITH_ANOTHER:
		return MESSAGE_REFUSED;
	default:
		return MESSAGE_OPEN;
	}
}

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct producer *producer = opaque;
	struct sent *sent = message->_private;

	(void)rk;
	producer->waiting--;
	sent->fate = fate_of(message->err);
	sent->code = message->err;
	if (sent->fate != MESSAGE_OPEN ||
	    producer->failed != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	producer->failed = message->err;
	(void)snprintf(producer->topic, sizeof(producer->topic), "%s",
	    rd_kafka_topic_name(message->rkt));
}

/* Thread: any of the client's. */
static void
on_log(const rd_kafka_t *rk, int level, const char *facility, const char *line)
{
	struct producer *producer = rk == NULL ? NULL : rd_kafka_opaque(rk);
	struct text detail = {0};

	if (producer == NULL)
		return;
	text_addf(&detail, "facility=%s text=", facility);
	text_add_json(&detail, line);
	if (!detail.failed)
		producer->host->log(
		    producer->host, SECOR_DEBUG, "librdkafka", detail.ptr);
	text_fini(&detail);
	/* why they are down has been said before */
	if (level > 4 || strstr(line, "brokers are down") != NULL)
		return;
	(void)pthread_mutex_lock(&producer->lock);
	(void)snprintf(producer->said, sizeof(producer->said), "%s", line);
	(void)pthread_mutex_unlock(&producer->lock);
}

/* ---- tokens ---- */

static int
has_tokens(const struct producer *producer)
{
	return producer->cluster != NULL && producer->cluster->token != NULL;
}

static int
get_token(struct producer *producer, rd_kafka_t *rk, struct secor_err *err)
{
	const struct secor_host *host = producer->host;
	int64_t now = host->now_ms(host), expires;
	int rc = token_give(rk, producer->cluster, &expires, err);

	/* librdkafka asks when four fifths of its life are over */
	if (rc == SECOR_OK)
		atomic_store(&producer->renew_ms, now + (expires - now) / 2);
	return rc;
}

/* It asks for the first one too, which it has got. Thread: the client's. */
static void
on_wish(rd_kafka_t *rk, const char *asked, void *opaque)
{
	struct producer *producer = opaque;
	struct secor_err err = {""};

	(void)asked;
	if (producer->host->now_ms(producer->host) >=
		atomic_load(&producer->renew_ms) &&
	    get_token(producer, rk, &err) != SECOR_OK)
		(void)rd_kafka_oauthbearer_set_token_failure(rk, err.text);
}

/* The handle is new. Renewals are the client's own thread's, also while there
 * is nothing to tell. */
static int
begin_tokens(struct producer *producer, struct secor_err *err)
{
	int rc = get_token(producer, producer->rk, err);

	if (rc == SECOR_OK)
		rd_kafka_error_destroy(
		    rd_kafka_sasl_background_callbacks_enable(producer->rk));
	return rc;
}

/* ---- the handle ---- */

static void
close_handle(struct producer *producer)
{
	/* what is still in it has failed: not waited for */
	if (producer->rk != NULL)
		rd_kafka_destroy(producer->rk);
	producer->rk = NULL;
	producer->waiting = 0;
	producer->failed = RD_KAFKA_RESP_ERR_NO_ERROR;
}

static int
make_conf(
    struct producer *producer, rd_kafka_conf_t **made, struct secor_err *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int rc = properties_set(
	    conf, producer->conf, producer->cluster, producer->batch, err);

	rd_kafka_conf_set_opaque(conf, producer);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	/* errors are logged then, not queued for a poll that may never come */
	rd_kafka_conf_set_log_cb(conf, on_log);
	if (has_tokens(producer)) {
		rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_wish);
		rd_kafka_conf_enable_sasl_queue(conf, 1);
	}
	if (rc == SECOR_OK)
		*made = conf;
	else
		rd_kafka_conf_destroy(conf);
	return rc;
}

static int
open_handle(struct producer *producer, struct secor_err *err)
{
	rd_kafka_conf_t *conf;
	char why[512];
	int rc = make_conf(producer, &conf, err);

	if (rc != SECOR_OK)
		return rc;
	producer->said[0] = '\0';
	producer->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (producer->rk != NULL)
		return SECOR_OK;
	rd_kafka_conf_destroy(conf);
	return secor_fail(err, SECOR_FATAL, "kafka client: %s", why);
}

static size_t
number(rd_kafka_t *rk, const char *key)
{
	char text[32] = "";
	size_t size = sizeof(text);

	(void)rd_kafka_conf_get(rd_kafka_conf(rk), key, text, &size);
	return (size_t)strtoull(text, NULL, 10);
}

int
producer_new(const struct kafka_conf *conf, const struct secor_host *host,
    const struct secor_cluster *cluster, struct producer **made,
    struct secor_err *err)
{
	struct producer *producer = calloc(1, sizeof(*producer));
	int rc;

	if (producer == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	producer->conf = conf;
	producer->host = host;
	producer->cluster = cluster;
	producer->batch = SMALLEST;
	(void)pthread_mutex_init(&producer->lock, NULL);
	/* certificates and rules between properties: who is wrong hears it
	   now, not when there is something to tell */
	rc = open_handle(producer, err);
	if (rc != SECOR_OK) {
		producer_free(producer);
		return rc;
	}
	producer->largest = number(producer->rk, "message.max.bytes");
	producer->batch = producer->largest;
	close_handle(producer);
	*made = producer;
	return SECOR_OK;
}

void
producer_free(struct producer *producer)
{
	if (producer == NULL)
		return;
	close_handle(producer);
	(void)pthread_mutex_destroy(&producer->lock);
	free(producer);
}

size_t
producer_room(const struct producer *producer)
{
	return producer->batch > 2 * OVERHEAD ? producer->batch - OVERHEAD
					      : producer->batch / 2;
}

int
producer_shrink(struct producer *producer)
{
	if (producer->batch / 2 < SMALLEST)
		return 0;
	close_handle(producer);
	producer->batch /= 2;
	return 1;
}

/* ---- failing ---- */

static int
fail(struct producer *producer, rd_kafka_resp_err_t why, const char *topic_,
    struct secor_err *err)
{
	char said[sizeof(producer->said)], fatal[256] = "", topic[250];
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	(void)snprintf(topic, sizeof(topic), "%s", topic_);
	if (producer->rk != NULL)
		code = rd_kafka_fatal_error(producer->rk, fatal, sizeof(fatal));
	(void)pthread_mutex_lock(&producer->lock);
	memcpy(said, producer->said, sizeof(said));
	(void)pthread_mutex_unlock(&producer->lock);
	close_handle(producer);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return secor_fail(err, SECOR_RETRY,
		    "topic %s: the producer begins anew after %s (%s)", topic,
		    rd_kafka_err2name(code), fatal);
	if (why == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
		return secor_fail(err, SECOR_RETRY,
		    "topic %s: not acknowledged within %lld s%s%s", topic,
		    (long long)(producer->conf->timeout / 1000),
		    said[0] != '\0' ? ": " : "", said);
	return secor_fail(err, SECOR_RETRY, "topic %s: %s (%s)", topic,
	    rd_kafka_err2str(why), rd_kafka_err2name(why));
}

/* ---- an event ---- */

static rd_kafka_resp_err_t
produce(rd_kafka_t *rk, const struct message *message)
{
	const char *key = message->key;
	size_t len = key == NULL ? 0 : strlen(key);

	return rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(message->topic),
	    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, len),
	    RD_KAFKA_V_VALUE(message->value->ptr, message->value->len),
	    RD_KAFKA_V_HEADER("secor-event", message->event, -1),
	    RD_KAFKA_V_HEADER("content-type", "application/json", -1),
	    RD_KAFKA_V_OPAQUE(message->sent), RD_KAFKA_V_END);
}

static int
is_over(const struct producer *producer, size_t bytes)
{
	return bytes + OVERHEAD / 2 > producer->largest;
}

void
producer_reason(const struct producer *producer, const struct sent *sent,
    size_t bytes, char *text, size_t room)
{
	if (is_over(producer, bytes))
		(void)snprintf(text, room,
		    "%zu bytes are more than message.max.bytes (%zu) allows",
		    bytes, producer->largest);
	else
		(void)snprintf(text, room, "%zu bytes: %s (%s)%s", bytes,
		    rd_kafka_err2str((rd_kafka_resp_err_t)sent->code),
		    rd_kafka_err2name((rd_kafka_resp_err_t)sent->code),
		    sent->fate == MESSAGE_TOO_LARGE
			? ": raise max.message.bytes of the topic"
			: "");
}

/* A handle that may connect. FATAL too is RETRY: a person mends it, then it is
 * heard. */
static int
begin(struct producer *producer, struct secor_err *err)
{
	if (open_handle(producer, err) != SECOR_OK)
		return SECOR_RETRY;
	if (!has_tokens(producer) || begin_tokens(producer, err) == SECOR_OK)
		return SECOR_OK;
	close_handle(producer);
	return SECOR_RETRY;
}

int
producer_put(struct producer *producer, const struct message *message,
    struct secor_err *err)
{
	int64_t until = monotonic_ms() + producer->conf->timeout + SLACK_MS;
	rd_kafka_resp_err_t why = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;

	*message->sent = (struct sent){.fate = MESSAGE_OPEN};
	if (producer->rk == NULL && begin(producer, err) != SECOR_OK)
		return SECOR_RETRY;
	while (!is_over(producer, message->value->len)) {
		why = produce(producer->rk, message);
		if (why != RD_KAFKA_RESP_ERR__QUEUE_FULL ||
		    monotonic_ms() > until)
			break;
		(void)rd_kafka_poll(producer->rk, SLICE_MS);
	}
	if (why == RD_KAFKA_RESP_ERR_NO_ERROR) {
		producer->waiting++;
		return SECOR_OK;
	}
	message->sent->code = why;
	/* what no broker was asked is no reason to send less at a time */
	message->sent->fate = is_over(producer, message->value->len)
				  ? MESSAGE_REFUSED
				  : fate_of(why);
	return message->sent->fate == MESSAGE_OPEN
		   ? fail(producer, why, message->topic, err)
		   : SECOR_OK;
}

int
producer_end(struct producer *producer, struct secor_err *err)
{
	int64_t until = monotonic_ms() + producer->conf->timeout + SLACK_MS;

	while (producer->waiting > 0 && monotonic_ms() < until)
		(void)rd_kafka_poll(producer->rk, SLICE_MS);
	if (producer->failed != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fail(producer, producer->failed, producer->topic, err);
	if (producer->waiting > 0)
		return fail(producer, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
		    producer->conf->topic, err);
	if (producer->rk != NULL && rd_kafka_fatal_error(producer->rk, NULL,
					0) != RD_KAFKA_RESP_ERR_NO_ERROR)
		close_handle(producer);
	return SECOR_OK;
}
