/*
 * run_test.c -- programs end by themselves or are ended; what they say is kept.
 */
#include "plugins/common/run.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct run
shell(char **words, const char *script)
{
	static char sh[] = "sh", c[] = "-c";

	words[0] = sh;
	words[1] = c;
	words[2] = (char *)(uintptr_t)script;
	words[3] = NULL;
	return (struct run){
	    .words = words, .output = 1, .most = 1000, .limit_ms = 60000};
}

static struct run_result
done(const struct run *run)
{
	struct run_result result;
	struct secor_err err = {""};

	cr_assert_eq(run_program(run, &result, &err), SECOR_OK, "%s", err.text);
	return result;
}

Test(run, output_is_kept_and_the_other_one_dropped)
{
	char *words[4];
	struct run run = shell(words, "echo out; echo err >&2; exit 7");
	struct run_result result = done(&run);

	cr_assert_eq(result.end, RUN_ENDED);
	cr_assert_eq(WEXITSTATUS(result.how), 7);
	cr_assert_str_eq(result.bytes, "out\n");
	free(result.bytes);
	run.output = 2;
	result = done(&run);
	cr_assert_str_eq(result.bytes, "err\n");
	free(result.bytes);
}

Test(run, input_is_given_whole_and_environment_is_the_one_given)
{
	char *words[4];
	char a[] = "A=1", path[] = "PATH=/usr/bin:/bin";
	char *environment[] = {a, path, NULL};
	struct run run = shell(words, "wc -c; echo $A$HOME");
	char *input = malloc(1 << 20);
	struct run_result result;

	memset(input, 'x', 1 << 20);
	run.input = input;
	run.input_len = 1 << 20;
	run.environment = environment;
	result = done(&run);
	cr_assert_str_eq(result.bytes, "1048576\n1\n");
	free(result.bytes);
	free(input);
}

Test(run, program_that_reads_no_input_is_no_failure)
{
	char *words[4];
	struct run run = shell(words, "exit 0");
	struct run_result result;

	run.input = "never read";
	run.input_len = 10;
	result = done(&run);
	cr_assert_eq(result.end, RUN_ENDED);
	cr_assert_eq(result.how, 0);
	free(result.bytes);
}

Test(run, what_says_too_much_or_takes_too_long_is_killed)
{
	char *words[4];
	struct run run = shell(words, "while :; do echo 0123456789; done");
	struct run_result result = done(&run);

	cr_assert_eq(result.end, RUN_TOO_MUCH);
	free(result.bytes);
	run = shell(words, "sleep 100 & sleep 100");
	run.limit_ms = 50;
	result = done(&run);
	cr_assert_eq(result.end, RUN_TOO_LONG);
	free(result.bytes);
}

Test(run, what_cannot_run_is_said)
{
	char *words[4];
	char nothing[] = "/no/such/program";
	struct run run = shell(words, "");
	struct run_result result;
	struct secor_err err = {""};

	words[0] = nothing;
	cr_assert_eq(run_program(&run, &result, &err), SECOR_FATAL);
	cr_assert_str_eq(
	    err.text, "cannot run /no/such/program: No such file or directory");
}
