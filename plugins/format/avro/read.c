/*
 * read.c -- the values of container files, also of those that others wrote, by
 * the schema of the file. Invariant: no length is believed before the bytes are
 * there.
 */
#include "plugins/common/lines.h"
#include "plugins/format/avro/avro.h"

#include <assert.h>
#include <inttypes.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define HEADER_MAX ((size_t)16 << 20) /* of one entry */

struct avro_reader {
	struct lines lines;
	struct avro_schema *schema;
	struct codec_reader *codec; /* NULL: none, or snappy */
	int snappy;
	char sync[AVRO_SYNC];
	int64_t left; /* records of the block */
	uint64_t at;  /* of the block */
	size_t given;
	struct grow block, value;
	size_t prefix; /* bytes that stand before each value */
	char head[AVRO_PREFIX];
};

static int
broken(uint64_t at, const char *what, struct secor_err *err)
{
	return secor_fail(err, SECOR_REJECT, "byte %" PRIu64 ": %s", at, what);
}

static int
must(struct avro_reader *r, size_t n, char **bytes, struct secor_err *err)
{
	int rc = lines_take(&r->lines, n, bytes, err);

	if (rc == SECOR_OK && *bytes == NULL)
		rc = broken(r->lines.at, "the file ends too early", err);
	return rc;
}

/* *more NULL: the file must not end here; else 0 when it does. */
static int
read_long(
    struct avro_reader *r, int64_t *value, int *more, struct secor_err *err)
{
	uint64_t at = r->lines.at;
	char bytes[AVRO_LONG_MAX], *byte = NULL;
	size_t n = 0;
	int rc;

	do {
		rc = n == 0 && more != NULL
			 ? lines_take(&r->lines, 1, &byte, err)
			 : must(r, 1, &byte, err);
		if (rc != SECOR_OK)
			return rc;
		if (more != NULL)
			*more = byte != NULL;
		if (byte == NULL)
			return SECOR_OK;
		bytes[n++] = *byte;
	} while (n < sizeof(bytes) && (*byte & 0x80) != 0);
	return avro_long_get(bytes, n, value) > 0
		   ? SECOR_OK
		   : broken(at, "a number that is none", err);
}

/* Bytes with their length before them, with a NUL behind: freed by the caller.
 */
static int
read_sized(
    struct avro_reader *r, char **bytes, size_t *len, struct secor_err *err)
{
	uint64_t at = r->lines.at;
	int64_t n = 0;
	char *from = NULL;
	int rc = read_long(r, &n, NULL, err);

	if (rc == SECOR_OK && (n < 0 || (uint64_t)n > HEADER_MAX))
		rc = broken(at, "a length that cannot be", err);
	if (rc == SECOR_OK)
		rc = must(r, (size_t)n, &from, err);
	if (rc != SECOR_OK)
		return rc;
	*bytes = malloc((size_t)n + 1);
	assert(*bytes != NULL);
	if (n > 0)
		memcpy(*bytes, from, (size_t)n);
	(*bytes)[n] = '\0';
	*len = (size_t)n;
	return SECOR_OK;
}

static int
set_codec(struct avro_reader *r, const char *name, struct secor_err *err)
{
	for (int i = 0; avro_codecs[i] != NULL; i++) {
		if (strcmp(avro_codecs[i], name) != 0)
			continue;
		r->snappy = i == AVRO_CODEC_SNAPPY;
		if (avro_codec_kinds[i] == CODEC_NONE)
			return SECOR_OK;
		return codec_read_begin(
		    avro_codec_kinds[i], NULL, &r->codec, err);
	}
	return secor_fail(err, SECOR_REJECT,
	    "byte %" PRIu64 ": codec \"%.100s\" is not one that can be read",
	    r->lines.at, name);
}

static void
set_prefix(struct avro_reader *r, const char *id)
{
	uint32_t bits = __builtin_bswap32((uint32_t)strtoul(id, NULL, 10));

	r->head[0] = 0;
	memcpy(r->head + 1, &bits, sizeof(bits));
	r->prefix = AVRO_PREFIX;
}

static int
set_entry(struct avro_reader *r, const char *name,
    const struct secor_bytes *value, struct secor_err *err)
{
	struct secor_err why = {""};

	if (strcmp(name, "avro.codec") == 0 && r->codec == NULL)
		return set_codec(r, value->ptr, err);
	if (strcmp(name, AVRO_ID_NAME) == 0)
		set_prefix(r, value->ptr);
	if (strcmp(name, "avro.schema") != 0 || r->schema != NULL)
		return SECOR_OK;
	if (avro_schema_new(&value->ptr, 1, &r->schema, &why) == SECOR_OK)
		return SECOR_OK;
	return secor_fail(err, SECOR_REJECT,
	    "byte %" PRIu64 ": its schema is none: %.900s", r->lines.at,
	    why.text);
}

static int
read_entry(struct avro_reader *r, struct secor_err *err)
{
	char *name = NULL, *value = NULL;
	size_t name_len = 0, len = 0;
	int rc = read_sized(r, &name, &name_len, err);

	if (rc == SECOR_OK)
		rc = read_sized(r, &value, &len, err);
	if (rc == SECOR_OK)
		rc = set_entry(r, name, &(struct secor_bytes){value, len}, err);
	free(name);
	free(value);
	return rc;
}

/* Blocks of a map; a count below zero has its length behind it. */
static int
read_entries(struct avro_reader *r, struct secor_err *err)
{
	int64_t n = 0, bytes = 0;
	int rc;

	for (;;) {
		rc = read_long(r, &n, NULL, err);
		if (rc == SECOR_OK && n < 0)
			rc = read_long(r, &bytes, NULL, err);
		if (rc != SECOR_OK || n == 0)
			return rc;
		if (n == INT64_MIN)
			return broken(r->lines.at, "a count of none", err);
		for (n = n < 0 ? -n : n; n > 0 && rc == SECOR_OK; n--)
			rc = read_entry(r, err);
		if (rc != SECOR_OK)
			return rc;
	}
}

static int
read_header(struct avro_reader *r, struct secor_err *err)
{
	char *bytes = NULL;
	int rc = must(r, 4, &bytes, err);

	if (rc == SECOR_OK && memcmp(bytes, AVRO_MAGIC, 4) != 0)
		rc = broken(0, "not an Avro container file", err);
	if (rc == SECOR_OK)
		rc = read_entries(r, err);
	if (rc == SECOR_OK && r->schema == NULL)
		rc = broken(r->lines.at, "the file has no schema", err);
	if (rc == SECOR_OK)
		rc = must(r, AVRO_SYNC, &bytes, err);
	if (rc == SECOR_OK)
		memcpy(r->sync, bytes, AVRO_SYNC);
	return rc;
}

int
avro_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err)
{
	struct avro_reader *r = calloc(1, sizeof(*r));
	int rc;

	(void)self; /* the file says by itself what it is */
	assert(r != NULL);
	rc = lines_begin(&r->lines, CODEC_NONE, source, err);
	if (rc == SECOR_OK)
		rc = read_header(r, err);
	if (rc != SECOR_OK) {
		avro_read_end(r);
		return rc;
	}
	*reader = r;
	return SECOR_OK;
}

void
avro_read_end(void *reader)
{
	struct avro_reader *r = reader;

	if (r == NULL)
		return;
	lines_end(&r->lines);
	avro_schema_free(r->schema);
	codec_read_end(r->codec);
	grow_fini(&r->block);
	grow_fini(&r->value);
	free(r);
}

static int
unpack_snappy(
    struct avro_reader *r, struct secor_bytes packed, struct secor_err *err)
{
	size_t n = 0;
	uint32_t crc;

	if (packed.len < sizeof(crc))
		return secor_fail(err, SECOR_REJECT, "too short");
	packed.len -= sizeof(crc);
	/* No element of snappy makes more than 64 bytes of two. */
	if (snappy_uncompressed_length(packed.ptr, packed.len, &n) !=
		SNAPPY_OK ||
	    n > 64 * packed.len + 64 ||
	    snappy_uncompress(packed.ptr, packed.len, grow_room(&r->block, n),
		&n) != SNAPPY_OK)
		return secor_fail(err, SECOR_REJECT, "damaged");
	memcpy(&crc, packed.ptr + packed.len, sizeof(crc));
	r->block.len = n;
	if (__builtin_bswap32(crc) !=
	    (uint32_t)crc32(0, (const Bytef *)r->block.ptr, (uInt)n))
		return secor_fail(err, SECOR_REJECT, "another checksum");
	return SECOR_OK;
}

static int
unpack(struct avro_reader *r, const struct secor_bytes *packed,
    struct secor_err *err)
{
	struct secor_err why = {""};
	int rc = SECOR_OK;

	r->block.len = 0;
	r->given = 0;
	if (r->snappy)
		rc = unpack_snappy(r, *packed, &why);
	else if (r->codec != NULL)
		rc = codec_unpack(r->codec, packed, &r->block, AVRO_MAX, &why);
	else
		grow_put(&r->block, packed->ptr, packed->len);
	(void)grow_room(&r->block, 1); /* so that there is a pointer */
	return rc == SECOR_OK
		   ? SECOR_OK
		   : secor_fail(err, rc, "byte %" PRIu64 ": the block: %.900s",
			 r->at, why.text);
}

static int
read_block(struct avro_reader *r, int *more, struct secor_err *err)
{
	struct secor_bytes packed;
	char *bytes = NULL;
	int64_t len = 0;
	int rc;

	r->at = r->lines.at;
	rc = read_long(r, &r->left, more, err);
	if (rc != SECOR_OK || !*more)
		return rc;
	rc = read_long(r, &len, NULL, err);
	if (rc == SECOR_OK &&
	    (len < 0 || (uint64_t)len > AVRO_MAX || r->left < 0))
		rc = broken(r->at, "a block that cannot be", err);
	if (rc == SECOR_OK)
		rc = must(r, (size_t)len, &bytes, err);
	if (rc != SECOR_OK)
		return rc;
	packed = (struct secor_bytes){bytes, (size_t)len};
	rc = unpack(r, &packed, err);
	if (rc == SECOR_OK && r->left > AVRO_COUNT_MAX &&
	    (uint64_t)r->left > r->block.len)
		rc = broken(r->at, "more records than there can be", err);
	if (rc == SECOR_OK)
		rc = must(r, AVRO_SYNC, &bytes, err);
	if (rc == SECOR_OK && memcmp(bytes, r->sync, AVRO_SYNC) != 0)
		rc = broken(r->at, "a block without its sync marker", err);
	return rc;
}

int
avro_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err)
{
	struct avro_reader *r = reader;
	const char *wrong;
	size_t n = 0;
	int rc;

	*more = 1;
	while (r->left == 0) {
		if (r->given < r->block.len)
			return broken(
			    r->at, "a block longer than its count", err);
		rc = read_block(r, more, err);
		if (rc != SECOR_OK || !*more)
			return rc;
	}
	wrong = avro_datum_len(
	    r->schema, r->block.ptr + r->given, r->block.len - r->given, &n);
	if (wrong != NULL)
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": a record of the block: %s", r->at,
		    wrong);
	r->value.len = 0;
	grow_put(&r->value, r->head, r->prefix);
	grow_put(&r->value, r->block.ptr + r->given, n);
	(void)grow_room(&r->value, 1);
	r->given += n;
	r->left--;
	*record = (struct secor_read_record){
	    .size = record->size, .value = {r->value.ptr, r->value.len}};
	return SECOR_OK;
}
