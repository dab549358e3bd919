/*
 * delimited.c -- parser: time and fields of lines of CSV, TSV and the like, by
 * the names of columns or by their numbers, from 1 on.
 *
 * A cell is null when there is no such column in the row, or when it is bare
 * and `null_text`. Messages have no header line.
 */
#include "plugins/common/when.h"
#include "plugins/parser/delimited/row.h"

#include <secor/parser.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MOST 10000

struct delimited_conf {
	const char *delimiter, *quote, *escape;
	struct secor_strings columns;
	int column_count;
	const char *null_text;
	int trim;
	const char *time_field;
	struct when_conf when;
};

enum { COUNT_EXACT = 0, COUNT_ANY };

static const char *const counts[] = {"exact", "any", NULL};

struct delimited {
	const struct delimited_conf *conf;
	struct row_rules rules;
	struct row row;
	struct when when;
	size_t time_column; /* from 0 on */
	int no_time;
	size_t *columns; /* of the fields */
	size_t field_count;
};

static const struct secor_option options[] = {
    SECOR_OPTION(STRING, struct delimited_conf, delimiter, "delimiter", ",",
	SECOR_OPTION_OUTPUT, "one byte between columns, or: tab"),
    SECOR_OPTION(STRING, struct delimited_conf, quote, "quote", "\"",
	SECOR_OPTION_OUTPUT,
	"byte around values with delimiters in them, doubled within; or: none"),
    SECOR_OPTION(STRING, struct delimited_conf, escape, "escape", "none",
	SECOR_OPTION_OUTPUT,
	"byte that takes its meaning from the next one, or: none"),
    SECOR_OPTION(STRINGS, struct delimited_conf, columns, "columns", NULL,
	SECOR_OPTION_OUTPUT,
	"names of the columns, in order; without them columns are numbers"),
    SECOR_OPTION_CHOICE(struct delimited_conf, column_count, "column_count",
	"exact", counts, SECOR_OPTION_OUTPUT,
	"exact: a row with more or fewer columns than `columns` is a bad "
	"message; any: what is behind is passed over, what lacks is null"),
    SECOR_OPTION(STRING, struct delimited_conf, null_text, "null_text", NULL,
	SECOR_OPTION_OUTPUT, "a value without quotes that is null, like \\N"),
    SECOR_OPTION(BOOL, struct delimited_conf, trim, "trim", "false",
	SECOR_OPTION_OUTPUT, "blanks around values are no part of them"),
    SECOR_OPTION(STRING, struct delimited_conf, time_field, "time_field", NULL,
	SECOR_OPTION_OUTPUT,
	"column of the event time: its name, or its number from 1 on"),
    WHEN_ROWS(struct delimited_conf, when),
};

/* 1 with the byte (or ROW_NONE for the word `none`), 0: it is none. */
static int
byte_of(const char *text, int *byte)
{
	if (strcmp(text, "none") == 0)
		*byte = ROW_NONE;
	else if (strcmp(text, "tab") == 0)
		*byte = '\t';
	else if (strlen(text) == 1 && *text != '\n' && *text != '\r')
		*byte = (unsigned char)*text;
	else
		return 0;
	return 1;
}

/* The number of a column from 1 on, or 0. */
static size_t
number_of(const char *text)
{
	size_t n = 0;

	for (; *text >= '0' && *text <= '9' && n <= COLUMNS_MOST; text++)
		n = n * 10 + (size_t)(*text - '0');
	return *text == '\0' && n <= COLUMNS_MOST ? n : 0;
}

/* By name where there are names, by number anyhow. */
static int
column_of(const struct delimited_conf *conf, const char *field, size_t *column,
    struct secor_err *err)
{
	size_t number = number_of(field), named = conf->columns.count;

	for (size_t i = 0; i < named; i++) {
		if (strcmp(conf->columns.items[i], field) == 0) {
			*column = i;
			return SECOR_OK;
		}
	}
	if (number == 0)
		return secor_fail(err, SECOR_FATAL,
		    named > 0 ? "'%s' is none of `columns`, and no number"
			      : "'%s' is no number, and there are no `columns`",
		    field);
	if (named > 0 && number > named && conf->column_count == COUNT_EXACT)
		return secor_fail(err, SECOR_FATAL,
		    "there is no column %zu, `columns` has %zu", number, named);
	*column = number - 1;
	return SECOR_OK;
}

static void
check_bytes(const struct delimited_conf *conf, const struct secor_check *check)
{
	static const char not_byte[] = "is neither one byte nor a word for it";
	int delimiter, quote = ROW_NONE, escape;

	if (!byte_of(conf->delimiter, &delimiter) || delimiter == ROW_NONE) {
		check->complain(check, "delimiter", not_byte);
		delimiter = ROW_NONE;
	}
	if (!byte_of(conf->quote, &quote))
		check->complain(check, "quote", not_byte);
	else if (quote != ROW_NONE && quote == delimiter)
		check->complain(check, "quote", "is the delimiter");
	if (!byte_of(conf->escape, &escape))
		check->complain(check, "escape", not_byte);
	else if (escape != ROW_NONE && escape == delimiter)
		check->complain(check, "escape", "is the delimiter");
	else if (escape != ROW_NONE && escape == quote)
		check->complain(check, "escape", "is the quote");
}

static void
check_names(const struct delimited_conf *conf, const struct secor_check *check)
{
	const struct secor_strings *names = &conf->columns;
	char text[200];

	if (names->count > COLUMNS_MOST)
		check->complain(check, "columns", "are more than 10000");
	for (size_t i = 0; i < names->count && i < COLUMNS_MOST; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(names->items[i], names->items[j]) != 0)
				continue;
			(void)snprintf(text, sizeof(text), "has '%.100s' twice",
			    names->items[i]);
			check->complain(check, "columns", text);
		}
	}
}

static void
delimited_check(const void *conf, const struct secor_check *check)
{
	const struct delimited_conf *c = conf;
	struct secor_err err;
	size_t column;

	check_bytes(c, check);
	check_names(c, check);
	when_check(&c->when, check);
	if (check->no_time)
		return;
	if (c->time_field == NULL)
		check->complain(
		    check, "time_field", "is needed (or time_source: kafka)");
	else if (column_of(c, c->time_field, &column, &err) != SECOR_OK)
		check->complain(check, "time_field", err.text);
}

static void
delimited_close(void *self)
{
	struct delimited *d = self;

	if (d == NULL)
		return;
	free(d->columns);
	free(d->row.cells);
	grow_fini(&d->row.scratch);
	when_close(&d->when);
	free(d);
}

/* A column that is looked at: so many cells of a row are kept. */
static int
delimited_want(struct delimited *d, const char *field, size_t *column,
    struct secor_err *err)
{
	struct secor_err why;

	if (column_of(d->conf, field, column, &why) != SECOR_OK)
		return secor_fail(
		    err, SECOR_FATAL, "column '%s': %s", field, why.text);
	if (*column >= d->row.most)
		d->row.most = *column + 1;
	return SECOR_OK;
}

static int
delimited_find_columns(
    struct delimited *d, const struct secor_open *with, struct secor_err *err)
{
	d->no_time = with->no_time;
	if (!with->no_time && d->conf->time_field == NULL)
		return secor_fail(err, SECOR_FATAL, "time_field is needed");
	if (!with->no_time && delimited_want(d, d->conf->time_field,
				  &d->time_column, err) != SECOR_OK)
		return SECOR_FATAL;
	d->columns = calloc(with->fields.count + 1, sizeof(*d->columns));
	if (d->columns == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	for (size_t i = 0; i < with->fields.count; i++) {
		if (delimited_want(d, with->fields.items[i], &d->columns[i],
			err) != SECOR_OK)
			return SECOR_FATAL;
	}
	d->field_count = with->fields.count;
	d->row.cells = calloc(d->row.most + 1, sizeof(*d->row.cells));
	if (d->row.cells == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	return SECOR_OK;
}

static int
delimited_set_up(
    struct delimited *d, const struct secor_open *with, struct secor_err *err)
{
	const struct delimited_conf *conf = d->conf;
	int delimiter;

	if (!byte_of(conf->delimiter, &delimiter) || delimiter == ROW_NONE ||
	    !byte_of(conf->quote, &d->rules.quote) ||
	    !byte_of(conf->escape, &d->rules.escape))
		return secor_fail(err, SECOR_FATAL,
		    "delimiter, quote and escape are one byte each");
	d->rules.delimiter = (char)delimiter;
	d->rules.trim = conf->trim;
	if (conf->null_text != NULL)
		d->rules.null = (struct secor_bytes){
		    conf->null_text, strlen(conf->null_text)};
	d->when.noun = "column";
	d->when.name = conf->time_field;
	if (when_open(&d->when, &conf->when, with, err) != SECOR_OK)
		return SECOR_FATAL;
	return delimited_find_columns(d, with, err);
}

static int
delimited_open(
    const struct secor_open *with, void **self, struct secor_err *err)
{
	struct delimited *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	d->conf = with->conf;
	if (delimited_set_up(d, with, err) != SECOR_OK) {
		delimited_close(d);
		return SECOR_FATAL;
	}
	*self = d;
	return SECOR_OK;
}

static struct secor_bytes
delimited_cell(const struct delimited *d, size_t column)
{
	return column < d->row.count ? d->row.cells[column]
				     : (struct secor_bytes){NULL, 0};
}

static int
delimited_find_time(struct delimited *d, const struct secor_message *message,
    int64_t *ms, struct secor_err *err)
{
	struct when_value value = {
	    WHEN_IS_TEXT, {.text = delimited_cell(d, d->time_column)}};

	if (value.text.ptr == NULL) {
		value.kind = WHEN_IS_MISSING;
		value.phrase =
		    d->time_column < d->row.count ? "null" : "not in the row";
	}
	return when_find(&d->when, &value, message, ms, err);
}

static int
delimited_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	struct delimited *d = self;
	size_t named = d->conf->columns.count;

	if (message->value.ptr == NULL)
		return secor_fail(err, SECOR_REJECT, "the value is null");
	if (row_read(&d->rules, message->value, &d->row, err) != SECOR_OK)
		return SECOR_REJECT;
	if (named > 0 && d->row.count != named &&
	    d->conf->column_count == COUNT_EXACT)
		return secor_fail(err, SECOR_REJECT,
		    "wrong number of columns: %zu instead of %zu", d->row.count,
		    named);
	for (size_t i = 0; i < d->field_count; i++)
		fields[i] = delimited_cell(d, d->columns[i]);
	if (d->no_time)
		return SECOR_OK;
	return delimited_find_time(d, message, &record->time_ms, err);
}

static const struct secor_parser_ops ops = {
    .size = sizeof(ops),
    .open = delimited_open,
    .parse = delimited_parse,
    .close = delimited_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "delimited",
    SECOR_VERSION,
    "time and fields of CSV, TSV and the like, by column",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct delimited_conf),
    delimited_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
