/*
 * wire_test.c -- core/flow/fetch/wire.
 */
#include "core/flow/fetch/wire.h"

#include <criterion/criterion.h>
#include <string.h>

static struct wire
over(const char *bytes, size_t len)
{
	struct wire wire = {bytes, bytes + len, 0};

	return wire;
}

#define OVER(text) over(text, sizeof(text) - 1)

Test(wire, numbers_are_read_big_endian_with_their_sign)
{
	struct wire wire = OVER("\xfe\x01\x02\xff\xff\xff\xfd"
				"\x80\0\0\0\0\0\0\x01");

	cr_assert_eq(wire_int8(&wire), -2);
	cr_assert_eq(wire_int16(&wire), 0x102);
	cr_assert_eq(wire_int32(&wire), -3);
	cr_assert_eq(wire_int64(&wire), INT64_MIN + 1);
	cr_assert_eq(wire.at, wire.end);
	cr_assert_not(wire.bad);
}

Test(wire, number_beyond_the_end_is_bad_and_so_is_all_after_it)
{
	struct wire wire = OVER("\1\2\3");

	cr_assert_eq(wire_int32(&wire), 0);
	cr_assert(wire.bad);
	cr_assert_eq(wire_int8(&wire), 0);
	cr_assert_eq(wire_int64(&wire), 0);
	cr_assert_null(wire_string(&wire).ptr);
	cr_assert_null(wire_bytes(&wire).ptr);
	cr_assert_eq(wire_count(&wire, 1), 0);
	cr_assert(wire.bad);
}

Test(wire, string_and_bytes_of_every_kind_are_read)
{
	struct wire wire = OVER("\0\3abc\xff\xff\0\0"
				"\0\0\0\2de\xff\xff\xff\xff\0\0\0\0");
	struct wire_bytes got = wire_string(&wire);

	cr_assert_eq(got.len, 3);
	cr_assert_arr_eq(got.ptr, "abc", 3);
	got = wire_string(&wire);
	cr_assert_null(got.ptr);
	cr_assert_eq(got.len, 0);
	got = wire_string(&wire);
	cr_assert_not_null(got.ptr);
	cr_assert_eq(got.len, 0);
	got = wire_bytes(&wire);
	cr_assert_eq(got.len, 2);
	cr_assert_arr_eq(got.ptr, "de", 2);
	cr_assert_null(wire_bytes(&wire).ptr);
	got = wire_bytes(&wire);
	cr_assert_not_null(got.ptr);
	cr_assert_eq(got.len, 0);
	cr_assert_not(wire.bad);
	cr_assert_eq(wire.at, wire.end);
}

Test(wire, length_that_cannot_be_is_bad)
{
	static const struct {
		const char *bytes;
		size_t len;
		int wide;
	} cases[] = {
	    {"\xff\xfe"
	     "abc",
		5, 0},
	    {"\x80\0abc", 5, 0},
	    {"\0\4abc", 5, 0},
	    {"\x7f\xff"
	     "abc",
		5, 0},
	    {"\0", 1, 0},
	    {"\xff\xff\xff\xfe"
	     "abc",
		7, 1},
	    {"\x80\0\0\0abc", 7, 1},
	    {"\0\0\0\4abc", 7, 1},
	    {"\x7f\xff\xff\xff"
	     "abc",
		7, 1},
	    {"\0\0\0", 3, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire wire = over(cases[i].bytes, cases[i].len);
		struct wire_bytes got =
		    cases[i].wide ? wire_bytes(&wire) : wire_string(&wire);

		cr_assert(wire.bad, "case %zu", i);
		cr_assert_null(got.ptr, "case %zu", i);
		cr_assert_eq(got.len, 0, "case %zu", i);
	}
}

Test(wire, count_is_never_of_more_than_is_left)
{
	struct wire wire = OVER("\0\0\0\2abcdef");

	cr_assert_eq(wire_count(&wire, 3), 2);
	wire = OVER("\0\0\0\2abcdef");
	cr_assert_eq(wire_count(&wire, 4), 0);
	cr_assert(wire.bad);
	wire = OVER("\x7f\xff\xff\xff"
		    "abcdef");
	cr_assert_eq(wire_count(&wire, 1), 0);
	cr_assert(wire.bad);
	wire = OVER("\xff\xff\xff\xfe"
		    "abcdef");
	cr_assert_eq(wire_count(&wire, 1), 0);
	cr_assert(wire.bad);
	wire = OVER("\xff\xff\xff\xff"
		    "abcdef");
	cr_assert_eq(wire_count(&wire, 1), 0);
	cr_assert_not(wire.bad);
}

Test(wire, skip_beyond_the_end_is_bad)
{
	struct wire wire = OVER("abc");

	wire_skip(&wire, 2);
	cr_assert_eq(wire_int8(&wire), 'c');
	cr_assert_not(wire.bad);
	wire_skip(&wire, SIZE_MAX);
	cr_assert(wire.bad);
	cr_assert_eq(wire.at, wire.end);
}

Test(wire, what_is_put_is_what_is_read)
{
	static const char want[] = "\xff\xff\xfe\xff\xff\xff\xfd\0\0\0\1\0\0\0"
				   "\0\0\3abc\xff\xff\0\0\0\2de\xff\xff\xff"
				   "\xff";
	struct buf buf = {0};

	wire_put_int8(&buf, -1);
	wire_put_int16(&buf, -2);
	wire_put_int32(&buf, -3);
	wire_put_int64(&buf, INT64_C(1) << 32);
	wire_put_string(&buf, "abc");
	wire_put_string(&buf, NULL);
	wire_put_bytes(&buf, "de", 2);
	wire_put_bytes(&buf, NULL, 0);
	cr_assert_eq(buf.len, sizeof(want) - 1);
	cr_assert_arr_eq(buf.ptr, want, sizeof(want) - 1);
	wire_set_int32(&buf, 3, 0x01020304);
	cr_assert_arr_eq(buf.ptr + 3, "\1\2\3\4\0", 5);
	buf_fini(&buf);
}
