/*
 * sink.c -- sink [-d MS] [-r MB] [CERTIFICATE KEY]: an S3 server that takes
 * everything and keeps nothing, so that the cost of an upload is the client's.
 * It answers puts, multipart uploads, an empty list, and 404 to the rest.
 * Prints its port, serves until standard input ends, then prints what it has
 * seen as key=value.
 *
 * -d, -r: as if it were far away: each answer comes so many milliseconds late,
 * and a connection takes so many megabytes a second.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 256 * 1024, LINE_ROOM = 4096 };

static struct {
	SSL_CTX *tls;
	int listener;
	long delay_ms;
	double rate; /* bytes a second of a connection; 0: no limit */
	_Atomic long long connections, requests, bytes;
} sink;

struct conn {
	int fd;
	SSL *tls;   /* NULL: plain */
	double due; /* the next bytes may be taken */
	size_t len;
	char bytes[ROOM + 1];
};

static void
die(const char *what)
{
	(void)fprintf(stderr, "sink: %s failed\n", what);
	exit(3);
}

static double
now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
sleep_s(double s)
{
	struct timespec wait = {.tv_sec = (time_t)s};

	wait.tv_nsec = (long)((s - (double)wait.tv_sec) * 1e9);
	(void)nanosleep(&wait, NULL);
}

/* What was not taken in time is not made up for. */
static void
keep_pace(struct conn *conn, long n)
{
	double now = now_s();

	if (n <= 0 || sink.rate <= 0)
		return;
	if (conn->due > now)
		sleep_s(conn->due - now);
	else
		conn->due = now;
	conn->due += (double)n / sink.rate;
}

static long
receive(struct conn *conn, char *to, size_t room)
{
	long n = conn->tls != NULL ? SSL_read(conn->tls, to, (int)room)
				   : read(conn->fd, to, room);

	keep_pace(conn, n);
	return n;
}

static int
send_text(struct conn *conn, const char *text)
{
	int n = (int)strlen(text);

	if (sink.delay_ms > 0)
		sleep_s((double)sink.delay_ms / 1e3);
	return conn->tls != NULL
		   ? SSL_write(conn->tls, text, n) == n
		   : send(conn->fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

/* ---- one request ---- */

/* Reads up to the empty line; where the body begins, or NULL. */
static char *
read_head(struct conn *conn)
{
	char *end;

	conn->bytes[conn->len] = '\0';
	while ((end = strstr(conn->bytes, "\r\n\r\n")) == NULL) {
		long n =
		    receive(conn, conn->bytes + conn->len, ROOM - conn->len);

		if (n <= 0)
			return NULL;
		conn->len += (size_t)n;
		conn->bytes[conn->len] = '\0';
	}
	end[2] = '\0';
	return end + 4;
}

/* Drops the body; what follows it begins the buffer. */
static int
drop_body(struct conn *conn, const char *from, long long length)
{
	size_t have = conn->len - (size_t)(from - conn->bytes);

	if ((long long)have > length) {
		conn->len = have - (size_t)length;
		memmove(conn->bytes, from + length, conn->len);
		return 1;
	}
	conn->len = 0;
	length -= (long long)have;
	while (length > 0) {
		long n = receive(
		    conn, conn->bytes, length < ROOM ? (size_t)length : ROOM);

		if (n <= 0)
			return 0;
		length -= n;
	}
	return 1;
}

static const char *
body_for(const char *line)
{
	if (strncmp(line, "GET ", 4) == 0)
		return "<ListBucketResult><IsTruncated>false</IsTruncated>"
		       "</ListBucketResult>";
	if (strncmp(line, "POST ", 5) != 0)
		return "";
	return strstr(line, "uploadId=") != NULL
		   ? "<CompleteMultipartUploadResult><ETag>\"e\"</ETag>"
		     "</CompleteMultipartUploadResult>"
		   : "<InitiateMultipartUploadResult><UploadId>u</UploadId>"
		     "</InitiateMultipartUploadResult>";
}

static int
answer(struct conn *conn, const char *line)
{
	const char *body = body_for(line);
	char text[1024];

	(void)snprintf(text, sizeof(text),
	    "HTTP/1.1 %s\r\nETag: \"e\"\r\nContent-Length: %zu\r\n\r\n%s",
	    strncmp(line, "HEAD ", 5) == 0     ? "404 Not Found"
	    : strncmp(line, "DELETE ", 7) == 0 ? "204 No Content"
					       : "200 OK",
	    strlen(body), body);
	return send_text(conn, text);
}

static int
serve_one(struct conn *conn)
{
	char line[LINE_ROOM];
	const char *field;
	char *body = read_head(conn);
	long long length;

	if (body == NULL)
		return 0;
	(void)snprintf(line, sizeof(line), "%.*s",
	    (int)strcspn(conn->bytes, "\r"), conn->bytes);
	field = strcasestr(conn->bytes, "\r\ncontent-length:");
	length = field != NULL ? atoll(field + 17) : 0;
	if (strcasestr(conn->bytes, "\r\nexpect: 100") != NULL &&
	    !send_text(conn, "HTTP/1.1 100 Continue\r\n\r\n"))
		return 0;
	if (!drop_body(conn, body, length))
		return 0;
	sink.requests++;
	sink.bytes += length;
	return answer(conn, line);
}

static void *
serve(void *arg)
{
	struct conn *conn = arg;

	if (conn->tls == NULL || SSL_accept(conn->tls) == 1) {
		sink.connections++;
		while (serve_one(conn))
			;
	}
	SSL_free(conn->tls);
	(void)close(conn->fd);
	free(conn);
	return NULL;
}

/* ---- the listener ---- */

static void *
accept_all(void *arg)
{
	int one = 1, fd;

	while ((fd = accept(sink.listener, NULL, NULL)) >= 0) {
		struct conn *conn = calloc(1, sizeof(*conn));
		pthread_t thread;

		if (conn == NULL)
			die("calloc");
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		conn->fd = fd;
		if (sink.tls != NULL) {
			conn->tls = SSL_new(sink.tls);
			(void)SSL_set_fd(conn->tls, fd);
		}
		if (pthread_create(&thread, NULL, serve, conn) != 0)
			die("pthread_create");
		(void)pthread_detach(thread);
	}
	return arg;
}

static int
listen_here(void)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	sink.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sink.listener < 0 ||
	    bind(sink.listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(sink.listener, 64) != 0 ||
	    getsockname(sink.listener, (struct sockaddr *)&at, &len) != 0)
		die("listen on 127.0.0.1");
	return ntohs(at.sin_port);
}

static void
take_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "d:r:")) != -1)
		if (c == 'd')
			sink.delay_ms = atol(optarg);
		else if (c == 'r')
			sink.rate = atof(optarg) * 1e6;
		else
			exit(2);
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	char byte;

	(void)signal(SIGPIPE, SIG_IGN);
	take_options(argc, argv);
	argv += optind - 1;
	if (argc - optind == 2) {
		sink.tls = SSL_CTX_new(TLS_server_method());
		if (SSL_CTX_use_certificate_chain_file(sink.tls, argv[1]) !=
			1 ||
		    SSL_CTX_use_PrivateKey_file(
			sink.tls, argv[2], SSL_FILETYPE_PEM) != 1)
			die("reading certificate and key");
	}
	(void)printf("%d\n", listen_here());
	(void)fflush(stdout);
	if (pthread_create(&thread, NULL, accept_all, NULL) != 0)
		die("pthread_create");
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	(void)printf("connections=%lld requests=%lld sunk=%lld\n",
	    sink.connections, sink.requests, sink.bytes);
	(void)fflush(stdout);
	_exit(0); /* connections are open still */
}
