/*
 * lines.c -- see lines.h.
 */
#include "core/cli/migrate/lines.h"

static int
is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

/* A line without the blanks around it. 0 at the end. */
static int
next_line(struct cursor *cursor, const char **line, size_t *len)
{
	const char *from = cursor->at, *to = from;

	if (from == cursor->end)
		return 0;
	while (to < cursor->end && *to != '\n' && *to != '\r')
		to++;
	cursor->at = to;
	if (to < cursor->end)
		cursor->at++;
	if (to + 1 < cursor->end && to[0] == '\r' && to[1] == '\n')
		cursor->at++;
	while (from < to && is_blank(*from))
		from++;
	while (to > from && is_blank(to[-1]))
		to--;
	*line = from;
	*len = (size_t)(to - from);
	cursor->next_line++;
	return 1;
}

static int
is_continued(const char *line, size_t len)
{
	size_t slashes = 0;

	while (slashes < len && line[len - 1 - slashes] == '\\')
		slashes++;
	return slashes % 2 == 1;
}

int
line_next(struct cursor *cursor, struct buf *out, int *lost)
{
	const char *line;
	size_t len;

	out->len = 0;
	*lost = 0;
	while (next_line(cursor, &line, &len)) {
		int continued;

		if (len == 0 || *line == '#' || *line == '!')
			continue; /* also between continued lines */
		continued = is_continued(line, len);
		if (!*lost)
			cursor->place.line = cursor->next_line - 1;
		buf_put(out, line, len - (size_t)continued);
		if (!continued) {
			*lost = 0;
			return 1;
		}
		*lost = 1;
	}
	return 0;
}

size_t
line_key(const char *line, size_t len)
{
	size_t n = 0;

	while (
	    n < len && !is_blank(line[n]) && line[n] != '=' && line[n] != ':')
		n += line[n] == '\\' && n + 1 < len ? 2 : 1;
	return n;
}

size_t
line_value(const char *line, size_t len, size_t at)
{
	while (at < len && is_blank(line[at]))
		at++;
	if (at < len && (line[at] == '=' || line[at] == ':'))
		at++;
	while (at < len && is_blank(line[at]))
		at++;
	return at;
}
