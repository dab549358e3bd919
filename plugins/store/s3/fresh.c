/*
 * fresh.c -- puts that never write over what is somebody else's.
 *
 * A put that says of which batch it is goes with `If-None-Match: *`. When the
 * key is taken, what is there decides: the same bytes are success; what was put
 * for the same batch holds the same records in other bytes (a replay by another
 * build) and is written over, if it is still that object; anything else stays,
 * and a person is called.
 *
 * Not every server knows the header, and some ignore it. AWS never did: it
 * keeps to it, or says 501, so there is nothing to find out. Of others it is
 * learnt once: nothing may be at the key of the first such put, which is then
 * sent twice, by one uploader at a time, and must be refused the second time.
 * Before uploads in parts the key is looked at: it spares the parts, and there
 * are servers that look at the header in plain puts only.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/crc32c.h"
#include "s3.h"

#define TRIAL_BYTES (UINT64_C(1) << 20) /* sent twice at most */

enum { NOT_TRIED, KNOWN, NOT_KNOWN };

struct s3_learnt {
	struct s3_learnt *next;
	int refs;
	char place[sizeof(((struct s3 *)0)->origin) +
		   sizeof(((struct s3 *)0)->base)];
	atomic_int conditions;
	atomic_int trying; /* somebody finds out, or has found out */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct s3_learnt *all; /* under lock */

int
s3_learn(struct s3 *s3, struct secor_err *err)
{
	struct s3_learnt *fresh = calloc(1, sizeof(*fresh)), *at;

	if (fresh == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	(void)snprintf(
	    fresh->place, sizeof(fresh->place), "%s%s", s3->origin, s3->base);
	atomic_init(
	    &fresh->conditions, s3->conf->endpoint == NULL ? KNOWN : NOT_TRIED);
	(void)pthread_mutex_lock(&lock);
	for (at = all; at != NULL && strcmp(at->place, fresh->place) != 0;)
		at = at->next;
	if (at == NULL) {
		at = fresh;
		at->next = all;
		all = at;
		fresh = NULL;
	}
	at->refs++;
	(void)pthread_mutex_unlock(&lock);
	free(fresh);
	s3->learnt = at;
	return SECOR_OK;
}

void
s3_forget(struct s3_learnt *learnt)
{
	struct s3_learnt **at = &all;

	if (learnt == NULL)
		return;
	(void)pthread_mutex_lock(&lock);
	if (--learnt->refs == 0) {
		while (*at != learnt)
			at = &(*at)->next;
		*at = learnt->next;
		free(learnt);
	}
	(void)pthread_mutex_unlock(&lock);
}

/* `auto`: says so once, and goes on without. `on`: SECOR_FATAL. */
static int
without_conditions(struct s3 *s3, const char *why, struct secor_err *err)
{
	char detail[sizeof(s3->origin) + 300];

	if (s3->conf->conditional_puts == S3_COND_ON)
		return secor_fail(err, SECOR_FATAL,
		    "%s %s: `conditional_puts: on` cannot be kept", s3->origin,
		    why);
	(void)snprintf(
	    detail, sizeof(detail), "store=%s why=\"%s\"", s3->origin, why);
	if (atomic_exchange(&s3->learnt->conditions, NOT_KNOWN) != NOT_KNOWN)
		s3->host->log(s3->host, SECOR_WARN,
		    "S3 puts go without If-None-Match", detail);
	return SECOR_OK;
}

/* ---- what is there ---- */

struct found {
	struct secor_stat stat;
	int denied; /* 403, which is no matter of the customer's key */
	char etag[128], batch[160];
};

static int
look(struct s3 *s3, const struct secor_put *put, struct found *found,
    struct secor_err *err)
{
	struct http_answer answer = {.status = 0};
	const char *etag, *batch;
	int status;

	memset(found, 0, sizeof(*found));
	found->stat.size = sizeof(found->stat);
	status = s3_look(s3, put->key, put, &found->stat, &answer, err);
	found->denied = status == SECOR_FATAL && answer.status == 403 &&
			s3->conf->customer_key == NULL;
	if (status != SECOR_OK || !found->stat.exists)
		return status;
	etag = http_header(s3->http, "etag");
	batch = http_header(s3->http, S3_META);
	(void)snprintf(
	    found->etag, sizeof(found->etag), "%s", etag != NULL ? etag : "");
	(void)snprintf(found->batch, sizeof(found->batch), "%s",
	    batch != NULL ? batch : "");
	return SECOR_OK;
}

struct reading {
	const struct secor_put *put;
	uint64_t length;
	uint32_t crc32c;
	int stopped;
};

static int
take_piece(void *arg, const void *bytes, size_t len)
{
	struct reading *reading = arg;
	const struct secor_put *put = reading->put;

	reading->crc32c = crc32c_more(reading->crc32c, bytes, len);
	reading->length += len;
	reading->stopped = put->go_on != NULL && !put->go_on(put);
	return reading->stopped;
}

/* Where the server tells no CRC32C the object is read. */
static int
is_same(struct s3 *s3, const struct secor_put *put, const struct found *found,
    int *same, struct secor_err *err)
{
	struct reading reading = {.put = put};
	int status = SECOR_OK;

	if (found->stat.length != put->length) {
		*same = 0;
		return SECOR_OK;
	}
	if (found->stat.has_crc32c) {
		*same = found->stat.crc32c == put->crc32c;
		return SECOR_OK;
	}
	status = s3_get(s3, put->key, take_piece, &reading, err);
	if (status == SECOR_REJECT)
		return secor_fail(err, SECOR_RETRY,
		    "put %.300s: the object that was there is gone", put->key);
	if (status == SECOR_OK && reading.stopped)
		return secor_fail(err, SECOR_RETRY,
		    "put %.300s: stopped: no longer sure to be allowed to "
		    "write",
		    put->key);
	*same = reading.length == put->length && reading.crc32c == put->crc32c;
	return status;
}

static int
foreign(const struct s3 *s3, const struct secor_put *put,
    const struct found *found, struct secor_err *err)
{
	return secor_fail(err, SECOR_FATAL,
	    "put s3://%s/%.150s%.300s: another object is there, which is not "
	    "of this batch (%llu bytes, ETag %.40s) and stays as it is: move "
	    "it away, or set `conditional_puts: off` to write over it",
	    s3->conf->bucket, s3->prefix, put->key,
	    (unsigned long long)found->stat.length, found->etag);
}

/* Ceph RGW compares the ETag as it is without its quotes. */
static int
write_over(struct s3 *s3, const struct secor_put *put,
    const struct found *found, struct secor_err *err)
{
	struct s3_condition condition = {.etag = found->etag};
	char bare[sizeof(found->etag)];
	size_t len = strlen(found->etag);
	int status;

	s3->host->log(s3->host, SECOR_INFO,
	    "S3 object is written over by the same records in other bytes",
	    put->key);
	if (len == 0) /* as where there are no conditions */
		return s3_put_if(s3, put, NULL, err);
	status = s3_put_if(s3, put, &condition, err);
	if (condition.failed && len > 2 && found->etag[0] == '"') {
		(void)snprintf(
		    bare, sizeof(bare), "%.*s", (int)len - 2, found->etag + 1);
		condition.etag = bare;
		status = s3_put_if(s3, put, &condition, err);
	}
	return condition.unknown ? s3_put_if(s3, put, NULL, err) : status;
}

static int
settle(struct s3 *s3, const struct secor_put *put, const struct found *found,
    struct secor_err *err)
{
	int same = 0, status = is_same(s3, put, found, &same, err);

	if (status != SECOR_OK)
		return status;
	if (same) {
		s3->host->add(s3->found, 1);
		return SECOR_OK;
	}
	if (strcmp(found->batch, put->batch) != 0)
		return foreign(s3, put, found, err);
	return write_over(s3, put, found, err);
}

/* ---- putting ---- */

/* The key was taken. Who may put but not read learns no more. */
static int
put_taken(struct s3 *s3, const struct secor_put *put, struct secor_err *err)
{
	struct found found;
	int status = look(s3, put, &found, err);

	if (found.denied && s3->conf->conditional_puts == S3_COND_AUTO) {
		(void)without_conditions(s3, err->text, err);
		return s3_put_if(s3, put, NULL, err);
	}
	if (status != SECOR_OK)
		return status;
	if (!found.stat.exists)
		return secor_fail(err, SECOR_RETRY,
		    "put %.300s: an object was there, and is gone", put->key);
	return settle(s3, put, &found, err);
}

/* One uploader's answer is enough for all, but `on` wants to know it of each
 * put. */
static int
may_try(struct s3 *s3, const struct secor_put *put)
{
	struct s3_learnt *learnt = s3->learnt;
	int conditions = atomic_load(&learnt->conditions);

	if (conditions == KNOWN || put->length > TRIAL_BYTES ||
	    put->length > (uint64_t)s3->conf->multipart_threshold)
		return 0;
	return s3->conf->conditional_puts == S3_COND_ON ||
	       (conditions == NOT_TRIED &&
		   atomic_exchange(&learnt->trying, 1) == 0);
}

/* After the first put that was taken: is the same one refused now? */
static int
try_server(struct s3 *s3, const struct secor_put *put, struct secor_err *err)
{
	struct s3_condition condition = {.etag = NULL};
	int status = s3_put_if(s3, put, &condition, err);

	if (condition.failed)
		atomic_store(&s3->learnt->conditions, KNOWN);
	status = status == SECOR_OK && !condition.failed
		     ? without_conditions(s3, "ignores If-None-Match", err)
		     : SECOR_OK; /* it is there, whatever this one said */
	if (atomic_load(&s3->learnt->conditions) == NOT_TRIED)
		atomic_store(&s3->learnt->trying, 0);
	return status;
}

int
s3_put_fresh(struct s3 *s3, const struct secor_put *put, struct secor_err *err)
{
	struct s3_condition condition = {.etag = NULL};
	int conditions = atomic_load(&s3->learnt->conditions);
	struct found found;
	int status;

	if (conditions == NOT_KNOWN)
		return s3_put_if(s3, put, NULL, err);
	if (conditions == NOT_TRIED ||
	    put->length > (uint64_t)s3->conf->multipart_threshold) {
		/* 403: may not be read, or is missing where one may not list */
		status = look(s3, put, &found, err);
		if (status != SECOR_OK && !found.denied)
			return status;
		if (status == SECOR_OK && found.stat.exists)
			return settle(s3, put, &found, err);
	}
	status = s3_put_if(s3, put, &condition, err);
	if (condition.failed) {
		atomic_store(&s3->learnt->conditions, KNOWN);
		return put_taken(s3, put, err);
	}
	if (condition.unknown) {
		status =
		    without_conditions(s3, "does not know If-None-Match", err);
		if (status == SECOR_OK)
			status = s3_put_if(s3, put, NULL, err);
	} else if (status == SECOR_OK && conditions == NOT_TRIED &&
		   may_try(s3, put)) {
		status = try_server(s3, put, err);
	}
	return status;
}
