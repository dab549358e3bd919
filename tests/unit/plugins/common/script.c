/*
 * script.c -- see script.h. One connection at a time.
 */
#include "tests/unit/plugins/common/script.h"

#include "tests/unit/helpers/loopback.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_REQUESTS = 64 };

struct script {
	const struct script_step *steps;
	size_t steps_count;
	int listens;
	char url[64];
	pthread_t thread;

	pthread_mutex_t lock; /* of all below */
	int stops, connection;
	size_t connections, count;
	char *requests[MOST_REQUESTS];
};

struct request {
	char *text;
	size_t len, room, head; /* head: 0 until it is whole */
	size_t body;		/* promised */
};

static ssize_t
fill(int fd, struct request *request)
{
	ssize_t n;

	if (request->room - request->len < 65536) {
		request->room = request->room * 2 + 131072;
		request->text = realloc(request->text, request->room);
	}
	n = recv(fd, request->text + request->len,
	    request->room - request->len - 1, 0);
	if (n > 0)
		request->len += (size_t)n;
	request->text[request->len] = '\0';
	return n;
}

static int
send_text(int fd, const char *text, size_t len)
{
	ssize_t n;

	for (; len > 0; text += n, len -= (size_t)n) {
		n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return -1;
	}
	return 0;
}

static int
read_head(int fd, struct request *request)
{
	static const char go[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const char *end, *length;

	do {
		if (fill(fd, request) <= 0)
			return -1;
		end = strstr(request->text, "\r\n\r\n");
	} while (end == NULL);
	request->head = (size_t)(end - request->text) + 4;
	length = strcasestr(request->text, "\r\ncontent-length:");
	if (length != NULL && length < end)
		request->body = strtoul(length + 17, NULL, 10);
	if (strcasestr(request->text, "100-continue") != NULL)
		return send_text(fd, go, sizeof(go) - 1);
	return 0;
}

static int
read_body(int fd, struct request *request, size_t want)
{
	while (request->len < request->head + want)
		if (fill(fd, request) <= 0)
			return -1;
	return 0;
}

static void
reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static int
answer(int fd, const struct script_step *step, int is_head)
{
	const char *body = step->body != NULL ? step->body : "";
	const char *headers = step->headers != NULL ? step->headers : "";
	size_t len = strlen(body);
	char *text;
	int n;

	if (step->how == SCRIPT_CHUNK_CUT)
		n = asprintf(&text,
		    "HTTP/1.1 %d X\r\n%sTransfer-Encoding: chunked\r\n\r\n"
		    "%zx\r\n%s",
		    step->status, headers, len + 10, body);
	else
		n = asprintf(&text, "HTTP/1.1 %d X\r\n%s%s%zu\r\n\r\n%s",
		    step->status, headers,
		    strstr(headers, "Content-Length:") != NULL
			? "X-Ignored: "
			: "Content-Length: ",
		    len + (step->how == SCRIPT_TRUNCATE ? 10 : 0),
		    is_head ? "" : body);
	n = send_text(fd, text, (size_t)n);
	free(text);
	return n;
}

static int
play(int fd, const struct script_step *step, struct request *request)
{
	int is_head = strncmp(request->text, "HEAD ", 5) == 0;

	switch (step->how) {
	case SCRIPT_RESET:
		(void)read_body(fd, request, step->reads);
		reset(fd);
		return -1;
	case SCRIPT_LATE_RESET:
		(void)read_body(fd, request, request->body);
		reset(fd);
		return -1;
	case SCRIPT_STALL:
		(void)read_body(fd, request, request->body);
		while (fill(fd, request) > 0)
			;
		return -1;
	default:
		if (read_body(fd, request, request->body) != 0 ||
		    answer(fd, step, is_head) != 0)
			return -1;
		return step->how != SCRIPT_ANSWER || step->closes ? -1 : 0;
	}
}

static int
serve_one(struct script *script, int fd)
{
	struct request request = {.text = NULL};
	const struct script_step *step = NULL;
	size_t which = 0;
	int status = read_head(fd, &request);

	if (status == 0) {
		(void)pthread_mutex_lock(&script->lock);
		which = script->count;
		if (which < script->steps_count && which < MOST_REQUESTS) {
			step = &script->steps[which];
			script->count++;
		}
		(void)pthread_mutex_unlock(&script->lock);
		status = -1;
	}
	if (step == NULL) {
		free(request.text);
		return -1;
	}
	status = play(fd, step, &request);
	(void)pthread_mutex_lock(&script->lock);
	script->requests[which] = request.text;
	(void)pthread_mutex_unlock(&script->lock);
	return status;
}

/* Returns whether it may go on. */
static int
set_connection(struct script *script, int fd)
{
	int stops;

	(void)pthread_mutex_lock(&script->lock);
	script->connection = fd;
	script->connections += fd >= 0;
	stops = script->stops;
	(void)pthread_mutex_unlock(&script->lock);
	return !stops;
}

static void *
serve(void *self)
{
	struct script *script = self;
	int fd;

	while ((fd = accept(script->listens, NULL, NULL)) >= 0) {
		if (set_connection(script, fd))
			while (serve_one(script, fd) == 0)
				;
		(void)set_connection(script, -1);
		(void)close(fd);
	}
	return NULL;
}

struct script *
script_start(const struct script_step *steps, size_t count)
{
	struct script *script = calloc(1, sizeof(*script));
	int port;

	script->steps = steps;
	script->steps_count = count;
	script->connection = -1;
	(void)pthread_mutex_init(&script->lock, NULL);
	script->listens = loopback_listen(&port);
	(void)snprintf(
	    script->url, sizeof(script->url), "http://127.0.0.1:%d", port);
	cr_assert_eq(pthread_create(&script->thread, NULL, serve, script), 0);
	return script;
}

void
script_stop(struct script *script)
{
	(void)pthread_mutex_lock(&script->lock);
	script->stops = 1;
	if (script->connection >= 0)
		(void)shutdown(script->connection, SHUT_RDWR);
	(void)pthread_mutex_unlock(&script->lock);
	(void)shutdown(script->listens, SHUT_RDWR);
	(void)pthread_join(script->thread, NULL);
	(void)close(script->listens);
	for (size_t i = 0; i < MOST_REQUESTS; i++)
		free(script->requests[i]);
	(void)pthread_mutex_destroy(&script->lock);
	free(script);
}

const char *
script_url(const struct script *script)
{
	return script->url;
}

size_t
script_count(struct script *script)
{
	size_t count;

	(void)pthread_mutex_lock(&script->lock);
	count = script->count;
	(void)pthread_mutex_unlock(&script->lock);
	return count;
}

size_t
script_connections(struct script *script)
{
	size_t count;

	(void)pthread_mutex_lock(&script->lock);
	count = script->connections;
	(void)pthread_mutex_unlock(&script->lock);
	return count;
}

/* Stored once its step has been played; the client may be quicker by a hair,
 * so wait for it (the thread is on its way, or the test is wrong). */
const char *
script_request(struct script *script, size_t which)
{
	const char *text;

	cr_assert_lt(which, script_count(script), "no such request");
	do {
		(void)pthread_mutex_lock(&script->lock);
		text = script->requests[which];
		(void)pthread_mutex_unlock(&script->lock);
	} while (text == NULL);
	return text;
}

const char *
script_body(struct script *script, size_t which)
{
	return strstr(script_request(script, which), "\r\n\r\n") + 4;
}

int
script_has(struct script *script, size_t which, const char *line)
{
	const char *text = script_request(script, which);
	const char *end = strstr(text, "\r\n\r\n"), *at = text;
	size_t len = strlen(line);

	while ((at = strstr(at, "\r\n")) != NULL && at <= end) {
		at += 2;
		if (strncmp(at, line, len) == 0 && at[len] == '\r')
			return 1;
	}
	return 0;
}
