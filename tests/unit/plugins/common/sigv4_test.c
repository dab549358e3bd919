/*
 * sigv4_test.c -- signatures that AWS publishes (its SigV4 test suite and the
 * S3 reference's examples) and ones that botocore gives for hostile keys.
 */
#include "plugins/common/sigv4.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SUITE_HOST                              \
	{                                       \
		"host", "example.amazonaws.com" \
	}
#define SUITE_DATE                               \
	{                                        \
		"x-amz-date", "20150830T123600Z" \
	}
#define S3_HOST                                          \
	{                                                \
		"host", "examplebucket.s3.amazonaws.com" \
	}
#define S3_DATE                                  \
	{                                        \
		"x-amz-date", "20130524T000000Z" \
	}
#define S3_EMPTY                                    \
	{                                           \
		"x-amz-content-sha256", SIGV4_EMPTY \
	}
#define PUT_HASH \
	"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

struct row {
	const char *name, *method, *path, *query;
	struct secor_pair headers[6];
	const char *payload_hash, *signature;
};

static void
expect_rows(const struct row *rows, size_t count, const struct sigv4_key *key,
    struct sigv4_request request)
{
	struct secor_err err = {""};
	char got[1024], want[128];
	size_t headers;

	for (size_t i = 0; i < count; i++) {
		for (headers = 0; headers < 6; headers++)
			if (rows[i].headers[headers].key == NULL)
				break;
		request.method = rows[i].method;
		request.path = rows[i].path;
		request.query = rows[i].query;
		request.headers = rows[i].headers;
		request.header_count = headers;
		request.payload_hash = rows[i].payload_hash;
		cr_assert_eq(sigv4_sign(key, &request, got, sizeof(got), &err),
		    SECOR_OK, "%s", err.text);
		(void)snprintf(
		    want, sizeof(want), "Signature=%s", rows[i].signature);
		cr_expect_not_null(
		    strstr(got, want), "%s: %s", rows[i].name, got);
	}
}

Test(sigv4, published_suite_is_met)
{
	static const struct row rows[] = {
	    {"get-vanilla", "GET", "/", "", {SUITE_HOST, SUITE_DATE},
		SIGV4_EMPTY,
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763f"
		"bf31"},
	    {"get-vanilla-query-order-key-case", "GET", "/",
		"Param1=value1&Param2=value2", {SUITE_DATE, SUITE_HOST},
		SIGV4_EMPTY,
		"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf"
		"2500"},
	    {"get-utf8", "GET", "/%E1%88%B4", "", {SUITE_HOST, SUITE_DATE},
		SIGV4_EMPTY,
		"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be"
		"5d85"},
	    {"get-header-value-trim", "GET", "/", "",
		{SUITE_DATE, SUITE_HOST, {"my-header2", " \"a   b   c\" "},
		    {"my-header1", "  value1"}},
		SIGV4_EMPTY,
		"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9"
		"c736"},
	    {"post-vanilla", "POST", "/", "", {SUITE_HOST, SUITE_DATE},
		SIGV4_EMPTY,
		"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe"
		"5d6b"},
	};
	const struct sigv4_key key = {
	    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]), &key,
	    (struct sigv4_request){.region = "us-east-1",
		.service = "service",
		.time_ms = 1440938160000});
}

Test(sigv4, published_s3_examples_are_met)
{
	static const struct row rows[] = {
	    {"get object", "GET", "/test.txt", "",
		{S3_HOST, {"range", "bytes=0-9"}, S3_EMPTY, S3_DATE},
		SIGV4_EMPTY,
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036b"
		"db41"},
	    {"put object", "PUT", "/test%24file.text", "",
		{{"date", "Fri, 24 May 2013 00:00:00 GMT"}, S3_HOST,
		    {"x-amz-content-sha256", PUT_HASH}, S3_DATE,
		    {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
		PUT_HASH,
		"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece1"
		"08bd"},
	    {"get lifecycle", "GET", "/",
		"lifecycle=", {S3_HOST, S3_EMPTY, S3_DATE}, SIGV4_EMPTY,
		"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a013678"
		"3543"},
	    {"list", "GET", "/", "max-keys=2&prefix=J",
		{S3_HOST, S3_EMPTY, S3_DATE}, SIGV4_EMPTY,
		"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69d"
		"c6f7"},
	};
	const struct sigv4_key key = {
	    "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]), &key,
	    (struct sigv4_request){.region = "us-east-1",
		.service = "s3",
		.time_ms = 1369353600000});
}

static const struct {
	const char *text, *escaped, *signature;
} hostile[] = {
    {"/a b", "/a%20b",
	"2f3964ee0e18ed892a98d9bd7374f61fde40ff211cbd1f6e9ff42a3434dcb8ba"},
    {"/a+b", "/a%2Bb",
	"7cb6bcf47b1e9e9b68af167d64f79977d97875131261be7dc5dee82853e65679"},
    {"/100%", "/100%25",
	"88e1a37222524b9ddec4cf0e4aa7bb8af14c25bb5f3c951fc674458dde92ae73"},
    {"/\xc3\xa9\xe2\x82\xac", "/%C3%A9%E2%82%AC",
	"d7e18837bd8705b5c3e78ee0b0b526c06d0752e385d1fc4e4165fdcac3408bc9"},
    {"/a//b", "/a//b",
	"2a05de5bc5fac2458853f2489a4cae6461aff0c24de874258455fabc2b7ded1a"},
    {"/x=1&y:2;z", "/x%3D1%26y%3A2%3Bz",
	"517f4597ff7f209ac116557800d1200ac0dea179d2f46c3d7c90f4d1b274d896"},
    {"/~-._!*'()", "/~-._%21%2A%27%28%29",
	"250976899be5958e3884771475197b2de86f692443616b12637528d0635ee146"},
    {"/\x01\x7f\"<>\\^`{|}", "/%01%7F%22%3C%3E%5C%5E%60%7B%7C%7D",
	"f84e94f141823623e94384ff6545f40c14b59ed45a541f6b2ece414aa87b9825"},
};

Test(sigv4, hostile_keys_are_signed_as_botocore_does)
{
	const struct sigv4_key key = {
	    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
	char path[256];

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct row row = {hostile[i].text, "PUT", path, "",
		    {{"host", "b.example.com"},
			{"x-amz-date", "20260203T040506Z"}, S3_EMPTY},
		    SIGV4_EMPTY, hostile[i].signature};

		(void)sigv4_escape(hostile[i].text, 1, path, sizeof(path));
		cr_expect_str_eq(path, hostile[i].escaped);
		expect_rows(&row, 1, &key,
		    (struct sigv4_request){.region = "eu-west-1",
			.service = "s3",
			.time_ms = 1770091506000});
	}
}

Test(sigv4, escape_says_when_it_does_not_fit)
{
	char dst[8];

	cr_assert_eq(sigv4_escape("a/b", 0, dst, sizeof(dst)), 5);
	cr_assert_str_eq(dst, "a%2Fb");
	cr_assert_eq(sigv4_escape("", 0, dst, sizeof(dst)), 0);
	cr_assert_eq(sigv4_escape("////", 0, dst, sizeof(dst)), 8);
	cr_assert_eq(sigv4_escape("aaaaaaaaaaaa", 0, dst, sizeof(dst)), 8);
}

Test(sigv4, signature_that_does_not_fit_is_no_signature)
{
	const struct sigv4_key key = {"AKID", "secret"};
	static const struct secor_pair headers[] = {SUITE_HOST};
	struct sigv4_request request = {.method = "GET",
	    .path = "/",
	    .query = "",
	    .headers = headers,
	    .header_count = 1,
	    .payload_hash = SIGV4_EMPTY,
	    .region = "us-east-1",
	    .service = "s3"};
	char small[100];

	cr_assert_eq(sigv4_sign(&key, &request, small, sizeof(small), NULL),
	    SECOR_RETRY);
}

Test(sigv4, time_is_utc)
{
	char text[SIGV4_TIME];

	(void)setenv("TZ", "Asia/Tokyo", 1);
	sigv4_time(1770091506999, text);
	cr_assert_str_eq(text, "20260203T040506Z");
}
