/*
 * s3.h -- the parts of the S3 store.
 *
 *	options.c	options and their checks, the descriptor
 *	s3.c		instance, table
 *	origin.c	the host, and where in it the bucket is
 *	request.c	one signed request, repeated when that helps
 *	errors.c	what an answer means, and the sentence that says so
 *	birth.c		what an object is born with: encryption, tags, lock
 *	fresh.c		puts that never write over what is somebody else's
 *	put.c		one object, in one request or through multipart.c
 *	multipart.c	an upload from its beginning to its end
 *	parts.c		its parts, several at once
 *	list.c		list, probe
 *	read.c		get, head, remove
 */
#ifndef SECOR_STORE_S3_H
#define SECOR_STORE_S3_H

#include <secor/store.h>

#include "plugins/common/aws_options.h"
#include "plugins/common/http.h"
#include "plugins/common/retry.h"
#include "plugins/common/sigv4.h"

#define S3_KEY 1024		   /* bytes of a key at most */
#define S3_PATH (3 * S3_KEY + 256) /* escaped, with the bucket */
#define S3_QUERY (8 * S3_KEY)
#define S3_HEADERS 24
#define S3_CRC 9 /* base64 of a CRC32C, with NUL */
#define S3_PIECE ((size_t)256 * 1024)
#define S3_MOST_PARALLEL 16

enum { S3_HASH_AUTO, S3_HASH_SHA256, S3_HASH_UNSIGNED };
enum { S3_CHECK_CRC32C, S3_CHECK_MD5, S3_CHECK_NONE };
enum { S3_STYLE_AUTO, S3_STYLE_PATH, S3_STYLE_VIRTUAL };
enum { S3_LIST_AUTO, S3_LIST_STREAMED, S3_LIST_SORTED };
enum { S3_PLAIN, S3_AES256, S3_KMS };
enum { S3_NO_LOCK, S3_GOVERNANCE, S3_COMPLIANCE };
enum { S3_COND_AUTO, S3_COND_ON, S3_COND_OFF };

#define S3_TAGS 10 /* of an object at most */
#define S3_TEXT                                                      \
	4096 /* escaped tags, KMS context: S3 takes 8 KiB of headers \
	      */
#define S3_META "x-amz-meta-secor-batch"

struct s3_conf {
	const char *bucket, *prefix, *region, *endpoint;
	int path_style;
	struct aws_options aws;
	int payload_hash, checksum, listing;
	int64_t multipart_threshold, part_size, parallel_parts;
	int encryption;
	const char *kms_key, *storage_class;
	int bucket_key;
	struct secor_pairs kms_context;
	const char *customer_key; /* base64 */
	int acl;
	struct secor_pairs tags;
	int lock_mode;
	int64_t lock_for;
	int legal_hold;
	int requester_pays;
	int conditional_puts;
	int dual_stack, fips;
	const char *proxy, *no_proxy;
	const char *ca_file;
	int64_t connect_timeout, stall_timeout;
	int64_t max_attempts, retry_delay;
};

enum s3_kind {
	S3_PUT,
	S3_CREATE,
	S3_PART,
	S3_COMPLETE,
	S3_ABORT,
	S3_LIST,
	S3_GET,
	S3_HEAD,
	S3_DELETE,
	S3_KINDS
};

/* How an answer counts. */
enum s3_class {
	S3_ANSWER_OK,	     /* 2xx */
	S3_ANSWER_MOVED,     /* 3xx */
	S3_ANSWER_REFUSED,   /* 4xx */
	S3_ANSWER_SLOW_DOWN, /* 429, 503 */
	S3_ANSWER_FAILED,    /* other 5xx */
	S3_ANSWER_NONE,
	S3_CLASSES
};

struct s3 {
	const struct s3_conf *conf;
	const struct secor_host *host;
	struct http *http;
	struct http *beside[S3_MOST_PARALLEL - 1]; /* opened as needed */
	struct aws_cred *cred;
	uint64_t key_turn; /* of what was had of it last */
	char region[64];
	char origin[512];     /* https://host:port */
	char base[256];	      /* path of the bucket: "" or "/bucket" */
	char prefix[S3_KEY];  /* "" or "raw/" */
	int is_unsigned;      /* payloads */
	unsigned char *piece; /* S3_PIECE bytes */
	uint64_t seed;	      /* of jitter */
	int64_t skew_ms;      /* server's clock - ours */
	int proven;	      /* the server has accepted a signature */
	/* headers that are the same for all objects; "": not sent */
	char tags[S3_TEXT], kms_context[S3_TEXT], customer_md5[25];
	struct s3_learnt *learnt; /* what this server can do */
	struct secor_counter *requests[S3_KINDS], *answers[S3_CLASSES];
	struct secor_counter *retries, *bytes, *found;
};

/* What must be there for a put to be done. */
struct s3_condition {
	const char *etag; /* the object that is written over; NULL: none */
	int failed;	  /* 412: it is otherwise */
	int unknown;	  /* 501: the server does not know conditions */
};

struct s3_call {
	enum s3_kind kind;
	const char *key;   /* of the engine; NULL: the bucket */
	const char *query; /* canonical; NULL: none */
	/* beside host, date, hash and token; names in lower case */
	struct secor_pair headers[S3_HEADERS];
	size_t header_count;

	const struct secor_put *put; /* on whose behalf (go_on), or NULL */
	struct s3_condition *condition;

	/* The body: memory, or (reads) `length` bytes of put from `at`, whose
	 * checksum must come out as crc32c. */
	const void *body;
	uint64_t length;
	int reads;
	uint64_t at;
	uint32_t crc32c;
	const char *sha256; /* of the body of a put, where it is signed */

	/* The answer: of a 2xx either pieces, or XML with this root, or
	 * nothing that matters. */
	int (*piece)(void *arg, const void *bytes, size_t len);
	void *arg;
	const char *root;
	size_t limit;
	int missing_ok;	 /* a missing object is SECOR_OK with status 404 */
	int is_courtesy; /* tried once, and not for long */

	/* while it runs */
	struct s3 *s3;
	struct http *http;
	struct s3_request *request; /* the attempt that is under way */
	struct retry retry;
	uint32_t running;
	uint64_t delivered; /* bytes to piece */
	int clock_set;
	int key_renewed;

	/* by what the last attempt was signed */
	char access_key[130]; /* for people */
	char key_source[64];
	uint64_t key_turn;
	int64_t skew_ms;
};

extern const struct secor_store_ops s3_ops;

/* ---- origin.c ---- */

/* Only these can stand in a host name that a certificate of *.host covers. */
int s3_is_label(const char *bucket);
/* Sets `origin` and `base`; `region` is known. */
void s3_set_origin(struct s3 *s3);

/* ---- request.c ---- */

enum s3_verdict {
	S3_DONE,  /* take it */
	S3_AGAIN, /* the same request may work in a moment */
	S3_NOW,	  /* something was mended: repeat at once */
	S3_GIVE_UP
};

struct s3_judgement {
	enum s3_verdict verdict;
	int status; /* for the caller, when it stays like this */
	int64_t wait_ms;
};

const char *s3_class_counter(enum s3_class class);
void s3_header(struct s3_call *call, const char *name, const char *value);
/* SECOR_OK: a 2xx, or a 404 where that is asked for. */
int s3_run(struct s3 *s3, struct s3_call *call, struct http_answer *answer,
    struct secor_err *err);
/* The same for a call among others, by a client of its own: s3_ready once; then
 * s3_send, and s3_hear when the request is over, as long as one of them says
 * S3_AGAIN. */
void s3_ready(struct s3 *s3, struct s3_call *call, struct http *http);
/* S3_DONE: it is under way; or as s3_hear. */
struct s3_judgement s3_send(struct s3_call *call, struct secor_err *err);
/* S3_DONE, S3_GIVE_UP, or S3_AGAIN in wait_ms. */
struct s3_judgement s3_hear(
    struct s3_call *call, struct http_answer *answer, struct secor_err *err);
/* Breaks off what s3_send has begun, if anything. */
void s3_drop(struct s3_call *call);
/* May the put that it is for go on? */
int s3_may_go_on(void *call);
/* SECOR_REJECT when the key can be no object's. */
int s3_check_key(const struct s3 *s3, const char *key, struct secor_err *err);

/* ---- errors.c ---- */

const char *s3_method(enum s3_kind kind);
const char *s3_counter(enum s3_kind kind);
/* Judges a whole answer and sets the text. May set clock or key anew. */
struct s3_judgement s3_judge(struct s3 *s3, struct s3_call *call,
    const struct http_answer *answer, struct secor_err *err);
/* "put s3://bucket/key: ", in front of what is there. */
void s3_prefix_error(
    const struct s3 *s3, const struct s3_call *call, struct secor_err *err);

/* ---- put.c ---- */

int s3_put(void *self, const struct secor_put *put, struct secor_err *err);

struct s3_sums {
	uint64_t at, length; /* of the range: given */
	uint32_t whole;	     /* goes on over ranges; begins with 0 */
	uint32_t crc32c;
	char crc_text[S3_CRC];
	char sha256[65];
	char md5[25]; /* base64 */
};

/* Reads the range and sums it up. */
int s3_sum(struct s3 *s3, const struct secor_put *put, struct s3_sums *sums,
    struct secor_err *err);
void s3_crc_text(uint32_t crc32c, char text[S3_CRC]);
/* SECOR_RETRY with the text: these are not the bytes that were written. */
int s3_other_bytes(
    const struct secor_put *put, uint32_t crc32c, struct secor_err *err);
/* The headers by which the server checks the body of this call. */
void s3_check_headers(
    const struct s3 *s3, struct s3_call *call, const struct s3_sums *sums);
/* The server's own checksum, where it tells one, is ours. */
int s3_check_answer(const struct s3 *s3, const struct s3_call *call,
    const struct s3_sums *sums, struct secor_err *err);
/* Of which batch it is, where that matters; else NULL. */
const char *s3_batch_of(const struct s3 *s3, const struct secor_put *put);
/* In one request or in parts, when the condition holds (NULL: anyway). */
int s3_put_if(struct s3 *s3, const struct secor_put *put,
    struct s3_condition *condition, struct secor_err *err);
void s3_condition_headers(struct s3_call *call, struct s3_condition *condition);

/* ---- birth.c ---- */

struct s3_born {
	char until[32]; /* the end of the lock */
};

/* Prepares the headers. SECOR_FATAL: no MD5 here for a customer key. */
int s3_set_birth(struct s3 *s3, struct secor_err *err);
/* What the object is born with: content type, encryption, storage class, ACL,
 * tags, lock. `born` lives as long as the call. */
void s3_birth_headers(const struct s3 *s3, struct s3_call *call,
    const struct secor_put *put, struct s3_born *born);
/* The customer's key, on each request that touches what is in an object. */
void s3_customer_headers(const struct s3 *s3, struct s3_call *call);
void
s3_check_birth(const struct s3_conf *conf, const struct secor_check *check);
extern const char *const s3_acls[];

/* ---- fresh.c ---- */

/* What the server can do is learnt once for all instances of it. */
int s3_learn(struct s3 *s3, struct secor_err *err);
void s3_forget(struct s3_learnt *learnt); /* accepts NULL */
/* A put whose key is free, or holds what belongs there. */
int
s3_put_fresh(struct s3 *s3, const struct secor_put *put, struct secor_err *err);

/* ---- multipart.c ---- */

#define S3_MOST_PARTS UINT64_C(10000)

/* The size of all parts but the last: what is wished, or whole MiB so that
 * 10,000 of them are enough. */
static inline uint64_t
s3_part_size(uint64_t wished, uint64_t length)
{
	const uint64_t mib = UINT64_C(1) << 20;
	uint64_t least = (length + S3_MOST_PARTS - 1) / S3_MOST_PARTS;

	return least <= wished ? wished : (least + mib - 1) / mib * mib;
}

struct s3_part {
	char etag[128];
	char crc_text[S3_CRC];
};

struct s3_upload {
	struct s3 *s3;
	const struct secor_put *put;
	struct s3_condition *condition;
	char id[1024], escaped[3 * 1024 + 1];
	uint64_t part_size;
	size_t count;
	struct s3_part *parts;
	uint32_t crc32c; /* of all parts that were begun */
};

int s3_multipart(struct s3 *s3, const struct secor_put *put,
    struct s3_condition *condition, struct secor_err *err);
int s3_create(struct s3 *s3, const struct secor_put *put, char *upload,
    size_t room, struct secor_err *err);
int s3_abort(
    struct s3 *s3, const char *key, const char *upload, struct secor_err *err);

/* ---- parts.c ---- */

/* All parts, up to `parallel_parts` at once. On return nothing is under way
 * any more. */
int s3_put_parts(struct s3_upload *up, struct secor_err *err);

/* ---- list.c ---- */

int s3_probe(void *self, struct secor_err *err);
int s3_list(void *self, const char *prefix, const char *after,
    int (*each)(void *arg, const char *key, uint64_t length), void *arg,
    struct secor_err *err);
/* ---- read.c ---- */

int s3_get(void *self, const char *key,
    int (*piece)(void *arg, const void *bytes, size_t len), void *arg,
    struct secor_err *err);
int s3_head(void *self, const char *key, struct secor_stat *stat,
    struct secor_err *err);
/* As head; on behalf of a put, or NULL. The answer's headers are there after
 * it. */
int s3_look(struct s3 *s3, const char *key, const struct secor_put *put,
    struct secor_stat *found, struct http_answer *answer,
    struct secor_err *err);
int s3_remove(void *self, const char *key, struct secor_err *err);

#endif
