/*
 * msk_iam_test.c -- the signed address, against what botocore's SigV4QueryAuth
 * makes of the same keys at the same time.
 */
#include "plugins/common/base64.h"
#include "tests/unit/harness.h"
#include "tests/unit/plugins/common/script.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1770091506789) /* 2026-02-03T04:05:06.789Z */
#define SECOND INT64_C(1000)

static const struct plugin *msk;
static struct secor_token token;
static struct secor_err err;
static void *conf, *self;

static int64_t
fixed_now(const struct secor_host *host)
{
	(void)host;
	return NOW;
}

static void
no_log(const struct secor_host *host, int level, const char *event,
    const char *detail)
{
	(void)host;
	(void)level;
	(void)event;
	(void)detail;
}

static const struct secor_host HOST = {
    .size = sizeof(HOST), .now_ms = fixed_now, .log = no_log};

static void
begin(void)
{
	static const char *const NAMES[] = {"AWS_ACCESS_KEY_ID",
	    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION",
	    "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CONFIG_FILE",
	    "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
	    "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI"};

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++)
		(void)unsetenv(NAMES[i]);
	(void)setenv("HOME", "/nonexistent", 1);
	(void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	msk = harness_plugin("token/msk-iam");
	token = (struct secor_token){.size = sizeof(token)};
}

static void
end(void)
{
	msk->ops.token->close(self);
	harness_conf_free(msk, conf);
}

TestSuite(msk_iam, .init = begin, .fini = end);

static int
fetch(void)
{
	struct secor_open with = {
	    .size = sizeof(with), .conf = conf, .host = &HOST};
	int rc = msk->ops.token->open(&with, &self, &err);

	return rc != SECOR_OK ? rc : msk->ops.token->fetch(self, &token, &err);
}

/* What the token is the base64 of; the caller frees. */
static char *
decoded(void)
{
	size_t len = strlen(token.value), made = 0;
	char *text = malloc(len + 4), *plain = calloc(1, len + 4);

	cr_assert_null(strpbrk(token.value, "+/="));
	(void)memcpy(text, token.value, len + 1);
	for (char *at = text; *at != '\0'; at++)
		*at = (char)(*at == '-' ? '+' : *at == '_' ? '/' : *at);
	while (len % 4 != 0)
		text[len++] = '=';
	cr_assert(base64_get(text, len, plain, &made));
	free(text);
	return plain;
}

#define HEAD                                                               \
	"https://kafka.eu-west-1.amazonaws.com/"                           \
	"?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=AWS4-HMAC-SHA256" \
	"&X-Amz-Credential=AKIDEXAMPLE%2F20260203%2Feu-west-1"             \
	"%2Fkafka-cluster%2Faws4_request&X-Amz-Date=20260203T040506Z"      \
	"&X-Amz-Expires=900"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

Test(msk_iam, token_of_keys_is_the_signed_address)
{
	char *url;

	conf = harness_conf(msk, "region", "eu-west-1", "access_key",
	    "AKIDEXAMPLE", "secret_key", SECRET, NULL);
	cr_assert_eq(fetch(), SECOR_OK, "%s", err.text);
	url = decoded();
	cr_expect_str_eq(url,
	    HEAD "&X-Amz-SignedHeaders=host&X-Amz-Signature="
		 "f1d5e0e67eb628851e95262331b434a943bc25d55fb7602352364795"
		 "b67229ed&User-Agent=secor");
	cr_expect_eq(token.expires_ms, NOW / SECOND * SECOND + 900 * SECOND);
	cr_expect_str_eq(token.principal, "AKIDEXAMPLE");
	cr_expect_eq(token.extension_count, 0);
	free(url);
}

Test(msk_iam, session_token_of_the_environment_is_signed_too)
{
	char *url;

	(void)setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
	(void)setenv("AWS_SESSION_TOKEN", "session/token+with=signs", 1);
	(void)setenv("AWS_REGION", "eu-west-1", 1);
	conf = harness_conf(msk, NULL);
	cr_assert_eq(fetch(), SECOR_OK, "%s", err.text);
	url = decoded();
	cr_expect_str_eq(url,
	    HEAD "&X-Amz-Security-Token=session%2Ftoken%2Bwith%3Dsigns"
		 "&X-Amz-SignedHeaders=host&X-Amz-Signature="
		 "43095dc1d7b087f7ac8e671fdbb3ac95d6b4b4da65315bbc5f01bc68"
		 "f05e47f5&User-Agent=secor");
	free(url);
}

Test(msk_iam, region_not_known_does_not_open)
{
	conf = harness_conf(
	    msk, "access_key", "AKIDEXAMPLE", "secret_key", SECRET, NULL);
	cr_expect_eq(fetch(), SECOR_FATAL);
	cr_expect_str_eq(err.text,
	    "the cluster's region is not known: set region, or AWS_REGION");
}

Test(msk_iam, region_of_the_environment_that_is_none_does_not_open)
{
	(void)setenv("AWS_REGION", "evil.example/", 1);
	conf = harness_conf(msk, NULL);
	cr_expect_eq(fetch(), SECOR_FATAL);
	cr_expect_str_eq(err.text, "'evil.example/' is no region of AWS");
}

Test(msk_iam, no_credentials_are_a_persons_to_mend)
{
	conf = harness_conf(msk, "region", "eu-west-1", NULL);
	cr_expect_eq(fetch(), SECOR_FATAL);
	cr_expect_not_null(strstr(err.text, "no AWS credentials"));
}

Test(msk_iam, session_token_without_end_is_refused)
{
	static char longest[16384];

	(void)memset(longest, 'x', sizeof(longest) - 1);
	conf = harness_conf(msk, "region", "eu-west-1", "access_key",
	    "AKIDEXAMPLE", "secret_key", SECRET, "session_token", longest,
	    NULL);
	cr_expect_eq(fetch(), SECOR_FATAL);
	cr_expect_str_eq(
	    err.text, "the session token of configuration is too long");
}

Test(msk_iam, check_complains)
{
	char *said;

	conf = harness_conf(msk, "region", "Europe", "access_key", "A",
	    "profile", "kafka", "role_arn", "[admin]", "external_id", "[a, b]",
	    "sts_endpoint", "ftp://x", NULL);
	said = harness_check(msk, conf);
	cr_expect_str_eq(said,
	    "region: is no region of AWS\n"
	    "sts_endpoint: must be https://host[:port] or http://host[:port]\n"
	    "secret_key: is missing beside access_key\n"
	    "profile: says another key than access_key\n"
	    "role_arn: admin is no arn:aws:iam::ACCOUNT:role/NAME\n"
	    "external_id: must be 2 to 1224 of a-z, A-Z, 0-9 and "
	    "`+=,.@:/_-`\n"
	    "external_id: must be 2 to 1224 of a-z, A-Z, 0-9 and "
	    "`+=,.@:/_-`\n"
	    "external_id: must name one for each of role_arn, in the same "
	    "order ('' for a role without)\n");
	free(said);
}

/* The key of the role ends ten minutes from now: so does the token. */
Test(msk_iam, role_is_assumed_and_its_token_ends_with_its_key)
{
	static const struct script_step step = {.status = 200,
	    .body = "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
		    "<AccessKeyId>ASIAROLE</AccessKeyId>"
		    "<SecretAccessKey>role-secret</SecretAccessKey>"
		    "<SessionToken>role-token</SessionToken>"
		    "<Expiration>2026-02-03T04:15:06Z</Expiration>"
		    "</Credentials></AssumeRoleResult></AssumeRoleResponse>"};
	struct script *sts = script_start(&step, 1);
	char *url;

	(void)setenv("no_proxy", "127.0.0.1", 1);
	conf = harness_conf(msk, "region", "eu-west-1", "access_key",
	    "AKIDEXAMPLE", "secret_key", SECRET, "role_arn",
	    "[arn:aws:iam::123456789012:role/kafka]", "external_id", "[abc]",
	    "sts_endpoint", script_url(sts), NULL);
	cr_assert_eq(fetch(), SECOR_OK, "%s", err.text);
	url = decoded();
	cr_expect_not_null(strstr(url, "X-Amz-Credential=ASIAROLE%2F"));
	cr_expect_not_null(strstr(url, "X-Amz-Security-Token=role-token&"));
	cr_expect_eq(token.expires_ms, (NOW / SECOND + 600) * SECOND);
	cr_expect_not_null(strstr(script_request(sts, 0), "AssumeRole"));
	cr_expect_not_null(strstr(script_request(sts, 0), "abc"));
	free(url);
	script_stop(sts);
}
