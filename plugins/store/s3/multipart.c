/*
 * multipart.c -- one object in parts, visible when the last request says so.
 *
 * The parts' checksums and the whole one go into Complete, so the server checks
 * both. What fails is aborted; what is left by a crash costs storage until a
 * lifecycle rule of the bucket takes it away (docs/S3.md).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/xml.h"
#include "s3.h"

#define MOST_BYTES (S3_MOST_PARTS * (UINT64_C(5) << 30))

int
s3_create(struct s3 *s3, const struct secor_put *put, char *upload, size_t room,
    struct secor_err *err)
{
	struct s3_call call = {.kind = S3_CREATE,
	    .key = put->key,
	    .query = "uploads=",
	    .root = "InitiateMultipartUploadResult"};
	struct s3_born born;
	struct http_answer answer;
	int status;

	s3_birth_headers(s3, &call, put, &born);
	if (s3->conf->checksum == S3_CHECK_CRC32C) {
		s3_header(&call, "x-amz-checksum-algorithm", "CRC32C");
		s3_header(&call, "x-amz-checksum-type", "FULL_OBJECT");
	}
	status = s3_run(s3, &call, &answer, err);
	if (status == SECOR_OK &&
	    xml_find(answer.body, answer.length,
		"InitiateMultipartUploadResult/UploadId", upload, room) != 0) {
		status = secor_fail(
		    err, SECOR_RETRY, "the answer has no usable UploadId");
		s3_prefix_error(s3, &call, err);
	}
	return status;
}

/* Nobody waits for it: a stop, or the next try of the same put, does not. */
int
s3_abort(
    struct s3 *s3, const char *key, const char *upload, struct secor_err *err)
{
	char escaped[3 * 1024 + 4], query[sizeof(escaped) + 16];
	struct s3_call call = {.kind = S3_ABORT,
	    .key = key,
	    .query = query,
	    .missing_ok = 1,
	    .is_courtesy = 1};
	struct http_answer answer;

	(void)sigv4_escape(upload, 0, escaped, sizeof(escaped));
	(void)snprintf(query, sizeof(query), "uploadId=%s", escaped);
	return s3_run(s3, &call, &answer, err);
}

static char *
complete_body(const struct s3_upload *up, size_t *len)
{
	int with_crc = up->s3->conf->checksum == S3_CHECK_CRC32C;
	char *body = NULL;
	FILE *out = open_memstream(&body, len);
	size_t i;

	if (out == NULL)
		return NULL;
	(void)fprintf(out, "<CompleteMultipartUpload xmlns=\""
			   "http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (i = 0; i < up->count; i++) {
		(void)fprintf(out, "<Part>");
		if (with_crc)
			(void)fprintf(out,
			    "<ChecksumCRC32C>%s</ChecksumCRC32C>",
			    up->parts[i].crc_text);
		(void)fprintf(out,
		    "<ETag>%s</ETag><PartNumber>%zu</PartNumber></Part>",
		    up->parts[i].etag, i + 1);
	}
	(void)fprintf(out, "</CompleteMultipartUpload>");
	if (fclose(out) != 0) {
		free(body);
		return NULL;
	}
	return body;
}

static int
complete(struct s3_upload *up, struct secor_err *err)
{
	char query[sizeof(up->escaped) + 16], crc_text[S3_CRC];
	struct s3_call call = {.kind = S3_COMPLETE,
	    .key = up->put->key,
	    .query = query,
	    .put = up->put,
	    .root = "CompleteMultipartUploadResult"};
	struct http_answer answer;
	size_t len = 0;
	char *body = complete_body(up, &len);
	int status;

	if (body == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	(void)snprintf(query, sizeof(query), "uploadId=%s", up->escaped);
	call.body = body;
	call.length = len;
	s3_header(&call, "content-type", "application/xml");
	s3_condition_headers(&call, up->condition);
	s3_customer_headers(up->s3, &call);
	if (up->s3->conf->checksum == S3_CHECK_CRC32C) {
		s3_crc_text(up->put->crc32c, crc_text);
		s3_header(&call, "x-amz-checksum-crc32c", crc_text);
		s3_header(&call, "x-amz-checksum-type", "FULL_OBJECT");
	}
	status = s3_run(up->s3, &call, &answer, err);
	free(body);
	return status;
}

static int
put_and_complete(struct s3_upload *up, struct secor_err *err)
{
	int status = s3_put_parts(up, err);

	if (status == SECOR_OK && up->crc32c != up->put->crc32c)
		status = s3_other_bytes(up->put, up->crc32c, err);
	if (status == SECOR_OK)
		status = complete(up, err);
	return status;
}

static int
run_upload(struct s3_upload *up, struct secor_err *err)
{
	struct s3 *s3 = up->s3;
	int status = s3_create(s3, up->put, up->id, sizeof(up->id), err);

	if (status != SECOR_OK)
		return status;
	(void)sigv4_escape(up->id, 0, up->escaped, sizeof(up->escaped));
	status = put_and_complete(up, err);
	if (status != SECOR_OK &&
	    s3_abort(s3, up->put->key, up->id, NULL) != SECOR_OK)
		s3->host->log(s3->host, SECOR_WARN,
		    "multipart upload left behind", up->put->key);
	return status;
}

int
s3_multipart(struct s3 *s3, const struct secor_put *put,
    struct s3_condition *condition, struct secor_err *err)
{
	struct s3_upload *up;
	int status;

	if (put->length > MOST_BYTES)
		return secor_fail(err, SECOR_REJECT,
		    "put %.300s: %" PRIu64 " bytes are more than S3 takes",
		    put->key, put->length);
	up = calloc(1, sizeof(*up));
	if (up == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	up->s3 = s3;
	up->put = put;
	up->condition = condition;
	up->part_size =
	    s3_part_size((uint64_t)s3->conf->part_size, put->length);
	up->count = (size_t)((put->length + up->part_size - 1) / up->part_size);
	up->parts = calloc(up->count, sizeof(*up->parts));
	status = up->parts != NULL
		     ? run_upload(up, err)
		     : secor_fail(err, SECOR_RETRY, "out of memory");
	free(up->parts);
	free(up);
	return status;
}
