/*
 * thrift_fuzz.c -- any bytes as a Thrift struct: read to its very end, or
 * refused with a phrase. The first byte chooses the protocol.
 */
#include "plugins/parser/thrift/read.h"

#include "tests/fuzz/fuzz.h"

static const char *const paths[] = {"1", "1.1", "2.0", "3"};

static void
setup(struct finder *finder)
{
	static const struct finder_conf conf = {
	    .separator = ".", .when = {.format = "auto", .timezone = "UTC"}};
	struct secor_open with = {.size = sizeof(with),
	    .fields = {paths, sizeof(paths) / sizeof(paths[0])},
	    .no_time = 1};

	MUST(finder_open(finder, &conf, &with, NULL) == SECOR_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct finder finder;
	static struct secor_bytes fields[sizeof(paths) / sizeof(paths[0])];
	struct secor_bytes bytes = {(const char *)data, size};
	struct secor_message message = {.size = sizeof(message)};
	struct secor_record record = {.size = sizeof(record)};
	struct secor_err err;
	const char *why;

	if (size == 0)
		return 0;
	bytes.ptr++;
	bytes.len--;
	if (finder.values == NULL)
		setup(&finder);
	finder_begin(&finder);
	why = thrift_read(&finder, data[0] & 1, bytes);
	if (why != NULL) {
		MUST(strncmp(why, "the value is no Thrift struct: ", 31) == 0);
		return 0;
	}
	MUST(finder_end(&finder, &message, &record, fields, &err) !=
	     SECOR_FATAL);
	bytes.len--; /* what is a struct is none without its end */
	MUST(thrift_read(&finder, data[0] & 1, bytes) != NULL);
	return 0;
}
