/*
 * stream.c -- the file of one object. Invariant: where sync markers and blocks
 * lie is a function of the records alone; drain finds the records by their
 * lengths, however the encoded stream was cut.
 */
#include "plugins/format/sequencefile/sequencefile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define PUT_AT ((size_t)65536) /* of `out`, before it grows much */

/* A block before it is packed, in the order of the file. */
enum { KEY_LENGTHS, KEYS, VALUE_LENGTHS, VALUES, SECTIONS };

struct seq_stream {
	struct seq *seq;
	char sync[4 + SEQ_SYNC]; /* with its escape */
	uint64_t since_sync;	 /* bytes of records */
	struct grow out;

	/* NONE: the record that the stream is in. */
	size_t head_len; /* bytes seen of its length */
	char head[4];
	uint64_t rest; /* bytes that follow its length */

	/* RECORD: the beginning of a record. */
	struct grow held;

	/* BLOCK. */
	int64_t count;
	struct grow sections[SECTIONS];
};

static int
put_out(struct seq_stream *s, struct secor_sink *sink, struct secor_err *err)
{
	size_t len = s->out.len;

	s->out.len = 0;
	return len == 0 ? SECOR_OK : sink->put(sink, s->out.ptr, len, err);
}

static void
put_string(struct grow *to, const char *text)
{
	seq_vint_put(to, (int64_t)strlen(text));
	grow_put(to, text, strlen(text));
}

static void
put_header(struct seq_stream *s)
{
	static const char no_metadata[4];
	int type = s->seq->conf->type;
	char flags[2] = {type != SEQ_NONE, type == SEQ_BLOCK};

	grow_put(&s->out, SEQ_MAGIC, 4);
	put_string(&s->out,
	    s->seq->conf->key == SEQ_KEY_OFFSET ? SEQ_LONG : SEQ_BYTES);
	put_string(&s->out, SEQ_BYTES);
	grow_put(&s->out, flags, sizeof(flags));
	if (type != SEQ_NONE)
		put_string(&s->out, s->seq->codec_class);
	grow_put(&s->out, no_metadata, sizeof(no_metadata));
	grow_put(&s->out, s->sync + 4, SEQ_SYNC);
}

int
seq_begin(void *self, const struct secor_object *object,
    struct secor_sink *sink, void **stream, struct secor_err *err)
{
	struct seq_stream *s = calloc(1, sizeof(*s));
	XXH128_canonical_t sync;
	int rc;

	assert(s != NULL);
	s->seq = self;
	/* Not random, as Hadoop's: a replay writes the same bytes. */
	XXH128_canonicalFromHash(
	    &sync, XXH3_128bits(object->name, strlen(object->name)));
	memset(s->sync, 0xff, 4);
	memcpy(s->sync + 4, &sync, SEQ_SYNC);
	put_header(s);
	rc = put_out(s, sink, err);
	if (rc != SECOR_OK) {
		seq_end(s);
		return rc;
	}
	*stream = s;
	return SECOR_OK;
}

void
seq_end(void *stream)
{
	struct seq_stream *s = stream;

	if (s == NULL)
		return;
	grow_fini(&s->out);
	grow_fini(&s->held);
	for (size_t i = 0; i < SECTIONS; i++)
		grow_fini(&s->sections[i]);
	free(s);
}

/* ---- NONE: the encoded bytes as they are, with sync markers between ---- */

/* Moves over bytes of one record: those that are to come, or of its length. */
static size_t
walk(struct seq_stream *s, const char *bytes, size_t len)
{
	size_t n;

	if (s->rest > 0) {
		n = s->rest < len ? (size_t)s->rest : len;
		s->rest -= n;
	} else {
		n = 4 - s->head_len < len ? 4 - s->head_len : len;
		memcpy(s->head + s->head_len, bytes, n);
		s->head_len += n;
		if (s->head_len == 4) {
			s->head_len = 0;
			s->rest = (uint64_t)seq_get32(s->head) + 4;
		}
	}
	s->since_sync += n;
	return n;
}

static int
drain_plain(struct seq_stream *s, const struct secor_bytes *bytes,
    struct secor_sink *sink, struct secor_err *err)
{
	size_t put = 0, at = 0;
	int rc;

	while (at < bytes->len) {
		if (s->rest == 0 && s->head_len == 0 &&
		    s->since_sync >= SEQ_INTERVAL) {
			if (at > put && (rc = sink->put(sink, bytes->ptr + put,
					     at - put, err)) != SECOR_OK)
				return rc;
			rc = sink->put(sink, s->sync, sizeof(s->sync), err);
			if (rc != SECOR_OK)
				return rc;
			put = at;
			s->since_sync = 0;
		}
		at += walk(s, bytes->ptr + at, bytes->len - at);
	}
	return sink->put(sink, bytes->ptr + put, at - put, err);
}

/* ---- RECORD: each value a compressed stream ---- */

/* One whole encoded record into `out`. */
static int
pack_record(struct seq_stream *s, const char *record, size_t len,
    struct secor_sink *sink, struct secor_err *err)
{
	size_t begin, head = 8 + seq_get32(record + 4);
	int rc;

	if (s->since_sync >= SEQ_INTERVAL) {
		grow_put(&s->out, s->sync, sizeof(s->sync));
		s->since_sync = 0;
	}
	begin = s->out.len;
	grow_put(&s->out, record, head);
	rc = codec_pack(s->seq->codec, record + head, len - head, &s->out, err);
	if (rc != SECOR_OK)
		return rc;
	seq_set32(s->out.ptr + begin, (uint32_t)(s->out.len - begin - 8));
	s->since_sync += s->out.len - begin;
	return s->out.len >= PUT_AT ? put_out(s, sink, err) : SECOR_OK;
}

/* The length of the record that begins so; 0: not known yet. */
static size_t
record_len(const char *bytes, size_t len)
{
	return len < 4 ? 0 : (size_t)seq_get32(bytes) + 8;
}

/* Adds to the record that is held what it lacks, as far as there is. */
static size_t
hold(struct seq_stream *s, const struct secor_bytes *bytes)
{
	size_t whole = record_len(s->held.ptr, s->held.len);
	size_t lacks = (whole == 0 ? 4 : whole) - s->held.len;
	size_t n = lacks < bytes->len ? lacks : bytes->len;

	grow_put(&s->held, bytes->ptr, n);
	return n;
}

static int
drain_records(struct seq_stream *s, struct secor_bytes rest,
    struct secor_sink *sink, struct secor_err *err)
{
	int rc = SECOR_OK;
	size_t n;

	while (rc == SECOR_OK && rest.len > 0) {
		n = record_len(rest.ptr, rest.len);
		if (s->held.len == 0 && n > 0 && n <= rest.len) {
			rc = pack_record(s, rest.ptr, n, sink, err);
		} else {
			n = hold(s, &rest);
			if (s->held.len ==
			    record_len(s->held.ptr, s->held.len)) {
				rc = pack_record(
				    s, s->held.ptr, s->held.len, sink, err);
				s->held.len = 0;
			}
		}
		rest.ptr += n;
		rest.len -= n;
	}
	return rc == SECOR_OK ? put_out(s, sink, err) : rc;
}

int
seq_drain(void *stream, const char *bytes, size_t len, struct secor_sink *sink,
    struct secor_err *err)
{
	struct seq_stream *s = stream;
	struct secor_bytes all = {bytes, len};

	if (len == 0)
		return SECOR_OK;
	if (s->seq->conf->type == SEQ_NONE)
		return drain_plain(s, &all, sink, err);
	return drain_records(s, all, sink, err);
}

/* ---- BLOCK: lengths and bytes of many records, each section a stream ---- */

static int
put_block(struct seq_stream *s, struct secor_sink *sink, struct secor_err *err)
{
	struct grow packed = {NULL, 0, 0};
	int rc = SECOR_OK;

	grow_put(&s->out, s->sync, sizeof(s->sync));
	seq_vint_put(&s->out, s->count);
	for (size_t i = 0; i < SECTIONS && rc == SECOR_OK; i++) {
		struct grow *section = &s->sections[i];

		packed.len = 0;
		rc = codec_pack(
		    s->seq->codec, section->ptr, section->len, &packed, err);
		seq_vint_put(&s->out, (int64_t)packed.len);
		grow_put(&s->out, packed.ptr, packed.len);
		section->len = 0;
	}
	s->count = 0;
	grow_fini(&packed);
	return rc == SECOR_OK ? put_out(s, sink, err) : rc;
}

static void
add_record(struct seq_stream *s, const struct secor_message *message)
{
	char key[SEQ_KEY_HEAD], len[4];
	size_t head = seq_key_head(s->seq->conf, message, key);
	size_t tail = seq_key_tail(s->seq->conf, message);

	seq_set32(len, (uint32_t)message->value.len);
	seq_vint_put(&s->sections[KEY_LENGTHS], (int64_t)(head + tail));
	grow_put(&s->sections[KEYS], key, head);
	grow_put(&s->sections[KEYS], message->key.ptr, tail);
	seq_vint_put(
	    &s->sections[VALUE_LENGTHS], (int64_t)message->value.len + 4);
	grow_put(&s->sections[VALUES], len, sizeof(len));
	grow_put(&s->sections[VALUES], message->value.ptr, message->value.len);
	s->count++;
}

int
seq_write(void *stream, const struct secor_record *records, size_t n,
    struct secor_sink *sink, struct secor_err *err)
{
	struct seq_stream *s = stream;
	size_t most = (size_t)s->seq->conf->block_bytes;
	int rc;

	for (size_t i = 0; i < n; i++) {
		const struct secor_message *message = records[i].message;

		if (message->value.len + message->key.len > SEQ_MAX)
			return secor_fail(err, SECOR_FATAL,
			    "offset %lld: a value of %zu bytes is too large "
			    "for a SequenceFile",
			    (long long)message->offset, message->value.len);
		add_record(s, message);
		if (s->sections[KEYS].len + s->sections[VALUES].len < most)
			continue;
		rc = put_block(s, sink, err);
		if (rc != SECOR_OK)
			return rc;
	}
	return SECOR_OK;
}

int
seq_finish(void *stream, struct secor_sink *sink, struct secor_err *err)
{
	struct seq_stream *s = stream;

	assert(s->rest == 0 && s->head_len == 0 && s->held.len == 0);
	return s->count > 0 ? put_block(s, sink, err) : SECOR_OK;
}
