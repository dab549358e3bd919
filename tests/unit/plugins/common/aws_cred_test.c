/*
 * aws_cred_test.c -- every source of credentials, against a scripted server
 * where it is a service. Each test has its own process, so its own environment.
 */
#include "plugins/common/aws_cred.h"
#include "tests/unit/plugins/common/aws_help.h"

TestSuite(aws_cred, .init = aws_begin, .fini = aws_end);

Test(aws_cred, configuration_wins_over_everything)
{
	(void)setenv("AWS_ACCESS_KEY_ID", "env", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	cr_assert_eq(
	    aws_get((struct aws_cred_conf){
		.access_key = "conf", .secret_key = "s", .session_token = "t"}),
	    SECOR_OK);
	aws_expect("conf", "t", "configuration");
}

Test(aws_cred, environment_wins_over_files_unless_a_profile_is_configured)
{
	struct aws_cred_conf conf = {.profile = "p"};

	(void)setenv("AWS_ACCESS_KEY_ID", "env", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	(void)setenv("AWS_SESSION_TOKEN", "", 1);
	(void)setenv("AWS_SHARED_CREDENTIALS_FILE",
	    aws_file(
		"c", "[p]\naws_access_key_id=file\naws_secret_access_key=s\n"),
	    1);
	cr_assert_eq(aws_get((struct aws_cred_conf){.region = "x"}), SECOR_OK);
	aws_expect("env", "-", "environment");
	cr_assert_eq(aws_get(conf), SECOR_OK, "%s", aws.err.text);
	aws_expect("file", "-", "profile p");
}

Test(aws_cred, half_an_environment_is_an_error)
{
	(void)setenv("AWS_ACCESS_KEY_ID", "env", 1);
	cr_assert_eq(
	    aws_get((struct aws_cred_conf){.region = "x"}), SECOR_FATAL);
	cr_assert_not_null(
	    strstr(aws.err.text, "without AWS_SECRET_ACCESS_KEY"), "%s",
	    aws.err.text);
}

Test(aws_cred, shared_files_are_read_like_the_tools_do)
{
	char region[32];

	(void)setenv("AWS_SHARED_CREDENTIALS_FILE",
	    aws_file("c", "# comment\n"
			  "[other]\naws_access_key_id = no\n"
			  "[ team ] ; mine\n"
			  "AWS_Access_Key_Id =  AKIA1  \n"
			  "aws_secret_access_key = a=b/c+d\n"
			  "  region = indented lines belong to others\n"
			  "aws_session_token=tok\n"),
	    1);
	(void)setenv("AWS_CONFIG_FILE",
	    aws_file("f",
		"[default]\nregion = us-west-1\n"
		"[profile team]\nregion = eu-central-1\noutput=json\n"),
	    1);
	(void)setenv("AWS_PROFILE", "team", 1);
	cr_assert_eq(aws_get((struct aws_cred_conf){.region = "x"}), SECOR_OK,
	    "%s", aws.err.text);
	aws_expect("AKIA1", "tok", "profile team");
	cr_assert_str_eq(aws.key->secret_key, "a=b/c+d");
	cr_assert_eq(aws_region(NULL, region, sizeof(region)), 0);
	cr_assert_str_eq(region, "eu-central-1");
	cr_assert_eq(aws_region("default", region, sizeof(region)), 0);
	cr_assert_str_eq(region, "us-west-1");
	cr_assert_eq(aws_region("none", region, sizeof(region)), -1);
	(void)setenv("AWS_DEFAULT_REGION", "ap-1", 1);
	cr_assert_eq(aws_region("none", region, sizeof(region)), 0);
	cr_assert_str_eq(region, "ap-1");
}

Test(aws_cred, named_profile_that_cannot_serve_says_why)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"[q]\n", "is not in"},
	    {"[p]\naws_access_key_id = a\n", "has no aws_access_key_id with"},
	    {"[p]\nsso_session = x\n", "profile p gets its credentials by SSO"},
	    {"[p]\nsso_start_url = x\n", "by SSO, where a person must log in"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)setenv("AWS_SHARED_CREDENTIALS_FILE",
		    aws_file("c", rows[i].text), 1);
		cr_expect_eq(aws_get((struct aws_cred_conf){.profile = "p"}),
		    SECOR_FATAL);
		cr_expect_not_null(
		    strstr(aws.err.text, rows[i].want), "%s", aws.err.text);
	}
}

Test(aws_cred, nothing_anywhere_says_what_to_do)
{
	cr_assert_eq(
	    aws_get((struct aws_cred_conf){.region = "x"}), SECOR_FATAL);
	cr_assert_not_null(strstr(aws.err.text, "no AWS credentials"));
	cr_assert_eq(aws.naps, 0);
}

Test(aws_cred, web_identity_asks_sts)
{
	static const struct script_step steps[] = {{.status = 503},
	    {.status = 200,
		.body = AWS_STS("AssumeRoleWithWebIdentity", "ASIA1")}};
	struct script *script = script_start(steps, 2);
	const char *form;

	(void)setenv(
	    "AWS_WEB_IDENTITY_TOKEN_FILE", aws_file("t", "a.b+c/d=\n"), 1);
	(void)setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/x", 1);
	cr_assert_eq(
	    aws_get((struct aws_cred_conf){.sts_endpoint = script_url(script)}),
	    SECOR_OK, "%s", aws.err.text);
	aws_expect("ASIA1", "tok", "role x");
	cr_assert_eq(aws.key->expires_ms, AWS_NOW + 3600000);
	cr_assert_eq(aws.naps, 1);
	form = script_body(script, 1);
	cr_assert_str_eq(form,
	    "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"
	    "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&"
	    "RoleSessionName=secor&WebIdentityToken=a.b%2Bc%2Fd%3D");
	script_stop(script);
}

Test(aws_cred, sts_that_refuses_is_for_a_person)
{
	static const struct script_step steps[] = {{.status = 403,
	    .body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>"
		    "Not authorized</Message></Error></ErrorResponse>"}};
	struct script *script = script_start(steps, 1);

	(void)setenv("AWS_WEB_IDENTITY_TOKEN_FILE", aws_file("t", "x"), 1);
	(void)setenv("AWS_ROLE_ARN", "arn", 1);
	(void)setenv("AWS_ENDPOINT_URL_STS", script_url(script), 1);
	cr_assert_eq(
	    aws_get((struct aws_cred_conf){.region = "x"}), SECOR_FATAL);
	aws_says("assume role arn: AccessDenied: it may not");
	aws_says("(the token of ");
	aws_says(": Not authorized");
	script_stop(script);
}

Test(aws_cred, container_sends_its_token)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = AWS_JSON("ASIA2", "2026-02-03T05:05:06Z")}};
	struct script *script = script_start(steps, 1);
	char url[128];

	(void)snprintf(url, sizeof(url), "%s/creds", script_url(script));
	(void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
	(void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
	    aws_file("t", "Bearer x\n"), 1);
	cr_assert_eq(aws_get((struct aws_cred_conf){.region = "x"}), SECOR_OK,
	    "%s", aws.err.text);
	aws_expect("ASIA2", "tok", "container");
	cr_assert(script_has(script, 0, "Authorization: Bearer x"));
	script_stop(script);
}

Test(aws_cred, container_elsewhere_needs_https)
{
	static const char *const urls[] = {"http://example.com/",
	    "http://127.0.0.1.example.com/", "http://127.0.0.1:1@example.com/",
	    "ftp://127.0.0.1/"};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		(void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[i], 1);
		cr_expect_eq(aws_get((struct aws_cred_conf){.region = "x"}),
		    SECOR_FATAL, "%s", urls[i]);
		cr_expect_not_null(strstr(aws.err.text, "must be https"));
	}
}

static void
use_ec2(struct script *script)
{
	(void)unsetenv("AWS_EC2_METADATA_DISABLED");
	(void)setenv(
	    "AWS_EC2_METADATA_SERVICE_ENDPOINT", script_url(script), 1);
}

Test(aws_cred, ec2_takes_a_session_token_first)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = "TOKEN"},
	    {.status = 200, .body = "my-role\nother"},
	    {.status = 200, .body = AWS_JSON("ASIA3", "2026-02-03T10:05:06Z")}};
	struct script *script = script_start(steps, 3);

	use_ec2(script);
	cr_assert_eq(aws_get((struct aws_cred_conf){.region = "x"}), SECOR_OK,
	    "%s", aws.err.text);
	aws_expect("ASIA3", "tok", "EC2 metadata");
	cr_assert_eq(strncmp(script_request(script, 0),
			 "PUT /latest/api/token HTTP", 26),
	    0);
	cr_assert(script_has(
	    script, 0, "X-aws-ec2-metadata-token-ttl-seconds: 21600"));
	cr_assert_not_null(strstr(script_request(script, 2),
	    "GET /latest/meta-data/iam/security-credentials/my-role HTTP"));
	cr_assert(script_has(script, 2, "X-aws-ec2-metadata-token: TOKEN"));
	script_stop(script);
}

Test(aws_cred, ec2_without_a_role_says_so)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = "TOKEN"}, {.status = 404}};
	struct script *script = script_start(steps, 2);

	use_ec2(script);
	cr_assert_eq(
	    aws_get((struct aws_cred_conf){.region = "x"}), SECOR_FATAL);
	cr_assert_not_null(strstr(aws.err.text, "role"), "%s", aws.err.text);
	script_stop(script);
}

Test(aws_cred, metadata_of_another_cloud_is_no_source)
{
	static const struct script_step steps[] = {{.status = 403}};
	struct script *script = script_start(steps, 1);

	use_ec2(script);
	cr_assert_eq(
	    aws_get((struct aws_cred_conf){.region = "x"}), SECOR_FATAL);
	cr_assert_not_null(
	    strstr(aws.err.text, "no AWS credentials"), "%s", aws.err.text);
	script_stop(script);
}

Test(aws_cred, key_is_renewed_before_it_expires_and_kept_when_that_fails)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = AWS_JSON("A", "2026-02-03T05:05:06Z")},
	    {.status = 404},
	    {.status = 200, .body = AWS_JSON("B", "2026-02-03T06:05:06Z")},
	    {.status = 404}};
	struct script *script = script_start(steps, 4);
	const int64_t expires = AWS_NOW + 3600000;

	(void)setenv(
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI", script_url(script), 1);
	cr_assert_eq(aws_get((struct aws_cred_conf){.region = "x"}), SECOR_OK);
	cr_assert_eq(
	    aws_cred_get(aws.cred, expires - 300001, &aws.key, &aws.err),
	    SECOR_OK);
	cr_assert_eq(script_count(script), 1);
	/* due, refused, the old one is still good, and not asked at once */
	cr_assert_eq(
	    aws_cred_get(aws.cred, expires - 300000, &aws.key, &aws.err),
	    SECOR_OK);
	cr_assert_str_eq(aws.key->access_key, "A");
	cr_assert_eq(
	    aws_cred_get(aws.cred, expires - 299000, &aws.key, &aws.err),
	    SECOR_OK);
	cr_assert_eq(script_count(script), 2);
	cr_assert_eq(
	    aws_cred_get(aws.cred, expires - 270000, &aws.key, &aws.err),
	    SECOR_OK);
	cr_assert_str_eq(aws.key->access_key, "B");
	cr_assert_eq(script_count(script), 3);
	/* expired and refused: no key */
	cr_assert_eq(
	    aws_cred_get(aws.cred, expires + 3600000, &aws.key, &aws.err),
	    SECOR_FATAL);
	script_stop(script);
}

Test(aws_cred, forgotten_key_that_is_not_to_be_had_again_says_so)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = AWS_JSON("A", "2026-02-03T05:05:06Z")},
	    {.status = 404}};
	struct script *script = script_start(steps, 2);

	(void)setenv(
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI", script_url(script), 1);
	cr_assert_eq(aws_get((struct aws_cred_conf){.region = "x"}), SECOR_OK);
	aws_cred_forget(aws.cred);
	cr_assert_eq(
	    aws_cred_get(aws.cred, AWS_NOW, &aws.key, &aws.err), SECOR_FATAL);
	aws_says("the AWS credentials from container are refused: "
		 "container: HTTP 404");
	script_stop(script);
}

Test(aws_cred, forgotten_key_is_asked_for_again)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = AWS_JSON("A", "2026-02-03T05:05:06Z")},
	    {.status = 200, .body = AWS_JSON("B", "2026-02-03T05:05:06Z")}};
	struct script *script = script_start(steps, 2);

	(void)setenv(
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI", script_url(script), 1);
	cr_assert_eq(aws_get((struct aws_cred_conf){.region = "x"}), SECOR_OK);
	aws_cred_forget(aws.cred);
	cr_assert_eq(
	    aws_cred_get(aws.cred, AWS_NOW, &aws.key, &aws.err), SECOR_OK);
	cr_assert_str_eq(aws.key->access_key, "B");
	script_stop(script);
}

Test(aws_cred, service_that_does_not_answer_is_asked_thrice)
{
	static const struct script_step steps[] = {{.how = SCRIPT_RESET},
	    {.status = 500}, {.status = 200, .body = "not json"}};
	struct script *script = script_start(steps, 3);

	(void)setenv(
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI", script_url(script), 1);
	cr_assert_eq(
	    aws_get((struct aws_cred_conf){.region = "x"}), SECOR_RETRY);
	cr_assert_eq(script_count(script), 3);
	cr_assert_eq(aws.naps, 2);
	cr_assert_not_null(strstr(aws.err.text, "has no credentials"));
	script_stop(script);
}
