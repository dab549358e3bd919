/*
 * encoder.c -- see encoder.h. Bytes go to the format as the engine gives them:
 * in multiples of 4096, the last ones excepted.
 */
#include "core/cli/encoder.h"

#include "core/base/hash.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
	DRAIN_AT = 64 * 1024,
	DRAIN_UNIT = 4096,
	PASSES_MAX = 3,
	SPLIT_TRIES = 600 /* a minute */
};

static int
take_bytes(struct secor_sink *sink, const void *bytes, size_t len,
    struct secor_err *err)
{
	struct encoder *encoder = (struct encoder *)sink;

	encoder->length += len;
	encoder->crc32c = crc32c_add(encoder->crc32c, bytes, len);
	if (encoder->file == NULL || len == 0 ||
	    fwrite(bytes, 1, len, encoder->file) == len)
		return SECOR_OK;
	return secor_fail(
	    err, SECOR_RETRY, "write a temporary file: %s", strerror(errno));
}

int
encoder_open(struct encoder *encoder, const struct config_use *format,
    FILE *file, struct secor_err *err)
{
	struct secor_format_traits traits = {.size = sizeof(traits)};
	struct secor_open with = {.size = sizeof(with),
	    .conf = format->conf,
	    .host = format->plugin->host,
	    .compat = format->compat};

	memset(encoder, 0, sizeof(*encoder));
	encoder->sink.size = sizeof(encoder->sink);
	encoder->sink.put = take_bytes;
	encoder->ops = format->plugin->ops.format;
	encoder->file = file;
	encoder->ops->describe(format->conf, &traits);
	encoder->by_write = encoder->ops->encode == NULL || traits.by_write;
	return encoder->ops->open(&with, &encoder->self, err);
}

void
encoder_begin(struct encoder *encoder, const struct secor_object *object)
{
	encoder->object = object;
}

int
encoder_split(struct encoder *encoder, const struct secor_record *record,
    struct secor_split *split, struct secor_err *err)
{
	static const struct timespec nap = {0, 100 * 1000 * 1000};
	int rc = SECOR_RETRY;

	*split = (struct secor_split){
	    .size = sizeof(*split), .suffix = {"", 0}, .hint = {NULL, 0}};
	if (encoder->ops->split == NULL)
		return SECOR_OK;
	for (int i = 0; rc == SECOR_RETRY && i < SPLIT_TRIES; i++) {
		if (i > 0)
			(void)nanosleep(&nap, NULL);
		rc = encoder->ops->split(encoder->self, record, split, err);
	}
	return rc;
}

/* `first` NULL: there is no record. */
static int
begin(struct encoder *encoder, const struct secor_record *first,
    struct secor_err *err)
{
	struct secor_object object = *encoder->object;
	struct secor_split split;
	int rc = SECOR_OK;

	encoder->object = NULL;
	if (first != NULL) {
		rc = encoder_split(encoder, first, &split, err);
		object.hint = split.hint;
	}
	if (rc == SECOR_OK && encoder->ops->begin != NULL)
		rc = encoder->ops->begin(encoder->self, &object, &encoder->sink,
		    &encoder->stream, err);
	return rc;
}

static int
drain(struct encoder *encoder, size_t len, struct secor_err *err)
{
	struct buf *encoded = &encoder->encoded;
	int rc = SECOR_OK;

	if (len == 0)
		return SECOR_OK;
	if (encoder->ops->drain != NULL)
		rc = encoder->ops->drain(
		    encoder->stream, encoded->ptr, len, &encoder->sink, err);
	else
		rc = take_bytes(&encoder->sink, encoded->ptr, len, err);
	memmove(encoded->ptr, encoded->ptr + len, encoded->len - len);
	encoded->len -= len;
	return rc;
}

/* Appends the record to what is not yet drained. */
static int
encode(struct encoder *encoder, const struct secor_record *record,
    struct secor_err *err)
{
	struct buf *encoded = &encoder->encoded;
	size_t used = 0;

	for (int pass = 0; pass < PASSES_MAX; pass++) {
		size_t room;
		int rc;

		buf_reserve(encoded, used > DRAIN_UNIT ? used : DRAIN_UNIT);
		room = encoded->room - encoded->len - 1;
		rc = encoder->ops->encode(encoder->self, record,
		    encoded->ptr + encoded->len, room, &used, err);
		if (rc != SECOR_OK)
			return rc;
		if (used <= room) {
			encoded->len += used;
			return SECOR_OK;
		}
	}
	return secor_fail(err, SECOR_REJECT,
	    "format: asks for %zu bytes again and again", used);
}

int
encoder_add(struct encoder *encoder, const struct secor_record *record,
    struct secor_err *err)
{
	/* as the engine packs it: the message alone */
	const struct secor_record packed = {.size = sizeof(packed),
	    .message = record->message,
	    .time_ms = SECOR_NO_TIME};
	int rc = SECOR_OK;

	if (encoder->object != NULL)
		rc = begin(encoder, record, err);
	if (rc != SECOR_OK)
		return rc;
	if (encoder->by_write)
		return encoder->ops->write(
		    encoder->stream, &packed, 1, &encoder->sink, err);
	rc = encode(encoder, record, err);
	if (rc != SECOR_OK || encoder->encoded.len < DRAIN_AT)
		return rc;
	return drain(encoder,
	    encoder->encoded.len - encoder->encoded.len % DRAIN_UNIT, err);
}

int
encoder_finish(struct encoder *encoder, struct secor_err *err)
{
	int rc = SECOR_OK;

	if (encoder->object != NULL)
		rc = begin(encoder, NULL, err);
	if (rc == SECOR_OK)
		rc = drain(encoder, encoder->encoded.len, err);
	if (rc == SECOR_OK && encoder->ops->finish != NULL)
		rc = encoder->ops->finish(encoder->stream, &encoder->sink, err);
	if (rc == SECOR_OK && encoder->file != NULL &&
	    (fflush(encoder->file) != 0 || ferror(encoder->file)))
		rc = secor_fail(err, SECOR_RETRY, "write a temporary file: %s",
		    strerror(errno));
	return rc;
}

void
encoder_close(struct encoder *encoder)
{
	if (encoder->ops == NULL)
		return;
	if (encoder->stream != NULL && encoder->ops->end != NULL)
		encoder->ops->end(encoder->stream);
	encoder->ops->close(encoder->self);
	buf_fini(&encoder->encoded);
	memset(encoder, 0, sizeof(*encoder));
}

int
encoder_try(struct encoder *encoder, const struct secor_record *record,
    struct secor_err *err)
{
	int rc;

	if (encoder->by_write)
		return SECOR_OK;
	rc = encode(encoder, record, err);
	encoder->encoded.len = 0;
	return rc;
}
