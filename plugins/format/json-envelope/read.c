/*
 * read.c -- lines back to messages. Members in any order, others are skipped.
 */
#include "plugins/common/base64.h"
#include "plugins/common/json_text.h"
#include "plugins/common/json_value.h"
#include "plugins/common/lines.h"
#include "plugins/format/json-envelope/envelope.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct envelope_reader {
	const struct envelope_conf *conf;
	struct lines lines;
	struct grow text; /* strings of a line, never longer than it is */
	struct secor_header *headers;
	size_t header_room;
};

/* A member of an object: what stands in the quotes, and its value. */
struct member {
	struct secor_bytes name, value;
};

int
envelope_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err)
{
	const struct envelope *envelope = self;
	struct envelope_reader *made = calloc(1, sizeof(*made));
	int rc;

	assert(made != NULL);
	made->conf = envelope->conf;
	made->lines.delimiter = (struct secor_bytes){"\n", 1};
	rc =
	    lines_begin(&made->lines, envelope->conf->compression, source, err);
	if (rc != SECOR_OK) {
		free(made);
		return rc;
	}
	*reader = made;
	return SECOR_OK;
}

void
envelope_read_end(void *reader)
{
	struct envelope_reader *r = reader;

	if (r == NULL)
		return;
	lines_end(&r->lines);
	grow_fini(&r->text);
	free(r->headers);
	free(r);
}

static int
is_text(const struct secor_bytes *bytes, const char *text)
{
	return bytes->len == strlen(text) &&
	       memcmp(bytes->ptr, text, bytes->len) == 0;
}

/* The next member of an object of which `rest` begins behind '{' or a member.
 * All of it was found to be JSON. 0: there is none. */
static int
next_member(struct secor_bytes *rest, struct member *member)
{
	const char *end = rest->ptr + rest->len;
	const char *p = json_space_end(rest->ptr, end), *q;

	if (p < end && *p == ',')
		p = json_space_end(p + 1, end);
	if (p == end || *p != '"')
		return 0;
	q = json_string_end(p, end);
	member->name = (struct secor_bytes){p + 1, (size_t)(q - p) - 2};
	p = json_space_end(json_space_end(q, end) + 1, end);
	q = json_value_end(p, end);
	member->value = (struct secor_bytes){p, (size_t)(q - p)};
	*rest = (struct secor_bytes){q, (size_t)(end - q)};
	return 1;
}

/* What an object (or a list) holds. */
static struct secor_bytes
inside(const struct secor_bytes *value)
{
	return (struct secor_bytes){value->ptr + 1, value->len - 1};
}

static int
get_number(const struct secor_bytes *value, int64_t *number)
{
	char text[24], *end;

	if (value->len >= sizeof(text))
		return 0;
	memcpy(text, value->ptr, value->len);
	text[value->len] = '\0';
	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno == 0 && end == text + value->len;
}

/* A string without quotes and escapes, with a NUL behind it; 0: it is none. */
static int
get_string(struct envelope_reader *r, const struct secor_bytes *value,
    struct secor_bytes *bytes)
{
	char *to = r->text.ptr + r->text.len;
	size_t n;

	if (value->ptr[0] != '"')
		return 0;
	n = json_unescape(value->ptr + 1, value->len - 2, to);
	to[n] = '\0';
	r->text.len += n + 1;
	*bytes = (struct secor_bytes){to, n};
	return 1;
}

static int
get_bytes(struct envelope_reader *r, int as, const struct secor_bytes *value,
    struct secor_bytes *bytes)
{
	struct secor_bytes text;
	char *to;

	if (is_text(value, "null")) {
		*bytes = (struct secor_bytes){NULL, 0};
		return 1;
	}
	if (as == ENVELOPE_JSON) {
		*bytes = *value;
		return 1;
	}
	if (!get_string(r, value, as == ENVELOPE_STRING ? bytes : &text))
		return 0;
	if (as == ENVELOPE_STRING)
		return 1;
	to = r->text.ptr + r->text.len;
	bytes->ptr = to;
	if (!base64_get(text.ptr, text.len, to, &bytes->len))
		return 0;
	r->text.len += bytes->len;
	return 1;
}

static struct secor_header *
add_header(struct envelope_reader *r, struct secor_read_record *record)
{
	size_t n = (size_t)record->header_count;

	if (n == r->header_room) {
		r->header_room = 2 * n + 8;
		r->headers =
		    realloc(r->headers, r->header_room * sizeof(*r->headers));
		assert(r->headers != NULL);
	}
	record->header_count++;
	record->headers = r->headers;
	r->headers[n] = (struct secor_header){"", {NULL, 0}};
	return &r->headers[n];
}

static int
get_header(struct envelope_reader *r, const struct secor_bytes *value,
    struct secor_header *header)
{
	struct secor_bytes rest = inside(value), name;
	struct member member;
	int good = value->ptr[0] == '{';

	while (good && next_member(&rest, &member)) {
		if (is_text(&member.name, "name")) {
			good = get_string(r, &member.value, &name);
			header->name = good ? name.ptr : "";
		} else if (is_text(&member.name, "value")) {
			good = get_bytes(
			    r, r->conf->headers, &member.value, &header->value);
		}
	}
	return good;
}

static int
get_headers(struct envelope_reader *r, const struct secor_bytes *value,
    struct secor_read_record *record)
{
	const char *end = value->ptr + value->len, *p = value->ptr, *q;

	if (*p != '[')
		return 0;
	for (;;) {
		struct secor_bytes item;

		p = json_space_end(p + 1, end); /* behind '[' or ',' */
		if (p == end || *p == ']')
			return 1;
		q = json_value_end(p, end);
		item = (struct secor_bytes){p, (size_t)(q - p)};
		if (!get_header(r, &item, add_header(r, record)))
			return 0;
		p = json_space_end(q, end);
	}
}

static int
get_timestamp(const struct secor_bytes *value, struct secor_read_record *record)
{
	record->has_timestamp = !is_text(value, "null");
	return !record->has_timestamp ||
	       get_number(value, &record->timestamp_ms);
}

static int
get_type(const struct secor_bytes *value, struct secor_read_record *record)
{
	record->timestamp_type =
	    is_text(value, "\"create\"")   ? SECOR_TIMESTAMP_CREATE
	    : is_text(value, "\"append\"") ? SECOR_TIMESTAMP_APPEND
					   : SECOR_TIMESTAMP_NONE;
	return value->ptr[0] == '"';
}

static int
get_member(struct envelope_reader *r, const struct member *member,
    struct secor_read_record *record)
{
	if (is_text(&member->name, "offset")) {
		record->has_offset = 1;
		return get_number(&member->value, &record->offset);
	}
	if (is_text(&member->name, "timestamp"))
		return get_timestamp(&member->value, record);
	if (is_text(&member->name, "timestamp_type"))
		return get_type(&member->value, record);
	if (is_text(&member->name, "headers"))
		return get_headers(r, &member->value, record);
	if (is_text(&member->name, "key")) {
		record->has_key = 1;
		return get_bytes(r, r->conf->key, &member->value, &record->key);
	}
	if (is_text(&member->name, "value"))
		return get_bytes(
		    r, r->conf->value, &member->value, &record->value);
	return 1;
}

int
envelope_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err)
{
	struct envelope_reader *r = reader;
	uint64_t at = r->lines.at;
	struct member member;
	struct secor_bytes rest;
	char *line = NULL;
	size_t len = 0;
	int rc = lines_next(&r->lines, &line, &len, err);

	if (rc != SECOR_OK)
		return rc;
	*more = line != NULL;
	if (line == NULL)
		return SECOR_OK;
	*record = (struct secor_read_record){.size = record->size};
	r->text.len = 0;
	/* Names and values of strings end with a NUL where a quote was, and
	 * what base64 stands for comes behind it. */
	(void)grow_room(&r->text, 2 * len + 1);
	if (len == 0 || line[0] != '{' || !json_value_is(line, len))
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": not a JSON object", at);
	rest = (struct secor_bytes){line + 1, len - 1};
	while (next_member(&rest, &member))
		if (!get_member(r, &member, record))
			return secor_fail(err, SECOR_REJECT,
			    "byte %" PRIu64 ": member \"%.*s\" is not what it "
			    "is in an envelope",
			    at,
			    (int)(member.name.len < 64 ? member.name.len : 64),
			    member.name.ptr);
	return SECOR_OK;
}
