/*
 * delimited_fuzz.c -- any line, by rules that the first byte chooses: refused
 * with a reason, or cells that come out again when they are quoted.
 */
#include "plugins/parser/delimited/row.h"

#include "tests/fuzz/fuzz.h"

#define MOST 8

static struct row_rules
rules_of(uint8_t choice)
{
	struct row_rules rules = {.delimiter = choice & 1 ? '\t' : ',',
	    .quote = choice & 2 ? '\'' : '"',
	    .escape = choice & 4 ? '\\' : ROW_NONE,
	    .trim = choice & 8 ? 1 : 0};

	if (choice & 16)
		rules.null = (struct secor_bytes){"\\N", 2};
	if ((choice & 0x60) == 0x60)
		rules.quote = ROW_NONE;
	return rules;
}

static void
put_quoted(
    struct grow *line, const struct row_rules *rules, struct secor_bytes cell)
{
	char quote = (char)rules->quote, escape = (char)rules->escape;

	grow_put(line, &quote, 1);
	for (size_t i = 0; i < cell.len; i++) {
		if (cell.ptr[i] == quote)
			grow_put(line, &quote, 1);
		else if (rules->escape != ROW_NONE && cell.ptr[i] == escape)
			grow_put(line, &escape, 1);
		grow_put(line, &cell.ptr[i], 1);
	}
	grow_put(line, &quote, 1);
}

static void
read_again(const struct row_rules *rules, const struct row *row)
{
	static struct secor_bytes cells[MOST];
	static struct row again;
	struct grow line = {NULL, 0, 0};
	struct secor_err err;

	again.cells = cells;
	again.most = MOST;
	for (size_t i = 0; i < row->count; i++) {
		if (i > 0)
			grow_put(&line, &rules->delimiter, 1);
		if (row->cells[i].ptr == NULL)
			grow_put(&line, rules->null.ptr, rules->null.len);
		else
			put_quoted(&line, rules, row->cells[i]);
	}
	MUST(row_read(rules, (struct secor_bytes){line.ptr, line.len}, &again,
		 &err) == SECOR_OK);
	MUST(again.count == row->count);
	for (size_t i = 0; i < row->count; i++) {
		MUST((cells[i].ptr == NULL) == (row->cells[i].ptr == NULL));
		MUST(cells[i].len == row->cells[i].len);
		MUST(
		    cells[i].len == 0 ||
		    memcmp(cells[i].ptr, row->cells[i].ptr, cells[i].len) == 0);
	}
	grow_fini(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secor_bytes cells[MOST];
	static struct row row;
	struct row_rules rules;
	struct secor_err err;
	struct secor_bytes text;

	if (size == 0)
		return 0;
	rules = rules_of(data[0]);
	text = (struct secor_bytes){(const char *)data + 1, size - 1};
	row.cells = cells;
	row.most = MOST;
	if (row_read(&rules, text, &row, &err) != SECOR_OK) {
		MUST(strlen(err.text) > 0);
		return 0;
	}
	MUST(row.count > 0 && row.count <= text.len + 1);
	/* under those rules `\N` between quotes is an escape */
	if (row.count <= MOST && rules.quote != ROW_NONE &&
	    (rules.escape == ROW_NONE || rules.null.ptr == NULL))
		read_again(&rules, &row);
	return 0;
}
