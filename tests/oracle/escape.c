/*
 * escape.c -- the engine's escaping of path values, for Hive's own code to
 * judge: a line of hex on stdin is a value, a line of hex on stdout its name.
 */
#include "core/base/buf.h"
#include "core/flow/path.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned
nibble(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* In place: a byte is half as long as its digits. */
static size_t
unhex(char *text)
{
	size_t digits = strcspn(text, "\n");

	assert(digits % 2 == 0);
	for (size_t i = 0; i < digits / 2; i++)
		text[i] =
		    (char)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
	return digits / 2;
}

int
main(void)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) >= 0) {
		struct buf out = {0};

		path_escape(&out, line, unhex(line));
		for (size_t i = 0; i < out.len; i++)
			printf("%02x", (unsigned)(unsigned char)out.ptr[i]);
		putchar('\n');
		buf_fini(&out);
	}
	free(line);
	return 0;
}
