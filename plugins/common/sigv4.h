/*
 * sigv4.h -- AWS Signature Version 4, by OpenSSL.
 *
 * The signature covers exactly what is given; the caller sends exactly that. It
 * holds for 15 minutes, so sign right before sending.
 */
#ifndef SECOR_COMMON_SIGV4_H
#define SECOR_COMMON_SIGV4_H

#include <secor/plugin.h>

struct sigv4_key {
	const char *access_key;
	const char *secret_key;
};

struct sigv4_request {
	const char *method;
	const char *path;  /* escaped, begins with '/' */
	const char *query; /* escaped, sorted, "a=1&b="; "" without */
	/* All of them are signed: names in lower case, each once, `host` and
	 * `x-amz-date` among them. At most SIGV4_HEADERS. */
	const struct secor_pair *headers;
	size_t header_count;
	const char *payload_hash; /* hex, or UNSIGNED-PAYLOAD */
	const char *region, *service;
	int64_t time_ms; /* the same as in x-amz-date */
	/* for sigv4_seal alone */
	const char *host;
	const char *session_token; /* NULL: the key needs none */
};

#define SIGV4_HEADERS 32
#define SIGV4_TIME 17 /* "20130524T000000Z" */
#define SIGV4_EMPTY \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

void sigv4_time(int64_t time_ms, char text[SIGV4_TIME]);

/* The value of the header Authorization. SECOR_RETRY: no memory or room. */
int sigv4_sign(const struct sigv4_key *key, const struct sigv4_request *request,
    char *authorization, size_t room, struct secor_err *err);

/* What is sent: those of the caller, in lower case, and what sealing adds. */
struct sigv4_headers {
	struct secor_pair items[SIGV4_HEADERS];
	size_t count;
	char time[SIGV4_TIME], authorization[1024];
	char hash[65]; /* room for that of the payload */
};

/* Borrows both until the request is sent. */
void sigv4_header(
    struct sigv4_headers *headers, const char *name, const char *value);

/* Adds host, date, the session token and, over all of them, `authorization`;
 * the request's headers are these. */
int sigv4_seal(const struct sigv4_key *key, struct sigv4_request *request,
    struct sigv4_headers *headers, struct secor_err *err);

/* The signature alone, for where it is no header: in a query that is signed
 * before it has it. */
int sigv4_signature(const struct sigv4_key *key,
    const struct sigv4_request *request, char hex[65], struct secor_err *err);

/* Escapes as the signature wants it: all but A-Z a-z 0-9 - . _ ~ (and '/' when
 * keep_slash) become %XX. NUL-ends dst; returns the length, or room when it
 * does not fit. */
size_t sigv4_escape(const char *text, int keep_slash, char *dst, size_t room);

/* Lower-case hex with NUL: 2n + 1 bytes. */
void sigv4_hex(const unsigned char *bytes, size_t n, char *hex);
void sigv4_sha256(const void *bytes, size_t n, char hex[65]);

#endif
