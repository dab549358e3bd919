/*
 * json_index.c -- see json_index.h. A variant is its own functions for the
 * masks of a block of 64 bytes (bit i is byte i), of a shorter one at the end,
 * and for the running parity of a mask; one that lists has a fourth. What is
 * made of them is the same code for all.
 */
#include "plugins/common/json_index.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_X86 1
#else
#define HAVE_X86 0
#endif

#define BLOCK 64
#define ALWAYS static inline __attribute__((always_inline))

struct masks {
	uint64_t quote;
	uint64_t backslash;
	uint64_t mark;	  /* {}[]:, */
	uint64_t space;	  /* <= 0x20 */
	uint64_t control; /* < 0x20 */
};

/* Constants, all inlined. */
struct variant {
	void (*masks)(const char *p, struct masks *m);
	void (*tail)(const struct json_index *ix, size_t at, struct masks *m);
	uint64_t (*parity)(uint64_t bits); /* bit i: of bits 0..i */
	/* Appends the tokens of the block at `at` to the list of n; returns
	 * how many it has now. NULL: bits will do. */
	uint32_t (*list)(
	    struct json_index *ix, size_t at, uint64_t tokens, uint32_t n);
};

/* The last block, shorter than 64: the same bytes shifted, or a copy. */
ALWAYS void
tail_by(const struct json_index *ix, size_t at, struct masks *m,
    void (*masks)(const char *p, struct masks *m))
{
	size_t left = ix->len - at;
	unsigned shift = (unsigned)(BLOCK - left);
	char copy[BLOCK];

	if (ix->len < BLOCK) {
		memset(copy, ' ', sizeof(copy));
		memcpy(copy, ix->text, left);
		masks(copy, m);
		return;
	}
	masks(ix->text + ix->len - BLOCK, m);
	m->quote >>= shift;
	m->backslash >>= shift;
	m->mark >>= shift;
	m->control >>= shift;
	m->space = m->space >> shift | ~UINT64_C(0) << left;
}

/* ---- plain: eight bytes in a word ---- */

#define EACH(c) (UINT64_C(0x0101010101010101) * (uint64_t)(c))

/* 0x80 in bytes -> 8 bits, the first byte lowest. */
ALWAYS uint64_t
gather(uint64_t high)
{
	return ((high >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

ALWAYS uint64_t
same(uint64_t word, uint64_t each)
{
	uint64_t x = word ^ each;

	return ~(((x & EACH(0x7f)) + EACH(0x7f)) | x) & EACH(0x80);
}

ALWAYS uint64_t
below(uint64_t word, unsigned limit)
{
	uint64_t sum = (word & EACH(0x7f)) + EACH(0x80 - limit);

	return ~(sum | word) & EACH(0x80);
}

ALWAYS void
masks_plain(const char *p, struct masks *m)
{
	memset(m, 0, sizeof(*m));
	for (int i = 0; i < BLOCK; i += 8) {
		uint64_t w, low, mark;

		memcpy(&w, p + i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		w = __builtin_bswap64(w);
#endif
		low = w | EACH(0x20);
		mark = same(low, EACH('{')) | same(low, EACH('}')) |
		       same(w, EACH(':')) | same(w, EACH(','));
		m->quote |= gather(same(w, EACH('"'))) << i;
		m->backslash |= gather(same(w, EACH('\\'))) << i;
		m->mark |= gather(mark) << i;
		m->space |= gather(below(w, 0x21)) << i;
		m->control |= gather(below(w, 0x20)) << i;
	}
}

ALWAYS uint64_t
parity_plain(uint64_t bits)
{
	bits ^= bits << 1;
	bits ^= bits << 2;
	bits ^= bits << 4;
	bits ^= bits << 8;
	bits ^= bits << 16;
	bits ^= bits << 32;
	return bits;
}

ALWAYS void
tail_plain(const struct json_index *ix, size_t at, struct masks *m)
{
	tail_by(ix, at, m, masks_plain);
}

static const struct variant plain = {
    masks_plain, tail_plain, parity_plain, NULL};

#if HAVE_X86
/* ---- SSE2: every x86-64 has it ---- */

ALWAYS uint64_t
bits16(__m128i a, __m128i b, __m128i c, __m128i d)
{
	uint64_t lo = (uint32_t)_mm_movemask_epi8(a) |
		      (uint32_t)_mm_movemask_epi8(b) << 16;
	uint64_t hi = (uint32_t)_mm_movemask_epi8(c) |
		      (uint32_t)_mm_movemask_epi8(d) << 16;

	return lo | hi << 32;
}

ALWAYS __m128i
mark16(__m128i v)
{
	__m128i low = _mm_or_si128(v, _mm_set1_epi8(0x20));

	return _mm_or_si128(
	    _mm_or_si128(_mm_cmpeq_epi8(low, _mm_set1_epi8('{')),
		_mm_cmpeq_epi8(low, _mm_set1_epi8('}'))),
	    _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(':')),
		_mm_cmpeq_epi8(v, _mm_set1_epi8(','))));
}

ALWAYS __m128i
upto16(__m128i v, char limit)
{
	return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(limit)), v);
}

ALWAYS void
masks_sse2(const char *p, struct masks *m)
{
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i slash = _mm_set1_epi8('\\');
	__m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 16));
	__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(p + 32));
	__m128i d = _mm_loadu_si128((const __m128i *)(const void *)(p + 48));
	__m128i least = _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d));

	m->quote = bits16(_mm_cmpeq_epi8(a, quote), _mm_cmpeq_epi8(b, quote),
	    _mm_cmpeq_epi8(c, quote), _mm_cmpeq_epi8(d, quote));
	m->backslash =
	    bits16(_mm_cmpeq_epi8(a, slash), _mm_cmpeq_epi8(b, slash),
		_mm_cmpeq_epi8(c, slash), _mm_cmpeq_epi8(d, slash));
	m->mark = bits16(mark16(a), mark16(b), mark16(c), mark16(d));
	m->space = bits16(
	    upto16(a, 0x20), upto16(b, 0x20), upto16(c, 0x20), upto16(d, 0x20));
	m->control = 0;
	if (__builtin_expect(_mm_movemask_epi8(upto16(least, 0x1f)) != 0, 0))
		m->control = bits16(upto16(a, 0x1f), upto16(b, 0x1f),
		    upto16(c, 0x1f), upto16(d, 0x1f));
}

ALWAYS void
tail_sse2(const struct json_index *ix, size_t at, struct masks *m)
{
	tail_by(ix, at, m, masks_sse2);
}

static const struct variant sse2 = {masks_sse2, tail_sse2, parity_plain, NULL};

/* ---- AVX2 with carry-less multiplication ---- */

#define AVX2 __attribute__((target("avx2,pclmul,bmi,popcnt")))

AVX2 ALWAYS uint64_t
bits32(__m256i a, __m256i b)
{
	return (uint32_t)_mm256_movemask_epi8(a) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

AVX2 ALWAYS __m256i
same32(__m256i v, char c)
{
	return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c));
}

AVX2 ALWAYS __m256i
mark32(__m256i v)
{
	__m256i low = _mm256_or_si256(v, _mm256_set1_epi8(0x20));

	return _mm256_or_si256(
	    _mm256_or_si256(same32(low, '{'), same32(low, '}')),
	    _mm256_or_si256(same32(v, ':'), same32(v, ',')));
}

AVX2 ALWAYS __m256i
upto32(__m256i v, char limit)
{
	return _mm256_cmpeq_epi8(
	    _mm256_min_epu8(v, _mm256_set1_epi8(limit)), v);
}

AVX2 ALWAYS void
masks_avx2(const char *p, struct masks *m)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
	__m256i least = _mm256_min_epu8(a, b);

	m->quote = bits32(same32(a, '"'), same32(b, '"'));
	m->backslash = bits32(same32(a, '\\'), same32(b, '\\'));
	m->mark = bits32(mark32(a), mark32(b));
	m->space = bits32(upto32(a, 0x20), upto32(b, 0x20));
	m->control = 0;
	if (__builtin_expect(_mm256_movemask_epi8(upto32(least, 0x1f)) != 0, 0))
		m->control = bits32(upto32(a, 0x1f), upto32(b, 0x1f));
}

AVX2 ALWAYS uint64_t
parity_avx2(uint64_t bits)
{
	__m128i product = _mm_clmulepi64_si128(
	    _mm_set_epi64x(0, (long long)bits), _mm_set1_epi8(-1), 0);

	return (uint64_t)_mm_cvtsi128_si64(product);
}

AVX2 ALWAYS void
tail_avx2(const struct json_index *ix, size_t at, struct masks *m)
{
	tail_by(ix, at, m, masks_avx2);
}

static const struct variant avx2 = {masks_avx2, tail_avx2, parity_avx2, NULL};

/* ---- AVX-512: a compare gives the mask, and bytes can be packed by one ----
 */

#define AVX512                                                         \
	__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2," \
			      "avx2,pclmul,bmi,popcnt")))

AVX512 ALWAYS uint64_t
same64(__m512i v, char c)
{
	return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}

AVX512 ALWAYS void
masks_of64(__m512i v, struct masks *m)
{
	__m512i low = _mm512_or_si512(v, _mm512_set1_epi8(0x20));

	m->quote = same64(v, '"');
	m->backslash = same64(v, '\\');
	m->mark = same64(low, '{') | same64(low, '}') | same64(v, ':') |
		  same64(v, ',');
	m->space = _mm512_cmple_epu8_mask(v, _mm512_set1_epi8(0x20));
	m->control = _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20));
}

AVX512 ALWAYS void
masks_avx512(const char *p, struct masks *m)
{
	masks_of64(_mm512_loadu_si512((const void *)p), m);
}

/* What lies behind the text is not read. */
AVX512 ALWAYS __m512i
part_of64(const char *p, size_t n)
{
	if (__builtin_expect(n >= BLOCK, 1))
		return _mm512_loadu_si512((const void *)p);
	return _mm512_mask_loadu_epi8(
	    _mm512_set1_epi8(' '), (UINT64_C(1) << n) - 1, p);
}

AVX512 ALWAYS void
tail_avx512(const struct json_index *ix, size_t at, struct masks *m)
{
	masks_of64(part_of64(ix->text + at, ix->len - at), m);
}

AVX512 ALWAYS uint32_t
list_avx512(struct json_index *ix, size_t at, uint64_t tokens, uint32_t n)
{
	const __m512i count_up = _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56,
	    55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39,
	    38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22,
	    21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3,
	    2, 1, 0);
	__m512i text = part_of64(ix->text + at, ix->len - at);
	__m512i where = _mm512_maskz_compress_epi8(tokens, count_up);
	__m512i begin = _mm512_set1_epi16((short)(at - ix->base));
	uint32_t more = (uint32_t)__builtin_popcountll(tokens);

	_mm512_storeu_si512(
	    (void *)(ix->first + n), _mm512_maskz_compress_epi8(tokens, text));
	_mm512_storeu_si512((void *)(ix->at + n),
	    _mm512_add_epi16(
		begin, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(where))));
	if (__builtin_expect(more > 32, 0))
		_mm512_storeu_si512((void *)(ix->at + n + 32),
		    _mm512_add_epi16(
			begin, _mm512_cvtepu8_epi16(
				   _mm512_extracti64x4_epi64(where, 1))));
	return n + more;
}

static const struct variant avx512 = {
    masks_avx512, tail_avx512, parity_avx2, list_avx512};
#endif

/* ---- the same for all ---- */

/* What a block leaves to the next one; local to the loop, for registers. */
struct carry {
	uint64_t in_string; /* all ones, or none */
	uint64_t escape;    /* 1: the first byte is escaped */
	uint64_t word;	    /* 1: the last byte was part of a word */
};

/* Bytes behind a backslash that is not itself escaped; bit 0 comes from the
 * block before. */
static uint64_t
escaped_bytes(uint64_t backslash, uint64_t escaped)
{
	backslash &= ~escaped;
	while (backslash != 0) {
		uint64_t lowest = backslash & (~backslash + 1);

		escaped |= lowest << 1;
		backslash &= ~(lowest | lowest << 1);
	}
	return escaped;
}

/* Control bytes are white space outside of strings, or wrong. */
static void
check_controls(
    struct json_index *ix, size_t at, uint64_t control, uint64_t in_string)
{
	while (control != 0 && ix->bad == JSON_GOOD) {
		unsigned i = (unsigned)__builtin_ctzll(control);
		char c = ix->text[at + i];

		if ((in_string >> i & 1) != 0 ||
		    (c != '\n' && c != '\r' && c != '\t'))
			ix->bad = at + i;
		control &= control - 1;
	}
}

/* Quotes that are not escaped. */
ALWAYS uint64_t
real_quotes(const struct masks *m, struct carry *carry)
{
	uint64_t escaped;

	if (__builtin_expect((m->backslash | carry->escape) == 0, 1))
		return m->quote;
	escaped = escaped_bytes(m->backslash, carry->escape);
	/* is the last byte a backslash that is not escaped? */
	carry->escape = (m->backslash & ~escaped) >> 63;
	return m->quote & ~escaped;
}

/* The tokens of one block. */
ALWAYS uint64_t
index_block(struct json_index *ix, size_t at, struct carry *carry,
    const struct variant *how)
{
	uint64_t quote, in_string, word, begins;
	struct masks m;

	if (ix->len - at >= BLOCK)
		how->masks(ix->text + at, &m);
	else
		how->tail(ix, at, &m);
	if (__builtin_expect(m.backslash != 0, 0))
		ix->escapes |= UINT64_C(1) << (at / BLOCK % JSON_BLOCKS);
	quote = real_quotes(&m, carry);
	in_string = how->parity(quote) ^ carry->in_string;
	carry->in_string = 0 - (in_string >> 63);
	if (__builtin_expect(m.control != 0, 0))
		check_controls(ix, at, m.control, in_string);
	word = ~(m.mark | m.space | quote | in_string);
	begins = word & ~(word << 1 | carry->word);
	carry->word = word >> 63;
	return (m.mark & ~in_string) | quote | begins;
}

/* The next window. */
ALWAYS void
index_window(struct json_index *ix, const struct variant *how)
{
	struct carry carry = {ix->in_string, ix->escape, ix->word};
	size_t at = ix->until, end = ix->until + JSON_WINDOW;
	uint64_t *bits = ix->tokens;
	uint32_t n = 0;

	if (end > ix->len)
		end = ix->len;
	ix->base = at;
	ix->until = end;
	ix->escapes = 0;
	for (; at < end; at += BLOCK) {
		uint64_t tokens = index_block(ix, at, &carry, how);

		if (how->list != NULL)
			n = how->list(ix, at, tokens, n);
		else
			*bits++ = tokens;
	}
	ix->count = n;
	ix->in_string = carry.in_string;
	ix->escape = carry.escape;
	ix->word = carry.word;
}

static void
index_plain(struct json_index *ix)
{
	index_window(ix, &plain);
}

#if HAVE_X86
static void
index_sse2(struct json_index *ix)
{
	index_window(ix, &sse2);
}

AVX2 static void
index_avx2(struct json_index *ix)
{
	index_window(ix, &avx2);
}

AVX512 static void
index_avx512(struct json_index *ix)
{
	index_window(ix, &avx512);
}

static int
has_avx512(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vbmi2") &&
	       __builtin_cpu_supports("pclmul");
}

static int
has_avx2(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") &&
	       __builtin_cpu_supports("pclmul") &&
	       __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("popcnt");
}
#endif

json_index_fn
json_index_pick(enum json_simd simd, int *lists)
{
#if HAVE_X86
	if (simd == JSON_BEST)
		simd = has_avx512() ? JSON_AVX512
		       : has_avx2() ? JSON_AVX2
				    : JSON_SSE2;
	*lists = simd == JSON_AVX512;
	if (simd == JSON_AVX512)
		return has_avx512() ? index_avx512 : NULL;
	if (simd == JSON_AVX2)
		return has_avx2() ? index_avx2 : NULL;
	if (simd == JSON_SSE2)
		return index_sse2;
#endif
	*lists = 0;
	return simd == JSON_BEST || simd == JSON_PLAIN ? index_plain : NULL;
}
