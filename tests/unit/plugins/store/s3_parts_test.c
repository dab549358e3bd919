/*
 * s3_parts_test.c -- parts of an upload at once: any order of answers, one that
 * fails while others are under way, and nothing that lands behind an abort.
 */
#include "core/base/hash.h"
#include "tests/unit/plugins/store/parts_server.h"
#include "tests/unit/plugins/store/s3_help.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

enum { MOST_BYTES = 22 << 20, FULL = 5 << 20 };

static char *bytes;
static struct parts_server *server;
static size_t stop_at; /* go_on says no once so many parts were held */
static int64_t later;  /* it is, once the first part asks go_on */
static struct source source;

static void
begin(void)
{
	s3_begin();
	s3_set("multipart_threshold", "5MiB");
	s3_set("part_size", "5MiB");
	s3_set("parallel_parts", "4");
	s3_set("stall_timeout", "60s");
	stop_at = 0;
	later = 0;
	bytes = malloc(MOST_BYTES);
	for (size_t i = 0; i < MOST_BYTES; i++)
		bytes[i] = (char)(i >> 20 ^ i >> 9 ^ i);
	source = (struct source){.bytes = bytes, .go_on_left = -1};
}

static void
end(void)
{
	s3_end();
	parts_free(server);
	free(bytes);
}

TestSuite(s3_parts, .init = begin, .fini = end);

static int
until_held(const struct secor_put *put)
{
	(void)put;
	if (later != 0)
		t.now = later;
	return stop_at == 0 || parts_most_at_once(server) < stop_at;
}

static int
put_bytes(size_t length)
{
	struct secor_put put = source_put(&source, "big", length);

	put.go_on = until_held;
	t.err.text[0] = '\0';
	return t.ops->put(t.store, &put, &t.err);
}

static void
play(const struct parts_plan *plan)
{
	struct secor_open with = {
	    .size = sizeof(with), .conf = t.conf, .host = &s3_host};

	server = parts_start(plan);
	s3_set("endpoint", parts_url(server));
	cr_assert_eq(t.ops->open(&with, &t.store, &t.err), SECOR_OK);
}

static int
play_put(const struct parts_plan *plan, size_t length)
{
	int status;

	play(plan);
	status = put_bytes(length);
	parts_stop(server);
	return status;
}

/* ---- what must be there in the end ---- */

static size_t
count(const char *word)
{
	const char *at = parts_log(server);
	size_t n = 0, len = strlen(word);

	for (; (at = strstr(at, word)) != NULL; at += len)
		n += at[len] == ' ';
	return n;
}

static void
expect_order(const char *body, size_t parts)
{
	char line[64];

	for (size_t i = 1; i <= parts; i++) {
		(void)snprintf(line, sizeof(line),
		    "<ETag>\"e%zu\"</ETag><PartNumber>%zu<", i, i);
		body = strstr(body, line);
		cr_assert_not_null(body, "%s in its place", line);
	}
	cr_assert_null(strstr(body, "<Part>"));
}

/* All parts, their bytes, and the checksum of the whole. */
static void
expect_whole(size_t length)
{
	uint32_t crc = htonl(crc32c_add(0, bytes, length));
	char whole[64] = "x-amz-checksum-crc32c: ";
	size_t at = 0, len;
	int part;

	cr_assert_not_null(parts_complete(server), "%s", parts_log(server));
	(void)EVP_EncodeBlock((unsigned char *)whole + strlen(whole),
	    (const unsigned char *)&crc, 4);
	cr_assert_not_null(strstr(parts_complete(server), whole));
	for (part = 1; at < length; part++, at += len) {
		const char *body = parts_body(server, part, &len);

		cr_assert_not_null(body, "part %d", part);
		cr_assert_eq(len, length - at < FULL ? length - at : FULL);
		cr_assert_eq(memcmp(body, bytes + at, len), 0, "part %d", part);
	}
	expect_order(parts_complete(server), (size_t)part - 1);
}

static void
expect_given_up(void)
{
	cr_assert_null(parts_complete(server));
	cr_assert_not_null(
	    strstr(parts_log(server), "A "), "%s", parts_log(server));
	cr_assert_null(strstr(t.logged, "left behind"));
}

/* Where all parts had come to a stand before: those that had not may become
 * whole of what the kernel has of them. */
static void
expect_aborted(void)
{
	expect_given_up();
	cr_assert_null(strchr(strstr(parts_log(server), "A "), 'P'), "%s",
	    parts_log(server));
}

/* ---- all goes well ---- */

Test(s3_parts, answers_in_reverse_order_complete_in_order)
{
	static const struct parts_plan plan = {.hold = 4};

	cr_assert_eq(play_put(&plan, 3 * FULL + 7), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(parts_most_at_once(server), 4);
	cr_assert_eq(parts_connections(server), 4);
	expect_whole(3 * FULL + 7);
}

Test(s3_parts, parts_that_are_fewer_than_allowed_are_all_there)
{
	static const struct parts_plan plan = {.hold = 2};

	s3_set("parallel_parts", "16");
	cr_assert_eq(play_put(&plan, FULL + 1), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(parts_connections(server), 2);
	expect_whole(FULL + 1);
}

Test(s3_parts, parts_that_are_more_than_allowed_wait)
{
	static const struct parts_plan plan = {.hold = 2};

	s3_set("parallel_parts", "2");
	cr_assert_eq(play_put(&plan, MOST_BYTES), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(parts_most_at_once(server), 2);
	cr_assert_eq(parts_connections(server), 2);
	expect_whole(MOST_BYTES);
}

Test(s3_parts, one_at_a_time_goes_in_order)
{
	static const struct parts_plan plan = {.hold = 1};

	s3_set("parallel_parts", "1");
	cr_assert_eq(play_put(&plan, 3 * FULL), SECOR_OK, "%s", t.err.text);
	cr_assert_str_eq(parts_log(server), "C P1 P2 P3 F ");
	cr_assert_eq(parts_connections(server), 1);
	expect_whole(3 * FULL);
}

Test(s3_parts, later_objects_go_by_the_same_connections)
{
	static const struct parts_plan plan = {.hold = 3};

	s3_set("parallel_parts", "3");
	play(&plan);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(put_bytes(3 * FULL), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(s3_put_text("small", "hello"), SECOR_OK);
	parts_stop(server);
	cr_assert_eq(parts_connections(server), 3);
	cr_assert_eq(count("C"), 3);
	expect_whole(3 * FULL);
}

Test(s3_parts, signed_bodies_are_whole_too)
{
	static const struct parts_plan plan = {.hold = 3};

	s3_set("payload_hash", "sha256");
	s3_set("checksum", "md5");
	cr_assert_eq(play_put(&plan, 3 * FULL), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(parts_most_at_once(server), 3);
	cr_assert_null(strstr(parts_complete(server), "ChecksumCRC32C"));
}

/* ---- one fails for a moment ---- */

Test(s3_parts, slow_down_for_one_repeats_that_one)
{
	static const struct parts_plan plan = {
	    .hold = 4, .rules = {{2, 2, PARTS_SLOW_DOWN}}};

	cr_assert_eq(play_put(&plan, 3 * FULL + 7), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(count("P2"), 3);
	cr_assert_eq(count("P1") + count("P3") + count("P4"), 3);
	cr_assert_not_null(strstr(t.logged, "S3 request repeated"));
	expect_whole(3 * FULL + 7);
}

Test(s3_parts, connection_that_is_cut_repeats_its_part)
{
	static const struct parts_plan plan = {
	    .hold = 3, .rules = {{1, 1, PARTS_CUT}, {3, 1, PARTS_CUT}}};

	cr_assert_eq(play_put(&plan, 3 * FULL + 7), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(count("x1"), 1);
	cr_assert_eq(count("x3"), 1);
	cr_assert_eq(count("P2"), 1);
	expect_whole(3 * FULL + 7);
}

Test(s3_parts, part_that_hangs_is_repeated_by_itself)
{
	static const struct parts_plan plan = {
	    .hold = 3, .rules = {{2, 1, PARTS_HANG}}};

	s3_set("stall_timeout", "2s");
	cr_assert_eq(play_put(&plan, 3 * FULL), SECOR_OK, "%s", t.err.text);
	cr_assert_geq(count("P2"), 2);
	cr_assert_not_null(strstr(t.logged, "nothing moved for 2000 ms"));
	expect_whole(3 * FULL);
}

/* ---- keys and clocks that go out of date under way ---- */

static char program[64]; /* its path, without .sh; counts its runs */

/* A program whose keys are K1, K2 and so on; at one of its runs it has none
 * for a moment (0: never). */
static void
use_program(int fails_at)
{
	char script[300];
	FILE *out;

	(void)snprintf(
	    program, sizeof(program), "/tmp/secor-parts.%d", (int)getpid());
	(void)snprintf(script, sizeof(script), "%s.sh", program);
	(void)unlink(program);
	out = fopen(script, "we");
	cr_assert_not_null(out);
	(void)fprintf(out,
	    "#!/bin/sh\necho x >>%s\n[ $(wc -l <%s) != %d ] || exit 1\n"
	    "echo '{\"Version\":1,\"AccessKeyId\":\"K'$(wc -l <%s)'\","
	    "\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\",\"Expiration\":"
	    "\"2026-02-03T04:25:06Z\"}'\n",
	    program, program, fails_at, program);
	(void)fclose(out);
	cr_assert_eq(chmod(script, 0700), 0);
	harness_conf_free(t.plugin, t.conf);
	t.conf = harness_conf(t.plugin, "bucket", "logs", "prefix", "raw/",
	    "credential_process", script, "multipart_threshold", "5MiB",
	    "part_size", "5MiB", "retry_delay", "0ms", NULL);
}

static void
expect_runs(int runs)
{
	char script[80];
	struct stat counted;

	cr_assert_eq(stat(program, &counted), 0);
	cr_assert_eq(
	    counted.st_size, 2 * runs, "%d runs", (int)counted.st_size / 2);
	(void)unlink(program);
	(void)snprintf(script, sizeof(script), "%s.sh", program);
	(void)unlink(script);
}

Test(s3_parts, key_that_expires_under_way_is_renewed_once)
{
	static const struct parts_plan plan = {.hold = 4, .expired = "K1"};

	use_program(0);
	cr_assert_eq(play_put(&plan, 3 * FULL + 7), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(count("P1") + count("P2") + count("P3") + count("P4"), 8);
	expect_runs(2); /* for four refusals */
	expect_whole(3 * FULL + 7);
}

/* The part that asks for the new key is not sent, and asks again. */
Test(s3_parts, key_that_is_not_to_be_had_for_a_moment_repeats_its_part)
{
	static const struct parts_plan plan = {.hold = 4, .expired = "K1"};

	use_program(2);
	cr_assert_eq(play_put(&plan, 3 * FULL + 7), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(count("C"), 1);
	cr_assert_eq(count("P1") + count("P2") + count("P3") + count("P4"), 8);
	expect_runs(3);
	expect_whole(3 * FULL + 7);
}

/* The first part goes with K1, the others with K2. */
Test(s3_parts, key_that_expires_when_there_is_a_newer_one_is_not_renewed)
{
	static const struct parts_plan plan = {.hold = 4, .expired = "K1"};

	use_program(0);
	later = t.now + 15 * INT64_C(60000);
	cr_assert_eq(play_put(&plan, 3 * FULL + 7), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(count("P1"), 2, "%s", parts_log(server));
	cr_assert_eq(count("P2") + count("P3") + count("P4"), 3);
	expect_runs(2);
	expect_whole(3 * FULL + 7);
}

Test(s3_parts, key_that_is_not_to_be_had_at_first_is_asked_for_again)
{
	static const struct parts_plan plan = {.hold = 2};

	use_program(1);
	play(&plan);
	cr_assert_eq(s3_put_text("small", "hello"), SECOR_OK, "%s", t.err.text);
	parts_stop(server);
	cr_assert_str_eq(parts_log(server), "S ");
	cr_assert_not_null(strstr(t.logged, "S3 request repeated"));
	expect_runs(2);
}

Test(s3_parts, key_that_is_never_to_be_had_ends_the_put)
{
	static const struct parts_plan plan = {.hold = 2};

	use_program(1);
	s3_set("max_attempts", "1");
	play(&plan);
	cr_assert_eq(s3_put_text("small", "hello"), SECOR_RETRY);
	EXPECT_TEXT("put s3://logs/raw/small: credential_process");
	parts_stop(server);
	cr_assert_str_eq(parts_log(server), "");
	expect_runs(1);
}

Test(s3_parts, key_that_stays_expired_ends_the_upload)
{
	static const struct parts_plan plan = {.hold = 4, .expired = "AKID"};

	cr_assert_eq(play_put(&plan, 3 * FULL + 7), SECOR_FATAL);
	EXPECT_TEXT("ExpiredToken: the session token of AKID (from ");
	cr_assert_null(parts_complete(server));
}

/* The own clock is an hour behind, and right again when parts are under way:
 * each of them is refused, and signed by the own clock from then on. */
Test(s3_parts, clock_that_comes_back_under_way_is_followed_by_all)
{
	static const struct parts_plan plan = {
	    .hold = 4, .skewed = {"20260203T0405", "20260203T0505"}};

	cr_assert_eq(play_put(&plan, 3 * FULL + 7), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(count("P1") + count("P2") + count("P3") + count("P4"), 8);
	expect_whole(3 * FULL + 7);
}

/* ---- one fails for good ---- */

Test(s3_parts, refusal_of_one_stops_the_others_before_the_abort)
{
	static const struct parts_plan plan = {
	    .hold = 4, .never = 1, .rules = {{2, 1, PARTS_DENIED}}};

	cr_assert_eq(play_put(&plan, 4 * FULL + 7), SECOR_FATAL);
	EXPECT_TEXT("put part of s3://logs/raw/big: AccessDenied");
	cr_assert_eq(count("P5"), 0);
	expect_aborted();
}

Test(s3_parts, attempts_that_are_used_up_stop_the_others)
{
	static const struct parts_plan plan = {
	    .hold = 4, .never = 1, .rules = {{3, 9, PARTS_SLOW_DOWN}}};

	s3_set("max_attempts", "3");
	cr_assert_eq(play_put(&plan, 3 * FULL + 7), SECOR_RETRY);
	EXPECT_TEXT("put part of s3://logs/raw/big: HTTP 503 SlowDown");
	cr_assert_eq(count("P3"), 3);
	expect_aborted();
}

Test(s3_parts, nothing_goes_on_that_may_not)
{
	static const struct parts_plan plan = {.hold = 9};

	stop_at = 4;
	cr_assert_eq(play_put(&plan, 4 * FULL), SECOR_RETRY);
	EXPECT_TEXT("no longer sure");
	expect_aborted();
}

Test(s3_parts, part_that_waits_asks_whether_it_may_go_on)
{
	static const struct parts_plan plan = {
	    .hold = 2, .never = 1, .rules = {{1, 9, PARTS_SLOW_DOWN}}};

	stop_at = 2;
	s3_set("retry_delay", "10s");
	cr_assert_eq(play_put(&plan, FULL + 7), SECOR_RETRY);
	expect_aborted();
}

Test(s3_parts, source_that_fails_stops_the_others)
{
	static const struct parts_plan plan = {.hold = 9};

	play(&plan);
	source.fails = 0;
	source.fails_at = 3 * FULL + 1;
	cr_assert_eq(put_bytes(4 * FULL), SECOR_RETRY);
	EXPECT_TEXT("the disk says no");
	parts_stop(server);
	cr_assert_eq(count("P4"), 0);
	expect_given_up();
}

Test(s3_parts, other_bytes_than_were_written_are_not_completed)
{
	static const struct parts_plan plan = {.hold = 1};
	struct secor_put put = source_put(&source, "big", 3 * FULL);

	put.crc32c ^= 1;
	play(&plan);
	cr_assert_eq(t.ops->put(t.store, &put, &t.err), SECOR_RETRY);
	EXPECT_TEXT("what was read has CRC32C");
	parts_stop(server);
	expect_aborted();
}

/* ---- the number ---- */

Test(s3_parts, number_out_of_range_is_refused)
{
	static const struct parts_plan plan = {.hold = 1};
	static const char *const wrong[] = {"0", "17", "-1", "many"};

	play(&plan);
	for (size_t i = 0; i < COUNT(wrong); i++)
		cr_expect_neq(harness_set(t.plugin, t.conf, "parallel_parts",
				  wrong[i], &t.err),
		    SECOR_OK);
	EXPECT_TEXT("parallel_parts");
	parts_stop(server);
}
