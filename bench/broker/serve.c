/*
 * serve.c -- connections: reads requests, answers them in order, closes at the
 * first one that it does not understand.
 */
#include "bench/broker/broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_MAX = 16 << 20 };

static const struct {
	int api, max;
} SPOKEN[] = {{0, 7}, {API_FETCH, 11}, {API_LIST_OFFSETS, 2}, {API_METADATA, 4},
    {API_OFFSET_COMMIT, 2}, {API_OFFSET_FETCH, 1}, {API_FIND_COORDINATOR, 0},
    {API_JOIN_GROUP, 1}, {API_HEARTBEAT, 0}, {API_LEAVE_GROUP, 0},
    {API_SYNC_GROUP, 0}, {API_VERSIONS, 3}};

#define SPOKEN_COUNT (sizeof(SPOKEN) / sizeof(SPOKEN[0]))

double
clock_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- what the broker has ---- */

static void
versions(const struct request *request, struct buf *out)
{
	int flexible = request->version >= 3;

	put_i16(out, 0);
	if (flexible)
		put_i8(out, SPOKEN_COUNT + 1);
	else
		put_i32(out, SPOKEN_COUNT);
	for (size_t i = 0; i < SPOKEN_COUNT; i++) {
		put_i16(out, SPOKEN[i].api);
		put_i16(out, 0);
		put_i16(out, SPOKEN[i].max);
		if (flexible)
			put_i8(out, 0); /* tags */
	}
	if (request->version >= 1)
		put_i32(out, 0); /* throttle */
	if (flexible)
		put_i8(out, 0);
}

static void
put_topic(const struct broker *broker, struct wire_bytes name, int version,
    struct buf *out)
{
	int ours = name.len == strlen(broker->topic) &&
		   memcmp(name.ptr, broker->topic, name.len) == 0;
	int n = ours ? broker->partitions : 0;

	put_i16(out, ours ? 0 : UNKNOWN_TOPIC);
	put_string(out, name);
	if (version >= 1)
		put_i8(out, 0); /* not internal */
	put_i32(out, n);
	for (int i = 0; i < n; i++) {
		put_i16(out, 0);
		put_i32(out, i);
		put_i32(out, 1); /* leader */
		put_i32(out, 1); /* replicas */
		put_i32(out, 1);
		put_i32(out, 1); /* in sync */
		put_i32(out, 1);
	}
}

static void
metadata(const struct broker *broker, struct request *request, struct buf *out)
{
	int version = request->version;
	int n = wire_i32(&request->in);

	if (version >= 3)
		put_i32(out, 0); /* throttle */
	put_i32(out, 1);
	put_i32(out, 1); /* node */
	put_string(out, wire_text("127.0.0.1"));
	put_i32(out, broker->port);
	if (version >= 1)
		put_i16(out, -1); /* rack */
	if (version >= 2)
		put_string(out, wire_text("bench"));
	if (version >= 1)
		put_i32(out, 1); /* controller */
	if (n < 0 || (n == 0 && version == 0)) {
		put_i32(out, 1);
		put_topic(broker, wire_text(broker->topic), version, out);
		return;
	}
	put_i32(out, n);
	while (n-- > 0 && !request->in.bad)
		put_topic(broker, wire_string(&request->in), version, out);
}

/* Versions 1 and 2: one offset each. */
static void
list_offsets(
    const struct broker *broker, struct request *request, struct buf *out)
{
	struct wire *in = &request->in;
	int topics;

	(void)wire_i32(in); /* replica */
	if (request->version >= 2) {
		(void)wire_i8(in); /* isolation */
		put_i32(out, 0);   /* throttle */
	}
	topics = wire_i32(in);
	put_i32(out, topics);
	while (topics-- > 0 && !in->bad) {
		int n;

		put_string(out, wire_string(in));
		n = wire_i32(in);
		put_i32(out, n);
		while (n-- > 0 && !in->bad) {
			put_i32(out, wire_i32(in));
			put_i16(out, 0);
			put_i64(out, -1); /* time */
			put_i64(out,
			    wire_i64(in) == -2 ? 0 : broker->log->messages);
		}
	}
}

/* ---- a connection ---- */

struct connection {
	struct broker *broker;
	int fd;
	char *bytes;
	size_t room;
};

static int
read_all(int fd, char *to, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, to, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		to += got;
		n -= (size_t)got;
	}
	return 0;
}

static int
write_all(int fd, const char *from, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, from, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		from += put;
		n -= (size_t)put;
	}
	return 0;
}

static int
read_request(struct connection *conn, struct request *request)
{
	unsigned char head[4];
	size_t n;

	if (read_all(conn->fd, (char *)head, sizeof(head)) != 0)
		return -1;
	n = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
	    (size_t)head[2] << 8 | head[3];
	if (n > REQUEST_MAX)
		return -1;
	if (conn->room < n) {
		conn->bytes = mem_grow(conn->bytes, n);
		conn->room = n;
	}
	if (read_all(conn->fd, conn->bytes, n) != 0)
		return -1;
	request->in.at = (unsigned char *)conn->bytes;
	request->in.end = request->in.at + n;
	request->in.bad = 0;
	request->api = wire_i16(&request->in);
	request->version = wire_i16(&request->in);
	request->correlation = wire_i32(&request->in);
	(void)wire_string(&request->in); /* client id */
	return request->in.bad ? -1 : 0;
}

static int
fill_answer(struct broker *broker, struct request *request, struct buf *out)
{
	switch (request->api) {
	case API_VERSIONS:
		versions(request, out);
		return 1;
	case API_METADATA:
		metadata(broker, request, out);
		return 1;
	case API_LIST_OFFSETS:
		if (request->version < 1)
			return 0;
		list_offsets(broker, request, out);
		return 1;
	default:
		return group_answer(broker, request, out);
	}
}

static int
answer(struct connection *conn, struct request *request)
{
	struct buf out = {0};
	uint32_t n;
	int rc = -1;

	if (request->api == API_FETCH)
		return request->version < 4
			   ? -1
			   : fetch_answer(conn->broker, request, conn->fd);
	put_i32(&out, 0); /* length: below */
	put_i32(&out, request->correlation);
	if (fill_answer(conn->broker, request, &out) && !request->in.bad) {
		n = (uint32_t)(out.len - 4);
		for (size_t i = 0; i < 4; i++)
			out.ptr[i] = (char)(n >> (24 - 8 * i));
		rc = write_all(conn->fd, out.ptr, out.len);
	} else {
		(void)fprintf(stderr,
		    "broker: cannot answer api %d version %d\n", request->api,
		    request->version);
	}
	buf_fini(&out);
	return rc;
}

static void *
serve(void *arg)
{
	struct connection *conn = arg;
	struct request request;

	while (read_request(conn, &request) == 0 && answer(conn, &request) == 0)
		;
	(void)close(conn->fd);
	free(conn->bytes);
	free(conn);
	return NULL;
}

/* ---- the listener ---- */

static void *
accept_all(void *arg)
{
	struct broker *broker = arg;
	int one = 1, fd;

	while ((fd = accept(broker->listener, NULL, NULL)) >= 0) {
		struct connection *conn = mem_alloc(sizeof(*conn));
		pthread_t thread;

		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		conn->broker = broker;
		conn->fd = fd;
		if (pthread_create(&thread, NULL, serve, conn) != 0)
			abort();
		(void)pthread_detach(thread);
	}
	return NULL;
}

void
broker_open(struct broker *broker)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	broker->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (broker->listener < 0 ||
	    bind(broker->listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(broker->listener, 64) != 0 ||
	    getsockname(broker->listener, (struct sockaddr *)&at, &len) != 0) {
		perror("broker: listen on 127.0.0.1");
		exit(3);
	}
	broker->port = ntohs(at.sin_port);
	(void)pthread_mutex_init(&broker->lock, NULL);
	broker->left = broker->partitions;
	for (int i = 0; i < broker->partitions; i++)
		broker->committed[i].offset = -1;
}

void
broker_start(struct broker *broker)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, accept_all, broker) != 0)
		abort();
	(void)pthread_detach(thread);
}
