/*
 * aws_help.h -- what the tests of AWS credentials share: an environment without
 * AWS, files in a folder of the test's own, and answers of services.
 */
#ifndef TESTS_UNIT_AWS_HELP_H
#define TESTS_UNIT_AWS_HELP_H

#include "plugins/common/aws_cred.h"
#include "tests/unit/plugins/common/script.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define AWS_NOW INT64_C(1770091506000) /* 2026-02-03T04:05:06Z */

#define AWS_JSON(key, expires)                                           \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"" key                   \
	"\",\"SecretAccessKey\":\"s\",\"Token\":\"tok\",\"Expiration\":" \
	"\"" expires "\"}"
/* Holds for an hour. */
#define AWS_STS(action, key) AWS_STS_UNTIL(action, key, "2026-02-03T05:05:06Z")
#define AWS_STS_UNTIL(action, key, expires)                                \
	"<" action "Response xmlns=\"https://sts.amazonaws."               \
	"com/doc/2011-06-15/\"><" action "Result>"                         \
	"<Credentials><AccessKeyId>" key                                   \
	"</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>" \
	"tok</SessionToken><Expiration>" expires "</Expiration>"           \
	"</Credentials></" action "Result></" action "Response>"
#define AWS_NO(code, message)                                          \
	"<ErrorResponse><Error><Code>" code "</Code><Message>" message \
	"</Message></Error></ErrorResponse>"

/* What one test works with. */
extern struct aws_under_test {
	char dir[64]; /* also HOME */
	struct secor_err err;
	struct aws_cred *cred;
	const struct aws_key *key;
	int naps;
	char said[4096]; /* "level event detail\n" each */
} aws;

/* For aws_cred_conf.say: into aws.said. */
void aws_say(void *arg, int level, const char *event, const char *detail);
void aws_begin(void);
void aws_end(void);
/* The path of a new file with this text; until the next call. */
const char *aws_file(const char *name, const char *text);
/* This is the shared configuration file. */
void aws_config(const char *text);
/* Opens and asks once, at AWS_NOW. */
int aws_get(struct aws_cred_conf conf);
/* The key that was got; token "-": none. */
void aws_expect(const char *access_key, const char *token, const char *source);
/* The error's text has this part. */
void aws_says(const char *part);

#endif
