/*
 * hex.c -- see hex.h.
 */
#include "tests/unit/core/flow/fetch/hex.h"

#include <criterion/criterion.h>
#include <stdlib.h>

void
hex_put(struct buf *buf, const char *text)
{
	for (const char *at = text; *at != '\0';) {
		if (*at == ' ') {
			at++;
		} else if (*at == '\'') {
			buf_putc(buf, at[1]);
			at += 3;
		} else {
			char pair[3] = {at[0], at[1], '\0'};

			buf_putc(buf, (char)strtol(pair, NULL, 16));
			at += 2;
		}
	}
}

void
hex_expect(const struct buf *is, const char *hex)
{
	struct buf wanted = {0};

	hex_put(&wanted, hex);
	cr_expect_eq(
	    is->len, wanted.len, "%zu bytes, not %zu", is->len, wanted.len);
	for (size_t i = 0; i < is->len && i < wanted.len; i++)
		cr_assert_eq(is->ptr[i], wanted.ptr[i],
		    "byte %zu is %02x, not %02x", i, (unsigned char)is->ptr[i],
		    (unsigned char)wanted.ptr[i]);
	buf_fini(&wanted);
}
