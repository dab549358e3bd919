/*
 * formats.c -- the format, its compression, and how objects' names end.
 */
#include "core/cli/migrate/migration.h"

#include <stdlib.h>
#include <string.h>

#define FACTORY "secor.file.reader.writer.factory"
#define CODEC "secor.compression.codec"
#define EXTENSION "secor.file.extension"

#define TRIM                                                                 \
	"after a rebalance the original guessed the offsets in such files, " \
	"and so lost or doubled messages"

/* A codec of Hadoop: our word for it in text and in SequenceFiles, the end of
 * names. */
struct old_codec {
	const char *name;
	const char *text;
	const char *sequence;
	const char *extension;
};

static const struct old_codec CODECS[] = {
    {"Gzip", "gzip", "gzip", ".gz"},
    {"BZip2", "bzip2", "bzip2", ".bz2"},
    {"Default", "deflate", "default", ".deflate"},
    {"Deflate", "deflate", "default", ".deflate"},
    {"Snappy", "hadoop-snappy", "snappy", ".snappy"},
    {"Lz4", "hadoop-lz4", "lz4", ".lz4"},
};

enum old_kind { OLD_SEQUENCE, OLD_TEXT, OLD_AVRO, OLD_COLUMNS };

struct old_format {
	const char *name; /* of the class */
	const char *plugin;
	enum old_kind kind;
	const char *trap;
};

static const struct old_format FORMATS[] = {
    {"Sequence", "sequencefile", OLD_SEQUENCE, NULL},
    {"MessagePackSequence", "sequencefile", OLD_SEQUENCE, NULL},
    {"DelimitedText", "text", OLD_TEXT, TRIM},
    {"FlexibleDelimited", "text", OLD_TEXT,
	"the original never wrote the delimiter: payloads stood one behind "
	"the other; here it is written. " TRIM},
    {"Avro", "avro", OLD_AVRO,
	"files could not be read back to their end. " TRIM},
    {"AvroParquet", "parquet", OLD_COLUMNS, TRIM},
    {"ProtobufParquet", "parquet", OLD_COLUMNS, TRIM},
    {"ThriftParquet", "parquet", OLD_COLUMNS, TRIM},
    {"JsonORC", "orc", OLD_COLUMNS,
	"a file's size was 0 until a stripe was closed, so that it did not "
	"end a batch, and a message that did not fit left an empty row. " TRIM},
};

static const struct old_format *
find_format(const struct migration *m)
{
	static const char *const ENDINGS[] = {
	    "FileReaderWriterFactory", "ReaderWriterFactory", NULL};
	char *name = old_class(
	    old_text(m, FACTORY), "com.pinterest.secor.io.impl.", ENDINGS);
	const struct old_format *found = NULL;

	for (size_t i = 0;
	     name != NULL && i < sizeof(FORMATS) / sizeof(*FORMATS); i++)
		if (strcmp(FORMATS[i].name, name) == 0)
			found = &FORMATS[i];
	free(name);
	return found;
}

static const struct old_codec *
find_codec(const struct migration *m)
{
	static const char *const ENDINGS[] = {"Codec", NULL};
	char *name = old_class(
	    old_text(m, CODEC), "org.apache.hadoop.io.compress.", ENDINGS);
	const struct old_codec *found = NULL;

	for (size_t i = 0; name != NULL && i < sizeof(CODECS) / sizeof(*CODECS);
	     i++)
		if (strcmp(CODECS[i].name, name) == 0)
			found = &CODECS[i];
	free(name);
	return found;
}

char *
old_extension(struct migration *m)
{
	const struct old_codec *codec = find_codec(m);
	const char *given = old_text(m, EXTENSION);

	if (*given != '\0')
		return mem_dup(given, strlen(given));
	return mem_text("%s", codec != NULL ? codec->extension : "");
}

/* ---- formats ---- */

static void
put_sequence(struct migration *m, const struct old_format *old,
    const struct old_codec *c)
{
	yaml_raw(m, 2, "compression_type", c != NULL ? "block" : "record");
	yaml_raw(m, 2, "codec", c != NULL ? c->sequence : "default");
	if (strcmp(old->name, "Sequence") == 0)
		return;
	yaml_raw(m, 2, "key", "messagepack");
	if (!has_option(m, SECOR_FORMAT, "sequencefile", "key"))
		todo(m, FACTORY,
		    "the MessagePack key is not there: keys are offsets alone");
}

static void
put_text(struct migration *m, const struct old_format *old,
    const struct old_codec *c)
{
	static const char *const KEY = "secor.file.writer.Delimiter";
	const char *delimiter = "\n";

	if (strcmp(old->name, "DelimitedText") != 0)
		delimiter = old_text(m, KEY);
	if (*delimiter == '\0') {
		delimiter = "\n";
		note(m, KEY, "is empty: records end with a line feed here");
	}
	if (strcmp(delimiter, "\\") == 0)
		delimiter = "\\\\"; /* escapes are C's there */
	if (strcmp(delimiter, "\n") != 0)
		yaml_put(m, 2, "delimiter", delimiter);
	yaml_raw(m, 2, "delimiter_in_payload", "keep");
	if (c != NULL)
		yaml_raw(m, 2, "compression", c->text);
	note(m, FACTORY,
	    "payloads that hold the delimiter are kept as they are, as "
	    "before: several records to a reader; delimiter_in_payload: reject "
	    "makes them bad messages");
}

static void
put_avro(struct migration *m, const struct old_codec *c)
{
	migrate_avro_schema(m);
	if (old_given(m, "schema.registry.url"))
		note(m, FACTORY,
		    "a file has one schema here: its id stands in the name, "
		    "before the extension");
	if (c != NULL && strcmp(c->name, "Snappy") == 0)
		yaml_raw(m, 2, "codec", "snappy");
	else if (c != NULL)
		warn(m, CODEC,
		    "with Avro the original compressed by Snappy alone: these "
		    "files are named %s and are not compressed",
		    c->extension);
}

static void
put_format(struct migration *m, const struct old_format *old)
{
	const struct old_codec *codec = find_codec(m);

	(void)need_plugin(m, SECOR_FORMAT, old->plugin, FACTORY);
	yaml_raw(m, 2, "use", old->plugin);
	if (old_given(m, CODEC) && codec == NULL)
		todo(m, CODEC, "there is no codec for %s", old_text(m, CODEC));
	if (old->kind == OLD_SEQUENCE)
		put_sequence(m, old, codec);
	else if (old->kind == OLD_TEXT)
		put_text(m, old, codec);
	else if (old->kind == OLD_AVRO)
		put_avro(m, codec);
	if (old->trap != NULL)
		warn(m, FACTORY, "%s", old->trap);
	if (codec == NULL && strcmp(old_text(m, EXTENSION), ".gz") == 0)
		warn(m, EXTENSION,
		    "files that are not compressed are named .gz");
}

void
migrate_format(struct migration *m)
{
	const struct old_format *old = find_format(m);

	yaml_section(m, "format");
	if (old != NULL) {
		put_format(m, old);
	} else {
		buf_printf(&m->yaml,
		    "  use: ./format.so # instead of %s: see "
		    "docs/PLUGINS.md\n",
		    old_text(m, FACTORY));
		todo(m, FACTORY,
		    "%s is a class of your own: write it as a plugin "
		    "(docs/PLUGINS.md)",
		    old_text(m, FACTORY));
	}
	yaml_gone(m, "format");
}
