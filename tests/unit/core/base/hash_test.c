/*
 * hash_test.c -- core/base/hash. The values are written down in Kafka and in
 * manifests: they are those of the published test vectors, for ever.
 */
#include "core/base/hash.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* XXH3, 64 bits, seed 0 (published with xxHash). */
Test(hash, hash64_of_known_inputs_is_the_published_value)
{
	static const struct {
		const char *text;
		size_t n;
		uint64_t want;
	} rows[] = {
	    {"", 0, UINT64_C(0x2d06800538d394c2)},
	    {"\0", 1, UINT64_C(0xc44bdff4074eecdb)},
	    {"a", 1, UINT64_C(0xe6c632b61e964e1f)},
	    {"abc", 3, UINT64_C(0x78af5f94892f3950)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(hash64(rows[i].text, rows[i].n), rows[i].want,
		    "row %zu: %016lx", i,
		    (unsigned long)hash64(rows[i].text, rows[i].n));
}

Test(hash, hash64_seed_zero_is_hash64_and_another_seed_differs)
{
	cr_assert_eq(hash64_seed("secor", 5, 0), hash64("secor", 5));
	cr_assert_neq(hash64_seed("secor", 5, 1), hash64("secor", 5));
}

Test(hash, hash64_of_null_with_length_zero_is_that_of_nothing)
{
	cr_assert_eq(hash64(NULL, 0), hash64("", 0));
}

Test(hash, hash64_at_any_alignment_is_the_same)
{
	char bytes[320];
	uint64_t want;

	for (size_t i = 0; i < 256; i++)
		bytes[i] = (char)(i * 7);
	want = hash64(bytes, 256);
	for (size_t shift = 1; shift < 64; shift++) {
		memmove(bytes + shift, bytes + shift - 1, 256);
		cr_assert_eq(hash64(bytes + shift, 256), want);
	}
}

/* Where one piece ends and the next begins counts. */
Test(hash, add_of_pieces_cut_elsewhere_differs)
{
	uint64_t a = hash64_add(hash64_add(0, "ab", 2), "c", 1);
	uint64_t b = hash64_add(hash64_add(0, "a", 1), "bc", 2);
	uint64_t c = hash64_add(hash64_add(0, "c", 1), "ab", 2);

	cr_assert_neq(a, b);
	cr_assert_neq(a, c);
	cr_assert_eq(a, hash64_add_text(hash64_add_text(0, "ab"), "c"));
}

Test(hash, add_text_of_null_differs_from_empty)
{
	cr_assert_neq(hash64_add_text(0, NULL), hash64_add_text(0, ""));
	cr_assert_eq(hash64_add_text(5, NULL), hash64_add_text(5, NULL));
}

/* Golden: records of running groups hold such values. */
Test(hash, add_of_known_inputs_never_changes)
{
	cr_assert_eq(hash64_add(0, "secor", 5), UINT64_C(0x264bda4c57666e3a),
	    "%016lx", (unsigned long)hash64_add(0, "secor", 5));
	cr_assert_eq(hash64_add_int(1, -2), UINT64_C(0x1c8cb999ebdc531e),
	    "%016lx", (unsigned long)hash64_add_int(1, -2));
	cr_assert_eq(hash64_add_text(0, NULL), UINT64_C(0xc6d66f65463b7f54),
	    "%016lx", (unsigned long)hash64_add_text(0, NULL));
}

/* Check value of the catalogue of CRCs, and the vectors of RFC 3720 B.4. */
Test(crc32c, add_of_known_inputs_is_the_published_value)
{
	unsigned char bytes[32];

	cr_assert_eq(crc32c_add(0, "123456789", 9), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	cr_assert_eq(crc32c_add(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	cr_assert_eq(crc32c_add(0, bytes, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	cr_assert_eq(crc32c_add(0, bytes, 32), 0x46dd794e);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (unsigned char)(31 - i);
	cr_assert_eq(crc32c_add(0, bytes, 32), 0x113fdb5c);
}

Test(crc32c, add_of_nothing_changes_nothing)
{
	cr_assert_eq(crc32c_add(0, "", 0), 0);
	cr_assert_eq(crc32c_add(0xe3069283, NULL, 0), 0xe3069283);
}

static uint32_t
crc32c_by_bits(const unsigned char *bytes, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (0x82f63b78 & -(crc & 1));
	}
	return ~crc;
}

Test(crc32c, add_in_pieces_of_any_size_equals_the_whole)
{
	unsigned char bytes[700];
	uint32_t want;

	srand(7);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)rand();
	want = crc32c_by_bits(bytes, sizeof(bytes));
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		uint32_t crc = crc32c_add(0, bytes, cut);

		crc = crc32c_add(crc, bytes + cut, sizeof(bytes) - cut);
		cr_assert_eq(crc, want, "cut at %zu", cut);
	}
}
