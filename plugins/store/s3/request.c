/*
 * request.c -- one signed request, repeated when that helps.
 *
 * Every attempt is signed anew right before it is sent, and go_on of the put is
 * asked right before that, between attempts and between pieces: a process that
 * was stopped for long sends nothing more, and what it has sent before is
 * refused by the age of its signature.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/crc32c.h"
#include "s3.h"

#define RETRY_CAP_MS 20000
#define COURTESY_MS 10000
#define LOOK_MS 1000

struct s3_request {
	char path[S3_PATH];
	char url[512 + S3_PATH + S3_QUERY];
	struct sigv4_headers headers;
	struct http_request http;
};

void
s3_header(struct s3_call *call, const char *name, const char *value)
{
	assert(call->header_count < S3_HEADERS);
	call->headers[call->header_count++] = (struct secor_pair){name, value};
}

static int
has_dots(const char *key)
{
	const char *at = key;
	size_t len;

	for (;;) {
		len = strcspn(at, "/");
		if ((len == 1 && at[0] == '.') ||
		    (len == 2 && at[0] == '.' && at[1] == '.'))
			return 1;
		if (at[len] == '\0')
			return 0;
		at += len + 1;
	}
}

/* Components of dots only are legal in S3, but proxies and some servers resolve
 * them. */
int
s3_check_key(const struct s3 *s3, const char *key, struct secor_err *err)
{
	const char *fault = NULL;

	if (*key == '\0')
		fault = "is empty";
	else if (*key == '/')
		fault = "begins with '/'";
	else if (strlen(s3->prefix) + strlen(key) > S3_KEY)
		fault = "is longer than 1024 bytes with its prefix";
	else if (has_dots(key))
		fault = "has a component `.` or `..`";
	if (fault == NULL)
		return SECOR_OK;
	return secor_fail(err, SECOR_REJECT, "key %.300s: %s", key, fault);
}

/* ---- signing ---- */

static int
set_url(
    const struct s3 *s3, const struct s3_call *call, struct s3_request *request)
{
	char key[S3_KEY + 1];
	size_t len = strlen(s3->base);
	int n;

	memcpy(request->path, s3->base, len);
	request->path[len++] = '/';
	request->path[len] = '\0';
	if (call->key != NULL) {
		(void)snprintf(key, sizeof(key), "%s%s", s3->prefix, call->key);
		if (sigv4_escape(key, 1, request->path + len,
			sizeof(request->path) - len) >=
		    sizeof(request->path) - len)
			return -1;
	}
	n = snprintf(request->url, sizeof(request->url), "%s%s%s%s", s3->origin,
	    request->path, call->query != NULL ? "?" : "",
	    call->query != NULL ? call->query : "");
	return n > 0 && (size_t)n < sizeof(request->url) ? 0 : -1;
}

static const char *
payload_hash(const struct s3 *s3, const struct s3_call *call, char hash[65])
{
	if (call->reads)
		return s3->is_unsigned ? SIGV4_UNSIGNED : call->sha256;
	sigv4_sha256(call->body != NULL ? call->body : "", call->length, hash);
	return hash;
}

static int
sign(struct s3 *s3, struct s3_call *call, struct s3_request *request,
    struct secor_err *err)
{
	int64_t now = s3->host->now_ms(s3->host) + s3->skew_ms;
	struct sigv4_request what = {.method = s3_method(call->kind),
	    .path = request->path,
	    .query = call->query != NULL ? call->query : "",
	    .payload_hash = payload_hash(s3, call, request->headers.hash),
	    .region = s3->region,
	    .service = "s3",
	    .time_ms = now,
	    .host = strstr(s3->origin, "://") + 3};
	const struct aws_key *key;
	struct sigv4_key with;
	int status = aws_cred_get(s3->cred, now, &key, err);

	if (status != SECOR_OK)
		return status;
	(void)snprintf(
	    call->access_key, sizeof(call->access_key), "%s", key->access_key);
	(void)snprintf(
	    call->key_source, sizeof(call->key_source), "%s", key->source);
	call->key_turn = s3->key_turn = key->turn;
	call->skew_ms = s3->skew_ms;
	with = (struct sigv4_key){key->access_key, key->secret_key};
	for (size_t i = 0; i < call->header_count; i++)
		sigv4_header(&request->headers, call->headers[i].key,
		    call->headers[i].value);
	sigv4_header(
	    &request->headers, "x-amz-content-sha256", what.payload_hash);
	what.session_token = key->session_token;
	return sigv4_seal(&with, &what, &request->headers, err);
}

/* ---- sending ---- */

static const char *const classes[S3_CLASSES] = {
    [S3_ANSWER_OK] = "answers_ok",
    [S3_ANSWER_MOVED] = "answers_moved",
    [S3_ANSWER_REFUSED] = "answers_refused",
    [S3_ANSWER_SLOW_DOWN] = "answers_slow_down",
    [S3_ANSWER_FAILED] = "answers_failed",
    [S3_ANSWER_NONE] = "answers_none",
};

const char *s3_class_counter(enum s3_class class)
{
	return classes[class];
}

static enum s3_class
class_of(int status)
{
	if (status == 429 || status == 503)
		return S3_ANSWER_SLOW_DOWN;
	if (status >= 500)
		return S3_ANSWER_FAILED;
	if (status >= 400)
		return S3_ANSWER_REFUSED;
	if (status >= 300)
		return S3_ANSWER_MOVED;
	return status >= 200 ? S3_ANSWER_OK : S3_ANSWER_NONE;
}

int
s3_may_go_on(void *arg)
{
	const struct s3_call *call = arg;

	return call->put == NULL || call->put->go_on == NULL ||
	       call->put->go_on(call->put);
}

/* The last piece is held back when the checksum says that these are other
 * bytes than were meant: then the request never becomes whole. */
static int
read_put(void *arg, uint64_t at, void *bytes, size_t len, struct secor_err *err)
{
	struct s3_call *call = arg;
	const struct secor_put *put = call->put;
	int status = put->read_at(put, call->at + at, bytes, len, err);

	if (status != SECOR_OK)
		return status;
	if (at == 0)
		call->running = 0;
	call->running = crc32c_more(call->running, bytes, len);
	if (at + len == call->length && call->running != call->crc32c)
		return secor_fail(err, SECOR_RETRY,
		    "what was read at %llu has CRC32C %08x, it should be %08x",
		    (unsigned long long)call->at, call->running, call->crc32c);
	return SECOR_OK;
}

static int
take_piece(void *arg, const void *bytes, size_t len)
{
	struct s3_call *call = arg;

	call->delivered += len;
	return call->piece(call->arg, bytes, len);
}

void
s3_ready(struct s3 *s3, struct s3_call *call, struct http *http)
{
	call->s3 = s3;
	call->http = http;
	call->retry = (struct retry){
	    .most = call->is_courtesy ? 1 : (int)s3->conf->max_attempts,
	    .base_ms = s3->conf->retry_delay,
	    .cap_ms = RETRY_CAP_MS,
	    .seed = s3->seed++};
	if (s3->conf->requester_pays)
		s3_header(call, "x-amz-request-payer", "requester");
}

static int
prepare(struct s3_call *call, struct s3_request *request, struct secor_err *err)
{
	int status;

	if (set_url(call->s3, call, request) != 0)
		return secor_fail(err, SECOR_REJECT, "the key is too long");
	status = sign(call->s3, call, request, err);
	request->http = (struct http_request){.method = s3_method(call->kind),
	    .url = request->url,
	    .headers = request->headers.items,
	    .header_count = request->headers.count,
	    .body = call->body,
	    .length = call->length,
	    .read = call->reads ? read_put : NULL,
	    .write = call->piece != NULL ? take_piece : NULL,
	    .limit = call->limit,
	    .total_ms = call->is_courtesy ? COURTESY_MS : 0,
	    .go_on = s3_may_go_on,
	    .arg = call};
	return status;
}

void
s3_drop(struct s3_call *call)
{
	if (call->request == NULL)
		return;
	http_drop(call->http);
	free(call->request);
	call->request = NULL;
}

/* An answer, or none: what to do. */
static struct s3_judgement
judge(struct s3_call *call, const struct http_answer *answer, int status,
    struct secor_err *err)
{
	struct s3_judgement judged = {S3_GIVE_UP, status, 0};

	if (status == SECOR_OK && answer->fault == HTTP_ENDED)
		judged.verdict = S3_DONE;
	else if (status == SECOR_OK)
		judged = s3_judge(call->s3, call, answer, err);
	else if (status == SECOR_RETRY && call->delivered == 0 &&
		 answer->fault != HTTP_WHOLE && answer->fault != HTTP_SOURCE &&
		 answer->fault != HTTP_STOPPED && answer->fault != HTTP_LIMIT)
		judged.verdict = S3_AGAIN;
	return judged;
}

static int64_t
asked_for(const struct s3_call *call, const struct http_answer *answer)
{
	const char *after =
	    answer->status != 0 ? http_header(call->http, "retry-after") : NULL;

	long seconds = after != NULL ? strtol(after, NULL, 10) : 0;

	if (seconds <= 0) /* or a date, which nobody sends */
		return 0;
	return seconds < RETRY_CAP_MS / 1000 ? seconds * 1000 : RETRY_CAP_MS;
}

static void
say_again(const struct s3 *s3, int64_t wait, const struct secor_err *err)
{
	char detail[sizeof(err->text) + 64];

	(void)snprintf(detail, sizeof(detail), "wait_ms=%lld why=\"%s\"",
	    (long long)wait, err->text);
	s3->host->log(s3->host, SECOR_WARN, "S3 request repeated", detail);
	s3->host->add(s3->retries, 1);
}

/* What may be repeated is, as long as attempts are left; then the status is for
 * who may not go on meanwhile. */
static struct s3_judgement
plan(struct s3_call *call, struct s3_judgement judged, int64_t at_least_ms,
    const struct secor_err *err)
{
	if (judged.verdict == S3_AGAIN)
		judged.wait_ms = retry_next(&call->retry, at_least_ms);
	if (judged.verdict == S3_GIVE_UP || judged.wait_ms < 0)
		return (struct s3_judgement){S3_GIVE_UP, judged.status, 0};
	say_again(call->s3, judged.wait_ms, err);
	return (struct s3_judgement){S3_AGAIN, SECOR_RETRY, judged.wait_ms};
}

struct s3_judgement
s3_send(struct s3_call *call, struct secor_err *err)
{
	struct s3 *s3 = call->s3;
	struct s3_request *request = calloc(1, sizeof(*request));
	struct s3_judgement judged = {S3_DONE, SECOR_OK, 0};

	judged.status = request != NULL
			    ? prepare(call, request, err)
			    : secor_fail(err, SECOR_RETRY, "out of memory");
	if (judged.status != SECOR_OK) {
		free(request);
		s3_prefix_error(s3, call, err);
		judged.verdict =
		    judged.status == SECOR_RETRY ? S3_AGAIN : S3_GIVE_UP;
		return plan(call, judged, 0, err);
	}
	call->request = request;
	s3->host->add(s3->requests[call->kind], 1);
	http_begin(call->http, &request->http);
	return judged;
}

struct s3_judgement
s3_hear(struct s3_call *call, struct http_answer *answer, struct secor_err *err)
{
	struct s3 *s3 = call->s3;
	int status = http_end(call->http, answer, err);
	struct s3_judgement judged;

	free(call->request);
	call->request = NULL;
	s3->host->add(s3->answers[class_of(answer->status)], 1);
	judged = judge(call, answer, status, err);
	if (judged.verdict == S3_DONE)
		return judged;
	s3_prefix_error(s3, call, err);
	return plan(call, judged, asked_for(call, answer), err);
}

static struct s3_judgement
attempt(struct s3_call *call, struct http_answer *answer, struct secor_err *err)
{
	struct s3_judgement judged = s3_send(call, err);

	memset(answer, 0, sizeof(*answer));
	if (judged.verdict != S3_DONE)
		return judged;
	while (http_wait(call->http, LOOK_MS) == NULL)
		;
	return s3_hear(call, answer, err);
}

int
s3_run(struct s3 *s3, struct s3_call *call, struct http_answer *answer,
    struct secor_err *err)
{
	struct secor_err why = {""};
	struct s3_judgement judged = {S3_DONE, SECOR_OK, 0};

	s3_ready(s3, call, s3->http);
	do {
		judged = attempt(call, answer, &why);
		if (judged.verdict == S3_DONE)
			return SECOR_OK;
	} while (judged.verdict == S3_AGAIN &&
		 retry_wait(judged.wait_ms, s3_may_go_on, call, NULL));
	return secor_fail(err, judged.status, "%s", why.text);
}
