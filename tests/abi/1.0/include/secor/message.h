/*
 * message.h -- a Kafka message, and the record that a parser makes of it.
 */
#ifndef SECOR_MESSAGE_H
#define SECOR_MESSAGE_H

#include <secor/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What somebody looks at beyond value, offset and partition. The engine asks
 * librdkafka for nothing else (headers cost a quarter of a second a GB). */
enum {
	SECOR_LOOKS_AT_HEADERS = 1,
	SECOR_LOOKS_AT_KEY = 2,
	SECOR_LOOKS_AT_TIMESTAMP = 4
};

#define SECOR_NO_TIME INT64_MIN

enum secor_timestamp_type {
	SECOR_TIMESTAMP_NONE = 0,
	SECOR_TIMESTAMP_CREATE = 1,
	SECOR_TIMESTAMP_APPEND = 2
};

struct secor_header {
	const char *name;
	struct secor_bytes value;
};

/* As consumed. Keys and values may be null (ptr == NULL): a tombstone is not
 * an empty value. Bytes are not NUL-terminated. */
struct secor_message {
	uint32_t size;
	int32_t partition;
	const char *topic;
	int64_t offset;
	int64_t timestamp_ms; /* of Kafka; SECOR_NO_TIME when there is none */
	int32_t timestamp_type;
	int32_t header_count; /* 0 unless somebody looks at headers */
	const struct secor_header *headers;
	struct secor_bytes key;
	struct secor_bytes value;
};

/* A message plus what the parser found in it. */
struct secor_record {
	uint32_t size;
	uint32_t field_count; /* as many as `fields` of secor_open, in order */
	const struct secor_message *message;
	int64_t time_ms;		  /* event time, UTC; SECOR_NO_TIME */
	const struct secor_bytes *fields; /* ptr == NULL: not there, or null */
};

#ifdef __cplusplus
}
#endif
#endif
