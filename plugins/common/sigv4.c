/*
 * sigv4.c -- AWS Signature Version 4.
 *
 * Three texts after each other: the canonical request, the string to sign over
 * its hash, and the signature under a key derived from date, region, service.
 */
#include "plugins/common/sigv4.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HASH 32

void
sigv4_hex(const unsigned char *bytes, size_t n, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * n] = '\0';
}

void
sigv4_sha256(const void *bytes, size_t n, char hex[65])
{
	unsigned char hash[HASH];
	int done = EVP_Digest(bytes, n, hash, NULL, EVP_sha256(), NULL);

	assert(done == 1);
	sigv4_hex(hash, sizeof(hash), hex);
}

void
sigv4_time(int64_t time_ms, char text[SIGV4_TIME])
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(text, SIGV4_TIME, "%Y%m%dT%H%M%SZ", &tm);
}

static int
stays(unsigned char c, int keep_slash)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~' || (c == '/' && keep_slash);
}

size_t
sigv4_escape(const char *text, int keep_slash, char *dst, size_t room)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t len = 0;

	for (; *at != '\0'; at++) {
		if (len + 4 > room)
			return room;
		if (stays(*at, keep_slash))
			dst[len++] = (char)*at;
		else
			len += (size_t)sprintf(dst + len, "%%%02X", *at);
	}
	if (len >= room)
		return room;
	dst[len] = '\0';
	return len;
}

static int
by_name(const void *a, const void *b)
{
	const struct secor_pair *left = a, *right = b;

	return strcmp(left->key, right->key);
}

/* A value without blanks around it, and with one for many inside it. */
static void
put_value(FILE *out, const char *value)
{
	const char *at = value + strspn(value, " \t");
	size_t word;

	while (*at != '\0') {
		word = strcspn(at, " \t");
		(void)fwrite(at, 1, word, out);
		at += word;
		at += strspn(at, " \t");
		if (*at != '\0')
			(void)fputc(' ', out);
	}
}

static void
put_names(FILE *out, const struct secor_pair *headers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		(void)fprintf(out, "%s%s", i > 0 ? ";" : "", headers[i].key);
}

static int
hash_request(const struct sigv4_request *request,
    const struct secor_pair *headers, char hex[65])
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return -1;
	(void)fprintf(out, "%s\n%s\n%s\n", request->method, request->path,
	    request->query);
	for (i = 0; i < request->header_count; i++) {
		(void)fprintf(out, "%s:", headers[i].key);
		put_value(out, headers[i].value);
		(void)fputc('\n', out);
	}
	(void)fputc('\n', out);
	put_names(out, headers, request->header_count);
	(void)fprintf(out, "\n%s", request->payload_hash);
	if (fclose(out) != 0) {
		free(text);
		return -1;
	}
	sigv4_sha256(text, len, hex);
	free(text);
	return 0;
}

static void
mac(const void *key, size_t key_len, const char *text, unsigned char out[HASH])
{
	unsigned char *done = HMAC(EVP_sha256(), key, (int)key_len,
	    (const unsigned char *)text, strlen(text), out, NULL);

	assert(done != NULL);
}

static int
sign_text(const struct sigv4_key *key, const struct sigv4_request *request,
    const char *date, const char *text, char hex[65])
{
	unsigned char hash[HASH];
	char *first;
	int n = asprintf(&first, "AWS4%s", key->secret_key);

	if (n < 0)
		return -1;
	mac(first, (size_t)n, date, hash);
	explicit_bzero(first, (size_t)n);
	free(first);
	mac(hash, HASH, request->region, hash);
	mac(hash, HASH, request->service, hash);
	mac(hash, HASH, "aws4_request", hash);
	mac(hash, HASH, text, hash);
	sigv4_hex(hash, HASH, hex);
	return 0;
}

/* "20130524/us-east-1/s3/aws4_request" */
static int
put_scope(const struct sigv4_request *request, char *scope, size_t room)
{
	char time[SIGV4_TIME];
	int n;

	sigv4_time(request->time_ms, time);
	n = snprintf(scope, room, "%.8s/%s/%s/aws4_request", time,
	    request->region, request->service);
	return n < 0 || (size_t)n >= room ? -1 : 0;
}

/* With the headers in their order. */
static int
sign_request(const struct sigv4_key *key, const struct sigv4_request *request,
    const struct secor_pair *headers, char hex[65])
{
	char time[SIGV4_TIME], date[9], hash[65], scope[256], text[512];

	sigv4_time(request->time_ms, time);
	(void)snprintf(date, sizeof(date), "%.8s", time);
	if (put_scope(request, scope, sizeof(scope)) != 0 ||
	    hash_request(request, headers, hash) != 0)
		return -1;
	(void)snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%s\n%s\n%s", time,
	    scope, hash);
	return sign_text(key, request, date, text, hex);
}

static void
sort_headers(const struct sigv4_request *request,
    struct secor_pair headers[SIGV4_HEADERS])
{
	assert(request->header_count <= SIGV4_HEADERS);
	memcpy(headers, request->headers,
	    request->header_count * sizeof(headers[0]));
	qsort(headers, request->header_count, sizeof(headers[0]), by_name);
}

int
sigv4_signature(const struct sigv4_key *key,
    const struct sigv4_request *request, char hex[65], struct secor_err *err)
{
	struct secor_pair headers[SIGV4_HEADERS];

	sort_headers(request, headers);
	if (sign_request(key, request, headers, hex) == 0)
		return SECOR_OK;
	return secor_fail(
	    err, SECOR_RETRY, "sign: no memory, or names that are too long");
}

static int
put_authorization(FILE *out, const struct sigv4_key *key,
    const struct sigv4_request *request, const struct secor_pair *headers)
{
	char scope[256], signature[65];

	if (sign_request(key, request, headers, signature) != 0 ||
	    put_scope(request, scope, sizeof(scope)) != 0)
		return -1;
	(void)fprintf(out, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=",
	    key->access_key, scope);
	put_names(out, headers, request->header_count);
	(void)fprintf(out, ", Signature=%s", signature);
	return 0;
}

int
sigv4_sign(const struct sigv4_key *key, const struct sigv4_request *request,
    char *authorization, size_t room, struct secor_err *err)
{
	struct secor_pair headers[SIGV4_HEADERS];
	FILE *out;
	int failed;
	long len;

	sort_headers(request, headers);
	out = fmemopen(authorization, room, "w");
	if (out == NULL)
		return secor_fail(err, SECOR_RETRY, "sign: out of memory");
	failed = put_authorization(out, key, request, headers);
	(void)fflush(out);
	len = ftell(out);
	(void)fclose(out);
	if (failed || len < 0 || (size_t)len + 1 >= room)
		return secor_fail(err, SECOR_RETRY,
		    "sign: no memory, or names that are too long");
	return SECOR_OK;
}

void
sigv4_header(struct sigv4_headers *headers, const char *name, const char *value)
{
	assert(headers->count < SIGV4_HEADERS);
	headers->items[headers->count++] = (struct secor_pair){name, value};
}

int
sigv4_seal(const struct sigv4_key *key, struct sigv4_request *request,
    struct sigv4_headers *headers, struct secor_err *err)
{
	int rc;

	sigv4_time(request->time_ms, headers->time);
	sigv4_header(headers, "host", request->host);
	sigv4_header(headers, "x-amz-date", headers->time);
	if (request->session_token != NULL)
		sigv4_header(
		    headers, "x-amz-security-token", request->session_token);
	request->headers = headers->items;
	request->header_count = headers->count;
	rc = sigv4_sign(key, request, headers->authorization,
	    sizeof(headers->authorization), err);
	sigv4_header(headers, "authorization", headers->authorization);
	return rc;
}
