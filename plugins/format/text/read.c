/*
 * read.c -- the records of a text file.
 */
#include "plugins/common/lines.h"
#include "plugins/format/text/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct text_reader {
	const struct text *text;
	struct lines lines;
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
	made->lines.delimiter =
	    (struct secor_bytes){text->delimiter, text->delimiter_len};
	rc = lines_begin(&made->lines, text->kind, source, err);
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
	lines_end(&r->lines);
	free(r);
}

static int
is_header(const struct text_reader *r, const char *line, size_t len)
{
	const char *header = r->text->conf->header;

	return header != NULL && strlen(header) == len &&
	       memcmp(header, line, len) == 0;
}

static int
read_line(
    struct text_reader *r, char **line, size_t *len, struct secor_err *err)
{
	uint64_t at = r->lines.at;
	size_t bad = 0;
	int rc = lines_next(&r->lines, line, len, err);

	if (rc == SECOR_OK && r->first && *line != NULL &&
	    is_header(r, *line, *len)) {
		at = r->lines.at;
		rc = lines_next(&r->lines, line, len, err);
	}
	if (rc != SECOR_OK || *line == NULL)
		return rc;
	r->first = 0;
	if (r->text->conf->inside == TEXT_ESCAPE &&
	    text_unescape(*line, len, &bad) != SECOR_OK)
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": not an escape", at + bad);
	return SECOR_OK;
}

/* The length before a record; *more == 0: the file ends. */
static int
read_length(
    struct text_reader *r, uint64_t *len, int *more, struct secor_err *err)
{
	char head[TEXT_PREFIX_MAX], *byte = NULL;
	size_t n = 0;
	int rc;

	for (;;) {
		rc = lines_take(&r->lines, 1, &byte, err);
		if (rc != SECOR_OK)
			return rc;
		if (byte == NULL)
			break;
		head[n++] = *byte;
		if (text_prefix_get(r->text->conf->framing, head, n, len)) {
			*more = 1;
			return SECOR_OK;
		}
		if (n == TEXT_PREFIX_MAX)
			return secor_fail(err, SECOR_REJECT,
			    "byte %" PRIu64 ": not a length", r->lines.at - n);
	}
	*more = 0;
	return n == 0 ? SECOR_OK
		      : secor_fail(err, SECOR_REJECT,
			    "byte %" PRIu64 ": the file ends within a length",
			    r->lines.at);
}

static int
read_sized(
    struct text_reader *r, char **line, size_t *len, struct secor_err *err)
{
	uint64_t n = 0, at = r->lines.at;
	int more = 0;
	int rc = read_length(r, &n, &more, err);

	*line = NULL;
	if (rc != SECOR_OK || !more)
		return rc;
	if (n > LINES_MAX)
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": a record of %" PRIu64 " bytes", at, n);
	*len = (size_t)n;
	rc = lines_take(&r->lines, *len, line, err);
	if (rc == SECOR_OK && *line == NULL)
		rc = secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": the file ends within a record",
		    r->lines.at);
	return rc;
}

int
text_read(void *reader, struct secor_read_record *record, int *more,
    struct secor_err *err)
{
	struct text_reader *r = reader;
	char *line = NULL;
	size_t len = 0;
	int rc = r->text->conf->framing == TEXT_DELIMITER
		     ? read_line(r, &line, &len, err)
		     : read_sized(r, &line, &len, err);

	if (rc != SECOR_OK)
		return rc;
	*more = line != NULL;
	if (line == NULL)
		return SECOR_OK;
	*record = (struct secor_read_record){
	    .size = record->size, .value = {line, len}};
	return SECOR_OK;
}
