/*
 * regex.c -- Java's regular expressions as POSIX has them, for topics: Kafka's
 * client knows no others. What has no equal is refused, never guessed.
 */
#include "core/cli/migrate/migration.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The characters of a class like \d, or NULL. */
static const char *
class_of(char c)
{
	switch (c) {
	case 'd':
		return "0-9";
	case 'w':
		return "A-Za-z0-9_";
	case 's':
		return "[:space:]";
	default:
		return NULL;
	}
}

/* Behind a backslash, outside of brackets. 0: no equal. */
static int
put_escape(struct buf *out, char c)
{
	const char *class = class_of((char)tolower((unsigned char)c));

	if (class != NULL) {
		buf_printf(
		    out, "[%s%s]", isupper((unsigned char)c) ? "^" : "", class);
		return 1;
	}
	if (c == '\0' || isalnum((unsigned char)c))
		return 0;
	if (strchr(".[]{}()*+?^$|\\", c) != NULL)
		buf_putc(out, '\\');
	buf_putc(out, c);
	return 1;
}

/* `*at` is behind the '['; comes out at the ']'. 0: no equal. */
static int
put_brackets(struct buf *out, const char **at)
{
	const char *p = *at;
	int dash = 0;

	buf_putc(out, '[');
	if (*p == '^')
		buf_putc(out, *p++);
	for (; *p != ']'; p++) {
		const char *class = NULL;

		if (*p == '\0' || *p == '[' || strncmp(p, "&&", 2) == 0)
			return 0;
		if (*p != '\\') {
			buf_putc(out, *p);
			continue;
		}
		class = class_of(*++p);
		if (class != NULL)
			buf_puts(out, class);
		else if (*p == '-')
			dash = 1; /* the last one is no range */
		else if (isalnum((unsigned char)*p) || strchr("]^", *p) != NULL)
			return 0; /* strchr finds the end too */
		else
			buf_putc(out, *p);
	}
	buf_puts(out, dash ? "-]" : "]");
	*at = p;
	return 1;
}

/* A quantifier's second character, of a whole match: `*?` finds what `*` does,
 * `*+` may not. */
static int
put_quantified(struct buf *out, const char **at)
{
	const char *p = *at;

	buf_putc(out, *p);
	if (p[1] == '+')
		return 0;
	if (p[1] == '?')
		p++;
	*at = p;
	return 1;
}

static int
put_group(struct buf *out, const char **at)
{
	buf_putc(out, '(');
	if ((*at)[1] != '?')
		return 1;
	if ((*at)[2] != ':')
		return 0;
	*at += 2;
	return 1;
}

static int
put_one(struct buf *out, const char **at)
{
	switch (**at) {
	case '\\':
		return put_escape(out, *++*at);
	case '[':
		++*at;
		return put_brackets(out, at);
	case '(':
		return put_group(out, at);
	case '*':
	case '+':
	case '?':
	case '}':
		return put_quantified(out, at);
	default:
		buf_putc(out, **at);
		return 1;
	}
}

static char *
convert(const char *java, const char *end)
{
	struct buf out = {0};

	buf_puts(&out, "^(");
	for (const char *at = java; *at != '\0'; at++) {
		if (put_one(&out, &at))
			continue;
		buf_fini(&out);
		return NULL;
	}
	buf_puts(&out, end);
	return buf_take(&out);
}

char *
regex_posix(const char *java)
{
	if (strcmp(java, ".*") == 0)
		return mem_dup("^.*", 3);
	return convert(java, ")$");
}

/* Where the bracket that is open at `at` closes; NULL: nowhere. */
static const char *
closing(const char *at)
{
	int depth = 1;

	for (; *at != '\0'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '(')
			depth++;
		else if (*at == ')' && --depth == 0)
			return at;
	}
	return NULL;
}

char *
regex_excluded(const char *java)
{
	const char *end;
	char *inner, *excluded;

	java += *java == '^';
	if (strncmp(java, "(?!", 3) != 0)
		return NULL;
	end = closing(java + 3);
	if (end == NULL ||
	    (strcmp(end, ").*") != 0 && strcmp(end, ").*$") != 0 &&
		strcmp(end, ").+") != 0))
		return NULL;
	inner = mem_dup(java + 3, (size_t)(end - java - 3));
	excluded = convert(inner, ")");
	free(inner);
	return excluded;
}
