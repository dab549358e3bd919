/*
 * framed.c -- the descriptor, the options, and the hot path: one message is one
 * frame.
 */
#include "plugins/format/framed/framed.h"

#include "plugins/common/crc32c.h"

#include <assert.h>
#include <stdlib.h>

static const struct secor_option rows[] = {
    SECOR_OPTION_CHOICE(struct framed_conf, compression, "compression", "zstd",
	codec_choices, SECOR_OPTION_OUTPUT,
	"Compression of the whole file, as `text` has it."),
    SECOR_OPTION_RANGE(INT, struct framed_conf, level, "level", "1", "-7", "19",
	0, CODEC_HELP_LEVEL),
};

static void
framed_check(const void *conf_, const struct secor_check *check)
{
	const struct framed_conf *conf = conf_;

	codec_check(conf->compression, conf->level, check);
}

static void
framed_describe(const void *conf_, struct secor_format_traits *traits)
{
	const struct framed_conf *conf = conf_;
	static const char *const extensions[] = {".framed", ".framed.gz",
	    ".framed.deflate", ".framed.zst", ".framed.lz4", ".framed.lz4",
	    ".framed.sz", ".framed.snappy", ".framed.bz2"};

	traits->looks_at = SECOR_LOOKS_AT_HEADERS | SECOR_LOOKS_AT_KEY |
			   SECOR_LOOKS_AT_TIMESTAMP;
	traits->extension = extensions[conf->compression];
	traits->stores_offsets = 1;
	traits->content_type =
	    codec_content_type(conf->compression, "application/octet-stream");
	traits->stream_bytes =
	    codec_stream_bytes(conf->compression, (int)conf->level);
}

static int
framed_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct framed_conf *conf = with->conf;
	struct framed *made = calloc(1, sizeof(*made));
	int rc;

	assert(made != NULL);
	made->conf = conf;
	rc = codec_open(conf->compression, (int)conf->level, &made->codec, err);
	if (rc != SECOR_OK) {
		free(made);
		return rc;
	}
	*self = made;
	return SECOR_OK;
}

static void
framed_close(void *self)
{
	struct framed *framed = self;

	if (framed == NULL)
		return;
	codec_close(framed->codec);
	free(framed);
}

/* ---- one message ---- */

static size_t
body_len(const struct secor_message *message)
{
	size_t len = FRAMED_HEAD + message->key.len + message->value.len;

	for (int32_t i = 0; i < message->header_count; i++)
		len += 8 + strlen(message->headers[i].name) +
		       message->headers[i].value.len;
	return len;
}

static char *
put_bytes(char *to, const char *bytes, size_t len)
{
	if (len > 0)
		memcpy(to, bytes, len);
	return to + len;
}

static char *
put_headers(char *to, const struct secor_message *message)
{
	for (int32_t i = 0; i < message->header_count; i++) {
		const struct secor_header *header = &message->headers[i];
		size_t name = strlen(header->name);
		int null = header->value.ptr == NULL;

		to = framed_put32(to, (uint32_t)name);
		to = framed_put32(
		    to, null ? FRAMED_NULL : (uint32_t)header->value.len);
		to = put_bytes(to, header->name, name);
		to = put_bytes(to, header->value.ptr, header->value.len);
	}
	return to;
}

static char *
put_body(char *to, const struct secor_message *message)
{
	int has_time = message->timestamp_ms != SECOR_NO_TIME;

	to[0] = (char)((message->key.ptr != NULL ? FRAMED_HAS_KEY : 0) |
		       (message->value.ptr != NULL ? FRAMED_HAS_VALUE : 0) |
		       (has_time ? FRAMED_HAS_TIME : 0));
	to[1] = (char)message->timestamp_type;
	to[2] = to[3] = 0;
	to = framed_put32(to + 4, (uint32_t)message->header_count);
	to = framed_put64(to, message->offset);
	to = framed_put64(to, has_time ? message->timestamp_ms : 0);
	to = framed_put32(to, (uint32_t)message->key.len);
	to = framed_put32(to, (uint32_t)message->value.len);
	to = put_bytes(to, message->key.ptr, message->key.len);
	to = put_bytes(to, message->value.ptr, message->value.len);
	return put_headers(to, message);
}

static int
framed_encode(void *self, const struct secor_record *record, char *dst,
    size_t room, size_t *used, struct secor_err *err)
{
	size_t len = body_len(record->message);
	char *end;

	(void)self;
	if (len > FRAMED_MAX)
		return secor_fail(err, SECOR_REJECT,
		    "a message of %zu bytes is too large for a frame", len);
	*used = 4 + len + 4;
	if (*used > room)
		return SECOR_OK;
	(void)framed_put32(dst, (uint32_t)len);
	end = put_body(dst + 4, record->message);
	assert(end == dst + 4 + len);
	(void)framed_put32(end, crc32c_more(0, dst + 4, len));
	return SECOR_OK;
}

/* ---- the file of one object ---- */

static int
put_about(struct codec_stream *stream, const struct secor_object *object,
    struct secor_sink *sink, struct secor_err *err)
{
	size_t len = FRAMED_ABOUT + strlen(object->topic);
	struct grow head = {NULL, 0, 0};
	char *to = grow_room(&head, FRAMED_MARK + 4 + len + 4), *about;
	int rc;

	memcpy(to, FRAMED_MAGIC, FRAMED_MARK);
	about = framed_put32(to + FRAMED_MARK, (uint32_t)len);
	to = framed_put32(about, (uint32_t)object->partition);
	to = framed_put64(to, object->start);
	to = put_bytes(to, object->topic, strlen(object->topic));
	to = framed_put32(to, crc32c_more(0, about, len));
	rc = codec_put(stream, head.ptr, (size_t)(to - head.ptr), sink, err);
	grow_fini(&head);
	return rc;
}

static int
framed_begin(void *self, const struct secor_object *object,
    struct secor_sink *sink, void **stream, struct secor_err *err)
{
	const struct framed *framed = self;
	struct codec_stream *made = codec_begin(framed->codec);
	int rc = put_about(made, object, sink, err);

	if (rc != SECOR_OK) {
		codec_end(made);
		return rc;
	}
	*stream = made;
	return SECOR_OK;
}

static int
framed_drain(void *stream, const char *bytes, size_t len,
    struct secor_sink *sink, struct secor_err *err)
{
	return codec_put(stream, bytes, len, sink, err);
}

static int
framed_finish(void *stream, struct secor_sink *sink, struct secor_err *err)
{
	int rc =
	    codec_put(stream, FRAMED_END, sizeof(FRAMED_END) - 1, sink, err);

	return rc == SECOR_OK ? codec_finish(stream, sink, err) : rc;
}

static void
framed_end(void *stream)
{
	codec_end(stream);
}

static const struct secor_format_ops ops = {
    .size = sizeof(ops),
    .describe = framed_describe,
    .open = framed_open,
    .close = framed_close,
    .encode = framed_encode,
    .begin = framed_begin,
    .drain = framed_drain,
    .finish = framed_finish,
    .end = framed_end,
    .read_begin = framed_read_begin,
    .read = framed_read,
    .read_end = framed_read_end,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_FORMAT,
    "framed",
    SECOR_VERSION,
    "Archive of messages as they were: keys, headers, times, tombstones.",
    1,
    SECOR_OPTIONS(rows),
    sizeof(struct framed_conf),
    framed_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
