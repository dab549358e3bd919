/*
 * sequencefile.c -- the descriptor, the options, and the hot path: one record
 * is one header and one memcpy (two with a key).
 *
 * Keys and times of Kafka are stored with `key: messagepack` alone. A null
 * value and an empty one are both a BytesWritable of length 0.
 */
#include "plugins/format/sequencefile/sequencefile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const types[] = {"none", "record", "block", NULL};
static const char *const codecs[] = {
    "default", "gzip", "bzip2", "zstd", "lz4", "snappy", NULL};
const int seq_codec_kinds[] = {CODEC_ZLIB, CODEC_GZIP, CODEC_BZIP2, CODEC_ZSTD,
    CODEC_LZ4_HADOOP, CODEC_SNAPPY_HADOOP};
const char *const seq_codec_classes[] = {SEQ_CODECS "DefaultCodec",
    SEQ_CODECS "GzipCodec", SEQ_CODECS "BZip2Codec",
    SEQ_CODECS "ZStandardCodec", SEQ_CODECS "Lz4Codec",
    SEQ_CODECS "SnappyCodec", NULL};
static const char *const keys[] = {"offset", "messagepack", NULL};

static const struct secor_option rows[] = {
    SECOR_OPTION_CHOICE(struct seq_conf, key, "key", "offset", keys,
	SECOR_OPTION_OUTPUT,
	"Keys of records: the offset (LongWritable), or what Secor's "
	"MessagePackSequenceFile had (BytesWritable: a map of offset, "
	"timestamp and Kafka's key)."),
    SECOR_OPTION_CHOICE(struct seq_conf, type, "compression_type", "none",
	types, SECOR_OPTION_OUTPUT,
	"What is compressed: nothing, the value of each record, or blocks of "
	"many records (smallest)."),
    SECOR_OPTION_CHOICE(struct seq_conf, codec, "codec", "default", codecs,
	SECOR_OPTION_OUTPUT,
	"Hadoop codec: DefaultCodec (zlib), GzipCodec, BZip2Codec, "
	"ZStandardCodec, Lz4Codec or SnappyCodec. Files of type block are "
	"named .deflate, .gz, ... after it, others have no extension."),
    SECOR_OPTION_RANGE(INT, struct seq_conf, level, "level", "1", "-7", "19", 0,
	CODEC_HELP_LEVEL),
    SECOR_OPTION_RANGE(SIZE, struct seq_conf, block_bytes, "block_size",
	"1000000", "1000", "256MiB", 0,
	"Type block: uncompressed bytes of keys and values in a block."),
};

static void
seq_check(const void *conf_, const struct secor_check *check)
{
	const struct seq_conf *conf = conf_;

	codec_check(seq_codec_kinds[conf->codec], conf->level, check);
}

static void
seq_describe(const void *conf_, struct secor_format_traits *traits)
{
	const struct seq_conf *conf = conf_;
	int block = conf->type == SEQ_BLOCK;

	traits->looks_at = conf->key == SEQ_KEY_MESSAGEPACK
			       ? SECOR_LOOKS_AT_KEY | SECOR_LOOKS_AT_TIMESTAMP
			       : 0;
	traits->extension =
	    block ? codec_extension(seq_codec_kinds[conf->codec]) : "";
	traits->stores_offsets = 1;
	traits->content_type = "application/octet-stream";
	/* A block is held plain and once more packed. */
	traits->stream_bytes = block ? 2 * (size_t)conf->block_bytes
			       : conf->type == SEQ_RECORD ? (size_t)128 << 10
							  : 1024;
	traits->by_write = block;
}

static int
seq_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct seq_conf *conf = with->conf;
	struct seq *seq = calloc(1, sizeof(*seq));
	int kind =
	    conf->type == SEQ_NONE ? CODEC_NONE : seq_codec_kinds[conf->codec];
	int rc;

	assert(seq != NULL);
	seq->conf = conf;
	seq->codec_class = seq_codec_classes[conf->codec];
	rc = codec_open(kind, (int)conf->level, &seq->codec, err);
	if (rc != SECOR_OK) {
		free(seq);
		return rc;
	}
	*self = seq;
	return SECOR_OK;
}

static void
seq_close(void *self)
{
	struct seq *seq = self;

	if (seq == NULL)
		return;
	codec_close(seq->codec);
	free(seq);
}

static int
seq_encode(void *self, const struct secor_record *record, char *dst,
    size_t room, size_t *used, struct secor_err *err)
{
	const struct seq_conf *conf = ((const struct seq *)self)->conf;
	const struct secor_message *message = record->message;
	size_t len = message->value.len;
	char head[SEQ_KEY_HEAD];
	size_t n = seq_key_head(conf, message, head);
	size_t tail = seq_key_tail(conf, message);

	if (len + tail > SEQ_MAX)
		return secor_fail(err, SECOR_REJECT,
		    "a value of %zu bytes is too large for a SequenceFile",
		    len);
	*used = 8 + n + tail + 4 + len;
	if (*used > room)
		return SECOR_OK;
	seq_set32(dst, (uint32_t)(n + tail + 4 + len));
	seq_set32(dst + 4, (uint32_t)(n + tail));
	if (n == SEQ_KEY)
		memcpy(dst + 8, head, SEQ_KEY);
	else
		memcpy(dst + 8, head, n);
	dst += 8 + n;
	if (tail > 0)
		memcpy(dst, message->key.ptr, tail);
	dst += tail;
	seq_set32(dst, (uint32_t)len);
	if (len > 0)
		memcpy(dst + 4, message->value.ptr, len);
	return SECOR_OK;
}

static const struct secor_format_ops ops = {
    .size = sizeof(ops),
    .describe = seq_describe,
    .open = seq_open,
    .close = seq_close,
    .encode = seq_encode,
    .begin = seq_begin,
    .drain = seq_drain,
    .write = seq_write,
    .finish = seq_finish,
    .end = seq_end,
    .read_begin = seq_read_begin,
    .read = seq_read,
    .read_end = seq_read_end,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_FORMAT,
    "sequencefile",
    SECOR_VERSION,
    "Hadoop SequenceFile: the offset as key, the payload as value.",
    1,
    SECOR_OPTIONS(rows),
    sizeof(struct seq_conf),
    seq_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
