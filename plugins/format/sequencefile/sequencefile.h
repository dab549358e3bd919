/*
 * sequencefile.h -- Hadoop SequenceFiles, version 6: what the files of this
 * plugin share.
 *
 * A file is a header and records: the key a LongWritable (the offset) or what
 * key.c says, the value a BytesWritable (the payload). What `encode` makes is,
 * in every type but BLOCK, the record as it stands in an uncompressed file,
 *
 *	u32 key and value, u32 key, key, u32 payload, payload
 *
 * and the stream sets sync markers between records and compresses values.
 */
#ifndef SECOR_FORMAT_SEQUENCEFILE_H
#define SECOR_FORMAT_SEQUENCEFILE_H

#include <secor/format.h>

#include "plugins/common/codec.h"

enum { SEQ_NONE, SEQ_RECORD, SEQ_BLOCK };
enum { SEQ_KEY_OFFSET, SEQ_KEY_MESSAGEPACK };

struct seq_conf {
	int key; /* SEQ_KEY_OFFSET, ... */
	int type;
	int codec;
	int64_t level;
	int64_t block_bytes;
};

/* An instance. */
struct seq {
	const struct seq_conf *conf;
	struct codec *codec;
	const char *codec_class;
};

#define SEQ_MAGIC "SEQ\006"
#define SEQ_SYNC 16
#define SEQ_KEY 8		  /* bytes of a LongWritable */
#define SEQ_INTERVAL 102400	  /* bytes between sync markers, as Hadoop 3 */
#define SEQ_MAX ((size_t)1 << 30) /* of a payload, a record, a section */

#define SEQ_LONG "org.apache.hadoop.io.LongWritable"
#define SEQ_BYTES "org.apache.hadoop.io.BytesWritable"
#define SEQ_TEXT "org.apache.hadoop.io.Text"
#define SEQ_CODECS "org.apache.hadoop.io.compress."

static inline void
seq_set32(char *to, uint32_t value)
{
	value = __builtin_bswap32(value);
	__builtin_memcpy(to, &value, sizeof(value));
}

static inline void
seq_set64(char *to, uint64_t value)
{
	value = __builtin_bswap64(value);
	__builtin_memcpy(to, &value, sizeof(value));
}

static inline uint32_t
seq_get32(const char *from)
{
	uint32_t value;

	__builtin_memcpy(&value, from, sizeof(value));
	return __builtin_bswap32(value);
}

static inline uint64_t
seq_get64(const char *from)
{
	uint64_t value;

	__builtin_memcpy(&value, from, sizeof(value));
	return __builtin_bswap64(value);
}

/* A key as it is serialised is a head, SEQ_KEY_HEAD bytes at most, and of a
 * MessagePack one the key of the message, so many bytes. */
#define SEQ_KEY_HEAD 32
size_t seq_map_head(const struct secor_message *message, char *to);

static inline size_t
seq_key_head(
    const struct seq_conf *conf, const struct secor_message *message, char *to)
{
	if (conf->key != SEQ_KEY_OFFSET)
		return seq_map_head(message, to);
	seq_set64(to, (uint64_t)message->offset);
	return SEQ_KEY;
}

static inline size_t
seq_key_tail(const struct seq_conf *conf, const struct secor_message *message)
{
	return conf->key == SEQ_KEY_OFFSET ? 0 : message->key.len;
}

/* Offset, key and timestamp of a MessagePack key; 0: it is none. */
int
seq_key_map(const struct secor_bytes *key, struct secor_read_record *record);

/* What Hadoop calls codecs: kinds of codec.h in the order of the choices, and
 * the class by its name (NULL: not one that can be read). */
extern const int seq_codec_kinds[];
extern const char *const seq_codec_classes[];

/* Hadoop's integers of one to nine bytes. `vint_get` gives the bytes taken, 0
 * when `len` does not hold them all. */
#define SEQ_VINT_MAX 9
void seq_vint_put(struct grow *to, int64_t value);
size_t seq_vint_get(const char *from, size_t len, int64_t *value);

/* The slots of the stream. */
int seq_begin(void *self, const struct secor_object *object,
    struct secor_sink *sink, void **stream, struct secor_err *err);
int seq_drain(void *stream, const char *bytes, size_t len,
    struct secor_sink *sink, struct secor_err *err);
int seq_write(void *stream, const struct secor_record *records, size_t n,
    struct secor_sink *sink, struct secor_err *err);
int seq_finish(void *stream, struct secor_sink *sink, struct secor_err *err);
void seq_end(void *stream);

/* The slots of the reader. */
int seq_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err);
int seq_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err);
void seq_read_end(void *reader);

#endif
