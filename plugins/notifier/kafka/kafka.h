/*
 * kafka.h -- what the files of the plugin share.
 */
#ifndef SECOR_NOTIFIER_KAFKA_H
#define SECOR_NOTIFIER_KAFKA_H

#include "plugins/common/event_text.h"
#include "plugins/common/kafka_login.h"
#include "plugins/common/text.h"

#define KAFKA_TOPIC "{topic}" /* in `topic`: what is read */

enum { KAFKA_LONGEST_TOPIC = 249 };

struct kafka_conf {
	struct secor_strings brokers;
	const char *topic;
	struct secor_strings events;
	int key; /* enum kafka_key */
	struct kafka_login login;
	int compression; /* index into kafka_codecs */
	int64_t timeout;
	struct secor_pairs properties;
};

enum kafka_key { KAFKA_BY_PATH, KAFKA_BY_PARTITION, KAFKA_BY_NONE };

/* What `events` may hold, as a mask. */
enum { KAFKA_TELL_OBJECT = 1, KAFKA_TELL_BATCH = 2, KAFKA_TELL_PATH = 4 };

extern const char *const kafka_codecs[];

struct producer;

/* An instance. */
struct kafka {
	const struct kafka_conf *conf;
	const struct secor_host *host;
	unsigned events; /* KAFKA_TELL_* */
	struct producer *producer;
	struct secor_counter *written;
};

/* ---- tell.c: the messages of an event ---- */

/* Writes them and waits; an event that is not wanted is heard at once. */
int
kafka_tell(struct kafka *kafka, struct event_said *said, struct secor_err *err);

/* ---- properties.c: what librdkafka is told ---- */

/* Complains of properties that would break the promise, that another option
 * says, or that librdkafka does not know. */
void properties_check(
    const struct kafka_conf *conf, const struct secor_check *check);

struct rd_kafka_conf_s;
/* Everything but callbacks. `batch_bytes`: of one request to a partition.
 * SECOR_FATAL with librdkafka's sentence. */
int properties_set(struct rd_kafka_conf_s *to, const struct kafka_conf *conf,
    size_t batch_bytes, struct secor_err *err);

/* ---- producer.c: messages that were acknowledged, or not ---- */

struct message {
	const char *topic;
	const char *key; /* NULL: none */
	const char *event;
	const struct text *value;
};

int producer_new(const struct kafka_conf *conf, const struct secor_host *host,
    struct producer **made, struct secor_err *err);
void producer_free(struct producer *producer); /* accepts NULL */

/* The bytes that a value should not exceed. Shrinks as brokers refuse. */
size_t producer_room(const struct producer *producer);

/* Takes a copy of the message. SECOR_RETRY, SECOR_REJECT: the event has failed,
 * producer_end is not called. */
int producer_put(struct producer *producer, const struct message *message,
    struct secor_err *err);

/* Waits until all that was put is acknowledged. SECOR_RETRY: not all of it is;
 * the next attempt begins with a new handle. */
int producer_end(struct producer *producer, struct secor_err *err);

/* Whether it failed for its size, and smaller messages are worth trying. */
int producer_wants_less(const struct producer *producer);

#endif
