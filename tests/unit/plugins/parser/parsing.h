/*
 * parsing.h -- a parser plugin in a unit test: opened with options and fields,
 * fed with bytes.
 *
 *	struct parsing *p = parsing_open("parser/msgpack", "a b",
 *	    "time_field", "ts", NULL);
 *	cr_expect_eq(parsing_hex(p, "81a27473cd0001"), SECOR_OK);
 *	cr_expect_str_eq(parsing_field(p, 0), "...");
 *	parsing_close(p);
 */
#ifndef TESTS_UNIT_PLUGINS_PARSER_PARSING_H
#define TESTS_UNIT_PLUGINS_PARSER_PARSING_H

#include "tests/unit/harness.h"

#define PARSING_FIELDS 8

struct parsing {
	const struct plugin *plugin;
	void *conf;
	void *self;
	int64_t time_ms;
	size_t field_count;
	char *names;
	const char *items[PARSING_FIELDS];
	struct secor_bytes fields[PARSING_FIELDS];
	char texts[PARSING_FIELDS][64];
	unsigned char *bytes; /* as long as the message: nothing behind it */
	struct secor_err err;
};

/* `fields`: names with blanks between, or NULL. Without a time_field among the
 * options no time is looked for. */
__attribute__((sentinel)) struct parsing *
parsing_open(const char *plugin, const char *fields, ...);
void parsing_close(struct parsing *p);

/* Why it cannot be opened; the plugin's text. */
__attribute__((sentinel)) struct secor_err
parsing_refused(const char *plugin, const char *fields, ...);

int parsing_bytes(struct parsing *p, const void *bytes, size_t len);
int parsing_text(struct parsing *p, const char *text); /* NULL: a null value */
/* Blanks in between are left out. */
int parsing_hex(struct parsing *p, const char *hex);
/* "(none)" when it is not there. */
const char *parsing_field(struct parsing *p, size_t i);
/* Whole, however long; `want` NULL: it is not there. */
int parsing_field_is(const struct parsing *p, size_t i, const char *want);

/* Bytes of hex; the caller frees. */
unsigned char *parsing_unhex(const char *hex, size_t *len);

#endif
