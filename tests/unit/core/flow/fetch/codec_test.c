/*
 * codec_test.c -- core/flow/fetch/codec against the compressors of others.
 */
#include "core/flow/fetch/codec.h"

#include <criterion/criterion.h>
#include <lz4frame.h>
#include <pthread.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define XERIAL "\x82SNAPPY\0\0\0\0\1\0\0\0\1"
#define LARGE ((size_t)3 << 20)

static struct secor_err err;

/* Text that is compressed to a third or so, the same each time. */
static void
text(struct buf *out, size_t len)
{
	unsigned seed = 1;

	while (out->len < len) {
		seed = seed * 1103515245 + 12345;
		buf_printf(out, "{\"n\": %zu, \"r\": %u}\n", out->len, seed);
	}
	out->len = len;
}

static void
gzip(struct buf *out, const struct buf *in)
{
	z_stream z = {0};

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0), Z_OK);
	buf_reserve(out, deflateBound(&z, in->len));
	z.next_in = (Bytef *)in->ptr;
	z.avail_in = (uInt)in->len;
	z.next_out = (Bytef *)out->ptr + out->len;
	z.avail_out = (uInt)(out->room - out->len);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += z.total_out;
	cr_assert_eq(deflateEnd(&z), Z_OK);
}

static void
snappy(struct buf *out, const struct buf *in)
{
	size_t n = snappy_max_compressed_length(in->len);

	buf_reserve(out, n);
	cr_assert_eq(snappy_compress(in->ptr, in->len, out->ptr + out->len, &n),
	    SNAPPY_OK);
	out->len += n;
}

static void
xerial(struct buf *out, const struct buf *in)
{
	buf_put(out, XERIAL, 16);
	for (size_t at = 0; at < in->len; at += 32768) {
		size_t n = in->len - at < 32768 ? in->len - at : 32768;
		struct buf piece = {in->ptr + at, n, n};
		struct buf block = {0};
		unsigned char head[4];

		snappy(&block, &piece);
		for (int i = 0; i < 4; i++)
			head[i] = (unsigned char)(block.len >> (24 - 8 * i));
		buf_put(out, head, 4);
		buf_put(out, block.ptr, block.len);
		buf_fini(&block);
	}
}

static void
lz4(struct buf *out, const struct buf *in)
{
	size_t n = LZ4F_compressFrameBound(in->len, NULL);

	buf_reserve(out, n);
	n = LZ4F_compressFrame(out->ptr + out->len, n, in->ptr, in->len, NULL);
	cr_assert_not(LZ4F_isError(n));
	out->len += n;
}

static void
zstd(struct buf *out, const struct buf *in)
{
	size_t n = ZSTD_compressBound(in->len);

	buf_reserve(out, n);
	n = ZSTD_compress(out->ptr + out->len, n, in->ptr, in->len, 3);
	cr_assert_not(ZSTD_isError(n));
	out->len += n;
}

static void
buf_of(struct buf *out, const struct buf *in)
{
	buf_put(out, in->ptr, in->len);
}

static const struct packer {
	enum codec codec;
	void (*pack)(struct buf *out, const struct buf *in);
	int more; /* streams may follow one another */
} packers[] = {{CODEC_GZIP, gzip, 1}, {CODEC_SNAPPY, snappy, 0},
    {CODEC_SNAPPY, xerial, 1}, {CODEC_LZ4, lz4, 1}, {CODEC_ZSTD, zstd, 1}};
#define PACKERS (sizeof(packers) / sizeof(packers[0]))

static void
goes_around(const struct packer *packer, size_t len)
{
	struct buf in = {0}, packed = {0}, out = {0};

	text(&in, len);
	packer->pack(&packed, &in);
	buf_puts(&out, "before");
	cr_assert_eq(
	    codec_decompress(packer->codec, packed.ptr, packed.len, &out, &err),
	    SECOR_OK, "codec %d of %zu: %s", (int)packer->codec, len, err.text);
	cr_assert_eq(out.len, 6 + len);
	cr_assert_eq(memcmp(out.ptr, "before", 6), 0);
	cr_assert(len == 0 || memcmp(out.ptr + 6, in.ptr, len) == 0);
	buf_fini(&in);
	buf_fini(&packed);
	buf_fini(&out);
}

Test(codec, every_codec_at_many_sizes_gives_back_what_it_was)
{
	static const size_t sizes[] = {
	    0, 1, 100, 65535, 65536, 65537, 131072, 500000, LARGE};

	for (size_t i = 0; i < PACKERS; i++)
		for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++)
			goes_around(&packers[i], sizes[n]);
}

Test(codec, streams_that_follow_one_another_are_one)
{
	for (size_t i = 0; i < PACKERS; i++) {
		struct buf in = {0}, packed = {0}, out = {0};

		if (!packers[i].more)
			continue;
		text(&in, 200000);
		packers[i].pack(&packed, &in);
		packers[i].pack(&packed, &in);
		cr_assert_eq(codec_decompress(packers[i].codec, packed.ptr,
				 packed.len, &out, &err),
		    SECOR_OK, "%s", err.text);
		cr_assert_eq(out.len, 2 * in.len);
		cr_assert_eq(memcmp(out.ptr, in.ptr, in.len), 0);
		cr_assert_eq(memcmp(out.ptr + in.len, in.ptr, in.len), 0);
		buf_fini(&in);
		buf_fini(&packed);
		buf_fini(&out);
	}
}

/* Bytes that take a hundredth: what is guessed at first is not enough. */
Test(codec, nothing_but_zeros_gives_back_what_it_was)
{
	for (size_t i = 0; i < PACKERS; i++) {
		struct buf in = {0}, packed = {0}, out = {0};

		buf_reserve(&in, LARGE);
		memset(in.ptr, 0, LARGE);
		in.len = LARGE;
		packers[i].pack(&packed, &in);
		cr_assert_eq(codec_decompress(packers[i].codec, packed.ptr,
				 packed.len, &out, &err),
		    SECOR_OK, "%s", err.text);
		cr_assert_eq(out.len, LARGE);
		cr_assert_eq(memcmp(out.ptr, in.ptr, LARGE), 0);
		buf_fini(&in);
		buf_fini(&packed);
		buf_fini(&out);
	}
}

static void
is_refused(const struct packer *packer, const char *bytes, size_t len)
{
	/* exact: what is read beyond it is seen */
	char *exact = mem_dup(bytes, len);
	struct buf out = {0};

	buf_puts(&out, "before");
	cr_assert_eq(codec_decompress(packer->codec, exact, len, &out, &err),
	    SECOR_REJECT, "codec %d, %zu bytes", (int)packer->codec, len);
	cr_assert_eq(out.len, 6);
	cr_assert_neq(err.text[0], '\0');
	buf_fini(&out);
	free(exact);
}

Test(codec, stream_that_is_cut_off_is_refused)
{
	for (size_t i = 0; i < PACKERS; i++) {
		struct buf in = {0}, packed = {0};

		text(&in, 3000);
		packers[i].pack(&packed, &in);
		for (size_t len = 1; len < packed.len; len++) {
			/* a head of nothing: the first block is whole */
			if (packers[i].pack == xerial && len == 16)
				continue;
			is_refused(&packers[i], packed.ptr, len);
		}
		goes_around(&packers[i], 1000); /* the context is good still */
		buf_fini(&in);
		buf_fini(&packed);
	}
}

Test(codec, bytes_behind_the_stream_are_refused)
{
	for (size_t i = 0; i < PACKERS; i++) {
		struct buf in = {0}, packed = {0};

		text(&in, 3000);
		packers[i].pack(&packed, &in);
		buf_puts(&packed, "xyz");
		is_refused(&packers[i], packed.ptr, packed.len);
		buf_fini(&in);
		buf_fini(&packed);
	}
}

Test(codec, changed_byte_never_gives_more_than_an_error)
{
	for (size_t i = 0; i < PACKERS; i++) {
		struct buf in = {0}, packed = {0}, out = {0};
		int rc;

		text(&in, 2000);
		packers[i].pack(&packed, &in);
		for (size_t n = 0; n < packed.len; n++) {
			packed.ptr[n] ^= (char)0xa5;
			out.len = 0;
			rc = codec_decompress(packers[i].codec, packed.ptr,
			    packed.len, &out, &err);
			cr_assert(rc == SECOR_OK || rc == SECOR_REJECT);
			packed.ptr[n] ^= (char)0xa5;
		}
		goes_around(&packers[i], 1000);
		buf_fini(&in);
		buf_fini(&packed);
		buf_fini(&out);
	}
}

/* A length that is claimed is not believed: no memory is taken for it. */
Test(codec, snappy_of_an_absurd_length_is_refused)
{
	static const struct packer raw = {CODEC_SNAPPY, NULL, 0};

	is_refused(&raw, "\xff\xff\xff\xff\x0f\0a", 7);
	is_refused(&raw, XERIAL "\xff\xff\xff\xff\0a", 22);
	is_refused(&raw, XERIAL "\0\0\0", 19);
	is_refused(&raw, "", 0);
}

/* To the byte, also where it comes out in many pieces. */
static void
is_limited(const struct packer *packer, int streams)
{
	struct buf in = {0}, packed = {0}, out = {0};
	struct secor_bytes bytes;
	size_t plain = 200000 * (size_t)streams;

	text(&in, 200000);
	for (int i = 0; i < streams; i++)
		packer->pack(&packed, &in);
	bytes.ptr = packed.ptr;
	bytes.len = packed.len;
	cr_assert_eq(
	    codec_decompress_most(packer->codec, &bytes, plain, &out, &err),
	    SECOR_OK, "%s", err.text);
	cr_assert_eq(out.len, plain);
	for (size_t most = 0; most < plain; most = most * 3 / 2 + 1) {
		out.len = 0;
		cr_assert_eq(codec_decompress_most(
				 packer->codec, &bytes, most, &out, &err),
		    SECOR_REJECT);
		cr_assert_eq(out.len, 0);
		cr_assert_not_null(strstr(err.text, "larger than it may be"));
	}
	cr_assert_eq(
	    codec_decompress_most(packer->codec, &bytes, plain - 1, &out, &err),
	    SECOR_REJECT);
	buf_fini(&in);
	buf_fini(&packed);
	buf_fini(&out);
}

Test(codec, more_than_it_may_be_is_refused)
{
	static const struct packer none = {CODEC_NONE, buf_of, 0};

	is_limited(&none, 1);
	for (size_t i = 0; i < PACKERS; i++) {
		is_limited(&packers[i], 1);
		if (packers[i].more)
			is_limited(&packers[i], 10);
	}
}

Test(codec, one_that_is_not_known_is_fatal)
{
	struct buf out = {0};

	for (int codec = 5; codec < 8; codec++)
		cr_assert_eq(
		    codec_decompress((enum codec)codec, "abc", 3, &out, &err),
		    SECOR_FATAL);
	cr_assert_eq(
	    codec_decompress(CODEC_NONE, "abc", 3, &out, &err), SECOR_OK);
	cr_assert_str_eq(out.ptr, "abc");
	buf_fini(&out);
}

static void *
all_of_them(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < PACKERS; i++)
		goes_around(&packers[i], 100000);
	return NULL;
}

/* The sanitizers see what a thread leaves behind, or shares. */
Test(codec, threads_have_contexts_of_their_own)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		cr_assert_eq(
		    pthread_create(&threads[i], NULL, all_of_them, NULL), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
}
