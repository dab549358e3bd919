/*
 * aws_profile_test.c -- what a profile leads to: keys, a program, a role that
 * another profile, a source or a token asks for.
 */
#include "tests/unit/plugins/common/aws_help.h"

#include <sys/stat.h>
#include <unistd.h>

TestSuite(aws_profile, .init = aws_begin, .fini = aws_end);

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define ROLE(key) AWS_STS("AssumeRole", key)
#define KEYS "aws_access_key_id = AKIA\naws_secret_access_key = s\n"

static int
get(struct script *script, const char *profile)
{
	return aws_get((struct aws_cred_conf){.profile = profile,
	    .region = "x",
	    .sts_endpoint = script != NULL ? script_url(script) : NULL});
}

Test(aws_profile, role_is_assumed_with_the_keys_of_its_source)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")}};
	struct script *script = script_start(steps, 1);

	aws_config("[profile p]\nrole_arn = arn:aws:iam::1:role/r\n"
		   "source_profile = base\nexternal_id = x=1\n"
		   "role_session_name = me\nduration_seconds = 900\n"
		   "[base]\n" KEYS);
	cr_assert_eq(get(script, "p"), SECOR_OK, "%s", aws.err.text);
	aws_expect("ASIA1", "tok", "role r");
	cr_assert_str_eq(script_body(script, 0),
	    "Action=AssumeRole&Version=2011-06-15&"
	    "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&"
	    "DurationSeconds=900&ExternalId=x%3D1");
	cr_assert_not_null(strstr(script_request(script, 0), "=AKIA/"));
	script_stop(script);
}

Test(aws_profile, roles_chain_through_profiles)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")},
	    {.status = 200, .body = ROLE("ASIA2")}};
	struct script *script = script_start(steps, 2);

	aws_config("[profile p]\nrole_arn = arn:aws:iam::1:role/two\n"
		   "source_profile = q\n"
		   "[profile q]\nrole_arn = arn:aws:iam::1:role/one\n"
		   "source_profile = base\n[profile base]\n" KEYS);
	(void)setenv("AWS_PROFILE", "p", 1);
	cr_assert_eq(get(script, NULL), SECOR_OK, "%s", aws.err.text);
	aws_expect("ASIA2", "tok", "role two");
	cr_assert_not_null(strstr(script_body(script, 0), "%2Fone&"));
	cr_assert_not_null(strstr(script_request(script, 1), "=ASIA1/"));
	script_stop(script);
}

Test(aws_profile, profile_may_be_its_own_source_when_it_has_keys)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")}};
	struct script *script = script_start(steps, 1);

	aws_config("[default]\nrole_arn = arn:aws:iam::1:role/r\n"
		   "source_profile = default\n" KEYS);
	cr_assert_eq(get(script, NULL), SECOR_OK, "%s", aws.err.text);
	aws_expect("ASIA1", "tok", "role r");
	script_stop(script);
}

Test(aws_profile, credential_source_is_the_environment)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")}};
	struct script *script = script_start(steps, 1);

	aws_config("[profile p]\nrole_arn = arn:aws:iam::1:role/r\n"
		   "credential_source = Environment\n");
	cr_assert_eq(get(script, "p"), SECOR_RETRY);
	aws_says("profile p: its credential_source Environment has no "
		 "credentials");
	(void)setenv("AWS_ACCESS_KEY_ID", "env", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	cr_assert_eq(get(script, "p"), SECOR_OK, "%s", aws.err.text);
	cr_assert_not_null(strstr(script_request(script, 0), "=env/"));
	script_stop(script);
}

Test(aws_profile, credential_source_is_the_container)
{
	static const struct script_step steps[] = {
	    {.status = 200,
		.body = AWS_JSON("C", "2026-02-03T05:05:06Z"),
		.closes = 1},
	    {.status = 200, .body = ROLE("ASIA1")}};
	struct script *script = script_start(steps, 2);

	aws_config("[profile p]\nrole_arn = arn:aws:iam::1:role/r\n"
		   "credential_source = EcsContainer\n");
	(void)setenv(
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI", script_url(script), 1);
	cr_assert_eq(get(script, "p"), SECOR_OK, "%s", aws.err.text);
	cr_assert_not_null(strstr(script_request(script, 1), "=C/"));
	script_stop(script);
}

Test(aws_profile, web_identity_of_a_profile)
{
	static const struct script_step steps[] = {{.status = 200,
	    .body = AWS_STS("AssumeRoleWithWebIdentity", "ASIA1")}};
	struct script *script = script_start(steps, 1);
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "[profile p]\nrole_arn = arn:aws:iam::1:role/r\n"
	    "web_identity_token_file = %s\n",
	    aws_file("token", "jwt\n"));
	aws_config(text);
	cr_assert_eq(get(script, "p"), SECOR_OK, "%s", aws.err.text);
	aws_expect("ASIA1", "tok", "role r");
	cr_assert_str_eq(script_body(script, 0),
	    "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"
	    "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&"
	    "RoleSessionName=secor&WebIdentityToken=jwt");
	cr_assert_null(strstr(script_request(script, 0), "uthorization:"));
	script_stop(script);
}

Test(aws_profile, configured_role_is_assumed_by_that_of_the_profile)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")},
	    {.status = 200, .body = ROLE("ASIA2")}};
	static const char *const roles[] = {"arn:aws:iam::2:role/theirs"};
	struct script *script = script_start(steps, 2);

	aws_config("[profile p]\nrole_arn = arn:aws:iam::1:role/ours\n"
		   "source_profile = p\n" KEYS);
	cr_assert_eq(aws_get((struct aws_cred_conf){.profile = "p",
			 .sts_endpoint = script_url(script),
			 .roles = {roles, 1}}),
	    SECOR_OK, "%s", aws.err.text);
	aws_expect("ASIA2", "tok", "role theirs");
	script_stop(script);
}

Test(aws_profile, mistakes_are_named)
{
#define R "role_arn = arn:aws:iam::1:role/r\n"
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"[p]\n" R "source_profile = q\n[q]\n" R "source_profile = p\n",
		"source_profile goes round: p -> q -> p"},
	    {"[p]\n" R "source_profile = p\n",
		"source_profile goes round: p -> p"},
	    {"[p]\n" R "source_profile = q\n",
		"profile q (source_profile of p) is not in "},
	    {"[p]\n" R "source_profile = q\n[q]\nregion = x\n",
		"profile q (source_profile of p) has no aws_access_key_id"},
	    {"[p]\n" R, "profile p: role_arn needs one of source_profile, "
			"credential_source, web_identity_token_file"},
	    {"[p]\n" R "source_profile = q\ncredential_source = Environment\n",
		"web_identity_token_file, not several"},
	    {"[p]\n" R "credential_source = Moon\n",
		"profile p: credential_source is none of Environment, "
		"EcsContainer, Ec2InstanceMetadata"},
	    {"[p]\n" R "source_profile = p\nduration_seconds = 60\n",
		"profile p: duration_seconds must be 900 to 43200"},
	    {"[p]\n" R "source_profile = p\nduration_seconds = 1h\n",
		"profile p: duration_seconds must be 900 to 43200"},
	    {"[p]\n" R "source_profile = p\nmfa_serial = x\n",
		"profile p has mfa_serial: nobody is here to enter its code"},
	    {"[p]\nweb_identity_token_file = /x\n",
		"profile p: web_identity_token_file needs role_arn"},
	    {"[p]\n" R "web_identity_token_file = /nonexistent\n",
		"cannot open /nonexistent"},
	    {"[p]\n" R "source_profile = q\n[q]\nsso_session = x\n",
		"profile q gets its credentials by SSO"},
	    {"[p]\ncredential_process = 'x\n", "a quote is not closed"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		aws_config(rows[i].text);
		cr_expect_eq(get(NULL, "p"), SECOR_FATAL, "%s", rows[i].text);
		aws_says(rows[i].want);
	}
}

Test(aws_profile, file_that_may_not_be_read_ends_the_search)
{
	aws_config("[default]\n" KEYS);
	cr_assert_eq(chmod(getenv("AWS_CONFIG_FILE"), 0), 0);
	if (geteuid() == 0) {
		/* to root nothing is closed, but a folder is no file */
		(void)setenv("AWS_CONFIG_FILE", aws.dir, 1);
	}
	(void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI",
	    "http://127.0.0.1:1/never", 1);
	cr_assert_eq(get(NULL, NULL), SECOR_FATAL);
	aws_says("cannot ");
	aws_says(getenv("AWS_CONFIG_FILE"));
}
