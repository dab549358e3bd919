/*
 * statement_fuzz.c -- any template and any values: refused with a reason, or a
 * statement whose tokens are those that it has with plain values, literals
 * aside. So no value leaves its literal.
 *
 * Input: template, NUL, value, NUL, topic.
 */
#include "plugins/notifier/qubole/qubole.h"

#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Behind the literal or quoted name that begins here, by Hive's lexer. */
static const char *
skip_quoted(const char *at)
{
	char quote = *at++;

	for (; *at != quote; at++) {
		MUST(*at != '\0');
		if (*at == '\\' && quote != '`')
			at++;
		MUST(*at != '\0');
	}
	return at + 1;
}

/* The statement with each literal as 'L'; also what a splitter that knows no
 * quotes, and the replacement of variables, must not find in it. */
static void
skeleton(const char *sql, struct text *out)
{
	char before = ' ';

	for (const char *at = sql; *at != '\0'; before = *at++) {
		MUST(*at != ';' || before == '\\');
		MUST(*at != '{' || before != '$');
	}
	text_adds(out, "");
	while (*sql != '\0')
		if (*sql == '\'' || *sql == '"') {
			sql = skip_quoted(sql);
			text_adds(out, "L");
		} else if (*sql == '`') {
			const char *end = skip_quoted(sql);

			text_add(out, sql, (size_t)(end - sql));
			sql = end;
		} else {
			text_add(out, sql++, 1);
		}
	MUST(!out->failed);
}

static int
fill(const char *template_, const char *value, const char *topic,
    struct text *out)
{
	const struct secor_event_level levels[] = {
	    {"dt", value}, {"Date", "x"}};
	const struct secor_event_path event = {
	    .size = sizeof(event), .total_records = 7};
	const struct hive_path subject = {.topic = topic,
	    .table = "db.table",
	    .path = value,
	    .folder = topic,
	    .levels = levels,
	    .level_count = 2,
	    .event = &event};
	struct secor_err err = {""};
	struct text sql = {0};
	int what = 0;
	int rc = statement_add(&sql, template_, &subject, &what, &err);

	if (rc == SECOR_OK)
		skeleton(sql.ptr, out);
	else
		MUST(rc == SECOR_REJECT && err.text[0] != '\0');
	text_fini(&sql);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 3), *value, *topic;
	struct text plain = {0}, hostile = {0};
	struct secor_err err = {""};

	MUST(text != NULL);
	memcpy(text, data, size);
	memset(text + size, 0, 3);
	value = text + strlen(text) + 1;
	topic = value + strlen(value) + 1;
	if (statement_check(text, 1, &err) != SECOR_OK) {
		MUST(err.text[0] != '\0');
	} else if (fill(text, "x", "y", &plain) == SECOR_OK &&
		   fill(text, value, topic, &hostile) == SECOR_OK) {
		MUST(strcmp(plain.ptr, hostile.ptr) == 0);
	}
	text_fini(&plain);
	text_fini(&hostile);
	free(text);
	return 0;
}
