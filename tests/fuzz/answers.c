/*
 * answers.c -- see answers.h. Keeps the contract of http.h, as strictly as it
 * can: bodies are exactly as large as they are, and gone with the next request.
 */
#include "tests/fuzz/answers.h"

#include "tests/fuzz/fuzz.h"

#include <strings.h>
#include <time.h>

/* retry.c as it is, except that nobody waits */
#define nanosleep(wish, left) ((void)(wish), (void)(left), 0)
#include "plugins/common/retry.c"
#undef nanosleep

#define SEPARATOR "\n====\n"
#define ERROR_BODY ((size_t)64 * 1024)
#define LIMIT ((size_t)1024 * 1024)

struct answers answers;

static char *input; /* NUL-ended copy */
static const char *next, *input_end;
static char value[4096]; /* of the header asked for last */
static int64_t clock_ms;

/* Those that are open, and what each had for its last answer. */
struct http {
	int is_open;
	struct http *next;
	const struct http_request *request; /* begun, or over */
	int is_over;
	char *head; /* "name: value\n"... */
	char *body;
	struct http_answer answer;
	struct secor_err err;
	int rc;
};

static struct http *all;

static char *
copy_of(const char *from, size_t len)
{
	char *copy = malloc(len + 1);

	MUST(copy != NULL);
	memcpy(copy, from, len);
	copy[len] = '\0';
	return copy;
}

static void
forget(struct http *http)
{
	free(http->head);
	free(http->body);
	http->head = http->body = NULL;
	answers.body = "";
	answers.status = 0;
}

void
answers_begin(const char *bytes, size_t len)
{
	answers_end();
	input = copy_of(bytes, len);
	next = input;
	input_end = input + len;
	answers.given = 0;
}

void
answers_end(void)
{
	answers.body = "";
	answers.status = 0;
	free(input);
	input = NULL;
	next = input_end = NULL;
}

/* Splits the next answer into head and body; the length of the body. */
static size_t
take_answer(struct http *http, int *breaks)
{
	const char *end, *blank, *line;
	char *rest;
	size_t len;

	forget(http);
	answers.given++;
	*breaks = 1;
	if (next == NULL || next >= input_end)
		return 0;
	end = memmem(
	    next, (size_t)(input_end - next), SEPARATOR, strlen(SEPARATOR));
	if (end == NULL)
		end = input_end;
	answers.status = (int)(strtoul(next, &rest, 10) % 1000);
	*breaks = answers.status < 100 || *rest == '!';
	if (answers.status < 100)
		answers.status = 0;
	line = memchr(next, '\n', (size_t)(end - next));
	blank = memmem(next, (size_t)(end - next), "\n\n", 2);
	if (blank == NULL)
		blank = end;
	if (line != NULL && line < blank)
		http->head = copy_of(line + 1, (size_t)(blank - line - 1));
	len = blank < end ? (size_t)(end - blank - 2) : 0;
	http->body = copy_of(blank < end ? blank + 2 : "", len);
	next = end < input_end ? end + strlen(SEPARATOR) : input_end;
	return len;
}

int
http_open(
    const struct http_conf *conf, struct http **out, struct secor_err *err)
{
	(void)conf;
	(void)err;
	*out = calloc(1, sizeof(**out));
	MUST(*out != NULL);
	(*out)->is_open = 1;
	(*out)->next = all;
	all = *out;
	return SECOR_OK;
}

int
http_open_beside(
    const struct http *other, struct http **out, struct secor_err *err)
{
	MUST(other->is_open);
	return http_open(NULL, out, err);
}

void
http_close(struct http *http)
{
	struct http **at = &all;

	if (http == NULL)
		return;
	while (*at != http)
		at = &(*at)->next;
	*at = http->next;
	forget(http);
	free(http);
}

const char *
http_header(struct http *http, const char *name)
{
	size_t len = strlen(name);

	MUST(http->is_open);
	for (const char *at = http->head; at != NULL && *at != '\0';) {
		size_t line = strcspn(at, "\n");

		if (line > len && at[len] == ':' &&
		    strncasecmp(at, name, len) == 0) {
			at += len + 1;
			line -= len + 1;
			at += *at == ' ';
			(void)snprintf(value, sizeof(value), "%.*s",
			    (int)strcspn(at, "\r\n"), at);
			return value;
		}
		at += line + (at[line] == '\n');
	}
	return NULL;
}

/* What is sent: all of it is asked for, in two pieces. */
static int
take_body(const struct http_request *request, struct secor_err *err)
{
	uint64_t half = request->length / 2;
	char *bytes;
	int rc;

	if (request->read == NULL)
		return SECOR_OK;
	bytes = malloc(request->length + 1);
	MUST(bytes != NULL);
	rc = request->read(request->arg, 0, bytes, half, err);
	if (rc == SECOR_OK)
		rc = request->read(request->arg, half, bytes + half,
		    request->length - half, err);
	free(bytes);
	return rc;
}

static int
fails(struct http_answer *answer, enum http_fault fault, struct secor_err *err)
{
	answer->fault = fault;
	return secor_fail(err, SECOR_RETRY, "here: fault %d", (int)fault);
}

static int
give(const struct http_request *request, struct http *http, size_t len)
{
	struct http_answer *answer = &http->answer;
	char *body = http->body;

	if (strcmp(request->method, "HEAD") == 0)
		len = 0;
	if (answer->status / 100 != 2) {
		answer->length = len < ERROR_BODY ? len : ERROR_BODY;
		body[answer->length] = '\0';
		return HTTP_WHOLE;
	}
	if (request->write == NULL) {
		if (len > (request->limit > 0 ? request->limit : LIMIT))
			return HTTP_LIMIT;
		answer->length = len;
		body[len] = '\0';
		return HTTP_WHOLE;
	}
	if (len > 0 &&
	    (request->write(request->arg, body, len - len / 2) != 0 ||
		request->write(request->arg, body + len - len / 2, len / 2) !=
		    0))
		return HTTP_ENDED;
	body[0] = '\0';
	return HTTP_WHOLE;
}

/* All of it happens at once. */
static int
perform(struct http *http)
{
	const struct http_request *request = http->request;
	struct http_answer *answer = &http->answer;
	struct secor_err *err = &http->err;
	int breaks;
	size_t len;

	if (request->go_on != NULL && !request->go_on(request->arg))
		return fails(answer, HTTP_STOPPED, err);
	if (take_body(request, err) != SECOR_OK) {
		answer->fault = HTTP_SOURCE;
		return SECOR_RETRY;
	}
	len = take_answer(http, &breaks);
	answer->status = answers.status;
	if (answers.status == 0)
		return fails(answer, HTTP_BROKEN, err);
	answer->fault = (enum http_fault)give(request, http, len);
	answer->body = answers.body = http->body;
	if (answer->fault == HTTP_LIMIT)
		return fails(answer, HTTP_LIMIT, err);
	if (breaks && answer->fault == HTTP_WHOLE)
		return fails(answer, HTTP_BROKEN, err);
	return SECOR_OK;
}

void
http_begin(struct http *http, const struct http_request *request)
{
	MUST(http->is_open && http->request == NULL);
	MUST(strncmp(request->url, "http", 4) == 0);
	for (size_t i = 0; i < request->header_count; i++)
		MUST(request->headers[i].key != NULL &&
		     request->headers[i].value != NULL);
	http->request = request;
	http->is_over = 0;
	http->answer = (struct http_answer){.body = ""};
	http->err.text[0] = '\0';
}

/* In turns, the one that was opened first and the one that was opened last. */
struct http *
http_wait(struct http *any, int64_t ms)
{
	struct http *http, *found = NULL;

	MUST(any->is_open);
	for (http = all; http != NULL; http = http->next)
		if (http->request != NULL && !http->is_over &&
		    (found == NULL || answers.given % 2 == 1))
			found = http;
	if (found == NULL) {
		clock_ms += ms > 0 ? ms : 0;
		return NULL;
	}
	found->rc = perform(found);
	found->is_over = 1;
	return found;
}

void
http_drive(struct http *any)
{
	MUST(any->is_open);
}

int
http_end(struct http *http, struct http_answer *answer, struct secor_err *err)
{
	MUST(http->is_open && http->request != NULL && http->is_over);
	http->request = NULL;
	*answer = http->answer;
	if (http->rc != SECOR_OK)
		return secor_fail(err, http->rc, "%s", http->err.text);
	return SECOR_OK;
}

void
http_drop(struct http *http)
{
	MUST(http->is_open);
	http->request = NULL;
}

int64_t
http_now_ms(void)
{
	return clock_ms;
}

int
http_run(struct http *http, const struct http_request *request,
    struct http_answer *answer, struct secor_err *err)
{
	http_begin(http, request);
	http->rc = perform(http);
	http->is_over = 1;
	return http_end(http, answer, err);
}
