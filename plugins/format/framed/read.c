/*
 * read.c -- frames back to messages. Invariant: no length is believed before
 * the bytes are there and their checksum holds; a file without its end is
 * refused.
 */
#include "plugins/common/crc32c.h"
#include "plugins/common/lines.h"
#include "plugins/format/framed/framed.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

struct framed_reader {
	struct lines lines;
	int inside; /* of a file: its end is still to come */
	struct grow body;
	struct secor_header *headers;
	size_t header_room;
	struct grow names; /* with a NUL behind each */
};

/* What is left of a body. */
struct rest {
	const char *ptr;
	size_t len;
};

static int
broken(uint64_t at, const char *what, struct secor_err *err)
{
	return secor_fail(err, SECOR_REJECT, "byte %" PRIu64 ": %s", at, what);
}

int
framed_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err)
{
	const struct framed *framed = self;
	struct framed_reader *made = calloc(1, sizeof(*made));
	int rc;

	assert(made != NULL);
	rc = lines_begin(&made->lines, framed->conf->compression, source, err);
	if (rc != SECOR_OK) {
		free(made);
		return rc;
	}
	*reader = made;
	return SECOR_OK;
}

void
framed_read_end(void *reader)
{
	struct framed_reader *r = reader;

	if (r == NULL)
		return;
	lines_end(&r->lines);
	grow_fini(&r->body);
	grow_fini(&r->names);
	free(r->headers);
	free(r);
}

/* n bytes that must be there. */
static int
must(struct framed_reader *r, size_t n, char **bytes, struct secor_err *err)
{
	int rc = lines_take(&r->lines, n, bytes, err);

	if (rc == SECOR_OK && *bytes == NULL)
		rc = broken(r->lines.at, "the file ends too early", err);
	return rc;
}

/* A length, so many bytes (to r->body) and their checksum. */
static int
read_checked(struct framed_reader *r, uint32_t len, struct secor_err *err)
{
	uint64_t at = r->lines.at;
	char *bytes = NULL;
	int rc;

	if (len > FRAMED_MAX)
		return broken(at, "a length that cannot be", err);
	rc = must(r, len, &bytes, err);
	if (rc != SECOR_OK)
		return rc;
	r->body.len = 0;
	grow_put(&r->body, bytes, len);
	rc = must(r, 4, &bytes, err);
	if (rc == SECOR_OK &&
	    crc32c_more(0, r->body.ptr, len) != framed_get32(bytes))
		rc = broken(at, "another checksum", err);
	return rc;
}

static int
read_length(struct framed_reader *r, uint32_t *len, struct secor_err *err)
{
	char *bytes = NULL;
	int rc = must(r, 4, &bytes, err);

	if (rc == SECOR_OK)
		*len = framed_get32(bytes);
	return rc;
}

/* *more == 0: there is no (other) file. */
static int
read_about(struct framed_reader *r, int *more, struct secor_err *err)
{
	int first = r->lines.at == 0;
	uint64_t at = r->lines.at;
	char *bytes = NULL;
	uint32_t len = 0;
	int rc = lines_take(&r->lines, FRAMED_MARK, &bytes, err);

	if (rc != SECOR_OK)
		return rc;
	*more = bytes != NULL;
	if (bytes == NULL)
		return first ? broken(0, "the file ends too early", err)
			     : SECOR_OK;
	if (memcmp(bytes, FRAMED_MAGIC, FRAMED_MARK) != 0)
		return broken(at, "not a framed file", err);
	rc = read_length(r, &len, err);
	if (rc == SECOR_OK && len < FRAMED_ABOUT)
		rc = broken(at, "a length that cannot be", err);
	if (rc == SECOR_OK)
		rc = read_checked(r, len, err);
	r->inside = 1;
	return rc;
}

static int
read_mark(struct framed_reader *r, struct secor_err *err)
{
	uint64_t at = r->lines.at;
	char *bytes = NULL;
	int rc = must(r, FRAMED_MARK, &bytes, err);

	if (rc == SECOR_OK && memcmp(bytes, &FRAMED_END[4], FRAMED_MARK) != 0)
		rc = broken(at, "not the end of a framed file", err);
	r->inside = 0;
	return rc;
}

static int
take(struct rest *rest, size_t n, struct secor_bytes *bytes)
{
	if (n > rest->len)
		return 0;
	*bytes = (struct secor_bytes){rest->ptr, n};
	rest->ptr += n;
	rest->len -= n;
	return 1;
}

/* The name goes to `names` at *at; it has its place when all are there. */
static int
get_header(
    struct framed_reader *r, struct rest *rest, struct secor_header *header)
{
	struct secor_bytes head, name;
	uint32_t value;

	if (!take(rest, 8, &head) || !take(rest, framed_get32(head.ptr), &name))
		return 0;
	grow_put(&r->names, name.ptr, name.len);
	grow_put(&r->names, "", 1);
	value = framed_get32(head.ptr + 4);
	header->value = (struct secor_bytes){NULL, 0};
	return value == FRAMED_NULL || take(rest, value, &header->value);
}

static int
get_headers(struct framed_reader *r, struct rest *rest, size_t count)
{
	const char *name;

	if (count > rest->len / 8)
		return 0;
	if (count > r->header_room) {
		r->header_room = count;
		r->headers = realloc(r->headers, count * sizeof(*r->headers));
		assert(r->headers != NULL);
	}
	r->names.len = 0;
	for (size_t i = 0; i < count; i++)
		if (!get_header(r, rest, &r->headers[i]))
			return 0;
	name = r->names.ptr;
	for (size_t i = 0; i < count; i++) {
		r->headers[i].name = name;
		name += strlen(name) + 1;
	}
	return 1;
}

static int
get_body(struct framed_reader *r, struct secor_read_record *record)
{
	struct rest rest = {r->body.ptr, r->body.len};
	struct secor_bytes head, key, value;
	uint32_t headers;

	if (!take(&rest, FRAMED_HEAD, &head) ||
	    !take(&rest, framed_get32(head.ptr + 24), &key) ||
	    !take(&rest, framed_get32(head.ptr + 28), &value))
		return 0;
	headers = framed_get32(head.ptr + 4);
	if (!get_headers(r, &rest, headers) || rest.len != 0)
		return 0;
	record->has_offset = record->has_key = 1;
	record->has_timestamp = (head.ptr[0] & FRAMED_HAS_TIME) != 0;
	record->timestamp_type = (unsigned char)head.ptr[1];
	record->offset = framed_get64(head.ptr + 8);
	record->timestamp_ms = framed_get64(head.ptr + 16);
	if (head.ptr[0] & FRAMED_HAS_KEY)
		record->key = key;
	if (head.ptr[0] & FRAMED_HAS_VALUE)
		record->value = value;
	record->header_count = (int32_t)headers;
	record->headers = r->headers;
	return 1;
}

int
framed_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err)
{
	struct framed_reader *r = reader;
	uint32_t len = 0;
	uint64_t at;
	int rc;

	for (;;) {
		*more = 1;
		if (!r->inside) {
			rc = read_about(r, more, err);
			if (rc != SECOR_OK || !*more)
				return rc;
		}
		at = r->lines.at;
		rc = read_length(r, &len, err);
		if (rc != SECOR_OK || len > 0)
			break;
		rc = read_mark(r, err);
		if (rc != SECOR_OK)
			return rc;
	}
	if (rc == SECOR_OK)
		rc = read_checked(r, len, err);
	if (rc != SECOR_OK)
		return rc;
	*record = (struct secor_read_record){.size = record->size};
	return get_body(r, record)
		   ? SECOR_OK
		   : broken(at, "a frame that is not one inside", err);
}
