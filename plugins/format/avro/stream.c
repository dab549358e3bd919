/*
 * stream.c -- the file of one object. Invariant: where blocks end is a function
 * of the records alone; drain finds them by their lengths, however the encoded
 * stream was cut.
 */
#include "plugins/format/avro/avro.h"

#include <assert.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zlib.h>

struct avro_stream {
	struct avro *avro;
	char sync[AVRO_SYNC];
	char head[4]; /* a length, and how much of it is there */
	size_t head_len;
	size_t rest; /* bytes that the record lacks */
	int64_t count;
	struct grow block, packed, out;
};

static void
put_long(struct grow *to, int64_t value)
{
	to->len += avro_long_put(grow_room(to, AVRO_LONG_MAX), value);
}

static void
put_sized(struct grow *to, const char *bytes, size_t len)
{
	put_long(to, (int64_t)len);
	grow_put(to, bytes, len);
}

static void
put_meta(struct grow *to, const char *name, const char *bytes, size_t len)
{
	put_sized(to, name, strlen(name));
	put_sized(to, bytes, len);
}

static int
put_out(struct avro_stream *s, struct secor_sink *sink, struct secor_err *err)
{
	size_t len = s->out.len;

	s->out.len = 0;
	return len == 0 ? SECOR_OK : sink->put(sink, s->out.ptr, len, err);
}

static void
put_header(
    struct avro_stream *s, const struct secor_bytes *schema, int64_t schema_id)
{
	const struct avro *avro = s->avro;
	const char *codec = avro_codecs[avro->conf->codec];
	int confluent = avro->conf->framing == AVRO_CONFLUENT;
	char id[24];

	grow_put(&s->out, AVRO_MAGIC, 4);
	put_long(&s->out, confluent ? 3 : 2);
	put_meta(&s->out, "avro.codec", codec, strlen(codec));
	put_meta(&s->out, "avro.schema", schema->ptr, schema->len);
	if (confluent) {
		(void)snprintf(id, sizeof(id), "%lld", (long long)schema_id);
		put_meta(&s->out, AVRO_ID_NAME, id, strlen(id));
	}
	put_long(&s->out, 0);
	grow_put(&s->out, s->sync, AVRO_SYNC);
}

int
avro_begin(void *self, const struct secor_object *object,
    struct secor_sink *sink, void **stream, struct secor_err *err)
{
	struct avro_stream *s;
	struct secor_bytes schema;
	XXH128_canonical_t sync;
	int64_t id = -1;
	int rc = schema_of_object(self, object, &schema, &id, err);

	if (rc != SECOR_OK)
		return rc;
	s = calloc(1, sizeof(*s));
	assert(s != NULL);
	s->avro = self;
	/* Not random: a replay writes the same bytes. */
	XXH128_canonicalFromHash(
	    &sync, XXH3_128bits(object->name, strlen(object->name)));
	memcpy(s->sync, &sync, AVRO_SYNC);
	put_header(s, &schema, id);
	rc = put_out(s, sink, err);
	if (rc != SECOR_OK) {
		avro_end(s);
		return rc;
	}
	*stream = s;
	return SECOR_OK;
}

void
avro_end(void *stream)
{
	struct avro_stream *s = stream;

	if (s == NULL)
		return;
	grow_fini(&s->block);
	grow_fini(&s->packed);
	grow_fini(&s->out);
	free(s);
}

/* A snappy block, and behind it the CRC-32 of what it holds. */
static int
pack_snappy(struct avro_stream *s, struct secor_err *err)
{
	size_t n = snappy_max_compressed_length(s->block.len);
	char *to = grow_room(&s->packed, n + 4);
	uint32_t crc =
	    (uint32_t)crc32(0, (const Bytef *)s->block.ptr, (uInt)s->block.len);

	if (snappy_compress(s->block.ptr, s->block.len, to, &n) != SNAPPY_OK)
		return secor_fail(err, SECOR_FATAL, "snappy failed");
	crc = __builtin_bswap32(crc);
	memcpy(to + n, &crc, sizeof(crc));
	s->packed.len = n + sizeof(crc);
	return SECOR_OK;
}

static int
put_block(struct avro_stream *s, struct secor_sink *sink, struct secor_err *err)
{
	int rc;

	s->packed.len = 0;
	(void)grow_room(&s->block, 1); /* so that there is a pointer */
	rc = s->avro->conf->codec == AVRO_CODEC_SNAPPY
		 ? pack_snappy(s, err)
		 : codec_pack(s->avro->codec, s->block.ptr, s->block.len,
		       &s->packed, err);
	if (rc != SECOR_OK)
		return rc;
	put_long(&s->out, s->count);
	put_sized(&s->out, s->packed.ptr, s->packed.len);
	grow_put(&s->out, s->sync, AVRO_SYNC);
	s->count = 0;
	s->block.len = 0;
	return put_out(s, sink, err);
}

/* Bytes of one record: those that it lacks, or of its length. */
static size_t
take(struct avro_stream *s, const char *bytes, size_t len)
{
	uint32_t size;
	size_t n;

	if (s->head_len == sizeof(s->head)) {
		n = s->rest < len ? s->rest : len;
		grow_put(&s->block, bytes, n);
		s->rest -= n;
		return n;
	}
	n = sizeof(s->head) - s->head_len < len ? sizeof(s->head) - s->head_len
						: len;
	memcpy(s->head + s->head_len, bytes, n);
	s->head_len += n;
	if (s->head_len == sizeof(s->head)) {
		memcpy(&size, s->head, sizeof(size));
		s->rest = size;
	}
	return n;
}

int
avro_drain(void *stream, const char *bytes, size_t len, struct secor_sink *sink,
    struct secor_err *err)
{
	struct avro_stream *s = stream;
	size_t n;
	int rc;

	while (len > 0) {
		n = take(s, bytes, len);
		bytes += n;
		len -= n;
		if (s->head_len < sizeof(s->head) || s->rest > 0)
			continue;
		s->head_len = 0;
		s->count++;
		if (s->block.len < (size_t)s->avro->conf->block_bytes &&
		    s->count < AVRO_COUNT_MAX)
			continue;
		rc = put_block(s, sink, err);
		if (rc != SECOR_OK)
			return rc;
	}
	return SECOR_OK;
}

int
avro_finish(void *stream, struct secor_sink *sink, struct secor_err *err)
{
	struct avro_stream *s = stream;

	assert(s->head_len == 0 && s->rest == 0);
	return s->count > 0 ? put_block(s, sink, err) : SECOR_OK;
}
