/*
 * put.c -- one object, in one request or in parts.
 *
 * The server gets what it needs to refuse other bytes than were meant: the
 * CRC32C that the writer has computed (or an MD5), and over plain HTTP the
 * SHA-256 of the body in the signature. Over TLS the body is not signed, so
 * that it is read but once.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/crc32c.h"
#include "s3.h"

static void
base64(const unsigned char *bytes, int n, char *text)
{
	(void)EVP_EncodeBlock((unsigned char *)text, bytes, n);
}

void
s3_crc_text(uint32_t crc32c, char text[S3_CRC])
{
	const unsigned char bytes[] = {(unsigned char)(crc32c >> 24),
	    (unsigned char)(crc32c >> 16), (unsigned char)(crc32c >> 8),
	    (unsigned char)crc32c};

	base64(bytes, sizeof(bytes), text);
}

/* ---- reading ahead ---- */

/* Parts that are under way go on meanwhile. */
static int
sum_pieces(struct s3 *s3, const struct secor_put *put, struct s3_sums *sums,
    EVP_MD_CTX *digests[2], struct secor_err *err)
{
	uint64_t at = sums->at, end = sums->at + sums->length;
	size_t len;
	int status, i;

	for (; at < end; at += len) {
		len = end - at < S3_PIECE ? (size_t)(end - at) : S3_PIECE;
		status = put->read_at(put, at, s3->piece, len, err);
		if (status != SECOR_OK)
			return status;
		sums->crc32c = crc32c_more(sums->crc32c, s3->piece, len);
		sums->whole = crc32c_more(sums->whole, s3->piece, len);
		http_drive(s3->http);
		for (i = 0; i < 2; i++)
			if (digests[i] != NULL &&
			    EVP_DigestUpdate(digests[i], s3->piece, len) != 1)
				return secor_fail(
				    err, SECOR_RETRY, "digest failed");
	}
	return SECOR_OK;
}

static int
begin_digest(const EVP_MD *kind, EVP_MD_CTX **digest)
{
	*digest = EVP_MD_CTX_new();
	return *digest != NULL && EVP_DigestInit_ex(*digest, kind, NULL) == 1
		   ? 0
		   : -1;
}

int
s3_sum(struct s3 *s3, const struct secor_put *put, struct s3_sums *sums,
    struct secor_err *err)
{
	EVP_MD_CTX *digests[2] = {NULL, NULL};
	unsigned char hash[EVP_MAX_MD_SIZE];
	int status = SECOR_OK;

	sums->crc32c = 0;
	sums->sha256[0] = sums->md5[0] = '\0';
	if ((!s3->is_unsigned &&
		begin_digest(EVP_sha256(), &digests[0]) != 0) ||
	    (s3->conf->checksum == S3_CHECK_MD5 &&
		begin_digest(EVP_md5(), &digests[1]) != 0))
		status = secor_fail(err, SECOR_FATAL,
		    "no MD5 or SHA-256 here (FIPS mode?): choose another "
		    "`checksum`");
	if (status == SECOR_OK)
		status = sum_pieces(s3, put, sums, digests, err);
	if (status == SECOR_OK && digests[0] != NULL) {
		(void)EVP_DigestFinal_ex(digests[0], hash, NULL);
		sigv4_hex(hash, 32, sums->sha256);
	}
	if (status == SECOR_OK && digests[1] != NULL) {
		(void)EVP_DigestFinal_ex(digests[1], hash, NULL);
		base64(hash, 16, sums->md5);
	}
	s3_crc_text(sums->crc32c, sums->crc_text);
	EVP_MD_CTX_free(digests[0]);
	EVP_MD_CTX_free(digests[1]);
	return status;
}

/* ---- headers ---- */

void
s3_check_headers(
    const struct s3 *s3, struct s3_call *call, const struct s3_sums *sums)
{
	if (s3->conf->checksum == S3_CHECK_CRC32C)
		s3_header(call, "x-amz-checksum-crc32c", sums->crc_text);
	else if (s3->conf->checksum == S3_CHECK_MD5)
		s3_header(call, "content-md5", sums->md5);
}

void
s3_condition_headers(struct s3_call *call, struct s3_condition *condition)
{
	call->condition = condition;
	if (condition == NULL)
		return;
	if (condition->etag != NULL)
		s3_header(call, "if-match", condition->etag);
	else
		s3_header(call, "if-none-match", "*");
}

int
s3_check_answer(const struct s3 *s3, const struct s3_call *call,
    const struct s3_sums *sums, struct secor_err *err)
{
	const char *crc = http_header(call->http, "x-amz-checksum-crc32c");
	int status = SECOR_OK;

	if (http_header(call->http, "etag") == NULL)
		status = secor_fail(err, SECOR_RETRY,
		    "the answer has no ETag: is %s an S3 server?", s3->origin);
	else if (s3->conf->checksum == S3_CHECK_CRC32C && crc != NULL &&
		 strcmp(crc, sums->crc_text) != 0)
		status = secor_fail(err, SECOR_RETRY,
		    "the server has CRC32C %s, it should be %s", crc,
		    sums->crc_text);
	if (status != SECOR_OK)
		s3_prefix_error(s3, call, err);
	return status;
}

/* Engines of before do not say it. */
const char *
s3_batch_of(const struct s3 *s3, const struct secor_put *put)
{
	const size_t end =
	    offsetof(struct secor_put, batch) + sizeof(put->batch);

	return s3->conf->conditional_puts != S3_COND_OFF && put->size >= end
		   ? put->batch
		   : NULL;
}

/* ---- one request ---- */

int
s3_other_bytes(
    const struct secor_put *put, uint32_t crc32c, struct secor_err *err)
{
	return secor_fail(err, SECOR_RETRY,
	    "put %.300s: what was read has CRC32C %08" PRIx32
	    ", what was written had %08" PRIx32,
	    put->key, crc32c, put->crc32c);
}

static int
put_whole(struct s3 *s3, const struct secor_put *put,
    struct s3_condition *condition, struct secor_err *err)
{
	struct s3_call call = {.kind = S3_PUT,
	    .key = put->key,
	    .put = put,
	    .reads = 1,
	    .length = put->length,
	    .crc32c = put->crc32c};
	struct s3_sums sums = {.length = put->length, .crc32c = put->crc32c};
	struct s3_born born;
	struct http_answer answer;
	int status = SECOR_OK;

	s3_crc_text(put->crc32c, sums.crc_text);
	if (!s3->is_unsigned || s3->conf->checksum == S3_CHECK_MD5)
		status = s3_sum(s3, put, &sums, err);
	if (status != SECOR_OK)
		return status;
	if (sums.crc32c != put->crc32c)
		return s3_other_bytes(put, sums.crc32c, err);
	call.sha256 = sums.sha256;
	s3_birth_headers(s3, &call, put, &born);
	s3_condition_headers(&call, condition);
	s3_check_headers(s3, &call, &sums);
	status = s3_run(s3, &call, &answer, err);
	if (status == SECOR_OK)
		status = s3_check_answer(s3, &call, &sums, err);
	return status;
}

int
s3_put_if(struct s3 *s3, const struct secor_put *put,
    struct s3_condition *condition, struct secor_err *err)
{
	if (put->length <= (uint64_t)s3->conf->multipart_threshold)
		return put_whole(s3, put, condition, err);
	return s3_multipart(s3, put, condition, err);
}

int
s3_put(void *self, const struct secor_put *put, struct secor_err *err)
{
	struct s3 *s3 = self;
	int status = s3_check_key(s3, put->key, err);

	if (status != SECOR_OK)
		return status;
	if (s3_batch_of(s3, put) != NULL)
		status = s3_put_fresh(s3, put, err);
	else
		status = s3_put_if(s3, put, NULL, err);
	if (status == SECOR_OK)
		s3->host->add(s3->bytes, (int64_t)put->length);
	return status;
}
