/*
 * avro.h -- Avro object container files: what the files of this plugin share.
 *
 * What `encode` makes is a u32 of this machine and the datum; the stream
 * gathers blocks of them.
 */
#ifndef SECOR_FORMAT_AVRO_H
#define SECOR_FORMAT_AVRO_H

#include <secor/format.h>

#include "plugins/common/avro_walk.h"
#include "plugins/common/codec.h"
#include "plugins/common/registry.h"

#define AVRO_MAGIC "Obj\001"
#define AVRO_SYNC 16
#define AVRO_PREFIX 5 /* of Confluent's framing: 0, u32 schema id */
#define AVRO_MAX ((size_t)1 << 30)
#define AVRO_COUNT_MAX 100000 /* of records of no bytes, in a block */
#define AVRO_ID_NAME "secor.schema.id"

enum { AVRO_BARE, AVRO_CONFLUENT };
enum { AVRO_CODEC_SNAPPY = 2 }; /* the others are kinds of codec.h */

struct avro_conf {
	const char *schema_file;
	int framing;
	int64_t schema_id;
	int codec;
	int64_t level;
	int64_t block_bytes;
	struct registry_conf registry;
};

/* An instance. */
struct avro {
	const struct avro_conf *conf;
	struct grow text; /* of the schema, as it is in the file */
	struct avro_schema *schema;
	struct registry *registry; /* or this */
	char suffix[16];	   /* of an object of this id */
	uint32_t suffix_id;
	struct codec *codec;
};

extern const char *const avro_codecs[];
extern const int avro_codec_kinds[];

/* The schemas. */
int schema_open(
    struct avro *avro, const struct secor_host *host, struct secor_err *err);
void schema_close(struct avro *avro);
/* Of one value, which comes as it is and is left without its prefix. */
int schema_of(struct avro *avro, struct secor_bytes *datum,
    const struct avro_schema **schema, struct secor_err *err);
/* Its text and id, borrowed of the instance or of the object. */
int schema_of_object(const struct avro *avro, const struct secor_object *object,
    struct secor_bytes *text, int64_t *id, struct secor_err *err);
int avro_split(void *self, const struct secor_record *record,
    struct secor_split *split, struct secor_err *err);

/* The slots of the stream. */
int avro_begin(void *self, const struct secor_object *object,
    struct secor_sink *sink, void **stream, struct secor_err *err);
int avro_drain(void *stream, const char *bytes, size_t len,
    struct secor_sink *sink, struct secor_err *err);
int avro_finish(void *stream, struct secor_sink *sink, struct secor_err *err);
void avro_end(void *stream);

/* The slots of the reader. */
int avro_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err);
int avro_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err);
void avro_read_end(void *reader);

#endif
