/*
 * logfmt.c -- parser: time and fields of `key=value key="quoted value" flag`.
 *
 * Pairs stand between blanks. A key has no blank, `=` or quote in it; a bare
 * value no blank or quote; a quoted one has the escapes of JSON. A key without
 * `=` is null, one with nothing behind it is empty. The last of equal keys
 * holds. All of the line is checked, also what nobody asked for.
 */
#include "plugins/common/grow.h"
#include "plugins/common/json_text.h"
#include "plugins/common/when.h"

#include <secor/parser.h>
#include <stdlib.h>

struct logfmt_conf {
	const char *time_field;
	struct when_conf when;
};

struct logfmt_field {
	const char *name;
	size_t len;
	struct secor_bytes value;
	int there;   /* also when it is null */
	int escaped; /* the value has escapes, good ones */
};

struct logfmt {
	const struct logfmt_conf *conf;
	struct when when;
	struct logfmt_field *fields; /* `asked` of them, then the time */
	size_t asked;
	char *names; /* of the fields asked for */
	size_t count;
	struct logfmt_field *time; /* NULL: no time is looked for */
	struct grow scratch;	   /* values without their escapes */
};

static const struct secor_option options[] = {
    SECOR_OPTION(STRING, struct logfmt_conf, time_field, "time_field", NULL,
	SECOR_OPTION_OUTPUT, "key of the event time"),
    WHEN_ROWS(struct logfmt_conf, when),
};

static void
logfmt_check(const void *conf, const struct secor_check *check)
{
	const struct logfmt_conf *c = conf;

	when_check(&c->when, check);
	if (!check->no_time && c->time_field == NULL)
		check->complain(
		    check, "time_field", "is needed (or time_source: kafka)");
}

static void
logfmt_close(void *self)
{
	struct logfmt *logfmt = self;

	if (logfmt == NULL)
		return;
	free(logfmt->fields);
	free(logfmt->names);
	grow_fini(&logfmt->scratch);
	when_close(&logfmt->when);
	free(logfmt);
}

/* A control byte, a blank, `=` or a quote. */
static int
ends_key(char c)
{
	return (unsigned char)c <= ' ' || c == '=' || c == '"' || c == '\x7f';
}

static int
add_fields(struct logfmt *logfmt, const struct secor_strings *asked,
    struct secor_err *err)
{
	size_t bytes = 1;
	char *to;

	for (size_t i = 0; i < asked->count; i++)
		bytes += strlen(asked->items[i]) + 1;
	logfmt->fields = calloc(asked->count + 1, sizeof(*logfmt->fields));
	logfmt->names = to = malloc(bytes);
	if (logfmt->fields == NULL || to == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	for (size_t i = 0; i < asked->count; i++) {
		struct logfmt_field *field = &logfmt->fields[i];

		field->name = to;
		field->len = strlen(asked->items[i]);
		memcpy(to, asked->items[i], field->len + 1);
		to += field->len + 1;
	}
	logfmt->count = logfmt->asked = asked->count;
	return SECOR_OK;
}

static int
names_are_keys(const struct logfmt *logfmt, struct secor_err *err)
{
	for (size_t i = 0; i < logfmt->count; i++) {
		const struct logfmt_field *field = &logfmt->fields[i];
		size_t n = 0;

		while (n < field->len && !ends_key(field->name[n]))
			n++;
		if (n < field->len || n == 0)
			return secor_fail(err, SECOR_FATAL,
			    "field '%s' cannot be a key", field->name);
	}
	return SECOR_OK;
}

static int
logfmt_set_up(
    struct logfmt *logfmt, const struct secor_open *with, struct secor_err *err)
{
	const char *name = logfmt->conf->time_field;

	logfmt->when.noun = "field";
	logfmt->when.name = name;
	if (when_open(&logfmt->when, &logfmt->conf->when, with, err) !=
		SECOR_OK ||
	    add_fields(logfmt, &with->fields, err) != SECOR_OK)
		return SECOR_FATAL;
	if (!with->no_time) {
		if (name == NULL)
			return secor_fail(
			    err, SECOR_FATAL, "time_field is needed");
		logfmt->time = &logfmt->fields[logfmt->count++];
		logfmt->time->name = name;
		logfmt->time->len = strlen(name);
	}
	return names_are_keys(logfmt, err);
}

static int
logfmt_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct logfmt *logfmt = calloc(1, sizeof(*logfmt));

	if (logfmt == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	logfmt->conf = with->conf;
	if (logfmt_set_up(logfmt, with, err) != SECOR_OK) {
		logfmt_close(logfmt);
		return SECOR_FATAL;
	}
	*self = logfmt;
	return SECOR_OK;
}

struct pair {
	struct secor_bytes key;
	struct secor_bytes value; /* ptr NULL: null */
	int escaped;		  /* the value has escapes, good ones */
};

/* From the quote at p: behind its end, or NULL with the reason. */
static const char *
read_quoted(const char *p, const char *end, struct pair *pair, const char **why)
{
	const char *begin = ++p;

	for (; p < end && *p != '"'; p++) {
		if (*p == '\\') {
			pair->escaped = 1;
			p++;
		}
	}
	*why = "no end of a quote";
	if (p >= end)
		return NULL;
	pair->value = (struct secor_bytes){begin, (size_t)(p - begin)};
	*why = "an escape that is none";
	if (pair->escaped && !json_escapes_good(begin, pair->value.len))
		return NULL;
	return p + 1;
}

/* Behind the pair at p, or NULL with the reason. */
static const char *
read_pair(const char *p, const char *end, struct pair *pair, const char **why)
{
	const char *begin = p;

	while (p < end && !ends_key(*p))
		p++;
	*pair = (struct pair){.key = {begin, (size_t)(p - begin)}};
	*why = "a value without a key";
	if (p == begin)
		return NULL;
	if (p == end || *p != '=')
		return p;
	begin = ++p;
	if (p < end && *p == '"')
		return read_quoted(p, end, pair, why);
	while (p < end && (*p == '=' || !ends_key(*p)))
		p++;
	pair->value = (struct secor_bytes){begin, (size_t)(p - begin)};
	return p;
}

static void
keep(struct logfmt *logfmt, const struct pair *pair)
{
	for (size_t i = 0; i < logfmt->count; i++) {
		struct logfmt_field *field = &logfmt->fields[i];

		if (field->len != pair->key.len ||
		    memcmp(field->name, pair->key.ptr, field->len) != 0)
			continue;
		field->there = 1;
		field->value = pair->value;
		field->escaped = pair->escaped;
	}
}

/* The values without their escapes. */
static void
unescape(struct logfmt *logfmt)
{
	size_t bytes = 1;
	char *to;

	for (size_t i = 0; i < logfmt->count; i++)
		bytes +=
		    logfmt->fields[i].escaped ? logfmt->fields[i].value.len : 0;
	logfmt->scratch.len = 0;
	to = grow_room(&logfmt->scratch, bytes);
	for (size_t i = 0; i < logfmt->count; i++) {
		struct secor_bytes *value = &logfmt->fields[i].value;

		if (!logfmt->fields[i].escaped)
			continue;
		value->len = json_unescape(value->ptr, value->len, to);
		value->ptr = to;
		to += value->len;
	}
}

/* The line's end, one behind it, is no part of it. */
static const char *
line_end(struct secor_bytes text)
{
	if (text.len > 0 && text.ptr[text.len - 1] == '\n')
		text.len--;
	if (text.len > 0 && text.ptr[text.len - 1] == '\r')
		text.len--;
	return text.ptr + text.len;
}

static int
scan(struct logfmt *logfmt, struct secor_bytes text, struct secor_err *err)
{
	const char *p = text.ptr, *end = line_end(text), *why;
	struct pair pair;
	size_t pairs = 0;

	for (;;) {
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (p == end)
			break;
		p = read_pair(p, end, &pair, &why);
		if (p == NULL)
			return secor_fail(
			    err, SECOR_REJECT, "%s: pair %zu", why, pairs + 1);
		if (p < end && *p != ' ' && *p != '\t')
			return secor_fail(err, SECOR_REJECT,
			    "a byte between pairs that is no blank: pair %zu",
			    pairs + 1);
		keep(logfmt, &pair);
		pairs++;
	}
	if (pairs == 0)
		return secor_fail(err, SECOR_REJECT, "there are no pairs");
	return SECOR_OK;
}

static int
logfmt_find_time(struct logfmt *logfmt, const struct secor_message *message,
    int64_t *ms, struct secor_err *err)
{
	const struct logfmt_field *time = logfmt->time;
	struct when_value value = {WHEN_IS_TEXT, {.text = time->value}};

	if (time->value.ptr == NULL) {
		value.kind = WHEN_IS_MISSING;
		value.phrase = time->there ? "null" : "missing";
	}
	return when_find(&logfmt->when, &value, message, ms, err);
}

static int
logfmt_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	struct logfmt *logfmt = self;
	struct secor_bytes text = message->value;

	if (text.ptr == NULL)
		return secor_fail(err, SECOR_REJECT, "the value is null");
	for (size_t i = 0; i < logfmt->count; i++) {
		logfmt->fields[i].value = (struct secor_bytes){NULL, 0};
		logfmt->fields[i].there = 0;
		logfmt->fields[i].escaped = 0;
	}
	if (scan(logfmt, text, err) != SECOR_OK)
		return SECOR_REJECT;
	unescape(logfmt);
	for (size_t i = 0; i < logfmt->asked; i++)
		fields[i] = logfmt->fields[i].value;
	if (logfmt->time == NULL)
		return SECOR_OK;
	return logfmt_find_time(logfmt, message, &record->time_ms, err);
}

static const struct secor_parser_ops ops = {
    .size = sizeof(ops),
    .open = logfmt_open,
    .parse = logfmt_parse,
    .close = logfmt_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "logfmt",
    SECOR_VERSION,
    "time and fields of key=value pairs",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct logfmt_conf),
    logfmt_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
