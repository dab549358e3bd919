/*
 * aws_sts_test.c -- roles and chains of them: what STS is asked, what its
 * refusals become, and when it is asked again.
 */
#include "tests/unit/plugins/common/aws_help.h"

#include "plugins/common/aws_source.h"

TestSuite(aws_sts, .init = aws_begin, .fini = aws_end);

#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))
#define ROLE(key) AWS_STS("AssumeRole", key)
#define FIRST "arn:aws:iam::1:role/first"
#define SECOND "arn:aws:iam::2:role/team/second"

static const char *const both[] = {FIRST, SECOND};

static struct aws_cred_conf
conf_of(struct script *script, size_t roles)
{
	return (struct aws_cred_conf){.access_key = "AKIA",
	    .secret_key = "secret",
	    .region = "eu-west-1",
	    .sts_endpoint = script_url(script),
	    .roles = {both, roles}};
}

Test(aws_sts, role_is_asked_for_with_a_signature)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")}};
	struct script *script = script_start(steps, 1);
	struct aws_cred_conf conf = conf_of(script, 1);
	static const char *const ids[] = {"id/of them"};

	conf.external_ids = (struct secor_strings){ids, 1};
	conf.role_session_name = "me@host";
	conf.role_duration_ms = 7200000;
	cr_assert_eq(aws_get(conf), SECOR_OK, "%s", aws.err.text);
	aws_expect("ASIA1", "tok", "role first");
	cr_assert_eq(aws.key->expires_ms, AWS_NOW + 3600000);
	cr_assert_str_eq(script_body(script, 0),
	    "Action=AssumeRole&Version=2011-06-15&"
	    "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Ffirst&"
	    "RoleSessionName=me%40host&DurationSeconds=7200&"
	    "ExternalId=id%2Fof%20them");
	cr_assert_eq(strncmp(script_request(script, 0), "POST / HTTP", 11), 0);
	cr_assert(script_has(script, 0, "x-amz-date: 20260203T040506Z"));
	cr_assert_not_null(strstr(script_request(script, 0),
	    "AWS4-HMAC-SHA256 Credential=AKIA/20260203/eu-west-1/sts/"
	    "aws4_request, SignedHeaders=content-type;host;"));
	cr_assert_str_eq(aws.said,
	    "2 AWS credentials taken from=\"role first\" "
	    "expires=2026-02-03T05:05:06Z\n");
	script_stop(script);
}

Test(aws_sts, chain_asks_with_the_keys_of_the_role_before)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")},
	    {.status = 200, .body = ROLE("ASIA2")}};
	struct script *script = script_start(steps, 2);
	struct aws_cred_conf conf = conf_of(script, 2);
	static const char *const ids[] = {"", "x2"};

	conf.external_ids = (struct secor_strings){ids, 2};
	cr_assert_eq(aws_get(conf), SECOR_OK, "%s", aws.err.text);
	aws_expect("ASIA2", "tok", "role second");
	cr_assert_null(strstr(script_body(script, 0), "ExternalId"));
	cr_assert_not_null(strstr(script_body(script, 0), "=secor"));
	cr_assert_not_null(strstr(script_request(script, 1), "=ASIA1/"));
	cr_assert(script_has(script, 1, "x-amz-security-token: tok"));
	cr_assert_not_null(strstr(script_body(script, 1), "&ExternalId=x2"));
	script_stop(script);
}

Test(aws_sts, refusals_name_role_asker_and_fix)
{
	static const struct {
		int http;
		const char *body;
		int status;
		const char *want;
	} rows[] = {
	    {403, AWS_NO("AccessDenied", "User x is not authorized"),
		SECOR_FATAL,
		"assume role " FIRST ": AccessDenied: it may not: the role's "
		"trust policy must let it in, under this external_id if it "
		"asks for one, and keys need sts:AssumeRole there (access key "
		"AKIA, from configuration asked 127.0.0.1:"},
	    {403, AWS_NO("AccessDenied", "User x is not authorized"),
		SECOR_FATAL, "): User x is not authorized"},
	    {403, AWS_NO("ExpiredTokenException", "m"), SECOR_FATAL,
		"ExpiredTokenException: what asks has expired"},
	    {400, AWS_NO("ExpiredToken", "m"), SECOR_FATAL,
		"ExpiredToken: what asks has expired"},
	    {403, AWS_NO("InvalidClientTokenId", "m"), SECOR_FATAL,
		"does not know the access key"},
	    {403, AWS_NO("SignatureDoesNotMatch", "m"), SECOR_FATAL,
		"the secret key is wrong"},
	    {400, AWS_NO("MalformedPolicyDocument", "m"), SECOR_FATAL,
		"a policy of the role is not understood"},
	    {403, AWS_NO("RegionDisabledException", "m"), SECOR_FATAL,
		"switch STS on in this region"},
	    {400,
		AWS_NO("ValidationError", "1 hour session limit for chaining"),
		SECOR_FATAL, "an hour where a role assumes it"},
	    {404, "<ErrorResponse><Code>NoSuchEntity</Code></ErrorResponse>",
		SECOR_FATAL, "NoSuchEntity: there is no such role"},
	    {403, "<Error><Code>AccessDenied</Code></Error>", SECOR_FATAL,
		"AccessDenied: it may not"},
	    {403, AWS_NO("SomethingNew", "why"), SECOR_FATAL,
		"first: SomethingNew (access key AKIA"},
	    {302, "moved", SECOR_FATAL, "first: HTTP 302 ("},
	    {200, "<html/>", SECOR_RETRY, "has no credentials"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct script_step step = {
		    .status = rows[i].http, .body = rows[i].body};
		struct script *script = script_start(&step, 1);

		cr_expect_eq(
		    aws_get(conf_of(script, 1)), rows[i].status, "%zu", i);
		aws_says(rows[i].want);
		cr_expect_eq(script_count(script), 1, "%s", rows[i].want);
		script_stop(script);
	}
	cr_assert_eq(aws.naps, 0);
}

Test(aws_sts, throttling_is_asked_again_then_a_wait)
{
	static const struct script_step steps[] = {
	    {.status = 400, .body = AWS_NO("Throttling", "Rate exceeded")},
	    {.status = 400, .body = AWS_NO("ThrottlingException", "Rate")},
	    {.status = 400, .body = AWS_NO("Throttling", "Rate exceeded")}};
	struct script *script = script_start(steps, 3);

	cr_assert_eq(aws_get(conf_of(script, 1)), SECOR_RETRY);
	aws_says("Throttling: it is asked too often");
	cr_assert_eq(script_count(script), 3);
	cr_assert_eq(aws.naps, 2);
	script_stop(script);
}

Test(aws_sts, wrong_clock_is_named)
{
	static const struct script_step steps[] = {{.status = 403,
	    .headers = "Date: Tue, 03 Feb 2026 05:05:06 GMT\r\n",
	    .body = AWS_NO("SignatureDoesNotMatch", "Signature expired")}};
	struct script *script = script_start(steps, 1);

	cr_assert_eq(aws_get(conf_of(script, 1)), SECOR_FATAL);
	aws_says("the clock of this machine is 3600 seconds behind");
	script_stop(script);
}

Test(aws_sts, second_role_that_refuses_gives_no_key_of_the_first)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")},
	    {.status = 403, .body = AWS_NO("AccessDenied", "m")}};
	struct script *script = script_start(steps, 2);

	cr_assert_eq(aws_get(conf_of(script, 2)), SECOR_FATAL);
	cr_assert_null(aws.key);
	aws_says("assume role " SECOND ": AccessDenied");
	aws_says("(access key ASIA1, from role first asked");
	script_stop(script);
}

/* ---- renewal ---- */

Test(aws_sts, keys_live_on_while_sts_is_down_then_it_is_a_wait)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")}, {.status = 500},
	    {.status = 500}, {.status = 500, .body = "<html>"}, {.status = 503},
	    {.status = 503}, {.status = 503},
	    {.status = 200, .body = ROLE("ASIA2")}};
	struct script *script = script_start(steps, COUNT(steps));
	const int64_t expires = AWS_NOW + 3600000;

	cr_assert_eq(aws_get(conf_of(script, 1)), SECOR_OK);
	cr_assert_eq(
	    aws_cred_get(aws.cred, expires - 300000, &aws.key, NULL), SECOR_OK);
	cr_assert_str_eq(aws.key->access_key, "ASIA1");
	cr_assert_eq(script_count(script), 4);
	cr_assert_not_null(strstr(aws.said,
	    "1 AWS credentials not renewed from=\"role first\" "
	    "expires=2026-02-03T05:05:06Z why=\"assume role " FIRST
	    ": HTTP 500 ("));
	cr_assert_eq(
	    aws_cred_get(aws.cred, expires, &aws.key, &aws.err), SECOR_RETRY);
	aws_says("the AWS credentials from role first have expired at "
		 "2026-02-03T05:05:06Z: assume role " FIRST ": HTTP 503");
	cr_assert_eq(
	    aws_cred_get(aws.cred, expires, &aws.key, &aws.err), SECOR_OK);
	cr_assert_str_eq(aws.key->access_key, "ASIA2");
	script_stop(script);
}

Test(aws_sts, no_sts_at_all_is_a_wait)
{
	struct script *script = script_start(NULL, 0);
	struct aws_cred_conf conf = conf_of(script, 1);
	char url[64];

	(void)snprintf(url, sizeof(url), "%s", script_url(script));
	script_stop(script);
	conf.sts_endpoint = url;
	cr_assert_eq(aws_get(conf), SECOR_RETRY);
	aws_says("assume role " FIRST ": 127.0.0.1");
}

Test(aws_sts, short_keys_are_renewed_at_half_of_their_life)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = AWS_JSON("A", "2026-02-03T04:05:16Z")},
	    {.status = 200, .body = AWS_JSON("B", "2026-02-03T04:15:06Z")}};
	struct script *script = script_start(steps, 2);

	(void)setenv(
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI", script_url(script), 1);
	cr_assert_eq(aws_get((struct aws_cred_conf){.region = "x"}), SECOR_OK);
	cr_assert_eq(
	    aws_cred_get(aws.cred, AWS_NOW + 4999, &aws.key, NULL), SECOR_OK);
	cr_assert_str_eq(aws.key->access_key, "A");
	cr_assert_eq(
	    aws_cred_get(aws.cred, AWS_NOW + 5000, &aws.key, NULL), SECOR_OK);
	cr_assert_str_eq(aws.key->access_key, "B");
	cr_assert_eq(script_count(script), 2);
	script_stop(script);
}

Test(aws_sts, source_that_gave_a_key_is_the_only_one_asked_again)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = AWS_JSON("A", "2026-02-03T05:05:06Z")},
	    {.status = 200, .body = AWS_JSON("C", "2026-02-03T06:05:06Z")}};
	struct script *script = script_start(steps, 2);
	const int64_t expires = AWS_NOW + 3600000;

	(void)setenv(
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI", script_url(script), 1);
	cr_assert_eq(aws_get((struct aws_cred_conf){.region = "x"}), SECOR_OK);
	/* somebody else appears, who would come first */
	(void)setenv("AWS_SHARED_CREDENTIALS_FILE",
	    aws_file("c", "[default]\naws_access_key_id = else\n"
			  "aws_secret_access_key = s\n"),
	    1);
	(void)unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	cr_assert_eq(
	    aws_cred_get(aws.cred, expires, &aws.key, &aws.err), SECOR_RETRY);
	aws_says("expired at 2026-02-03T05:05:06Z: the container's agent, "
		 "where the last AWS credentials came from, gives none any "
		 "more; no other source is asked");
	(void)setenv(
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI", script_url(script), 1);
	cr_assert_eq(
	    aws_cred_get(aws.cred, expires, &aws.key, &aws.err), SECOR_OK);
	cr_assert_str_eq(aws.key->access_key, "C");
	script_stop(script);
}

Test(aws_sts, times_are_read_with_their_zone)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
	    {"2026-02-03T04:05:06Z", AWS_NOW},
	    {"2026-02-03T04:05:06.123456789Z", AWS_NOW},
	    {"2026-02-03T04:05:06+00:00", AWS_NOW},
	    {"2026-02-03T05:35:06.5+01:30", AWS_NOW},
	    {"2026-02-02T23:05:06-0500", AWS_NOW},
	    {"2026-02-03T04:05:06", 0},
	    {"2026-02-03T04:05:06Zx", 0},
	    {"2026-02-03T04:05:06+1", 0},
	    {"2026-02-03T04:05:06+01:00x", 0},
	    {"2026-02-03 04:05:06Z", 0},
	    {"", 0},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(
		    aws_time(rows[i].text), rows[i].want, "%s", rows[i].text);
}
