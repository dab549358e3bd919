/*
 * s3_fresh_test.c -- puts that say of which batch they are, against a scripted
 * server: nothing is written over but what is of the same batch.
 */
#include "tests/unit/plugins/store/s3_help.h"

#include "plugins/store/s3/s3.h"

TestSuite(s3_fresh, .init = s3_begin, .fini = s3_end);

#define BATCH "0-9.1.2.3"
#define CRC_X "x-amz-checksum-crc32c: qTxfkw==\r\n" /* of "x" */
#define MISSING               \
	{                     \
		.status = 404 \
	}
#define TAKEN                                                          \
	{                                                              \
		.status = 412, .body = ERROR_XML("PreconditionFailed") \
	}
#define PUT                                    \
	{                                      \
		.status = 200, .headers = ETAG \
	}
static int
put_of(const char *batch, const char *key, const char *text)
{
	struct source source = {.bytes = text, .go_on_left = -1};
	struct secor_put put = source_put(&source, key, strlen(text));

	put.batch = batch;
	t.err.text[0] = '\0';
	return t.ops->put(t.store, &put, &t.err);
}

static int
asked(const char *const *lines, size_t count)
{
	size_t i;

	if (script_count(t.script) != count)
		return 0;
	for (i = 0; i < count && s3_begins(i, lines[i]); i++)
		;
	return i == count;
}

#define EXPECT_ASKED(...)                                                 \
	do {                                                              \
		const char *const lines[] = {__VA_ARGS__};                \
		cr_expect(asked(lines, COUNT(lines)), "%zu requests: %s", \
		    script_count(t.script), t.err.text);                  \
	} while (0)

Test(s3_fresh, first_put_learns_that_the_server_can)
{
	static const struct script_step steps[] = {
	    MISSING, PUT, TAKEN, PUT, PUT};

	s3_play(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "a", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(put_of(BATCH, "b", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(s3_put_text("c", "x"), SECOR_OK, "%s", t.err.text);
	EXPECT_ASKED("HEAD /logs/raw/a", "PUT /logs/raw/a", "PUT /logs/raw/a",
	    "PUT /logs/raw/b", "PUT /logs/raw/c");
	cr_expect(script_has(t.script, 1, "if-none-match: *"));
	cr_expect(script_has(t.script, 1, "x-amz-meta-secor-batch: " BATCH));
	cr_expect(script_has(t.script, 3, "if-none-match: *"));
	cr_expect(!script_has(t.script, 4, "if-none-match: *"));
	cr_expect_null(strstr(t.logged, "If-None-Match"));
}

/* No endpoint is AWS; then the requests go to the script, the same as there. */
static void
play_aws(const struct script_step *steps, size_t count)
{
	struct secor_open with = {
	    .size = sizeof(with), .conf = t.conf, .host = &s3_host};
	struct s3 *s3;

	t.script = script_start(steps, count);
	s3_set("region", "eu-west-1");
	cr_assert_eq(t.ops->open(&with, &t.store, &t.err), SECOR_OK);
	s3 = t.store;
	cr_assert_str_eq(s3->origin, "https://logs.s3.eu-west-1.amazonaws.com");
	(void)snprintf(
	    s3->origin, sizeof(s3->origin), "%s", script_url(t.script));
}

Test(s3_fresh, first_put_to_aws_is_sent_once)
{
	static const struct script_step steps[] = {PUT, TAKEN,
	    {.status = 200, .headers = CRC_X "Content-Length: 1\r\n"}};

	play_aws(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "a", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(put_of(BATCH, "b", "x"), SECOR_OK, "%s", t.err.text);
	EXPECT_ASKED("PUT /raw/a", "PUT /raw/b", "HEAD /raw/b");
	cr_expect(script_has(t.script, 0, "if-none-match: *"));
}

Test(s3_fresh, part_of_aws_that_does_not_know_it_gets_plain_puts)
{
	static const struct script_step steps[] = {
	    {.status = 501, .body = ERROR_XML("NotImplemented")}, PUT, PUT};

	play_aws(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "a", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(put_of(BATCH, "b", "x"), SECOR_OK, "%s", t.err.text);
	EXPECT_ASKED("PUT /raw/a", "PUT /raw/a", "PUT /raw/b");
	cr_expect(!script_has(t.script, 1, "if-none-match: *"));
	cr_expect_not_null(strstr(t.logged, "does not know If-None-Match"));
}

Test(s3_fresh, server_that_ignores_it_is_said_once)
{
	static const struct script_step steps[] = {MISSING, PUT, PUT, PUT, PUT};
	const char *said;

	s3_play(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "a", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(put_of(BATCH, "b", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(put_of(BATCH, "c", "x"), SECOR_OK, "%s", t.err.text);
	said = strstr(t.logged, "S3 puts go without If-None-Match");
	cr_assert_not_null(said);
	cr_assert_not_null(strstr(said, "ignores If-None-Match"));
	cr_assert_null(strstr(said + 1, "S3 puts go without"));
	cr_expect(!script_has(t.script, 3, "if-none-match: *"));
}

Test(s3_fresh, server_that_does_not_know_it_gets_plain_puts)
{
	static const struct script_step steps[] = {MISSING,
	    {.status = 501, .body = ERROR_XML("NotImplemented")}, PUT, PUT};

	s3_play(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "a", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(put_of(BATCH, "b", "x"), SECOR_OK, "%s", t.err.text);
	cr_expect(!script_has(t.script, 2, "if-none-match: *"));
	cr_expect_not_null(strstr(t.logged, "does not know If-None-Match"));
}

Test(s3_fresh, on_is_kept_or_refused)
{
	static const struct script_step ignores[] = {MISSING, PUT, PUT};
	static const struct script_step knows_not[] = {
	    MISSING, {.status = 501, .body = ERROR_XML("NotImplemented")}};

	s3_set("conditional_puts", "on");
	s3_play(ignores, COUNT(ignores));
	cr_assert_eq(put_of(BATCH, "a", "x"), SECOR_FATAL);
	EXPECT_TEXT("ignores If-None-Match: `conditional_puts: on` cannot be");
	t.ops->close(t.store);
	script_stop(t.script);
	s3_play(knows_not, COUNT(knows_not));
	cr_assert_eq(put_of(BATCH, "a", "x"), SECOR_FATAL);
	EXPECT_TEXT("does not know If-None-Match");
}

Test(s3_fresh, off_sends_none_of_it)
{
	static const struct script_step steps[] = {PUT};

	s3_set("conditional_puts", "off");
	s3_play(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "a", "x"), SECOR_OK, "%s", t.err.text);
	cr_expect_null(strstr(script_request(t.script, 0), "if-none-match"));
	cr_expect_null(strstr(script_request(t.script, 0), "x-amz-meta"));
}

/* What follows begins with a server that is known to know. */
#define KNOWING MISSING, PUT, TAKEN

static void
play_knowing(const struct script_step *steps, size_t count)
{
	s3_play(steps, count);
	cr_assert_eq(put_of(BATCH, "a", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(script_count(t.script), 3);
}

Test(s3_fresh, same_bytes_are_success_by_checksum)
{
	static const struct script_step steps[] = {KNOWING, TAKEN,
	    {.status = 200, .headers = ETAG CRC_X, .body = "x"}};

	play_knowing(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_OK, "%s", t.err.text);
	cr_expect(s3_begins(4, "HEAD /logs/raw/k "));
	cr_expect_eq(script_count(t.script), COUNT(steps));
}

Test(s3_fresh, same_bytes_are_success_by_reading_them)
{
	static const struct script_step steps[] = {KNOWING, TAKEN,
	    {.status = 200, .headers = ETAG, .body = "x"},
	    {.status = 200, .headers = ETAG, .body = "x"}};

	play_knowing(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_OK, "%s", t.err.text);
	cr_expect(s3_begins(5, "GET /logs/raw/k "));
	cr_expect_eq(script_count(t.script), COUNT(steps));
}

Test(s3_fresh, other_bytes_of_another_batch_stay)
{
	static const struct script_step steps[] = {KNOWING, TAKEN,
	    {.status = 200,
		.headers = ETAG "x-amz-meta-secor-batch: 0-8.1.2.3\r\n",
		.body = "xy"},
	    TAKEN, {.status = 200, .headers = ETAG, .body = "y"},
	    {.status = 200, .headers = ETAG, .body = "y"}};

	play_knowing(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_FATAL);
	EXPECT_TEXT("put s3://logs/raw/k: another object is there, which is "
		    "not of this batch (2 bytes, ETag \"e1\") and stays");
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_FATAL);
	EXPECT_TEXT("another object is there");
	cr_expect_eq(script_count(t.script), COUNT(steps));
}

Test(s3_fresh, other_bytes_of_the_same_batch_are_written_over)
{
	static const struct script_step steps[] = {KNOWING, TAKEN,
	    {.status = 200,
		.headers = ETAG "x-amz-meta-secor-batch: " BATCH "\r\n",
		.body = "xy"},
	    PUT};

	play_knowing(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_OK, "%s", t.err.text);
	cr_expect(s3_begins(5, "PUT /logs/raw/k "));
	cr_expect(script_has(t.script, 5, "if-match: \"e1\""));
	cr_expect_not_null(strstr(t.logged, "same records in other bytes k"));
}

Test(s3_fresh, object_that_changes_meanwhile_is_a_retry)
{
	static const struct script_step steps[] = {KNOWING, TAKEN,
	    {.status = 200,
		.headers = ETAG "x-amz-meta-secor-batch: " BATCH "\r\n",
		.body = "xy"},
	    TAKEN, TAKEN};

	play_knowing(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_RETRY);
	EXPECT_TEXT("HTTP 412 PreconditionFailed");
	cr_expect(script_has(t.script, 5, "if-match: \"e1\""));
	cr_expect(script_has(t.script, 6, "if-match: e1"));
}

Test(s3_fresh, object_that_goes_away_meanwhile_is_a_retry)
{
	static const struct script_step steps[] = {KNOWING, TAKEN, MISSING};

	play_knowing(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_RETRY);
	EXPECT_TEXT("an object was there, and is gone");
}

Test(s3_fresh, lost_answer_is_found_to_have_taken_effect)
{
	static const struct script_step steps[] = {KNOWING,
	    {.how = SCRIPT_LATE_RESET}, TAKEN,
	    {.status = 200, .headers = ETAG CRC_X, .body = "x"}};

	play_knowing(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_OK, "%s", t.err.text);
	cr_expect_eq(script_count(t.script), COUNT(steps));
}

Test(s3_fresh, conflict_of_two_writers_is_repeated)
{
	static const struct script_step steps[] = {KNOWING,
	    {.status = 409, .body = ERROR_XML("ConditionalRequestConflict")},
	    PUT};

	play_knowing(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_OK, "%s", t.err.text);
	cr_expect(script_has(t.script, 4, "if-none-match: *"));
}

Test(s3_fresh, who_may_not_look_goes_on_without_and_says_so)
{
	static const struct script_step steps[] = {
	    KNOWING, TAKEN, {.status = 403}, PUT};

	play_knowing(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_OK, "%s", t.err.text);
	cr_expect(!script_has(t.script, 5, "if-none-match: *"));
	cr_expect_not_null(strstr(t.logged, "needs s3:GetObject here"));
}

Test(s3_fresh, who_may_not_look_waits_when_it_must_be_kept)
{
	static const struct script_step steps[] = {
	    KNOWING, TAKEN, {.status = 403}};

	s3_set("conditional_puts", "on");
	play_knowing(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_FATAL);
	EXPECT_TEXT("needs s3:GetObject here");
}

/* A plain object where all have a customer's key: some servers tell nothing of
 * it, and it is not written over for that. */
Test(s3_fresh, object_that_cannot_be_looked_at_stays)
{
	static const struct script_step steps[] = {
	    {.status = 400}, {.status = 403}};

	s3_set("customer_key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
	s3_play(steps, COUNT(steps));
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_FATAL);
	EXPECT_TEXT("head s3://logs/raw/k: HTTP 400 : the object is encrypted");
	cr_assert_eq(put_of(BATCH, "k", "x"), SECOR_FATAL);
	EXPECT_TEXT("head s3://logs/raw/k: HTTP 403 : the object is encrypted");
}

Test(s3_fresh, nothing_is_asked_when_no_longer_allowed)
{
	static const struct script_step steps[] = {MISSING};
	struct source source = {.bytes = "x", .go_on_left = 0};
	struct secor_put put = source_put(&source, "k", 1);

	put.batch = BATCH;
	s3_play(steps, COUNT(steps));
	cr_assert_eq(t.ops->put(t.store, &put, &t.err), SECOR_RETRY);
	cr_expect_eq(script_count(t.script), 0);
}

/* ---- in parts ---- */

enum { LARGE = 5 * 1024 * 1024 + 1 };

static char large[LARGE];

#define CREATED                                                       \
	{                                                             \
		.status = 200,                                        \
		.body = "<InitiateMultipartUploadResult><UploadId>u"  \
			"</UploadId></InitiateMultipartUploadResult>" \
	}

static int
put_large(const struct script_step *steps, size_t count)
{
	struct source source = {.bytes = large, .go_on_left = -1};
	struct secor_put put = source_put(&source, "big", LARGE);

	put.batch = BATCH;
	s3_set("multipart_threshold", "5MiB");
	s3_set("part_size", "5MiB");
	s3_set("parallel_parts", "1");
	s3_play(steps, count);
	return t.ops->put(t.store, &put, &t.err);
}

Test(s3_fresh, upload_in_parts_looks_first_and_completes_on_condition)
{
	static const struct script_step steps[] = {MISSING, CREATED, PUT, PUT,
	    {.status = 200,
		.body = "<CompleteMultipartUploadResult><ETag>e</ETag>"
			"</CompleteMultipartUploadResult>"}};

	cr_assert_eq(
	    put_large(steps, COUNT(steps)), SECOR_OK, "%s", t.err.text);
	EXPECT_ASKED("HEAD /logs/raw/big",
	    "POST /logs/raw/big?uploads=", "PUT /logs/raw/big?",
	    "PUT /logs/raw/big?", "POST /logs/raw/big?");
	cr_expect(script_has(t.script, 1, "x-amz-meta-secor-batch: " BATCH));
	cr_expect(script_has(t.script, 4, "if-none-match: *"));
	cr_expect(!script_has(t.script, 1, "if-none-match: *"));
}

Test(s3_fresh, upload_in_parts_that_comes_second_is_aborted)
{
	static const struct script_step steps[] = {MISSING, CREATED, PUT, PUT,
	    TAKEN, {.status = 204}, {.status = 200, .headers = ETAG}};

	cr_assert_eq(put_large(steps, COUNT(steps)), SECOR_FATAL);
	EXPECT_TEXT("another object is there");
	cr_expect(s3_begins(5, "DELETE /logs/raw/big?uploadId=u"));
	cr_expect(s3_begins(6, "HEAD /logs/raw/big "));
}
