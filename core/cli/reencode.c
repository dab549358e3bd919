/*
 * reencode.c -- see reencode.h. Bytes go to the format as the engine gives
 * them: in multiples of 4096, the last ones excepted.
 */
#include "core/cli/reencode.h"

#include "core/base/buf.h"
#include "core/base/hash.h"
#include "core/cli/records.h"

#include <string.h>

enum { DRAIN_AT = 64 * 1024, DRAIN_UNIT = 4096 };

struct encoding {
	struct secor_sink sink; /* first: what the format puts */
	const struct secor_format_ops *ops;
	const struct secor_object *object;
	void *self, *stream;
	int by_write;
	struct buf encoded; /* not yet drained */
	struct reencoded sum;
};

static int
sum_put(struct secor_sink *sink, const void *bytes, size_t len,
    struct secor_err *err)
{
	struct encoding *encoding = (struct encoding *)sink;

	(void)err;
	encoding->sum.length += len;
	encoding->sum.crc32c = crc32c_add(encoding->sum.crc32c, bytes, len);
	return SECOR_OK;
}

static int
drain(struct encoding *encoding, size_t len, struct secor_err *err)
{
	struct buf *encoded = &encoding->encoded;
	int rc = SECOR_OK;

	if (len == 0)
		return SECOR_OK;
	if (encoding->ops->drain != NULL)
		rc = encoding->ops->drain(
		    encoding->stream, encoded->ptr, len, &encoding->sink, err);
	else
		rc = sum_put(&encoding->sink, encoded->ptr, len, err);
	memmove(encoded->ptr, encoded->ptr + len, encoded->len - len);
	encoded->len -= len;
	return rc;
}

static int
encode(struct encoding *encoding, const struct secor_record *record,
    struct secor_err *err)
{
	struct buf *encoded = &encoding->encoded;
	size_t used = 0;
	size_t room;
	int rc;

	do {
		buf_reserve(encoded, used > DRAIN_UNIT ? used : DRAIN_UNIT);
		room = encoded->room - encoded->len - 1;
		rc = encoding->ops->encode(encoding->self, record,
		    encoded->ptr + encoded->len, room, &used, err);
	} while (rc == SECOR_OK && used > room);
	if (rc != SECOR_OK)
		return rc;
	encoded->len += used;
	if (encoded->len < DRAIN_AT)
		return SECOR_OK;
	return drain(encoding, encoded->len - encoded->len % DRAIN_UNIT, err);
}

static int
take(void *arg, const struct secor_read_record *read, const void *reader,
    struct secor_err *err)
{
	struct encoding *encoding = arg;
	struct secor_message message = {.size = sizeof(message),
	    .partition = encoding->object->partition,
	    .topic = encoding->object->topic,
	    .offset = read->has_offset ? read->offset : 0,
	    .timestamp_ms =
		read->has_timestamp ? read->timestamp_ms : SECOR_NO_TIME,
	    .timestamp_type = read->timestamp_type,
	    .header_count = read->header_count,
	    .headers = read->headers,
	    .key = read->has_key ? read->key : (struct secor_bytes){NULL, 0},
	    .value = read->value};
	struct secor_record record = {.size = sizeof(record),
	    .message = &message,
	    .time_ms = SECOR_NO_TIME};

	(void)reader;
	if (!encoding->by_write)
		return encode(encoding, &record, err);
	return encoding->ops->write(
	    encoding->stream, &record, 1, &encoding->sink, err);
}

static int
begin(struct encoding *encoding, const struct config_use *format,
    struct secor_err *err)
{
	const struct secor_format_ops *ops = format->plugin->ops.format;
	struct secor_format_traits traits = {.size = sizeof(traits)};
	struct secor_open with = {.size = sizeof(with),
	    .conf = format->conf,
	    .host = format->plugin->host,
	    .compat = format->compat};
	int rc = ops->open(&with, &encoding->self, err);

	ops->describe(format->conf, &traits);
	encoding->ops = ops;
	encoding->by_write = ops->encode == NULL || traits.by_write;
	if (rc == SECOR_OK && ops->begin != NULL)
		rc = ops->begin(encoding->self, encoding->object,
		    &encoding->sink, &encoding->stream, err);
	return rc;
}

int
reencode(const struct config_use *format, const struct secor_object *object,
    FILE *file, struct reencoded *made, struct secor_err *err)
{
	struct encoding encoding = {
	    .sink = {sizeof(encoding.sink), sum_put}, .object = object};
	int rc = begin(&encoding, format, err);

	if (rc == SECOR_OK)
		rc = records_read(
		    format, file, object->name, take, &encoding, err);
	if (rc == SECOR_OK)
		rc = drain(&encoding, encoding.encoded.len, err);
	if (rc == SECOR_OK && encoding.ops->finish != NULL)
		rc = encoding.ops->finish(encoding.stream, &encoding.sink, err);
	if (encoding.stream != NULL && encoding.ops->end != NULL)
		encoding.ops->end(encoding.stream);
	encoding.ops->close(encoding.self);
	buf_fini(&encoding.encoded);
	if (rc == SECOR_OK)
		*made = encoding.sum;
	return rc;
}
