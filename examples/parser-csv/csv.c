/* csv.c -- a parser of comma-separated values. The first column is the time, in
 * seconds since 1970. */
#include <secor/parser.h>
#include <stdlib.h>
#include <string.h>

struct csv_conf {
	struct secor_strings columns;
};

static const struct secor_option csv_options[] = {
    SECOR_OPTION(STRINGS, struct csv_conf, columns, "columns", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_OUTPUT, "Names from the left."),
};

struct csv {
	int no_time;
	size_t column[64]; /* where the fields are that are asked for */
};

static int
csv_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct csv_conf *conf = with->conf;
	struct csv *csv = calloc(1, sizeof(*csv));

	for (size_t f = 0; csv != NULL && f < with->fields.count; f++) {
		const char *field = with->fields.items[f];
		size_t c = 0;

		while (c < conf->columns.count &&
		       strcmp(conf->columns.items[c], field) != 0)
			c++;
		if (c == conf->columns.count || f == 64) {
			free(csv);
			return secor_fail(
			    err, SECOR_FATAL, "no column '%s'", field);
		}
		csv->column[f] = c;
	}
	if (csv == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	csv->no_time = with->no_time;
	*self = csv;
	return SECOR_OK;
}

/* Bytes are not NUL-terminated: never look behind `len`. */
static struct secor_bytes
csv_value(struct secor_bytes line, size_t column)
{
	const char *end = line.ptr + line.len, *at = line.ptr, *comma;

	while ((comma = memchr(at, ',', (size_t)(end - at))) && column-- > 0)
		at = comma + 1;
	if (comma == NULL && column > 0)
		return (struct secor_bytes){NULL, 0};
	return (struct secor_bytes){at, (size_t)((comma ? comma : end) - at)};
}

static int
csv_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	const struct csv *csv = self;
	struct secor_bytes time;
	int64_t seconds = 0;

	if (message->value.ptr == NULL)
		return secor_fail(err, SECOR_REJECT, "no value");
	time = csv_value(message->value, 0);
	for (size_t i = 0; !csv->no_time && i < time.len; i++) {
		if (time.ptr[i] < '0' || time.ptr[i] > '9' || i == 11)
			return secor_fail(err, SECOR_REJECT, "no time");
		seconds = seconds * 10 + (time.ptr[i] - '0');
	}
	if (time.len > 0)
		record->time_ms = seconds * 1000;
	else if (!csv->no_time)
		return secor_fail(err, SECOR_REJECT, "no time");
	for (uint32_t f = 0; f < record->field_count; f++)
		fields[f] = csv_value(message->value, csv->column[f]);
	return SECOR_OK;
}

static const struct secor_parser_ops csv_ops = {
    .size = sizeof(csv_ops),
    .open = csv_open,
    .parse = csv_parse,
    .close = free,
};

static const struct secor_plugin csv_plugin = {SECOR_PLUGIN_HEAD, SECOR_PARSER,
    "csv", "1.0", "comma-separated values, the time first", 1,
    SECOR_OPTIONS(csv_options), sizeof(struct csv_conf), NULL, &csv_ops};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &csv_plugin;
}
