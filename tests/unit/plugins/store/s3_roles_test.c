/*
 * s3_roles_test.c -- the options for roles: what fits together, and that they
 * reach STS.
 */
#include "s3_help.h"

#define ROLE "arn:aws:iam::123456789012:role/team/writer"
#define OTHER "arn:aws:iam:::role/other"
#define LONG "0123456789012345678901234567890123456789012345678901234567890123x"

TestSuite(s3_roles, .init = s3_begin, .fini = s3_end);

static const char *
complaints(const char *const *pairs)
{
	static char text[4096];
	void *conf = harness_conf(t.plugin, "bucket", "logs", NULL);
	char *said;

	for (; pairs[0] != NULL; pairs += 2)
		cr_assert_eq(
		    harness_set(t.plugin, conf, pairs[0], pairs[1], &t.err),
		    SECOR_OK, "%s", t.err.text);
	said = harness_check(t.plugin, conf);
	(void)snprintf(text, sizeof(text), "%s", said);
	free(said);
	harness_conf_free(t.plugin, conf);
	return text;
}

Test(s3_roles, options_that_fit_together_are_accepted)
{
	static const char *const rows[][11] = {
	    {"role_arn", ROLE, NULL},
	    {"role_arn", "[" ROLE ", " OTHER "]", NULL},
	    {"role_arn", ROLE, "external_id", "a/b:c=1", "role_session_name",
		"me@host", "role_duration", "12h", "access_key", "a", NULL},
	    {"role_arn", "[" ROLE ", " OTHER "]", "external_id", "[x1, x2]",
		"role_duration", "15m", NULL},
	    {"credential_process", "prog -a", "role_arn", ROLE, NULL},
	    {"profile", "p", "role_arn", ROLE, NULL},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *said = complaints(rows[i]);

		cr_expect_str_eq(said,
		    i == 2 ? "secret_key: is missing beside access_key\n" : "");
	}
}

Test(s3_roles, options_that_do_not_are_named)
{
	static const struct {
		const char *pairs[9], *want;
	} rows[] = {
	    {{"external_id", "x1", NULL}, "external_id: needs role_arn\n"},
	    {{"role_session_name", "me", NULL},
		"role_session_name: needs role_arn\n"},
	    {{"role_duration", "2h", NULL}, "role_duration: needs role_arn\n"},
	    {{"role_arn", ROLE, "external_id", "[x1, x2]", NULL},
		"external_id: must name one for each of role_arn, in the same "
		"order ('' for a role without)\n"},
	    {{"role_arn", ROLE, "external_id", "x", NULL},
		"external_id: must be 2 to 1224 of a-z, A-Z, 0-9 and "
		"`+=,.@:/_-`\n"},
	    {{"role_arn", ROLE, "external_id", "a b", NULL},
		"external_id: must be 2 to 1224 of a-z, A-Z, 0-9 and "
		"`+=,.@:/_-`\n"},
	    {{"role_arn", ROLE, "role_session_name", LONG, NULL},
		"role_session_name: must be 2 to 64 of a-z, A-Z, 0-9 and "
		"`+=,.@_-`\n"},
	    {{"role_arn", "[" ROLE ", " OTHER "]", "role_duration", "61m",
		 NULL},
		"role_duration: must not be over 1h: a role that a role "
		"assumes holds no longer\n"},
	    {{"role_arn", "writer", NULL},
		"role_arn: writer is no arn:aws:iam::ACCOUNT:role/NAME\n"},
	    {{"role_arn", "arn:aws:iam::123456789012:user/u", NULL},
		"role_arn: arn:aws:iam::123456789012:user/u is no "
		"arn:aws:iam::ACCOUNT:role/NAME\n"},
	    {{"role_arn", "arn:aws:iam::1:role/u", NULL},
		"role_arn: arn:aws:iam::1:role/u is no "
		"arn:aws:iam::ACCOUNT:role/NAME\n"},
	    {{"role_arn", "[" ROLE ", " ROLE "]", NULL},
		"role_arn: names " ROLE " twice: a chain has no loop\n"},
	    {{"credential_process", "p", "profile", "q", NULL},
		"credential_process: says another key than profile\n"},
	    {{"credential_process", "p", "access_key", "a", "secret_key", "s",
		 NULL},
		"credential_process: says another key than access_key\n"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_str_eq(complaints(rows[i].pairs), rows[i].want,
		    "%s instead of %s", complaints(rows[i].pairs),
		    rows[i].want);
}

Test(s3_roles, keys_of_the_role_sign_the_put)
{
	static const struct script_step steps[] = {
	    {.status = 200,
		.body = "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
			"<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s"
			"</SecretAccessKey><SessionToken>tok</SessionToken>"
			"<Expiration>2026-02-03T05:05:06Z</Expiration>"
			"</Credentials></AssumeRoleResult>"
			"</AssumeRoleResponse>",
		.closes = 1},
	    {.status = 200, .headers = ETAG}};

	s3_set("role_arn", ROLE);
	s3_set("external_id", "x1");
	s3_play(steps, COUNT(steps));
	(void)setenv("AWS_ENDPOINT_URL_STS", script_url(t.script), 1);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_not_null(
	    strstr(script_request(t.script, 0), "&DurationSeconds=3600&"
						"ExternalId=x1"));
	cr_assert(script_has(t.script, 1, "x-amz-security-token: tok"));
	cr_assert_not_null(strstr(script_request(t.script, 1), "=ASIA1/"));
	cr_assert_not_null(strstr(t.logged, "AWS credentials taken"));
}

Test(s3_roles, refusal_of_sts_is_the_sentence_of_the_put)
{
	static const struct script_step steps[] = {{.status = 403,
	    .body = "<ErrorResponse><Error><Code>AccessDenied</Code>"
		    "</Error></ErrorResponse>"}};

	s3_set("role_arn", ROLE);
	s3_play(steps, COUNT(steps));
	(void)setenv("AWS_ENDPOINT_URL_STS", script_url(t.script), 1);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_FATAL);
	EXPECT_TEXT("put s3://logs/raw/k: assume role " ROLE
		    ": AccessDenied: it may not");
	cr_assert_eq(script_count(t.script), 1);
}
