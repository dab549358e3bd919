/*
 * sequencefile_test.c -- bytes as Hadoop's format asks for them, records that
 * come back, and hostile files that are refused.
 */
#include "tests/unit/plugins/format/object.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static const struct cut whole = {1 << 20, 1000};

static const struct plugin *
seq(void)
{
	return harness_plugin("format/sequencefile");
}

static const struct {
	const char *type, *codec, *level;
} modes[] = {{"none", "default", "1"}, {"record", "default", "1"},
    {"record", "default", "6"}, {"record", "gzip", "1"},
    {"record", "gzip", "9"}, {"block", "default", "1"},
    {"block", "default", "6"}, {"block", "gzip", "2"}, {"block", "gzip", "4"},
    {"record", "bzip2", "1"}, {"block", "bzip2", "9"}, {"record", "zstd", "1"},
    {"block", "zstd", "3"}, {"record", "lz4", "1"}, {"block", "lz4", "4"},
    {"record", "snappy", "1"}, {"block", "snappy", "1"}};
#define MODES (sizeof(modes) / sizeof(modes[0]))

static void *
mode_conf(size_t i)
{
	return harness_conf(seq(), "compression_type", modes[i].type, "codec",
	    modes[i].codec, "level", modes[i].level, "block_size", "50000",
	    NULL);
}

static void
logs(struct messages *messages, size_t n)
{
	char line[128];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(line, sizeof(line),
		    "{\"id\":\"%08x\",\"path\":\"/a/%zu\",\"status\":200}",
		    (unsigned)i * 2654435761u, i % 37);
		messages_text(messages, line);
	}
}

Test(sequencefile, records_in_every_mode_come_back)
{
	static const size_t counts[] = {0, 1, 3, 6000};

	for (size_t i = 0; i < MODES; i++)
		for (size_t j = 0; j < 4; j++) {
			void *conf = mode_conf(i);
			struct messages m = {NULL, 0};

			logs(&m, counts[j]);
			object_round_trip(seq(), conf, &m);
			messages_free(&m);
			harness_conf_free(seq(), conf);
		}
}

Test(sequencefile, null_empty_and_binary_values_come_back)
{
	char all[256];

	for (int c = 0; c < 256; c++)
		all[c] = (char)c;
	for (size_t i = 0; i < MODES; i++) {
		void *conf = mode_conf(i);
		struct messages m = {NULL, 0};

		messages_text(&m, NULL);
		messages_text(&m, "");
		messages_add(&m, all, sizeof(all));
		messages_text(&m, "\xff\xff\xff\xff");
		object_round_trip(seq(), conf, &m);
		messages_free(&m);
		harness_conf_free(seq(), conf);
	}
}

/* Offsets of Kafka are not dense, and need all of their bits. */
Test(sequencefile, offsets_come_back)
{
	static const int64_t offsets[] = {
	    0, 1, 42, 1 << 20, INT64_C(1) << 40, INT64_MAX};

	for (size_t i = 0; i < MODES; i++) {
		void *conf = mode_conf(i);
		struct messages m = {NULL, 0};

		for (size_t j = 0; j < 6; j++) {
			messages_text(&m, "x");
			m.items[j].offset = offsets[j];
		}
		object_round_trip(seq(), conf, &m);
		messages_free(&m);
		harness_conf_free(seq(), conf);
	}
}

Test(sequencefile, bytes_do_not_depend_on_buffers_and_groups)
{
	for (size_t i = 0; i < MODES; i++) {
		void *conf = mode_conf(i);
		struct messages m = {NULL, 0};

		logs(&m, 12000);
		object_same_for_any_cut(seq(), conf, &m);
		messages_free(&m);
		harness_conf_free(seq(), conf);
	}
}

/* Every position of a record's length against the cut: records of 25 bytes
 * (odd) walk over all of them. */
Test(sequencefile, lengths_across_buffers_are_understood)
{
	for (size_t i = 0; i < 2; i++) {
		void *conf = mode_conf(i);
		struct messages m = {NULL, 0};

		for (size_t j = 0; j < 20000; j++)
			messages_text(&m, "12345");
		object_same_for_any_cut(seq(), conf, &m);
		object_round_trip(seq(), conf, &m);
		messages_free(&m);
		harness_conf_free(seq(), conf);
	}
}

Test(sequencefile, record_of_20_mb_comes_back)
{
	static const size_t some[] = {0, 1, 5};
	size_t len = 20000000;
	char *huge = malloc(len);

	for (size_t i = 0; i < len; i++)
		huge[i] = (char)(i * i % 251);
	for (size_t i = 0; i < 3; i++) {
		void *conf = mode_conf(some[i]);
		struct messages m = {NULL, 0};

		messages_text(&m, "before");
		messages_add(&m, huge, len);
		messages_text(&m, "after");
		object_round_trip(seq(), conf, &m);
		messages_free(&m);
		harness_conf_free(seq(), conf);
	}
	free(huge);
}

#define LONG_NAME "\x21org.apache.hadoop.io.LongWritable"
#define BYTES_NAME "\x22org.apache.hadoop.io.BytesWritable"

Test(sequencefile, uncompressed_bytes_are_hadoops)
{
	static const char head[] =
	    "SEQ\006" LONG_NAME BYTES_NAME "\0\0\0\0\0\0";
	static const char record[] = "\0\0\0\x0e\0\0\0\x08\0\0\0\0\0\0\x03\xe8"
				     "\0\0\0\x02hi";
	void *conf = mode_conf(0);
	struct messages m = {NULL, 0};
	struct grow object = {NULL, 0, 0};
	size_t head_len = sizeof(head) - 1, record_len = sizeof(record) - 1;

	messages_text(&m, "hi");
	cr_assert_eq(object_make(seq(), conf, &m, &whole, &object), SECOR_OK);
	cr_assert_eq(object.len, head_len + 16 + record_len);
	cr_assert_eq(memcmp(object.ptr, head, head_len), 0);
	cr_assert_eq(memcmp(object.ptr + head_len + 16, record, record_len), 0);
	grow_fini(&object);
	messages_free(&m);
	harness_conf_free(seq(), conf);
}

/* What splits a file for several mappers. */
Test(sequencefile, sync_markers_come_every_100_kib)
{
	for (size_t i = 0; i < 2; i++) {
		void *conf = mode_conf(i);
		struct messages m = {NULL, 0};
		struct grow object = {NULL, 0, 0};
		char marker[20];
		const char *at, *end;
		size_t n = 0, head = i == 0 ? 79 : 122;

		for (size_t j = 0; j < 30000; j++)
			messages_text(&m, "0123456789012345678901234567890123");
		cr_assert_eq(
		    object_make(seq(), conf, &m, &whole, &object), SECOR_OK);
		memset(marker, 0xff, 4);
		memcpy(marker + 4, object.ptr + head, 16);
		end = object.ptr + object.len;
		for (at = object.ptr;
		     (at = memmem(at, (size_t)(end - at), marker, 20)) != NULL;
		     at += 20)
			n++;
		cr_assert_eq(n, (object.len - head - 16) / (102400 + 60),
		    "%zu markers in %zu bytes", n, object.len);
		cr_assert_geq(n, 8);
		grow_fini(&object);
		messages_free(&m);
		harness_conf_free(seq(), conf);
	}
}

Test(sequencefile, value_that_is_too_large_is_rejected)
{
	void *conf = mode_conf(0);
	void *self = harness_open(seq(), conf, NULL);
	struct secor_message m = harness_message("");
	struct secor_record record = {.size = sizeof(record), .message = &m};
	struct secor_err err = {""};
	char dst[64];
	size_t used = 0;

	m.value.len = (size_t)3 << 30; /* is not looked at */
	cr_assert_eq(seq()->ops.format->encode(
			 self, &record, dst, sizeof(dst), &used, &err),
	    SECOR_REJECT);
	cr_assert_str_eq(err.text,
	    "a value of 3221225472 bytes is too large for a SequenceFile");
	harness_close(seq(), self);
	harness_conf_free(seq(), conf);
}

Test(sequencefile, traits_follow_the_mode)
{
	static const struct {
		const char *type, *codec, *extension;
		int by_write;
	} rows[] = {{"none", "gzip", "", 0}, {"record", "default", "", 0},
	    {"record", "gzip", "", 0}, {"block", "default", ".deflate", 1},
	    {"block", "gzip", ".gz", 1}};

	for (size_t i = 0; i < 5; i++) {
		void *conf = harness_conf(seq(), "compression_type",
		    rows[i].type, "codec", rows[i].codec, NULL);
		struct secor_format_traits traits = {.size = sizeof(traits)};

		seq()->ops.format->describe(conf, &traits);
		cr_assert_str_eq(traits.extension, rows[i].extension);
		cr_assert_eq(traits.by_write, rows[i].by_write);
		cr_assert_eq(traits.stores_offsets, 1);
		harness_conf_free(seq(), conf);
	}
}

Test(sequencefile, failure_of_the_disk_is_passed_on)
{
	for (size_t i = 0; i < MODES; i++) {
		void *conf = mode_conf(i);
		struct messages m = {NULL, 0};

		logs(&m, 6000);
		object_passes_failures_on(seq(), conf, &m);
		messages_free(&m);
		harness_conf_free(seq(), conf);
	}
}
