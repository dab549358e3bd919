/*
 * http_set.c -- how a request is put to libcurl, and what that asks meanwhile.
 *
 * All that belongs to one request is set again by each (curl_easy_reset keeps
 * connections, DNS and TLS sessions).
 */
#include "plugins/common/http_inside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define UPLOAD_BUFFER (512L * 1024)
#define EXPECT_FROM (1024UL * 1024)
#define ERROR_BODY (64UL * 1024)

/* ---- what curl asks while it runs ---- */

static int
stopped(struct http *http)
{
	const struct http_request *request = http->request;

	if (request->go_on == NULL || request->go_on(request->arg))
		return 0;
	http->fault = HTTP_STOPPED;
	return 1;
}

static int
before_request(void *self, char *ip, char *own_ip, int port, int own_port)
{
	(void)ip, (void)own_ip, (void)port, (void)own_port;
	return stopped(self) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* curl's own low speed limit looks at an average and is late by seconds. */
static int
progress(void *self, curl_off_t down_total, curl_off_t down,
    curl_off_t up_total, curl_off_t up)
{
	struct http *http = self;
	int64_t now = http_now_ms();

	(void)down_total, (void)up_total;
	if (down + up != http->moved) {
		http->moved = down + up;
		http->moved_ms = now;
	} else if (now - http->moved_ms >= http->conf.stall_ms) {
		http->fault = HTTP_TIMEOUT;
		(void)secor_fail(&http->source, SECOR_RETRY,
		    "nothing moved for %lld ms",
		    (long long)http->conf.stall_ms);
		return 1;
	}
	return stopped(http);
}

static size_t
read_body(char *bytes, size_t size, size_t count, void *self)
{
	struct http *http = self;
	const struct http_request *request = http->request;
	uint64_t left = request->length - http->at;
	size_t len = size * count;

	if (left < len)
		len = (size_t)left;
	if (len == 0)
		return 0;
	if (stopped(http))
		return CURL_READFUNC_ABORT;
	if (request->read == NULL) {
		memcpy(bytes, (const char *)request->body + http->at, len);
	} else if (request->read(request->arg, http->at, bytes, len,
		       &http->source) != SECOR_OK) {
		http->fault = HTTP_SOURCE;
		return CURL_READFUNC_ABORT;
	}
	http->at += len;
	return len;
}

static int
seek_body(void *self, curl_off_t offset, int origin)
{
	struct http *http = self;

	if (origin != SEEK_SET || offset < 0 ||
	    (uint64_t)offset > http->request->length)
		return CURL_SEEKFUNC_FAIL;
	http->at = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static int
keep(struct http *http, const char *bytes, size_t len)
{
	size_t room = http->room == 0 ? 4096 : http->room;
	char *body;

	while (room < http->length + len + 1)
		room *= 2;
	if (room != http->room) {
		body = realloc(http->body, room);
		if (body == NULL)
			return -1;
		http->body = body;
		http->room = room;
	}
	memcpy(http->body + http->length, bytes, len);
	http->length += len;
	http->body[http->length] = '\0';
	return 0;
}

int
http_status(const struct http *http)
{
	long status = 0;

	(void)curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

static size_t
write_body(char *bytes, size_t size, size_t count, void *self)
{
	struct http *http = self;
	const struct http_request *request = http->request;
	size_t len = size * count, take = len;
	size_t limit = request->limit > 0 ? request->limit : 1024 * 1024;

	if (http_status(http) / 100 != 2) {
		if (take > ERROR_BODY - http->length)
			take = ERROR_BODY - http->length;
	} else if (request->write != NULL) {
		if (request->write(request->arg, bytes, len) == 0)
			return len;
		http->fault = HTTP_ENDED;
		return 0;
	} else if (len > limit - http->length) {
		http->fault = HTTP_LIMIT;
		return 0;
	}
	return keep(http, bytes, take) == 0 ? len : 0;
}

/* ---- setting up ---- */

/* Not for programs that are run meanwhile: they would keep it open, and what is
 * in its way to the server, behind a request that was dropped. */
static curl_socket_t
open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *to)
{
	(void)self, (void)purpose;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Longs of curl are options, sizes and milliseconds that fit by far. */
static void
set_limits(const struct http *http, int64_t total_ms)
{
	CURL *easy = http->easy;

	(void)curl_easy_setopt(
	    easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http->conf.connect_ms);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
	    (long)(total_ms > 0 ? total_ms : http->conf.total_ms));
}

static void
set_client(struct http *http)
{
	CURL *easy = http->easy;

	curl_easy_reset(easy);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, http);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->text);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(
	    easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(
	    easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, http->conf.user_agent);
	if (http->conf.ca_file != NULL) {
		(void)curl_easy_setopt(
		    easy, CURLOPT_CAINFO, http->conf.ca_file);
		(void)curl_easy_setopt(
		    easy, CURLOPT_PROXY_CAINFO, http->conf.ca_file);
	}
	if (http->conf.proxy != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_PROXY, http->conf.proxy);
	if (http->conf.no_proxy != NULL)
		(void)curl_easy_setopt(
		    easy, CURLOPT_NOPROXY, http->conf.no_proxy);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, http);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFODATA, http);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
}

static void
set_method(struct http *http, const struct http_request *request)
{
	CURL *easy = http->easy;
	const char *method = request->method;

	if (strcmp(method, "HEAD") == 0) {
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (strcmp(method, "PUT") == 0 || strcmp(method, "POST") == 0) {
		(void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
		    (curl_off_t)request->length);
		(void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_body);
		(void)curl_easy_setopt(easy, CURLOPT_READDATA, http);
		(void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_body);
		(void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, http);
	}
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static int
add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return -1;
	*list = longer;
	return 0;
}

/* curl's own syntax: a header without a value ends in ';', one that it must
 * not send by itself in ':'. It waits for "100 Continue" before any body; that
 * pays only for those that are large to send in vain. */
static int
set_headers(const struct http_request *request, struct curl_slist **list)
{
	const struct secor_pair *pair;
	char *line;
	size_t i;
	int failed = 0;

	if (request->length < EXPECT_FROM)
		failed = add_line(list, "Expect:");
	for (i = 0; i < request->header_count && !failed; i++) {
		pair = &request->headers[i];
		if (asprintf(&line, pair->value[0] != '\0' ? "%s: %s" : "%s;%s",
			pair->key, pair->value) < 0)
			return -1;
		failed = add_line(list, line);
		free(line);
	}
	return failed;
}

int
http_set(struct http *http, const struct http_request *request)
{
	set_client(http);
	set_limits(http, request->total_ms);
	set_method(http, request);
	if (set_headers(request, &http->headers) != 0)
		return -1;
	(void)curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers);
	(void)curl_easy_setopt(http->easy, CURLOPT_URL, request->url);
	return 0;
}

void
http_unset(struct http *http)
{
	(void)curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(http->headers);
	http->headers = NULL;
}
