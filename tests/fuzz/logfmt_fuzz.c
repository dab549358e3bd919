/*
 * logfmt_fuzz.c -- any line: refused with a reason, or values that come out
 * again when they are quoted.
 */
#include "plugins/common/grow.h"

#include <secor/parser.h>

#include "tests/fuzz/fuzz.h"

#define FIELDS 3

static const char *const names[FIELDS] = {"a", "b", "ts"};
static char conf[1024]; /* larger than the parser's, and all zero */

static int
parse(void *self, struct secor_bytes text, struct secor_bytes *fields,
    struct secor_err *err)
{
	const struct secor_parser_ops *ops = secor_plugin_entry()->ops;
	struct secor_message message = {.size = sizeof(message), .value = text};
	struct secor_record record = {.size = sizeof(record),
	    .field_count = FIELDS,
	    .message = &message,
	    .time_ms = SECOR_NO_TIME};

	memset(fields, 0, FIELDS * sizeof(*fields));
	return ops->parse(self, &message, &record, fields, err);
}

static void *
parser_new(void)
{
	const struct secor_parser_ops *ops = secor_plugin_entry()->ops;
	struct secor_open with = {.size = sizeof(with),
	    .conf = conf,
	    .fields = {names, FIELDS},
	    .no_time = 1};
	const struct secor_plugin *plugin = secor_plugin_entry();
	struct secor_err err;
	void *self = NULL;

	MUST(plugin->conf_size <= sizeof(conf));
	for (size_t i = 0; i < plugin->option_count; i++) {
		const struct secor_option *row = &plugin->options[i];

		MUST(row->type == SECOR_TYPE_STRING);
		memcpy(conf + row->offset, &row->def, sizeof(row->def));
	}
	MUST(ops->open(&with, &self, &err) == SECOR_OK);
	return self;
}

static void
put_pair(struct grow *line, const char *name, struct secor_bytes value)
{
	grow_put(line, name, strlen(name));
	if (value.ptr == NULL) {
		grow_put(line, " ", 1);
		return;
	}
	grow_put(line, "=\"", 2);
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '"' || value.ptr[i] == '\\')
			grow_put(line, "\\", 1);
		grow_put(line, &value.ptr[i], 1);
	}
	grow_put(line, "\" ", 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void *first, *second;
	struct secor_bytes fields[FIELDS], again[FIELDS];
	struct grow line = {NULL, 0, 0};
	struct secor_err err;

	if (first == NULL) {
		first = parser_new();
		second = parser_new();
	}
	if (parse(first, (struct secor_bytes){(const char *)data, size}, fields,
		&err) != SECOR_OK) {
		MUST(strlen(err.text) > 0);
		return 0;
	}
	for (int i = 0; i < FIELDS; i++)
		put_pair(&line, names[i], fields[i]);
	MUST(parse(second, (struct secor_bytes){line.ptr, line.len}, again,
		 &err) == SECOR_OK);
	for (int i = 0; i < FIELDS; i++) {
		MUST((again[i].ptr == NULL) == (fields[i].ptr == NULL));
		MUST(again[i].len == fields[i].len);
		MUST(again[i].len == 0 ||
		     memcmp(again[i].ptr, fields[i].ptr, again[i].len) == 0);
	}
	grow_fini(&line);
	return 0;
}
