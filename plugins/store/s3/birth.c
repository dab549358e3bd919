/*
 * birth.c -- what an object is born with: encryption, storage class, ACL, tags,
 * lock.
 *
 * A customer's key never leaves over plain HTTP, except to this very machine.
 */
#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "plugins/common/base64.h"
#include "plugins/common/text.h"
#include "plugins/common/url.h"
#include "s3.h"

#define CUSTOMER "x-amz-server-side-encryption-customer-"
#define KEY_BYTES 32
#define KEY_TEXT 44 /* in base64 */
#define TAG_KEY 128
#define TAG_VALUE 256

const char *const s3_acls[] = {"none", "private", "public-read",
    "public-read-write", "authenticated-read", "aws-exec-read",
    "bucket-owner-read", "bucket-owner-full-control", NULL};

/* ---- what can be said before anything runs ---- */

static int
customer_key_is(const char *text, char key[KEY_BYTES + 1])
{
	size_t made;

	return strlen(text) == KEY_TEXT &&
	       base64_get(text, KEY_TEXT, key, &made) && made == KEY_BYTES;
}

static int
is_loopback(const char *endpoint)
{
	static const char *const near[] = {
	    "127.0.0.1", "localhost", "[::1]", NULL};
	const char *host = strstr(endpoint, "://");
	size_t i, len;

	for (i = 0; host != NULL && near[i] != NULL; i++) {
		len = strlen(near[i]);
		if (strncmp(host + 3, near[i], len) == 0 &&
		    strchr(":/", host[3 + len]) != NULL)
			return 1;
	}
	return 0;
}

static void
check_encryption(const struct s3_conf *conf, const struct secor_check *check)
{
	char key[KEY_BYTES + 1];

	if (conf->kms_key != NULL && conf->encryption != S3_KMS)
		check->complain(
		    check, "kms_key", "needs `encryption: aws:kms`");
	if (conf->bucket_key && conf->encryption != S3_KMS)
		check->complain(
		    check, "bucket_key", "needs `encryption: aws:kms`");
	if (conf->kms_context.count > 0 && conf->encryption != S3_KMS)
		check->complain(
		    check, "kms_context", "needs `encryption: aws:kms`");
	if (conf->customer_key == NULL)
		return;
	if (!customer_key_is(conf->customer_key, key))
		check->complain(check, "customer_key",
		    "must be 32 bytes in base64 (openssl rand -base64 32)");
	if (conf->encryption != S3_PLAIN)
		check->complain(check, "customer_key",
		    "and `encryption` exclude each other");
	if (conf->endpoint != NULL &&
	    strncmp(conf->endpoint, "http://", 7) == 0 &&
	    (!is_loopback(conf->endpoint) || conf->proxy != NULL))
		check->complain(check, "customer_key",
		    "would go over plain http: needs an https endpoint");
}

/* S3's own set; and every letter of other alphabets, which only it can tell
 * from other signs. */
static int
tag_text_is(const char *text, size_t least, size_t most)
{
	size_t chars = 0, len;

	for (; *text != '\0'; text += len, chars++) {
		len = utf8_length(text);
		if (len == 0)
			return 0;
		if (len == 1 &&
		    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
			   "yz0123456789 +-=._:/@",
			*text) == NULL)
			return 0;
	}
	return chars >= least && chars <= most;
}

/* Returns -1 when it does not fit. */
static int
write_tags(const struct secor_pairs *tags, char *dst, size_t room)
{
	size_t i, n, len = 0;
	const char *part[2];

	dst[0] = '\0';
	for (i = 0; i < tags->count * 2; i++) {
		part[0] = i % 2 == 1 ? "=" : i > 0 ? "&" : "";
		part[1] = i % 2 == 1 ? tags->items[i / 2].value
				     : tags->items[i / 2].key;
		n = strlen(part[0]);
		if (len + n + 1 >= room)
			return -1;
		memcpy(dst + len, part[0], n + 1);
		len += n;
		n = sigv4_escape(part[1], 0, dst + len, room - len);
		if (n >= room - len)
			return -1;
		len += n;
	}
	return 0;
}

static void
check_tags(const struct secor_pairs *tags, const struct secor_check *check)
{
	char text[S3_TEXT], complaint[512];
	size_t i;

	if (tags->count > S3_TAGS)
		check->complain(check, "tags", "are more than 10");
	for (i = 0; i < tags->count; i++) {
		const struct secor_pair *tag = &tags->items[i];

		if (tag_text_is(tag->key, 1, TAG_KEY) &&
		    tag_text_is(tag->value, 0, TAG_VALUE) &&
		    strncmp(tag->key, "aws:", 4) != 0)
			continue;
		(void)snprintf(complaint, sizeof(complaint),
		    "%.140s: a key has 1 to 128, a value up to 256 letters, "
		    "digits, blanks and + - = . _ : / @; aws: is Amazon's",
		    tag->key);
		check->complain(check, "tags", complaint);
	}
	if (write_tags(tags, text, sizeof(text)) != 0)
		check->complain(
		    check, "tags", "are together too long for a header");
}

static void
check_lock(const struct s3_conf *conf, const struct secor_check *check)
{
	if ((conf->lock_mode != S3_NO_LOCK) != (conf->lock_for > 0))
		check->complain(check,
		    conf->lock_for > 0 ? "lock_mode" : "lock_for",
		    "is missing: lock_mode and lock_for go together");
	if ((conf->lock_mode != S3_NO_LOCK || conf->legal_hold) &&
	    conf->checksum == S3_CHECK_NONE)
		check->complain(check, "checksum",
		    "cannot be none: S3 locks only objects that come with one");
}

/* Returns -1 when it does not fit. */
static int
write_context(const struct secor_pairs *context, char *dst, size_t room)
{
	struct text json = {.ptr = NULL};
	size_t i;
	int status = -1;

	for (i = 0; i < context->count; i++) {
		text_adds(&json, i == 0 ? "{" : ",");
		text_add_json(&json, context->items[i].key);
		text_adds(&json, ":");
		text_add_json(&json, context->items[i].value);
	}
	if (context->count > 0)
		text_adds(&json, "}");
	if (!json.failed && BASE64_LEN(json.len) < room) {
		base64_put(json.ptr != NULL ? json.ptr : "", json.len, dst);
		dst[BASE64_LEN(json.len)] = '\0';
		status = 0;
	}
	text_fini(&json);
	return status;
}

void
s3_check_birth(const struct s3_conf *conf, const struct secor_check *check)
{
	char text[S3_TEXT];

	check_encryption(conf, check);
	check_tags(&conf->tags, check);
	check_lock(conf, check);
	if (write_context(&conf->kms_context, text, sizeof(text)) != 0)
		check->complain(
		    check, "kms_context", "is too long for a header");
	if (conf->storage_class != NULL &&
	    !header_value_is(conf->storage_class))
		check->complain(
		    check, "storage_class", "must be one printable line");
	if (conf->kms_key != NULL && !header_value_is(conf->kms_key))
		check->complain(check, "kms_key", "must be one printable line");
}

/* ---- headers ---- */

int
s3_set_birth(struct s3 *s3, struct secor_err *err)
{
	const struct s3_conf *conf = s3->conf;
	unsigned char md5[EVP_MAX_MD_SIZE];
	char key[KEY_BYTES + 1];

	if (write_tags(&conf->tags, s3->tags, sizeof(s3->tags)) != 0 ||
	    write_context(&conf->kms_context, s3->kms_context,
		sizeof(s3->kms_context)) != 0)
		return secor_fail(
		    err, SECOR_FATAL, "tags or kms_context are too long");
	if (conf->customer_key == NULL)
		return SECOR_OK;
	if (!customer_key_is(conf->customer_key, key) ||
	    EVP_Digest(key, KEY_BYTES, md5, NULL, EVP_md5(), NULL) != 1)
		return secor_fail(err, SECOR_FATAL,
		    "customer_key: it is no key, or there is no MD5 here (FIPS "
		    "mode?), which SSE-C needs");
	base64_put((const char *)md5, 16, s3->customer_md5);
	s3->customer_md5[24] = '\0';
	return SECOR_OK;
}

void
s3_customer_headers(const struct s3 *s3, struct s3_call *call)
{
	if (s3->conf->customer_key == NULL)
		return;
	s3_header(call, CUSTOMER "algorithm", "AES256");
	s3_header(call, CUSTOMER "key", s3->conf->customer_key);
	s3_header(call, CUSTOMER "key-md5", s3->customer_md5);
}

static void
encryption_headers(const struct s3 *s3, struct s3_call *call)
{
	const struct s3_conf *conf = s3->conf;

	s3_customer_headers(s3, call);
	if (conf->encryption == S3_AES256)
		s3_header(call, "x-amz-server-side-encryption", "AES256");
	if (conf->encryption != S3_KMS)
		return;
	s3_header(call, "x-amz-server-side-encryption", "aws:kms");
	if (conf->kms_key != NULL)
		s3_header(call, "x-amz-server-side-encryption-aws-kms-key-id",
		    conf->kms_key);
	if (conf->bucket_key)
		s3_header(call,
		    "x-amz-server-side-encryption-bucket-key-enabled", "true");
	if (s3->kms_context[0] != '\0')
		s3_header(call, "x-amz-server-side-encryption-context",
		    s3->kms_context);
}

/* A put that is repeated is a version of its own, and locked from then on. */
static void
lock_headers(const struct s3 *s3, struct s3_call *call, struct s3_born *born)
{
	const struct s3_conf *conf = s3->conf;
	int64_t until =
	    s3->host->now_ms(s3->host) + s3->skew_ms + conf->lock_for;
	time_t seconds = (time_t)(until / 1000) + (until % 1000 > 0);
	struct tm tm;

	if (conf->legal_hold)
		s3_header(call, "x-amz-object-lock-legal-hold", "ON");
	if (conf->lock_mode == S3_NO_LOCK)
		return;
	(void)strftime(born->until, sizeof(born->until), "%Y-%m-%dT%H:%M:%SZ",
	    gmtime_r(&seconds, &tm));
	s3_header(call, "x-amz-object-lock-mode",
	    conf->lock_mode == S3_GOVERNANCE ? "GOVERNANCE" : "COMPLIANCE");
	s3_header(call, "x-amz-object-lock-retain-until-date", born->until);
}

void
s3_birth_headers(const struct s3 *s3, struct s3_call *call,
    const struct secor_put *put, struct s3_born *born)
{
	const struct s3_conf *conf = s3->conf;

	if (put != NULL && put->content_type != NULL)
		s3_header(call, "content-type", put->content_type);
	if (put != NULL && s3_batch_of(s3, put) != NULL)
		s3_header(call, S3_META, put->batch);
	encryption_headers(s3, call);
	if (conf->storage_class != NULL)
		s3_header(call, "x-amz-storage-class", conf->storage_class);
	if (conf->acl != 0)
		s3_header(call, "x-amz-acl", s3_acls[conf->acl]);
	if (s3->tags[0] != '\0')
		s3_header(call, "x-amz-tagging", s3->tags);
	lock_headers(s3, call, born);
}
