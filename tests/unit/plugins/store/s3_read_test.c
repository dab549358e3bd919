/*
 * s3_read_test.c -- uploads in parts, listings and reading back, against a
 * scripted server.
 */
#include "core/base/hash.h"
#include "plugins/store/s3/s3.h"
#include "tests/unit/plugins/store/s3_help.h"

#include <arpa/inet.h>
#include <openssl/evp.h>

TestSuite(s3_read, .init = s3_begin, .fini = s3_end);

/* ---- parts ---- */

#define CREATED                                                          \
	{                                                                \
		.status = 200,                                           \
		.body = "<InitiateMultipartUploadResult><UploadId>u/1+2" \
			"</UploadId></InitiateMultipartUploadResult>"    \
	}
#define PART(etag)                                             \
	{                                                      \
		.status = 200, .headers = "ETag: " etag "\r\n" \
	}
#define COMPLETED                                                              \
	{                                                                      \
		.status = 200,                                                 \
		.body = "  <?xml version=\"1.0\"?><CompleteMultipartUploadRes" \
			"ult><ETag>e-2</ETag></CompleteMultipartUploadResult>" \
	}
#define ABORTED               \
	{                     \
		.status = 204 \
	}

enum { PART_SIZE = 5 * 1024 * 1024, LARGE = 2 * PART_SIZE + 7 };

static char large[LARGE];

/* Puts LARGE bytes; go_on says no once so many requests have been made. */
static size_t most_requests;

static int
until_most(const struct secor_put *put)
{
	(void)put;
	return script_count(t.script) < most_requests;
}

static int
put_large(const struct script_step *steps, size_t count)
{
	struct source source = {.bytes = large};
	struct secor_put put;

	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)(i >> 8 ^ i);
	put = source_put(&source, "big", LARGE);
	put.go_on = until_most;
	s3_set("multipart_threshold", "5MiB");
	s3_set("part_size", "5MiB");
	s3_set("parallel_parts", "1");
	s3_play(steps, count);
	return t.ops->put(t.store, &put, &t.err);
}

static void
base64(const unsigned char bytes[4], char *text)
{
	(void)EVP_EncodeBlock((unsigned char *)text, bytes, 4);
}

Test(s3_read, large_object_goes_in_parts)
{
	static const struct script_step steps[] = {
	    CREATED, PART("\"a\""), PART("\"b\""), PART("\"c\""), COMPLETED};

	char whole[64];
	uint32_t crc;

	most_requests = 99;
	cr_assert_eq(
	    put_large(steps, COUNT(steps)), SECOR_OK, "%s", t.err.text);
	crc = htonl(crc32c_add(0, large, LARGE));
	(void)snprintf(whole, sizeof(whole), "x-amz-checksum-crc32c: ");
	base64((unsigned char *)&crc, whole + strlen(whole));
	cr_assert(s3_begins(0, "POST /logs/raw/big?uploads= HTTP"));
	cr_assert(script_has(t.script, 0, "x-amz-checksum-algorithm: CRC32C"));
	cr_assert(script_has(t.script, 0, "x-amz-checksum-type: FULL_OBJECT"));
	cr_assert(s3_begins(
	    1, "PUT /logs/raw/big?partNumber=1&uploadId=u%2F1%2B2 HTTP"));
	cr_assert(script_has(t.script, 1, "Content-Length: 5242880"));
	cr_assert(script_has(t.script, 3, "Content-Length: 7"));
	cr_assert(s3_begins(4, "POST /logs/raw/big?uploadId=u%2F1%2B2 HTTP"));
	cr_assert(script_has(t.script, 4, whole));
	cr_assert_not_null(strstr(script_request(t.script, 4),
	    "<ETag>\"b\"</ETag><PartNumber>2</PartNumber></Part>"));
}

Test(s3_read, complete_that_says_200_and_error_is_repeated)
{
	static const struct script_step steps[] = {CREATED, PART("\"a\""),
	    PART("\"b\""), PART("\"c\""),
	    {.status = 200, .body = ERROR_XML("InternalError")},
	    {.status = 200, .body = "<CompleteMultipartUploadResult><ETag>"},
	    {.status = 200, .body = ""}, COMPLETED};

	most_requests = 99;
	cr_assert_eq(
	    put_large(steps, COUNT(steps)), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(script_count(t.script), COUNT(steps));
}

Test(s3_read, complete_that_keeps_failing_is_aborted)
{
	static const struct script_step steps[] = {CREATED, PART("\"a\""),
	    PART("\"b\""), PART("\"c\""),
	    {.status = 200, .body = ERROR_XML("InternalError")},
	    {.status = 200, .body = ERROR_XML("InternalError")}, ABORTED};

	most_requests = 99;
	s3_set("max_attempts", "2");
	cr_assert_eq(put_large(steps, COUNT(steps)), SECOR_RETRY);
	EXPECT_TEXT("complete upload of s3://logs/raw/big: HTTP 200 "
		    "InternalError: because");
	cr_assert(s3_begins(6, "DELETE /logs/raw/big?uploadId=u%2F1%2B2 HTTP"));
}

Test(s3_read, upload_that_is_gone_is_begun_anew_by_the_engine)
{
	static const struct script_step steps[] = {CREATED, PART("\"a\""),
	    {.status = 404, .body = ERROR_XML("NoSuchUpload")},
	    {.status = 404, .body = ERROR_XML("NoSuchUpload")}};

	most_requests = 99;
	cr_assert_eq(put_large(steps, COUNT(steps)), SECOR_RETRY);
	EXPECT_TEXT("NoSuchUpload");
	cr_assert_null(strstr(t.logged, "left behind"));
}

Test(s3_read, complete_is_not_sent_when_no_longer_allowed)
{
	static const struct script_step steps[] = {
	    CREATED, PART("\"a\""), PART("\"b\""), PART("\"c\""), ABORTED};

	most_requests = 4;
	cr_assert_eq(put_large(steps, COUNT(steps)), SECOR_RETRY);
	EXPECT_TEXT("no longer sure");
	cr_assert_eq(script_count(t.script), 5);
	cr_assert(s3_begins(4, "DELETE "));
}

Test(s3_read, upload_left_behind_is_said)
{
	static const struct script_step steps[] = {CREATED,
	    {.status = 403, .body = ERROR_XML("AccessDenied")},
	    {.status = 403, .body = ERROR_XML("AccessDenied")}};

	most_requests = 99;
	cr_assert_eq(put_large(steps, COUNT(steps)), SECOR_FATAL);
	cr_assert_not_null(strstr(t.logged, "multipart upload left behind"));
}

Test(s3_read, abort_is_tried_once)
{
	static const struct script_step steps[] = {CREATED,
	    {.status = 403, .body = ERROR_XML("AccessDenied")}, {.status = 500},
	    {.status = 204}};

	most_requests = 99;
	cr_assert_eq(put_large(steps, COUNT(steps)), SECOR_FATAL);
	cr_assert_eq(script_count(t.script), 3);
}

Test(s3_read, part_size_is_enough_for_ten_thousand)
{
	const uint64_t mib = 1 << 20, wished = 16 * mib;

	cr_assert_eq(s3_part_size(wished, 65 * mib), wished);
	cr_assert_eq(s3_part_size(wished, 10000 * wished), wished);
	cr_assert_eq(s3_part_size(wished, 10000 * wished + 1), 17 * mib);
	cr_assert_eq(s3_part_size(wished, UINT64_C(5) << 40), 525 * mib);
}

/* ---- listings ---- */

#define PAGE(truncated, items)                                             \
	{                                                                  \
		.status = 200,                                             \
		.body = "<ListBucketResult xmlns=\"http://s3.amazonaws."   \
			"com/doc/2006-03-01/\"><Name>logs</Name>"          \
			"<EncodingType>url</EncodingType>" truncated items \
			"</ListBucketResult>"                              \
	}
#define LAST "<IsTruncated>false</IsTruncated>"
#define MORE(token)                       \
	"<IsTruncated>true</IsTruncated>" \
	"<NextContinuationToken>" token "</NextContinuationToken>"
#define KEY(key) "<Contents><Key>" key "</Key><Size>3</Size></Contents>"

static int
list(const char *prefix, const char *after, struct heard *heard)
{
	return t.ops->list(t.store, prefix, after, hear_key, heard, &t.err);
}

Test(s3_read, list_goes_on_over_pages_and_unescapes)
{
	static const struct script_step steps[] = {
	    PAGE(MORE("t/1+="), KEY("raw/a+b") KEY("raw/a%2Bb")),
	    PAGE(LAST, KEY("raw/%C3%A9/%25x"))};
	struct heard heard = {.len = 0};

	s3_set("listing", "streamed");
	s3_play(steps, 2);
	cr_assert_eq(list("a&b", "a!", &heard), SECOR_OK, "%s", t.err.text);
	cr_assert(s3_begins(0,
	    "GET /logs/?encoding-type=url&list-type=2&prefix=raw%2Fa%26b&"
	    "start-after=raw%2Fa%21 HTTP"));
	cr_assert(s3_begins(1,
	    "GET /logs/?continuation-token=t%2F1%2B%3D&encoding-type=url&"
	    "list-type=2&prefix=raw%2Fa%26b HTTP"));
	cr_assert_str_eq(heard.text, "");
}

Test(s3_read, list_hands_over_own_keys_without_the_prefix)
{
	static const struct script_step steps[] = {
	    PAGE(MORE("t"), KEY("other/x") KEY("raw/a+b") KEY("raw/a%2Bb")),
	    PAGE(LAST, KEY("raw/%C3%A9/%25x"))};
	struct heard heard = {.len = 0};

	s3_set("listing", "streamed");
	s3_play(steps, 2);
	cr_assert_eq(list("", NULL, &heard), SECOR_OK, "%s", t.err.text);
	cr_assert_str_eq(heard.text, "a b a+b \xc3\xa9/%x ");
}

Test(s3_read, list_stops_when_told_and_asks_for_no_more)
{
	static const struct script_step steps[] = {
	    PAGE(MORE("t"), KEY("raw/a") KEY("raw/b") KEY("raw/c"))};
	struct heard heard = {.left = 2};

	s3_set("listing", "streamed");
	s3_play(steps, 1);
	cr_assert_eq(list("", NULL, &heard), SECOR_OK);
	cr_assert_str_eq(heard.text, "a b ");
}

Test(s3_read, list_out_of_order_is_sorted_or_refused)
{
	static const struct script_step steps[] = {
	    PAGE(MORE("t"), KEY("raw/a/b") KEY("raw/c")),
	    PAGE(LAST, KEY("raw/a-b") KEY("raw/b")),
	    PAGE(LAST, KEY("raw/a/b") KEY("raw/a-b"))};
	struct heard heard = {.len = 0};

	s3_play(steps, 3);
	cr_assert_eq(list("", "a-b", &heard), SECOR_OK);
	cr_assert_str_eq(heard.text, "a/b b c ");
	cr_assert_null(strstr(script_request(t.script, 0), "start-after"));
	s3_set("listing", "streamed");
	cr_assert_eq(list("", NULL, &heard), SECOR_FATAL);
	EXPECT_TEXT("set `listing: sorted`");
}

Test(s3_read, list_that_is_cut_is_asked_for_again)
{
	static const struct script_step steps[] = {
	    {.status = 200,
		.body = "<ListBucketResult>" KEY("raw/a"),
		.how = SCRIPT_TRUNCATE},
	    {.status = 200, .body = "<ListBucketResult>" KEY("raw/a")},
	    PAGE(LAST, KEY("raw/a") KEY("raw/b"))};
	struct heard heard = {.len = 0};

	s3_play(steps, 3);
	cr_assert_eq(list("", NULL, &heard), SECOR_OK, "%s", t.err.text);
	cr_assert_str_eq(heard.text, "a b ");
}

Test(s3_read, list_without_an_end_is_refused)
{
	static const struct script_step steps[] = {
	    PAGE(MORE("t"), KEY("raw/a")), PAGE(MORE("t"), KEY("raw/a"))};
	struct heard heard = {.len = 0};

	s3_play(steps, 2);
	cr_assert_eq(list("", NULL, &heard), SECOR_FATAL);
	EXPECT_TEXT("without a new token");
}

Test(s3_read, what_is_no_s3_says_so)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = "<html><b>Welcome</b></html>"}};
	struct heard heard = {.len = 0};

	s3_play(steps, 1);
	cr_assert_eq(list("", NULL, &heard), SECOR_FATAL);
	EXPECT_TEXT("HTTP 200 with <html> where <ListBucketResult> should be");
}

/* ---- probe ---- */

Test(s3_read, probe_lists_and_begins_an_upload_that_it_aborts)
{
	static const struct script_step steps[] = {
	    PAGE(LAST, ""), CREATED, ABORTED};

	s3_play(steps, 3);
	cr_assert_eq(t.ops->probe(t.store, &t.err), SECOR_OK, "%s", t.err.text);
	cr_assert(s3_begins(0, "GET /logs/?encoding-type=url&list-type=2&"
			       "max-keys=1&prefix=raw%2F HTTP"));
	cr_assert(s3_begins(1, "POST /logs/raw/.secor-probe?uploads= HTTP"));
	cr_assert(s3_begins(2, "DELETE /logs/raw/.secor-probe?uploadId="));
}

Test(s3_read, probe_of_a_writer_that_may_not_list_is_fine)
{
	static const struct script_step steps[] = {
	    {.status = 403, .body = ERROR_XML("AccessDenied")}, CREATED,
	    ABORTED};

	s3_play(steps, 3);
	cr_assert_eq(t.ops->probe(t.store, &t.err), SECOR_OK);
	cr_assert_not_null(strstr(t.logged, "may not be listed"));
}

Test(s3_read, probe_of_a_reader_says_what_it_needs)
{
	static const struct script_step steps[] = {
	    PAGE(LAST, ""), {.status = 403, .body = ERROR_XML("AccessDenied")}};

	s3_play(steps, 2);
	cr_assert_eq(t.ops->probe(t.store, &t.err), SECOR_FATAL);
	EXPECT_TEXT("needs s3:PutObject");
}

/* ---- get, head, remove ---- */

static int
get(struct heard *heard)
{
	return t.ops->get(t.store, "k", hear_piece, heard, &t.err);
}

Test(s3_read, get_that_breaks_goes_on_where_it_was)
{
	static const struct script_step steps[] = {{.status = 500},
	    {.status = 200,
		.headers = ETAG,
		.body = "hello ",
		.how = SCRIPT_TRUNCATE},
	    {.status = 206,
		.headers = ETAG "Content-Range: bytes 6-10/11\r\n",
		.body = "world"}};
	struct heard heard = {.len = 0};

	s3_play(steps, 3);
	cr_assert_eq(get(&heard), SECOR_OK, "%s", t.err.text);
	cr_assert_str_eq(heard.text, "hello world");
	cr_assert(script_has(t.script, 2, "range: bytes=6-"));
}

Test(s3_read, get_does_not_join_two_objects)
{
	static const struct script_step steps[] = {{.status = 200,
						       .headers = ETAG,
						       .body = "hello ",
						       .how = SCRIPT_TRUNCATE},
	    {.status = 206,
		.headers = "ETag: \"e2\"\r\nContent-Range: bytes 6-10/11\r\n",
		.body = "there"}};
	struct heard heard = {.len = 0};

	s3_play(steps, 2);
	cr_assert_eq(get(&heard), SECOR_RETRY);
	EXPECT_TEXT("changed while it was read");
	cr_assert_str_eq(heard.text, "hello ");
}

Test(s3_read, get_that_ignores_the_range_is_no_continuation)
{
	static const struct script_step steps[] = {{.status = 200,
						       .headers = ETAG,
						       .body = "hello ",
						       .how = SCRIPT_TRUNCATE},
	    {.status = 200, .headers = ETAG, .body = "hello world"}};
	struct heard heard = {.len = 0};

	s3_play(steps, 2);
	cr_assert_eq(get(&heard), SECOR_RETRY);
	cr_assert_str_eq(heard.text, "hello ");
}

Test(s3_read, get_of_nothing_is_rejected_and_stops_when_told)
{
	static const struct script_step steps[] = {
	    {.status = 404, .body = ERROR_XML("NoSuchKey")},
	    {.status = 200, .headers = ETAG, .body = "hello"},
	    {.status = 404, .body = ERROR_XML("NoSuchBucket")}};
	struct heard heard = {.left = 1};

	s3_play(steps, 3);
	cr_assert_eq(get(&heard), SECOR_REJECT);
	cr_assert_eq(get(&heard), SECOR_OK);
	cr_assert_eq(get(&heard), SECOR_FATAL);
	EXPECT_TEXT("there is no bucket logs");
}

Test(s3_read, head_tells_length_time_and_whole_checksums_only)
{
	static const struct script_step steps[] = {
	    {.status = 200,
		.body = "123456789",
		.headers = "Last-Modified: Tue, 03 Feb 2026 04:05:06 GMT\r\n"
			   "x-amz-checksum-crc32c: 4waSgw==\r\n"},
	    {.status = 200, .headers = "x-amz-checksum-crc32c: 4waSgw==-2\r\n"},
	    {.status = 404}};
	struct secor_stat stat = {.size = sizeof(stat)};

	s3_play(steps, 3);
	cr_assert_eq(t.ops->head(t.store, "k", &stat, &t.err), SECOR_OK);
	cr_assert(stat.exists && stat.length == 9 && stat.has_crc32c);
	cr_assert_eq(stat.crc32c, 0xe3069283);
	cr_assert_eq(stat.modified_ms, t.now);
	cr_assert(script_has(t.script, 0, "x-amz-checksum-mode: ENABLED"));
	cr_assert_eq(t.ops->head(t.store, "k", &stat, &t.err), SECOR_OK);
	cr_assert(stat.exists && !stat.has_crc32c);
	cr_assert_eq(t.ops->head(t.store, "k", &stat, &t.err), SECOR_OK);
	cr_assert_not(stat.exists);
}

Test(s3_read, head_that_is_refused_names_the_permission)
{
	static const struct script_step steps[] = {{.status = 403}};
	struct secor_stat stat = {.size = sizeof(stat)};

	s3_play(steps, 1);
	cr_assert_eq(t.ops->head(t.store, "k", &stat, &t.err), SECOR_FATAL);
	EXPECT_TEXT("needs s3:GetObject");
}

Test(s3_read, remove_of_nothing_is_no_error)
{
	static const struct script_step steps[] = {
	    {.status = 204}, {.status = 404, .body = ERROR_XML("NoSuchKey")}};

	s3_play(steps, 2);
	cr_assert_eq(t.ops->remove(t.store, "k", &t.err), SECOR_OK);
	cr_assert_eq(t.ops->remove(t.store, "k", &t.err), SECOR_OK);
}
