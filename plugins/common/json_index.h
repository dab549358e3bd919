/*
 * json_index.h -- where the tokens of a JSON text begin.
 *
 * First half of the scan: 64 bytes at a time, every byte outside of strings
 * that is one of `{}[]:,`, every quote that opens or closes a string, and the
 * first byte of everything else (numbers, literals, garbage) is a set bit.
 * Whoever walks the bits sees every byte that is not white space: either it has
 * its bit, or it belongs to the string or the word that the last one began.
 *
 * The text is worked on in windows of JSON_WINDOW bytes, so that the bits have
 * a fixed size. Never reads outside of the text: payloads have no padding.
 */
#ifndef PLUGINS_COMMON_JSON_INDEX_H
#define PLUGINS_COMMON_JSON_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define JSON_BLOCKS 64 /* of 64 bytes */
#define JSON_WINDOW (64 * JSON_BLOCKS)
#define JSON_GOOD SIZE_MAX

/* All give the same tokens; BEST is what this machine does fastest. */
enum json_simd {
	JSON_BEST = 0,
	JSON_PLAIN = 1,
	JSON_SSE2 = 2,
	JSON_AVX2 = 3,
	JSON_AVX512 = 4
};

struct json_index {
	const char *text;
	size_t len;
	size_t base; /* the window is [base, until) */
	size_t until;
	/* left to the next window */
	uint64_t in_string, escape, word;
	uint64_t escapes; /* blocks of the window with a backslash */
	size_t bad;	  /* a control byte where none may be, or JSON_GOOD */
	/* The tokens of the window: their bits, */
	uint64_t tokens[JSON_BLOCKS];
	/* or from a variant that lists: where they are in it, and their bytes;
	 * up to 64 behind the last are written too. */
	uint32_t count;
	uint16_t at[JSON_WINDOW + 64];
	char first[JSON_WINDOW + 64];
};

typedef void (*json_index_fn)(struct json_index *ix);

/* NULL when the machine cannot do it. *lists: whether it makes a list. */
json_index_fn json_index_pick(enum json_simd simd, int *lists);

/* The text is under 4 GiB. */
static inline void
json_index_begin(struct json_index *ix, const char *text, size_t len)
{
	ix->text = text;
	ix->len = len;
	ix->base = 0;
	ix->until = 0;
	ix->in_string = 0;
	ix->escape = 0;
	ix->word = 0;
	ix->escapes = 0;
	ix->bad = JSON_GOOD;
	ix->count = 0;
}

#endif
