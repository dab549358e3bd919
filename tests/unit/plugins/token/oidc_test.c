/*
 * oidc_test.c -- what is asked of a provider, and what is made of its answers.
 */
#include "tests/unit/harness.h"
#include "tests/unit/plugins/common/script.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1770091506789)

static const struct plugin *oidc;
static struct secor_token token;
static struct secor_err err;
static struct script *script;
static void *conf, *self;

static int64_t
fixed_now(const struct secor_host *host)
{
	(void)host;
	return NOW;
}

static const struct secor_host HOST = {
    .size = sizeof(HOST), .now_ms = fixed_now};

static void
begin(void)
{
	(void)setenv("no_proxy", "127.0.0.1", 1);
	oidc = harness_plugin("token/oidc");
	token = (struct secor_token){.size = sizeof(token)};
}

static void
end(void)
{
	if (self != NULL)
		oidc->ops.token->close(self);
	harness_conf_free(oidc, conf);
	if (script != NULL)
		script_stop(script);
}

TestSuite(oidc, .init = begin, .fini = end);

static void
listen_for(const struct script_step *steps, size_t count)
{
	script = script_start(steps, count);
	conf = harness_conf(oidc, "endpoint", script_url(script), "client_id",
	    "my id", "client_secret", "p+ss/w:rd", NULL);
}

static int
fetch(void)
{
	struct secor_open with = {
	    .size = sizeof(with), .conf = conf, .host = &HOST};
	int rc = SECOR_OK;

	if (self == NULL)
		rc = oidc->ops.token->open(&with, &self, &err);
	cr_assert_eq(rc, SECOR_OK, "%s", err.text);
	return oidc->ops.token->fetch(self, &token, &err);
}

static void
set(const char *key, const char *value)
{
	cr_assert_eq(harness_set(oidc, conf, key, value, &err), SECOR_OK, "%s",
	    err.text);
}

/* One answer of status 200 with this body. */
static int
fetch_of(const char *body)
{
	struct script_step step = {.status = 200, .body = body};

	listen_for(&step, 1);
	return fetch();
}

/* ---- what is asked ---- */

Test(oidc, secret_goes_into_the_header)
{
	static const struct script_step step = {.status = 200,
	    .body = "{\"access_token\": \"t1\", \"token_type\": \"bearer\", "
		    "\"expires_in\": 300}"};
	const char *asked;

	listen_for(&step, 1);
	set("scope", "kafka read:all");
	set("parameters", "{audience: a&b}");
	set("extensions", "{poolId: p1}");
	cr_assert_eq(fetch(), SECOR_OK, "%s", err.text);
	asked = script_request(script, 0);
	cr_expect_eq(strncmp(asked, "POST / HTTP/1.1\r\n", 17), 0);
	/* my%20id:p%2Bss%2Fw%3Ard */
	cr_expect(script_has(script, 0,
	    "Authorization: Basic bXklMjBpZDpwJTJCc3MlMkZ3JTNBcmQ="));
	cr_expect(script_has(
	    script, 0, "Content-Type: application/x-www-form-urlencoded"));
	cr_expect_str_eq(script_body(script, 0),
	    "grant_type=client_credentials&scope=kafka%20read%3Aall"
	    "&audience=a%26b");
	cr_expect_str_eq(token.value, "t1");
	cr_expect_str_eq(token.principal, "my id");
	cr_expect_eq(token.expires_ms, NOW + 300000);
	cr_assert_eq(token.extension_count, 1);
	cr_expect_str_eq(token.extensions[0].key, "poolId");
	cr_expect_str_eq(token.extensions[0].value, "p1");
}

Test(oidc, secret_goes_into_the_form_when_told)
{
	static const struct script_step step = {.status = 200,
	    .body = "{\"access_token\": \"t1\", \"expires_in\": \"60\"}"};
	const char *asked;

	listen_for(&step, 1);
	set("client_auth", "post");
	set("principal", "sink");
	cr_assert_eq(fetch(), SECOR_OK, "%s", err.text);
	asked = script_request(script, 0);
	cr_expect_null(strstr(asked, "Authorization"));
	cr_expect_str_eq(script_body(script, 0),
	    "grant_type=client_credentials&client_id=my%20id"
	    "&client_secret=p%2Bss%2Fw%3Ard");
	cr_expect_eq(token.expires_ms, NOW + 60000); /* of a text, too */
	cr_expect_str_eq(token.principal, "sink");
}

/* ---- what is answered ---- */

Test(oidc, life_not_said_is_the_claim_exp)
{
	/* {"alg":"none"}.{"sub":"a?>","exp":1770095106}. */
	cr_assert_eq(fetch_of("{\"access_token\": \"eyJhbGciOiJub25lIn0."
			      "eyJzdWIiOiJhPz4iLCJleHAiOjE3NzAwOTUxMDZ9.\"}"),
	    SECOR_OK, "%s", err.text);
	cr_expect_eq(token.expires_ms, INT64_C(1770095106000));
}

struct answer {
	int status;
	const char *body;
	int rc;
	const char *says; /* behind the address */
};

static const struct answer BAD[] = {
    {401, "{\"error\": \"invalid_client\", \"error_description\": \"no\"}",
	SECOR_FATAL, ": HTTP 401 invalid_client: no"},
    {400, "{\"error\": \"invalid_scope\"}", SECOR_FATAL,
	": HTTP 400 invalid_scope"},
    {404, "<html>", SECOR_FATAL, ": HTTP 404"},
    {302, "", SECOR_FATAL, ": HTTP 302"},
    {429, "{\"error\": 7}", SECOR_RETRY, ": HTTP 429"},
    {408, "[]", SECOR_RETRY, ": HTTP 408"},
    {503, "", SECOR_RETRY, ": HTTP 503"},
    {200, "", SECOR_FATAL, ": its answer has no access_token"},
    {200, "[1]", SECOR_FATAL, ": its answer has no access_token"},
    {200, "{\"access_token\": 7, \"expires_in\": 60}", SECOR_FATAL,
	": its answer has no access_token"},
    {200, "{\"access_token\": \"\", \"expires_in\": 60}", SECOR_FATAL,
	": its answer has no access_token"},
    {200,
	"{\"access_token\": \"t\", \"token_type\": \"mac\", \"expires_in\": "
	"60}",
	SECOR_FATAL, ": gives tokens of the type 'mac', not Bearer"},
    {200, "{\"access_token\": \"opaque\"}", SECOR_FATAL,
	": says no expires_in, and the token is no JWT with exp"},
    {200, "{\"access_token\": \"a.!!!!.c\", \"expires_in\": -5}", SECOR_FATAL,
	": says no expires_in, and the token is no JWT with exp"},
    {200, "{\"access_token\": \"a.\", \"expires_in\": 1e300}", SECOR_FATAL,
	": says no expires_in, and the token is no JWT with exp"},
};

Test(oidc, answer_that_is_no_token_says_why)
{
	enum { MOST = sizeof(BAD) / sizeof(*BAD) };
	struct script_step steps[MOST];

	(void)memset(steps, 0, sizeof(steps));
	for (size_t i = 0; i < MOST; i++) {
		steps[i].status = BAD[i].status;
		steps[i].body = BAD[i].body;
	}
	listen_for(steps, MOST);
	for (size_t i = 0; i < MOST; i++) {
		size_t address = strlen(script_url(script));

		cr_expect_eq(fetch(), BAD[i].rc, "%zu: %s", i, err.text);
		cr_expect_eq(strncmp(err.text, script_url(script), address), 0);
		cr_expect_str_eq(err.text + address, BAD[i].says);
	}
}

Test(oidc, provider_that_is_down_is_asked_again)
{
	static const struct script_step step = {.how = SCRIPT_RESET};

	listen_for(&step, 1);
	cr_expect_eq(fetch(), SECOR_RETRY);
	cr_expect_null(strstr(err.text, "p+ss"));
}

/* ---- check ---- */

Test(oidc, check_complains)
{
	char *said;

	conf = harness_conf(oidc, "endpoint", "ftp://x", "client_id", "a",
	    "client_secret", "b", "extensions", "{auth: x, a-b: c, ok: d}",
	    NULL);
	said = harness_check(oidc, conf);
	cr_expect_not_null(strstr(said, "endpoint: "));
	cr_expect_not_null(strstr(said, "extensions: 'auth' is no extension"));
	cr_expect_not_null(strstr(said, "extensions: 'a-b' is no extension"));
	cr_expect_null(strstr(said, "'ok'"));
	free(said);
}
