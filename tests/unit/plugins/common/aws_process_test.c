/*
 * aws_process_test.c -- credential_process: its words, its output, its end.
 */
#include "tests/unit/plugins/common/aws_help.h"

#include "plugins/common/aws_source.h"

#include <sys/stat.h>

TestSuite(aws_process, .init = aws_begin, .fini = aws_end);

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define KEYS "\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"s\""

Test(aws_process, command_is_parted_as_a_shell_would)
{
	static const struct {
		const char *command, *want; /* words ended by '|' */
	} rows[] = {
	    {"prog", "prog|"},
	    {"  prog\t-a  b ", "prog|-a|b|"},
	    {"\"/opt/my prog\" --user 'a b'", "/opt/my prog|--user|a b|"},
	    {"p \"a\\\"b\\\\c\\d\"", "p|a\"b\\c\\d|"},
	    {"p 'a\\\"b'", "p|a\\\"b|"},
	    {"p a\\ b \\\"c", "p|a b|\"c|"},
	    {"p ''", "p||"},
	    {"p pre\"mid\"'end'", "p|premidend|"},
	    {"p $HOME ~ `x` $(y) ; z | w > v *",
		"p|$HOME|~|`x`|$(y)|;|z|||w|>|v|*|"},
	    {"p \\", "p|\\|"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char **words, text[256] = "";

		cr_assert_eq(
		    aws_split(rows[i].command, &words, NULL), SECOR_OK);
		for (size_t k = 0; words[k] != NULL; k++) {
			size_t len = strlen(text);

			(void)snprintf(
			    text + len, sizeof(text) - len, "%s|", words[k]);
		}
		cr_expect_str_eq(
		    text, rows[i].want, "%s: %s", rows[i].command, text);
		free(words);
	}
}

Test(aws_process, command_without_end_or_program_is_refused)
{
	static const struct {
		const char *command, *want;
	} rows[] = {
	    {"p \"a", "a quote is not closed"},
	    {"p 'a\\", "a quote is not closed"},
	    {"", "there is no program in it"},
	    {" \t ", "there is no program in it"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char **words = NULL;

		cr_expect_eq(
		    aws_split(rows[i].command, &words, &aws.err), SECOR_FATAL);
		cr_expect_null(words);
		aws_says(rows[i].want);
	}
}

Test(aws_process, output_is_json_of_version_1)
{
	static const struct {
		const char *text;
		int status;
		const char *want;
		int64_t expires;
	} rows[] = {
	    {"{\"Version\":1," KEYS "}", SECOR_OK, "-", 0},
	    {" {\"Version\":1," KEYS ",\"SessionToken\":\"t\","
	     "\"Expiration\":\"2026-02-03T04:05:06Z\",\"Other\":[1]}\n",
		SECOR_OK, "t", AWS_NOW},
	    {"{\"Version\":1," KEYS ",\"SessionToken\":null,"
	     "\"Expiration\":null}",
		SECOR_OK, "-", 0},
	    {"{\"Version\":2," KEYS "}", SECOR_FATAL, "`\"Version\": 1`", 0},
	    {"{\"Version\":\"1\"," KEYS "}", SECOR_FATAL, "Version", 0},
	    {"{" KEYS "}", SECOR_FATAL, "Version", 0},
	    {"{\"Version\":1,\"SecretAccessKey\":\"s\"}", SECOR_FATAL,
		"has no AccessKeyId", 0},
	    {"{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"\"}",
		SECOR_FATAL, "has no SecretAccessKey", 0},
	    {"{\"Version\":1," KEYS ",\"Expiration\":\"soon\"}", SECOR_FATAL,
		"its Expiration is no time", 0},
	    {"{\"Version\":1," KEYS ",\"Expiration\":1770091506}", SECOR_FATAL,
		"its Expiration is no time", 0},
	    {"{\"Version\":1,\"AccessKeyId\":\"a\\r\\nX: y\","
	     "\"SecretAccessKey\":\"s\"}",
		SECOR_FATAL, "is not one line of text", 0},
	    {"{\"Version\":1," KEYS ",\"AccessKeyId\":\"b\"}", SECOR_FATAL,
		"no JSON object", 0},
	    {"{\"Version\":1," KEYS "} x", SECOR_FATAL, "no JSON object", 0},
	    {"[]", SECOR_FATAL, "no JSON object", 0},
	    {"", SECOR_FATAL, "no JSON object", 0},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct aws_found found = {.access_key = NULL};
		const char *text = rows[i].text;

		cr_expect_eq(
		    aws_process_take(text, strlen(text), &found, &aws.err),
		    rows[i].status, "%s: %s", text, aws.err.text);
		if (rows[i].status == SECOR_OK) {
			cr_expect_str_eq(found.access_key, "AKIA");
			cr_expect_str_eq(found.session_token != NULL
					     ? found.session_token
					     : "-",
			    rows[i].want);
			cr_expect_eq(found.expires_ms, rows[i].expires);
		} else {
			aws_says(rows[i].want);
			cr_expect_null(found.access_key);
		}
		aws_found_clear(&found);
	}
}

/* A shell script in the test's folder, whose path has a blank. */
static const char *
program(const char *text)
{
	static char command[300];
	const char *path = aws_file("a program", text);

	cr_assert_eq(chmod(path, 0700), 0);
	(void)snprintf(
	    command, sizeof(command), "\"%s\" one 'two three'", path);
	return command;
}

static int
get(const char *command, int64_t limit_ms)
{
	return aws_get((struct aws_cred_conf){
	    .credential_process = command, .process_ms = limit_ms});
}

Test(aws_process, program_is_run_with_its_words_and_no_input)
{
	cr_assert_eq(get(program("#!/bin/sh\n"
				 "[ \"$2\" = 'two three' ] && [ $# = 2 ] || "
				 "exit 9\n"
				 "read line && exit 8\n"
				 "echo noise >&2\n"
				 "echo '{\"Version\":1," KEYS "}'\n"),
			 0),
	    SECOR_OK, "%s", aws.err.text);
	aws_expect("AKIA", "-", "credential_process");
}

Test(aws_process, program_of_a_profile_is_run)
{
	char text[400];

	(void)snprintf(text, sizeof(text),
	    "[profile p]\ncredential_process = %s\n",
	    program("#!/bin/sh\necho '{\"Version\":1," KEYS "}'\n"));
	aws_config(text);
	cr_assert_eq(aws_get((struct aws_cred_conf){.profile = "p"}), SECOR_OK,
	    "%s", aws.err.text);
	aws_expect("AKIA", "-", "credential_process");
}

Test(aws_process, program_that_fails_is_a_wait)
{
	cr_assert_eq(get(program("#!/bin/sh\necho '{\"Version\":1," KEYS "}'\n"
				 "echo secret >&2\nexit 3\n"),
			 0),
	    SECOR_RETRY);
	aws_says("a program ended with 3: run it by hand to see why");
	cr_assert_null(strstr(aws.err.text, "secret"));
	cr_assert_eq(get(program("#!/bin/sh\nkill -9 $$\n"), 0), SECOR_RETRY);
	aws_says("a program was ended by signal 9");
}

Test(aws_process, program_that_is_not_there_is_for_a_person)
{
	cr_assert_eq(get("/nonexistent/prog x", 0), SECOR_FATAL);
	aws_says("credential_process: cannot run /nonexistent/prog: No such");
}

Test(aws_process, program_that_does_not_end_is_ended)
{
	cr_assert_eq(get("sleep 1000", 1), SECOR_RETRY);
	aws_says("sleep did not end within 1 seconds");
	/* its output is closed, and it goes on */
	cr_assert_eq(
	    get(program("#!/bin/sh\nexec >&-\nsleep 1000\n"), 1), SECOR_RETRY);
	aws_says("did not end within 1 seconds");
}

Test(aws_process, program_that_prints_for_ever_is_ended)
{
	cr_assert_eq(get("yes", 0), SECOR_FATAL);
	aws_says("yes prints more than 64 KiB");
}
