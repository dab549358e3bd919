/*
 * message.h -- one message as it was read, whoever read it: librdkafka, or the
 * engine's own readers (fetch/). Inside of core/flow only. Thread: consumer.
 *
 * The bytes belong to the reader, and are good until the message is let go.
 */
#ifndef SECOR_FLOW_MESSAGE_H
#define SECOR_FLOW_MESSAGE_H

#include <secor/message.h>

#include <librdkafka/rdkafka.h>

struct message {
	/* Without topic, partition and headers: those are filled in where
	 * somebody looks. */
	struct secor_message raw;
	/* Of the own readers: `header_count` headers as the record has them,
	 * checked when they are looked at. */
	const char *headers, *headers_end;
	int32_t header_count;
	rd_kafka_message_t *rkm; /* of librdkafka; NULL: the own readers' */
};

/* As librdkafka has read it. `rkm` stays the caller's. */
void message_of(struct message *message, rd_kafka_message_t *rkm);

/* To be looked at later: a copy of the bytes, or with the librdkafka message,
 * which it takes. */
struct message *message_keep(const struct message *message);
void message_free(struct message *message); /* of message_keep() */

#endif
