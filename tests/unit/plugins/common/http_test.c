/*
 * http_test.c -- the HTTP client against a server that misbehaves on purpose.
 */
#include "plugins/common/http.h"
#include "tests/unit/plugins/common/script.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct http *http;
static struct secor_err err;
static struct http_answer answer;
static char url[128];

static struct script *
begin(const struct script_step *steps, size_t count)
{
	struct script *script = script_start(steps, count);
	struct http_conf conf = {.stall_ms = 300, .proxy = ""};

	(void)snprintf(url, sizeof(url), "%s/p?q=1", script_url(script));
	cr_assert_eq(http_open(&conf, &http, &err), SECOR_OK);
	return script;
}

static void
end(struct script *script)
{
	http_close(http);
	script_stop(script);
}

static int
run(struct http_request request)
{
	request.url = url;
	memset(&answer, 0, sizeof(answer));
	return http_run(http, &request, &answer, &err);
}

Test(http, get_gives_status_body_and_headers)
{
	static const struct script_step steps[] = {
	    {.status = 404, .headers = "X-Id: abc\r\n", .body = "gone"}};
	static const struct secor_pair headers[] = {
	    {"X-One", "1"}, {"X-Empty", ""}};
	struct script *script = begin(steps, 1);

	cr_assert_eq(
	    run((struct http_request){
		.method = "GET", .headers = headers, .header_count = 2}),
	    SECOR_OK);
	cr_assert_eq(answer.status, 404);
	cr_assert_str_eq(answer.body, "gone");
	cr_assert_str_eq(http_header(http, "x-id"), "abc");
	cr_assert_null(http_header(http, "x-other"));
	cr_assert(script_has(script, 0, "X-One: 1"));
	cr_assert(script_has(script, 0, "X-Empty:"));
	cr_assert_eq(strncmp(script_request(script, 0), "GET /p?q=1 ", 11), 0);
	end(script);
}

Test(http, put_and_post_send_body_on_one_connection)
{
	static const struct script_step steps[] = {
	    {.status = 200}, {.status = 201}, {.status = 204}};
	struct script *script = begin(steps, 3);

	cr_assert_eq(run((struct http_request){
			 .method = "PUT", .body = "hello", .length = 5}),
	    SECOR_OK);
	cr_assert_eq(answer.status, 200);
	cr_assert_str_eq(answer.body, "");
	cr_assert_eq(run((struct http_request){.method = "POST"}), SECOR_OK);
	cr_assert_eq(answer.status, 201);
	cr_assert_eq(run((struct http_request){.method = "DELETE"}), SECOR_OK);
	cr_assert_eq(answer.status, 204);
	cr_assert_not_null(strstr(script_request(script, 0), "\r\n\r\nhello"));
	cr_assert(script_has(script, 1, "Content-Length: 0"));
	cr_assert_not(script_has(script, 0, "Expect: 100-continue"));
	cr_assert_eq(strncmp(script_request(script, 2), "DELETE ", 7), 0);
	cr_assert_eq(script_connections(script), 1);
	end(script);
}

Test(http, head_has_headers_and_no_body)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = "12345"}};
	struct script *script = begin(steps, 1);

	cr_assert_eq(run((struct http_request){.method = "HEAD"}), SECOR_OK);
	cr_assert_eq(answer.status, 200);
	cr_assert_eq(answer.length, 0);
	cr_assert_str_eq(http_header(http, "content-length"), "5");
	end(script);
}

struct body {
	int asked, go_on_left, pieces, stop_after, fails;
};

static int
read_a(void *arg, uint64_t at, void *bytes, size_t len, struct secor_err *e)
{
	struct body *body = arg;

	(void)at;
	if (body->fails)
		return secor_fail(e, SECOR_RETRY, "cannot read the file");
	memset(bytes, 'a', len);
	return SECOR_OK;
}

static int
go_on(void *arg)
{
	struct body *body = arg;

	body->asked++;
	return body->go_on_left < 0 || body->go_on_left-- > 0;
}

static int
write_piece(void *arg, const void *bytes, size_t len)
{
	struct body *body = arg;

	(void)bytes;
	(void)len;
	return ++body->pieces == body->stop_after;
}

static const struct http_request put_a = {
    .method = "PUT", .length = 3000000, .read = read_a, .go_on = go_on};

Test(http, body_from_callback_arrives_whole)
{
	static const struct script_step steps[] = {{.status = 200}};
	struct script *script = begin(steps, 1);
	struct body body = {.go_on_left = -1};
	struct http_request request = put_a;
	const char *got;

	request.arg = &body;
	cr_assert_eq(run(request), SECOR_OK, "%s", err.text);
	cr_assert_eq(answer.status, 200);
	got = script_body(script, 0);
	cr_assert_eq(strspn(got, "a"), 3000000);
	cr_assert(script_has(script, 0, "Expect: 100-continue"));
	cr_assert_geq(body.asked, 5, "before it and before each piece");
	end(script);
}

Test(http, request_that_may_not_be_sent_is_not)
{
	static const struct script_step steps[] = {{.status = 200}};
	struct script *script = begin(steps, 1);
	struct body body = {.go_on_left = 0};
	struct http_request request = {
	    .method = "POST", .go_on = go_on, .arg = &body};

	cr_assert_eq(run(request), SECOR_RETRY);
	cr_assert_eq(answer.fault, HTTP_STOPPED);
	cr_assert_eq(script_count(script), 0);
	end(script);
}

Test(http, body_stops_in_the_middle_when_told)
{
	static const struct script_step steps[] = {{.status = 200}};
	struct script *script = begin(steps, 1);
	struct body body = {.go_on_left = 3};
	struct http_request request = put_a;

	request.arg = &body;
	cr_assert_eq(run(request), SECOR_RETRY);
	cr_assert_eq(answer.fault, HTTP_STOPPED);
	cr_assert_not_null(strstr(err.text, "no longer sure"), "%s", err.text);
	end(script);
}

Test(http, failing_source_keeps_its_own_words)
{
	static const struct script_step steps[] = {{.status = 200}};
	struct script *script = begin(steps, 1);
	struct body body = {.go_on_left = -1, .fails = 1};
	struct http_request request = put_a;

	request.arg = &body;
	cr_assert_eq(run(request), SECOR_RETRY);
	cr_assert_eq(answer.fault, HTTP_SOURCE);
	cr_assert_str_eq(err.text, "cannot read the file");
	end(script);
}

Test(http, answers_to_a_callback_can_be_ended)
{
	static const struct script_step steps[] = {{.status = 200, .body = "x"},
	    {.status = 200, .body = "x"}, {.status = 500, .body = "sorry"}};
	struct script *script = begin(steps, 3);
	struct body body = {.go_on_left = -1};
	struct http_request request = {
	    .method = "GET", .write = write_piece, .arg = &body};

	cr_assert_eq(run(request), SECOR_OK);
	cr_assert_eq(body.pieces, 1);
	cr_assert_eq(answer.length, 0);
	body.stop_after = 2;
	cr_assert_eq(run(request), SECOR_OK);
	cr_assert_eq(answer.fault, HTTP_ENDED);
	cr_assert_eq(run(request), SECOR_OK);
	cr_assert_eq(body.pieces, 2, "an error's body is no piece");
	cr_assert_str_eq(answer.body, "sorry");
	end(script);
}

Test(http, what_is_no_whole_answer_says_retry)
{
	static const struct {
		struct script_step step;
		enum http_fault fault;
	} rows[] = {
	    {{.how = SCRIPT_RESET, .reads = 2}, HTTP_BROKEN},
	    {{.how = SCRIPT_LATE_RESET}, HTTP_BROKEN},
	    {{.status = 200, .body = "x", .how = SCRIPT_TRUNCATE}, HTTP_BROKEN},
	    {{.status = 200, .body = "x", .how = SCRIPT_CHUNK_CUT},
		HTTP_BROKEN},
	    {{.how = SCRIPT_STALL}, HTTP_TIMEOUT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct script *script = begin(&rows[i].step, 1);

		cr_expect_eq(
		    run((struct http_request){
			.method = "POST", .body = "hello", .length = 5}),
		    SECOR_RETRY, "row %zu: %s", i, err.text);
		cr_expect_eq(answer.fault, rows[i].fault, "row %zu: %d %s", i,
		    (int)answer.fault, err.text);
		cr_expect_eq(strncmp(err.text, "127.0.0.1:", 10), 0);
		cr_expect_null(strstr(err.text, "/p"), "%s", err.text);
		end(script);
	}
	cr_assert_not_null(
	    strstr(err.text, "nothing moved for 300 ms"), "%s", err.text);
}

Test(http, dead_kept_connection_is_replaced)
{
	static const struct script_step steps[] = {
	    {.status = 200, .closes = 1}, {.status = 200, .body = "again"}};
	struct script *script = begin(steps, 2);
	struct body body = {.go_on_left = -1};
	struct http_request request = {
	    .method = "GET", .go_on = go_on, .arg = &body};

	cr_assert_eq(run(request), SECOR_OK);
	cr_assert_eq(run(request), SECOR_OK, "%s", err.text);
	cr_assert_str_eq(answer.body, "again");
	cr_assert_eq(script_connections(script), 2);
	cr_assert_geq(body.asked, 2);
	end(script);
}

Test(http, larger_answers_than_the_limit_are_refused)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = "12345"}, {.status = 200, .body = "1234"}};
	struct script *script = begin(steps, 2);
	struct http_request request = {.method = "GET", .limit = 4};

	cr_assert_eq(run(request), SECOR_RETRY);
	cr_assert_eq(answer.fault, HTTP_LIMIT);
	cr_assert_eq(run(request), SECOR_OK);
	cr_assert_str_eq(answer.body, "1234");
	end(script);
}

Test(http, refused_connection_is_a_retry)
{
	struct script *script = begin(NULL, 0);

	script_stop(script);
	cr_assert_eq(run((struct http_request){.method = "GET"}), SECOR_RETRY);
	cr_assert_eq(answer.fault, HTTP_CONNECT);
	http_close(http);
}

Test(http, bad_urls_and_ca_files_are_for_a_person)
{
	struct http_conf conf = {.ca_file = "/nowhere/ca.pem", .proxy = ""};

	cr_assert_eq(http_open(&conf, &http, &err), SECOR_OK);
	(void)snprintf(url, sizeof(url), "ftp://user:secret@host/x");
	cr_assert_eq(run((struct http_request){.method = "GET"}), SECOR_FATAL);
	cr_assert_eq(answer.fault, HTTP_USAGE);
	cr_assert_null(strstr(err.text, "secret"), "%s", err.text);
	http_close(http);
}

static int
write_to_nobody(
    void *arg, uint64_t at, void *bytes, size_t len, struct secor_err *e)
{
	int pipe_ends[2];

	cr_assert_eq(pipe(pipe_ends), 0);
	(void)close(pipe_ends[0]);
	/* what OpenSSL does to a connection that is gone */
	cr_assert_eq(write(pipe_ends[1], "x", 1), -1);
	(void)close(pipe_ends[1]);
	return read_a(arg, at, bytes, len, e);
}

Test(http, broken_pipe_does_not_end_the_process)
{
	static const struct script_step steps[] = {{.status = 200}};
	struct script *script = begin(steps, 1);
	struct body body = {.go_on_left = -1};
	struct http_request request = put_a;
	sigset_t pending;

	request.read = write_to_nobody;
	request.arg = &body;
	cr_assert_eq(run(request), SECOR_OK, "%s", err.text);
	cr_assert_eq(sigpending(&pending), 0);
	cr_assert_not(sigismember(&pending, SIGPIPE));
	end(script);
}

Test(http, redirects_are_not_followed)
{
	static const struct script_step steps[] = {
	    {.status = 307, .headers = "Location: http://127.0.0.1:1/\r\n"}};
	struct script *script = begin(steps, 1);

	cr_assert_eq(run((struct http_request){.method = "GET"}), SECOR_OK);
	cr_assert_eq(answer.status, 307);
	end(script);
}

/* A program that is run meanwhile would keep the connection open, and what is
 * in its way to the server, beyond our close. */
Test(http, connections_are_not_for_programs_that_are_run)
{
	static const struct script_step steps[] = {{.status = 200}};
	struct script *script = begin(steps, 1);
	struct sockaddr_in peer = {.sin_port = 0};
	int port = atoi(strrchr(script_url(script), ':') + 1), found = 0;

	cr_assert_eq(run((struct http_request){.method = "GET"}), SECOR_OK);
	for (int fd = 0; fd < 1024; fd++) {
		socklen_t len = sizeof(peer);

		if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 ||
		    ntohs(peer.sin_port) != port)
			continue;
		found++;
		cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
	cr_assert_eq(found, 1);
	end(script);
}

/* ---- several at once ---- */

static struct http *
open_beside(void)
{
	struct http *beside;

	cr_assert_eq(http_open_beside(http, &beside, &err), SECOR_OK);
	return beside;
}

Test(http, clients_beside_share_connections)
{
	static const struct script_step steps[] = {
	    {.status = 200}, {.status = 201}};
	struct script *script = begin(steps, 2);
	struct http *beside = open_beside();
	struct http_request request = {.method = "GET", .url = url};

	cr_assert_eq(run(request), SECOR_OK);
	cr_assert_eq(http_run(beside, &request, &answer, &err), SECOR_OK);
	cr_assert_eq(answer.status, 201);
	cr_assert_eq(script_connections(script), 1);
	http_close(beside);
	end(script);
}

Test(http, requests_at_once_are_told_one_by_one)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = "a", .closes = 1},
	    {.status = 200, .body = "b", .closes = 1}};
	struct script *script = begin(steps, 2);
	struct http *beside = open_beside(), *over[2];
	int sum = 0;
	struct http_request request = {.method = "GET", .url = url};

	http_begin(http, &request);
	http_begin(beside, &request);
	for (int i = 0; i < 2; i++) {
		while ((over[i] = http_wait(http, 1000)) == NULL)
			;
		cr_assert_eq(http_end(over[i], &answer, &err), SECOR_OK);
		sum += answer.body[0];
	}
	cr_assert_neq(over[0], over[1]);
	cr_assert_eq(sum, 'a' + 'b');
	cr_assert_null(http_wait(http, 1));
	cr_assert_eq(script_connections(script), 2);
	http_close(http);
	http = beside; /* the last one takes the connections along */
	end(script);
}

Test(http, request_that_is_dropped_leaves_its_client_usable)
{
	static const struct script_step steps[] = {
	    {.how = SCRIPT_STALL}, {.status = 200, .body = "again"}};
	struct script *script = begin(steps, 2);
	struct http_request request = {.method = "GET", .url = url};

	http_begin(http, &request);
	while (script_count(script) == 0)
		http_drive(http);
	http_drop(http);
	http_drop(http);
	cr_assert_eq(run(request), SECOR_OK, "%s", err.text);
	cr_assert_str_eq(answer.body, "again");
	cr_assert_eq(script_connections(script), 2);
	end(script);
}

Test(http, client_that_closes_while_it_runs_breaks_off)
{
	static const struct script_step steps[] = {{.how = SCRIPT_STALL}};
	struct script *script = begin(steps, 1);
	struct http_request request = {.method = "GET", .url = url};

	http_begin(http, &request);
	while (script_count(script) == 0)
		http_drive(http);
	end(script);
}

Test(http, wait_for_nothing_ends)
{
	struct script *script = begin(NULL, 0);

	cr_assert_null(http_wait(http, 1));
	http_drive(http);
	end(script);
}
