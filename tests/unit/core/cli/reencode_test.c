/*
 * reencode_test.c -- records read back and encoded once more give the bytes
 * that they were written with, and others where one record is another.
 */
#include "core/cli/reencode.h"

#include "core/base/hash.h"
#include "core/cli/records.h"
#include "tests/unit/plugins/format/object.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 5000 };

static const struct cut cut = {1 << 20, 1000};

static const struct row {
	const char *plugin, *key, *value, *level, *other;
} rows[] = {
    {"format/text", "compression", "none", "1", "1"},
    {"format/text", "compression", "gzip", "1", "6"},
    {"format/text", "compression", "zstd", "3", "1"},
    {"format/sequencefile", "compression_type", "none", "1", "1"},
    {"format/sequencefile", "compression_type", "record", "1", "6"},
    {"format/sequencefile", "compression_type", "block", "1", "6"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
fill(struct messages *messages, size_t changed)
{
	char line[128];

	for (size_t i = 0; i < RECORDS; i++) {
		(void)snprintf(line, sizeof(line),
		    "{\"id\":\"%08x\",\"path\":\"/a/%zu\"%s}",
		    (unsigned)i * 2654435761u, i % 37,
		    i == changed ? ",\"x\":1" : "");
		messages_text(messages, line);
	}
}

static FILE *
file_of(const struct grow *object)
{
	FILE *file = tmpfile();

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(object->ptr, 1, object->len, file), object->len);
	rewind(file);
	return file;
}

/* The object of RECORDS messages, written at `level`. */
static struct grow
make(const struct row *row, const char *level, size_t changed)
{
	const struct plugin *plugin = harness_plugin(row->plugin);
	void *conf =
	    harness_conf(plugin, row->key, row->value, "level", level, NULL);
	struct messages messages = {NULL, 0};
	struct grow object = {0};

	fill(&messages, changed);
	cr_assert_eq(
	    object_make(plugin, conf, &messages, &cut, &object), SECOR_OK);
	messages_free(&messages);
	harness_conf_free(plugin, conf);
	return object;
}

/* Reads `object` and encodes it as `row` says. */
static struct reencoded
again(const struct row *row, const struct grow *object)
{
	const struct plugin *plugin = harness_plugin(row->plugin);
	void *conf = harness_conf(
	    plugin, row->key, row->value, "level", row->level, NULL);
	const struct config_use format = {.plugin = plugin, .conf = conf};
	const struct secor_object like = {.size = sizeof(like),
	    .topic = "events",
	    .partition = 3,
	    .start = 1000, /* as object_make has it */
	    .name = "events/dt=2014-07-21/3_00000000000000001000"};
	struct reencoded made;
	struct secor_err err = {{0}};
	FILE *file = file_of(object);

	cr_assert_eq(reencode(&format, &like, file, &made, &err), SECOR_OK,
	    "%s: %s", row->value, err.text);
	(void)fclose(file);
	harness_conf_free(plugin, conf);
	return made;
}

static int
is_same(const struct reencoded *made, const struct grow *object)
{
	return made->length == object->len &&
	       made->crc32c == crc32c_add(0, object->ptr, object->len);
}

Test(reencode, same_records_of_another_level_give_the_written_bytes)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct grow written = make(&rows[i], rows[i].level, SIZE_MAX);
		struct grow other = make(&rows[i], rows[i].other, SIZE_MAX);
		struct reencoded made = again(&rows[i], &other);

		cr_assert(is_same(&made, &written), "row %zu", i);
		cr_assert_eq(is_same(&made, &other),
		    strcmp(rows[i].level, rows[i].other) == 0, "row %zu", i);
		free(written.ptr);
		free(other.ptr);
	}
}

Test(reencode, one_other_record_gives_other_bytes)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct grow written = make(&rows[i], rows[i].level, SIZE_MAX);
		struct grow other = make(&rows[i], rows[i].level, 1234);
		struct reencoded made = again(&rows[i], &other);

		cr_assert_not(is_same(&made, &written), "row %zu", i);
		cr_assert(is_same(&made, &other), "row %zu", i);
		free(written.ptr);
		free(other.ptr);
	}
}

Test(reencode, bytes_of_no_format_are_rejected)
{
	const struct plugin *plugin = harness_plugin("format/sequencefile");
	void *conf = harness_conf(plugin, NULL);
	const struct config_use format = {.plugin = plugin, .conf = conf};
	const struct secor_object like = {
	    .size = sizeof(like), .topic = "t", .name = "t/0_0_0"};
	struct reencoded made;
	struct secor_err err;
	FILE *file = tmpfile();

	cr_assert_not_null(file);
	(void)fputs("no such file", file);
	rewind(file);
	cr_assert_eq(reencode(&format, &like, file, &made, &err), SECOR_REJECT);
	(void)fclose(file);
	harness_conf_free(plugin, conf);
}
