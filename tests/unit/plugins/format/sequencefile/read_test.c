/*
 * read_test.c -- files of Hadoop's own writer, and files that are damaged or
 * hostile: each is refused at a byte, none is believed.
 */
#include "tests/unit/plugins/format/object.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#define SAMPLES "tests/unit/plugins/format/sequencefile/samples/"

static const struct plugin *
seq(void)
{
	return harness_plugin("format/sequencefile");
}

static int
read_all(const struct grow *file, struct messages *read, struct secor_err *err)
{
	void *conf = harness_conf(seq(), NULL);
	struct stored stored = {{file->ptr, file->len}, 65536};
	int rc = object_read(seq(), conf, &stored, read, err);

	harness_conf_free(seq(), conf);
	return rc;
}

static void
load(const char *name, struct grow *file)
{
	char path[256];
	FILE *from;
	size_t n;

	(void)snprintf(path, sizeof(path), SAMPLES "%s", name);
	from = fopen(path, "rb");
	cr_assert_not_null(from, "%s", path);
	do {
		n = fread(grow_room(file, 4096), 1, 4096, from);
		file->len += n;
	} while (n > 0);
	(void)fclose(from);
}

/* Made by SequenceFile.Writer of Hadoop 3.4.2; three records each. */
static const struct {
	const char *name;
	int64_t first; /* offset; -1: the key is none */
} samples[] = {
    {"lb-NONE-DefaultCodec.seq", 42},
    {"lb-RECORD-DefaultCodec.seq", 42},
    {"lb-RECORD-GzipCodec.seq", 42},
    {"lb-BLOCK-DeflateCodec.seq", 42},
    {"lb-BLOCK-GzipCodec.seq", 42},
    {"bb-NONE-DefaultCodec.seq", -1},
    {"bb-BLOCK-DefaultCodec.seq", -1},
    {"tt-NONE-DefaultCodec.seq", -1},
    {"tt-RECORD-DefaultCodec.seq", -1},
    {"tt-BLOCK-GzipCodec.seq", -1},
};
#define SAMPLE_COUNT (sizeof(samples) / sizeof(samples[0]))

Test(sequencefile_read, files_of_hadoop_are_read)
{
	static const char *const values[] = {
	    "value-0-", "value-1-x", "value-2-xx"};

	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		struct grow file = {NULL, 0, 0};
		struct messages read = {NULL, 0};
		struct secor_err err = {""};

		load(samples[i].name, &file);
		cr_assert_eq(read_all(&file, &read, &err), SECOR_OK, "%s: %s",
		    samples[i].name, err.text);
		cr_assert_eq(read.count, 3);
		for (size_t j = 0; j < 3; j++) {
			const struct secor_message *m = &read.items[j];

			cr_assert_eq(m->value.len, strlen(values[j]));
			cr_assert_eq(
			    memcmp(m->value.ptr, values[j], m->value.len), 0);
			cr_assert_eq(
			    m->offset, samples[i].first < 0
					   ? -1
					   : samples[i].first + (int64_t)j);
		}
		messages_free(&read);
		grow_fini(&file);
	}
}

Test(sequencefile_read, keys_of_other_classes_are_given_as_keys)
{
	static const char *const names[] = {
	    "bb-NONE-DefaultCodec.seq", "tt-BLOCK-GzipCodec.seq"};

	for (size_t i = 0; i < 2; i++) {
		struct grow file = {NULL, 0, 0};
		struct messages read = {NULL, 0};

		load(names[i], &file);
		cr_assert_eq(read_all(&file, &read, NULL), SECOR_OK);
		cr_assert_eq(read.items[2].key.len, 2);
		cr_assert_eq(memcmp(read.items[2].key.ptr, "k2", 2), 0);
		messages_free(&read);
		grow_fini(&file);
	}
}

Test(sequencefile_read, codec_that_is_not_known_is_named)
{
	struct grow file = {NULL, 0, 0};
	struct messages read = {NULL, 0};
	struct secor_err err = {""};

	load("lb-RECORD-BZip2Codec.seq", &file);
	cr_assert_eq(read_all(&file, &read, NULL), SECOR_OK);
	*(char *)memmem(file.ptr, file.len, "BZip2Codec", 10) = 'Z';
	cr_assert_eq(read_all(&file, &read, &err), SECOR_REJECT);
	cr_assert_str_eq(err.text,
	    "byte 75: codec \"org.apache.hadoop.io.compress.ZZip2Codec\" is "
	    "not one that can be read");
	messages_free(&read);
	grow_fini(&file);
}

/* A file that ends within a record, a header or a block is never whole. Where
 * records or blocks end it may: then it holds fewer records. */
Test(sequencefile_read, files_cut_short_are_refused)
{
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		struct grow file = {NULL, 0, 0};
		size_t len, whole = 0;

		load(samples[i].name, &file);
		for (len = 0; len < file.len; len++) {
			struct grow part = {file.ptr, len, len};
			struct messages read = {NULL, 0};
			struct secor_err err = {""};
			int rc = read_all(&part, &read, &err);

			if (rc == SECOR_OK) {
				whole++;
				cr_assert_lt(read.count, 3);
			} else {
				cr_assert_eq(rc, SECOR_REJECT);
				cr_assert_eq(strncmp(err.text, "byte ", 5), 0);
			}
			messages_free(&read);
		}
		cr_assert_leq(whole, 3, "%s: %zu", samples[i].name, whole);
		grow_fini(&file);
	}
}

/* One byte changed, everywhere: no crash, no endless loop, no huge memory. */
Test(sequencefile_read, files_with_one_byte_changed_are_survived)
{
	static const unsigned char masks[] = {0x01, 0x80, 0xff};

	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		struct grow file = {NULL, 0, 0};

		load(samples[i].name, &file);
		for (size_t at = 0; at < file.len; at++)
			for (size_t k = 0; k < 3; k++) {
				struct messages read = {NULL, 0};
				char was = file.ptr[at];
				int rc;

				file.ptr[at] = (char)(was ^ masks[k]);
				rc = read_all(&file, &read, NULL);
				cr_assert(rc == SECOR_OK || rc == SECOR_REJECT);
				file.ptr[at] = was;
				messages_free(&read);
			}
		grow_fini(&file);
	}
}

#define LONG_NAME "\x21org.apache.hadoop.io.LongWritable"
#define BYTES_NAME "\x22org.apache.hadoop.io.BytesWritable"
#define CODEC_NAME "\x2aorg.apache.hadoop.io.compress.DefaultCodec"
#define HEAD "SEQ\006" LONG_NAME BYTES_NAME
#define SYNC "0123456789abcdef"
#define PLAIN HEAD "\0\0\0\0\0\0" SYNC
#define BLOCK HEAD "\1\1" CODEC_NAME "\0\0\0\0" SYNC
#define ROW(bytes, says)                       \
	{                                      \
		bytes, sizeof(bytes) - 1, says \
	}

static const struct {
	const char *bytes;
	size_t len;
	const char *says;
} hostile[] = {
    ROW("", "byte 0: the file ends, wanted 4 more"),
    ROW("PAR1....", "byte 0: not a SequenceFile"),
    ROW("SEQ\004....", "byte 3: SequenceFile version 4 is not 6"),
    ROW("SEQ\006\x8e\xff", "byte 6: the file ends, wanted 1 more"),
    ROW("SEQ\006\x88\x7f\xff\xff\xff\xff\xff\xff\xff",
	"byte 4: a string of 9223372036854775807"),
    ROW("SEQ\006\x8c\x7f\xff\xff\xff", "byte 4: a string of 2147483647"),
    ROW("SEQ\006\xff", "byte 4: a string of -1"),
    ROW(HEAD "\0\1", "byte 73: blocks that are not compressed"),
    ROW(HEAD "\0\0\x7f\xff\xff\xff", "byte 75: too much metadata"),
    ROW(PLAIN "\0\0\0", "byte 98: the file ends, wanted 1 more"),
    ROW(PLAIN "\x7f\xff\xff\xff\0\0\0\x08", "byte 95: lengths that cannot be"),
    ROW(PLAIN "\x3f\xff\xff\xff\0\0\0\x08xyz",
	"byte 106: the file ends, wanted 1073741820 more"),
    ROW(PLAIN "\0\0\0\x08\0\0\0\x09", "byte 95: lengths that cannot be"),
    ROW(PLAIN "\0\0\0\x08\xff\xff\xff\xff", "byte 95: lengths that cannot be"),
    ROW(PLAIN "\0\0\0\x0b\0\0\0\x07"
	      "1234567\0\0\0\0",
	"byte 95: a key that is not of its class"),
    ROW(PLAIN "\0\0\0\x0b\0\0\0\x08"
	      "12345678"
	      "\0\0\0",
	"byte 95: a value that is not of its class"),
    ROW(PLAIN "\0\0\0\x0d\0\0\0\x08"
	      "12345678"
	      "\0\0\0\2x",
	"byte 95: a value that is not of its class"),
    ROW(PLAIN "\xff\xff\xff\xff"
	      "0123456789abcdeX",
	"byte 99: not the sync marker of this file"),
    ROW(BLOCK "\0\0\0\1", "byte 138: not the beginning of a block"),
    ROW(BLOCK "\xff\xff\xff\xff" SYNC "\xff",
	"byte 158: a number of records of -1"),
    ROW(BLOCK "\xff\xff\xff\xff" SYNC "\1\3abc",
	"byte 159: the section: byte 2: not a gzip or zlib stream: incorrect "
	"header check"),
};

Test(sequencefile_read, hostile_files_are_refused_at_their_byte)
{
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct grow file = {(char *)(uintptr_t)hostile[i].bytes,
		    hostile[i].len, hostile[i].len};
		struct messages read = {NULL, 0};
		struct secor_err err = {""};

		cr_assert_eq(
		    read_all(&file, &read, &err), SECOR_REJECT, "row %zu", i);
		cr_assert_str_eq(
		    err.text, hostile[i].says, "row %zu: %s", i, err.text);
		messages_free(&read);
	}
}
