/*
 * tsan_arena.c -- lets Criterion run under ThreadSanitizer.
 *
 * Criterion shares memory with its children at an address that it draws with
 * rand_r: 0x200000000000 + (the low 22 bits << 24), ten tries. TSan maps
 * nothing but the ranges where Linux puts programs, which such a draw hits once
 * in two hundred times. So in the tsan variant rand_r draws from the end of
 * TSan's middle range, 0x566000000000 to 0x568000000000, above any place of an
 * executable. (Tests that want random numbers take another function.)
 */
#ifdef __SANITIZE_THREAD__
#include <stdlib.h>

__attribute__((visibility("default"))) int
rand_r(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return (int)(0x366000 | (*seed >> 16 & 0x1fff));
}
#else
typedef int tsan_arena_is_for_tsan_alone;
#endif
