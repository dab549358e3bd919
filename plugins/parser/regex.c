/*
 * regex.c -- parser: time and fields of text, by the named groups of a pattern
 * (PCRE2). Searches: the pattern may match anywhere.
 *
 * A match that takes too long ends at a limit and makes a bad message: no
 * message can stop the flow. In `utf: false` (the default) a byte is a
 * character; with it bytes that are no UTF-8 match nothing, and do no harm.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "plugins/common/when.h"

#include <pcre2.h>
#include <secor/parser.h>
#include <stdlib.h>
#include <string.h>

#define STACK_FIRST (32 * 1024)
#define STACK_MOST (1024 * 1024)
#define HEAP_KIB 16384 /* without JIT */

struct regex_conf {
	const char *pattern;
	const char *time_group;
	struct when_conf when;
	int multiline, caseless, dotall, utf;
	int64_t match_limit;
};

struct regex {
	const struct regex_conf *conf;
	pcre2_code *code;
	pcre2_match_data *found;
	pcre2_match_context *limits;
	pcre2_jit_stack *stack;
	int jit;
	struct when when;
	int time_group; /* 0: no time is looked for */
	int *groups;	/* of the fields */
	uint32_t field_count;
};

static const struct secor_option options[] = {
    SECOR_OPTION(STRING, struct regex_conf, pattern, "pattern", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_OUTPUT,
	"what to search; named groups are fields, (?<time>...) the time"),
    SECOR_OPTION(STRING, struct regex_conf, time_group, "time_group", "time",
	SECOR_OPTION_OUTPUT, "name of the group that is the event time"),
    WHEN_ROWS(struct regex_conf, when),
    SECOR_OPTION(BOOL, struct regex_conf, multiline, "multiline", "false",
	SECOR_OPTION_OUTPUT, "^ and $ match at every line"),
    SECOR_OPTION(BOOL, struct regex_conf, caseless, "caseless", "false",
	SECOR_OPTION_OUTPUT, "upper and lower case are the same"),
    SECOR_OPTION(BOOL, struct regex_conf, dotall, "dotall", "false",
	SECOR_OPTION_OUTPUT, "the dot matches a line feed too"),
    SECOR_OPTION(BOOL, struct regex_conf, utf, "utf", "false",
	SECOR_OPTION_OUTPUT, "characters are UTF-8, not bytes"),
    SECOR_OPTION_RANGE(INT, struct regex_conf, match_limit, "match_limit",
	"100000", "100", "4000000000", SECOR_OPTION_OUTPUT,
	"steps of one match until the message is given up as a bad one"),
};

static pcre2_code *
regex_compile(const struct regex_conf *conf, struct secor_err *err)
{
	uint32_t flags = PCRE2_NEVER_BACKSLASH_C;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_SIZE at = 0;
	pcre2_code *code;
	PCRE2_UCHAR text[256];
	int number = 0;

	flags |= conf->multiline ? PCRE2_MULTILINE : 0;
	flags |= conf->caseless ? PCRE2_CASELESS : 0;
	flags |= conf->dotall ? PCRE2_DOTALL : 0;
	/* a pattern must not turn on by itself what is not made safe here */
	flags |=
	    conf->utf ? PCRE2_UTF | PCRE2_MATCH_INVALID_UTF : PCRE2_NEVER_UTF;
	if (context != NULL)
		(void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	code = pcre2_compile((PCRE2_SPTR)conf->pattern, PCRE2_ZERO_TERMINATED,
	    flags, &number, &at, context);
	pcre2_compile_context_free(context);
	if (code == NULL) {
		(void)pcre2_get_error_message(number, text, sizeof(text));
		(void)secor_fail(err, SECOR_FATAL, "%s (at character %zu)",
		    (const char *)text, at + 1);
	}
	return code;
}

/* "has no group 'x' (it has: a, b)" */
static void
regex_no_group(const pcre2_code *code, const char *name, struct secor_err *err)
{
	uint32_t count = 0, size = 0;
	PCRE2_SPTR table = NULL;
	size_t n;

	(void)pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
	(void)pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	(void)pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
	(void)secor_fail(err, SECOR_FATAL,
	    "the pattern has no group '%s' (it has: %s", name,
	    count == 0 ? "none" : "");
	n = strlen(err->text);
	for (uint32_t i = 0; i < count && n < sizeof(err->text) - 1; i++) {
		n += (size_t)snprintf(err->text + n, sizeof(err->text) - n,
		    "%s%s", i > 0 ? ", " : "",
		    (const char *)table + i * size + 2);
	}
	if (n < sizeof(err->text) - 1)
		(void)snprintf(err->text + n, sizeof(err->text) - n, ")");
}

/* The group's number, or 0 with the reason. */
static int
regex_group(const pcre2_code *code, const char *name, struct secor_err *err)
{
	int number = pcre2_substring_number_from_name(code, (PCRE2_SPTR)name);

	if (number > 0)
		return number;
	regex_no_group(code, name, err);
	return 0;
}

static void
regex_check(const void *conf, const struct secor_check *check)
{
	const struct regex_conf *c = conf;
	struct secor_err err;
	pcre2_code *code;

	when_check(&c->when, check);
	if (c->pattern == NULL)
		return; /* the engine says that it is required */
	code = regex_compile(c, &err);
	if (code == NULL) {
		check->complain(check, "pattern", err.text);
		return;
	}
	if (!check->no_time && regex_group(code, c->time_group, &err) == 0)
		check->complain(check, "time_group", err.text);
	pcre2_code_free(code);
}

static void
regex_close(void *self)
{
	struct regex *regex = self;

	if (regex == NULL)
		return;
	pcre2_match_data_free(regex->found);
	pcre2_match_context_free(regex->limits);
	pcre2_jit_stack_free(regex->stack);
	pcre2_code_free(regex->code);
	when_close(&regex->when);
	free(regex->groups);
	free(regex);
}

/* Everything that a match needs, so that it allocates nothing. */
static int
regex_prepare(struct regex *regex, struct secor_err *err)
{
	size_t size = 0;

	regex->found = pcre2_match_data_create_from_pattern(regex->code, NULL);
	regex->limits = pcre2_match_context_create(NULL);
	regex->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MOST, NULL);
	if (regex->found == NULL || regex->limits == NULL ||
	    regex->stack == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	(void)pcre2_set_match_limit(
	    regex->limits, (uint32_t)regex->conf->match_limit);
	(void)pcre2_set_heap_limit(regex->limits, HEAP_KIB);
	pcre2_jit_stack_assign(regex->limits, NULL, regex->stack);
	/* some machines and patterns have no JIT: slower, the same results */
	if (pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0)
		(void)pcre2_pattern_info(
		    regex->code, PCRE2_INFO_JITSIZE, &size);
	regex->jit = size > 0;
	return SECOR_OK;
}

static int
regex_find_groups(
    struct regex *regex, const struct secor_open *with, struct secor_err *err)
{
	if (!with->no_time) {
		regex->time_group =
		    regex_group(regex->code, regex->conf->time_group, err);
		if (regex->time_group == 0)
			return SECOR_FATAL;
	}
	regex->groups = calloc(with->fields.count + 1, sizeof(*regex->groups));
	if (regex->groups == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	for (size_t i = 0; i < with->fields.count; i++) {
		regex->groups[i] =
		    regex_group(regex->code, with->fields.items[i], err);
		if (regex->groups[i] == 0)
			return SECOR_FATAL;
	}
	regex->field_count = (uint32_t)with->fields.count;
	return SECOR_OK;
}

static int
regex_set_up(
    struct regex *regex, const struct secor_open *with, struct secor_err *err)
{
	struct secor_err why;

	regex->when.noun = "group";
	regex->when.name = regex->conf->time_group;
	if (when_open(&regex->when, &regex->conf->when, with, err) != SECOR_OK)
		return SECOR_FATAL;
	regex->code = regex_compile(regex->conf, &why);
	if (regex->code == NULL)
		return secor_fail(err, SECOR_FATAL, "pattern: %s", why.text);
	if (regex_find_groups(regex, with, &why) != SECOR_OK)
		return secor_fail(err, SECOR_FATAL, "%s", why.text);
	return regex_prepare(regex, err);
}

static int
regex_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct regex *regex = calloc(1, sizeof(*regex));

	if (regex == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	regex->conf = with->conf;
	if (regex_set_up(regex, with, err) != SECOR_OK) {
		regex_close(regex);
		return SECOR_FATAL;
	}
	*self = regex;
	return SECOR_OK;
}

/* > 0: found. */
static int
regex_match(struct regex *regex, struct secor_bytes text)
{
	PCRE2_SPTR subject = (PCRE2_SPTR)text.ptr;

	if (regex->jit)
		return pcre2_jit_match(regex->code, subject, text.len, 0, 0,
		    regex->found, regex->limits);
	return pcre2_match(
	    regex->code, subject, text.len, 0, 0, regex->found, regex->limits);
}

/* ptr == NULL when the group took no part. */
static struct secor_bytes
regex_text(const struct regex *regex, struct secor_bytes text, int group)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(regex->found);
	struct secor_bytes none = {NULL, 0};

	at += 2 * group;
	if (at[0] == PCRE2_UNSET)
		return none;
	return (struct secor_bytes){text.ptr + at[0], at[1] - at[0]};
}

static int
regex_reject(int code, struct secor_err *err)
{
	PCRE2_UCHAR text[256];

	switch (code) {
	case PCRE2_ERROR_NOMATCH:
		return secor_fail(
		    err, SECOR_REJECT, "the pattern does not match");
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_JIT_STACKLIMIT:
		return secor_fail(err, SECOR_REJECT,
		    "the pattern takes too many steps (match_limit)");
	default:
		(void)pcre2_get_error_message(code, text, sizeof(text));
		return secor_fail(err, SECOR_REJECT,
		    "the pattern cannot be tried: %s", (const char *)text);
	}
}

static int
regex_find_time(struct regex *regex, const struct secor_message *message,
    int64_t *ms, struct secor_err *err)
{
	struct when_value value = {
	    .text = regex_text(regex, message->value, regex->time_group)};

	value.kind = WHEN_IS_TEXT;
	if (value.text.ptr == NULL) {
		value.kind = WHEN_IS_MISSING;
		value.phrase = "not in the text";
	}
	return when_find(&regex->when, &value, message, ms, err);
}

static int
regex_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	struct regex *regex = self;
	struct secor_bytes text = message->value;
	int rc;

	if (text.ptr == NULL)
		return secor_fail(err, SECOR_REJECT, "the value is null");
	rc = regex_match(regex, text);
	if (rc < 0)
		return regex_reject(rc, err);
	for (uint32_t i = 0; i < regex->field_count; i++)
		fields[i] = regex_text(regex, text, regex->groups[i]);
	if (regex->time_group == 0)
		return SECOR_OK;
	return regex_find_time(regex, message, &record->time_ms, err);
}

static const struct secor_parser_ops ops = {
    .size = sizeof(ops),
    .open = regex_open,
    .parse = regex_parse,
    .close = regex_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "regex",
    SECOR_VERSION,
    "time and fields of text, by the named groups of a pattern",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct regex_conf),
    regex_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
