/*
 * message.c -- see message.h.
 */
#include "core/flow/message.h"

#include "core/base/buf.h"

#include <stdlib.h>
#include <string.h>

static int32_t
timestamp_type(rd_kafka_timestamp_type_t type)
{
	if (type == RD_KAFKA_TIMESTAMP_CREATE_TIME)
		return SECOR_TIMESTAMP_CREATE;
	return type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME
		   ? SECOR_TIMESTAMP_APPEND
		   : SECOR_TIMESTAMP_NONE;
}

void
message_of(struct message *message, rd_kafka_message_t *rkm)
{
	struct secor_message *raw = &message->raw;
	rd_kafka_timestamp_type_t type;
	int64_t time = rd_kafka_message_timestamp(rkm, &type);

	message->rkm = rkm;
	message->header_count = 0;
	raw->size = sizeof(*raw);
	raw->offset = rkm->offset;
	raw->timestamp_ms = time < 0 ? SECOR_NO_TIME : time;
	raw->timestamp_type = timestamp_type(type);
	raw->key.ptr = rkm->key;
	raw->key.len = rkm->key_len;
	raw->value.ptr = rkm->payload;
	raw->value.len = rkm->len;
}

/* Copies what `bytes` are to `at`, and lets them be there. */
static char *
move(struct secor_bytes *bytes, char *at)
{
	if (bytes->ptr == NULL)
		return at;
	memcpy(at, bytes->ptr, bytes->len);
	bytes->ptr = at;
	return at + bytes->len;
}

struct message *
message_keep(const struct message *message)
{
	size_t headers =
	    message->rkm != NULL || message->headers == NULL
		? 0
		: (size_t)(message->headers_end - message->headers);
	struct secor_bytes key = message->raw.key, value = message->raw.value;
	size_t size = message->rkm != NULL ? 0 : headers + key.len + value.len;
	struct message *kept = mem_grow(NULL, sizeof(*kept) + size);
	char *at = (char *)(kept + 1);

	*kept = *message;
	if (message->rkm != NULL)
		return kept;
	at = move(&kept->raw.key, at);
	at = move(&kept->raw.value, at);
	if (headers > 0)
		memcpy(at, message->headers, headers);
	kept->headers = at;
	kept->headers_end = at + headers;
	return kept;
}

void
message_free(struct message *message)
{
	if (message->rkm != NULL)
		rd_kafka_message_destroy(message->rkm);
	free(message);
}
