/*
 * codec_test.c -- streams come back whole, and their bytes do not depend on how
 * they were cut into calls.
 */
#include "plugins/common/codec.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

struct memory_sink {
	struct secor_sink sink;
	struct grow bytes;
	int puts_left; /* then it fails; -1: never */
};

static int
sink_put(struct secor_sink *sink, const void *bytes, size_t len,
    struct secor_err *err)
{
	struct memory_sink *to = (struct memory_sink *)sink;

	if (to->puts_left == 0)
		return secor_fail(err, SECOR_RETRY, "disk is full");
	if (to->puts_left > 0)
		to->puts_left--;
	grow_put(&to->bytes, bytes, len);
	return SECOR_OK;
}

static struct memory_sink
sink_make(int puts)
{
	return (struct memory_sink){
	    {sizeof(struct secor_sink), sink_put}, {NULL, 0, 0}, puts};
}

/* Log lines that compress about as logs do; the same for the same seed. */
static char *
lines(size_t len, unsigned seed)
{
	char *text = malloc(len + 128);
	size_t at = 0;

	while (at < len) {
		seed = seed * 1103515245u + 12345u;
		at += (size_t)snprintf(text + at, 128,
		    "{\"id\":\"%08x\",\"host\":\"web-%u\",\"status\":%u}\n",
		    seed * 2654435761u, seed >> 28, 200 + (seed >> 20) % 5);
	}
	return text;
}

/* One stream of calls of `cut` bytes. */
static struct grow
packed(struct codec *codec, const char *bytes, size_t len, size_t cut)
{
	struct memory_sink to = sink_make(-1);
	struct codec_stream *stream = codec_begin(codec);
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < cut ? len - at : cut;
		cr_assert_eq(
		    codec_put(stream, bytes + at, n, &to.sink, NULL), SECOR_OK);
	}
	cr_assert_eq(codec_finish(stream, &to.sink, NULL), SECOR_OK);
	codec_end(stream);
	return to.bytes;
}

static int
unpacked(
    int kind, const struct grow *bytes, struct grow *out, struct secor_err *err)
{
	struct secor_bytes in = {bytes->ptr, bytes->len};
	struct codec_reader *reader = NULL;
	int rc;

	cr_assert_eq(codec_read_begin(kind, NULL, &reader, err), SECOR_OK);
	rc = codec_unpack(reader, &in, out, (size_t)1 << 30, err);
	codec_read_end(reader);
	return rc;
}

static const struct {
	int kind, level;
} all[] = {{CODEC_GZIP, 1}, {CODEC_GZIP, 2}, {CODEC_GZIP, 3}, {CODEC_GZIP, 4},
    {CODEC_GZIP, 9}, {CODEC_ZLIB, 1}, {CODEC_ZLIB, 6}, {CODEC_ZSTD, -3},
    {CODEC_ZSTD, 1}, {CODEC_ZSTD, 5}, {CODEC_LZ4, 1}, {CODEC_LZ4, 3},
    {CODEC_LZ4_HADOOP, 1}, {CODEC_LZ4_HADOOP, 9}, {CODEC_SNAPPY, 1},
    {CODEC_SNAPPY_HADOOP, 1}, {CODEC_BZIP2, 1}, {CODEC_BZIP2, 9},
    {CODEC_DEFLATE, 1}, {CODEC_DEFLATE, 6}, {CODEC_NONE, 1}};
static const int compressed[] = {CODEC_GZIP, CODEC_ZLIB, CODEC_ZSTD, CODEC_LZ4,
    CODEC_LZ4_HADOOP, CODEC_SNAPPY, CODEC_SNAPPY_HADOOP, CODEC_BZIP2,
    CODEC_DEFLATE};
#define COMPRESSED (sizeof(compressed) / sizeof(compressed[0]))
#define ALL (sizeof(all) / sizeof(all[0]))

Test(codec, stream_of_any_length_comes_back)
{
	static const size_t lens[] = {0, 1, 4096, 16383, 16384, 16385, 700000};
	char *text = lines(700000, 1);

	for (size_t i = 0; i < ALL; i++) {
		struct codec *codec = NULL;

		cr_assert_eq(
		    codec_open(all[i].kind, all[i].level, &codec, NULL),
		    SECOR_OK);
		for (size_t j = 0; j < sizeof(lens) / sizeof(lens[0]); j++) {
			struct grow file = packed(codec, text, lens[j], 32768);
			struct grow out = {NULL, 0, 0};

			cr_assert_eq(unpacked(all[i].kind, &file, &out, NULL),
			    SECOR_OK, "kind %d level %d length %zu",
			    all[i].kind, all[i].level, lens[j]);
			cr_assert_eq(out.len, lens[j]);
			cr_assert(lens[j] == 0 ||
				  memcmp(out.ptr, text, lens[j]) == 0);
			grow_fini(&file);
			grow_fini(&out);
		}
		codec_close(codec);
	}
	free(text);
}

Test(codec, bytes_do_not_depend_on_the_cut)
{
	static const size_t cuts[] = {
	    4096, 12288, 16384, 61440, 69632, 262144, 900000, 777};
	size_t len = 900000;
	char *text = lines(len, 2);

	for (size_t i = 0; i < ALL; i++) {
		struct codec *codec = NULL;
		struct grow first;

		cr_assert_eq(
		    codec_open(all[i].kind, all[i].level, &codec, NULL),
		    SECOR_OK);
		first = packed(codec, text, len, len);
		for (size_t j = 0; j < sizeof(cuts) / sizeof(cuts[0]); j++) {
			struct grow file = packed(codec, text, len, cuts[j]);

			cr_assert_eq(file.len, first.len,
			    "kind %d level %d cut %zu", all[i].kind,
			    all[i].level, cuts[j]);
			cr_assert_eq(memcmp(file.ptr, first.ptr, file.len), 0,
			    "kind %d level %d cut %zu", all[i].kind,
			    all[i].level, cuts[j]);
			grow_fini(&file);
		}
		grow_fini(&first);
		codec_close(codec);
	}
	free(text);
}

/* ISA-L mixes the address of its state into what it makes of the third byte. A
 * short text, whose hash table is small, shows it every hundredth time. Not
 * under ThreadSanitizer, where memory at a wished address cannot be had. */
#ifndef __SANITIZE_THREAD__
Test(codec, bytes_do_not_depend_on_where_the_state_lies)
{
	char text[48] = {0};
	struct grow first = {NULL, 0, 0};
	void *between[1000];

	for (size_t i = 0; i < sizeof(text); i += 8) {
		text[i + 6] = 1;
		text[i + 7] = (char)(0x7f + i / 8);
	}
	for (size_t i = 0; i < 1000; i++) {
		struct codec *codec = NULL;
		struct grow out = {NULL, 0, 0};

		between[i] = malloc(65536);
		cr_assert_eq(codec_open(CODEC_GZIP, 1, &codec, NULL), SECOR_OK);
		cr_assert_eq(codec_pack(codec, text, sizeof(text), &out, NULL),
		    SECOR_OK);
		if (i == 0)
			grow_put(&first, out.ptr, out.len);
		cr_assert_eq(out.len, first.len, "address %zu", i);
		cr_assert_eq(
		    memcmp(out.ptr, first.ptr, out.len), 0, "address %zu", i);
		grow_fini(&out);
		codec_close(codec);
	}
	for (size_t i = 0; i < 1000; i++)
		free(between[i]);
	grow_fini(&first);
}
#endif

/* Streams of one instance share its output room: they must not mix. */
Test(codec, streams_side_by_side_equal_streams_alone)
{
	size_t len = 400000;
	char *text[2] = {lines(len, 3), lines(len, 4)};
	struct memory_sink to[2] = {sink_make(-1), sink_make(-1)};
	struct codec_stream *stream[2];
	struct codec *codec = NULL;

	cr_assert_eq(codec_open(CODEC_GZIP, 1, &codec, NULL), SECOR_OK);
	stream[0] = codec_begin(codec);
	stream[1] = codec_begin(codec);
	for (size_t at = 0; at < len; at += 40000)
		for (int i = 0; i < 2; i++)
			cr_assert_eq(codec_put(stream[i], text[i] + at, 40000,
					 &to[i].sink, NULL),
			    SECOR_OK);
	for (int i = 0; i < 2; i++) {
		struct grow alone;

		cr_assert_eq(
		    codec_finish(stream[i], &to[i].sink, NULL), SECOR_OK);
		codec_end(stream[i]);
		alone = packed(codec, text[i], len, 65536);
		cr_assert_eq(alone.len, to[i].bytes.len);
		cr_assert_eq(memcmp(alone.ptr, to[i].bytes.ptr, alone.len), 0);
		grow_fini(&alone);
		grow_fini(&to[i].bytes);
		free(text[i]);
	}
	codec_close(codec);
}

Test(codec, gzip_header_has_no_time_no_name_and_no_system)
{
	for (int level = 1; level <= 9; level++) {
		struct codec *codec = NULL;
		struct grow file;

		cr_assert_eq(
		    codec_open(CODEC_GZIP, level, &codec, NULL), SECOR_OK);
		file = packed(codec, "x", 1, 1);
		cr_assert_eq(memcmp(file.ptr, "\x1f\x8b\x08\0\0\0\0\0", 8), 0);
		cr_assert_eq(
		    (unsigned char)file.ptr[9], 255, "level %d", level);
		grow_fini(&file);
		codec_close(codec);
	}
}

Test(codec, sink_that_fails_stops_the_stream_and_not_the_codec)
{
	size_t len = 3000000;
	char *text = lines(len, 5);
	struct memory_sink to = sink_make(1);
	struct codec_stream *stream;
	struct codec *codec = NULL;
	struct secor_err err = {""};
	struct grow file, out = {NULL, 0, 0};

	cr_assert_eq(codec_open(CODEC_GZIP, 1, &codec, NULL), SECOR_OK);
	stream = codec_begin(codec);
	cr_assert_eq(codec_put(stream, text, len, &to.sink, &err), SECOR_RETRY);
	cr_assert_str_eq(err.text, "disk is full");
	codec_end(stream);
	file = packed(codec, text, len, 65536);
	cr_assert_eq(unpacked(CODEC_GZIP, &file, &out, NULL), SECOR_OK);
	cr_assert_eq(out.len, len);
	cr_assert_eq(memcmp(out.ptr, text, len), 0);
	grow_fini(&to.bytes);
	grow_fini(&file);
	grow_fini(&out);
	codec_close(codec);
	free(text);
}

Test(codec, pack_in_memory_comes_back)
{
	static const size_t lens[] = {0, 1, 300, 5000, 3000000};
	char *text = lines(3000000, 6);

	for (size_t i = 0; i < ALL; i++) {
		struct codec *codec = NULL;

		cr_assert_eq(
		    codec_open(all[i].kind, all[i].level, &codec, NULL),
		    SECOR_OK);
		for (size_t j = 0; j < sizeof(lens) / sizeof(lens[0]); j++) {
			struct grow file = {NULL, 0, 0}, out = {NULL, 0, 0};

			cr_assert_eq(
			    codec_pack(codec, text, lens[j], &file, NULL),
			    SECOR_OK);
			cr_assert_eq(
			    unpacked(all[i].kind, &file, &out, NULL), SECOR_OK);
			cr_assert_eq(out.len, lens[j]);
			cr_assert(lens[j] == 0 ||
				  memcmp(out.ptr, text, lens[j]) == 0);
			grow_fini(&file);
			grow_fini(&out);
		}
		codec_close(codec);
	}
	free(text);
}

Test(codec, members_that_follow_one_another_are_one_stream)
{
	for (size_t i = 0; i < COMPRESSED; i++) {
		struct codec *codec = NULL;
		struct grow file, more, out = {NULL, 0, 0};

		cr_assert_eq(
		    codec_open(compressed[i], 1, &codec, NULL), SECOR_OK);
		file = packed(codec, "one ", 4, 4);
		more = packed(codec, "two", 3, 3);
		grow_put(&file, more.ptr, more.len);
		cr_assert_eq(
		    unpacked(compressed[i], &file, &out, NULL), SECOR_OK);
		/* nothing follows a bare stream */
		cr_assert_eq(out.len, compressed[i] == CODEC_DEFLATE ? 4 : 7);
		cr_assert_eq(memcmp(out.ptr, "one two", out.len), 0);
		grow_fini(&file);
		grow_fini(&more);
		grow_fini(&out);
		codec_close(codec);
	}
}

/* Every proper beginning of a stream, the empty one too, is refused; but behind
 * the identifier of the snappy framing format a stream may end. */
Test(codec, stream_cut_short_is_refused)
{
	char *text = lines(2000, 7);

	for (size_t i = 0; i < COMPRESSED; i++) {
		struct codec *codec = NULL;
		struct grow file;

		cr_assert_eq(
		    codec_open(compressed[i], 1, &codec, NULL), SECOR_OK);
		file = packed(codec, text, 2000, 2000);
		for (size_t len = 0; len < file.len; len++) {
			if (compressed[i] == CODEC_SNAPPY && len == 10)
				continue;
			struct grow part = {file.ptr, len, len};
			struct grow out = {NULL, 0, 0};
			struct secor_err err = {""};

			cr_assert_eq(unpacked(compressed[i], &part, &out, &err),
			    SECOR_REJECT, "%zu of %zu bytes", len, file.len);
			cr_assert(strstr(err.text, "ends too early") != NULL,
			    "%s", err.text);
			grow_fini(&out);
		}
		grow_fini(&file);
		codec_close(codec);
	}
	free(text);
}

Test(codec, garbage_is_refused_with_its_byte)
{
	for (size_t i = 0; i < COMPRESSED; i++) {
		struct grow file = {(char *)(uintptr_t) "hello, world", 12, 12};
		struct grow out = {NULL, 0, 0};
		struct secor_err err = {""};

		cr_assert_eq(unpacked(compressed[i], &file, &out, &err),
		    SECOR_REJECT, "kind %d", compressed[i]);
		cr_assert(strncmp(err.text, "byte ", 5) == 0, "%s", err.text);
		grow_fini(&out);
	}
}

/* Whatever byte is turned: refused, or read as something, never worse. What has
 * a checksum over all of it is refused. */
Test(codec, turned_byte_is_refused_where_there_is_a_checksum)
{
	char *text = lines(300, 8);

	for (size_t i = 0; i < COMPRESSED; i++) {
		struct codec *codec = NULL;
		struct grow file;
		size_t read = 0;

		cr_assert_eq(
		    codec_open(compressed[i], 1, &codec, NULL), SECOR_OK);
		file = packed(codec, text, 300, 300);
		for (size_t at = 0; at < file.len; at++)
			for (int bit = 0; bit < 8; bit++) {
				struct grow out = {NULL, 0, 0};
				int rc;

				file.ptr[at] ^= (char)(1 << bit);
				rc = unpacked(compressed[i], &file, &out, NULL);
				read += rc == SECOR_OK && out.len == 300 &&
					memcmp(out.ptr, text, 300) != 0;
				cr_assert(rc == SECOR_OK || rc == SECOR_REJECT);
				file.ptr[at] ^= (char)(1 << bit);
				grow_fini(&out);
			}
		if (compressed[i] != CODEC_DEFLATE &&
		    compressed[i] != CODEC_LZ4_HADOOP &&
		    compressed[i] != CODEC_SNAPPY_HADOOP)
			cr_assert_eq(read, 0, "kind %d", compressed[i]);
		grow_fini(&file);
		codec_close(codec);
	}
	free(text);
}

Test(codec, unpack_stops_at_its_limit)
{
	char *zeros = calloc(1, 10000000);
	struct codec_reader *reader = NULL;
	struct codec *codec = NULL;
	struct grow file = {NULL, 0, 0}, out = {NULL, 0, 0};
	struct secor_bytes in;

	cr_assert_eq(codec_open(CODEC_ZLIB, 6, &codec, NULL), SECOR_OK);
	cr_assert_eq(codec_pack(codec, zeros, 10000000, &file, NULL), SECOR_OK);
	cr_assert_eq(
	    codec_read_begin(CODEC_ZLIB, NULL, &reader, NULL), SECOR_OK);
	in = (struct secor_bytes){file.ptr, file.len};
	cr_assert_eq(
	    codec_unpack(reader, &in, &out, 100000, NULL), SECOR_REJECT);
	cr_assert_leq(out.len, 100000);
	out.len = 0;
	cr_assert_eq(codec_unpack(reader, &in, &out, 10000000, NULL), SECOR_OK);
	cr_assert_eq(out.len, 10000000);
	codec_read_end(reader);
	codec_close(codec);
	grow_fini(&file);
	grow_fini(&out);
	free(zeros);
}

Test(codec, level_that_is_none_is_refused)
{
	struct codec *codec = NULL;
	struct secor_err err = {""};

	cr_assert_not_null(codec_complaint(CODEC_GZIP, 0));
	cr_assert_not_null(codec_complaint(CODEC_GZIP, 10));
	cr_assert_not_null(codec_complaint(CODEC_ZSTD, 0));
	cr_assert_not_null(codec_complaint(CODEC_ZSTD, 20));
	cr_assert_null(codec_complaint(CODEC_ZSTD, -7));
	cr_assert_null(codec_complaint(CODEC_NONE, 77));
	cr_assert_null(codec_complaint(CODEC_SNAPPY, 77));
	cr_assert_not_null(codec_complaint(CODEC_LZ4, 13));
	cr_assert_not_null(codec_complaint(CODEC_BZIP2, 10));
	cr_assert_eq(codec_open(CODEC_GZIP, 12, &codec, &err), SECOR_FATAL);
	cr_assert_null(codec);
}
