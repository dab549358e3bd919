/*
 * read.c -- records out of SequenceFiles, also of those that others wrote.
 * Invariant: no length of the file is believed before the bytes are there.
 */
#include "plugins/format/sequencefile/input.h"
#include "plugins/format/sequencefile/sequencefile.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SYNC_ESCAPE UINT32_MAX
#define NAME_MAX_LEN ((size_t)4096)
#define METADATA_MAX 65536

enum { KEY_LENGTHS, KEYS, VALUE_LENGTHS, VALUES, SECTIONS };

/* How a key or value lies in its bytes. */
enum { AS_RAW, AS_LONG, AS_BYTES, AS_TEXT };

struct section {
	struct grow bytes;
	size_t at;
};

struct seq_reader {
	struct codec_reader *codec;
	int type;
	int wants_map; /* the options say that keys are MessagePack */
	int key_as, value_as;
	char sync[SEQ_SYNC];
	struct grow raw;   /* a record, or a packed section */
	struct grow value; /* unpacked */
	size_t left;	   /* records of the block */
	struct section sections[SECTIONS];
	struct input input;
};

static int
broken(uint64_t at, const char *what, struct secor_err *err)
{
	return secor_fail(err, SECOR_REJECT, "byte %" PRIu64 ": %s", at, what);
}

/* ---- header ---- */

/* A Hadoop string as C text in r->raw. */
static int
read_name(struct seq_reader *r, const char **name, struct secor_err *err)
{
	uint64_t at = r->input.at;
	size_t len = 0;
	int rc = input_count(&r->input, "a string", &len, err);

	if (rc != SECOR_OK)
		return rc;
	if (len > NAME_MAX_LEN)
		return broken(at, "a name that is too long", err);
	r->raw.len = 0;
	rc = input_grow(&r->input, &r->raw, len, err);
	if (rc != SECOR_OK)
		return rc;
	grow_put(&r->raw, "", 1);
	*name = r->raw.ptr;
	return SECOR_OK;
}

static int
read_class(struct seq_reader *r, int *as, struct secor_err *err)
{
	const char *name = NULL;
	int rc = read_name(r, &name, err);

	if (rc != SECOR_OK)
		return rc;
	*as = strcmp(name, SEQ_LONG) == 0    ? AS_LONG
	      : strcmp(name, SEQ_BYTES) == 0 ? AS_BYTES
	      : strcmp(name, SEQ_TEXT) == 0  ? AS_TEXT
					     : AS_RAW;
	return SECOR_OK;
}

static int
read_codec(struct seq_reader *r, struct secor_err *err)
{
	uint64_t at = r->input.at;
	const char *name = NULL;
	size_t i;
	int rc = read_name(r, &name, err);

	if (rc != SECOR_OK)
		return rc;
	if (strcmp(name, SEQ_CODECS "DeflateCodec") == 0)
		name = seq_codec_classes[0];
	for (i = 0; seq_codec_classes[i] != NULL; i++)
		if (strcmp(name, seq_codec_classes[i]) == 0)
			return codec_read_begin(
			    seq_codec_kinds[i], NULL, &r->codec, err);
	return secor_fail(err, SECOR_REJECT,
	    "byte %" PRIu64 ": codec \"%.200s\" is not one that can be read",
	    at, name);
}

static int
skip_metadata(struct seq_reader *r, struct secor_err *err)
{
	uint64_t at = r->input.at;
	const char *name;
	uint32_t n = 0, i;
	int rc = input_u32(&r->input, &n, err);

	if (rc == SECOR_OK && n > METADATA_MAX)
		return broken(at, "too much metadata", err);
	for (i = 0; rc == SECOR_OK && i < 2 * n; i++)
		rc = read_name(r, &name, err);
	return rc;
}

static int
read_flags(struct seq_reader *r, struct secor_err *err)
{
	uint64_t at = r->input.at;
	char flags[2];
	int rc = input_take(&r->input, flags, sizeof(flags), err);

	if (rc != SECOR_OK)
		return rc;
	if (flags[0] == 0 && flags[1] != 0)
		return broken(at, "blocks that are not compressed", err);
	r->type = flags[0] == 0	  ? SEQ_NONE
		  : flags[1] == 0 ? SEQ_RECORD
				  : SEQ_BLOCK;
	return SECOR_OK;
}

static int
read_header(struct seq_reader *r, struct secor_err *err)
{
	char magic[4];
	int rc = input_take(&r->input, magic, sizeof(magic), err);

	if (rc != SECOR_OK)
		return rc;
	if (memcmp(magic, SEQ_MAGIC, 3) != 0)
		return broken(0, "not a SequenceFile", err);
	if (magic[3] != SEQ_MAGIC[3])
		return secor_fail(err, SECOR_REJECT,
		    "byte 3: SequenceFile version %d is not 6", magic[3]);
	rc = read_class(r, &r->key_as, err);
	if (rc == SECOR_OK)
		rc = read_class(r, &r->value_as, err);
	if (rc == SECOR_OK)
		rc = read_flags(r, err);
	if (rc == SECOR_OK && r->type != SEQ_NONE)
		rc = read_codec(r, err);
	if (rc == SECOR_OK)
		rc = skip_metadata(r, err);
	if (rc == SECOR_OK)
		rc = input_take(&r->input, r->sync, sizeof(r->sync), err);
	return rc;
}

int
seq_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err)
{
	struct seq_reader *r = calloc(1, sizeof(*r));
	int rc;

	assert(r != NULL);
	/* The file says by itself what it is, but for this. */
	r->wants_map = self != NULL && ((const struct seq *)self)->conf->key ==
					   SEQ_KEY_MESSAGEPACK;
	r->input.source = source;
	rc = read_header(r, err);
	if (rc != SECOR_OK) {
		seq_read_end(r);
		return rc;
	}
	*reader = r;
	return SECOR_OK;
}

void
seq_read_end(void *reader)
{
	struct seq_reader *r = reader;

	if (r == NULL)
		return;
	codec_read_end(r->codec);
	grow_fini(&r->raw);
	grow_fini(&r->value);
	for (size_t i = 0; i < SECTIONS; i++)
		grow_fini(&r->sections[i].bytes);
	free(r);
}

/* ---- records ---- */

/* Strips what the class puts before the bytes; 0: it does not fit. */
static int
unwrap(int as, struct secor_bytes *bytes)
{
	int64_t len = 0;
	size_t head = 0;

	switch (as) {
	case AS_RAW:
		return 1;
	case AS_LONG:
		return bytes->len == SEQ_KEY;
	case AS_BYTES:
		if (bytes->len < 4)
			return 0;
		len = seq_get32(bytes->ptr);
		head = 4;
		break;
	default:
		head = seq_vint_get(bytes->ptr, bytes->len, &len);
		if (head == 0)
			return 0;
	}
	if (len < 0 || (uint64_t)len != bytes->len - head)
		return 0;
	bytes->ptr += head;
	bytes->len -= head;
	return 1;
}

/* `at` is where the record (or its block) begins. */
static int
give(struct seq_reader *r, uint64_t at, struct secor_bytes *key,
    struct secor_read_record *record, struct secor_err *err)
{
	if (!unwrap(r->key_as, key))
		return broken(at, "a key that is not of its class", err);
	if (!unwrap(r->value_as, &record->value))
		return broken(at, "a value that is not of its class", err);
	if (r->key_as == AS_BYTES && seq_key_map(key, record))
		return SECOR_OK;
	if (r->wants_map)
		return broken(at, "a key that is no map of MessagePack", err);
	record->has_timestamp = 0;
	record->has_offset = r->key_as == AS_LONG;
	record->has_key = !record->has_offset;
	record->key = (struct secor_bytes){NULL, 0};
	if (record->has_offset)
		record->offset = (int64_t)seq_get64(key->ptr);
	else
		record->key = *key;
	return SECOR_OK;
}

static int
check_sync(struct seq_reader *r, struct secor_err *err)
{
	uint64_t at = r->input.at;
	char sync[SEQ_SYNC];
	int rc = input_take(&r->input, sync, sizeof(sync), err);

	if (rc != SECOR_OK)
		return rc;
	if (memcmp(sync, r->sync, sizeof(sync)) != 0)
		return broken(at, "not the sync marker of this file", err);
	return SECOR_OK;
}

/* The length of the next record behind sync markers; *more == 0: the end. */
static int
next_len(struct seq_reader *r, uint32_t *len, int *more, struct secor_err *err)
{
	int rc, ended = 0;

	do {
		rc = input_ended(&r->input, &ended, err);
		if (rc != SECOR_OK)
			return rc;
		*more = !ended;
		if (ended)
			return SECOR_OK;
		rc = input_u32(&r->input, len, err);
		if (rc == SECOR_OK && *len == SYNC_ESCAPE)
			rc = check_sync(r, err);
		if (rc != SECOR_OK)
			return rc;
	} while (*len == SYNC_ESCAPE);
	return SECOR_OK;
}

static int
read_record(struct seq_reader *r, struct secor_read_record *record, int *more,
    struct secor_err *err)
{
	uint32_t len = 0, key_len = 0;
	struct secor_bytes key, value;
	uint64_t at;
	int rc = next_len(r, &len, more, err);

	if (rc != SECOR_OK || !*more)
		return rc;
	at = r->input.at - 4;
	rc = input_u32(&r->input, &key_len, err);
	if (rc != SECOR_OK)
		return rc;
	if (len > SEQ_MAX || key_len > len)
		return broken(at, "lengths that cannot be", err);
	r->raw.len = 0;
	rc = input_grow(&r->input, &r->raw, len, err);
	if (rc != SECOR_OK)
		return rc;
	(void)grow_room(&r->raw, 1); /* so that there is a pointer */
	key = (struct secor_bytes){r->raw.ptr, key_len};
	value = (struct secor_bytes){r->raw.ptr + key_len, len - key_len};
	if (r->type == SEQ_RECORD) {
		struct secor_err why = {""};

		r->value.len = 0;
		rc = codec_unpack(r->codec, &value, &r->value, SEQ_MAX, &why);
		if (rc != SECOR_OK)
			return secor_fail(err, rc,
			    "byte %" PRIu64 ": the record's value: %.900s", at,
			    why.text);
		value = (struct secor_bytes){r->value.ptr, r->value.len};
	}
	record->value = value;
	return give(r, at, &key, record, err);
}

/* ---- blocks ---- */

static int
read_section(
    struct seq_reader *r, struct section *section, struct secor_err *err)
{
	uint64_t at = r->input.at;
	struct secor_err why = {""};
	struct secor_bytes packed;
	size_t len = 0;
	int rc = input_count(&r->input, "a section", &len, err);

	if (rc != SECOR_OK)
		return rc;
	r->raw.len = 0;
	rc = input_grow(&r->input, &r->raw, len, err);
	if (rc != SECOR_OK)
		return rc;
	packed = (struct secor_bytes){r->raw.ptr, r->raw.len};
	section->at = 0;
	section->bytes.len = 0;
	rc = codec_unpack(r->codec, &packed, &section->bytes, SEQ_MAX, &why);
	return rc == SECOR_OK
		   ? SECOR_OK
		   : secor_fail(err, rc,
			 "byte %" PRIu64 ": the section: %.900s", at, why.text);
}

static int
read_block(struct seq_reader *r, int *more, struct secor_err *err)
{
	uint32_t escape = 0;
	uint64_t at = r->input.at;
	int ended = 0;
	int rc = input_ended(&r->input, &ended, err);

	*more = !ended;
	if (rc != SECOR_OK || ended)
		return rc;
	rc = input_u32(&r->input, &escape, err);
	if (rc == SECOR_OK && escape != SYNC_ESCAPE)
		return broken(at, "not the beginning of a block", err);
	if (rc == SECOR_OK)
		rc = check_sync(r, err);
	if (rc == SECOR_OK)
		rc = input_count(
		    &r->input, "a number of records", &r->left, err);
	for (size_t i = 0; i < SECTIONS && rc == SECOR_OK; i++)
		rc = read_section(r, &r->sections[i], err);
	return rc;
}

/* The next length of one section, and so many bytes of the other. */
static int
next_item(
    struct section *lengths, struct section *from, struct secor_bytes *item)
{
	int64_t len = 0;
	size_t n = seq_vint_get(lengths->bytes.ptr + lengths->at,
	    lengths->bytes.len - lengths->at, &len);

	if (n == 0 || len < 0 || (uint64_t)len > from->bytes.len - from->at)
		return 0;
	lengths->at += n;
	*item = (struct secor_bytes){from->bytes.ptr + from->at, (size_t)len};
	from->at += (size_t)len;
	return 1;
}

static int
block_is_used_up(const struct seq_reader *r)
{
	for (size_t i = 0; i < SECTIONS; i++)
		if (r->sections[i].at != r->sections[i].bytes.len)
			return 0;
	return 1;
}

static int
read_from_block(struct seq_reader *r, struct secor_read_record *record,
    int *more, struct secor_err *err)
{
	struct secor_bytes key;
	int rc;

	*more = 1;
	while (r->left == 0) {
		if (!block_is_used_up(r))
			return broken(
			    r->input.at, "a block longer than its count", err);
		rc = read_block(r, more, err);
		if (rc != SECOR_OK || !*more)
			return rc;
	}
	if (!next_item(&r->sections[KEY_LENGTHS], &r->sections[KEYS], &key) ||
	    !next_item(&r->sections[VALUE_LENGTHS], &r->sections[VALUES],
		&record->value))
		return broken(
		    r->input.at, "a block shorter than its count", err);
	r->left--;
	return give(r, r->input.at, &key, record, err);
}

int
seq_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err)
{
	struct seq_reader *r = reader;

	return r->type == SEQ_BLOCK ? read_from_block(r, record, more, err)
				    : read_record(r, record, more, err);
}
