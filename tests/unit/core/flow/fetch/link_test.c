/*
 * link_test.c -- requests and answers, whole, wrong and missing.
 */
#include "tests/unit/core/flow/fetch/link_side.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static int
side_send(struct side *side, const char *text)
{
	const struct buf body = {(char *)(uintptr_t)text, strlen(text), 0};

	return link_send(side->link, API_FETCH, 11, &body, &side->err);
}

static int
side_receive(struct side *side)
{
	return link_receive(side->link, 60000, &side->answer, &side->err);
}

/* Open to what `serve` does after ApiVersions. */
static void
begin_both(struct side *side, struct fake_broker *broker)
{
	fake_broker_begin(broker);
	cr_assert_eq(side_begin(side, NULL, "receive.message.max.bytes",
			 "1000000", NULL),
	    SECOR_OK);
	cr_assert_eq(side_open(side, broker), SECOR_OK, "%s", side->err.text);
}

static void
end_both(struct side *side, struct fake_broker *broker)
{
	side_end(side);
	fake_broker_end(broker);
}

/* ---- versions ---- */

static void
serve_versions(struct fake_broker *broker)
{
	fake_broker_versions(broker, -1);
	fake_broker_drain(broker);
}

Test(link, versions_of_the_broker_are_kept_to)
{
	struct fake_broker broker = {.serve = serve_versions};
	struct side side;

	begin_both(&side, &broker);
	cr_expect_eq(link_version(side.link, API_FETCH, 4, 11), 11);
	cr_expect_eq(link_version(side.link, API_FETCH, 4, 9), 9);
	cr_expect_eq(link_version(side.link, API_FETCH, 0, 17), 11);
	cr_expect_eq(link_version(side.link, API_FETCH, 12, 17), -1);
	cr_expect_eq(link_version(side.link, API_FETCH, 0, 3), -1);
	cr_expect_eq(link_version(side.link, API_SASL_AUTHENTICATE, 0, 1), -1);
	cr_expect_eq(link_version(side.link, 2, 0, 5), -1, "not named at all");
	cr_expect_not(link_expired(side.link));
	end_both(&side, &broker);
	cr_expect_str_eq(broker.client, "unit");
	cr_expect_eq(broker.version, 0);
}

static void
answer_versions(struct fake_broker *broker, const char *body, size_t len)
{
	struct buf buf = {0};

	cr_assert(fake_broker_take(broker));
	buf_put(&buf, body, len);
	fake_broker_answer(broker, &buf);
	buf_fini(&buf);
	fake_broker_drain(broker);
}

static void
serve_unsupported(struct fake_broker *broker)
{
	answer_versions(broker, "\0\043\0\0\0\0", 6);
}

static void
serve_error(struct fake_broker *broker)
{
	answer_versions(broker, "\0\007\0\0\0\0", 6);
}

static void
serve_too_many_versions(struct fake_broker *broker)
{
	answer_versions(broker, "\0\0\177\377\377\377\0\1\0\4\0\013", 12);
}

static void
serve_half_a_version(struct fake_broker *broker)
{
	answer_versions(broker, "\0\0\0\0\0\1\0\1\0\4", 10);
}

static void
serve_alert(struct fake_broker *broker)
{
	cr_assert(fake_broker_take(broker));
	fake_broker_write(broker, "\025\003\003\000\002\002\106\0", 8);
}

static void
serve_http(struct fake_broker *broker)
{
	cr_assert(fake_broker_take(broker));
	fake_broker_write(broker, "HTTP/1.1 400 Bad Request\r\n", 26);
}

static void
serve_nothing(struct fake_broker *broker)
{
	cr_assert(fake_broker_take(broker));
}

static const struct refusal {
	void (*serve)(struct fake_broker *broker);
	int rc;
	const char *text;
} refusals[] = {
    {serve_unsupported, SECOR_FATAL, "does not take ApiVersions version 0"},
    {serve_error, SECOR_RETRY, "answers ApiVersions with error 7"},
    {serve_too_many_versions, SECOR_RETRY, "with what is no answer"},
    {serve_half_a_version, SECOR_RETRY, "with what is no answer"},
    {serve_alert, SECOR_FATAL, "answers in TLS: is kafka.tls missing?"},
    {serve_http, SECOR_RETRY, "an answer of 1213486160 bytes"},
    {serve_nothing, SECOR_RETRY, "hung up when it was asked for its versions"},
};

Test(link, whom_it_cannot_speak_with_is_said)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct fake_broker broker = {.serve = refusals[i].serve};
		struct side side;

		fake_broker_begin(&broker);
		cr_assert_eq(side_begin(&side, NULL, NULL), SECOR_OK);
		cr_expect_eq(side_open(&side, &broker), refusals[i].rc);
		side_expect(&side, refusals[i].text);
		cr_expect_null(side.link);
		side_end(&side);
		fake_broker_end(&broker);
	}
}

/* ---- answers ---- */

/* Each request comes back, its body twice, after the second is there. */
static void
serve_twice(struct fake_broker *broker)
{
	struct buf first = {0}, second = {0};

	fake_broker_versions(broker, -1);
	cr_assert(fake_broker_take(broker));
	wire_put_int32(
	    &first, (int32_t)(broker->wire.end - broker->wire.at) * 2 + 4);
	wire_put_int32(&first, broker->id);
	for (int i = 0; i < 2; i++)
		buf_put(&first, broker->wire.at,
		    (size_t)(broker->wire.end - broker->wire.at));
	cr_assert(fake_broker_take(broker));
	cr_expect_eq(broker->api, API_FETCH);
	cr_expect_eq(broker->version, 11);
	fake_broker_write(broker, first.ptr, first.len);
	buf_puts(&second, "two");
	fake_broker_answer(broker, &second);
	buf_fini(&first);
	buf_fini(&second);
	fake_broker_drain(broker);
}

Test(link, two_requests_out_are_answered_in_their_order)
{
	struct fake_broker broker = {.serve = serve_twice};
	struct side side;

	begin_both(&side, &broker);
	cr_assert_eq(side_send(&side, "one."), SECOR_OK);
	cr_assert_eq(side_send(&side, "x"), SECOR_OK);
	buf_puts(&side.answer, "what was there before");
	cr_assert_eq(side_receive(&side), SECOR_OK, "%s", side.err.text);
	cr_expect_eq(side.answer.len, 8);
	cr_expect_str_eq(side.answer.ptr, "one.one.");
	cr_assert_eq(side_receive(&side), SECOR_OK, "%s", side.err.text);
	cr_expect_str_eq(side.answer.ptr, "two");
	end_both(&side, &broker);
}

enum { LARGE = 1000000 };

static void
serve_large(struct fake_broker *broker)
{
	struct buf body = {0};

	fake_broker_versions(broker, -1);
	for (int more = 0; more < 2; more++) {
		cr_assert(fake_broker_take(broker));
		for (int i = 0; i < LARGE + more; i++)
			buf_putc(&body, (char)(i % 251));
		fake_broker_answer(broker, &body);
	}
	buf_fini(&body);
	fake_broker_drain(broker);
}

static int
is_large(const struct buf *answer)
{
	int i = 0;

	while (i < LARGE && answer->ptr[i] == (char)(i % 251))
		i++;
	return i == LARGE && answer->len == LARGE;
}

Test(link, answer_may_be_as_large_as_the_limit_and_no_larger)
{
	struct fake_broker broker = {.serve = serve_large};
	struct side side;

	begin_both(&side, &broker);
	cr_assert_eq(side_send(&side, ""), SECOR_OK);
	cr_assert_eq(side_receive(&side), SECOR_OK, "%s", side.err.text);
	cr_expect(is_large(&side.answer));
	cr_assert_eq(side_send(&side, ""), SECOR_OK);
	cr_assert_eq(side_receive(&side), SECOR_RETRY);
	side_expect(&side, "an answer of 1000005 bytes "
			   "(receive.message.max.bytes is 1000000)");
	cr_expect_eq(side.answer.len, 0);
	end_both(&side, &broker);
}

static void
serve_wrong_id(struct fake_broker *broker)
{
	struct buf body = {0};

	fake_broker_versions(broker, -1);
	cr_assert(fake_broker_take(broker));
	broker->id++;
	fake_broker_answer(broker, &body);
	buf_fini(&body);
	fake_broker_drain(broker);
}

static void
serve_negative(struct fake_broker *broker)
{
	fake_broker_versions(broker, -1);
	cr_assert(fake_broker_take(broker));
	fake_broker_write(broker, "\377\377\377\377\0\0\0\1", 8);
	fake_broker_drain(broker);
}

static void
serve_too_short(struct fake_broker *broker)
{
	fake_broker_versions(broker, -1);
	cr_assert(fake_broker_take(broker));
	fake_broker_write(broker, "\0\0\0\3\0\0\0\1", 8);
	fake_broker_drain(broker);
}

static void
serve_half(struct fake_broker *broker)
{
	fake_broker_versions(broker, -1);
	cr_assert(fake_broker_take(broker));
	fake_broker_write(broker, "\0\0\0\012\0\0\0\1abc", 11);
}

static void
serve_half_a_head(struct fake_broker *broker)
{
	fake_broker_versions(broker, -1);
	cr_assert(fake_broker_take(broker));
	fake_broker_write(broker, "\0\0\0\012\0\0", 6);
}

static const struct refusal breaks[] = {
    {serve_wrong_id, SECOR_RETRY, "answer to request 2 came, not to 1"},
    {serve_negative, SECOR_RETRY, "an answer of -1 bytes"},
    {serve_too_short, SECOR_RETRY, "an answer of 3 bytes"},
    {serve_half, SECOR_RETRY, "has hung up"},
    {serve_half_a_head, SECOR_RETRY, "has hung up"},
};

Test(link, answer_that_is_none_breaks_the_connection)
{
	for (size_t i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
		struct fake_broker broker = {.serve = breaks[i].serve};
		struct side side;

		begin_both(&side, &broker);
		cr_assert_eq(side_send(&side, ""), SECOR_OK);
		cr_expect_eq(side_receive(&side), breaks[i].rc);
		side_expect(&side, breaks[i].text);
		cr_expect_eq(side.answer.len, 0);
		end_both(&side, &broker);
	}
}

/* ---- waiting ---- */

Test(link, answer_that_does_not_come_is_no_answer_in_time)
{
	struct fake_broker broker = {.serve = serve_versions};
	struct side side;

	begin_both(&side, &broker);
	cr_assert_eq(side_send(&side, ""), SECOR_OK);
	cr_expect_eq(
	    link_receive(side.link, 1, &side.answer, &side.err), SECOR_RETRY);
	side_expect(&side, "no answer in time");
	end_both(&side, &broker);
}

Test(link, stop_breaks_off_what_waits)
{
	struct fake_broker broker = {.serve = serve_versions};
	struct side side;

	begin_both(&side, &broker);
	cr_assert_eq(side_send(&side, ""), SECOR_OK);
	cr_assert_eq(write(side.stop[1], "x", 1), 1);
	cr_expect_eq(side_receive(&side), SECOR_RETRY);
	side_expect(&side, "broken off");
	end_both(&side, &broker);
}

/* Says nothing at all. */
static void
serve_silence(struct fake_broker *broker)
{
	fake_broker_drain(broker);
}

Test(link, stop_breaks_off_what_opens)
{
	struct fake_broker broker = {.serve = serve_silence};
	struct side side;

	fake_broker_begin(&broker);
	cr_assert_eq(side_begin(&side, NULL, NULL), SECOR_OK);
	cr_assert_eq(write(side.stop[1], "x", 1), 1);
	cr_expect_eq(side_open(&side, &broker), SECOR_RETRY);
	side_expect(&side, "broken off");
	end_both(&side, &broker);
}

Test(link, broker_that_says_nothing_is_left_after_the_timeout)
{
	struct fake_broker broker = {.serve = serve_silence};
	struct side side;

	fake_broker_begin(&broker);
	cr_assert_eq(side_begin(&side, NULL, "socket.timeout.ms", "100", NULL),
	    SECOR_OK);
	cr_expect_eq(side_open(&side, &broker), SECOR_RETRY);
	side_expect(&side, "no answer in time");
	end_both(&side, &broker);
}

/* ---- nobody there ---- */

Test(link, port_where_nobody_listens_is_refused)
{
	struct fake_broker broker = {0};
	struct side side;

	fake_broker_begin(&broker);
	fake_broker_end(&broker);
	cr_assert_eq(side_begin(&side, NULL, NULL), SECOR_OK);
	cr_expect_eq(side_open(&side, &broker), SECOR_RETRY);
	side_expect(&side, "127.0.0.1: Connection refused");
	side_end(&side);
}

Test(link, name_that_is_not_known_is_said)
{
	struct side side;

	cr_assert_eq(side_begin(&side, NULL, NULL), SECOR_OK);
	cr_expect_eq(link_open(side.conf, "nowhere.invalid", 9092, -1,
			 &side.link, &side.err),
	    SECOR_RETRY);
	cr_expect_not_null(
	    strstr(side.err.text, "broker nowhere.invalid:9092: "), "%s",
	    side.err.text);
	side_end(&side);
}
