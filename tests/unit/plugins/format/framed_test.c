/*
 * framed_test.c -- what comes back is what went in, all of it; what was damaged
 * or cut is refused.
 */
#include "tests/unit/plugins/format/object.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static const struct cut whole = {1 << 20, 1000};

static const struct plugin *
framed(void)
{
	return harness_plugin("format/framed");
}

static struct secor_bytes
copied(const char *bytes, size_t len)
{
	char *copy = malloc(len + 1);

	memcpy(copy, bytes, len);
	return (struct secor_bytes){copy, len};
}

/* Everything that a message may be. */
static void
varied(struct messages *m)
{
	static const struct secor_header headers[] = {
	    {"trace", {"\0\1", 2}}, {"", {"", 0}}, {"trace", {NULL, 0}}};

	messages_text(m, "plain");
	messages_text(m, NULL);
	messages_text(m, "");
	m->items[1].key = copied("tombstone", 9);
	m->items[2].key = copied("", 0);
	m->items[2].timestamp_ms = SECOR_NO_TIME;
	m->items[2].timestamp_type = SECOR_TIMESTAMP_NONE;
	messages_add(m, "\0\xff\n", 3);
	m->items[3].headers = headers;
	m->items[3].header_count = 3;
	m->items[3].timestamp_ms = -1;
	m->items[3].timestamp_type = SECOR_TIMESTAMP_APPEND;
	messages_text(m, "last");
	m->items[4].offset = INT64_MAX;
	m->items[4].headers = headers + 1;
	m->items[4].header_count = 1;
}

Test(framed, all_of_every_message_comes_back)
{
	static const char *const codecs[] = {
	    "none", "gzip", "zstd", "lz4", "snappy", "bzip2"};

	for (size_t i = 0; i < 6; i++) {
		void *conf =
		    harness_conf(framed(), "compression", codecs[i], NULL);
		struct grow object = {NULL, 0, 0}, in = {NULL, 0, 0},
			    out = {NULL, 0, 0};
		struct messages m = {NULL, 0};
		struct secor_err err = {""};
		struct stored stored;

		varied(&m);
		cr_assert_eq(
		    object_make(framed(), conf, &m, &whole, &object), SECOR_OK);
		stored = (struct stored){{object.ptr, object.len}, 7};
		messages_dump(&m, &in);
		cr_assert_eq(object_dump(framed(), conf, &stored, &out, &err),
		    SECOR_OK, "%s", err.text);
		cr_assert_str_eq(out.ptr, in.ptr);
		object_same_for_any_cut(framed(), conf, &m);
		object_passes_failures_on(framed(), conf, &m);
		grow_fini(&object);
		grow_fini(&in);
		grow_fini(&out);
		messages_free(&m);
		harness_conf_free(framed(), conf);
	}
}

/* The bytes of docs/FORMATS.md. */
Test(framed, file_is_as_its_page_says)
{
	static const char expected[] = "SECORFR1"
				       "\x12\0\0\0"
				       "\3\0\0\0"
				       "\xe8\3\0\0\0\0\0\0"
				       "events"
				       "\x31\x3d\x3c\x32"
				       "\x23\0\0\0"
				       "\6\1\0\0"
				       "\0\0\0\0"
				       "\xe8\3\0\0\0\0\0\0"
				       "\x00\x34\xf2\x56\x47\1\0\0"
				       "\0\0\0\0"
				       "\3\0\0\0"
				       "abc"
				       "\xdd\x3e\xcb\xa5"
				       "\0\0\0\0"
				       "SECOREND";
	void *conf = harness_conf(framed(), "compression", "none", NULL);
	struct grow object = {NULL, 0, 0};
	struct messages m = {NULL, 0};

	messages_text(&m, "abc");
	m.items[0].timestamp_ms = 0x014756f23400;
	m.items[0].timestamp_type = SECOR_TIMESTAMP_CREATE;
	cr_assert_eq(
	    object_make(framed(), conf, &m, &whole, &object), SECOR_OK);
	cr_assert_eq(object.len, sizeof(expected) - 1);
	for (size_t i = 0; i < object.len; i++)
		cr_assert_eq(object.ptr[i], expected[i], "byte %zu: %02x", i,
		    (unsigned char)object.ptr[i]);
	grow_fini(&object);
	messages_free(&m);
	harness_conf_free(framed(), conf);
}

Test(framed, files_that_follow_one_another_are_one)
{
	void *conf = harness_conf(framed(), "compression", "gzip", NULL);
	struct grow object = {NULL, 0, 0}, twice = {NULL, 0, 0};
	struct messages m = {NULL, 0}, read = {NULL, 0};
	struct stored stored;

	messages_text(&m, "abc");
	cr_assert_eq(
	    object_make(framed(), conf, &m, &whole, &object), SECOR_OK);
	grow_put(&twice, object.ptr, object.len);
	grow_put(&twice, object.ptr, object.len);
	stored = (struct stored){{twice.ptr, twice.len}, 1000};
	cr_assert_eq(
	    object_read(framed(), conf, &stored, &read, NULL), SECOR_OK);
	cr_assert_eq(read.count, 2);
	grow_fini(&object);
	grow_fini(&twice);
	messages_free(&m);
	messages_free(&read);
	harness_conf_free(framed(), conf);
}

/* Every beginning, and every turned bit, of a file that is not compressed. */
Test(framed, damaged_file_is_refused)
{
	void *conf = harness_conf(framed(), "compression", "none", NULL);
	struct grow object = {NULL, 0, 0};
	struct messages m = {NULL, 0};

	varied(&m);
	cr_assert_eq(
	    object_make(framed(), conf, &m, &whole, &object), SECOR_OK);
	for (size_t len = 0; len < object.len; len++) {
		struct stored part = {{object.ptr, len}, 1000};
		struct messages read = {NULL, 0};
		struct secor_err err = {""};

		cr_assert_eq(object_read(framed(), conf, &part, &read, &err),
		    SECOR_REJECT, "%zu of %zu bytes", len, object.len);
		cr_assert(strncmp(err.text, "byte ", 5) == 0, "%s", err.text);
		messages_free(&read);
	}
	for (size_t bit = 0; bit < 8 * object.len; bit++) {
		struct stored turned = {{object.ptr, object.len}, 1000};
		struct messages read = {NULL, 0};

		object.ptr[bit / 8] ^= (char)(1 << bit % 8);
		cr_assert_eq(object_read(framed(), conf, &turned, &read, NULL),
		    SECOR_REJECT, "bit %zu", bit);
		object.ptr[bit / 8] ^= (char)(1 << bit % 8);
		messages_free(&read);
	}
	grow_fini(&object);
	messages_free(&m);
	harness_conf_free(framed(), conf);
}

Test(framed, names_and_needs_are_told)
{
	void *conf = harness_conf(framed(), NULL);
	struct secor_format_traits traits = {.size = sizeof(traits)};

	framed()->ops.format->describe(conf, &traits);
	cr_assert_str_eq(traits.extension, ".framed.zst");
	cr_assert(traits.stores_offsets);
	cr_assert_eq(traits.looks_at, SECOR_LOOKS_AT_HEADERS |
					  SECOR_LOOKS_AT_KEY |
					  SECOR_LOOKS_AT_TIMESTAMP);
	harness_conf_free(framed(), conf);
}
