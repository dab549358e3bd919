/*
 * sequencefile_fuzz.c -- any bytes as a SequenceFile: read to the end or
 * refused at a byte. Linked with the plugin's own files, not with its .so.
 */
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

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct secor_format_ops *ops = secor_plugin_entry()->ops;
	struct memory_source source = {
	    {sizeof(source.source), source_get}, bytes, len};
	struct secor_read_record record = {.size = sizeof(record)};
	struct secor_err err = {""};
	static volatile unsigned sink;
	void *reader = NULL;
	int more = 1;
	int rc = ops->read_begin(NULL, &source.source, &reader, &err);

	while (rc == SECOR_OK && more) {
		rc = ops->read(reader, &record, &more, &err);
		if (rc == SECOR_OK && more)
			sink += touch(&record.value) + touch(&record.key);
	}
	MUST(rc == SECOR_OK || rc == SECOR_REJECT);
	MUST(rc == SECOR_OK || strstr(err.text, "byte ") != NULL);
	ops->read_end(reader);
	(void)sink;
	return 0;
}
