/*
 * envelope.c -- the descriptor, the options, and the stream: encoded lines
 * through a codec.
 */
#include "plugins/format/json-envelope/envelope.h"

#include <assert.h>
#include <stdlib.h>

static const char *const ways[] = {"json", "string", "base64", NULL};

static const struct secor_option rows[] = {
    SECOR_OPTION_CHOICE(struct envelope_conf, value, "value", "json", ways,
	SECOR_OPTION_OUTPUT,
	"How values are written: json as the JSON value that they are (one "
	"that is none is a bad message), string as text (one that is not "
	"UTF-8 is a bad message), base64 whatever they are."),
    SECOR_OPTION_CHOICE(struct envelope_conf, key, "key", "string", ways,
	SECOR_OPTION_OUTPUT, "How keys are written, likewise."),
    SECOR_OPTION_CHOICE(struct envelope_conf, headers, "headers", "string",
	ways, SECOR_OPTION_OUTPUT,
	"How values of headers are written, likewise."),
    SECOR_OPTION_CHOICE(struct envelope_conf, compression, "compression",
	"none", codec_choices, SECOR_OPTION_OUTPUT,
	"Compression of the whole file, as `text` has it."),
    SECOR_OPTION_RANGE(INT, struct envelope_conf, level, "level", "1", "-7",
	"19", 0, CODEC_HELP_LEVEL),
};

static void
envelope_check(const void *conf_, const struct secor_check *check)
{
	const struct envelope_conf *conf = conf_;

	codec_check(conf->compression, conf->level, check);
}

static void
envelope_describe(const void *conf_, struct secor_format_traits *traits)
{
	const struct envelope_conf *conf = conf_;
	static const char *const extensions[] = {".json", ".json.gz",
	    ".json.deflate", ".json.zst", ".json.lz4", ".json.lz4", ".json.sz",
	    ".json.snappy", ".json.bz2"};

	traits->looks_at = SECOR_LOOKS_AT_HEADERS | SECOR_LOOKS_AT_KEY |
			   SECOR_LOOKS_AT_TIMESTAMP;
	traits->extension = extensions[conf->compression];
	traits->stores_offsets = 1;
	traits->content_type =
	    codec_content_type(conf->compression, "application/x-ndjson");
	traits->stream_bytes =
	    codec_stream_bytes(conf->compression, (int)conf->level);
}

static int
envelope_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct envelope_conf *conf = with->conf;
	struct envelope *made = calloc(1, sizeof(*made));
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
envelope_close(void *self)
{
	struct envelope *envelope = self;

	if (envelope == NULL)
		return;
	codec_close(envelope->codec);
	free(envelope);
}

static int
envelope_begin(void *self, const struct secor_object *object,
    struct secor_sink *sink, void **stream, struct secor_err *err)
{
	const struct envelope *envelope = self;

	(void)object;
	(void)sink;
	(void)err;
	*stream = codec_begin(envelope->codec);
	return SECOR_OK;
}

static int
envelope_drain(void *stream, const char *bytes, size_t len,
    struct secor_sink *sink, struct secor_err *err)
{
	return codec_put(stream, bytes, len, sink, err);
}

static int
envelope_finish(void *stream, struct secor_sink *sink, struct secor_err *err)
{
	return codec_finish(stream, sink, err);
}

static void
envelope_end(void *stream)
{
	codec_end(stream);
}

static const struct secor_format_ops ops = {
    .size = sizeof(ops),
    .describe = envelope_describe,
    .open = envelope_open,
    .close = envelope_close,
    .encode = envelope_encode,
    .begin = envelope_begin,
    .drain = envelope_drain,
    .finish = envelope_finish,
    .end = envelope_end,
    .read_begin = envelope_read_begin,
    .read = envelope_read,
    .read_end = envelope_read_end,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_FORMAT,
    "json-envelope",
    SECOR_VERSION,
    "JSON lines: topic, partition, offset, timestamp, key, headers and value.",
    1,
    SECOR_OPTIONS(rows),
    sizeof(struct envelope_conf),
    envelope_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
