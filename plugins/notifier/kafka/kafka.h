/*
 * kafka.h -- what the files of the plugin share.
 */
#ifndef SECOR_NOTIFIER_KAFKA_H
#define SECOR_NOTIFIER_KAFKA_H

#include "plugins/common/event_text.h"
#include "plugins/common/kafka_login.h"
#include "plugins/common/text.h"

#include <secor/token.h>

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

/* What became of a message. */
enum message_fate {
	MESSAGE_OPEN = 0,  /* not put, or without an answer */
	MESSAGE_TAKEN,	   /* acknowledged */
	MESSAGE_TOO_LARGE, /* at least with those that it was sent with */
	MESSAGE_REFUSED,   /* the same, as no record for this topic; or it is
			      over message.max.bytes */
	MESSAGE_DROPPED	   /* by itself too: never comes again */
};

struct sent {
	int fate; /* enum message_fate */
	int code; /* librdkafka's, of the answer */
};

/* Messages an object of the last batch, while it is not heard. */
struct kept {
	char *manifest; /* key of its manifest: which batch; NULL: none */
	size_t count;
	struct sent *sent;
	char why[512]; /* of the first that was dropped */
};

/* An instance. */
struct kafka {
	const struct kafka_conf *conf;
	const struct secor_host *host;
	unsigned events; /* KAFKA_TELL_* */
	struct producer *producer;
	struct kept kept;
	struct secor_counter *written, *refused;
};

/* ---- tell.c: the messages of an event ---- */

/* Writes them and waits; an event that is not wanted is heard at once.
 * SECOR_REJECT: some were dropped, and all the others are taken. */
int
kafka_tell(struct kafka *kafka, struct event_said *said, struct secor_err *err);
void kept_clear(struct kept *kept);

/* ---- pile.c: messages that are put together, and settled one by one ---- */

struct pile {
	struct kafka *kafka;
	const struct event_said *said;
	const char *topic; /* where they go */
	size_t count;	   /* of messages */
	size_t parts;	   /* the event in so many; 0: a message an object */
	struct sent *sent; /* one a message */
	char *why;	   /* 512 bytes: of the first that was dropped */
};

/* Puts what is not settled, and waits. *smaller: some are too large, and would
 * not be if less was sent at a time; they are not dropped yet. SECOR_RETRY: not
 * all are settled. */
int pile_put(struct pile *pile, int *smaller, struct secor_err *err);
size_t pile_dropped(const struct pile *pile);

/* The event with its share of the objects. */
void pile_add_part(struct text *value, const struct event_said *said,
    size_t part, size_t parts);

/* ---- properties.c: what librdkafka is told ---- */

/* Complains of properties that would break the promise, that another option
 * says, or that librdkafka does not know. */
void properties_check(
    const struct kafka_conf *conf, const struct secor_check *check);

struct rd_kafka_conf_s;
/* Everything but callbacks. `cluster`: the way into it, instead of brokers and
 * login of the configuration; or NULL. `batch_bytes`: of one request to a
 * partition. SECOR_FATAL with librdkafka's sentence. */
int properties_set(struct rd_kafka_conf_s *to, const struct kafka_conf *conf,
    const struct secor_cluster *cluster, size_t batch_bytes,
    struct secor_err *err);

/* ---- token.c: tokens of the service's for a handle ---- */

struct rd_kafka_s;
/* Fetches one, good until *expires_ms. SECOR_RETRY with a sentence: the handle
 * has what it had. Any thread. */
int token_give(struct rd_kafka_s *rk, const struct secor_cluster *cluster,
    int64_t *expires_ms, struct secor_err *err);

/* ---- producer.c: messages that were acknowledged, or not ---- */

struct message {
	const char *topic;
	const char *key; /* NULL: none */
	const char *event;
	const struct text *value;
	struct sent *sent; /* lives until producer_end */
};

/* `cluster`: see properties_set. */
int producer_new(const struct kafka_conf *conf, const struct secor_host *host,
    const struct secor_cluster *cluster, struct producer **made,
    struct secor_err *err);
void producer_free(struct producer *producer); /* accepts NULL */

/* The bytes that a value should not exceed. */
size_t producer_room(const struct producer *producer);
/* Sends less at a time from now on, for brokers that refuse so much; 0: it
 * cannot. Between an end and a put. */
int producer_shrink(struct producer *producer);

/* Takes a copy of the message. SECOR_RETRY: all that has no answer has failed,
 * producer_end is not called. */
int producer_put(struct producer *producer, const struct message *message,
    struct secor_err *err);

/* Waits until all that was put has its answer. SECOR_RETRY: not all of it has;
 * the next attempt begins with a new handle. */
int producer_end(struct producer *producer, struct secor_err *err);

/* Why a message of so many bytes is too large, or refused. */
void producer_reason(const struct producer *producer, const struct sent *sent,
    size_t bytes, char *text, size_t room);

#endif
