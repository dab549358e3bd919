/*
 * aws_remote.c -- credentials that a service hands out: the agent of an ECS or
 * EKS container, and EC2's instance metadata.
 *
 * A service that does not answer is asked three times; one that says no is not.
 */
#include "plugins/common/aws_source.h"
#include "plugins/common/retry.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int
passes(const struct http_answer *answer, int status)
{
	if (status != SECOR_OK)
		return status == SECOR_RETRY;
	return aws_sts_passes(answer);
}

int
aws_ask_service(const struct aws_ask *ask, struct http *http,
    const struct http_request *request, struct http_answer *answer,
    struct secor_err *err)
{
	struct retry retry = {.most = 3,
	    .base_ms = 200,
	    .cap_ms = 1000,
	    .seed = (uint64_t)(uintptr_t)answer};
	int64_t wait;
	int status;

	for (;;) {
		status = http_run(http, request, answer, err);
		if (!passes(answer, status))
			return status;
		wait = retry_next(&retry, 0);
		if (wait < 0)
			return status;
		(void)retry_wait(wait, NULL, NULL, ask->conf->nap);
	}
}

static int
refuse(const char *who, const struct http_answer *answer, const char *why,
    struct secor_err *err)
{
	return secor_fail(err,
	    answer->status == 429 || answer->status >= 500 ? SECOR_RETRY
							   : SECOR_FATAL,
	    "%s: HTTP %d %.300s", who, answer->status, why);
}

static const char *
member(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

/* {"AccessKeyId":..., "SecretAccessKey":..., "Token":..., "Expiration":...},
 * or {"Code":..., "Message":...}. */
static int
take_json(const char *who, const struct http_answer *answer,
    struct aws_found *found, struct secor_err *err)
{
	json_t *json = json_loadb(answer->body, answer->length, 0, NULL);
	const char *access_key = member(json, "AccessKeyId");
	const char *secret_key = member(json, "SecretAccessKey");
	const char *expires = member(json, "Expiration");
	const char *message = member(json, "Message");
	int status;

	message = message != NULL ? message : "";
	if (answer->status != 200) {
		status = refuse(who, answer, message, err);
	} else if (access_key == NULL || secret_key == NULL) {
		status = secor_fail(err, SECOR_RETRY,
		    "%s: the answer has no credentials %.300s", who, message);
	} else {
		found->expires_ms = expires != NULL ? aws_time(expires) : 0;
		(void)snprintf(found->source, sizeof(found->source), "%s", who);
		status = aws_found_set(
		    found, access_key, secret_key, member(json, "Token"), err);
	}
	json_decref(json);
	return status;
}

/* ---- container ---- */

/* Plain HTTP only where the request cannot leave the machine. */
static int
is_near(const char *url)
{
	static const char *const near[] = {"127.0.0.1", "localhost", "[::1]",
	    "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
	size_t i, len;

	if (strncmp(url, "https://", 8) == 0)
		return 1;
	if (strncmp(url, "http://", 7) != 0 || strchr(url, '@') != NULL)
		return 0;
	for (i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
		len = strlen(near[i]);
		if (strncmp(url + 7, near[i], len) == 0 &&
		    (url[7 + len] == '\0' ||
			strchr(":/", url[7 + len]) != NULL))
			return 1;
	}
	return 0;
}

static int
container_token(char **token, struct secor_err *err)
{
	const char *file = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *set = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");

	*token = NULL;
	if (file != NULL)
		return aws_read_small(file, token, err);
	if (set == NULL)
		return SECOR_OK;
	*token = strdup(set);
	return *token != NULL ? SECOR_OK
			      : secor_fail(err, SECOR_RETRY, "out of memory");
}

int
aws_from_container(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	const char *part = aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct secor_pair header = {"Authorization", NULL};
	struct http_request request = {.method = "GET", .headers = &header};
	struct http_answer answer;
	char url[2048], *token;
	int status;

	if (part == NULL && full == NULL)
		return AWS_NOT_SET;
	if (part != NULL)
		(void)snprintf(
		    url, sizeof(url), "http://169.254.170.2%s", part);
	else
		(void)snprintf(url, sizeof(url), "%s", full);
	if (!is_near(url))
		return secor_fail(err, SECOR_FATAL,
		    "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or "
		    "http to this machine");
	status = container_token(&token, err);
	if (status != SECOR_OK)
		return status;
	header.value = token;
	request.url = url;
	request.header_count = token != NULL;
	status = aws_ask_service(ask, ask->direct, &request, &answer, err);
	free(token);
	return status == SECOR_OK ? take_json("container", &answer, found, err)
				  : status;
}

/* ---- EC2 ---- */

#define ROLES "latest/meta-data/iam/security-credentials/"

static int
ec2_get(const struct aws_ask *ask, const char *path, const char *token,
    struct http_answer *answer, struct secor_err *err)
{
	const char *base = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	struct secor_pair headers[] = {{"X-aws-ec2-metadata-token", token},
	    {"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
	struct http_request request = {.method = token != NULL ? "GET" : "PUT",
	    .headers = token != NULL ? headers : headers + 1,
	    .header_count = 1};
	char url[1024];

	if (base == NULL)
		base = "http://169.254.169.254";
	(void)snprintf(url, sizeof(url), "%s%s%s", base,
	    base[strlen(base) - 1] == '/' ? "" : "/", path);
	request.url = url;
	return aws_ask_service(ask, ask->direct, &request, answer, err);
}

/* The first line of an answer, which must be a 200. */
static int
ec2_word(const char *what, const struct http_answer *answer, char *dst,
    size_t room, struct secor_err *err)
{
	if (answer->status != 200 || answer->body[0] == '\0')
		return refuse(what, answer, "", err);
	(void)snprintf(dst, room, "%.*s", (int)strcspn(answer->body, "\r\n"),
	    answer->body);
	return SECOR_OK;
}

int
aws_from_ec2(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	static const char who[] = "EC2 metadata";
	const char *off = aws_env("AWS_EC2_METADATA_DISABLED");
	struct http_answer answer;
	char token[1024], path[512] = ROLES;
	int status;

	if (off != NULL && strcasecmp(off, "true") == 0)
		return AWS_NOT_SET;
	/* no service there, or one that is not EC2's */
	if (ec2_get(ask, "latest/api/token", NULL, &answer, NULL) != SECOR_OK ||
	    answer.status / 100 == 4)
		return AWS_NOT_SET;
	status = ec2_word(
	    "EC2 metadata: session token", &answer, token, sizeof(token), err);
	if (status == SECOR_OK)
		status = ec2_get(ask, ROLES, token, &answer, err);
	if (status == SECOR_OK)
		status = ec2_word("EC2 metadata: role (has the instance one?)",
		    &answer, path + sizeof(ROLES) - 1,
		    sizeof(path) - sizeof(ROLES), err);
	if (status == SECOR_OK)
		status = ec2_get(ask, path, token, &answer, err);
	return status == SECOR_OK ? take_json(who, &answer, found, err)
				  : status;
}
