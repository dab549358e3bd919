/*
 * s3_birth_test.c -- what an object is born with, the customer's key, and whom
 * requests go by.
 */
#include "plugins/store/s3/s3.h"
#include "tests/unit/plugins/store/s3_help.h"

TestSuite(s3_birth, .init = s3_begin, .fini = s3_end);

#define KEY "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
#define KEY_MD5 "KYvwGXoFFJ42a2u2GDWhwQ=="
#define CUSTOMER "x-amz-server-side-encryption-customer-"

#define EXPECT_HEADER(which, line)                         \
	cr_expect(script_has(t.script, which, line), "%s", \
	    script_request(t.script, which))

static const char *
said_of(
    const char *key, const char *value, const char *key2, const char *value2)
{
	static char text[4096];
	void *conf = harness_conf(t.plugin, "bucket", "logs", "access_key", "a",
	    "secret_key", "s", key, value, key2, value2, NULL);
	char *said = harness_check(t.plugin, conf);

	(void)snprintf(text, sizeof(text), "%s", said);
	free(said);
	harness_conf_free(t.plugin, conf);
	return text;
}

Test(s3_birth, put_carries_acl_tags_and_payer)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}};

	s3_set("acl", "bucket-owner-full-control");
	s3_set("tags", "{team: data & co, empty: , path: a/b=c}");
	s3_set("requester_pays", "true");
	s3_play(steps, 1);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	EXPECT_HEADER(0, "x-amz-acl: bucket-owner-full-control");
	EXPECT_HEADER(
	    0, "x-amz-tagging: team=data%20%26%20co&empty=&path=a%2Fb%3Dc");
	EXPECT_HEADER(0, "x-amz-request-payer: requester");
}

Test(s3_birth, plain_put_has_none_of_it)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}};
	static const char *const none[] = {"x-amz-acl", "x-amz-tagging",
	    "x-amz-request-payer", "x-amz-object-lock", "x-amz-server-side",
	    "x-amz-meta", "if-none-match", "x-amz-storage-class"};

	s3_play(steps, 1);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	for (size_t i = 0; i < COUNT(none); i++)
		cr_expect_null(strstr(script_request(t.script, 0), none[i]),
		    "%s", none[i]);
}

/* A repeated put is a version of its own: its lock begins with it. */
Test(s3_birth, lock_ends_so_long_after_the_put)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}, {.status = 200, .headers = ETAG}};

	s3_set("lock_mode", "compliance");
	s3_set("lock_for", "30d");
	s3_set("legal_hold", "true");
	s3_play(steps, 2);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	t.now += 1001;
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	EXPECT_HEADER(0, "x-amz-object-lock-mode: COMPLIANCE");
	EXPECT_HEADER(
	    0, "x-amz-object-lock-retain-until-date: 2026-03-05T04:05:06Z");
	EXPECT_HEADER(
	    1, "x-amz-object-lock-retain-until-date: 2026-03-05T04:05:08Z");
	EXPECT_HEADER(0, "x-amz-object-lock-legal-hold: ON");
	EXPECT_HEADER(0, "x-amz-checksum-crc32c: qTxfkw==");
}

Test(s3_birth, kms_context_and_bucket_key_are_sent)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}};

	s3_set("encryption", "aws:kms");
	s3_set("bucket_key", "true");
	s3_set("kms_context", "{team: a\"b}");
	s3_play(steps, 1);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	EXPECT_HEADER(
	    0, "x-amz-server-side-encryption-bucket-key-enabled: true");
	/* {"team":"a\"b"} */
	EXPECT_HEADER(0, "x-amz-server-side-encryption-context: "
			 "eyJ0ZWFtIjoiYVwiYiJ9");
}

static int
ignore_piece(void *arg, const void *bytes, size_t len)
{
	(void)arg;
	(void)bytes;
	(void)len;
	return 0;
}

Test(s3_birth, customer_key_goes_with_put_get_and_head)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG},
	    {.status = 200, .headers = ETAG, .body = "x"},
	    {.status = 200, .headers = ETAG}};
	struct secor_stat stat = {.size = sizeof(stat)};

	s3_set("customer_key", KEY);
	s3_play(steps, COUNT(steps));
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert_eq(t.ops->get(t.store, "k", ignore_piece, NULL, &t.err),
	    SECOR_OK, "%s", t.err.text);
	cr_assert_eq(t.ops->head(t.store, "k", &stat, &t.err), SECOR_OK);
	for (size_t i = 0; i < COUNT(steps); i++) {
		EXPECT_HEADER(i, CUSTOMER "algorithm: AES256");
		EXPECT_HEADER(i, CUSTOMER "key: " KEY);
		EXPECT_HEADER(i, CUSTOMER "key-md5: " KEY_MD5);
	}
	cr_assert_null(strstr(t.logged, KEY));
}

Test(s3_birth, customer_key_goes_with_each_request_of_an_upload)
{
	static const struct script_step steps[] = {
	    {.status = 200,
		.body = "<InitiateMultipartUploadResult><UploadId>u"
			"</UploadId></InitiateMultipartUploadResult>"},
	    {.status = 200, .headers = ETAG}, {.status = 200, .headers = ETAG},
	    {.status = 200,
		.body = "<CompleteMultipartUploadResult><ETag>e</ETag>"
			"</CompleteMultipartUploadResult>"}};
	static char large[5 * 1024 * 1024 + 1];
	struct source source = {.bytes = large, .go_on_left = -1};
	struct secor_put put = source_put(&source, "k", sizeof(large));

	s3_set("customer_key", KEY);
	s3_set("tags", "{a: b}");
	s3_set("acl", "private");
	s3_set("lock_mode", "governance");
	s3_set("lock_for", "1d");
	s3_set("multipart_threshold", "5MiB");
	s3_set("part_size", "5MiB");
	s3_set("parallel_parts", "1");
	s3_play(steps, COUNT(steps));
	cr_assert_eq(
	    t.ops->put(t.store, &put, &t.err), SECOR_OK, "%s", t.err.text);
	for (size_t i = 0; i < COUNT(steps); i++)
		EXPECT_HEADER(i, CUSTOMER "key: " KEY);
	EXPECT_HEADER(0, "x-amz-tagging: a=b");
	EXPECT_HEADER(0, "x-amz-acl: private");
	EXPECT_HEADER(0, "x-amz-object-lock-mode: GOVERNANCE");
	cr_expect_null(strstr(script_request(t.script, 1), "x-amz-tagging"));
	cr_expect_null(strstr(script_request(t.script, 3), "x-amz-object-l"));
}

Test(s3_birth, wrong_customer_key_is_said)
{
	static const struct {
		const char *key;
		struct script_step step;
		const char *want;
	} rows[] = {
	    {KEY, {.status = 400, .body = ERROR_XML("InvalidRequest")},
		"encrypted with another `customer_key`, or without one (bec"},
	    {KEY, {.status = 403, .body = ERROR_XML("AccessDenied")},
		"another `customer_key`, or without one, or s3:GetObject is"},
	    {NULL, {.status = 400, .body = ERROR_XML("InvalidRequest")},
		"Then set `customer_key`"},
	    {NULL, {.status = 403, .body = ERROR_XML("AccessDenied")},
		"needs s3:GetObject here"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].key != NULL)
			s3_set("customer_key", rows[i].key);
		s3_play(&rows[i].step, 1);
		cr_expect_eq(
		    t.ops->get(t.store, "k", ignore_piece, NULL, &t.err),
		    SECOR_FATAL, "row %zu", i);
		EXPECT_TEXT(rows[i].want);
		cr_expect_null(strstr(t.err.text, KEY));
		t.ops->close(t.store);
		script_stop(t.script);
		harness_conf_free(t.plugin, t.conf);
		t.script = NULL;
		s3_begin();
	}
	t.store = NULL;
}

Test(s3_birth, requests_go_by_the_proxy)
{
	static const struct script_step steps[] = {
	    {.status = 200, .headers = ETAG}};
	struct secor_open with = {
	    .size = sizeof(with), .conf = t.conf, .host = &s3_host};
	char proxy[128];

	t.script = script_start(steps, 1);
	(void)snprintf(proxy, sizeof(proxy), "http://me:pass@%s",
	    script_url(t.script) + strlen("http://"));
	s3_set("endpoint", "http://store.example:9000");
	s3_set("proxy", proxy);
	s3_set("no_proxy", "other.example");
	cr_assert_eq(t.ops->open(&with, &t.store, &t.err), SECOR_OK);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_OK, "%s", t.err.text);
	cr_assert(
	    s3_begins(0, "PUT http://store.example:9000/logs/raw/k HTTP/1.1"),
	    "%s", script_request(t.script, 0));
	EXPECT_HEADER(0, "Proxy-Authorization: Basic bWU6cGFzcw==");
	EXPECT_HEADER(0, "Host: store.example:9000");
}

Test(s3_birth, proxy_that_is_away_is_a_retry_without_its_password)
{
	struct secor_open with = {
	    .size = sizeof(with), .conf = t.conf, .host = &s3_host};

	s3_set("endpoint", "http://store.example:9000");
	s3_set("proxy", "http://me:geheim@127.0.0.1:9");
	s3_set("no_proxy", "");
	s3_set("max_attempts", "1");
	cr_assert_eq(t.ops->open(&with, &t.store, &t.err), SECOR_OK);
	cr_assert_eq(s3_put_text("k", "x"), SECOR_RETRY);
	cr_assert_null(strstr(t.err.text, "geheim"), "%s", t.err.text);
	cr_assert_null(strstr(t.logged, "geheim"), "%s", t.logged);
}

Test(s3_birth, hosts_of_aws_are_named_as_asked)
{
	static const struct {
		const char *dual_stack, *fips, *region, *want;
	} rows[] = {
	    {"false", "false", "eu-west-1",
		"https://logs.s3.eu-west-1.amazonaws.com"},
	    {"true", "false", "eu-west-1",
		"https://logs.s3.dualstack.eu-west-1.amazonaws.com"},
	    {"false", "true", "us-gov-west-1",
		"https://logs.s3-fips.us-gov-west-1.amazonaws.com"},
	    {"true", "true", "us-east-1",
		"https://logs.s3-fips.dualstack.us-east-1.amazonaws.com"},
	    {"true", "false", "cn-north-1",
		"https://logs.s3.dualstack.cn-north-1.amazonaws.com.cn"},
	};
	struct secor_open with = {
	    .size = sizeof(with), .conf = t.conf, .host = &s3_host};

	for (size_t i = 0; i < COUNT(rows); i++) {
		s3_set("dual_stack", rows[i].dual_stack);
		s3_set("fips", rows[i].fips);
		s3_set("region", rows[i].region);
		cr_assert_eq(t.ops->open(&with, &t.store, &t.err), SECOR_OK);
		cr_expect_str_eq(((struct s3 *)t.store)->origin, rows[i].want);
		t.ops->close(t.store);
	}
	t.store = NULL;
}

/* ---- check ---- */

#define LETTERS_130                                                           \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

Test(s3_birth, check_names_what_cannot_be)
{
	static const struct {
		const char *key, *value, *key2, *value2, *want;
	} rows[] = {
	    {"customer_key", "c2hvcnQ=", NULL, NULL,
		"customer_key: must be 32 bytes in base64"},
	    {"customer_key", KEY, "encryption", "AES256",
		"customer_key: and `encryption` exclude each other"},
	    {"customer_key", KEY, "endpoint", "http://s3.example",
		"customer_key: would go over plain http"},
	    {"customer_key", KEY, "endpoint", "http://localhost.example",
		"customer_key: would go over plain http"},
	    {"customer_key", KEY, "endpoint", "http://127.0.0.1:9000", ""},
	    {"customer_key", KEY, "endpoint", "http://[::1]:9000", ""},
	    {"customer_key", KEY, "endpoint", "https://s3.example", ""},
	    {"customer_key", KEY, NULL, NULL, ""},
	    {"bucket_key", "true", NULL, NULL, "bucket_key: needs `encryption"},
	    {"kms_context", "{a: b}", NULL, NULL,
		"kms_context: needs `encryption"},
	    {"lock_mode", "compliance", NULL, NULL, "lock_for: is missing"},
	    {"lock_for", "1d", NULL, NULL, "lock_mode: is missing"},
	    {"lock_for", "1d", "lock_mode", "governance", ""},
	    {"legal_hold", "true", "checksum", "none",
		"checksum: cannot be none: S3 locks only"},
	    {"tags", "{aws:x: y}", NULL, NULL, "tags: aws:x: a key has 1 to"},
	    {"tags", "{a#: y}", NULL, NULL, "tags: a#: a key has"},
	    {"tags", "{a: x;y}", NULL, NULL, "tags: a: a key has"},
	    {"tags", "{: y}", NULL, NULL, "tags: : a key has"},
	    {"tags", "{" LETTERS_130 ": y}", NULL, NULL, "a key has 1 to 128"},
	    {"tags", "{a: " LETTERS_130 LETTERS_130 "}", NULL, NULL,
		"a value up to 256"},
	    {"tags", "{a: " LETTERS_130 "}", NULL, NULL, ""},
	    {"tags", "{größe: a b+c-d=e._:/@}", NULL, NULL, ""},
	    {"tags",
		"{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1, "
		"k: 1}",
		NULL, NULL, "tags: are more than 10"},
	    {"dual_stack", "true", "endpoint", "https://h",
		"dual_stack: is of AWS's hosts"},
	    {"fips", "true", "endpoint", "https://h", "fips: is of AWS's"},
	    {"proxy", "proxy:3128", NULL, NULL, "proxy: must be http://"},
	    {"proxy", "http://u:p@h:1/x", NULL, NULL, "proxy: must be http"},
	    {"proxy", "socks5h://u:p@h:1", NULL, NULL, ""},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *said = said_of(
		    rows[i].key, rows[i].value, rows[i].key2, rows[i].value2);

		if (rows[i].want[0] == '\0')
			cr_expect_str_eq(said, "", "row %zu: %s", i, said);
		else
			cr_expect_not_null(
			    strstr(said, rows[i].want), "row %zu: %s", i, said);
		cr_expect_null(strstr(said, KEY));
	}
}

Test(s3_birth, what_is_secret_is_marked_so)
{
	static const char *const keys[] = {"customer_key", "proxy"};

	for (size_t i = 0; i < COUNT(keys); i++) {
		struct options opts = plugin_options(t.plugin);
		const struct secor_option *row = options_find(&opts, keys[i]);

		cr_assert_not_null(row);
		cr_expect(row->flags & SECOR_OPTION_SECRET);
	}
}
