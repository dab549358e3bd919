/*
 * portable.c -- ISA-L as on another processor: what the library chooses by
 * CPUID is its portable C here, or with -DSSE its code for SSE 4. To be
 * preloaded.
 *
 * All of these take at most six integers or pointers, so they can be passed on
 * without knowing what they are.
 */
#include <stdint.h>

typedef uint64_t word;

#define IS(name, other)                                           \
	word other(word, word, word, word, word, word);           \
	word name(word, word, word, word, word, word);            \
	word name(word a, word b, word c, word d, word e, word f) \
	{                                                         \
		return other(a, b, c, d, e, f);                   \
	}

#ifdef SSE
IS(isal_deflate_body, isal_deflate_body_01)
IS(isal_deflate_finish, isal_deflate_finish_01)
IS(isal_deflate_icf_body_lvl1, isal_deflate_icf_body_hash_hist_01)
IS(isal_deflate_icf_body_lvl2, isal_deflate_icf_body_hash_hist_01)
IS(isal_deflate_icf_finish_lvl1, isal_deflate_icf_finish_hash_hist_01)
IS(isal_deflate_icf_finish_lvl2, isal_deflate_icf_finish_hash_hist_01)
IS(isal_update_histogram, isal_update_histogram_01)
IS(isal_adler32, adler32_sse)
IS(crc32_gzip_refl, crc32_gzip_refl_by8)
IS(crc32_iscsi, crc32_iscsi_01)
#else
IS(isal_deflate_body, isal_deflate_body_base)
IS(isal_deflate_finish, isal_deflate_finish_base)
IS(isal_deflate_icf_body_lvl1, isal_deflate_icf_body_hash_hist_base)
IS(isal_deflate_icf_body_lvl2, isal_deflate_icf_body_hash_hist_base)
IS(isal_deflate_icf_finish_lvl1, isal_deflate_icf_finish_hash_hist_base)
IS(isal_deflate_icf_finish_lvl2, isal_deflate_icf_finish_hash_hist_base)
IS(isal_update_histogram, isal_update_histogram_base)
IS(isal_adler32, adler32_base)
IS(crc32_gzip_refl, crc32_gzip_refl_base)
IS(crc32_iscsi, crc32_iscsi_base)
#endif
IS(isal_deflate_icf_body_lvl3, icf_body_hash1_fillgreedy_lazy)
IS(isal_deflate_icf_finish_lvl3, isal_deflate_icf_finish_hash_map_base)
IS(isal_deflate_hash_lvl0, isal_deflate_hash_base)
IS(isal_deflate_hash_lvl1, isal_deflate_hash_base)
IS(isal_deflate_hash_lvl2, isal_deflate_hash_base)
IS(isal_deflate_hash_lvl3, isal_deflate_hash_base)
IS(encode_deflate_icf, encode_deflate_icf_base)
IS(set_long_icf_fg, set_long_icf_fg_base)
IS(gen_icf_map_lh1, gen_icf_map_h1_base)
