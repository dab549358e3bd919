/*
 * http_test.c -- core/observe/http and listen, over real sockets on loopback.
 */
#include "core/observe/http.h"

#include "core/base/log.h"
#include "core/observe/listen.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in
address_of(const char *text)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	at.sin_port = htons((uint16_t)atoi(strchr(text, ':') + 1));
	return at;
}

/* Sends `request` and reads until the server closes. */
static char *
talk(const struct observe *observe, const char *request)
{
	struct sockaddr_in at = address_of(observe_address(observe));
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct buf answer = {0};
	ssize_t n;

	cr_assert_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(
	    write(fd, request, strlen(request)), (ssize_t)strlen(request));
	do {
		buf_reserve(&answer, 4096);
		n = read(fd, answer.ptr + answer.len, 4096);
		answer.len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	(void)close(fd);
	return buf_take(&answer);
}

static struct observe *
begin(const char *listen)
{
	static const struct observe_source source = {0};
	struct observe *observe = NULL;
	struct secor_err err = {""};

	log_level_set(SECOR_ERROR);
	cr_assert_eq(observe_start(listen, &source, OBSERVE_LIVE_LIMIT_MS,
			 &observe, &err),
	    SECOR_OK, "%s", err.text);
	return observe;
}

static void
expect(struct observe *observe, const char *request, const char *first,
    const char *part)
{
	char *answer = talk(observe, request);

	cr_assert_eq(strncmp(answer, first, strlen(first)), 0, "%s", answer);
	cr_assert_not_null(strstr(answer, part), "%s", answer);
	free(answer);
}

#define CLOSE "Host: x\r\nConnection: close\r\n\r\n"

Test(http, get_of_each_page_answers, .timeout = 120)
{
	struct observe *observe = begin("127.0.0.1:0");

	expect(observe, "GET /status HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ",
	    "\r\n\r\n{}\n");
	expect(observe, "GET /metrics HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ",
	    "Content-Type: text/plain; version=0.0.4");
	expect(observe, "GET /health/live HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ",
	    "\"live\":true");
	expect(observe, "GET /health/ready?x=1 HTTP/1.1\r\n" CLOSE,
	    "HTTP/1.1 200 ", "\"ready\":true");
	expect(observe, "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ",
	    "default-src 'none'");
	expect(observe, "GET /nothing HTTP/1.1\r\n" CLOSE, "HTTP/1.1 404 ",
	    "not found");
	observe_stop(observe);
}

Test(http, head_answers_without_a_body, .timeout = 120)
{
	struct observe *observe = begin("127.0.0.1:0");
	char *answer = talk(observe, "HEAD /status HTTP/1.1\r\n" CLOSE);

	cr_assert_not_null(strstr(answer, "Content-Length: 3\r\n"));
	cr_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	free(answer);
	observe_stop(observe);
}

Test(http, other_methods_are_refused, .timeout = 120)
{
	struct observe *observe = begin("127.0.0.1:0");

	expect(observe,
	    "POST /status HTTP/1.1\r\nContent-Length: 4\r\n" CLOSE "body",
	    "HTTP/1.1 405 ", "Allow: GET, HEAD");
	expect(observe, "DELETE / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 405 ", "only");
	observe_stop(observe);
}

Test(http, nonsense_is_answered_and_the_server_lives, .timeout = 120)
{
	struct observe *observe = begin("127.0.0.1:0");

	free(talk(observe, "\x16\x03\x01 this is no HTTP\r\n\r\n"));
	expect(
	    observe, "GET /status HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ", "{}");
	observe_stop(observe);
}

Test(http, port_that_is_taken_gives_way_to_the_next, .timeout = 120)
{
	struct observe *first = begin("127.0.0.1:0");
	struct observe *second = begin(observe_address(first));
	int a = ntohs(address_of(observe_address(first)).sin_port);
	int b = ntohs(address_of(observe_address(second)).sin_port);

	cr_assert_gt(b, a);
	cr_assert_leq(b, a + OBSERVE_PORTS);
	expect(second, "GET /status HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200 ", "{}");
	observe_stop(second);
	observe_stop(first);
}

Test(http, stop_accepts_null)
{
	observe_stop(NULL);
}

Test(listen, all_ports_taken_says_which, .timeout = 120)
{
	char address[LISTEN_ADDRESS_ROOM], again[LISTEN_ADDRESS_ROOM];
	struct secor_err err = {""};
	int fd, other;

	cr_assert_eq(
	    listen_open("127.0.0.1:0", 0, &fd, address, &err), SECOR_OK);
	cr_assert_eq(listen_open(address, 0, &other, again, &err), SECOR_FATAL);
	cr_assert_not_null(strstr(err.text, "are taken"), "%s", err.text);
	(void)close(fd);
}

Test(listen, text_that_is_no_address_is_refused)
{
	static const char *const texts[] = {"", "9999", "localhost",
	    "localhost:", "localhost:http", "127.0.0.1:65536", "127.0.0.1:-1",
	    "127.0.0.1:1x", "::1:80", "127.0.0.1: 80"};
	char address[LISTEN_ADDRESS_ROOM];
	int fd;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct secor_err err = {""};

		cr_assert_eq(listen_open(texts[i], 0, &fd, address, &err),
		    SECOR_FATAL, "'%s'", texts[i]);
		cr_assert_not_null(strstr(err.text, "is no host:port"),
		    "'%s': %s", texts[i], err.text);
	}
}

Test(listen, address_of_another_machine_is_an_error_with_its_cause)
{
	char address[LISTEN_ADDRESS_ROOM];
	struct secor_err err = {""};
	int fd;

	cr_assert_eq(
	    listen_open("192.0.2.1:9999", 20, &fd, address, &err), SECOR_FATAL);
	cr_assert_not_null(
	    strstr(err.text, "192.0.2.1:9999: "), "%s", err.text);
}

Test(listen, host_may_be_left_out_or_be_version_six)
{
	char address[LISTEN_ADDRESS_ROOM];
	struct secor_err err = {""};
	int fd;

	cr_assert_eq(
	    listen_open(":0", 0, &fd, address, &err), SECOR_OK, "%s", err.text);
	(void)close(fd);
	if (listen_open("[::1]:0", 0, &fd, address, &err) == SECOR_OK) {
		cr_assert_eq(strncmp(address, "[::1]:", 6), 0, "%s", address);
		(void)close(fd);
	} else {
		cr_assert_null(strstr(err.text, "is no host:port"));
	}
}
