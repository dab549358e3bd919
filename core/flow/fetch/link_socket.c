/*
 * link_socket.c -- see link_inside.h. The socket does not block; what would is
 * waited for together with stop_fd, until the link's time is over.
 */
#include "core/flow/fetch/link_inside.h"

#include "core/base/clock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
failed(struct secor_err *err, int error)
{
	char text[128];

	return secor_fail(
	    err, SECOR_RETRY, "%s", strerror_r(error, text, sizeof(text)));
}

int
link_wait(const struct link *link, short events, struct secor_err *err)
{
	struct pollfd both[] = {{.fd = link->fd, .events = events},
	    {.fd = link->stop_fd, .events = POLLIN}};

	for (;;) {
		int64_t left = link->until_ms - clock_boot_ms();
		int n = poll(both, 2, left < 0 ? 0 : (int)left);

		if (n > 0 && both[1].revents != 0)
			return secor_fail(err, SECOR_RETRY, "broken off");
		if (n > 0)
			return SECOR_OK;
		if (n < 0 && errno != EINTR)
			return failed(err, errno);
		if (n == 0 && left <= 0)
			return secor_fail(
			    err, SECOR_RETRY, "no answer in time");
	}
}

/* ---- connecting ---- */

static void
tune(int fd, const struct link_conf *conf)
{
	const struct {
		int level, name, value;
	} options[] = {{SOL_SOCKET, SO_KEEPALIVE, conf->keepalive},
	    {IPPROTO_TCP, TCP_NODELAY, conf->no_delay},
	    {SOL_SOCKET, SO_SNDBUF, conf->send_bytes},
	    {SOL_SOCKET, SO_RCVBUF, conf->receive_bytes}};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (options[i].value > 0)
			(void)setsockopt(fd, options[i].level, options[i].name,
			    &options[i].value, sizeof(options[i].value));
}

static int
connect_one(struct link *link, const struct addrinfo *to, struct secor_err *err)
{
	int error = 0, rc = SECOR_OK;
	socklen_t len = sizeof(error);

	link->fd = socket(to->ai_family,
	    to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
	if (link->fd < 0)
		return failed(err, errno);
	tune(link->fd, link->conf);
	if (connect(link->fd, to->ai_addr, to->ai_addrlen) == 0)
		return SECOR_OK;
	if (errno != EINPROGRESS)
		rc = failed(err, errno);
	else
		rc = link_wait(link, POLLOUT, err);
	if (rc == SECOR_OK &&
	    getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
	    error != 0)
		rc = failed(err, error);
	if (rc != SECOR_OK) {
		(void)close(link->fd);
		link->fd = -1;
	}
	return rc;
}

/* Which of the addresses it was, before what is in `err`. */
static void
add_address(const struct addrinfo *at, struct secor_err *err)
{
	const struct secor_err why = *err;
	char text[128];

	if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL,
		0, NI_NUMERICHOST) == 0)
		(void)secor_fail(
		    err, SECOR_RETRY, "%s: %.800s", text, why.text);
}

/* The first address that lets itself be connected to. One that hangs leaves the
 * others their share of the time. */
static int
connect_first(
    struct link *link, const struct addrinfo *found, struct secor_err *err)
{
	const int64_t until_ms = link->until_ms;
	const struct addrinfo *at;
	int64_t count = 0;
	int rc = SECOR_RETRY;

	for (at = found; at != NULL; at = at->ai_next)
		count++;
	for (at = found; rc != SECOR_OK && at != NULL; at = at->ai_next) {
		int64_t now_ms = clock_boot_ms();

		link->until_ms = now_ms + (until_ms - now_ms) / count--;
		rc = connect_one(link, at, err);
		if (rc != SECOR_OK)
			add_address(at, err);
	}
	link->until_ms = until_ms;
	return rc;
}

int
link_socket_open(
    struct link *link, const char *host, int port, struct secor_err *err)
{
	const struct addrinfo hints = {.ai_family = link->conf->family,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found;
	char service[16];
	int rc;

	(void)snprintf(service, sizeof(service), "%d", port);
	rc = getaddrinfo(host, service, &hints, &found);
	if (rc != 0)
		return secor_fail(err, SECOR_RETRY, "%s", gai_strerror(rc));
	rc = connect_first(link, found, err);
	freeaddrinfo(found);
	return rc;
}

/* ---- bytes ---- */

/* As send() and recv() do; *n: how many it was. 0 with SECOR_OK: once more. */
static int
move(
    struct link *link, short events, void *at, size_t *n, struct secor_err *err)
{
	ssize_t done;

	if (link->ssl != NULL)
		return events == POLLOUT ? link_tls_write(link, at, n, err)
					 : link_tls_read(link, at, n, err);
	done = events == POLLOUT ? send(link->fd, at, *n, MSG_NOSIGNAL)
				 : recv(link->fd, at, *n, 0);
	*n = done > 0 ? (size_t)done : 0;
	if (done > 0 || (done < 0 && errno == EINTR))
		return SECOR_OK;
	if (done == 0)
		return secor_fail(err, SECOR_RETRY, LINK_ENDED);
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return link_wait(link, events, err);
	return failed(err, errno);
}

static int
move_all(struct link *link, short events, void *bytes, size_t len,
    struct secor_err *err)
{
	char *at = bytes;
	int rc = SECOR_OK;

	while (rc == SECOR_OK && len > 0) {
		size_t n = len;

		rc = move(link, events, at, &n, err);
		at += n;
		len -= n;
		if (n > 0 && link->idle_ms > 0)
			link->until_ms = clock_boot_ms() + link->idle_ms;
	}
	return rc;
}

int
link_read(struct link *link, void *at, size_t len, struct secor_err *err)
{
	return move_all(link, POLLIN, at, len, err);
}

int
link_write(struct link *link, const void *at, size_t len, struct secor_err *err)
{
	return move_all(link, POLLOUT, (void *)(uintptr_t)at, len, err);
}
