/*
 * aws_help.c -- see aws_help.h.
 */
#include "tests/unit/plugins/common/aws_help.h"

#include <unistd.h>

struct aws_under_test aws;

static void
nap(int64_t ms)
{
	(void)ms;
	aws.naps++;
}

void
aws_say(void *arg, int level, const char *event, const char *detail)
{
	size_t len = strlen(aws.said);

	(void)arg;
	(void)snprintf(aws.said + len, sizeof(aws.said) - len, "%d %s %s\n",
	    level, event, detail);
}

void
aws_begin(void)
{
	extern char **environ;
	char name[128];

	for (size_t i = 0; environ[i] != NULL;) {
		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)strcspn(environ[i], "="), environ[i]);
		if (strncmp(name, "AWS_", 4) == 0)
			cr_assert_eq(unsetenv(name), 0);
		else
			i++;
	}
	(void)snprintf(aws.dir, sizeof(aws.dir), "/tmp/secor-aws-XXXXXX");
	cr_assert_not_null(mkdtemp(aws.dir));
	(void)setenv("HOME", aws.dir, 1);
	(void)setenv("no_proxy", "127.0.0.1", 1);
	(void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}

void
aws_end(void)
{
	char command[128];

	aws_cred_close(aws.cred);
	(void)snprintf(command, sizeof(command), "rm -rf %s", aws.dir);
	cr_assert_eq(system(command), 0);
}

const char *
aws_file(const char *name, const char *text)
{
	static char path[256];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", aws.dir, name);
	out = fopen(path, "w");
	cr_assert_not_null(out, "%s", path);
	(void)fputs(text, out);
	(void)fclose(out);
	return path;
}

void
aws_config(const char *text)
{
	(void)setenv("AWS_CONFIG_FILE", aws_file("config", text), 1);
}

int
aws_get(struct aws_cred_conf conf)
{
	aws_cred_close(aws.cred);
	aws.cred = NULL;
	aws.err.text[0] = '\0';
	conf.nap = nap;
	conf.say = aws_say;
	cr_assert_eq(aws_cred_open(&conf, &aws.cred, &aws.err), SECOR_OK);
	return aws_cred_get(aws.cred, AWS_NOW, &aws.key, &aws.err);
}

void
aws_expect(const char *access_key, const char *token, const char *source)
{
	cr_expect_str_eq(aws.key->access_key, access_key);
	cr_expect_str_eq(
	    aws.key->session_token != NULL ? aws.key->session_token : "-",
	    token);
	cr_expect_str_eq(aws.key->source, source);
}

void
aws_says(const char *part)
{
	cr_expect_not_null(
	    strstr(aws.err.text, part), "%s: %s", part, aws.err.text);
}
