/*
 * thrift_sasl_test.c -- Thrift's SASL transport with a peer that has a script:
 * what it says comes a few bytes at a time, what it hears is compared byte by
 * byte. The mechanism turns bytes round, so that wrapped ones are seen.
 */
#include "plugins/common/thrift_sasl.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct peer {
	struct secor_bytes says; /* to come */
	size_t piece;		 /* at once */
	struct text heard;
	int steps, last; /* of the mechanism: the last is content */
	size_t room;
	struct thrift_sasl sasl;
	struct secor_err err;
};

static int
peer_send(void *self, const void *bytes, size_t len, struct secor_err *err)
{
	struct peer *peer = self;

	(void)err;
	text_add(&peer->heard, bytes, len);
	return SECOR_OK;
}

static int
peer_receive(void *self, void *bytes, size_t *len, struct secor_err *err)
{
	struct peer *peer = self;

	cr_assert_gt(*len, 0);
	if (peer->says.len == 0)
		return secor_fail(err, SECOR_RETRY, "no answer in time");
	if (*len > peer->piece)
		*len = peer->piece;
	if (*len > peer->says.len)
		*len = peer->says.len;
	memcpy(bytes, peer->says.ptr, *len);
	peer->says.ptr += *len;
	peer->says.len -= *len;
	return SECOR_OK;
}

/* Says its number and what it was told. */
static int
step(void *self, struct secor_bytes in, struct text *out, int *done,
    struct secor_err *err)
{
	struct peer *peer = self;

	if (in.len == 3 && memcmp(in.ptr, "bad", 3) == 0)
		return secor_fail(err, SECOR_RETRY, "a token that is none");
	text_addf(out, "%d%.*s", ++peer->steps, (int)in.len, in.ptr);
	*done = peer->steps == peer->last;
	return SECOR_OK;
}

static int
turn(void *self, struct secor_bytes in, struct text *out, struct secor_err *err)
{
	(void)self;
	if (in.len > 0 && in.ptr[0] == '!')
		return secor_fail(err, SECOR_RETRY, "out of order");
	while (in.len > 0)
		text_add(out, &in.ptr[--in.len], 1);
	return SECOR_OK;
}

static size_t
room(void *self)
{
	const struct peer *peer = self;

	return peer->room;
}

static struct peer *
peer_new(const char *says, size_t len)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	cr_assert_not_null(peer);
	peer->says = (struct secor_bytes){says, len};
	peer->piece = 3;
	peer->last = 2;
	peer->sasl.mechanism =
	    (struct sasl_mechanism){"GSSAPI", peer, step, turn, turn, room};
	peer->sasl.link = (struct sasl_link){peer, peer_send, peer_receive};
	return peer;
}

static void
peer_free(struct peer *peer)
{
	text_fini(&peer->heard);
	free(peer);
}

static void
expect_heard(struct peer *peer, const char *want, size_t len)
{
	cr_assert_not(peer->heard.failed);
	cr_assert_eq(peer->heard.len, len, "%zu bytes", peer->heard.len);
	cr_assert_eq(memcmp(peer->heard.ptr, want, len), 0);
	text_fini(&peer->heard);
}

#define PEER(says) peer_new(says, sizeof(says) - 1)
#define HEARD(peer, want) expect_heard(peer, want, sizeof(want) - 1)

#define BEGIN "\1\0\0\0\6GSSAPI\2\0\0\0\0011"

/* ---- the talk ---- */

Test(thrift_sasl, talk_ends_when_both_are_content)
{
	struct peer *peer = PEER("\2\0\0\0\1x\5\0\0\0\0");

	cr_assert_eq(thrift_sasl_talk(&peer->sasl, &peer->err), SECOR_OK, "%s",
	    peer->err.text);
	HEARD(peer, BEGIN "\5\0\0\0\0022x");
	peer_free(peer);
}

Test(thrift_sasl, talk_goes_on_while_one_has_something_to_say)
{
	struct peer *peer = PEER("\2\0\0\0\0\2\0\0\0\1y\5\0\0\0\0");

	peer->last = 3;
	peer->piece = 1;
	cr_assert_eq(thrift_sasl_talk(&peer->sasl, &peer->err), SECOR_OK, "%s",
	    peer->err.text);
	HEARD(peer, BEGIN "\2\0\0\0\0012\5\0\0\0\0023y");
	peer_free(peer);
}

Test(thrift_sasl, last_words_of_a_server_that_is_content_get_no_answer)
{
	struct peer *peer = PEER("\5\0\0\0\1x");

	cr_assert_eq(thrift_sasl_talk(&peer->sasl, &peer->err), SECOR_OK, "%s",
	    peer->err.text);
	HEARD(peer, BEGIN);
	peer_free(peer);
}

Test(thrift_sasl, talk_that_fails_says_why)
{
	static const struct {
		struct secor_bytes says;
		const char *text;
	} rows[] = {
#define ROW(says, text) {{says, sizeof(says) - 1}, text}
	    ROW("\4\0\0\0\4no X", "the metastore refuses: no X"),
	    ROW("\3\0\0\0\3bad", "the metastore refuses: bad"),
	    ROW("\3\0\0\0\0", "the metastore refuses without a reason"),
	    ROW("\2\0\0\0\0\4\0\0\0\5GSS..", "the metastore refuses: GSS.."),
	    ROW("", "no answer in time (does it have "
		    "hive.metastore.sasl.enabled?)"),
	    ROW("\2\0\0\0\2x", "no answer in time (does"),
	    ROW("\2\0\0\0\1x", "no answer in time"),
	    ROW("\1\0\0\0\0", "what the metastore says is no SASL (does"),
	    ROW("\0\0\0\0\0", "what the metastore says is no SASL (does"),
	    ROW("\6\0\0\0\0", "what the metastore says is no SASL (does"),
	    ROW("\x80\1\0\2\0", "what the metastore says is no SASL (does"),
	    ROW("HTTP/1.1 400", "what the metastore says is no SASL (does"),
	    ROW("\2\0\x10\0\1x", "what the metastore says is no SASL (does"),
	    ROW("\2\xff\xff\xff\xffx", "what the metastore says is no SASL"),
	    ROW("\2\0\0\0\1x\2\0\0\0\1y", "goes on when all is said"),
	    ROW("\2\0\0\0\3bad", "a token that is none"),
	    ROW("\5\0\0\0\3bad", "a token that is none"),
#undef ROW
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct peer *peer =
		    peer_new(rows[i].says.ptr, rows[i].says.len);

		cr_assert_eq(
		    thrift_sasl_talk(&peer->sasl, &peer->err), SECOR_RETRY);
		cr_assert_not_null(strstr(peer->err.text, rows[i].text),
		    "%zu: '%s'", i, peer->err.text);
		peer_free(peer);
	}
}

Test(thrift_sasl, server_that_ends_the_talk_too_early_is_not_believed)
{
	struct peer *peer = PEER("\5\0\0\0\1x");

	peer->last = 3;
	cr_assert_eq(thrift_sasl_talk(&peer->sasl, &peer->err), SECOR_RETRY);
	cr_assert_not_null(strstr(peer->err.text, "before it has proved"),
	    "'%s'", peer->err.text);
	peer_free(peer);
}

/* ---- frames ---- */

#define CALL "calls"

static int
send_call(struct peer *peer)
{
	return thrift_sasl_send(&peer->sasl,
	    (struct secor_bytes){CALL, sizeof(CALL) - 1}, &peer->err);
}

Test(thrift_sasl, frame_is_wrapped_where_the_mechanism_says_so)
{
	struct peer *peer = PEER("");

	cr_assert_eq(send_call(peer), SECOR_OK);
	HEARD(peer, "\0\0\0\5calls");
	peer->room = 100;
	cr_assert_eq(send_call(peer), SECOR_OK);
	HEARD(peer, "\0\0\0\5sllac");
	peer->room = 2;
	cr_assert_eq(send_call(peer), SECOR_OK);
	HEARD(peer, "\0\0\0\2ac\0\0\0\2ll\0\0\0\1s");
	peer_free(peer);
}

Test(thrift_sasl, frames_are_a_stream)
{
	struct peer *peer = PEER("\0\0\0\2ab\0\0\0\0\0\0\0\3cde");
	struct text got = {0};

	for (int i = 0; i < 2; i++)
		cr_assert_eq(thrift_sasl_receive(&peer->sasl, &got, &peer->err),
		    SECOR_OK);
	cr_assert_str_eq(got.ptr, "abcde");
	cr_assert_eq(
	    thrift_sasl_receive(&peer->sasl, &got, &peer->err), SECOR_RETRY);
	cr_assert_str_eq(peer->err.text, "no answer in time");
	text_fini(&got);
	peer_free(peer);
}

Test(thrift_sasl, wrapped_frame_is_unwrapped)
{
	struct peer *peer = PEER("\0\0\0\2ab\0\0\0\3cde\0\0\0\2!x");
	struct text got = {0};

	peer->room = 100;
	for (int i = 0; i < 2; i++)
		cr_assert_eq(thrift_sasl_receive(&peer->sasl, &got, &peer->err),
		    SECOR_OK);
	cr_assert_str_eq(got.ptr, "baedc");
	cr_assert_eq(
	    thrift_sasl_receive(&peer->sasl, &got, &peer->err), SECOR_RETRY);
	cr_assert_str_eq(peer->err.text, "out of order");
	text_fini(&got);
	peer_free(peer);
}

Test(thrift_sasl, frame_larger_than_any_answer_is_none)
{
	static const char *const heads[] = {
	    "\1\0\4\1x", "\x7f\xff\xff\xffx", "\x80\1\0\2x"};

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		struct peer *peer = peer_new(heads[i], 5);
		struct text got = {0};

		cr_assert_eq(thrift_sasl_receive(&peer->sasl, &got, &peer->err),
		    SECOR_RETRY);
		cr_assert_not_null(
		    strstr(peer->err.text, "not in frames of SASL"));
		text_fini(&got);
		peer_free(peer);
	}
}

/* They come as fast as they are read: nothing else would ever end it. */
Test(thrift_sasl, frames_without_bytes_have_an_end)
{
	static const char nothing[4 * 1000];

	for (size_t room = 0; room < 2; room++) {
		struct peer *peer = peer_new(nothing, sizeof(nothing));
		struct text got = {0};

		peer->room = room;
		cr_assert_eq(thrift_sasl_receive(&peer->sasl, &got, &peer->err),
		    SECOR_RETRY);
		cr_assert_str_eq(peer->err.text,
		    "the answer is nothing but frames without bytes");
		text_fini(&got);
		peer_free(peer);
	}
}

/* ---- who was not spoken to in SASL ---- */

Test(thrift_sasl, refusal_is_known_by_its_form)
{
	static const struct {
		struct secor_bytes said;
		const char *words; /* NULL: it is none */
	} rows[] = {
#define ROW(said, words) {{said, sizeof(said) - 1}, words}
	    ROW("\4\0\0\0\2no", "no"),
	    ROW("\3\0\0\0\2no more", "no"),
	    ROW("\4\0\0\0\7no", "no"),
	    ROW("\4\0\0\0\2", ""),
	    ROW("\4\0\0\0\0", NULL),
	    ROW("\4\0\0\0", NULL),
	    ROW("\4\x7f\0\0\2no", NULL),
	    ROW("\5\0\0\0\2no", NULL),
	    ROW("\x80\1\0\2\0\0\0\0", NULL),
	    ROW("", NULL),
#undef ROW
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct secor_bytes words = {"", 0};
		const char *want = rows[i].words;

		cr_assert_eq(thrift_sasl_is_refusal(rows[i].said, &words),
		    want != NULL, "%zu", i);
		cr_assert_eq(words.len, want != NULL ? strlen(want) : 0);
		cr_assert_eq(
		    memcmp(words.ptr, want != NULL ? want : "", words.len), 0);
	}
}
