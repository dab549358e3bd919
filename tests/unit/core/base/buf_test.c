/*
 * buf_test.c -- core/base/buf.
 */
#include "core/base/buf.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

Test(buf, put_nothing_into_a_fresh_buf_gives_an_empty_text)
{
	struct buf buf = {0};

	buf_put(&buf, NULL, 0);
	cr_assert_eq(buf.len, 0);
	cr_assert_str_eq(buf.ptr, "");
	buf_fini(&buf);
}

Test(buf, put_pieces_keeps_them_in_order_and_nul_terminated)
{
	struct buf buf = {0};

	buf_puts(&buf, "one");
	buf_putc(&buf, ' ');
	buf_put(&buf, "two-and-more", 3);
	buf_printf(&buf, " %d %s", 3, "four");
	cr_assert_str_eq(buf.ptr, "one two 3 four");
	cr_assert_eq(buf.len, strlen("one two 3 four"));
	buf_fini(&buf);
}

Test(buf, put_bytes_with_nul_keeps_them)
{
	struct buf buf = {0};

	buf_put(&buf, "a\0b", 3);
	cr_assert_eq(buf.len, 3);
	cr_assert_arr_eq(buf.ptr, "a\0b", 4);
	buf_fini(&buf);
}

Test(buf, printf_longer_than_the_room_is_not_truncated)
{
	struct buf buf = {0};
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 10; i++)
		buf_printf(&buf, "<%s>", text);
	cr_assert_eq(buf.len, 10 * (sizeof(text) + 1));
	cr_assert_eq(buf.ptr[buf.len - 1], '>');
	cr_assert_eq(buf.ptr[buf.len], '\0');
	buf_fini(&buf);
}

/* The byte behind the text must fit too: every size around a doubling. */
Test(buf, reserve_at_every_size_has_room_for_the_nul)
{
	for (size_t n = 0; n < 300; n++) {
		struct buf buf = {0};

		buf_reserve(&buf, n);
		cr_assert_gt(buf.room, n);
		for (size_t i = 0; i < n; i++)
			buf_putc(&buf, 'x');
		cr_assert_eq(buf.len, n);
		buf_fini(&buf);
	}
}

Test(buf, take_of_an_empty_buf_gives_an_empty_text)
{
	struct buf buf = {0};
	char *text = buf_take(&buf);

	cr_assert_str_eq(text, "");
	cr_assert_null(buf.ptr);
	free(text);
}

Test(buf, take_leaves_an_empty_buf_that_works_again)
{
	struct buf buf = {0};
	char *first;

	buf_puts(&buf, "first");
	first = buf_take(&buf);
	buf_puts(&buf, "second");
	cr_assert_str_eq(first, "first");
	cr_assert_str_eq(buf.ptr, "second");
	free(first);
	buf_fini(&buf);
	buf_fini(&buf); /* twice is fine */
}

Test(buf, reserve_of_more_than_memory_aborts, .signal = SIGABRT)
{
	struct buf buf = {0};

	buf_putc(&buf, 'x');
	buf_reserve(&buf, (size_t)-1);
}

Test(mem, alloc_is_zeroed_and_dup_terminates)
{
	char *zero = mem_alloc(16);
	char *copy = mem_dup("abcdef", 3);
	char *nothing = mem_dup(NULL, 0);
	char *text = mem_text("%s-%d", "a", 7);

	for (int i = 0; i < 16; i++)
		cr_assert_eq(zero[i], 0);
	cr_assert_str_eq(copy, "abc");
	cr_assert_str_eq(nothing, "");
	cr_assert_str_eq(text, "a-7");
	free(zero);
	free(copy);
	free(nothing);
	free(text);
}
