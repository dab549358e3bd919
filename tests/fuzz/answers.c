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
static char *head; /* headers of the last answer, "name: value\n"... */
static char *body;
static char value[4096]; /* of the header asked for last */

struct http {
	int is_open;
};

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
forget(void)
{
	free(head);
	free(body);
	head = body = NULL;
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
	forget();
	free(input);
	input = NULL;
	next = input_end = NULL;
}

/* Splits the next answer into head and body; the length of the body. */
static size_t
take_answer(int *breaks)
{
	const char *end, *blank, *line;
	char *rest;
	size_t len;

	forget();
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
		head = copy_of(line + 1, (size_t)(blank - line - 1));
	len = blank < end ? (size_t)(end - blank - 2) : 0;
	body = copy_of(blank < end ? blank + 2 : "", len);
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
	return SECOR_OK;
}

void
http_close(struct http *http)
{
	free(http);
}

const char *
http_header(struct http *http, const char *name)
{
	size_t len = strlen(name);

	MUST(http->is_open);
	for (const char *at = head; at != NULL && *at != '\0';) {
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
give(const struct http_request *request, struct http_answer *answer, size_t len)
{
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

int
http_run(struct http *http, const struct http_request *request,
    struct http_answer *answer, struct secor_err *err)
{
	int breaks;
	size_t len;

	MUST(http->is_open && strncmp(request->url, "http", 4) == 0);
	for (size_t i = 0; i < request->header_count; i++)
		MUST(request->headers[i].key != NULL &&
		     request->headers[i].value != NULL);
	memset(answer, 0, sizeof(*answer));
	answer->body = "";
	if (request->go_on != NULL && !request->go_on(request->arg))
		return fails(answer, HTTP_STOPPED, err);
	if (take_body(request, err) != SECOR_OK) {
		answer->fault = HTTP_SOURCE;
		return SECOR_RETRY;
	}
	len = take_answer(&breaks);
	answer->status = answers.status;
	if (answers.status == 0)
		return fails(answer, HTTP_BROKEN, err);
	answer->fault = (enum http_fault)give(request, answer, len);
	answer->body = answers.body = body;
	if (answer->fault == HTTP_LIMIT)
		return fails(answer, HTTP_LIMIT, err);
	if (breaks && answer->fault == HTTP_WHOLE)
		return fails(answer, HTTP_BROKEN, err);
	return SECOR_OK;
}
