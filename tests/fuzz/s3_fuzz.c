/*
 * s3_fuzz.c -- any answers to the S3 store and to who asks for credentials:
 * every call ends with a status and, unless it is good, a sentence; and what it
 * calls good is good.
 *
 * Of the product everything is here but libcurl and what wraps it (http.c).
 * The first byte chooses the call, the second how the store is set up; the
 * answers follow (answers.h).
 */
#include "plugins/store/s3/s3.h"

#include "plugins/common/aws_source.h"
#include "plugins/common/crc32c.h"
#include "tests/fuzz/answers.h"
#include "tests/fuzz/host.h"

#define KEY "t/dt=2026-01-01/1_0_00000000000000000007.gz"
#define BODY "forty bytes of a body: that is three parts"
#define PART 16

/* ---- the host ---- */

static void
host_log(const struct secor_host *host, int level, const char *event,
    const char *detail)
{
	(void)host;
	MUST(level >= SECOR_ERROR && level <= SECOR_DEBUG);
	MUST(strlen(event) > 0 && (detail == NULL || strlen(detail) > 0));
}

static void
host_add(struct secor_counter *counter, int64_t n)
{
	MUST(counter != NULL && n >= 0);
}

static const struct secor_host host = {
    sizeof(host), host_log, host_now, host_counter, host_add};

/* ---- calls ---- */

static int
read_at(const struct secor_put *put, uint64_t at, void *bytes, size_t len,
    struct secor_err *err)
{
	(void)err;
	MUST(at + len <= put->length);
	memcpy(bytes, &BODY[at], len);
	return SECOR_OK;
}

static int
put_sized(void *s3, size_t length, struct secor_err *err)
{
	struct secor_put put = {.size = sizeof(put),
	    .key = KEY,
	    .length = length,
	    .crc32c = crc32c_more(0, BODY, length),
	    .content_type = "text/plain",
	    .read_at = read_at};
	int rc = s3_put(s3, &put, err);

	if (rc == SECOR_OK)
		MUST(answers.status / 100 == 2);
	if (rc == SECOR_OK && length > PART)
		MUST(strstr(answers.body, "CompleteMultipartUploadResult") !=
		     NULL);
	return rc;
}

static int
call_put(void *s3, struct secor_err *err)
{
	return put_sized(s3, PART, err);
}

static int
call_multipart(void *s3, struct secor_err *err)
{
	return put_sized(s3, sizeof(BODY) - 1, err);
}

struct keys {
	char last[S3_KEY + 1];
	size_t count;
};

static int
take_key(void *arg, const char *key, uint64_t length)
{
	struct keys *keys = arg;

	(void)length;
	MUST(strncmp(key, "t/", 2) == 0);
	MUST(strcmp(key, "t/b") > 0);
	MUST(strlen(key) <= S3_KEY);
	MUST(keys->count == 0 || strcmp(key, keys->last) > 0);
	(void)snprintf(keys->last, sizeof(keys->last), "%s", key);
	return ++keys->count == 50;
}

static int
call_list(void *s3, struct secor_err *err)
{
	struct keys keys = {.count = 0};

	return s3_list(s3, "t/", "t/b", take_key, &keys, err);
}

static int
take_piece(void *arg, const void *bytes, size_t len)
{
	unsigned *sum = arg;

	for (size_t i = 0; i < len; i++)
		*sum += ((const unsigned char *)bytes)[i];
	return *sum > 1u << 20;
}

static int
call_get(void *s3, struct secor_err *err)
{
	unsigned sum = 0;
	int rc = s3_get(s3, KEY, take_piece, &sum, err);

	MUST(rc != SECOR_REJECT || answers.status == 404);
	return rc;
}

static int
call_head(void *s3, struct secor_err *err)
{
	struct secor_stat stat = {.size = sizeof(stat)};
	int rc = s3_head(s3, KEY, &stat, err);

	if (rc == SECOR_OK)
		MUST(stat.exists == (answers.status != 404));
	return rc;
}

static int
call_remove(void *s3, struct secor_err *err)
{
	return s3_remove(s3, KEY, err);
}

/* ---- credentials ---- */

static void
no_nap(int64_t ms)
{
	MUST(ms >= 0 && ms < 60000);
}

static int
ask(aws_source_fn *source, const struct s3 *s3, struct secor_err *err)
{
	struct aws_cred_conf conf = {.region = "eu-west-1", .nap = no_nap};
	struct aws_ask with = {&conf, s3->http, s3->http, HOST_NOW};
	struct aws_found found = {.access_key = NULL};
	int rc = source(&with, &found, err);

	if (rc == SECOR_OK)
		MUST(found.access_key != NULL && found.secret_key != NULL &&
		     found.source[0] != '\0' && answers.status == 200);
	aws_found_clear(&found);
	if (rc == AWS_NOT_SET)
		return SECOR_OK;
	return rc;
}

static int
call_ec2(void *s3, struct secor_err *err)
{
	return ask(aws_from_ec2, s3, err);
}

static int
call_container(void *s3, struct secor_err *err)
{
	return ask(aws_from_container, s3, err);
}

static int
call_sts(void *s3, struct secor_err *err)
{
	return ask(aws_from_web_identity, s3, err);
}

/* ---- together ---- */

static int (*const call_table[])(void *s3, struct secor_err *err) = {call_put,
    call_multipart, call_list, call_get, call_head, call_remove, s3_probe,
    call_ec2, call_container, call_sts};

#define CALLS (sizeof(call_table) / sizeof(call_table[0]))

static void
set_environment(void)
{
	/* any small file serves as a token */
	MUST(setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/proc/self/comm", 1) == 0);
	MUST(setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r", 1) == 0);
	MUST(setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c", 1) == 0);
	MUST(unsetenv("AWS_EC2_METADATA_DISABLED") == 0);
}

static struct s3_conf
conf_of(unsigned bits)
{
	struct s3_conf conf = {.bucket = "b",
	    .prefix = bits & 1 ? "raw" : NULL,
	    .region = "eu-west-1",
	    .endpoint = bits & 2 ? "http://127.0.0.1:1" : NULL,
	    .aws = {.access_key = "AKIA", .secret_key = "secret"},
	    .checksum = bits & 4 ? S3_CHECK_MD5 : S3_CHECK_CRC32C,
	    .listing = bits & 8 ? S3_LIST_SORTED : S3_LIST_AUTO,
	    .multipart_threshold = PART,
	    .part_size = PART,
	    .parallel_parts = 1 + (bits >> 4) % 4,
	    .connect_timeout = 1000,
	    .stall_timeout = 1000,
	    .max_attempts = 3,
	    .retry_delay = 200};

	return conf;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct secor_store_ops *ops = secor_plugin_entry()->ops;
	struct secor_err err = {""};
	struct secor_open with = {.size = sizeof(with), .host = &host};
	struct s3_conf conf;
	void *s3 = NULL;
	int rc;

	if (size < 2)
		return 0;
	set_environment();
	conf = conf_of(data[1]);
	with.conf = &conf;
	MUST(ops->open(&with, &s3, &err) == SECOR_OK);
	answers_begin((const char *)data + 2, size - 2);
	rc = call_table[data[0] % CALLS](s3, &err);
	MUST(rc >= SECOR_OK && rc <= SECOR_FATAL);
	MUST(rc == SECOR_OK || err.text[0] != '\0');
	MUST(memchr(err.text, '\0', sizeof(err.text)) != NULL);
	ops->close(s3);
	answers_end();
	return 0;
}
