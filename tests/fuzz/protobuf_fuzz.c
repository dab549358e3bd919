/*
 * protobuf_fuzz.c -- any bytes as a message, framed or not, by numbers and by
 * the names of a descriptor set; and any bytes as that set. Linked with the
 * plugin's own files, not with its .so. The first byte chooses.
 */
#include "plugins/parser/protobuf/descriptor.h"

#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static const char *const numbers[] = {"1", "2.1", "2.2", "3", "9"};
static const char *const names[] = {
    "country", "meta.created", "meta.millis", "kind", "inner.id"};
#define FIELDS 5

static void
setup(struct finder *finder, const char *const *fields)
{
	static const struct finder_conf conf = {
	    .separator = ".", .when = {.format = "auto", .timezone = "UTC"}};
	struct secor_open with = {
	    .size = sizeof(with), .fields = {fields, FIELDS}, .no_time = 1};

	MUST(finder_open(finder, &conf, &with, NULL) == SECOR_OK);
}

static void
read_message(struct finder *finder, struct secor_bytes bytes)
{
	struct secor_message message = {.size = sizeof(message)};
	struct secor_record record = {.size = sizeof(record)};
	struct secor_bytes fields[FIELDS];
	struct secor_err err;
	const char *why;

	finder_begin(finder);
	why = protobuf_read(finder, bytes);
	if (why == NULL)
		MUST(finder_end(finder, &message, &record, fields, &err) !=
		     SECOR_FATAL);
	else
		MUST(strncmp(why, "the value is no protobuf message: ", 34) ==
		     0);
}

static void
free_uses(struct wanted *node)
{
	for (node = node->below; node != NULL; node = node->next) {
		free_uses(node);
		free(node->use);
	}
}

/* The bytes are a descriptor set: names are found or not. */
static void
read_set(struct secor_bytes bytes)
{
	char path[] = "/tmp/protobuf_fuzz.XXXXXX";
	struct finder finder = {0};
	struct descriptor d = {0};
	struct secor_err err;
	int fd = mkstemp(path);

	MUST(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
	(void)close(fd);
	setup(&finder, names);
	if (descriptor_open(&d, path, "logs.v1.Event", &finder.root, &err) ==
	    SECOR_OK)
		read_message(&finder, bytes);
	(void)unlink(path);
	free_uses(&finder.root);
	finder_close(&finder);
	descriptor_close(&d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct finder by_number, by_name;
	static struct descriptor d;
	struct secor_bytes bytes = {(const char *)data, size};

	if (by_number.values == NULL) {
		setup(&by_number, numbers);
		setup(&by_name, names);
		MUST(descriptor_open(&d,
			 "tests/unit/plugins/parser/samples/event.pb",
			 "logs.v1.Event", &by_name.root, NULL) == SECOR_OK);
	}
	if (size == 0)
		return 0;
	bytes.ptr++;
	bytes.len--;
	if (data[0] % 3 == 0)
		read_message(&by_number, bytes);
	else if (data[0] % 3 == 1)
		read_message(&by_name, bytes);
	else if (bytes.len > 0)
		read_set(bytes);
	return 0;
}
