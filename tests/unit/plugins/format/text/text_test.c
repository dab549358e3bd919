/*
 * text_test.c -- what is written comes back, and payloads that hold the
 * delimiter never pass for several records unless that was asked for.
 */
#include "tests/unit/plugins/format/object.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static const struct cut whole = {1 << 20, 1000};

static const struct plugin *
text(void)
{
	return harness_plugin("format/text");
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

static void
assert_bytes(const struct grow *object, const char *expected, size_t len)
{
	cr_assert_eq(
	    object->len, len, "%zu instead of %zu bytes", object->len, len);
	cr_assert_eq(memcmp(object->ptr, expected, len), 0);
}

static const struct {
	const char *compression, *level;
} codecs[] = {{"none", "1"}, {"gzip", "1"}, {"gzip", "3"}, {"gzip", "6"},
    {"zstd", "-5"}, {"zstd", "1"}, {"zstd", "3"}, {"deflate", "1"},
    {"lz4", "1"}, {"lz4", "5"}, {"hadoop-lz4", "1"}, {"snappy", "1"},
    {"hadoop-snappy", "1"}, {"bzip2", "9"}};
#define CODECS (sizeof(codecs) / sizeof(codecs[0]))

Test(text, records_in_every_compression_come_back)
{
	static const size_t counts[] = {0, 1, 3, 5000};

	for (size_t i = 0; i < CODECS; i++)
		for (size_t j = 0; j < 4; j++) {
			void *conf = harness_conf(text(), "compression",
			    codecs[i].compression, "level", codecs[i].level,
			    NULL);
			struct messages m = {NULL, 0};

			logs(&m, counts[j]);
			object_round_trip(text(), conf, &m);
			messages_free(&m);
			harness_conf_free(text(), conf);
		}
}

Test(text, bytes_do_not_depend_on_buffers)
{
	for (size_t i = 0; i < CODECS; i++) {
		void *conf =
		    harness_conf(text(), "compression", codecs[i].compression,
			"level", codecs[i].level, "header", "a header", NULL);
		struct messages m = {NULL, 0};

		logs(&m, 12000);
		object_same_for_any_cut(text(), conf, &m);
		messages_free(&m);
		harness_conf_free(text(), conf);
	}
}

Test(text, record_of_20_mb_comes_back)
{
	static const char *const compressions[] = {"none", "gzip", "zstd"};
	size_t len = 20000000;
	char *huge = malloc(len);

	for (size_t i = 0; i < len; i++)
		huge[i] = (char)('a' + i * i % 23);
	for (size_t i = 0; i < 3; i++) {
		void *conf =
		    harness_conf(text(), "compression", compressions[i], NULL);
		struct messages m = {NULL, 0};

		messages_text(&m, "before");
		messages_add(&m, huge, len);
		messages_text(&m, "after");
		object_round_trip(text(), conf, &m);
		messages_free(&m);
		harness_conf_free(text(), conf);
	}
	free(huge);
}

Test(text, null_and_empty_are_empty_lines)
{
	void *conf = harness_conf(text(), NULL);
	struct messages m = {NULL, 0};
	struct grow object = {NULL, 0, 0};

	messages_text(&m, "a");
	messages_text(&m, NULL);
	messages_text(&m, "");
	cr_assert_eq(object_make(text(), conf, &m, &whole, &object), SECOR_OK);
	assert_bytes(&object, "a\n\n\n", 4);
	object_round_trip(text(), conf, &m);
	grow_fini(&object);
	messages_free(&m);
	harness_conf_free(text(), conf);
}

static const struct {
	const char *delimiter, *payload;
	int splits; /* would a reader see a delimiter too early? */
} hard[] = {
    {"\\n", "a\nb", 1},
    {"\\n", "\n", 1},
    {"\\n", "ab\n", 1},
    {"\\n", "a\\nb", 0},
    {"\\n", "a\rb", 0},
    {"\\r\\n", "a\nb\r", 0},
    {"\\r\\n", "a\r\nb", 1},
    {"\\0", "a", 0},
    {";;", "a;b", 0},
    {";;", "a;", 1},
    {";;", "a;;b", 1},
    {"--x--", "a--", 0},
    {"--x--", "a--x", 1},
    {"--x--", "--x", 1},
    {"--x--", "a--x-", 1},
    {"-+-+", "a-+", 1},
    {"|", "a|b\\|c", 1},
};
#define HARD (sizeof(hard) / sizeof(hard[0]))

Test(text, reject_refuses_exactly_what_would_be_split)
{
	for (size_t i = 0; i < HARD; i++) {
		void *conf =
		    harness_conf(text(), "delimiter", hard[i].delimiter, NULL);
		struct messages m = {NULL, 0};
		struct grow object = {NULL, 0, 0};

		messages_text(&m, hard[i].payload);
		cr_assert_eq(object_make(text(), conf, &m, &whole, &object),
		    hard[i].splits ? SECOR_REJECT : SECOR_OK, "row %zu", i);
		if (!hard[i].splits)
			object_round_trip(text(), conf, &m);
		grow_fini(&object);
		messages_free(&m);
		harness_conf_free(text(), conf);
	}
}

Test(text, nul_in_payload_is_refused_when_it_delimits)
{
	void *conf = harness_conf(text(), "delimiter", "\\0", NULL);
	struct messages m = {NULL, 0};
	struct grow object = {NULL, 0, 0};

	messages_add(&m, "a\0b", 3);
	cr_assert_eq(
	    object_make(text(), conf, &m, &whole, &object), SECOR_REJECT);
	grow_fini(&object);
	messages_free(&m);
	harness_conf_free(text(), conf);
}

Test(text, escape_brings_every_payload_back)
{
	static const char *const delimiters[] = {
	    "\\n", "\\r\\n", "\\0", ";;", "|", "\\xff", "\\t"};
	char all[256];

	for (int c = 0; c < 256; c++)
		all[c] = (char)c;
	for (size_t i = 0; i < 7; i++) {
		void *conf = harness_conf(text(), "delimiter", delimiters[i],
		    "delimiter_in_payload", "escape", NULL);
		struct messages m = {NULL, 0};

		for (size_t j = 0; j < HARD; j++)
			messages_text(&m, hard[j].payload);
		messages_text(&m, "\\");
		messages_text(&m, "\\\\n\\x");
		messages_text(&m, NULL);
		messages_add(&m, all, sizeof(all));
		object_round_trip(text(), conf, &m);
		messages_free(&m);
		harness_conf_free(text(), conf);
	}
}

Test(text, escape_writes_backslashes)
{
	void *conf =
	    harness_conf(text(), "delimiter_in_payload", "escape", NULL);
	struct messages m = {NULL, 0};
	struct grow object = {NULL, 0, 0};

	messages_text(&m, "a\nb\\c\td");
	cr_assert_eq(object_make(text(), conf, &m, &whole, &object), SECOR_OK);
	assert_bytes(&object, "a\\nb\\\\c\td\n", 10);
	grow_fini(&object);
	messages_free(&m);
	harness_conf_free(text(), conf);
}

Test(text, keep_writes_payloads_as_they_are)
{
	void *conf = harness_conf(text(), "delimiter_in_payload", "keep", NULL);
	struct messages m = {NULL, 0}, read = {NULL, 0};
	struct grow object = {NULL, 0, 0};
	struct stored stored;

	messages_text(&m, "a\nb");
	messages_text(&m, "c\\d");
	cr_assert_eq(object_make(text(), conf, &m, &whole, &object), SECOR_OK);
	assert_bytes(&object, "a\nb\nc\\d\n", 8);
	stored = (struct stored){{object.ptr, object.len}, 3};
	cr_assert_eq(object_read(text(), conf, &stored, &read, NULL), SECOR_OK);
	cr_assert_eq(read.count, 3);
	grow_fini(&object);
	messages_free(&m);
	messages_free(&read);
	harness_conf_free(text(), conf);
}

Test(text, header_is_the_first_line_and_no_record)
{
	void *conf =
	    harness_conf(text(), "header", "id,path", "delimiter", ";", NULL);
	struct messages m = {NULL, 0};
	struct grow object = {NULL, 0, 0};

	cr_assert_eq(object_make(text(), conf, &m, &whole, &object), SECOR_OK);
	assert_bytes(&object, "id,path;", 8);
	object_round_trip(text(), conf, &m);
	messages_text(&m, "1,/");
	messages_text(&m, "id,path");
	object_round_trip(text(), conf, &m);
	grow_fini(&object);
	messages_free(&m);
	harness_conf_free(text(), conf);
}

static const struct {
	const char *compression, *inside, *bytes;
	size_t len;
	const char *says;
} damaged[] = {
    {"none", "reject", "ab\ncd", 5,
	"byte 5: no delimiter behind the last record, which began at byte 3"},
    {"none", "escape", "ok\na\\q\n", 7, "byte 4: not an escape"},
    {"none", "escape", "\\", 1,
	"byte 1: no delimiter behind the last record, which began at byte 0"},
    {"none", "escape", "\\x1\n", 4, "byte 0: not an escape"},
    {"gzip", "reject", "ab\n", 3,
	"byte 2: not a gzip or zlib stream: incorrect header check"},
    {"gzip", "reject", "", 0,
	"byte 0: not a gzip or zlib stream: it ends too early"},
};

Test(text, damaged_file_is_refused_with_its_byte)
{
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		void *conf =
		    harness_conf(text(), "compression", damaged[i].compression,
			"delimiter_in_payload", damaged[i].inside, NULL);
		struct stored stored = {
		    {damaged[i].bytes, damaged[i].len}, 100};
		struct messages read = {NULL, 0};
		struct secor_err err = {""};

		cr_assert_eq(object_read(text(), conf, &stored, &read, &err),
		    SECOR_REJECT, "row %zu", i);
		cr_assert_str_eq(err.text, damaged[i].says);
		messages_free(&read);
		harness_conf_free(text(), conf);
	}
}

static const struct {
	const char *key, *value, *key2, *value2, *says;
} bad[] = {
    {"delimiter", "", "level", "1", "delimiter: it is empty\n"},
    {"delimiter", "\\q", "level", "1",
	"delimiter: a backslash begins \\n, \\t, \\r, \\0, \\\\ or \\xNN\n"},
    {"delimiter", "\\x1", "level", "1",
	"delimiter: a backslash begins \\n, \\t, \\r, \\0, \\\\ or \\xNN\n"},
    {"delimiter", "x", "delimiter_in_payload", "escape",
	"delimiter: with `delimiter_in_payload: escape` it cannot begin with a "
	"letter, a digit or a backslash\n"},
    {"compression", "gzip", "level", "10",
	"level: levels of gzip and zlib are 1 to 9 (1 to 3: ISA-L, from 4 on: "
	"zlib)\n"},
    {"compression", "zstd", "level", "0",
	"level: levels of zstd are -7 to -1 and 1 to 19\n"},
    {"delimiter", ",", "header", "a,b", "header: it holds the delimiter\n"},
    {"compression", "none", "level", "0", ""},
    {"delimiter", "\\xfF\\t", "level", "1", ""},
};

Test(text, check_complains_of_what_cannot_be)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		void *conf = harness_conf(text(), bad[i].key, bad[i].value,
		    bad[i].key2, bad[i].value2, NULL);
		char *says = harness_check(text(), conf);

		cr_assert_str_eq(says, bad[i].says);
		free(says);
		harness_conf_free(text(), conf);
	}
}

Test(text, traits_follow_the_compression)
{
	static const char *const rows[][3] = {
	    {"none", "", "text/plain"},
	    {"gzip", ".gz", "application/gzip"},
	    {"zstd", ".zst", "application/zstd"},
	};

	for (size_t i = 0; i < 3; i++) {
		void *conf =
		    harness_conf(text(), "compression", rows[i][0], NULL);
		struct secor_format_traits traits = {.size = sizeof(traits)};

		text()->ops.format->describe(conf, &traits);
		cr_assert_str_eq(traits.extension, rows[i][1]);
		cr_assert_str_eq(traits.content_type, rows[i][2]);
		cr_assert_eq(traits.looks_at, 0);
		cr_assert_eq(traits.stores_offsets, 0);
		cr_assert_eq(traits.by_write, 0);
		cr_assert(i == 0 || traits.stream_bytes > 100000);
		harness_conf_free(text(), conf);
	}
}

Test(text, failure_of_the_disk_is_passed_on)
{
	for (size_t i = 0; i < CODECS; i++) {
		void *conf =
		    harness_conf(text(), "compression", codecs[i].compression,
			"level", codecs[i].level, "header", "a header", NULL);
		struct messages m = {NULL, 0};

		logs(&m, 6000);
		object_passes_failures_on(text(), conf, &m);
		messages_free(&m);
		harness_conf_free(text(), conf);
	}
}

Test(text, length_before_each_record_lets_anything_pass)
{
	static const struct {
		const char *framing, *expected;
		size_t len;
	} rows[] = {
	    {"u32be", "\0\0\0\3a\nb\0\0\0\0\0\0\0\1\n", 16},
	    {"u32le", "\3\0\0\0a\nb\0\0\0\0\1\0\0\0\n", 16},
	    {"varint", "\3a\nb\0\1\n", 7},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *conf =
		    harness_conf(text(), "framing", rows[i].framing, NULL);
		struct messages m = {NULL, 0};
		struct grow object = {NULL, 0, 0};
		char *large = calloc(1, 70000);

		messages_text(&m, "a\nb");
		messages_text(&m, NULL);
		messages_text(&m, "\n");
		cr_assert_eq(
		    object_make(text(), conf, &m, &whole, &object), SECOR_OK);
		assert_bytes(&object, rows[i].expected, rows[i].len);
		messages_add(&m, large, 70000);
		messages_add(&m, large, 300);
		messages_text(&m, "end");
		object_round_trip(text(), conf, &m);
		object_same_for_any_cut(text(), conf, &m);
		free(large);
		grow_fini(&object);
		messages_free(&m);
		harness_conf_free(text(), conf);
	}
}

Test(text, file_of_lengths_that_was_cut_is_refused)
{
	static const char *const framings[] = {"u32be", "u32le", "varint"};

	for (size_t i = 0; i < 3; i++) {
		void *conf = harness_conf(text(), "framing", framings[i], NULL);
		struct messages m = {NULL, 0};
		struct grow object = {NULL, 0, 0};

		messages_text(&m, "hello");
		cr_assert_eq(
		    object_make(text(), conf, &m, &whole, &object), SECOR_OK);
		for (size_t len = 1; len < object.len; len++) {
			struct stored part = {{object.ptr, len}, 1000};
			struct messages read = {NULL, 0};
			struct secor_err err = {""};

			cr_assert_eq(
			    object_read(text(), conf, &part, &read, &err),
			    SECOR_REJECT, "%s: %zu", framings[i], len);
			cr_assert(strstr(err.text, "ends within") != NULL, "%s",
			    err.text);
			messages_free(&read);
		}
		grow_fini(&object);
		messages_free(&m);
		harness_conf_free(text(), conf);
	}
}

Test(text, length_that_is_none_is_refused)
{
	static const struct stored hostile = {
	    {"\xff\xff\xff\xff\xff\xff\xff", 7}, 1000};
	static const char *const framings[] = {"u32be", "u32le", "varint"};

	for (size_t i = 0; i < 3; i++) {
		void *conf = harness_conf(text(), "framing", framings[i], NULL);
		struct messages read = {NULL, 0};
		struct secor_err err = {""};

		cr_assert_eq(object_read(text(), conf, &hostile, &read, &err),
		    SECOR_REJECT);
		cr_assert(strncmp(err.text, "byte 0", 6) == 0, "%s", err.text);
		harness_conf_free(text(), conf);
	}
}

Test(text, length_before_records_leaves_no_use_for_delimiters)
{
	void *conf = harness_conf(text(), "framing", "varint", "delimiter",
	    "\\t", "header", "a", NULL);
	char *said = harness_check(text(), conf);

	cr_assert(strstr(said, "delimiter: with this") != NULL, "%s", said);
	cr_assert(strstr(said, "header: a header") != NULL, "%s", said);
	free(said);
	harness_conf_free(text(), conf);
}
