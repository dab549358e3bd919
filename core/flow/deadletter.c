/*
 * deadletter.c -- see deadletter.h. A line is JSON text with nothing lost:
 * bytes are base64, and names that are not UTF-8 come as base64 too.
 */
#include "core/flow/deadletter.h"

#include "core/base/text.h"
#include "core/flow/deadletter_line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 30, READ_BYTES = 64 << 10 };

static void
deadletter_describe(const void *conf, struct secor_format_traits *traits)
{
	(void)conf;
	traits->looks_at = SECOR_LOOKS_AT_HEADERS | SECOR_LOOKS_AT_KEY |
			   SECOR_LOOKS_AT_TIMESTAMP;
	traits->extension = ".jsonl";
	traits->stores_offsets = 1;
	traits->content_type = "application/x-ndjson";
}

/* There is no state: any instance will do, also none. */
static int
deadletter_open(
    const struct secor_open *with, void **self, struct secor_err *err)
{
	static char instance;

	(void)with;
	(void)err;
	*self = &instance;
	return SECOR_OK;
}

static void
deadletter_close(void *self)
{
	(void)self;
}

/* ---- encoding ---- */

static void
put_base64(struct buf *line, struct secor_bytes bytes)
{
	if (bytes.ptr == NULL) {
		buf_puts(line, "null");
		return;
	}
	buf_putc(line, '"');
	base64_encode(line, bytes.ptr, bytes.len);
	buf_putc(line, '"');
}

static void
put_headers(struct buf *line, const struct secor_message *message)
{
	buf_puts(line, ",\"headers\":[");
	for (int32_t i = 0; i < message->header_count; i++) {
		const struct secor_header *header = &message->headers[i];
		size_t len = strlen(header->name);

		buf_puts(line, i == 0 ? "{" : ",{");
		if (utf8_valid(header->name, len)) {
			buf_puts(line, "\"name\":");
			json_put_string(line, header->name, len);
		} else {
			struct secor_bytes name = {header->name, len};

			buf_puts(line, "\"name_base64\":");
			put_base64(line, name);
		}
		buf_puts(line, ",\"value\":");
		put_base64(line, header->value);
		buf_putc(line, '}');
	}
	buf_putc(line, ']');
}

static void
put_field(struct buf *line, const struct secor_record *record, uint32_t i,
    const char *name)
{
	const char *text = "";
	size_t len = 0;

	if (i < record->field_count && record->fields[i].ptr != NULL) {
		text = record->fields[i].ptr;
		len = record->fields[i].len;
	}
	buf_printf(line, ",\"%s\":", name);
	json_put_string(line, text, len);
}

static const char *const timestamp_types[] = {"none", "create", "append"};

static void
put_line(struct buf *line, const struct secor_record *record)
{
	const struct secor_message *message = record->message;
	int type = message->timestamp_type;

	buf_puts(line, "{\"topic\":");
	json_put_string(line, message->topic, strlen(message->topic));
	buf_printf(line,
	    ",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"timestamp\":",
	    message->partition, message->offset);
	if (message->timestamp_ms == SECOR_NO_TIME)
		buf_puts(line, "null");
	else
		buf_printf(line, "%" PRId64, message->timestamp_ms);
	buf_printf(line, ",\"timestamp_type\":\"%s\"",
	    timestamp_types[type >= 0 && type <= 2 ? type : 0]);
	put_headers(line, message);
	buf_puts(line, ",\"key\":");
	put_base64(line, message->key);
	buf_puts(line, ",\"value\":");
	put_base64(line, message->value);
	put_field(line, record, 0, "reason");
	put_field(line, record, 1, "plugin");
	buf_puts(line, "}\n");
}

/* The line is made aside and copied: its length is not known before, and bad
 * messages are few. */
static int
deadletter_encode(void *self, const struct secor_record *record, char *dst,
    size_t room, size_t *used, struct secor_err *err)
{
	struct buf line = {0};

	(void)self;
	(void)err;
	put_line(&line, record);
	*used = line.len;
	if (line.len <= room)
		memcpy(dst, line.ptr, line.len);
	buf_fini(&line);
	return SECOR_OK;
}

static int
deadletter_begin(void *self, const struct secor_object *object,
    struct secor_sink *sink, void **stream, struct secor_err *err)
{
	(void)object;
	(void)sink;
	(void)err;
	*stream = self; /* nothing is kept */
	return SECOR_OK;
}

static int
deadletter_finish(void *stream, struct secor_sink *sink, struct secor_err *err)
{
	(void)stream;
	(void)sink;
	(void)err;
	return SECOR_OK;
}

static void
deadletter_end(void *stream)
{
	(void)stream; /* there is no state */
}

/* ---- reading back ---- */

struct deadletter_reader {
	struct secor_source *source;
	struct buf in;	 /* what is read and not yet taken */
	size_t taken;	 /* of `in` */
	size_t searched; /* of `in`: no LF before it */
	uint64_t at;	 /* byte of the line, for complaints */
	struct deadletter letter;
};

static int
deadletter_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err)
{
	struct deadletter_reader *made = mem_alloc(sizeof(*made));

	(void)self;
	(void)err;
	made->source = source;
	*reader = made;
	return SECOR_OK;
}

static void
deadletter_read_end(void *reader)
{
	struct deadletter_reader *dead = reader;

	if (dead == NULL)
		return;
	buf_fini(&dead->in);
	deadletter_fini(&dead->letter);
	free(dead);
}

/* One more piece of the source into `in`; *got == 0: the end. */
static int
read_piece(struct deadletter_reader *dead, size_t *got, struct secor_err *err)
{
	struct buf *in = &dead->in;
	int rc;

	if (dead->taken > 0) {
		memmove(in->ptr, in->ptr + dead->taken, in->len - dead->taken);
		in->len -= dead->taken;
		dead->searched -= dead->taken;
		dead->taken = 0;
	}
	if (in->len > LINE_MAX_BYTES)
		return secor_fail(err, SECOR_REJECT,
		    "line at byte %" PRIu64 " is too long", dead->at);
	buf_reserve(in, READ_BYTES);
	rc = dead->source->get(
	    dead->source, in->ptr + in->len, READ_BYTES, got, err);
	if (rc == SECOR_OK)
		in->len += *got;
	return rc;
}

/* The next line without its LF; *line NULL at the end. */
static int
next_line(struct deadletter_reader *dead, const char **line, size_t *len,
    struct secor_err *err)
{
	struct buf *in = &dead->in;
	const char *end = NULL;
	size_t got = 1;

	for (;;) {
		if (in->len > dead->searched)
			end = memchr(in->ptr + dead->searched, '\n',
			    in->len - dead->searched);
		if (end != NULL || got == 0)
			break;
		dead->searched = in->len;
		int rc = read_piece(dead, &got, err);

		if (rc != SECOR_OK)
			return rc;
	}
	if (end == NULL && in->len > dead->taken)
		return secor_fail(err, SECOR_REJECT,
		    "line at byte %" PRIu64 " has no end", dead->at);
	*line = end == NULL ? NULL : in->ptr + dead->taken;
	if (end != NULL) {
		*len = (size_t)(end - *line);
		dead->taken += *len + 1;
		dead->searched = dead->taken;
	}
	return SECOR_OK;
}

const char *
deadletter_reason(const void *reader)
{
	const struct deadletter_reader *dead = reader;

	return dead->letter.reason;
}

static void
put_record(
    const struct secor_message *message, struct secor_read_record *record)
{
	record->has_offset = record->has_key = 1;
	record->offset = message->offset;
	record->key = message->key;
	record->value = message->value;
	record->has_timestamp = message->timestamp_ms != SECOR_NO_TIME;
	record->timestamp_ms =
	    record->has_timestamp ? message->timestamp_ms : 0;
	record->timestamp_type = message->timestamp_type;
	record->header_count = message->header_count;
	record->headers = message->headers;
}

static int
deadletter_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err)
{
	struct deadletter_reader *dead = reader;
	const char *line = NULL;
	size_t len = 0;
	int rc = next_line(dead, &line, &len, err);

	if (rc != SECOR_OK)
		return rc;
	*more = line != NULL;
	if (line == NULL)
		return SECOR_OK;
	if (deadletter_parse(&dead->letter, line, len))
		put_record(&dead->letter.message, record);
	else
		rc = secor_fail(err, SECOR_REJECT,
		    "line at byte %" PRIu64 " is not a dead letter", dead->at);
	dead->at += len + 1;
	return rc;
}

/* ---- the plugin ---- */

static const struct secor_format_ops deadletter_ops = {
    .size = sizeof(struct secor_format_ops),
    .describe = deadletter_describe,
    .open = deadletter_open,
    .close = deadletter_close,
    .encode = deadletter_encode,
    .begin = deadletter_begin,
    .finish = deadletter_finish,
    .end = deadletter_end,
    .read_begin = deadletter_read_begin,
    .read = deadletter_read,
    .read_end = deadletter_read_end,
};

static char built_in[] = "(built in)";

static const struct plugin deadletter_plugin = {
    .desc =
	{
	    SECOR_PLUGIN_HEAD,
	    .kind = SECOR_FORMAT,
	    .name = "dead-letter",
	    .version = SECOR_VERSION,
	    .summary = "bad messages as JSON lines, kept whole",
	    .output_version = 1,
	    .option_size = sizeof(struct secor_option),
	    .ops = &deadletter_ops,
	},
    .file = built_in,
    .ops = {.format = &deadletter_ops},
};

const struct config_use deadletter_format = {.plugin = &deadletter_plugin};
