/*
 * avro_fuzz.c -- any bytes as values of a schema that has everything, and any
 * text up to a NUL as a schema for the bytes behind it. The first byte chooses.
 */
#include "plugins/common/avro_read.h"

#include "tests/fuzz/fuzz.h"

static const char everything[] =
    "{\"type\":\"record\",\"name\":\"e\",\"fields\":["
    "{\"name\":\"z\",\"type\":{\"type\":\"array\",\"items\":\"null\"}},"
    "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":"
    "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":"
    "[\"null\",\"string\",\"boolean\",\"float\",\"double\",\"bytes\",\"e\"]}},"
    "{\"name\":\"k\",\"type\":{\"type\":\"enum\",\"name\":\"n\",\"symbols\":"
    "[\"A\",\"B\"]}},"
    "{\"name\":\"f\",\"type\":[\"null\",{\"type\":\"fixed\",\"name\":\"x\","
    "\"size\":3},\"e\"]},"
    "{\"name\":\"d\",\"type\":[{\"type\":\"int\",\"logicalType\":\"date\"},"
    "{\"type\":\"long\",\"logicalType\":\"local-timestamp-millis\"}]}]}";

static const char *const paths[] = {"l.1", "m.a", "m.a.k", "k", "f.d", "d"};
#define PATHS (sizeof(paths) / sizeof(paths[0]))

static void
setup(struct finder *finder)
{
	static const struct finder_conf conf = {
	    .separator = ".", .when = {.format = "auto", .timezone = "UTC"}};
	struct secor_open with = {
	    .size = sizeof(with), .fields = {paths, PATHS}, .no_time = 1};

	MUST(finder_open(finder, &conf, &with, NULL) == SECOR_OK);
}

static void
read_value(struct finder *finder, const struct avro_schema *schema,
    struct secor_bytes bytes)
{
	struct secor_message message = {.size = sizeof(message)};
	struct secor_record record = {.size = sizeof(record)};
	struct secor_bytes fields[PATHS];
	struct wire wire = wire_of(bytes), again = wire;
	struct secor_err err;
	const char *why, *skipped;

	finder_begin(finder);
	why = avro_read(avro_schema_root(schema), finder, &wire);
	if (why == NULL)
		MUST(finder_end(finder, &message, &record, fields, &err) !=
		     SECOR_FATAL);
	/* nobody is more trusting than who wants something */
	skipped = avro_read(avro_schema_root(schema), NULL, &again);
	MUST(why != NULL || skipped == NULL);
	MUST(why != NULL || wire.at == again.at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct finder finder;
	static struct avro_schema *schema;
	const char *texts[] = {everything};
	struct secor_bytes bytes = {(const char *)data, size};
	struct avro_schema *own;
	struct secor_err err;
	size_t len;

	if (schema == NULL) {
		setup(&finder);
		MUST(avro_schema_new(texts, 1, &schema, NULL) == SECOR_OK);
	}
	if (size == 0)
		return 0;
	bytes.ptr++;
	bytes.len--;
	if (data[0] % 2 == 0) {
		read_value(&finder, schema, bytes);
		return 0;
	}
	len = strnlen(bytes.ptr, bytes.len);
	if (len == bytes.len)
		return 0;
	texts[0] = bytes.ptr;
	if (avro_schema_new(texts, 1, &own, &err) != SECOR_OK)
		return 0;
	bytes.ptr += len + 1;
	bytes.len -= len + 1;
	read_value(&finder, own, bytes);
	avro_schema_free(own);
	return 0;
}
