/*
 * listen.c -- see listen.h. The socket is bound here and not by the HTTP
 * library, so that "taken" can be told from every other failure.
 */
#include "core/observe/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Splits "host:port" and "[host]:port" at the last colon. */
static int
split(const char *text, char *host, size_t room, int *port)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon == NULL ? 0 : (size_t)(colon - text);
	char *end;
	long number;

	if (colon == NULL || colon[1] < '0' || colon[1] > '9')
		return 0;
	number = strtol(colon + 1, &end, 10);
	if (*end != '\0' || number > 65535)
		return 0;
	*port = (int)number;
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (memchr(text, ':', n) != NULL) {
		return 0; /* which colon would be meant? */
	}
	if (n >= room)
		return 0;
	memcpy(host, text, n);
	host[n] = '\0';
	return 1;
}

/* A listening socket, or -1 with errno. */
static int
try_one(const struct addrinfo *at)
{
	int one = 1, cause;
	int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* a restart must not wait for connections in TIME_WAIT */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, 32) == 0)
		return fd;
	cause = errno;
	(void)close(fd);
	errno = cause;
	return -1;
}

static int
try_port(const char *host, int port, const char *text, struct secor_err *err)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *list, *at;
	char service[16];
	int fd = -1, rc;

	(void)snprintf(service, sizeof(service), "%d", port);
	rc = getaddrinfo(host[0] == '\0' ? NULL : host, service, &hints, &list);
	if (rc != 0) {
		errno = 0;
		(void)secor_fail(
		    err, SECOR_FATAL, "listen %s: %s", text, gai_strerror(rc));
		return -1;
	}
	for (at = list; at != NULL && fd < 0; at = at->ai_next) {
		fd = try_one(at);
		/* localhost has two addresses: half of a port is not free */
		if (fd < 0 && errno == EADDRINUSE)
			break;
	}
	rc = errno;
	freeaddrinfo(list);
	errno = rc;
	if (fd < 0)
		(void)secor_fail(
		    err, SECOR_FATAL, "listen %s: %s", text, strerror(rc));
	return fd;
}

static void
name_of(int fd, char *address)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	char host[64] = "?", port[8] = "?";

	if (getsockname(fd, (struct sockaddr *)&name, &len) == 0)
		(void)getnameinfo((struct sockaddr *)&name, len, host,
		    sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	(void)snprintf(address, LISTEN_ADDRESS_ROOM,
	    strchr(host, ':') == NULL ? "%s:%s" : "[%s]:%s", host, port);
}

int
listen_open(
    const char *text, int more, int *fd, char *address, struct secor_err *err)
{
	char host[256];
	int port, last;
	int got = -1;

	if (!split(text, host, sizeof(host), &port))
		return secor_fail(err, SECOR_FATAL,
		    "listen '%s' is no host:port (like 127.0.0.1:9999)", text);
	last = port == 0 ? 0 : port + more > 65535 ? 65535 : port + more;
	for (; got < 0 && port <= last; port++) {
		got = try_port(host, port, text, err);
		if (got < 0 && errno != EADDRINUSE)
			return SECOR_FATAL;
	}
	if (got < 0)
		return secor_fail(err, SECOR_FATAL,
		    "listen %s: this port and those up to %d are taken", text,
		    last);
	name_of(got, address);
	*fd = got;
	return SECOR_OK;
}
