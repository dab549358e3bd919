/*
 * args.c -- see args.h.
 */
#include "core/cli/args.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/cli/cli.h"
#include "core/plugin/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int
complain(const char *subcommand, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "secor %s: ", subcommand);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, " (secor %s --help)\n", subcommand);
	return CLI_USAGE;
}

static const struct cli_option *
find(const struct cli_table *table, const char *name, size_t len)
{
	for (size_t i = 0; i < table->count; i++)
		if (strlen(table->options[i].name) == len &&
		    memcmp(table->options[i].name, name, len) == 0)
			return &table->options[i];
	return NULL;
}

static int
unknown(const char *subcommand, const struct cli_table *table, const char *arg)
{
	const char **names = mem_alloc(table->count * sizeof(*names));
	const char *near;
	int rc;

	for (size_t i = 0; i < table->count; i++)
		names[i] = table->options[i].name;
	near = nearest_word(arg + 2, names, table->count);
	if (near != NULL)
		rc = complain(subcommand,
		    "unknown option %s: did you mean --%s?", arg, near);
	else
		rc = complain(subcommand, "unknown option %s", arg);
	free(names);
	return rc;
}

static int
set_number(const char *text, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static int
set_int32(const char *text, int32_t *number)
{
	int64_t wide;

	if (!set_number(text, &wide) || wide > INT32_MAX)
		return 0;
	*number = (int32_t)wide;
	return 1;
}

static int
set_percent(const char *text, double *part)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || strcmp(end, "%") != 0 ||
	    !(number >= 0 && number <= 100))
		return 0;
	*part = number / 100;
	return 1;
}

static int
set(const struct cli_option *option, const char *text)
{
	switch (option->type) {
	case CLI_FLAG:
		*(int *)option->to = 1;
		return text == NULL;
	case CLI_TEXT:
		*(const char **)option->to = text;
		return text[0] != '\0';
	case CLI_NUMBER:
		return set_number(text, option->to);
	case CLI_INT32:
		return set_int32(text, option->to);
	case CLI_SIZE:
		return parse_size(text, option->to) == 0;
	case CLI_PERCENT:
		return set_percent(text, option->to);
	}
	return 0;
}

/* One option, maybe with the word behind it. -1: fine. */
static int
take_option(char **argv, int *at, int argc, const struct cli_table *table)
{
	const char *arg = argv[*at];
	const char *equals = strchr(arg, '=');
	size_t len = equals != NULL ? (size_t)(equals - arg) : strlen(arg);
	const struct cli_option *option =
	    len < 3 ? NULL : find(table, arg + 2, len - 2);
	const char *value = equals == NULL ? NULL : equals + 1;

	if (option == NULL)
		return unknown(argv[0], table, arg);
	if (option->type != CLI_FLAG && value == NULL) {
		if (*at + 1 >= argc)
			return complain(
			    argv[0], "--%s needs a value", option->name);
		value = argv[++*at];
	}
	if (!set(option, value))
		return complain(argv[0], "--%s: '%s' is not a value for it",
		    option->name, value);
	return -1;
}

int
cli_args(int argc, char **argv, const struct cli_table *table,
    struct cli_words *words)
{
	int options = 1;
	int rc = -1;

	words->items = mem_alloc((size_t)argc * sizeof(*words->items));
	words->count = 0;
	for (int at = 1; rc < 0 && at < argc; at++) {
		char *arg = argv[at];

		if (options && strcmp(arg, "--") == 0)
			options = 0;
		else if (options && (strcmp(arg, "--help") == 0 ||
					strcmp(arg, "-h") == 0)) {
			(void)fputs(table->usage, stdout);
			rc = CLI_OK;
		} else if (options && strncmp(arg, "--", 2) == 0)
			rc = take_option(argv, &at, argc, table);
		else
			words->items[words->count++] = arg;
	}
	if (rc < 0 && words->count < table->min_words)
		rc = complain(argv[0], "something is missing");
	if (rc < 0 && words->count > table->max_words)
		rc = complain(argv[0], "too many words: '%s'",
		    words->items[table->max_words]);
	if (rc >= 0)
		free(words->items);
	return rc;
}

int
cli_ask(const char *question)
{
	char answer[16] = "";

	(void)printf("%s [yes/no] ", question);
	(void)fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    strcmp(answer, "yes\n") == 0)
		return -1;
	(void)printf("nothing was done (the whole word 'yes' goes on)\n");
	return CLI_FOUND;
}

int
cli_store(const struct config *config, void **self, struct secor_err *err)
{
	return config_open(&config->store, NULL, self, err);
}

void
cli_progress(const char *fmt, ...)
{
	static int64_t last;
	static int shown;
	int64_t now = clock_boot_ms();
	va_list ap;

	if (!isatty(STDERR_FILENO) || (fmt != NULL && now - last < 200) ||
	    (fmt == NULL && !shown))
		return;
	last = now;
	shown = fmt != NULL;
	(void)fputs("\r\033[K", stderr);
	if (fmt != NULL) {
		va_start(ap, fmt);
		(void)vfprintf(stderr, fmt, ap);
		va_end(ap);
	}
	(void)fflush(stderr);
}

int
cli_parse_time(const char *text, int64_t now_ms, int64_t *ms)
{
	static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};
	int64_t ago;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);

		if (end != NULL && *end == '\0') {
			*ms = (int64_t)timegm(&tm) * 1000;
			return 1;
		}
	}
	if (parse_duration(text, &ago) != 0 || ago < 0)
		return 0;
	*ms = now_ms - ago;
	return 1;
}

const char *
cli_time(int64_t ms, char dst[40])
{
	int64_t part = (ms % 1000 + 1000) % 1000;
	time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
	struct tm tm;
	char text[32];

	if (ms == SECOR_NO_TIME || gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		(void)snprintf(dst, 40, "-");
	else
		(void)snprintf(dst, 40, "%.31s.%03dZ", text, (int)part);
	return dst;
}

void
cli_json_text(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "\"%s\":", name);
	if (text == NULL)
		buf_puts(out, "null");
	else
		json_put_string(out, text, strlen(text));
}

void
cli_json_time(struct buf *out, const char *name, int64_t ms)
{
	char text[40];

	buf_putc(out, ',');
	cli_json_text(
	    out, name, ms == SECOR_NO_TIME ? NULL : cli_time(ms, text));
}
