/*
 * fake_format.c -- `frames` cuts its input into frames of 1000 bytes with a
 * checksum in front of each, and ends with the length: whatever was lost,
 * doubled, or put out of order shows.
 */
#include "tests/unit/core/flow/fake_format.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct frames {
	struct script *script;
	size_t fill;
	uint64_t total;
	unsigned char frame[1000];
};

static void
describe(const void *conf, struct secor_format_traits *traits)
{
	traits->extension = "";
	traits->stream_bytes = ((const struct script *)conf)->stream_bytes;
}

static int
fake_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct script *script = (struct script *)(uintptr_t)with->conf;

	if (script->fail_open != SECOR_OK)
		return secor_fail(err, script->fail_open, "open failed");
	atomic_fetch_add(&script->instances, 1);
	*self = script;
	return SECOR_OK;
}

static void
fake_close(void *self)
{
	atomic_fetch_sub(&((struct script *)self)->instances, 1);
}

static int
fake_begin(void *self, const struct secor_object *object,
    struct secor_sink *sink, void **stream, struct secor_err *err)
{
	struct frames *frames = calloc(1, sizeof(*frames));
	int rc;

	frames->script = self;
	atomic_fetch_add(&frames->script->streams, 1);
	*stream = frames;
	if (frames->script->fail_begin != SECOR_OK)
		return secor_fail(
		    err, frames->script->fail_begin, "begin failed");
	rc = sink->put(sink, object->name, strlen(object->name), err);
	return rc == SECOR_OK ? sink->put(sink, "\n", 1, err) : rc;
}

static int
put_frame(struct frames *frames, struct secor_sink *sink, struct secor_err *err)
{
	unsigned char sum = 0;
	int rc;

	for (size_t i = 0; i < frames->fill; i++)
		sum = (unsigned char)(sum * 31 + frames->frame[i]);
	rc = sink->put(sink, &sum, 1, err);
	if (rc == SECOR_OK)
		rc = sink->put(sink, frames->frame, frames->fill, err);
	frames->fill = 0;
	return rc;
}

static int
frames_drain(void *stream, const char *bytes, size_t len,
    struct secor_sink *sink, struct secor_err *err)
{
	struct frames *frames = stream;
	struct script *script = frames->script;
	int rc = SECOR_OK;

	if (script->hold) {
		(void)sem_post(&script->entered);
		(void)sem_wait(&script->go);
	}
	if (script->fail_feed != SECOR_OK)
		return secor_fail(err, script->fail_feed, "drain failed");
	cr_assert_eq(frames->total % 4096, 0, "fed after a ragged call");
	frames->total += len;
	for (size_t i = 0; i < len && rc == SECOR_OK; i++) {
		frames->frame[frames->fill++] = (unsigned char)bytes[i];
		if (frames->fill == sizeof(frames->frame))
			rc = put_frame(frames, sink, err);
	}
	return rc;
}

static int
lines_write(void *stream, const struct secor_record *records, size_t n,
    struct secor_sink *sink, struct secor_err *err)
{
	struct frames *frames = stream;
	int rc = SECOR_OK;

	if (frames->script->fail_feed != SECOR_OK)
		return secor_fail(
		    err, frames->script->fail_feed, "write failed");
	frames->total += n;
	for (size_t i = 0; i < n && rc == SECOR_OK; i++) {
		const struct secor_message *m = records[i].message;
		char head[64];
		int len = snprintf(head, sizeof(head), "%s-%d@%lld:%zu ",
		    m->topic, m->partition, (long long)m->offset, m->value.len);

		rc = sink->put(sink, head, (size_t)len, err);
		if (rc == SECOR_OK)
			rc = sink->put(sink, m->value.ptr, m->value.len, err);
	}
	return rc;
}

static int
fake_finish(void *stream, struct secor_sink *sink, struct secor_err *err)
{
	struct frames *frames = stream;
	int rc = put_frame(frames, sink, err);

	if (frames->script->fail_finish != SECOR_OK)
		return secor_fail(
		    err, frames->script->fail_finish, "finish failed");
	if (rc == SECOR_OK)
		rc =
		    sink->put(sink, &frames->total, sizeof(frames->total), err);
	return rc;
}

static void
fake_end(void *stream)
{
	struct frames *frames = stream;

	atomic_fetch_sub(&frames->script->streams, 1);
	free(frames);
}

const struct secor_format_ops fake_plain = {
    .size = sizeof(struct secor_format_ops),
    .describe = describe,
    .open = fake_open,
    .close = fake_close,
};
const struct secor_format_ops fake_frames = {
    .size = sizeof(struct secor_format_ops),
    .describe = describe,
    .open = fake_open,
    .close = fake_close,
    .begin = fake_begin,
    .drain = frames_drain,
    .finish = fake_finish,
    .end = fake_end,
};
const struct secor_format_ops fake_lines = {
    .size = sizeof(struct secor_format_ops),
    .describe = describe,
    .open = fake_open,
    .close = fake_close,
    .begin = fake_begin,
    .write = lines_write,
    .finish = fake_finish,
    .end = fake_end,
};
