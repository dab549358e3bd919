/*
 * row.c -- see row.h. A cell is first looked at for where it ends, and copied
 * only when bytes in it have to go.
 */
#include "plugins/parser/delimited/row.h"

#include <string.h>

struct reader {
	const struct row_rules *rules;
	struct grow *scratch;
	const char *p;
	const char *end;
};

struct cell {
	struct secor_bytes text;
	int bare; /* without quotes */
};

static int
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* One end of a line behind it is no part of the row. */
static struct secor_bytes
without_line_end(struct secor_bytes text)
{
	if (text.len > 0 && text.ptr[text.len - 1] == '\n')
		text.len--;
	if (text.len > 0 && text.ptr[text.len - 1] == '\r')
		text.len--;
	return text;
}

static int
is(int byte, char c)
{
	return byte != ROW_NONE && (char)byte == c;
}

static void
skip_blanks(struct reader *r)
{
	if (!r->rules->trim)
		return;
	while (r->p < r->end && is_blank(*r->p) && *r->p != r->rules->delimiter)
		r->p++;
}

/* The bytes from `begin` to r->p, without the escapes. */
static struct secor_bytes
unescaped(struct reader *r, const char *begin)
{
	char *to = grow_room(r->scratch, (size_t)(r->p - begin));
	size_t n = 0;

	for (const char *p = begin; p < r->p; p++) {
		if (is(r->rules->escape, *p))
			p++;
		to[n++] = *p;
	}
	r->scratch->len += n;
	return (struct secor_bytes){to, n};
}

/* NULL, or the reason; r->p is where the cell ends. */
static const char *
read_bare(struct reader *r, struct cell *cell)
{
	const char *begin = r->p;
	int escaped = 0;

	for (; r->p < r->end && *r->p != r->rules->delimiter; r->p++) {
		if (is_line_end(*r->p))
			return "more than one line";
		if (!is(r->rules->escape, *r->p))
			continue;
		escaped = 1;
		if (++r->p == r->end)
			return "nothing behind an escape";
	}
	cell->bare = 1;
	cell->text = (struct secor_bytes){begin, (size_t)(r->p - begin)};
	while (r->rules->trim && !escaped && cell->text.len > 0 &&
	       is_blank(begin[cell->text.len - 1]))
		cell->text.len--;
	if (escaped)
		cell->text = unescaped(r, begin);
	return NULL;
}

/* The bytes from `begin` to `end`, of doubled quotes one, without escapes. */
static struct secor_bytes
unquoted(struct reader *r, const char *begin, const char *end)
{
	char *to = grow_room(r->scratch, (size_t)(end - begin));
	size_t n = 0;

	for (const char *p = begin; p < end; p++) {
		if (is(r->rules->escape, *p) || is(r->rules->quote, *p))
			p++;
		to[n++] = *p;
	}
	r->scratch->len += n;
	return (struct secor_bytes){to, n};
}

static const char *
read_quoted(struct reader *r, struct cell *cell)
{
	const char *begin = ++r->p, *end;
	int copy = 0;

	for (;; r->p++) {
		if (r->p == r->end)
			return "no end of a quote";
		if (is(r->rules->escape, *r->p)) {
			copy = 1;
			if (++r->p == r->end)
				return "no end of a quote";
		} else if (is(r->rules->quote, *r->p)) {
			if (r->p + 1 == r->end || !is(r->rules->quote, r->p[1]))
				break;
			copy = 1;
			r->p++;
		}
	}
	end = r->p++;
	skip_blanks(r);
	if (r->p < r->end && *r->p != r->rules->delimiter)
		return "text behind a quote";
	cell->bare = 0;
	cell->text = copy ? unquoted(r, begin, end)
			  : (struct secor_bytes){begin, (size_t)(end - begin)};
	return NULL;
}

static const char *
read_cell(struct reader *r, struct cell *cell)
{
	skip_blanks(r);
	if (r->p < r->end && is(r->rules->quote, *r->p))
		return read_quoted(r, cell);
	return read_bare(r, cell);
}

static int
is_null(const struct row_rules *rules, const struct cell *cell)
{
	return cell->bare && rules->null.ptr != NULL &&
	       cell->text.len == rules->null.len &&
	       memcmp(cell->text.ptr, rules->null.ptr, cell->text.len) == 0;
}

int
row_read(const struct row_rules *rules, struct secor_bytes text,
    struct row *row, struct secor_err *err)
{
	struct reader r = {.rules = rules, .scratch = &row->scratch};
	struct cell cell = {.bare = 0};

	text = without_line_end(text);
	if (text.len == 0)
		return secor_fail(err, SECOR_REJECT, "the value is empty");
	/* all that is copied fits at once: cells do not move */
	row->scratch.len = 0;
	(void)grow_room(&row->scratch, text.len);
	r.p = text.ptr;
	r.end = text.ptr + text.len;
	for (row->count = 0;; r.p++) {
		const char *why = read_cell(&r, &cell);

		if (why != NULL)
			return secor_fail(err, SECOR_REJECT, "%s: column %zu",
			    why, row->count + 1);
		if (row->count < row->most)
			row->cells[row->count] =
			    is_null(rules, &cell)
				? (struct secor_bytes){NULL, 0}
				: cell.text;
		row->count++;
		if (r.p == r.end)
			return SECOR_OK;
	}
}
