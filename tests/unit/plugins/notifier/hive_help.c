/*
 * hive_help.c -- see hive_help.h. One connection at a time.
 */
#include "tests/unit/plugins/notifier/hive_help.h"

#include "tests/unit/helpers/loopback.h"
#include "tests/unit/plugins/notifier/event.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 32 };

struct step {
	enum hive_how how;
	struct text body;
	int ends;
};

struct hive_server {
	int listens, port;
	pthread_t thread;
	SSL_CTX *context; /* NULL: plain */
	SSL *ssl;	  /* of the connection */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t gone;  /* there is no connection */
	int stops, connection, frames;
	struct step steps[MOST];
	size_t step_count, step_at;
	struct text calls[MOST];
	size_t call_count, call_told;
};

/* ---- the server ---- */

static ssize_t
get(struct hive_server *server, int fd, char *bytes, size_t room)
{
	return server->ssl != NULL ? SSL_read(server->ssl, bytes, (int)room)
				   : recv(fd, bytes, room, 0);
}

/* One call, without its frame; 0 when the client has gone. */
static int
read_call(struct hive_server *server, int fd, struct text *call,
    struct thrift_message *message)
{
	int framed = server->frames;
	size_t head = framed ? 4 : 0;
	char bytes[4096];
	ssize_t n;

	for (;;) {
		if (call->len > head &&
		    thrift_message((struct secor_bytes){call->ptr + head,
				       call->len - head},
			message) == THRIFT_WHOLE)
			break;
		n = get(server, fd, bytes, sizeof(bytes));
		if (n <= 0)
			return 0;
		text_add(call, bytes, (size_t)n);
	}
	cr_assert_eq(head + message->length, call->len);
	cr_assert(!framed ||
		  ntohl(*(uint32_t *)(void *)call->ptr) == message->length);
	return 1;
}

static void
put_answer(struct text *to, const struct step *step,
    const struct thrift_message *message)
{
	if (step->how != HIVE_RAW) {
		thrift_put_i32(to,
		    (int32_t)(0x80010000U |
			      (step->how == HIVE_REPLY ? THRIFT_REPLY
						       : THRIFT_EXCEPTION)));
		thrift_put_bytes(to, message->method.ptr, message->method.len);
		thrift_put_i32(to, message->sequence);
	}
	text_add(to, step->body.ptr, step->body.len);
}

static void
send_answer(struct hive_server *server, int fd, const struct step *step,
    const struct thrift_message *message)
{
	struct text answer = {0}, whole = {0};

	put_answer(&answer, step, message);
	if (server->frames)
		thrift_put_i32(&whole, (int32_t)answer.len);
	text_add(&whole, answer.ptr, answer.len);
	if (server->ssl != NULL)
		(void)SSL_write(server->ssl, whole.ptr, (int)whole.len);
	else
		(void)send(fd, whole.ptr, whole.len, MSG_NOSIGNAL);
	text_fini(&answer);
	text_fini(&whole);
}

/* Returns whether the connection goes on. */
static int
serve_one(struct hive_server *server, int fd)
{
	struct thrift_message message;
	struct text call = {0};
	struct step *step = NULL;

	if (!read_call(server, fd, &call, &message)) {
		text_fini(&call);
		return 0;
	}
	(void)pthread_mutex_lock(&server->lock);
	cr_assert_lt(server->call_count, MOST);
	server->calls[server->call_count++] = call;
	if (server->step_at < server->step_count)
		step = &server->steps[server->step_at++];
	(void)pthread_mutex_unlock(&server->lock);
	if (step == NULL || step->how == HIVE_CLOSE)
		return 0;
	if (step->how == HIVE_HANG) {
		char byte;

		(void)get(server, fd, &byte, 1);
		return 0;
	}
	send_answer(server, fd, step, &message);
	return step->how != HIVE_RAW && !step->ends;
}

static int
set_connection(struct hive_server *server, int fd)
{
	int stops;

	(void)pthread_mutex_lock(&server->lock);
	server->connection = fd;
	stops = server->stops;
	(void)pthread_mutex_unlock(&server->lock);
	return !stops;
}

/* Returns whether there is a connection now. */
static int
begin(struct hive_server *server, int fd)
{
	if (!set_connection(server, fd))
		return 0;
	if (server->context == NULL)
		return 1;
	server->ssl = SSL_new(server->context);
	return SSL_set_fd(server->ssl, fd) == 1 && SSL_accept(server->ssl) == 1;
}

/* While it is closed nobody else may shut it down. */
static void
end(struct hive_server *server, int fd)
{
	(void)pthread_mutex_lock(&server->lock);
	server->connection = -1;
	SSL_free(server->ssl);
	server->ssl = NULL;
	(void)close(fd);
	(void)pthread_cond_signal(&server->gone);
	(void)pthread_mutex_unlock(&server->lock);
}

static void *
serve(void *self)
{
	struct hive_server *server = self;
	sigset_t pipe;
	int fd;

	/* what a test makes of it is for the notifier alone */
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	while ((fd = accept(server->listens, NULL, NULL)) >= 0) {
		if (begin(server, fd))
			while (serve_one(server, fd))
				;
		end(server, fd);
	}
	return NULL;
}

static struct hive_server *
server_start(void)
{
	struct hive_server *server = calloc(1, sizeof(*server));

	server->connection = -1;
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_cond_init(&server->gone, NULL);
	server->listens = loopback_listen(&server->port);
	cr_assert_eq(pthread_create(&server->thread, NULL, serve, server), 0);
	return server;
}

static void
server_stop(struct hive_server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	server->stops = 1;
	if (server->connection >= 0)
		(void)shutdown(server->connection, SHUT_RDWR);
	(void)pthread_mutex_unlock(&server->lock);
	(void)shutdown(server->listens, SHUT_RDWR);
	(void)pthread_join(server->thread, NULL);
	(void)close(server->listens);
	for (size_t i = 0; i < server->step_count; i++)
		text_fini(&server->steps[i].body);
	for (size_t i = 0; i < server->call_count; i++)
		text_fini(&server->calls[i]);
	(void)pthread_mutex_destroy(&server->lock);
	(void)pthread_cond_destroy(&server->gone);
	SSL_CTX_free(server->context);
	free(server);
}

/* ---- what a test says ---- */

void
hive_begin(struct hive *hive, ...)
{
	const char *key, *value;
	char uri[64];
	va_list ap;

	memset(hive, 0, sizeof(*hive));
	hive->plugin = harness_plugin("notifier/hive-metastore");
	(void)signal(SIGPIPE, SIG_IGN); /* as the service has it */
	hive->server = server_start();
	(void)snprintf(
	    uri, sizeof(uri), "thrift://127.0.0.1:%d", hive->server->port);
	hive->conf =
	    harness_conf(hive->plugin, "uris", uri, "table", "t_{topic}", NULL);
	va_start(ap, hive);
	while ((key = va_arg(ap, const char *)) != NULL) {
		value = va_arg(ap, const char *);
		cr_assert_eq(harness_set(hive->plugin, hive->conf, key, value,
				 &hive->err),
		    SECOR_OK, "%s", hive->err.text);
	}
	va_end(ap);
	hive->self = harness_open(hive->plugin, hive->conf, NULL);
}

void
hive_end(struct hive *hive)
{
	harness_close(hive->plugin, hive->self);
	harness_conf_free(hive->plugin, hive->conf);
	server_stop(hive->server);
}

void
hive_comes_second(struct hive *hive, const struct hive *first)
{
	char uris[128];

	(void)snprintf(uris, sizeof(uris),
	    "[thrift://127.0.0.1:%d, thrift://127.0.0.1:%d]",
	    first->server->port, hive->server->port);
	harness_close(hive->plugin, hive->self);
	cr_assert_eq(
	    harness_set(hive->plugin, hive->conf, "uris", uris, &hive->err),
	    SECOR_OK);
	hive->self = harness_open(hive->plugin, hive->conf, NULL);
}

int
hive_port(const struct hive *hive)
{
	return hive->server->port;
}

void
hive_says(struct hive *hive, enum hive_how how, struct text body)
{
	struct hive_server *server = hive->server;

	(void)pthread_mutex_lock(&server->lock);
	cr_assert_lt(server->step_count, MOST);
	server->steps[server->step_count++] = (struct step){how, body, 0};
	(void)pthread_mutex_unlock(&server->lock);
}

void
hive_then_ends(struct hive *hive)
{
	(void)pthread_mutex_lock(&hive->server->lock);
	hive->server->steps[hive->server->step_count - 1].ends = 1;
	(void)pthread_mutex_unlock(&hive->server->lock);
}

void
hive_gone(struct hive *hive)
{
	(void)pthread_mutex_lock(&hive->server->lock);
	while (hive->server->connection >= 0)
		(void)pthread_cond_wait(
		    &hive->server->gone, &hive->server->lock);
	(void)pthread_mutex_unlock(&hive->server->lock);
}

void
hive_frames(struct hive *hive)
{
	(void)pthread_mutex_lock(&hive->server->lock);
	hive->server->frames = 1;
	(void)pthread_mutex_unlock(&hive->server->lock);
}

void
hive_tls(struct hive *hive, SSL_CTX *context)
{
	(void)pthread_mutex_lock(&hive->server->lock);
	hive->server->context = context;
	(void)pthread_mutex_unlock(&hive->server->lock);
}

static void
read_kept(
    const struct hive_server *server, size_t i, struct thrift_message *message)
{
	size_t head = server->frames ? 4 : 0;
	const struct text *call = &server->calls[i];

	cr_assert_eq(thrift_message((struct secor_bytes){call->ptr + head,
					call->len - head},
			 message),
	    THRIFT_WHOLE);
}

void
hive_expect(struct hive *hive, const char *methods)
{
	struct hive_server *server = hive->server;
	struct thrift_message message;
	struct text found = {0};

	text_adds(&found, "");
	(void)pthread_mutex_lock(&server->lock);
	for (; server->call_told < server->call_count; server->call_told++) {
		read_kept(server, server->call_told, &message);
		text_addf(&found, "%s%.*s", found.len == 0 ? "" : " ",
		    (int)message.method.len, message.method.ptr);
	}
	(void)pthread_mutex_unlock(&server->lock);
	cr_assert_str_eq(found.ptr, methods);
	text_fini(&found);
}

struct wire
hive_arguments(struct hive *hive)
{
	struct hive_server *server = hive->server;
	struct thrift_message message;

	(void)pthread_mutex_lock(&server->lock);
	cr_assert_gt(server->call_count, 0);
	read_kept(server, server->call_count - 1, &message);
	(void)pthread_mutex_unlock(&server->lock);
	return message.body;
}

void
hive_text(const struct hive *hive, const char *part)
{
	cr_assert_not_null(strstr(hive->err.text, part), "'%s' lacks '%s'",
	    hive->err.text, part);
}

int
hive_object(struct hive *hive, const char *value)
{
	const struct secor_event_level level = {"dt", value};
	char path[1024] = "", url[1200];
	struct event_object object = event_object(path, &level, 1);
	struct secor_event_batch batch = event_batch("t", &object, 1);

	(void)snprintf(path, sizeof(path), "dt=%s", value);
	(void)snprintf(url, sizeof(url), "s3://b/t/%s/1_0_7.gz", path);
	object.object.url = url;
	return hive->plugin->ops.notifier->batch_done(
	    hive->self, &batch, &hive->err);
}

int
hive_path(struct hive *hive, const char *value)
{
	const struct secor_event_level level = {"dt", value};
	char path[1024] = "", url[1200];
	struct event_object object = event_object(path, &level, 1);
	struct secor_event_path event = event_path(path, &level, 1);

	event.url = url;
	event.objects = &object.object;
	event.object_count = 1;
	event.total_objects = 3;
	event.total_records = 200;
	event.total_bytes = 9000;
	(void)snprintf(path, sizeof(path), "dt=%s", value);
	(void)snprintf(url, sizeof(url), "s3://b/t/%s", path);
	return hive->plugin->ops.notifier->path_finalized(
	    hive->self, &event, &hive->err);
}
