/*
 * abi_test.c -- plugins made with the headers of any release load and work, and
 * the headers of the current version are those that are frozen.
 */
#include "core/base/buf.h"
#include "core/base/files.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define FROZEN "tests/abi"

static int
is_version(const struct dirent *entry)
{
	return isdigit((unsigned char)entry->d_name[0]);
}

/* Calls for "1.0", ... in order. */
static void
each_version(void (*each)(const char *version))
{
	struct dirent **found;
	int n = scandir(FROZEN, &found, is_version, alphasort);

	cr_assert_geq(n, 1, "run it from the top of the tree");
	for (int i = 0; i < n; i++) {
		each(found[i]->d_name);
		free(found[i]);
	}
	free(found);
}

static struct registry *
registry_of(const char *version)
{
	char *folder = mem_text("%s/" FROZEN "/%s", harness_build(), version);
	struct registry *registry = registry_new(folder, 1);

	free(folder);
	return registry;
}

static void
load_all(const char *version)
{
	struct registry *registry = registry_of(version);

	for (int kind = SECOR_TRANSFORMER; kind <= SECOR_TOKEN; kind++) {
		const struct plugin *plugin = NULL;
		struct secor_err err = {""};

		cr_expect_eq(
		    registry_find(registry, kind, "sample", ".", &plugin, &err),
		    SECOR_OK, "%s of %s: %s", kind_name(kind), version,
		    err.text);
	}
	registry_free(registry);
}

Test(abi, plugins_of_every_release_load)
{
	each_version(load_all);
}

static void
parse_with(const char *version)
{
	struct registry *registry = registry_of(version);
	const struct plugin *plugin = NULL;
	struct secor_message message = harness_message("hello");
	struct secor_bytes field = {NULL, 0};
	struct secor_record record = {.size = sizeof(record),
	    .field_count = 1,
	    .message = &message,
	    .fields = &field};
	struct secor_err err = {""};
	void *conf, *self;

	cr_assert_eq(
	    registry_find(registry, SECOR_PARSER, "sample", ".", &plugin, &err),
	    SECOR_OK, "%s", err.text);
	conf = harness_conf(plugin, "time_field", "t", "limit", "2KiB", "names",
	    "[a, b]", NULL);
	self = harness_open(plugin, conf, "f", NULL);
	cr_expect_eq(
	    plugin->ops.parser->parse(self, &message, &record, &field, &err),
	    SECOR_OK);
	cr_expect_eq(record.time_ms, message.timestamp_ms);
	cr_expect_eq(field.len, 5);
	harness_close(plugin, self);
	harness_conf_free(plugin, conf);
	registry_free(registry);
}

Test(abi, parser_of_every_release_parses)
{
	each_version(parse_with);
}

/* ---- the current headers ---- */

/* The code without comments, its white space as single blanks. Strings with
 * comment signs in them are not expected in these headers. */
static void
strip(char *text)
{
	char *to = text;

	for (const char *at = text; *at != '\0'; at++) {
		const char *end = NULL;

		if (at[0] == '/' && at[1] == '*')
			end = strstr(at + 2, "*/");
		if (end != NULL)
			at = end + 1;
		if (end == NULL && !isspace((unsigned char)*at))
			*to++ = *at;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';
}

static char *
code_of(const char *folder, const char *file)
{
	char *path = mem_text("%s/%s", folder, file);
	struct secor_err err = {""};
	char *text = NULL;
	size_t n;

	cr_assert_eq(file_read(path, 1 << 20, &text, &n, &err), SECOR_OK, "%s",
	    err.text);
	strip(text);
	free(path);
	return text;
}

static int
is_header(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 2 && strcmp(entry->d_name + len - 2, ".h") == 0;
}

Test(abi, current_headers_are_those_that_are_frozen)
{
	char *frozen = mem_text(
	    FROZEN "/%d.%d/include/secor", SECOR_ABI_MAJOR, SECOR_ABI_MINOR);
	struct dirent **found;
	int n = scandir("include/secor", &found, is_header, alphasort);

	cr_assert_geq(n, 9);
	for (int i = 0; i < n; i++) {
		char *ours = code_of("include/secor", found[i]->d_name);
		char *theirs = code_of(frozen, found[i]->d_name);

		cr_expect_str_eq(ours, theirs,
		    "%s differs from %s: see " FROZEN "/README.md",
		    found[i]->d_name, frozen);
		free(ours);
		free(theirs);
		free(found[i]);
	}
	free(found);
	free(frozen);
}
