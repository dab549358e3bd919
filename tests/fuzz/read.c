/*
 * read.c -- see read.h. Linked with the plugin's own files, not with its .so.
 */
#include "tests/fuzz/read.h"

#include <secor/format.h>

#include "tests/fuzz/fuzz.h"

struct memory_source {
	struct secor_source source;
	const uint8_t *next;
	size_t left;
};

static int
source_get(struct secor_source *source, void *bytes, size_t room, size_t *got,
    struct secor_err *err)
{
	struct memory_source *from = (struct memory_source *)source;
	size_t n = from->left < room ? from->left : room;

	(void)err;
	if (n > 0)
		memcpy(bytes, from->next, n);
	from->next += n;
	from->left -= n;
	*got = n;
	return SECOR_OK;
}

/* Reads the bytes that are given, so that the sanitizer sees them. */
static unsigned
touch(const struct secor_bytes *bytes)
{
	unsigned sum = 0;

	for (size_t i = 0; i < bytes->len; i++)
		sum += (unsigned char)bytes->ptr[i];
	return sum;
}

void
fuzz_read(const void *conf, const uint8_t *bytes, size_t len)
{
	const struct secor_format_ops *ops = secor_plugin_entry()->ops;
	const struct secor_open with = {.size = sizeof(with), .conf = conf};
	struct memory_source source = {
	    {sizeof(source.source), source_get}, bytes, len};
	struct secor_read_record record = {.size = sizeof(record)};
	struct secor_err err = {""};
	static volatile unsigned sink;
	void *self = NULL, *reader = NULL;
	int more = 1;
	int rc = conf == NULL ? SECOR_OK : ops->open(&with, &self, &err);

	MUST(rc == SECOR_OK);
	rc = ops->read_begin(self, &source.source, &reader, &err);
	while (rc == SECOR_OK && more) {
		rc = ops->read(reader, &record, &more, &err);
		if (rc != SECOR_OK || !more)
			break;
		sink += touch(&record.value) + touch(&record.key);
		for (int32_t i = 0; i < record.header_count; i++)
			sink += touch(&record.headers[i].value) +
				(unsigned)strlen(record.headers[i].name);
	}
	MUST(rc == SECOR_OK || rc == SECOR_REJECT);
	MUST(rc == SECOR_OK || strstr(err.text, "byte ") != NULL);
	ops->read_end(reader);
	ops->close(self);
	(void)sink;
}
