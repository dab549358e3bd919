/*
 * line.c -- see line.h. The socket does not block; what would is waited for
 * with poll, until the time that is given.
 */
#include "plugins/notifier/hive-metastore/line.h"

#include "plugins/common/monotonic.h"
#include "plugins/common/sigpipe.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct line {
	int fd;
	SSL *ssl;	  /* NULL: plain */
	int64_t until_ms; /* of the running call */
};

int64_t
line_now_ms(void)
{
	return monotonic_ms();
}

static int
wait_for(int fd, short events, int64_t until_ms, struct secor_err *err)
{
	struct pollfd one = {.fd = fd, .events = events};
	int64_t left;

	for (;;) {
		left = until_ms - line_now_ms();
		if (left <= 0)
			return secor_fail(
			    err, SECOR_RETRY, "no answer in time");
		if (poll(&one, 1, left > 60000 ? 60000 : (int)left) > 0)
			return SECOR_OK;
	}
}

static int
failed(struct secor_err *err, int error)
{
	char text[128];

	return secor_fail(
	    err, SECOR_RETRY, "%s", strerror_r(error, text, sizeof(text)));
}

/* ---- TLS ---- */

enum tls_call { TLS_CONNECT, TLS_READ, TLS_WRITE };

/* Each of them may write. */
static int
call_tls(struct line *line, enum tls_call call, void *bytes, int len)
{
	sigset_t before;
	int hidden = sigpipe_hide(&before), rc, why;

	ERR_clear_error();
	errno = 0;
	rc = call == TLS_CONNECT ? SSL_connect(line->ssl)
	     : call == TLS_READ	 ? SSL_read(line->ssl, bytes, len)
				 : SSL_write(line->ssl, bytes, len);
	why = errno;
	if (hidden)
		sigpipe_show(&before);
	errno = why;
	return rc;
}

/* What OpenSSL says of the last failure, in its own words. */
static int
tls_failed(const struct line *line, int rc, struct secor_err *err)
{
	long verified = SSL_get_verify_result(line->ssl);
	unsigned long code = ERR_get_error();
	char text[256] = "the connection has ended";

	if (verified != X509_V_OK)
		(void)snprintf(text, sizeof(text), "%s",
		    X509_verify_cert_error_string(verified));
	else if (code != 0)
		ERR_error_string_n(code, text, sizeof(text));
	else if (SSL_get_error(line->ssl, rc) == SSL_ERROR_SYSCALL &&
		 errno != 0)
		return failed(err, errno);
	return secor_fail(err, SECOR_RETRY, "TLS: %s", text);
}

/* After a call that gave `rc`: OK means to call it again. */
static int
tls_wait(struct line *line, int rc, int64_t until_ms, struct secor_err *err)
{
	switch (SSL_get_error(line->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(line->fd, POLLIN, until_ms, err);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(line->fd, POLLOUT, until_ms, err);
	default:
		return tls_failed(line, rc, err);
	}
}

/* Whom the certificate must name. 0: out of memory. */
static int
tls_name(SSL *ssl, const char *host)
{
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
		return 1;
	return SSL_set1_host(ssl, host) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

static int
tls_begin(struct line *line, const struct line_conf *conf, const char *host,
    int64_t until_ms, struct secor_err *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int rc = SECOR_OK, done;

	if (context == NULL)
		return secor_fail(err, SECOR_RETRY, "TLS: out of memory");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	done = conf->ca_file != NULL
		   ? SSL_CTX_load_verify_locations(context, conf->ca_file, NULL)
		   : SSL_CTX_set_default_verify_paths(context);
	if (done != 1)
		rc = secor_fail(err, SECOR_RETRY,
		    "TLS: the authorities cannot be read: %s",
		    conf->ca_file != NULL ? conf->ca_file : "the system's");
	else
		line->ssl = SSL_new(context);
	SSL_CTX_free(context);
	if (rc != SECOR_OK)
		return rc;
	if (line->ssl == NULL || SSL_set_fd(line->ssl, line->fd) != 1 ||
	    !tls_name(line->ssl, host))
		return secor_fail(err, SECOR_RETRY, "TLS: out of memory");
	while (rc == SECOR_OK &&
	       (done = call_tls(line, TLS_CONNECT, NULL, 0)) != 1)
		rc = tls_wait(line, done, until_ms, err);
	return rc;
}

/* ---- connecting ---- */

static int
connect_one(const struct addrinfo *to, int64_t until_ms, int *fd_out,
    struct secor_err *err)
{
	int one = 1, error = 0, rc = SECOR_OK;
	socklen_t len = sizeof(error);
	int fd = socket(to->ai_family,
	    to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);

	if (fd < 0)
		return failed(err, errno);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
		if (errno != EINPROGRESS)
			rc = failed(err, errno);
		else
			rc = wait_for(fd, POLLOUT, until_ms, err);
		if (rc == SECOR_OK &&
		    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
		    error != 0)
			rc = failed(err, error);
	}
	if (rc != SECOR_OK)
		(void)close(fd);
	else
		*fd_out = fd;
	return rc;
}

/* The first address that lets itself be connected to. One that hangs leaves the
 * others their share of the time. */
static int
connect_first(const struct addrinfo *found, int64_t until_ms, int *fd,
    struct secor_err *err)
{
	const struct addrinfo *at;
	int rc = SECOR_RETRY;
	int64_t count = 0;

	for (at = found; at != NULL; at = at->ai_next)
		count++;
	for (at = found; rc != SECOR_OK && at != NULL; at = at->ai_next) {
		int64_t now_ms = line_now_ms();

		rc = connect_one(
		    at, now_ms + (until_ms - now_ms) / count--, fd, err);
	}
	return rc;
}

int
line_open(const struct line_conf *conf, const char *host, const char *port,
    int64_t until_ms, struct line **out, struct secor_err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	struct line *line;
	int rc = getaddrinfo(host, port, &hints, &found);

	if (rc != 0)
		return secor_fail(err, SECOR_RETRY, "%s", gai_strerror(rc));
	line = calloc(1, sizeof(*line));
	rc = line == NULL ? secor_fail(err, SECOR_RETRY, "out of memory")
			  : connect_first(found, until_ms, &line->fd, err);
	freeaddrinfo(found);
	if (rc != SECOR_OK) {
		free(line);
		return rc;
	}
	if (conf->tls)
		rc = tls_begin(line, conf, host, until_ms, err);
	if (rc != SECOR_OK) {
		line_close(line);
		return rc;
	}
	*out = line;
	return SECOR_OK;
}

void
line_close(struct line *line)
{
	if (line == NULL)
		return;
	SSL_free(line->ssl);
	ERR_clear_error();
	(void)close(line->fd);
	free(line);
}

/* ---- bytes ---- */

static int
move_tls(struct line *line, int sends, void *bytes, size_t *len,
    struct secor_err *err)
{
	int most = *len > 65536 ? 65536 : (int)*len;
	int done = call_tls(line, sends ? TLS_WRITE : TLS_READ, bytes, most);

	*len = done > 0 ? (size_t)done : 0;
	return done > 0 ? SECOR_OK : tls_wait(line, done, line->until_ms, err);
}

/* As send and recv do; *len: how many it was. 0, and SECOR_OK: once more. */
static int
move(struct line *line, int sends, void *bytes, size_t *len,
    struct secor_err *err)
{
	ssize_t n;

	if (line->ssl != NULL)
		return move_tls(line, sends, bytes, len, err);
	n = sends ? send(line->fd, bytes, *len, MSG_NOSIGNAL)
		  : recv(line->fd, bytes, *len, 0);
	*len = n > 0 ? (size_t)n : 0;
	if (n > 0 || (n < 0 && errno == EINTR))
		return SECOR_OK;
	if (n == 0)
		return secor_fail(err, SECOR_RETRY, "the connection has ended");
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return wait_for(
		    line->fd, sends ? POLLOUT : POLLIN, line->until_ms, err);
	return failed(err, errno);
}

int
line_send(struct line *line, const void *bytes, size_t len, int64_t until_ms,
    struct secor_err *err)
{
	char *at = (char *)(uintptr_t)bytes;
	int rc = SECOR_OK;

	line->until_ms = until_ms;
	while (rc == SECOR_OK && len > 0) {
		size_t n = len;

		rc = move(line, 1, at, &n, err);
		at += n;
		len -= n;
	}
	return rc;
}

int
line_receive(struct line *line, void *bytes, size_t *len, int64_t until_ms,
    struct secor_err *err)
{
	int rc = SECOR_OK;
	size_t n = 0;

	line->until_ms = until_ms;
	while (rc == SECOR_OK && n == 0) {
		n = *len;
		rc = move(line, 0, bytes, &n, err);
	}
	if (rc == SECOR_OK)
		*len = n;
	return rc;
}
