/*
 * api.c -- one call of AWS's JSON 1.1: POST with X-Amz-Target, signed anew
 * right before each attempt. All calls that are made here may be repeated:
 * what is there already is compared, not made twice.
 */
#include "plugins/common/retry.h"
#include "plugins/common/sigv4.h"
#include "plugins/notifier/glue/glue.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_ROOM ((size_t)16 << 20)
#define WAIT_CAP_MS 5000

struct signed_call {
	char url[330], target[64];
	struct sigv4_headers headers;
};

/* ---- set up ---- */

static int
set_names(struct glue *glue, struct secor_err *err)
{
	const struct glue_conf *conf = glue->conf;
	char endpoint[160];
	int rc = aws_options_region(
	    &conf->aws, conf->region, "catalog", glue->region, err);

	if (rc != SECOR_OK)
		return rc;
	(void)snprintf(endpoint, sizeof(endpoint),
	    "https://glue.%s.amazonaws.com%s", glue->region,
	    strncmp(glue->region, "cn-", 3) == 0 ? ".cn" : "");
	aws_origin(conf->endpoint != NULL ? conf->endpoint : endpoint,
	    glue->origin, sizeof(glue->origin));
	return SECOR_OK;
}

int
glue_api_open(struct glue *glue, struct secor_err *err)
{
	const struct glue_conf *conf = glue->conf;
	struct http_conf http = {.total_ms = conf->timeout,
	    .ca_file = aws_ca_file(conf->ca_file),
	    .user_agent = "secor/" SECOR_VERSION};
	struct aws_cred_conf cred = aws_options_cred(&conf->aws, glue->host);
	int rc = set_names(glue, err);

	if (rc != SECOR_OK)
		return rc;
	cred.region = glue->region;
	cred.ca_file = http.ca_file;
	rc = http_open(&http, &glue->http, err);
	return rc == SECOR_OK ? aws_cred_open(&cred, &glue->cred, err) : rc;
}

/* ---- signing ---- */

static int
sign(struct glue *glue, const char *operation, const char *body,
    struct signed_call *call, struct secor_err *err)
{
	int64_t now = glue->host->now_ms(glue->host);
	struct sigv4_request what = {.method = "POST",
	    .path = "/",
	    .query = "",
	    .payload_hash = call->headers.hash,
	    .region = glue->region,
	    .service = "glue",
	    .time_ms = now,
	    .host = strstr(glue->origin, "://") + 3};
	const struct aws_key *key;
	struct sigv4_key with;
	int rc = aws_cred_get(glue->cred, now, &key, err);

	if (rc != SECOR_OK)
		return rc;
	(void)snprintf(
	    glue->access_key, sizeof(glue->access_key), "%s", key->access_key);
	(void)snprintf(
	    glue->key_source, sizeof(glue->key_source), "%s", key->source);
	with = (struct sigv4_key){key->access_key, key->secret_key};
	(void)snprintf(call->url, sizeof(call->url), "%s/", glue->origin);
	(void)snprintf(
	    call->target, sizeof(call->target), "AWSGlue.%s", operation);
	sigv4_sha256(body, strlen(body), call->headers.hash);
	sigv4_header(
	    &call->headers, "content-type", "application/x-amz-json-1.1");
	sigv4_header(&call->headers, "x-amz-target", call->target);
	what.session_token = key->session_token;
	return sigv4_seal(&with, &what, &call->headers, err);
}

/* ---- what it says ---- */

static const char *
member(const json_t *json, const char *name, const char *other)
{
	const char *text = json_string_value(json_object_get(json, name));

	if (text == NULL)
		text = json_string_value(json_object_get(json, other));
	return text != NULL ? text : "";
}

/* The code stands in the body, as "com.amazonaws.glue#Code" or alone, or in a
 * header, as "Code:http://..". */
static void
read_code(struct glue *glue, const json_t *json, char *code, size_t room)
{
	const char *type = member(json, "__type", "code");
	const char *header = http_header(glue->http, "x-amzn-errortype");
	const char *hash;

	if (type[0] == '\0' && header != NULL)
		type = header;
	hash = strchr(type, '#');
	glue_line(hash != NULL ? hash + 1 : type, code, room);
	code[strcspn(code, ":")] = '\0';
}

static enum glue_verdict
refusal(struct glue *glue, const char *operation,
    const struct http_answer *answer, struct secor_err *err)
{
	json_t *json = json_loadb(answer->body, answer->length, 0, NULL);
	char code[64], message[400];
	const char *advice = "";
	char needs[300] = "";

	read_code(glue, json, code, sizeof(code));
	glue_line(member(json, "Message", "message"), message, sizeof(message));
	json_decref(json);
	if (strcmp(code, "AccessDeniedException") == 0)
		(void)snprintf(needs, sizeof(needs),
		    " (the access key %s, from %s, needs glue:%s here)",
		    glue->access_key, glue->key_source, operation);
	else if (strcmp(code, "InvalidSignatureException") == 0)
		advice = " (is the secret key right, and the clock?)";
	(void)secor_fail(err, 0, "HTTP %d%s%s%s%s%s%s", answer->status,
	    code[0] != '\0' ? " " : "", code, message[0] != '\0' ? ": " : "",
	    message, needs, advice);
	return glue_judge(code, answer->status);
}

/* 1 when *answer is what was asked for; else *verdict. */
static int
read_answer(struct glue *glue, const char *operation,
    const struct http_answer *http, json_t **answer, enum glue_verdict *verdict,
    struct secor_err *err)
{
	json_t *json;

	if (http->status / 100 != 2) {
		*verdict = refusal(glue, operation, http, err);
		return 0;
	}
	json = json_loadb(http->body, http->length, 0, NULL);
	if (json_is_object(json)) {
		*answer = json;
		return 1;
	}
	json_decref(json);
	*verdict = GLUE_LATER;
	(void)secor_fail(err, 0,
	    "HTTP %d: the answer is no JSON object: is %s a Data Catalog?",
	    http->status, glue->origin);
	return 0;
}

/* ---- the call ---- */

static int
attempt(struct glue *glue, const char *operation, const char *body,
    json_t **answer, enum glue_verdict *verdict, struct secor_err *err)
{
	struct signed_call call = {.headers.count = 0};
	struct http_request request = {.method = "POST",
	    .url = call.url,
	    .headers = call.headers.items,
	    .body = body,
	    .length = strlen(body),
	    .limit = ANSWER_ROOM};
	struct http_answer http;
	int rc = sign(glue, operation, body, &call, err);

	*verdict = GLUE_LATER; /* a person mends keys, TLS and the address */
	if (rc != SECOR_OK)
		return 0;
	request.header_count = call.headers.count;
	glue->host->add(glue->calls, 1);
	rc = http_run(glue->http, &request, &http, err);
	if (rc == SECOR_OK)
		return read_answer(
		    glue, operation, &http, answer, verdict, err);
	if (rc == SECOR_RETRY)
		*verdict = GLUE_AGAIN;
	return 0;
}

static int
run(struct glue *glue, const char *operation, const char *body, json_t **answer,
    enum glue_verdict *verdict, struct secor_err *err)
{
	struct retry retry = {.most = (int)glue->conf->max_attempts,
	    .base_ms = glue->conf->retry_delay,
	    .cap_ms = WAIT_CAP_MS,
	    .seed = glue->seed++};
	struct secor_err why = {""};
	int renewed = 0;
	int64_t wait;

	for (;;) {
		if (attempt(glue, operation, body, answer, verdict, &why))
			return SECOR_OK;
		if (*verdict == GLUE_RENEW && !renewed) {
			aws_cred_forget(glue->cred);
			renewed = 1;
			continue;
		}
		wait = *verdict == GLUE_AGAIN ? retry_next(&retry, 0) : -1;
		if (wait < 0)
			break;
		glue->host->add(glue->retries, 1);
		(void)retry_wait(wait, NULL, NULL, NULL);
	}
	return secor_fail(
	    err, glue_status(glue, *verdict), "%s: %s", operation, why.text);
}

int
glue_call(struct glue *glue, const char *operation, json_t *request,
    json_t **answer, enum glue_verdict *verdict, struct secor_err *err)
{
	char *body = json_dumps(request, JSON_COMPACT);
	int rc;

	json_decref(request);
	*verdict = GLUE_AGAIN;
	if (body == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	rc = run(glue, operation, body, answer, verdict, err);
	free(body);
	return rc;
}
