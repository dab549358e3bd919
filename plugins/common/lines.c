/*
 * lines.c -- see lines.h.
 */
#include "plugins/common/lines.h"

#include <inttypes.h>
#include <string.h>

#define STEP ((size_t)65536)

int
lines_begin(struct lines *lines, int kind, struct secor_source *source,
    struct secor_err *err)
{
	int rc = codec_read_begin(kind, source, &lines->codec, err);

	if (rc == SECOR_OK)
		(void)grow_room(&lines->buf, 1); /* so that there is one */
	return rc;
}

void
lines_end(struct lines *lines)
{
	codec_read_end(lines->codec);
	grow_fini(&lines->buf);
}

static int
fill(struct lines *lines, struct secor_err *err)
{
	struct secor_source *source = codec_read_source(lines->codec);
	size_t left = lines->buf.len - lines->given, got = 0;
	char *to;
	int rc;

	if (left > 0 && lines->given > 0)
		memmove(lines->buf.ptr, lines->buf.ptr + lines->given, left);
	lines->buf.len = left;
	lines->given = 0;
	if (left > LINES_MAX)
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": no delimiter in %zu bytes", lines->at,
		    left);
	to = grow_room(&lines->buf, STEP);
	rc = source->get(source, to, STEP, &got, err);
	if (rc != SECOR_OK)
		return rc;
	lines->buf.len += got;
	lines->drained = got == 0;
	return SECOR_OK;
}

int
lines_next(struct lines *lines, char **line, size_t *len, struct secor_err *err)
{
	const struct secor_bytes *delimiter = &lines->delimiter;
	size_t searched = 0, left;
	char *begin, *end;
	int rc;

	for (;;) {
		left = lines->buf.len - lines->given;
		begin = lines->buf.ptr + lines->given;
		end = left <= searched
			  ? NULL
			  : memmem(begin + searched, left - searched,
				delimiter->ptr, delimiter->len);
		if (end != NULL)
			break;
		if (lines->drained && left > 0)
			return secor_fail(err, SECOR_REJECT,
			    "byte %" PRIu64 ": no delimiter behind the last "
			    "record, which began at byte %" PRIu64,
			    lines->at + left, lines->at);
		if (lines->drained) {
			*line = NULL;
			return SECOR_OK;
		}
		/* A delimiter may lie across what comes next. */
		searched =
		    left < delimiter->len ? 0 : left - delimiter->len + 1;
		rc = fill(lines, err);
		if (rc != SECOR_OK)
			return rc;
	}
	*line = begin;
	*len = (size_t)(end - begin);
	lines->given += *len + delimiter->len;
	lines->at += *len + delimiter->len;
	return SECOR_OK;
}

int
lines_take(struct lines *lines, size_t n, char **bytes, struct secor_err *err)
{
	size_t left;
	int rc;

	while ((left = lines->buf.len - lines->given) < n && !lines->drained) {
		rc = fill(lines, err);
		if (rc != SECOR_OK)
			return rc;
	}
	if (left >= n) {
		*bytes = lines->buf.ptr + lines->given;
		lines->given += n;
		lines->at += n;
		return SECOR_OK;
	}
	if (left > 0)
		return secor_fail(err, SECOR_REJECT,
		    "byte %" PRIu64 ": the file ends within a record",
		    lines->at + left);
	*bytes = NULL;
	return SECOR_OK;
}
