/*
 * parts_server.c -- see parts_server.h. A thread a connection.
 */
#include "tests/unit/plugins/store/parts_server.h"

#include "tests/unit/helpers/loopback.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 128 };

#define ERROR(code) "<Error><Code>" code "</Code></Error>"

struct part {
	char *body;
	size_t len;
	int waits; /* for its answer */
};

struct parts_server {
	struct parts_plan plan;
	int listens;
	char url[64];
	pthread_t listener;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t moved;
	int stops, opened; /* opened: `hold` parts were here */
	pthread_t threads[MOST_CONNECTIONS];
	int fds[MOST_CONNECTIONS];
	size_t connections;
	size_t held, most;
	struct part parts[PARTS_MOST + 1];
	char *complete;
	char log[4096];
};

struct conn {
	struct parts_server *server;
	size_t which;
	int fd;
	char *text; /* head and body */
	size_t len, head, length;
};

/* ---- reading ---- */

static int
fill(struct conn *conn, size_t most)
{
	ssize_t n = recv(conn->fd, conn->text + conn->len, most, 0);

	if (n <= 0)
		return -1;
	conn->len += (size_t)n;
	conn->text[conn->len] = '\0';
	return 0;
}

static int
send_text(const struct conn *conn, const char *text)
{
	size_t len = strlen(text);

	return send(conn->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
}

static int
read_head(struct conn *conn)
{
	const char *end, *length;

	conn->len = 0;
	conn->text = realloc(conn->text, 16384);
	conn->text[0] = '\0';
	while ((end = strstr(conn->text, "\r\n\r\n")) == NULL)
		if (conn->len > 16000 || fill(conn, 16383 - conn->len) != 0)
			return -1;
	conn->head = (size_t)(end - conn->text) + 4;
	length = strcasestr(conn->text, "\r\ncontent-length:");
	conn->length =
	    length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
	conn->text = realloc(conn->text, conn->head + conn->length + 1);
	if (strcasestr(conn->text, "100-continue") == NULL)
		return 0;
	return send_text(conn, "HTTP/1.1 100 Continue\r\n\r\n");
}

static int
read_until(struct conn *conn, size_t body)
{
	while (conn->len < conn->head + body)
		if (fill(conn, conn->head + body - conn->len) != 0)
			return -1;
	return 0;
}

/* ---- deciding ---- */

static void
note(struct parts_server *server, const char *word, int part)
{
	size_t len = strlen(server->log);
	char *at = server->log + len;
	size_t room = sizeof(server->log) - len;

	if (part > 0)
		(void)snprintf(at, room, "%s%d ", word, part);
	else
		(void)snprintf(at, room, "%s ", word);
}

static enum parts_how
take_rule(struct parts_server *server, int part)
{
	for (size_t i = 0; i < 2; i++)
		if (server->plan.rules[i].part == part &&
		    server->plan.rules[i].times > 0) {
			server->plan.rules[i].times--;
			return server->plan.rules[i].how;
		}
	return PARTS_FINE;
}

/* The answer to what is refused whatever it is, or NULL. */
static const char *
refusal(const struct parts_server *server, const struct conn *conn)
{
	const struct parts_plan *plan = &server->plan;
	const char *skewed = plan->skewed[server->opened];
	char line[128];

	if (plan->expired != NULL && server->opened) {
		(void)snprintf(
		    line, sizeof(line), "Credential=%s/", plan->expired);
		if (strstr(conn->text, line) != NULL)
			return ERROR("ExpiredToken");
	}
	if (skewed == NULL)
		return NULL;
	(void)snprintf(line, sizeof(line), "date: %s", skewed);
	return strcasestr(conn->text, line) != NULL
		   ? ERROR("RequestTimeTooSkewed")
		   : NULL;
}

static int
higher_waits(const struct parts_server *server, int part)
{
	for (int i = part + 1; i <= PARTS_MOST; i++)
		if (server->parts[i].waits)
			return 1;
	return 0;
}

/* Until it may be answered; 0: the server stops. Holds: lock. */
static int
wait_turn(struct parts_server *server, int part, int fine)
{
	struct part *self = &server->parts[part];

	self->waits = 1;
	server->held++;
	if (server->held > server->most)
		server->most = server->held;
	server->opened |= server->held >= server->plan.hold;
	(void)pthread_cond_broadcast(&server->moved);
	while (!server->stops &&
	       (!server->opened || (fine && (server->plan.never ||
						higher_waits(server, part)))))
		(void)pthread_cond_wait(&server->moved, &server->lock);
	self->waits = 0;
	server->held--;
	(void)pthread_cond_broadcast(&server->moved);
	return !server->stops;
}

/* ---- answering ---- */

/* The ETag of a part is "e<number>". */
static int
answer(const struct conn *conn, int status, const char *body)
{
	const char *number = strstr(conn->text, "partNumber=");
	char text[1024], etag[32];

	(void)snprintf(etag, sizeof(etag), "ETag: \"e%ld\"\r\n",
	    number != NULL ? strtol(number + 11, NULL, 10) : 0);
	(void)snprintf(text, sizeof(text),
	    "HTTP/1.1 %d X\r\nDate: Tue, 03 Feb 2026 05:05:06 GMT\r\n"
	    "%sContent-Length: %zu\r\n\r\n%s",
	    status, status == 200 ? etag : "", strlen(body), body);
	return send_text(conn, text);
}

static void
reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void
keep_part(struct parts_server *server, const struct conn *conn, int part)
{
	struct part *self = &server->parts[part];

	free(self->body);
	self->body = malloc(conn->length + 1);
	memcpy(self->body, conn->text + conn->head, conn->length);
	self->len = conn->length;
}

/* Holds: lock, but not while it reads. */
static int
serve_part(struct parts_server *server, struct conn *conn, int part)
{
	enum parts_how how = take_rule(server, part);
	const char *refused;
	int status, turn;

	(void)pthread_mutex_unlock(&server->lock);
	status = read_until(
	    conn, how == PARTS_CUT ? conn->length / 2 : conn->length);
	(void)pthread_mutex_lock(&server->lock);
	if (status != 0 || how == PARTS_CUT) {
		note(server, "x", part);
		reset(conn->fd);
		return -1;
	}
	note(server, "P", part);
	keep_part(server, conn, part);
	turn = wait_turn(server, part, how == PARTS_FINE);
	if (!turn || how == PARTS_HANG) {
		(void)pthread_mutex_unlock(&server->lock);
		while (turn && recv(conn->fd, conn->text, 1, 0) > 0)
			;
		(void)pthread_mutex_lock(&server->lock);
		return -1;
	}
	refused = refusal(server, conn);
	if (refused != NULL)
		return answer(conn, 400, refused);
	if (how == PARTS_SLOW_DOWN)
		return answer(conn, 503, ERROR("SlowDown"));
	if (how == PARTS_DENIED)
		return answer(conn, 403, ERROR("AccessDenied"));
	return answer(conn, 200, "");
}

/* Holds: lock. */
static int
serve_other(struct parts_server *server, struct conn *conn)
{
	const char *refused = refusal(server, conn);

	if (read_until(conn, conn->length) != 0)
		return -1;
	if (refused != NULL)
		return answer(conn, 400, refused);
	if (strncmp(conn->text, "DELETE ", 7) == 0) {
		note(server, "A", 0);
		return answer(conn, 204, "");
	}
	if (strstr(conn->text, "?uploads=") != NULL) {
		note(server, "C", 0);
		return answer(conn, 200,
		    "<InitiateMultipartUploadResult><UploadId>u</UploadId>"
		    "</InitiateMultipartUploadResult>");
	}
	if (strncmp(conn->text, "PUT ", 4) == 0) {
		note(server, "S", 0);
		return answer(conn, 200, "");
	}
	note(server, "F", 0);
	free(server->complete);
	server->complete = strdup(conn->text);
	return answer(conn, 200,
	    "<CompleteMultipartUploadResult><ETag>e</ETag>"
	    "</CompleteMultipartUploadResult>");
}

static int
serve_one(struct conn *conn)
{
	struct parts_server *server = conn->server;
	const char *number;
	int part = 0, status;

	if (read_head(conn) != 0)
		return -1;
	number = strstr(conn->text, "partNumber=");
	if (number != NULL)
		part = (int)strtol(number + 11, NULL, 10);
	(void)pthread_mutex_lock(&server->lock);
	if (part < 0 || part > PARTS_MOST)
		status = -1;
	else if (part > 0)
		status = serve_part(server, conn, part);
	else
		status = serve_other(server, conn);
	(void)pthread_mutex_unlock(&server->lock);
	return status;
}

static void *
serve(void *self)
{
	struct conn *conn = self;
	struct parts_server *server = conn->server;

	while (serve_one(conn) == 0)
		;
	(void)pthread_mutex_lock(&server->lock);
	server->fds[conn->which] = -1;
	(void)close(conn->fd);
	(void)pthread_mutex_unlock(&server->lock);
	free(conn->text);
	free(conn);
	return NULL;
}

/* ---- the server ---- */

/* Holds: lock. */
static void
let_in(struct parts_server *server, int fd)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	cr_assert_lt(server->connections, MOST_CONNECTIONS);
	conn->server = server;
	conn->which = server->connections++;
	conn->fd = server->fds[conn->which] = fd;
	cr_assert_eq(
	    pthread_create(&server->threads[conn->which], NULL, serve, conn),
	    0);
}

static void *
listen_on(void *self)
{
	struct parts_server *server = self;
	int fd;

	while ((fd = accept(server->listens, NULL, NULL)) >= 0) {
		(void)pthread_mutex_lock(&server->lock);
		if (server->stops)
			(void)close(fd);
		else
			let_in(server, fd);
		(void)pthread_mutex_unlock(&server->lock);
	}
	return NULL;
}

struct parts_server *
parts_start(const struct parts_plan *plan)
{
	struct parts_server *server = calloc(1, sizeof(*server));
	int port;

	server->plan = *plan;
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_cond_init(&server->moved, NULL);
	server->listens = loopback_listen(&port);
	(void)snprintf(
	    server->url, sizeof(server->url), "http://127.0.0.1:%d", port);
	cr_assert_eq(
	    pthread_create(&server->listener, NULL, listen_on, server), 0);
	return server;
}

void
parts_stop(struct parts_server *server)
{
	size_t i;

	(void)pthread_mutex_lock(&server->lock);
	server->stops = 1;
	for (i = 0; i < server->connections; i++)
		if (server->fds[i] >= 0)
			(void)shutdown(server->fds[i], SHUT_RDWR);
	(void)pthread_cond_broadcast(&server->moved);
	(void)pthread_mutex_unlock(&server->lock);
	(void)shutdown(server->listens, SHUT_RDWR);
	(void)pthread_join(server->listener, NULL);
	for (i = 0; i < server->connections; i++)
		(void)pthread_join(server->threads[i], NULL);
	(void)close(server->listens);
}

void
parts_free(struct parts_server *server)
{
	int i;

	for (i = 0; i <= PARTS_MOST; i++)
		free(server->parts[i].body);
	free(server->complete);
	(void)pthread_cond_destroy(&server->moved);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
}

const char *
parts_url(const struct parts_server *server)
{
	return server->url;
}

static size_t
look(struct parts_server *server, const size_t *at)
{
	size_t value;

	(void)pthread_mutex_lock(&server->lock);
	value = *at;
	(void)pthread_mutex_unlock(&server->lock);
	return value;
}

size_t
parts_held(struct parts_server *server)
{
	return look(server, &server->held);
}

size_t
parts_connections(struct parts_server *server)
{
	return look(server, &server->connections);
}

size_t
parts_most_at_once(struct parts_server *server)
{
	return look(server, &server->most);
}

const char *
parts_log(struct parts_server *server)
{
	return server->log;
}

const char *
parts_body(struct parts_server *server, int part, size_t *len)
{
	*len = server->parts[part].len;
	return server->parts[part].body;
}

const char *
parts_complete(struct parts_server *server)
{
	return server->complete;
}
