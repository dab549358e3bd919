/*
 * read.c -- get, head, remove.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/retry.h"
#include "s3.h"

struct getting {
	struct s3 *s3;
	int (*piece)(void *arg, const void *bytes, size_t len);
	void *arg;
	uint64_t delivered;
	uint64_t from;	/* of the running answer */
	int begun;	/* it */
	char etag[128]; /* of the first answer */
	int is_other;
};

/* A later answer must go on with the same object where the first one broke. */
static int
goes_on(struct getting *getting)
{
	const char *etag = http_header(getting->s3->http, "etag");
	const char *range = http_header(getting->s3->http, "content-range");

	if (etag == NULL)
		etag = "";
	if (getting->from == 0) {
		(void)snprintf(
		    getting->etag, sizeof(getting->etag), "%s", etag);
		return 1;
	}
	return strcmp(etag, getting->etag) == 0 && range != NULL &&
	       strncmp(range, "bytes ", 6) == 0 &&
	       strtoull(range + 6, NULL, 10) == getting->from;
}

static int
take_object(void *arg, const void *bytes, size_t len)
{
	struct getting *getting = arg;

	if (!getting->begun && !goes_on(getting)) {
		getting->is_other = 1;
		return 1;
	}
	getting->begun = 1;
	getting->delivered += len;
	return getting->piece(getting->arg, bytes, len);
}

static int
get_rest(struct getting *getting, const char *key, struct http_answer *answer,
    struct secor_err *err)
{
	char range[64];
	struct s3_call call = {.kind = S3_GET,
	    .key = key,
	    .piece = take_object,
	    .arg = getting,
	    .missing_ok = 1};
	int status;

	getting->from = getting->delivered;
	getting->begun = 0;
	if (getting->from > 0) {
		(void)snprintf(range, sizeof(range), "bytes=%llu-",
		    (unsigned long long)getting->from);
		s3_header(&call, "range", range);
	}
	s3_customer_headers(getting->s3, &call);
	status = s3_run(getting->s3, &call, answer, err);
	if (status == SECOR_OK && getting->is_other)
		status = secor_fail(err, SECOR_RETRY,
		    "get %.300s: the object changed while it was read", key);
	if (status == SECOR_OK && answer->status == 404)
		status = secor_fail(err, SECOR_REJECT,
		    "get %.300s: there is no such object in bucket %s", key,
		    getting->s3->conf->bucket);
	return status;
}

int
s3_get(void *self, const char *key,
    int (*piece)(void *arg, const void *bytes, size_t len), void *arg,
    struct secor_err *err)
{
	struct s3 *s3 = self;
	struct getting getting = {.s3 = s3, .piece = piece, .arg = arg};
	struct retry retry = {.most = (int)s3->conf->max_attempts,
	    .base_ms = s3->conf->retry_delay,
	    .cap_ms = s3->conf->retry_delay * 10,
	    .seed = s3->seed++};
	struct http_answer answer;
	uint64_t before;
	int64_t wait;
	int status = s3_check_key(s3, key, err);

	if (status != SECOR_OK)
		return status;
	for (;;) {
		before = getting.delivered;
		status = get_rest(&getting, key, &answer, err);
		/* what has not begun has been repeated already */
		if (status != SECOR_RETRY || getting.delivered == before ||
		    getting.is_other)
			return status;
		wait = retry_next(&retry, 0);
		if (wait < 0 || !retry_wait(wait, NULL, NULL, NULL))
			return status;
	}
}

/* ---- head, remove ---- */

/* "AAAAAA==": four bytes. A checksum of checksums ends in "-<parts>". */
static int
read_crc(const char *text, uint32_t *crc32c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
				     "mnopqrstuvwxyz0123456789+/";
	uint64_t bits = 0;
	const char *digit;
	int i;

	if (strlen(text) != 8 || strcmp(text + 6, "==") != 0)
		return 0;
	for (i = 0; i < 6; i++) {
		digit = strchr(digits, text[i]);
		if (digit == NULL)
			return 0;
		bits = bits << 6 | (uint64_t)(digit - digits);
	}
	*crc32c = (uint32_t)(bits >> 4);
	return 1;
}

static void
read_stat(struct s3 *s3, struct secor_stat *found)
{
	const char *length = http_header(s3->http, "content-length");
	const char *modified = http_header(s3->http, "last-modified");
	const char *crc = http_header(s3->http, "x-amz-checksum-crc32c");
	time_t time = modified != NULL ? curl_getdate(modified, NULL) : -1;

	found->exists = 1;
	found->length = length != NULL ? strtoull(length, NULL, 10) : 0;
	found->modified_ms = time != -1 ? (int64_t)time * 1000 : 0;
	found->has_crc32c = crc != NULL && read_crc(crc, &found->crc32c);
}

int
s3_look(struct s3 *s3, const char *key, const struct secor_put *put,
    struct secor_stat *found, struct http_answer *answer, struct secor_err *err)
{
	struct s3_call call = {
	    .kind = S3_HEAD, .key = key, .put = put, .missing_ok = 1};
	int status;

	s3_header(&call, "x-amz-checksum-mode", "ENABLED");
	s3_customer_headers(s3, &call);
	status = s3_run(s3, &call, answer, err);
	if (status == SECOR_OK && answer->status != 404)
		read_stat(s3, found);
	return status;
}

int
s3_head(
    void *self, const char *key, struct secor_stat *stat, struct secor_err *err)
{
	struct s3 *s3 = self;
	struct secor_stat found = {.size = stat->size};
	struct http_answer answer;
	int status = s3_check_key(s3, key, err);

	if (status == SECOR_OK)
		status = s3_look(s3, key, NULL, &found, &answer, err);
	if (status == SECOR_OK)
		memcpy(stat, &found,
		    found.size < sizeof(found) ? found.size : sizeof(found));
	return status;
}

int
s3_remove(void *self, const char *key, struct secor_err *err)
{
	struct s3 *s3 = self;
	struct s3_call call = {.kind = S3_DELETE, .key = key, .missing_ok = 1};
	struct http_answer answer;
	int status = s3_check_key(s3, key, err);

	return status == SECOR_OK ? s3_run(s3, &call, &answer, err) : status;
}
