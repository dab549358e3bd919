/*
 * aws_sts.c -- roles: AWS's Security Token Service, asked with keys or with a
 * token of a web identity, and the sentences for its refusals.
 */
#include "plugins/common/aws_source.h"
#include "plugins/common/sigv4.h"
#include "plugins/common/text.h"
#include "plugins/common/xml.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define URL 512
#define SKEW_MS INT64_C(240000) /* AWS lets five minutes pass */

/* ---- where it is ---- */

/* "https://host[:port]/", and the host as it is signed. */
static void
sts_url(const struct aws_cred_conf *conf, char *url, const char **host,
    size_t *host_len)
{
	const char *set = conf->sts_endpoint;
	size_t len;

	if (set == NULL)
		set = aws_env("AWS_ENDPOINT_URL_STS");
	if (set == NULL && conf->region == NULL)
		set = "https://sts.amazonaws.com";
	if (set != NULL) {
		len = strlen(set);
		(void)snprintf(url, URL, "%s%s", set,
		    len > 0 && set[len - 1] == '/' ? "" : "/");
	} else {
		(void)snprintf(url, URL, "https://sts.%s.amazonaws.com%s/",
		    conf->region,
		    strncmp(conf->region, "cn-", 3) == 0 ? ".cn" : "");
	}
	*host = strstr(url, "://");
	*host = *host != NULL ? *host + 3 : url;
	*host_len = strcspn(*host, "/");
	/* clients leave the scheme's own port out of Host */
	if (strncmp(url, "https:", 6) == 0 && *host_len > 4 &&
	    strncmp(*host + *host_len - 4, ":443", 4) == 0)
		*host_len -= 4;
	if (strncmp(url, "http:", 5) == 0 && *host_len > 3 &&
	    strncmp(*host + *host_len - 3, ":80", 3) == 0)
		*host_len -= 3;
}

/* ---- what it says ---- */

/* AWS: ErrorResponse/Error/Code; Ceph: Error/Code, or ErrorResponse/Code. */
static void
said(const struct http_answer *answer, const char *what, char *dst, size_t room)
{
	static const char *const at[] = {
	    "ErrorResponse/Error/", "Error/", "ErrorResponse/"};
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", at[i], what);
		if (xml_find(answer->body, answer->length, path, dst, room) ==
		    0)
			return;
	}
}

#define UNKNOWN_KEY                                                            \
	"this STS does not know the access key: it is deleted, or of another " \
	"store, whose STS `sts_endpoint` names"
#define BAD_WORD                                                               \
	"mend the role's ARN, session name, external id or duration (at most " \
	"the role's maximum; an hour where a role assumes it)"

static const struct {
	const char *code;
	int status;
	const char *fix;
} refusals[] = {
    {"AccessDenied", SECOR_FATAL,
	"it may not: the role's trust policy must let it in, under this "
	"external_id if it asks for one, and keys need sts:AssumeRole there"},
    {"ExpiredToken", SECOR_FATAL,
	"what asks has expired; it does not renew itself"},
    {"InvalidClientTokenId", SECOR_FATAL, UNKNOWN_KEY},
    {"UnrecognizedClient", SECOR_FATAL, UNKNOWN_KEY},
    {"InvalidAccessKeyId", SECOR_FATAL, UNKNOWN_KEY},
    {"SignatureDoesNotMatch", SECOR_FATAL,
	"the secret key is wrong, or the clock, or a proxy changes requests"},
    {"RequestExpired", SECOR_FATAL, "set the clock of this machine (NTP)"},
    {"RequestTimeTooSkewed", SECOR_FATAL,
	"set the clock of this machine (NTP)"},
    {"MalformedPolicy", SECOR_FATAL,
	"a policy of the role is not understood: mend it there"},
    {"PackedPolicyTooLarge", SECOR_FATAL,
	"the policies and tags of the session are too large"},
    {"RegionDisabled", SECOR_FATAL,
	"switch STS on in this region in the account, or name another by "
	"`sts_endpoint`"},
    {"NoSuchEntity", SECOR_FATAL, "there is no such role"},
    {"NoSuchRole", SECOR_FATAL, "there is no such role"},
    {"ValidationError", SECOR_FATAL, BAD_WORD},
    {"InvalidArgument", SECOR_FATAL, BAD_WORD},
    {"InvalidIdentityToken", SECOR_FATAL,
	"the token is of no provider that the account knows"},
    {"IDPRejectedClaim", SECOR_FATAL,
	"the token's provider rejects it: has it expired?"},
    {"IDPCommunicationError", SECOR_RETRY,
	"STS does not reach the token's provider"},
    {"Throttl", SECOR_RETRY, "it is asked too often"},
    {"RequestLimitExceeded", SECOR_RETRY, "it is asked too often"},
    {"SlowDown", SECOR_RETRY, "it is asked too often"},
    {"ServiceUnavailable", SECOR_RETRY, "it is not there for a while"},
    {"InternalFailure", SECOR_RETRY, "it is not there for a while"},
};

/* By how it begins: AccessDeniedException is AccessDenied. -1: not known. */
static int
find_refusal(const char *code)
{
	const char *known;
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		known = refusals[i].code;
		if (strncmp(code, known, strlen(known)) == 0)
			return (int)i;
	}
	return -1;
}

int
aws_sts_passes(const struct http_answer *answer)
{
	char code[64] = "";
	int known;

	if (answer->status == 429 || answer->status >= 500)
		return 1;
	if (answer->status == 200)
		return 0;
	said(answer, "Code", code, sizeof(code));
	known = find_refusal(code);
	return known >= 0 && refusals[known].status == SECOR_RETRY;
}

/* One question to STS. */
struct question {
	const struct aws_ask *ask;
	const struct aws_role *role;
	const char *action;
	const struct aws_found *asker; /* NULL: the token asks */
	char url[URL], host[256];
	struct http_answer answer;
};

static void
note_clock(const struct question *question, char *text, size_t room)
{
	const char *date = http_header(question->ask->http, "date");
	time_t server = date != NULL ? curl_getdate(date, NULL) : -1;
	int64_t skew = (int64_t)server * 1000 - question->ask->now_ms;

	if (server == -1 || (skew < SKEW_MS && skew > -SKEW_MS))
		return;
	(void)snprintf(text, room,
	    "; the clock of this machine is %lld seconds %s",
	    llabs((long long)skew) / 1000, skew > 0 ? "behind" : "ahead");
}

static int
refuse(const struct question *question, struct secor_err *err)
{
	const struct http_answer *answer = &question->answer;
	char code[64] = "", message[256] = "", clock[80] = "", by[256];
	int known, status = aws_sts_passes(answer) ? SECOR_RETRY : SECOR_FATAL;

	said(answer, "Code", code, sizeof(code));
	said(answer, "Message", message, sizeof(message));
	known = find_refusal(code);
	note_clock(question, clock, sizeof(clock));
	if (question->asker != NULL)
		(void)snprintf(by, sizeof(by), "access key %.130s, from %s",
		    question->asker->access_key, question->asker->source);
	else
		(void)snprintf(by, sizeof(by), "the token of %.200s",
		    question->role->token_file);
	if (code[0] == '\0')
		(void)snprintf(code, sizeof(code), "HTTP %d", answer->status);
	return secor_fail(err, status,
	    "assume role %.200s: %s%s%s (%s asked %s)%s%s%s",
	    question->role->arn, code, known >= 0 ? ": " : "",
	    known >= 0 ? refusals[known].fix : "", by, question->host,
	    message[0] != '\0' ? ": " : "", message, clock);
}

static const char *
name_of(const char *arn)
{
	const char *slash = strrchr(arn, '/');

	return slash != NULL ? slash + 1 : arn;
}

/* One of the words of Credentials. */
static int
word(const struct question *question, const char *name, char *dst, size_t room)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%sResponse/%sResult/Credentials/%s",
	    question->action, question->action, name);
	return xml_find(
	    question->answer.body, question->answer.length, path, dst, room);
}

static int
take(const struct question *question, struct aws_found *found,
    struct secor_err *err)
{
	char access_key[256], secret_key[256], token[8192], text[64];
	const char *arn = question->role->arn;
	int status;

	if (question->answer.status != 200)
		return refuse(question, err);
	if (word(question, "AccessKeyId", access_key, sizeof(access_key)) !=
		0 ||
	    word(question, "SecretAccessKey", secret_key, sizeof(secret_key)) !=
		0 ||
	    word(question, "SessionToken", token, sizeof(token)) != 0 ||
	    word(question, "Expiration", text, sizeof(text)) != 0 ||
	    aws_time(text) == 0)
		return secor_fail(err, SECOR_RETRY,
		    "assume role %.200s: the answer of %s has no credentials",
		    arn, question->host);
	status = aws_found_set(found, access_key, secret_key, token, err);
	explicit_bzero(secret_key, sizeof(secret_key));
	if (status != SECOR_OK)
		return status;
	found->expires_ms = aws_time(text);
	(void)snprintf(
	    found->source, sizeof(found->source), "role %.50s", name_of(arn));
	return SECOR_OK;
}

/* ---- the question ---- */

static void
add(struct text *form, const char *name, const char *value)
{
	size_t room = strlen(value) * 3 + 1;
	char *escaped = malloc(room);

	if (escaped == NULL) {
		form->failed = 1;
		return;
	}
	(void)sigv4_escape(value, 0, escaped, room);
	text_addf(form, "&%s=%s", name, escaped);
	explicit_bzero(escaped, room);
	free(escaped);
}

static const char *
session_name(const struct question *question)
{
	const char *name = question->role->session_name;

	if (name == NULL)
		name = question->ask->conf->role_session_name;
	if (name == NULL)
		name = aws_env("AWS_ROLE_SESSION_NAME");
	return name != NULL ? name : "secor";
}

static void
fill_form(const struct question *question, const char *token, struct text *form)
{
	const struct aws_role *role = question->role;
	char seconds[24];

	text_addf(form, "Action=%s&Version=2011-06-15", question->action);
	add(form, "RoleArn", role->arn);
	add(form, "RoleSessionName", session_name(question));
	if (role->duration_ms > 0) {
		(void)snprintf(seconds, sizeof(seconds), "%lld",
		    (long long)role->duration_ms / 1000);
		add(form, "DurationSeconds", seconds);
	}
	if (role->external_id != NULL && role->external_id[0] != '\0')
		add(form, "ExternalId", role->external_id);
	if (token != NULL)
		add(form, "WebIdentityToken", token);
}

static int
sign(const struct question *question, const struct text *form,
    struct sigv4_headers *headers, struct secor_err *err)
{
	const struct aws_found *asker = question->asker;
	const char *region = question->ask->conf->region;
	struct sigv4_request what = {.method = "POST",
	    .path = "/",
	    .query = "",
	    .payload_hash = headers->hash,
	    .host = question->host,
	    .session_token = asker->session_token,
	    .region = region != NULL ? region : "us-east-1",
	    .service = "sts",
	    .time_ms = question->ask->now_ms};
	struct sigv4_key key = {asker->access_key, asker->secret_key};

	sigv4_sha256(form->ptr, form->len, headers->hash);
	sigv4_header(headers, "x-amz-content-sha256", headers->hash);
	return sigv4_seal(&key, &what, headers, err);
}

static int
post(struct question *question, const struct text *form, struct secor_err *err)
{
	struct sigv4_headers headers = {.count = 0};
	struct http_request request = {.method = "POST",
	    .url = question->url,
	    .headers = headers.items,
	    .body = form->ptr,
	    .length = form->len};
	struct secor_err why = {""};
	int status;

	sigv4_header(
	    &headers, "content-type", "application/x-www-form-urlencoded");
	if (question->asker != NULL) {
		status = sign(question, form, &headers, err);
		if (status != SECOR_OK)
			return status;
	}
	request.header_count = headers.count;
	status = aws_ask_service(question->ask, question->ask->http, &request,
	    &question->answer, &why);
	if (status == SECOR_OK)
		return SECOR_OK;
	return secor_fail(err, status, "assume role %.200s: %.700s",
	    question->role->arn, why.text);
}

static int
run(struct question *question, const char *token, struct aws_found *found,
    struct secor_err *err)
{
	struct text form = {.ptr = NULL};
	const char *host;
	size_t host_len;
	int status;

	sts_url(question->ask->conf, question->url, &host, &host_len);
	(void)snprintf(question->host, sizeof(question->host), "%.*s",
	    (int)host_len, host);
	fill_form(question, token, &form);
	status = form.failed ? secor_fail(err, SECOR_RETRY, "out of memory")
			     : post(question, &form, err);
	if (form.ptr != NULL)
		explicit_bzero(form.ptr, form.len);
	text_fini(&form);
	return status == SECOR_OK ? take(question, found, err) : status;
}

int
aws_assume(const struct aws_ask *ask, const struct aws_role *role,
    struct aws_found *found, struct secor_err *err)
{
	struct question question = {
	    .ask = ask, .role = role, .action = "AssumeRole", .asker = found};

	return run(&question, NULL, found, err);
}

int
aws_assume_by_token(const struct aws_ask *ask, const struct aws_role *role,
    struct aws_found *found, struct secor_err *err)
{
	struct question question = {
	    .ask = ask, .role = role, .action = "AssumeRoleWithWebIdentity"};
	char *token;
	int status = aws_read_small(role->token_file, &token, err);

	if (status != SECOR_OK)
		return status;
	status = run(&question, token, found, err);
	explicit_bzero(token, strlen(token));
	free(token);
	return status;
}

int
aws_from_web_identity(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	struct aws_role role = {.arn = aws_env("AWS_ROLE_ARN"),
	    .token_file = aws_env("AWS_WEB_IDENTITY_TOKEN_FILE")};

	if (ask->conf->profile != NULL || role.token_file == NULL)
		return AWS_NOT_SET;
	if (role.arn == NULL)
		return secor_fail(err, SECOR_FATAL,
		    "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
	return aws_assume_by_token(ask, &role, found, err);
}
