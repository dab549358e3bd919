/*
 * codec.c -- see codec.h. Contexts are made by the first batch of a thread that
 * needs them, and end with it. Streams may have several members or frames and
 * end with the last byte: what is cut off or has something behind it is
 * damaged.
 */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_decompressBound */
#include "core/flow/fetch/codec.h"

#include <assert.h>
#include <dlfcn.h>
#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <pthread.h>
#include <snappy-c.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define PIECE ((size_t)65536) /* room that there is at least for a step */

static const char too_large[] = "larger than it may be when it is plain";
static const char cut_off[] = "cut off";

struct contexts {
	struct inflate_state *gzip;
	ZSTD_DCtx *zstd;
	LZ4F_dctx *lz4;
};

/* What is done by one call: `begin` is where `out` ended before it, `most` what
 * may be made. */
struct job {
	const char *at;
	size_t left;
	struct buf *out;
	size_t begin;
	size_t most;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* for the end of a thread alone */
static _Thread_local struct contexts *mine;

static void
contexts_free(void *arg)
{
	struct contexts *c = arg;

	free(c->gzip);
	(void)ZSTD_freeDCtx(c->zstd);
	(void)LZ4F_freeDecompressionContext(c->lz4);
	free(c);
}

static void
make_key(void)
{
	int rc = pthread_key_create(&key, contexts_free);

	assert(rc == 0);
	(void)rc;
}

static struct contexts *
contexts(void)
{
	if (mine == NULL) {
		(void)pthread_once(&once, make_key);
		mine = mem_alloc(sizeof(*mine));
		(void)pthread_setspecific(key, mine);
	}
	return mine;
}

static size_t
made(const struct job *job)
{
	return job->out->len - job->begin;
}

/* How much fits behind what was made: PIECE at least, and never more than one
 * byte too much. 0: that byte is there. */
static size_t
room(struct job *job)
{
	struct buf *out = job->out;
	size_t allowed, there;

	if (made(job) > job->most)
		return 0;
	allowed = job->most + 1 - made(job);
	if (out->room < out->len + PIECE + 1)
		buf_reserve(out, PIECE);
	there = out->room - out->len - 1;
	return there < allowed ? there : allowed;
}

/* ---- gzip ---- */

/* What the last member says it has, if that can be. */
static size_t
gzip_guess(const struct job *job)
{
	const unsigned char *end = (const unsigned char *)job->at + job->left;
	size_t said, most = 64 * job->left;

	if (job->left < 18)
		return 0;
	said = (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 |
	       (size_t)end[-1] << 24;
	return said < most ? said : most;
}

/* One member. */
static const char *
gunzip_member(struct inflate_state *z, struct job *job)
{
	isal_inflate_init(z);
	z->crc_flag = ISAL_GZIP;
	/* the library takes a pointer to non-const and only reads */
	z->next_in = (uint8_t *)(uintptr_t)job->at;
	z->avail_in = (uint32_t)job->left;
	while (z->block_state != ISAL_BLOCK_FINISH) {
		size_t there = room(job);

		if (there == 0)
			return too_large;
		there = there < UINT32_MAX ? there : UINT32_MAX;
		z->next_out = (uint8_t *)job->out->ptr + job->out->len;
		z->avail_out = (uint32_t)there;
		if (isal_inflate(z) != ISAL_DECOMP_OK)
			return "damaged";
		job->out->len += there - z->avail_out;
		if (z->avail_out > 0 && z->block_state != ISAL_BLOCK_FINISH)
			return cut_off;
	}
	job->at += job->left - z->avail_in;
	job->left = z->avail_in;
	return NULL;
}

static const char *
gunzip(struct job *job)
{
	struct contexts *c = contexts();
	const char *why = NULL;

	if (c->gzip == NULL)
		c->gzip = mem_alloc(sizeof(*c->gzip));
	buf_reserve(job->out, gzip_guess(job) + 1);
	do {
		why = gunzip_member(c->gzip, job);
	} while (why == NULL && job->left > 0);
	return why;
}

/* ---- snappy ---- */

/* Its library needs that of C++, which the program has no other use for. It is
 * loaded for the first batch that needs it. */
static struct {
	pthread_once_t once;
	void *library;
	snappy_status (*length)(const char *, size_t, size_t *);
	snappy_status (*uncompress)(const char *, size_t, char *, size_t *);
} snappy = {.once = PTHREAD_ONCE_INIT};

static void
load_snappy(void)
{
	snappy.library = dlopen("libsnappy.so.1", RTLD_NOW | RTLD_LOCAL);
	if (snappy.library == NULL)
		return;
	*(void **)&snappy.length =
	    dlsym(snappy.library, "snappy_uncompressed_length");
	*(void **)&snappy.uncompress =
	    dlsym(snappy.library, "snappy_uncompress");
}

static int
has_snappy(void)
{
	(void)pthread_once(&snappy.once, load_snappy);
	return snappy.length != NULL && snappy.uncompress != NULL;
}

static const char xerial[8] = "\x82SNAPPY";
#define XERIAL_HEAD ((size_t)16) /* and two versions, which say nothing */

static const char *
unsnappy_block(struct job *job, const char *block, size_t len)
{
	struct buf *out = job->out;
	size_t n = 0;

	/* three bytes become 64 at the most */
	if (snappy.length(block, len, &n) != SNAPPY_OK || n / 32 > len)
		return "damaged";
	if (n > job->most - made(job))
		return too_large;
	buf_reserve(out, n);
	if (snappy.uncompress(block, len, out->ptr + out->len, &n) != SNAPPY_OK)
		return "damaged";
	out->len += n;
	return NULL;
}

static size_t
be32(const char *at)
{
	const unsigned char *b = (const unsigned char *)at;

	return (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 |
	       b[3];
}

/* A block with its length before it, or the head of a further stream. */
static const char *
unxerial_next(struct job *job)
{
	const char *why;
	size_t len;

	if (job->left >= XERIAL_HEAD && memcmp(job->at, xerial, 8) == 0) {
		job->at += XERIAL_HEAD;
		job->left -= XERIAL_HEAD;
		return NULL;
	}
	if (job->left < 4)
		return cut_off;
	len = be32(job->at);
	if (len > job->left - 4)
		return cut_off;
	why = unsnappy_block(job, job->at + 4, len);
	job->at += 4 + len;
	job->left -= 4 + len;
	return why;
}

static const char *
unsnappy(struct job *job)
{
	const char *why = NULL;

	if (job->left < XERIAL_HEAD || memcmp(job->at, xerial, 8) != 0)
		return unsnappy_block(job, job->at, job->left);
	while (why == NULL && job->left > 0)
		why = unxerial_next(job);
	return why;
}

/* ---- lz4 ---- */

static const char *
unlz4_run(LZ4F_dctx *d, struct job *job)
{
	size_t hint = 1;

	while (job->left > 0 || hint > 0) {
		size_t in = job->left, out = room(job);

		if (out == 0)
			return too_large;
		hint = LZ4F_decompress(
		    d, job->out->ptr + job->out->len, &out, job->at, &in, NULL);
		if (LZ4F_isError(hint))
			return LZ4F_getErrorName(hint);
		if (in == 0 && out == 0)
			return cut_off;
		job->out->len += out;
		job->at += in;
		job->left -= in;
	}
	return NULL;
}

static const char *
unlz4(struct job *job)
{
	struct contexts *c = contexts();
	const char *why;

	if (c->lz4 == NULL && LZ4F_isError(LZ4F_createDecompressionContext(
				  &c->lz4, LZ4F_VERSION)))
		abort(); /* no memory */
	buf_reserve(job->out, 4 * job->left + PIECE);
	why = unlz4_run(c->lz4, job);
	if (why != NULL)
		LZ4F_resetDecompressionContext(c->lz4);
	return why;
}

/* ---- zstd ---- */

/* All at once, straight to where it belongs; NULL and nothing done where it
 * cannot be said how much it becomes. */
static int
unzstd_whole(ZSTD_DCtx *d, struct job *job, const char **why)
{
	unsigned long long most = ZSTD_decompressBound(job->at, job->left);
	struct buf *out = job->out;
	size_t n;

	/* blocks of nothing claim 128 KiB each */
	if (most > 16 * job->left + 16 * PIECE || most > job->most)
		return 0;
	buf_reserve(out, (size_t)most);
	n = ZSTD_decompressDCtx(
	    d, out->ptr + out->len, (size_t)most, job->at, job->left);
	if (ZSTD_isError(n))
		*why = ZSTD_getErrorName(n);
	else
		out->len += n;
	return 1;
}

static const char *
unzstd_run(ZSTD_DCtx *d, struct job *job)
{
	ZSTD_inBuffer in = {job->at, job->left, 0};
	size_t hint = 1;

	while (in.pos < in.size || hint > 0) {
		ZSTD_outBuffer out = {NULL, room(job), 0};
		size_t before = in.pos;

		if (out.size == 0)
			return too_large;
		out.dst = job->out->ptr + job->out->len;
		hint = ZSTD_decompressStream(d, &out, &in);
		if (ZSTD_isError(hint))
			return ZSTD_getErrorName(hint);
		if (in.pos == before && out.pos == 0)
			return cut_off;
		job->out->len += out.pos;
	}
	return NULL;
}

static const char *
unzstd(struct job *job)
{
	struct contexts *c = contexts();
	const char *why = NULL;

	if (c->zstd == NULL)
		c->zstd = ZSTD_createDCtx();
	if (c->zstd == NULL)
		abort(); /* no memory */
	if (unzstd_whole(c->zstd, job, &why))
		return why;
	(void)ZSTD_DCtx_reset(c->zstd, ZSTD_reset_session_only);
	return unzstd_run(c->zstd, job);
}

static const char *
plain(struct job *job)
{
	if (job->left > job->most)
		return too_large;
	buf_put(job->out, job->at, job->left);
	return NULL;
}

int
codec_decompress_most(enum codec codec, const struct secor_bytes *bytes,
    size_t most, struct buf *out, struct secor_err *err)
{
	static const struct {
		const char *name;
		const char *(*run)(struct job *job);
	} codecs[] = {
	    [CODEC_NONE] = {"none", plain},
	    [CODEC_GZIP] = {"gzip", gunzip},
	    [CODEC_SNAPPY] = {"snappy", unsnappy},
	    [CODEC_LZ4] = {"lz4", unlz4},
	    [CODEC_ZSTD] = {"zstd", unzstd},
	};
	struct job job = {bytes->ptr, bytes->len, out, out->len, most};
	const char *why;

	if ((size_t)codec >= sizeof(codecs) / sizeof(codecs[0]))
		return secor_fail(
		    err, SECOR_FATAL, "codec %d is not known", (int)codec);
	if (codec == CODEC_SNAPPY && !has_snappy())
		return secor_fail(err, SECOR_FATAL,
		    "snappy: libsnappy.so.1 is not there: install it (Debian: "
		    "libsnappy1v5)");
	/* such ones do not come in a batch; the libraries count in 32 bits */
	why = job.left > INT32_MAX ? too_large : codecs[codec].run(&job);
	if (why == NULL && made(&job) > most)
		why = too_large;
	if (why != NULL) {
		out->len = job.begin;
		return secor_fail(
		    err, SECOR_REJECT, "%s: %s", codecs[codec].name, why);
	}
	buf_put(out, NULL, 0); /* the NUL */
	return SECOR_OK;
}

int
codec_decompress(enum codec codec, const void *bytes, size_t len,
    struct buf *out, struct secor_err *err)
{
	struct secor_bytes in = {bytes, len};

	return codec_decompress_most(
	    codec, &in, (size_t)CODEC_PLAIN_MAX, out, err);
}
