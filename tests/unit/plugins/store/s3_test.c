/*
 * s3_test.c -- the S3 store against a scripted server: what it sends, what it
 * repeats, and what it says. The clock stands still; nothing waits.
 */
#include "tests/unit/plugins/store/s3_help.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(s3, .init = s3_begin, .fini = s3_end);

/* ---- what is sent ---- */

Test(s3, put_over_http_signs_the_body_and_sends_its_crc)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}};

	s3_play(steps, 1);
	cr_assert_eq(
	    s3_put_text("dt=1/a b+c", "123456789"), SECOR_OK, "%s", t.err.text);
	cr_assert(s3_begins(0, "PUT /logs/raw/dt%3D1/a%20b%2Bc HTTP/1.1\r\n"));
	cr_assert(script_has(t.script, 0, "x-amz-checksum-crc32c: 4waSgw=="));
	cr_assert(script_has(t.script, 0,
	    "x-amz-content-sha256: "
	    "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb22"
	    "5"));
	cr_assert(script_has(t.script, 0, "x-amz-date: 20260203T040506Z"));
	cr_assert_not_null(strstr(script_request(t.script, 0),
	    "authorization: AWS4-HMAC-SHA256 Credential=AKID/20260203/"
	    "us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-checksum-"
	    "crc32c;x-amz-content-sha256;x-amz-date, Signature="));
	cr_assert_not_null(
	    strstr(script_request(t.script, 0), "\r\n\r\n123456789"));
}

Test(s3, put_unsigned_reads_the_body_once)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}};
	struct source source = {.bytes = "123456789", .go_on_left = -1};
	struct secor_put put = source_put(&source, "k", 9);

	s3_set("payload_hash", "unsigned");
	s3_play(steps, 1);
	cr_assert_eq(t.ops->put(t.store, &put, &t.err), SECOR_OK);
	cr_assert_eq(source.reads, 1);
	cr_assert(
	    script_has(t.script, 0, "x-amz-content-sha256: UNSIGNED-PAYLOAD"));
	cr_assert(script_has(t.script, 0, "x-amz-checksum-crc32c: 4waSgw=="));
}

Test(s3, put_with_all_it_can_be_born_with)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}};
	struct source source = {.bytes = "123456789", .go_on_left = -1};
	struct secor_put put = source_put(&source, "k", 9);

	s3_set("checksum", "md5");
	s3_set("encryption", "aws:kms");
	s3_set("kms_key", "key-1");
	s3_set("storage_class", "STANDARD_IA");
	s3_set("session_token", "tok/en");
	s3_play(steps, 1);
	put.content_type = "text/plain";
	cr_assert_eq(t.ops->put(t.store, &put, &t.err), SECOR_OK);
	cr_assert(
	    script_has(t.script, 0, "content-md5: JfnnlDI7RTiF9RgfG2JNCw=="));
	cr_assert(script_has(t.script, 0, "content-type: text/plain"));
	cr_assert(
	    script_has(t.script, 0, "x-amz-server-side-encryption: aws:kms"));
	cr_assert(script_has(
	    t.script, 0, "x-amz-server-side-encryption-aws-kms-key-id: key-1"));
	cr_assert(script_has(t.script, 0, "x-amz-storage-class: STANDARD_IA"));
	cr_assert(script_has(t.script, 0, "x-amz-security-token: tok/en"));
}

/* Any name under localhost is this machine to curl. */
Test(s3, virtual_style_puts_the_bucket_into_the_host)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}};
	struct secor_open with = {
	    .size = sizeof(with), .conf = t.conf, .host = &s3_host};
	const char *port;
	char endpoint[64], want[64];

	t.script = script_start(steps, 1);
	port = strrchr(script_url(t.script), ':');
	(void)snprintf(endpoint, sizeof(endpoint), "http://localhost%s/", port);
	(void)snprintf(want, sizeof(want), "Host: logs.localhost%s", port);
	s3_set("path_style", "false");
	s3_set("endpoint", endpoint);
	cr_assert_eq(t.ops->open(&with, &t.store, &t.err), SECOR_OK);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert(
	    script_has(t.script, 0, want), "%s", script_request(t.script, 0));
	cr_assert(s3_begins(0, "PUT /raw/k HTTP/1.1\r\n"));
}

Test(s3, url_names_bucket_prefix_and_key)
{
	char url[64];

	s3_play(NULL, 0);
	t.ops->url(t.store, "a/b", url, sizeof(url));
	cr_assert_str_eq(url, "s3://logs/raw/a/b");
}

/* ---- what is repeated ---- */

Test(s3, put_is_repeated_on_what_may_pass)
{
	static const struct script_step steps[] = {
	    {.status = 500},
	    {.how = SCRIPT_RESET, .reads = 2},
	    {.how = SCRIPT_LATE_RESET},
	    {.status = 429},
	    {.status = 503, .body = ERROR_XML("SlowDown")},
	    {.status = 400, .body = ERROR_XML("RequestTimeout")},
	    {.how = SCRIPT_STALL},
	    {.status = 200,
		.headers = ETAG,
		.body = "x",
		.how = SCRIPT_TRUNCATE},
	    {.status = 200, .headers = ETAG},
	};

	s3_set("max_attempts", "20");
	s3_play(steps, COUNT(steps));
	cr_assert_eq(s3_put_text("k", "hello"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(script_count(t.script), COUNT(steps));
	cr_assert_not_null(strstr(t.logged, "S3 request repeated"));
	cr_assert_null(strstr(t.logged, "verysecret"));
}

Test(s3, put_gives_up_after_its_attempts_and_says_retry)
{
	static const struct script_step steps[] = {
	    {.status = 503, .body = ERROR_XML("SlowDown")},
	    {.status = 503, .body = ERROR_XML("SlowDown")},
	    {.status = 503, .body = ERROR_XML("SlowDown")}, {.status = 200}};

	s3_set("max_attempts", "3");
	s3_play(steps, COUNT(steps));
	cr_assert_eq(s3_put_text("k", "hello"), SECOR_RETRY);
	cr_assert_eq(script_count(t.script), 3);
	cr_assert_str_eq(
	    t.err.text, "put s3://logs/raw/k: HTTP 503 SlowDown: because");
}

Test(s3, put_is_not_repeated_on_what_a_person_must_mend)
{
	static const struct {
		struct script_step step;
		int status;
		const char *text;
	} rows[] = {
	    {{.status = 403, .body = ERROR_XML("AccessDenied")}, SECOR_FATAL,
		"needs s3:PutObject here (because)"},
	    {{.status = 404, .body = ERROR_XML("NoSuchBucket")}, SECOR_FATAL,
		"there is no bucket logs at http://127.0.0.1:"},
	    {{.status = 403, .body = ERROR_XML("InvalidAccessKeyId")},
		SECOR_FATAL, "does not know the access key AKID (from conf"},
	    {{.status = 403, .body = ERROR_XML("SignatureDoesNotMatch")},
		SECOR_FATAL,
		"the secret key of AKID (from configuration) is "
		"wrong, or the region is not us-east-1"},
	    {{.status = 301,
		 .headers = "x-amz-bucket-region: eu-west-1\r\n",
		 .body = ERROR_XML("PermanentRedirect")},
		SECOR_FATAL, "set `region: eu-west-1`"},
	    {{.status = 400,
		 .body = "<Error><Code>AuthorizationHeaderMalformed</Code>"
			 "<Region>ap-1</Region></Error>"},
		SECOR_FATAL, "set `region: ap-1`"},
	    {{.status = 307}, SECOR_FATAL, "mend `region` or `endpoint`"},
	    {{.status = 400, .body = ERROR_XML("KeyTooLongError")},
		SECOR_REJECT, "KeyTooLongError"},
	    {{.status = 400, .body = ERROR_XML("BadDigest")}, SECOR_RETRY,
		"BadDigest"},
	    {{.status = 400, .body = ERROR_XML("XAmzContentSHA256Mismatch")},
		SECOR_RETRY, "SHA256Mismatch"},
	    {{.status = 400, .body = ERROR_XML("Other")}, SECOR_FATAL,
		"HTTP 400 Other: because"},
	    {{.status = 403, .body = ERROR_XML("QuotaExceeded")}, SECOR_FATAL,
		"QuotaExceeded"},
	    {{.status = 501}, SECOR_FATAL, "HTTP 501 (does this store"},
	    {{.status = 200}, SECOR_RETRY, "no ETag"},
	    {{.status = 200,
		 .headers = ETAG "x-amz-checksum-crc32c: AAAAAA==\r\n"},
		SECOR_RETRY, "the server has CRC32C AAAAAA=="},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		s3_play(&rows[i].step, 1);
		cr_expect_eq(s3_put_text("k", "hello"), rows[i].status,
		    "row %zu: %s", i, t.err.text);
		EXPECT_TEXT(rows[i].text);
		cr_expect_eq(script_count(t.script), 1, "row %zu", i);
		t.ops->close(t.store);
		script_stop(t.script);
	}
	t.store = NULL;
	t.script = NULL;
}

static int
until_first_request(const struct secor_put *put)
{
	(void)put;
	return script_count(t.script) == 0;
}

Test(s3, put_asks_between_attempts_and_stops_when_told)
{
	static const struct script_step steps[] = {
	    {.status = 500}, {.status = 200, .headers = ETAG}};
	struct source source = {.bytes = "hello"};
	struct secor_put put = source_put(&source, "k", 5);

	put.go_on = until_first_request;
	s3_play(steps, 2);
	cr_assert_eq(t.ops->put(t.store, &put, &t.err), SECOR_RETRY);
	cr_assert_eq(script_count(t.script), 1);
}

Test(s3, put_not_allowed_sends_nothing)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}};
	struct source source = {.bytes = "hello", .go_on_left = 0};
	struct secor_put put = source_put(&source, "k", 5);

	s3_play(steps, 1);
	cr_assert_eq(t.ops->put(t.store, &put, &t.err), SECOR_RETRY);
	EXPECT_TEXT("no longer sure");
	cr_assert_eq(script_count(t.script), 0);
}

Test(s3, put_of_other_bytes_than_were_written_never_becomes_whole)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}};
	struct source source = {.bytes = "hello", .go_on_left = -1};
	struct secor_put put = source_put(&source, "k", 5);

	put.crc32c ^= 1;
	s3_set("payload_hash", "unsigned");
	s3_play(steps, 1);
	cr_assert_eq(t.ops->put(t.store, &put, &t.err), SECOR_RETRY);
	EXPECT_TEXT("CRC32C");
	if (script_count(t.script) > 0)
		cr_assert_null(strstr(script_request(t.script, 0), "hello"));
}

Test(s3, keys_that_can_be_none_are_rejected_without_a_request)
{
	char longest[1100];
	static const char *const keys[] = {"", "/a", "a/../b", ".", "a/."};

	s3_play(NULL, 0);
	for (size_t i = 0; i < COUNT(keys); i++)
		cr_expect_eq(
		    s3_put_text(keys[i], "x"), SECOR_REJECT, "%s", keys[i]);
	memset(longest, 'k', sizeof(longest));
	longest[1021] = '\0';
	cr_expect_eq(s3_put_text(longest, "x"), SECOR_REJECT);
	cr_expect_eq(script_count(t.script), 0);
}

/* ---- keys and clocks ---- */

#define CREDS(key)                                                \
	"{\"AccessKeyId\":\"" key "\",\"SecretAccessKey\":\"s\"," \
	"\"Token\":\"t\",\"Expiration\":\"2026-02-03T05:05:06Z\"}"

static void
use_container(const struct script_step *steps, size_t count)
{
	harness_conf_free(t.plugin, t.conf);
	t.conf = harness_conf(t.plugin, "bucket", "logs", NULL);
	s3_play(steps, count);
	(void)setenv(
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI", script_url(t.script), 1);
}

Test(s3, expired_token_is_renewed_once)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = CREDS("ASIA1"), .closes = 1},
	    {.status = 400, .body = ERROR_XML("ExpiredToken"), .closes = 1},
	    {.status = 200, .body = CREDS("ASIA2"), .closes = 1},
	    {.status = 200, .headers = ETAG, .closes = 1}};

	use_container(steps, COUNT(steps));
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_not_null(strstr(script_request(t.script, 3), "ASIA2/"));
}

static void
write_keys(const char *path, const char *access_key)
{
	FILE *out = fopen(path, "we");

	cr_assert_not_null(out);
	(void)fprintf(out,
	    "[default]\naws_access_key_id = %s\n"
	    "aws_secret_access_key = s\n",
	    access_key);
	(void)fclose(out);
}

/* The engine puts again for ever: what a person mends is seen. */
Test(s3, key_that_is_mended_in_its_file_is_taken_by_the_next_put)
{
	static const struct script_step steps[] = {
	    {.status = 403, .body = ERROR_XML("InvalidAccessKeyId")},
	    {.status = 403, .body = ERROR_XML("SignatureDoesNotMatch")},
	    {.status = 200, .headers = ETAG}};
	static const char *const keys[] = {"GONE", "WRONG", "GOOD"};
	char path[64];

	(void)snprintf(path, sizeof(path), "/tmp/secor-s3.%d", (int)getpid());
	(void)setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
	harness_conf_free(t.plugin, t.conf);
	t.conf = harness_conf(t.plugin, "bucket", "logs", NULL);
	s3_play(steps, COUNT(steps));
	for (size_t i = 0; i < COUNT(steps); i++) {
		write_keys(path, keys[i]);
		cr_expect_eq(s3_put_text("a", "hello"),
		    i < 2 ? SECOR_FATAL : SECOR_OK, "%s", t.err.text);
		cr_expect_not_null(strstr(script_request(t.script, i), keys[i]),
		    "%s", keys[i]);
	}
	(void)unlink(path);
}

static int
until_repeated(const struct secor_put *put)
{
	(void)put;
	return strstr(t.logged, "S3 request repeated") == NULL;
}

Test(s3, put_that_may_not_go_on_with_a_new_key_is_a_wait)
{
	static const struct script_step steps[] = {
	    {.status = 400, .body = ERROR_XML("ExpiredToken"), .closes = 1}};
	struct source source = {.bytes = "hello"};
	struct secor_put put = source_put(&source, "a", 5);

	put.go_on = until_repeated;
	s3_play(steps, COUNT(steps));
	cr_assert_eq(t.ops->put(t.store, &put, &t.err), SECOR_RETRY);
	EXPECT_TEXT("session token of AKID");
}

Test(s3, token_that_stays_expired_is_for_a_person)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = CREDS("ASIA1"), .closes = 1},
	    {.status = 400, .body = ERROR_XML("ExpiredToken"), .closes = 1},
	    {.status = 200, .body = CREDS("ASIA1"), .closes = 1},
	    {.status = 400, .body = ERROR_XML("ExpiredToken"), .closes = 1}};

	use_container(steps, COUNT(steps));
	cr_assert_eq(s3_put_text("k", "x"), SECOR_FATAL);
	EXPECT_TEXT("session token of ASIA1 (from container) has expired");
}

#define SKEWED(date)                                            \
	{                                                       \
		.status = 403, .headers = "Date: " date "\r\n", \
		.body = ERROR_XML("RequestTimeTooSkewed")       \
	}

Test(s3, wrong_clock_at_first_is_corrected)
{
	static const struct script_step steps[] = {
	    SKEWED("Tue, 03 Feb 2026 05:05:06 GMT"),
	    {.status = 200, .headers = ETAG}, {.status = 200, .headers = ETAG}};

	s3_play(steps, COUNT(steps));
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert(script_has(t.script, 1, "x-amz-date: 20260203T050506Z"));
	cr_assert(script_has(t.script, 2, "x-amz-date: 20260203T050506Z"));
	cr_assert_not_null(strstr(t.logged, "skew_ms=3600000"));
}

Test(s3, clock_that_was_right_and_jumps_is_for_a_person)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG},
	    SKEWED("Tue, 03 Feb 2026 05:05:06 GMT"),
	    {.status = 200, .headers = ETAG}};

	s3_play(steps, COUNT(steps));
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_FATAL);
	EXPECT_TEXT("the clock of this machine is 3600 seconds behind the "
		    "server's");
	cr_assert_eq(script_count(t.script), 2);
}

Test(s3, clock_that_was_mended_is_believed_again)
{
	static const struct script_step steps[] = {
	    SKEWED("Tue, 03 Feb 2026 05:05:06 GMT"),
	    {.status = 200, .headers = ETAG},
	    SKEWED("Tue, 03 Feb 2026 05:05:07 GMT"),
	    {.status = 200, .headers = ETAG}};

	s3_play(steps, COUNT(steps));
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK);
	t.now += 3601000;
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert(script_has(t.script, 3, "x-amz-date: 20260203T050507Z"));
}

Test(s3, clock_that_cannot_be_corrected_says_by_how_much)
{
	static const struct script_step steps[] = {
	    SKEWED("Tue, 03 Feb 2026 03:05:06 GMT"),
	    SKEWED("Tue, 03 Feb 2026 03:05:06 GMT")};

	s3_play(steps, COUNT(steps));
	cr_assert_eq(s3_put_text("k", "x"), SECOR_FATAL);
	EXPECT_TEXT("3600 seconds ahead of the server's");
	cr_assert_eq(script_count(t.script), 2);
}

/* ---- options ---- */

Test(s3, check_names_every_fault)
{
	static const struct {
		const char *key, *value, *want;
	} rows[] = {
	    {"bucket", "a/b", "bucket: is no name of a bucket"},
	    {"prefix", "/x", "prefix: must not begin with '/'"},
	    {"prefix", "a//b", "prefix: must not begin with '/', nor"},
	    {"endpoint", "localhost:9000", "endpoint: must be https://"},
	    {"endpoint", "https://host/path", "endpoint: must be https://"},
	    {"endpoint", "https://u@host", "endpoint: must be https://"},
	    {"sts_endpoint", "ftp://x", "sts_endpoint: must be"},
	    {"kms_key", "k", "kms_key: needs `encryption: aws:kms`"},
	    {"profile", "p", "profile: says another key"},
	};
	char *said;

	for (size_t i = 0; i < COUNT(rows); i++) {
		void *bad =
		    harness_conf(t.plugin, "bucket", "logs", "access_key", "a",
			"secret_key", "s", rows[i].key, rows[i].value, NULL);

		said = harness_check(t.plugin, bad);
		cr_expect_not_null(strstr(said, rows[i].want), "%s", said);
		free(said);
		harness_conf_free(t.plugin, bad);
	}
	said = harness_check(t.plugin, t.conf);
	cr_assert_str_eq(said, "");
	free(said);
}

Test(s3, check_wants_keys_in_pairs_and_some_checksum)
{
	void *bad = harness_conf(t.plugin, "bucket", "a.b", "path_style",
	    "false", "secret_key", "s", "session_token", "t", "checksum",
	    "none", "payload_hash", "unsigned", NULL);
	char *said = harness_check(t.plugin, bad);

	cr_expect_not_null(strstr(said, "access_key: is missing"));
	cr_expect_not_null(strstr(said, "session_token: needs"));
	cr_expect_not_null(strstr(said, "checksum: cannot be none"));
	cr_expect_not_null(strstr(said, "path_style: must not be false"));
	free(said);
	harness_conf_free(t.plugin, bad);
}
