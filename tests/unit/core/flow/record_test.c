/*
 * record_test.c -- metadata text both ways; what is not ours is foreign.
 */
#include "core/flow/record.h"

#include <criterion/criterion.h>
#include <string.h>

static struct record
sample(enum record_kind kind)
{
	struct record r = {.kind = kind,
	    .offset = 42,
	    .g = "00112233445566ff.7",
	    .w = 1405911096123,
	    .m = 0xfeedfacecafebeef,
	    .q = 40};

	if (kind == RECORD_PLAN) {
		r.e = 99;
		r.n = 50;
		r.i = 1;
		r.o = 2;
		r.f = UINT64_MAX;
		r.c = CUT_AGE;
	}
	if (kind == RECORD_HALT)
		r.r = HALT_BAD_MESSAGES;
	return r;
}

Test(record, write_every_kind_reads_back_equal)
{
	static const enum record_kind kinds[] = {
	    RECORD_CLEAN, RECORD_PLAN, RECORD_HALT};
	char text[RECORD_TEXT_MAX];

	for (size_t k = 0; k < 3; k++) {
		struct record r = sample(kinds[k]), back;
		size_t n = record_write(&r, text);

		record_read(&back, 42, text, n);
		cr_assert_eq(back.kind, kinds[k], "%s", text);
		cr_assert(record_equal(&r, &back), "%s", text);
	}
}

Test(record, write_plan_gives_the_documented_text)
{
	struct record r = sample(RECORD_PLAN);
	char text[RECORD_TEXT_MAX];

	(void)record_write(&r, text);
	cr_assert_str_eq(text,
	    "s1 plan g=00112233445566ff.7 w=1405911096123 m=feedfacecafebeef"
	    " q=40 e=99 n=50 i=0000000000000001 o=0000000000000002"
	    " f=ffffffffffffffff c=age");
}

Test(record, write_without_watermark_gives_a_dash)
{
	struct record r = sample(RECORD_CLEAN), back;
	char text[RECORD_TEXT_MAX];
	size_t n;

	r.w = INT64_MIN;
	n = record_write(&r, text);
	record_read(&back, 42, text, n);
	cr_assert_eq(back.w, INT64_MIN);
	cr_assert(strstr(text, " w=- ") != NULL);
}

Test(record, read_of_anything_else_is_foreign)
{
	static const char *const texts[] = {"", "s1",
	    "s2 clean g=a w=- m=0 q=0",
	    "s1 clean g=00112233445566ff.7 w=- m=0000000000000000 q=0 x=1",
	    "s1 clean  g=00112233445566ff.7 w=- m=0000000000000000 q=0",
	    "s1 clean g=00112233445566ff.7 w=-5x m=0000000000000000 q=0",
	    "s1 halt g=00112233445566ff.7 w=- m=0000000000000000 q=0 r=martian",
	    "s1 plan g=00112233445566ff.7 w=- m=0000000000000000 q=0 e=42 n=0"
	    " i=0000000000000000 o=0000000000000000 f=0000000000000000 c=age",
	    "consumer-1 was here"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct record r;

		record_read(&r, 42, texts[i], strlen(texts[i]));
		if (i == 6) /* a reason of a later version: not understood */
			cr_expect_neq(r.r, HALT_BAD_MESSAGES);
		cr_expect_eq(r.kind, RECORD_FOREIGN, "%s", texts[i]);
	}
}

Test(record, read_of_every_single_byte_change_never_gives_the_same)
{
	struct record r = sample(RECORD_PLAN), back;
	char text[RECORD_TEXT_MAX];
	size_t n = record_write(&r, text);

	for (size_t i = 0; i < n; i++) {
		text[i] ^= 1;
		record_read(&back, 42, text, n);
		cr_assert(!record_equal(&r, &back), "byte %zu", i);
		text[i] ^= 1;
	}
}

Test(record, read_without_offset_is_missing)
{
	struct record r;

	record_read(&r, -1001, NULL, 0);
	cr_assert_eq(r.kind, RECORD_MISSING);
}

Test(record, g_tells_family_and_generation)
{
	char a[40], b[40], c[40];

	record_g(a, "cluster", "group", 1, 0);
	record_g(b, "cluster", "group", 1, 12);
	record_g(c, "cluster", "other", 1, 0);
	cr_assert(record_same_family(a, b));
	cr_assert(!record_same_family(a, c));
	cr_assert(!record_same_family("", ""));
	cr_assert_eq(record_generation(b), 12);
	cr_assert_eq(record_generation("nonsense"), -1);
}
