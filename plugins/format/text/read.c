/*
 * read.c -- the records of a text file. Invariant: every byte of the file is in
 * exactly one record, one delimiter or the header.
 */
#include "plugins/format/text/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STEP ((size_t)65536)
#define RECORD_MAX ((size_t)1 << 30)

struct text_reader {
	const struct text *text;
	struct codec_reader *codec;
	struct grow buf; /* what was read and not yet given */
	size_t given;	 /* bytes of `buf` that are done */
	uint64_t at;	 /* where buf.ptr[given] lies in the plain stream */
	int drained;
	int first; /* the first record is still to come */
};

int
text_read_begin(void *self, struct secor_source *source, void **reader,
    struct secor_err *err)
{
	const struct text *text = self;
	struct text_reader *made = calloc(1, sizeof(*made));
	int rc;

	assert(made != NULL);
	made->text = text;
	made->first = 1;
	rc = codec_read_begin(text->kind, source, &made->codec, err);
	if (rc != SECOR_OK) {
		free(made);
		return rc;
	}
	*reader = made;
	return SECOR_OK;
}

void
text_read_end(void *reader)
{
	struct text_reader *r = reader;

	if (r == NULL)
		return;
	codec_read_end(r->codec);
	grow_fini(&r->buf);
	free(r);
}

static int
fill(struct text_reader *r, struct secor_err *err)
{
	struct secor_source *source = codec_read_source(r->codec);
	size_t left = r->buf.len - r->given, got = 0;
	char *to;
	int rc;

	if (left > 0 && r->given > 0)
		memmove(r->buf.ptr, r->buf.ptr + r->given, left);
	r->buf.len = left;
	r->given = 0;
	if (left > RECORD_MAX)
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": no delimiter in %zu bytes", r->at, left);
	to = grow_room(&r->buf, STEP);
	rc = source->get(source, to, STEP, &got, err);
	if (rc != SECOR_OK)
		return rc;
	r->buf.len += got;
	r->drained = got == 0;
	return SECOR_OK;
}

/* Finds the next record: *line of *len in `buf`, NULL at the end. */
static int
next_line(
    struct text_reader *r, char **line, size_t *len, struct secor_err *err)
{
	const struct text *t = r->text;
	size_t searched = 0, left;
	char *begin, *end;
	int rc;

	for (;;) {
		left = r->buf.len - r->given;
		begin = r->buf.ptr + r->given;
		end = left <= searched
			  ? NULL
			  : memmem(begin + searched, left - searched,
				t->delimiter, t->delimiter_len);
		if (end != NULL)
			break;
		if (r->drained && left > 0)
			return secor_fail(err, SECOR_REJECT,
			    "byte %" PRIu64 ": no delimiter behind the last "
			    "record, which began at byte %" PRIu64,
			    r->at + left, r->at);
		if (r->drained) {
			*line = NULL;
			return SECOR_OK;
		}
		/* A delimiter may lie across what comes next. */
		searched =
		    left < t->delimiter_len ? 0 : left - t->delimiter_len + 1;
		rc = fill(r, err);
		if (rc != SECOR_OK)
			return rc;
	}
	*line = begin;
	*len = (size_t)(end - begin);
	r->given += *len + t->delimiter_len;
	r->at += *len + t->delimiter_len;
	return SECOR_OK;
}

static int
is_header(const struct text_reader *r, const char *line, size_t len)
{
	const char *header = r->text->conf->header;

	return header != NULL && strlen(header) == len &&
	       memcmp(header, line, len) == 0;
}

int
text_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err)
{
	struct text_reader *r = reader;
	size_t len = 0, bad = 0;
	uint64_t at = r->at;
	char *line = NULL;
	int rc = next_line(r, &line, &len, err);

	if (rc == SECOR_OK && r->first && line != NULL &&
	    is_header(r, line, len)) {
		at = r->at;
		rc = next_line(r, &line, &len, err);
	}
	if (rc != SECOR_OK)
		return rc;
	r->first = 0;
	*more = line != NULL;
	if (line == NULL)
		return SECOR_OK;
	if (r->text->conf->inside == TEXT_ESCAPE &&
	    text_unescape(line, &len, &bad) != SECOR_OK)
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": not an escape", at + bad);
	*record = (struct secor_read_record){
	    .size = record->size, .value = {line, len}};
	return SECOR_OK;
}
