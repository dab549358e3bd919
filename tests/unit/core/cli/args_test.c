/*
 * args_test.c -- command lines that are understood, and those that are not.
 */
#include "core/cli/args.h"

#include "core/cli/cli.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <string.h>

static struct {
	int flag;
	const char *text;
	int64_t number, size;
	int32_t small;
	double part;
} got;

/* Reads the blank-separated words behind "tool". */
static int
args(const char *line, struct cli_words *words)
{
	static const struct cli_option options[] = {
	    {"flag", CLI_FLAG, &got.flag},
	    {"text", CLI_TEXT, &got.text},
	    {"number", CLI_NUMBER, &got.number},
	    {"small", CLI_INT32, &got.small},
	    {"size", CLI_SIZE, &got.size},
	    {"part", CLI_PERCENT, &got.part},
	};
	static const struct cli_table table = {
	    "usage: tool\n", options, 6, 1, 2};
	static char copy[256];
	static char tool[] = "tool";
	char *argv[16] = {tool};
	int argc = 1;

	memset(&got, 0, sizeof(got));
	(void)snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word != NULL;
	     word = strtok(NULL, " "))
		argv[argc++] = word;
	return cli_args(argc, argv, &table, words);
}

Test(args, options_and_words_in_any_order)
{
	struct cli_words words;

	cr_assert_eq(args("a --number 7 --text=x=y b --flag --small 3 "
			  "--size 2KiB --part 5%",
			 &words),
	    -1);
	cr_assert(words.count == 2 && strcmp(words.items[0], "a") == 0 &&
		  strcmp(words.items[1], "b") == 0);
	cr_assert(got.number == 7 && got.flag == 1 && got.small == 3 &&
		  got.size == 2048);
	cr_assert_str_eq(got.text, "x=y");
	cr_assert_float_eq(got.part, 0.05, 1e-9);
	free(words.items);
}

Test(args, dashes_end_the_options)
{
	struct cli_words words;

	cr_assert_eq(args("-- --flag", &words), -1);
	cr_assert_str_eq(words.items[0], "--flag");
	cr_assert_eq(got.flag, 0);
	free(words.items);
}

Test(args, help_prints_the_usage, .init = cr_redirect_stdout)
{
	struct cli_words words;

	cr_assert_eq(args("--help", &words), CLI_OK);
	(void)fflush(stdout);
	cr_assert_stdout_eq_str("usage: tool\n");
}

Test(args, mistakes_are_usage_errors, .init = cr_redirect_stderr)
{
	static const char *const bad[] = {"", "a b c", "a --unknown",
	    "a --number", "a --number x", "a --number -1", "a --number 1x",
	    "a --number 99999999999999999999", "a --small 2147483648",
	    "a --size 5x", "a --part 5", "a --part 101%", "a --flag=1",
	    "a ---"};
	struct cli_words words;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(args(bad[i], &words), CLI_USAGE, "row %zu", i);
}

Test(args, near_miss_is_told, .init = cr_redirect_stderr)
{
	struct cli_words words;

	cr_assert_eq(args("a --nunber 1", &words), CLI_USAGE);
	(void)fflush(stderr);
	cr_assert_stderr_eq_str("secor tool: unknown option --nunber: did you "
				"mean --number? (secor tool --help)\n");
}

Test(args, time_is_iso_utc)
{
	char text[40];

	cr_assert_str_eq(
	    cli_time(1405908800123, text), "2014-07-21T02:13:20.123Z");
	cr_assert_str_eq(cli_time(-1, text), "1969-12-31T23:59:59.999Z");
	cr_assert_str_eq(cli_time(SECOR_NO_TIME, text), "-");
	cr_assert_str_eq(
	    cli_time(INT64_MAX, text), "292278994-08-17T07:12:55.807Z");
}
