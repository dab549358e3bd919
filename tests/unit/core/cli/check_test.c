/*
 * check_test.c -- secor check and secor plugins: what goes where, exit codes.
 */
#include "core/base/buf.h"
#include "core/cli/cli.h"
#include "tests/unit/harness.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <string.h>

static void
redirect(void)
{
	char *samples = mem_text("%s/tests/plugins", harness_build());

	cr_assert_eq(setenv("SECOR_PLUGIN_PATH", samples, 1), 0);
	cr_assert_eq(setenv("XDG_STATE_HOME", "/var/lib/state", 1), 0);
	free(samples);
	cr_redirect_stdout();
	cr_redirect_stderr();
}

TestSuite(check, .init = redirect);

static int
run(int (*command)(int argc, char **argv), const char *a, const char *b)
{
	char *argv[4] = {(char *)"secor"};
	int argc = 1;

	if (a != NULL)
		argv[argc++] = (char *)a;
	if (b != NULL)
		argv[argc++] = (char *)b;
	return command(argc, argv);
}

/* What was written to the stream; the caller frees. */
static char *
text_of(FILE *stream)
{
	struct buf text = {0};
	char piece[4096];
	size_t n;

	buf_puts(&text, "");
	while ((n = fread(piece, 1, sizeof(piece), stream)) > 0)
		buf_put(&text, piece, n);
	return buf_take(&text);
}

static void
expect_out(const char *part, const char *not_part)
{
	char *text;

	(void)fflush(stdout);
	text = text_of(cr_get_redirected_stdout());
	cr_expect_not_null(strstr(text, part), "no '%s' in %s", part, text);
	cr_expect(not_part == NULL || strstr(text, not_part) == NULL);
	free(text);
}

static void
expect_err(const char *part)
{
	char *text = text_of(cr_get_redirected_stderr());

	cr_expect_not_null(strstr(text, part), "no '%s' in %s", part, text);
	free(text);
}

Test(check, good_file_says_ok)
{
	cr_expect_eq(run(cli_check, "tests/config/good/plain.yaml", NULL), 0);
	expect_out("tests/config/good/plain.yaml: ok\n", NULL);
}

Test(check, bad_file_complains_on_stderr)
{
	cr_expect_eq(
	    run(cli_check, "tests/config/bad/http_port.yaml", NULL), 2);
	expect_err("http_port.yaml:17:11: error: listen:");
}

Test(check, missing_file_is_environment)
{
	cr_expect_eq(run(cli_check, "tests/config/none.yaml", NULL), 3);
	expect_err("No such file or directory");
}

Test(check, no_file_is_usage)
{
	cr_expect_eq(run(cli_check, NULL, NULL), 2);
	expect_err("usage: secor check FILE");
}

Test(check, show_prints_the_effective_configuration)
{
	cr_expect_eq(
	    run(cli_check, "tests/config/good/plain.yaml", "--show"), 0);
	expect_out("  max_age: 1h\n", ": ok");
}

Test(check, no_load_passes_unknown_plugins)
{
	cr_expect_eq(
	    run(cli_check, "--no-load", "tests/config/bad/plugin_unknown.yaml"),
	    0);
	expect_out("plugins' options not checked", NULL);
}

Test(check, plugins_with_a_name_describe_options)
{
	cr_expect_eq(run(cli_plugins, "store/sample", NULL), 0);
	expect_out("bucket: a text  (required)\n    The bucket.\n", "labels");
}

Test(check, plugins_as_json_is_json)
{
	cr_expect_eq(run(cli_plugins, "store/sample", "--json"), 0);
	expect_out("\"key\": \"bucket\"", NULL);
}

Test(check, plugins_without_such_a_name_is_found_out)
{
	cr_expect_eq(run(cli_plugins, "nothing", NULL), 1);
	expect_err("no plugin 'nothing'");
}

Test(check, plugins_lists_and_says_what_does_not_load)
{
	cr_expect_eq(run(cli_plugins, NULL, NULL), 1);
	expect_err("parser/magic.so: is not a secor plugin");
	expect_out("store        sample", NULL);
}
