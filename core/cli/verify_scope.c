/*
 * verify_scope.c -- which part of the past is looked at.
 */
#include "core/cli/args.h"
#include "core/cli/verify.h"
#include "core/plugin/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int
read_number(const char **at, int64_t *number)
{
	char *end;

	if (**at < '0' || **at > '9')
		return 0;
	errno = 0;
	*number = strtoll(*at, &end, 10);
	*at = end;
	return errno == 0;
}

static int
read_from(const char **at, struct verify_from *from)
{
	int64_t number;

	from->partition = -1;
	if (!read_number(at, &number))
		return 0;
	if (**at == ':') {
		if (number > INT32_MAX)
			return 0;
		from->partition = (int32_t)number;
		++*at;
		if (!read_number(at, &number))
			return 0;
	}
	from->offset = number;
	return 1;
}

int
verify_scope_from(struct verify_scope *scope, const char *text)
{
	for (;;) {
		struct verify_from from;

		if (!read_from(&text, &from))
			return 0;
		scope->from = mem_grow(scope->from,
		    (scope->from_count + 1) * sizeof(*scope->from));
		scope->from[scope->from_count++] = from;
		if (*text == '\0')
			return 1;
		if (*text++ != ',')
			return 0;
	}
}

int
verify_scope_time(struct verify_scope *scope, const char *text, int64_t now_ms)
{
	return cli_parse_time(text, now_ms, &scope->removed_before);
}

void
verify_scope_fini(struct verify_scope *scope)
{
	free(scope->from);
	scope->from = NULL;
	scope->from_count = 0;
}

int64_t
verify_from(const struct verify *verify, int32_t partition)
{
	int64_t offset = 0;

	for (size_t i = 0; i < verify->scope.from_count; i++) {
		const struct verify_from *from = &verify->scope.from[i];

		if (from->partition == partition)
			return from->offset;
		if (from->partition < 0)
			offset = from->offset;
	}
	return offset;
}
