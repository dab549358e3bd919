/*
 * text.c -- delimited text: a payload, a delimiter, and so on; plain or
 * compressed. Invariant: unless told to keep what payloads hold, a file has
 * exactly as many delimiters as records (and one more behind a header).
 *
 * Offsets, keys and times are not stored. A null value and an empty one are
 * both an empty line.
 */
#include "plugins/format/text/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const framings[] = {
    "delimiter", "u32be", "u32le", "varint", NULL};
static const char *const insides[] = {"reject", "escape", "keep", NULL};
static const struct secor_option rows[] = {
    SECOR_OPTION_CHOICE(struct text_conf, framing, "framing", "delimiter",
	framings, SECOR_OPTION_OUTPUT,
	"Where a record ends: at a delimiter, or known by its length before "
	"it, in four bytes (u32be big-endian, u32le little-endian) or as "
	"protobuf writes delimited messages (varint)."),
    SECOR_OPTION(STRING, struct text_conf, delimiter, "delimiter", "\\n",
	SECOR_OPTION_OUTPUT,
	"Bytes behind each record; \\n, \\t, \\r, \\0, \\\\ and \\xNN stand "
	"for what they stand for in C."),
    SECOR_OPTION_CHOICE(struct text_conf, inside, "delimiter_in_payload",
	"reject", insides, SECOR_OPTION_OUTPUT,
	"What becomes of a payload that holds the delimiter: reject makes it a "
	"bad message, escape writes \\n and \\\\ for a delimiter and a "
	"backslash in any payload, keep writes it as it is (a reader will see "
	"several records)."),
    SECOR_OPTION_CHOICE(struct text_conf, compression, "compression", "none",
	codec_choices, SECOR_OPTION_OUTPUT,
	"Compression of the whole file; hadoop-lz4 and hadoop-snappy are the "
	"blocks of Hadoop's Lz4Codec and SnappyCodec, lz4 and snappy what "
	"everybody else reads."),
    SECOR_OPTION_RANGE(INT, struct text_conf, level, "level", "1", "-7", "19",
	0, CODEC_HELP_LEVEL),
    SECOR_OPTION(STRING, struct text_conf, header, "header", NULL,
	SECOR_OPTION_OUTPUT,
	"First line of every file; not counted as a record."),
};

/* Escapes are made of these; a delimiter that begins so would appear in them.
 */
static int
is_part_of_escape(char c)
{
	return c == '\\' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* What lengths before records have no use for. */
static void
check_sized(const struct text_conf *conf, const struct secor_check *check)
{
	if (strcmp(conf->delimiter, "\\n") != 0)
		check->complain(check, "delimiter",
		    "with this `framing` there is none: leave it out");
	if (conf->header != NULL)
		check->complain(check, "header",
		    "a header line needs `framing: delimiter`");
}

static void
check_delimited(const struct text_conf *conf, const struct secor_check *check)
{
	char delimiter[DELIMITER_MAX];
	size_t len = 0;
	const char *complaint = text_unescape_option(
	    conf->delimiter, delimiter, sizeof(delimiter), &len);

	if (complaint == NULL && len == 0)
		complaint = "it is empty";
	if (complaint == NULL && conf->inside == TEXT_ESCAPE &&
	    is_part_of_escape(delimiter[0]))
		complaint = "with `delimiter_in_payload: escape` it cannot "
			    "begin with a letter, a digit or a backslash";
	if (complaint != NULL)
		check->complain(check, "delimiter", complaint);
	else if (conf->header != NULL &&
		 memmem(conf->header, strlen(conf->header), delimiter, len) !=
		     NULL)
		check->complain(check, "header", "it holds the delimiter");
}

static void
text_check(const void *conf_, const struct secor_check *check)
{
	const struct text_conf *conf = conf_;

	if (conf->framing == TEXT_DELIMITER)
		check_delimited(conf, check);
	else
		check_sized(conf, check);
	codec_check(conf->compression, conf->level, check);
}

static void
text_describe(const void *conf_, struct secor_format_traits *traits)
{
	const struct text_conf *conf = conf_;

	traits->looks_at = 0;
	traits->extension = codec_extension(conf->compression);
	traits->stores_offsets = 0;
	traits->content_type =
	    codec_content_type(conf->compression, "text/plain");
	traits->stream_bytes =
	    codec_stream_bytes(conf->compression, (int)conf->level);
}

static int
text_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct text_conf *conf = with->conf;
	struct text *text = calloc(1, sizeof(*text));
	const char *complaint;
	int rc;

	assert(text != NULL);
	text->conf = conf;
	text->kind = conf->compression;
	complaint = text_unescape_option(conf->delimiter, text->delimiter,
	    sizeof(text->delimiter), &text->delimiter_len);
	if (complaint == NULL && text->delimiter_len == 0)
		complaint = "it is empty";
	if (complaint != NULL) {
		rc = secor_fail(err, SECOR_FATAL, "delimiter \"%s\": %s",
		    conf->delimiter, complaint);
		goto failed;
	}
	rc = codec_open(text->kind, (int)conf->level, &text->codec, err);
	if (rc != SECOR_OK)
		goto failed;
	*self = text;
	return SECOR_OK;
failed:
	free(text);
	return rc;
}

static void
text_close(void *self)
{
	struct text *text = self;

	if (text == NULL)
		return;
	codec_close(text->codec);
	free(text);
}

/* Would a reader see the delimiter before the payload ends? It may also begin
 * in the payload and end in the delimiter behind it ("a" + "aa"). */
static int
splits(const struct text *t, const struct secor_bytes *value)
{
	size_t n = t->delimiter_len, k;

	if (value->len == 0)
		return 0;
	if (n == 1)
		return memchr(value->ptr, t->delimiter[0], value->len) != NULL;
	if (memmem(value->ptr, value->len, t->delimiter, n) != NULL)
		return 1;
	for (k = 1; k < n && k <= value->len; k++)
		if (memcmp(value->ptr + value->len - k, t->delimiter, k) == 0 &&
		    memcmp(t->delimiter + k, t->delimiter, n - k) == 0)
			return 1;
	return 0;
}

/* With its length before it; no payload is too odd for that. */
static int
encode_sized(const struct text *t, const struct secor_bytes *value, char *dst,
    size_t room, size_t *used, struct secor_err *err)
{
	char head[TEXT_PREFIX_MAX];
	size_t n;

	if (value->len > UINT32_MAX)
		return secor_fail(err, SECOR_REJECT,
		    "the payload is too large for its length");
	n = text_prefix_put(t->conf->framing, value->len, head);
	*used = n + value->len;
	if (*used > room)
		return SECOR_OK;
	memcpy(dst, head, n);
	if (value->len > 0)
		memcpy(dst + n, value->ptr, value->len);
	return SECOR_OK;
}

static int
text_encode(void *self, const struct secor_record *record, char *dst,
    size_t room, size_t *used, struct secor_err *err)
{
	const struct text *t = self;
	const struct secor_bytes *value = &record->message->value;
	size_t len = value->len;

	if (t->conf->framing != TEXT_DELIMITER)
		return encode_sized(t, value, dst, room, used, err);
	if (t->conf->inside == TEXT_REJECT && splits(t, value))
		return secor_fail(err, SECOR_REJECT,
		    "the payload holds the delimiter (see "
		    "delimiter_in_payload)");
	if (t->conf->inside == TEXT_ESCAPE)
		len = text_escaped_len(value, t->delimiter[0]);
	*used = len + t->delimiter_len;
	if (*used > room)
		return SECOR_OK;
	if (len > value->len)
		text_escape(value, t->delimiter[0], dst);
	else if (len > 0)
		memcpy(dst, value->ptr, len);
	memcpy(dst + len, t->delimiter, t->delimiter_len);
	return SECOR_OK;
}

static int
text_begin(void *self, const struct secor_object *object,
    struct secor_sink *sink, void **stream, struct secor_err *err)
{
	const struct text *t = self;
	struct codec_stream *made = codec_begin(t->codec);
	const char *header = t->conf->header;
	int rc = SECOR_OK;

	(void)object;
	if (header != NULL)
		rc = codec_put(made, header, strlen(header), sink, err);
	if (header != NULL && rc == SECOR_OK)
		rc = codec_put(made, t->delimiter, t->delimiter_len, sink, err);
	if (rc != SECOR_OK) {
		codec_end(made);
		return rc;
	}
	*stream = made;
	return SECOR_OK;
}

static int
text_drain(void *stream, const char *bytes, size_t len, struct secor_sink *sink,
    struct secor_err *err)
{
	return codec_put(stream, bytes, len, sink, err);
}

static int
text_finish(void *stream, struct secor_sink *sink, struct secor_err *err)
{
	return codec_finish(stream, sink, err);
}

static void
text_end(void *stream)
{
	codec_end(stream);
}

static const struct secor_format_ops ops = {
    .size = sizeof(ops),
    .describe = text_describe,
    .open = text_open,
    .close = text_close,
    .encode = text_encode,
    .begin = text_begin,
    .drain = text_drain,
    .finish = text_finish,
    .end = text_end,
    .read_begin = text_read_begin,
    .read = text_read,
    .read_end = text_read_end,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_FORMAT,
    "text",
    SECOR_VERSION,
    "Delimited text: one record a line, plain or compressed.",
    1,
    SECOR_OPTIONS(rows),
    sizeof(struct text_conf),
    text_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
