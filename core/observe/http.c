/*
 * http.c -- see http.h. One libmicrohttpd thread serves everybody; limits on
 * connections, time and memory keep a rude client from mattering.
 */
#include "core/observe/http.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/observe/listen.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTIONS = 64, TIMEOUT_S = 10, CONNECTION_MEMORY = 16384 };

struct observe {
	struct MHD_Daemon *daemon;
	struct observe_source source;
	int64_t live_limit_ms;
	char address[LISTEN_ADDRESS_ROOM];
};

/* The content security policy forbids all that the page does not use. */
static const char *const HEADERS[][2] = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"Content-Security-Policy",
	"default-src 'none'; style-src 'unsafe-inline'"},
};

static enum MHD_Result
send_page(struct MHD_Connection *connection, const struct page *page)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    page->body.len, page->body.ptr, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	if (response == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(
	    response, "Content-Type", page->content_type);
	for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++)
		(void)MHD_add_response_header(
		    response, HEADERS[i][0], HEADERS[i][1]);
	if (page->status == 405)
		(void)MHD_add_response_header(response, "Allow", "GET, HEAD");
	rc = MHD_queue_response(connection, (unsigned)page->status, response);
	MHD_destroy_response(response);
	return rc;
}

static void
refuse_method(struct page *page)
{
	*page = (struct page){
	    .status = 405, .content_type = "text/plain; charset=utf-8"};
	buf_puts(&page->body, "GET and HEAD only\n");
}

/* Called once with the headers, again for each piece of a body that nobody
 * wants, and last with none: then the answer is due. The signature is
 * libmicrohttpd's. */
static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_len, void **seen)
{
	static const char mark;
	struct observe *observe = arg;
	struct page page;
	enum MHD_Result rc;

	(void)version;
	(void)upload;
	if (*seen == NULL || *upload_len > 0) {
		*seen = (void *)(uintptr_t)&mark;
		*upload_len = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		refuse_method(&page);
	else
		page_make(&observe->source, url, clock_boot_ms(),
		    observe->live_limit_ms, &page);
	rc = send_page(connection, &page);
	buf_fini(&page.body);
	return rc;
}

__attribute__((format(printf, 2, 0))) static void
on_trouble(void *arg, const char *fmt, va_list ap)
{
	char text[256], quoted[300];

	(void)arg;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_line(SECOR_DEBUG, "http trouble", "text=%s",
	    log_quote(quoted, sizeof(quoted), text));
}

int
observe_start(const char *listen, const struct observe_source *source,
    int64_t live_limit_ms, struct observe **observe, struct secor_err *err)
{
	struct observe *self = mem_alloc(sizeof(*self));
	int fd, rc;

	self->source = *source;
	self->live_limit_ms = live_limit_ms;
	rc = listen_open(listen, OBSERVE_PORTS, &fd, self->address, err);
	if (rc != SECOR_OK) {
		free(self);
		return rc;
	}
	self->daemon = MHD_start_daemon(
	    MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL,
	    on_request, self, MHD_OPTION_EXTERNAL_LOGGER, on_trouble, NULL,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
	if (self->daemon == NULL) {
		(void)close(fd);
		free(self);
		return secor_fail(err, SECOR_FATAL,
		    "listen %s: the HTTP server does not start", listen);
	}
	log_line(SECOR_INFO, "http listens", "address=%s", self->address);
	*observe = self;
	return SECOR_OK;
}

const char *
observe_address(const struct observe *observe)
{
	return observe->address;
}

void
observe_stop(struct observe *observe)
{
	if (observe == NULL)
		return;
	MHD_stop_daemon(observe->daemon); /* joins, closes the socket */
	free(observe);
}
