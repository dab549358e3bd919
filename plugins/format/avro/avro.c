/*
 * avro.c -- the descriptor, the options, and one message: its value must be one
 * datum of the schema, to the last byte, since one that is not would make the
 * rest of its block unreadable.
 */
#include "plugins/format/avro/avro.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const avro_codecs[] = {
    "null", "deflate", "snappy", "zstandard", "bzip2", NULL};
const int avro_codec_kinds[] = {
    CODEC_NONE, CODEC_DEFLATE, CODEC_NONE, CODEC_ZSTD, CODEC_BZIP2};
static const char *const framings[] = {"bare", "confluent", NULL};

static const struct secor_option rows[] = {
    SECOR_OPTION(PATH, struct avro_conf, schema_file, "schema_file", NULL,
	SECOR_OPTION_OUTPUT,
	"File with the schema of the values; its text goes into every file. "
	"Or `registry`."),
    SECOR_OPTION_CHOICE(struct avro_conf, framing, "framing", "bare", framings,
	SECOR_OPTION_OUTPUT,
	"Whether values are bare Avro, or begin with a zero and the schema's "
	"id in four bytes, as Confluent's serializers write them."),
    SECOR_OPTION_RANGE(INT, struct avro_conf, schema_id, "schema_id", "-1",
	"-1", "4294967295", SECOR_OPTION_OUTPUT,
	"The id of the schema: of `schema_file` in the registry, or the one "
	"that bare values have; a value of another one is a bad message. -1 "
	"with `registry` and framing: confluent: any."),
    SECOR_OPTION_CHOICE(struct avro_conf, codec, "codec", "null", avro_codecs,
	SECOR_OPTION_OUTPUT, "Avro codec of the blocks."),
    SECOR_OPTION_RANGE(INT, struct avro_conf, level, "level", "1", "-7", "19",
	0, CODEC_HELP_LEVEL),
    SECOR_OPTION_RANGE(SIZE, struct avro_conf, block_bytes, "block_size",
	"64KiB", "1000", "64MiB", 0, "Uncompressed bytes of a block."),
    REGISTRY_ROWS(struct avro_conf, registry),
};

static void
check_id(const struct avro_conf *conf, const struct secor_check *check)
{
	int registry = conf->registry.urls.count > 0;

	if (conf->schema_id >= 0) {
		if (conf->framing == AVRO_BARE && !registry)
			check->complain(check, "schema_id",
			    "it has a meaning with `framing: confluent` or "
			    "`registry` alone");
		return;
	}
	if (conf->framing == AVRO_CONFLUENT && !registry)
		check->complain(check, "schema_id",
		    "`framing: confluent` needs the id of the schema (or "
		    "`registry`)");
	if (conf->framing == AVRO_BARE && registry)
		check->complain(check, "schema_id",
		    "bare values do not tell of which schema of the registry "
		    "they are: name its id");
}

static void
avro_check(const void *conf_, const struct secor_check *check)
{
	const struct avro_conf *conf = conf_;
	int registry = conf->registry.urls.count > 0;

	codec_check(avro_codec_kinds[conf->codec], conf->level, check);
	registry_check(&conf->registry, check);
	if (registry && conf->schema_file != NULL)
		check->complain(
		    check, "schema_file", "and registry exclude each other");
	if (!registry && conf->schema_file == NULL)
		check->complain(
		    check, "schema_file", "is needed (or `registry`)");
	check_id(conf, check);
}

static void
avro_describe(const void *conf_, struct secor_format_traits *traits)
{
	const struct avro_conf *conf = conf_;

	traits->looks_at = 0;
	traits->extension = ".avro";
	traits->stores_offsets = 0;
	traits->content_type = "application/avro";
	/* A block is held plain and once more packed. */
	traits->stream_bytes = 2 * (size_t)conf->block_bytes;
}

static void
avro_close(void *self)
{
	struct avro *avro = self;

	if (avro == NULL)
		return;
	codec_close(avro->codec);
	schema_close(avro);
	free(avro);
}

static int
avro_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct avro_conf *conf = with->conf;
	struct avro *avro = calloc(1, sizeof(*avro));
	int rc;

	assert(avro != NULL);
	avro->conf = conf;
	rc = schema_open(avro, with->host, err);
	if (rc == SECOR_OK)
		rc = codec_open(avro_codec_kinds[conf->codec], (int)conf->level,
		    &avro->codec, err);
	if (rc != SECOR_OK) {
		avro_close(avro);
		return rc;
	}
	*self = avro;
	return SECOR_OK;
}

static int
avro_encode(void *self, const struct secor_record *record, char *dst,
    size_t room, size_t *used, struct secor_err *err)
{
	struct secor_bytes datum = record->message->value;
	const struct avro_schema *schema = NULL;
	const char *wrong;
	uint32_t len;
	size_t n = 0;
	int rc = schema_of(self, &datum, &schema, err);

	if (rc != SECOR_OK)
		return rc;
	if (datum.len > AVRO_MAX)
		return secor_fail(err, SECOR_REJECT,
		    "the value is too large for an Avro block");
	*used = sizeof(len) + datum.len;
	if (*used > room)
		return SECOR_OK;
	wrong = avro_datum_len(schema, datum.ptr, datum.len, &n);
	if (wrong == NULL && n != datum.len)
		wrong = "there are bytes behind it";
	if (wrong != NULL)
		return secor_fail(err, SECOR_REJECT,
		    "the value is not of the Avro schema: %s", wrong);
	len = (uint32_t)datum.len;
	memcpy(dst, &len, sizeof(len));
	if (len > 0)
		memcpy(dst + sizeof(len), datum.ptr, len);
	return SECOR_OK;
}

static const struct secor_format_ops ops = {
    .size = sizeof(ops),
    .describe = avro_describe,
    .open = avro_open,
    .close = avro_close,
    .encode = avro_encode,
    .begin = avro_begin,
    .drain = avro_drain,
    .finish = avro_finish,
    .end = avro_end,
    .read_begin = avro_read_begin,
    .read = avro_read,
    .read_end = avro_read_end,
    .split = avro_split,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_FORMAT,
    "avro",
    SECOR_VERSION,
    "Avro object container file of values that are Avro already.",
    1,
    SECOR_OPTIONS(rows),
    sizeof(struct avro_conf),
    avro_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
