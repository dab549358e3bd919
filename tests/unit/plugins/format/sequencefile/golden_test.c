/*
 * golden_test.c -- bytes that are known from elsewhere: keys as msgpack-core
 * makes them for Secor's MessagePackSequenceFile, and headers and records as
 * the layout of SequenceFiles asks for them.
 */
#include "tests/unit/plugins/format/object.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#define LONG_NAME \
	"216f72672e6170616368652e6861646f6f702e696f2e4c6f6e675772697461626c65"
#define BYTES_NAME                                                             \
	"226f72672e6170616368652e6861646f6f702e696f2e42797465735772697461626c" \
	"65"
#define DEFAULT_NAME                                                          \
	"2a6f72672e6170616368652e6861646f6f702e696f2e636f6d70726573732e44656" \
	"661756c74436f646563"

static const struct plugin *
seq(void)
{
	return harness_plugin("format/sequencefile");
}

static char *
hex(const char *bytes, size_t len)
{
	char *text = malloc(2 * len + 1);

	text[0] = '\0';
	for (size_t i = 0; i < len; i++)
		(void)snprintf(
		    text + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
	return text;
}

static struct secor_bytes
unhex(const char *text)
{
	size_t len = strlen(text) / 2;
	char *bytes = malloc(len + 1);

	for (size_t i = 0; i < len; i++) {
		unsigned byte = 0;

		(void)sscanf(text + 2 * i, "%2x", &byte);
		bytes[i] = (char)byte;
	}
	return (struct secor_bytes){bytes, len};
}

/* One record without key or value, changed by the caller. */
static void
one_message(struct messages *m, int64_t offset, const char *value)
{
	struct secor_bytes bytes = unhex(value);

	messages_add(m, bytes.ptr, bytes.len);
	free((void *)(uintptr_t)bytes.ptr);
	m->items[0].offset = offset;
	m->items[0].timestamp_ms = SECOR_NO_TIME;
}

/* All of the file but for its sync marker, as hex. */
static char *
file_of(const void *conf, const struct messages *m, size_t head)
{
	static const struct cut whole = {1 << 20, 1000};
	struct grow object = {NULL, 0, 0};
	char *text;

	cr_assert_eq(object_make(seq(), conf, m, &whole, &object), SECOR_OK);
	cr_assert_geq(object.len, head + 16);
	memmove(
	    object.ptr + head, object.ptr + head + 16, object.len - head - 16);
	text = hex(object.ptr, object.len - 16);
	grow_fini(&object);
	return text;
}

Test(golden, messagepack_keys_are_those_of_the_original)
{
	static const struct {
		int64_t offset, time;
		const char *key, *map;
	} rows[] = {{127, SECOR_NO_TIME, NULL, "81017f"},
	    {128, SECOR_NO_TIME, NULL, "8101cc80"},
	    {255, SECOR_NO_TIME, NULL, "8101ccff"},
	    {256, SECOR_NO_TIME, NULL, "8101cd0100"},
	    {23232, SECOR_NO_TIME, NULL, "8101cd5ac0"},
	    {65535, SECOR_NO_TIME, NULL, "8101cdffff"},
	    {65536, -1, NULL, "8101ce00010000"},
	    {4294967295, SECOR_NO_TIME, NULL, "8101ceffffffff"},
	    {4294967296, SECOR_NO_TIME, NULL, "8101cf0000000100000000"},
	    {-1, SECOR_NO_TIME, NULL, "8101ff"},
	    {-33, SECOR_NO_TIME, NULL, "8101d0df"},
	    {-129, SECOR_NO_TIME, NULL, "8101d1ff7f"},
	    {-32769, SECOR_NO_TIME, NULL, "8101d2ffff7fff"},
	    {-2147483649, SECOR_NO_TIME, NULL, "8101d3ffffffff7fffffff"},
	    {23232, SECOR_NO_TIME, "", "8101cd5ac0"},
	    {23232, SECOR_NO_TIME, "2c37424d58", "8201cd5ac002c4052c37424d58"},
	    {23234, 1496318250, "2c37424d58",
		"8301cd5ac203ce5930012a02c4052c37424d58"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf = harness_conf(seq(), "key", "messagepack", NULL);
		struct messages m = {NULL, 0};
		char expected[128], *file;

		one_message(&m, rows[i].offset, "");
		m.items[0].timestamp_ms = rows[i].time;
		if (rows[i].key != NULL)
			m.items[0].key = unhex(rows[i].key);
		file = file_of(conf, &m, 80);
		(void)snprintf(expected, sizeof(expected), "%08zx%s00000000",
		    strlen(rows[i].map) / 2, rows[i].map);
		/* behind the header and two lengths */
		cr_assert_str_eq(file + 2 * (80 + 8), expected);
		free(file);
		messages_free(&m);
		harness_conf_free(seq(), conf);
	}
}

Test(golden, messagepack_key_of_300_bytes_is_that_of_the_original)
{
	static const char head[] = "83010503cf0000014756d4db3b02c5012c";
	void *conf = harness_conf(seq(), "key", "messagepack", NULL);
	struct messages m = {NULL, 0};
	char *file;

	one_message(&m, 5, "");
	m.items[0].timestamp_ms = 1405911096123;
	m.items[0].key = (struct secor_bytes){calloc(1, 300), 300};
	file = file_of(conf, &m, 80);
	cr_assert_eq(strlen(file), 2 * (80 + 8 + 4 + 317 + 4));
	cr_assert_eq(memcmp(file + 2 * 92, head, sizeof(head) - 1), 0);
	cr_assert_eq(strspn(file + 2 * 92 + sizeof(head) - 1, "0"), 608);
	free(file);
	messages_free(&m);
	harness_conf_free(seq(), conf);
}

/* Rows 272, 274 and 275. */
Test(golden, header_and_records_without_compression)
{
	void *conf = harness_conf(seq(), NULL);
	struct messages m = {NULL, 0};
	char *file;

	one_message(&m, 23232, "172d280a7a");
	messages_add(&m, "\2\3\4\5", 4);
	m.items[1].offset = 23233;
	file = file_of(conf, &m, 79);
	cr_assert_str_eq(file,
	    "53455106" LONG_NAME BYTES_NAME "0000"
	    "00000000"
	    "00000011000000080000000000005ac000000005172d280a7a"
	    "00000010000000080000000000005ac10000000402030405");
	free(file);
	messages_free(&m);
	harness_conf_free(seq(), conf);
}

/* Row 277. */
Test(golden, record_with_a_messagepack_key)
{
	void *conf = harness_conf(seq(), "key", "messagepack", NULL);
	struct messages m = {NULL, 0};
	char *file;

	one_message(&m, 23232, "172d280a7a");
	m.items[0].key = unhex("2c37424d58");
	file = file_of(conf, &m, 80);
	cr_assert_str_eq(file,
	    "53455106" BYTES_NAME BYTES_NAME "0000"
	    "00000000"
	    "0000001a000000110000000d8201cd5ac002c4052c37424d58"
	    "00000005172d280a7a");
	free(file);
	messages_free(&m);
	harness_conf_free(seq(), conf);
}

/* Rows 273 and 276: the text of zlib's level 6, which other builds of zlib may
 * write otherwise. */
Test(golden, header_and_record_of_record_compression)
{
	void *conf = harness_conf(
	    seq(), "compression_type", "record", "level", "6", NULL);
	struct messages m = {NULL, 0};
	char *file;

	one_message(&m, 23232, "172d280a7a");
	file = file_of(conf, &m, 122);
	cr_assert_str_eq(file,
	    "53455106" LONG_NAME BYTES_NAME "0100" DEFAULT_NAME "00000000"
	    "00000019000000080000000000005ac0"
	    "789c6360606015d7d5e0aa0200025400f6");
	free(file);
	messages_free(&m);
	harness_conf_free(seq(), conf);
}

/* Row 278, with the interval of Hadoop 3. */
Test(golden, sync_escape_lies_between_records)
{
	static const struct cut whole = {1 << 20, 1000};
	void *conf = harness_conf(seq(), NULL);
	struct messages m = {NULL, 0};
	struct grow object = {NULL, 0, 0};
	char *value = calloc(1, 102400 - 20), *found;

	messages_add(&m, value, 102400 - 20);
	messages_text(&m, "next");
	cr_assert_eq(object_make(seq(), conf, &m, &whole, &object), SECOR_OK);
	cr_assert_eq(object.len, 95 + 102400 + 20 + 24);
	found = object.ptr + 95 + 102400;
	cr_assert_eq(memcmp(found, "\xff\xff\xff\xff", 4), 0);
	cr_assert_eq(memcmp(found + 4, object.ptr + 79, 16), 0);
	cr_assert_eq(memcmp(found + 20, "\0\0\0\x10\0\0\0\x08", 8), 0);
	free(value);
	grow_fini(&object);
	messages_free(&m);
	harness_conf_free(seq(), conf);
}

/* Key, offset and time of the map come back, whatever the type. */
Test(golden, messages_with_messagepack_keys_come_back)
{
	static const char *const types[] = {"none", "record", "block"};

	for (size_t i = 0; i < 3; i++) {
		void *conf = harness_conf(seq(), "key", "messagepack",
		    "compression_type", types[i], NULL);
		static const struct cut whole = {1 << 20, 7};
		struct grow object = {NULL, 0, 0}, in = {NULL, 0, 0},
			    out = {NULL, 0, 0};
		struct messages m = {NULL, 0};
		struct secor_err err = {""};
		struct stored stored;

		for (int j = 0; j < 500; j++) {
			messages_text(&m, "value");
			m.items[j].offset = (int64_t)j * j * j * j;
			m.items[j].timestamp_type = 0;
			m.items[j].timestamp_ms =
			    j % 3 == 0 ? SECOR_NO_TIME : INT64_C(-70000) * j;
			if (j % 2)
				m.items[j].key = unhex("00ff2c37");
		}
		cr_assert_eq(
		    object_make(seq(), conf, &m, &whole, &object), SECOR_OK);
		stored = (struct stored){{object.ptr, object.len}, 1000};
		messages_dump(&m, &in);
		cr_assert_eq(object_dump(seq(), conf, &stored, &out, &err),
		    SECOR_OK, "%s", err.text);
		cr_assert_str_eq(out.ptr, in.ptr);
		object_same_for_any_cut(seq(), conf, &m);
		grow_fini(&object);
		grow_fini(&in);
		grow_fini(&out);
		messages_free(&m);
		harness_conf_free(seq(), conf);
	}
}

Test(golden, key_that_is_no_map_is_refused_when_asked_for)
{
	static const char *const keys[] = {"80", "8102", "81010203", "8201",
	    "820103ce0000", "8101cf8000000000000000", "8104c4", "a101", "",
	    "8201cd5ac002c4062c37424d58"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		void *conf = harness_conf(seq(), "key", "messagepack", NULL);
		struct secor_bytes key = unhex(keys[i]);
		struct grow file = {NULL, 0, 0};
		struct messages read = {NULL, 0};
		struct secor_err err = {""};
		char text[400], none[] = "00000000";
		struct secor_bytes all;

		(void)snprintf(text, sizeof(text),
		    "53455106" BYTES_NAME BYTES_NAME
		    "0000%s000102030405060708090a0b0c0d0e0f%08zx%08zx%08zx%s%s",
		    none, key.len + 8, key.len + 4, key.len, keys[i], none);
		all = unhex(text);
		grow_put(&file, all.ptr, all.len);
		free((void *)(uintptr_t)all.ptr);
		cr_assert_eq(object_read(seq(), conf,
				 &(struct stored){{file.ptr, file.len}, 100},
				 &read, &err),
		    SECOR_REJECT, "%s", keys[i]);
		cr_assert(strstr(err.text, "no map of MessagePack") != NULL,
		    "%s: %s", keys[i], err.text);
		free((void *)(uintptr_t)key.ptr);
		grow_fini(&file);
		messages_free(&read);
		harness_conf_free(seq(), conf);
	}
}
