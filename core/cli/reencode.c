/*
 * reencode.c -- see reencode.h.
 */
#include "core/cli/reencode.h"

#include "core/cli/encoder.h"
#include "core/cli/records.h"

struct encoding {
	struct encoder encoder;
	const struct secor_object *object;
};

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
	return encoder_add(&encoding->encoder, &record, err);
}

int
reencode(const struct config_use *format, const struct secor_object *object,
    FILE *file, struct reencoded *made, struct secor_err *err)
{
	struct encoding encoding = {.object = object};
	int rc = encoder_open(&encoding.encoder, format, NULL, err);

	encoder_begin(&encoding.encoder, object);
	if (rc == SECOR_OK)
		rc = records_read(
		    format, file, object->name, take, &encoding, err);
	if (rc == SECOR_OK)
		rc = encoder_finish(&encoding.encoder, err);
	if (rc == SECOR_OK)
		*made = (struct reencoded){
		    encoding.encoder.length, encoding.encoder.crc32c};
	encoder_close(&encoding.encoder);
	return rc;
}
