/*
 * aws_cred.c -- a user's share in a key, and when a new one is asked for.
 *
 * One user at a time asks, without a lock held; that it does is `asking`. The
 * others go on with a key that is still good, or wait for what comes of it,
 * which takes as long as the time-outs of the sources let it.
 */
#include "plugins/common/aws_cred.h"

#include "plugins/common/aws_shared.h"
#include "plugins/common/aws_source.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EARLY_MS INT64_C(300000) /* before it expires */
#define LOT_PART 5		 /* of that, by lot, even earlier */
#define AGAIN_MS INT64_C(30000)	 /* after a renewal that failed */
#define NEWS_MS INT64_C(5000)	 /* how long a failure is one for others */

struct aws_cred {
	struct aws_shared *shared;
	void (*nap)(int64_t ms);
	void (*say)(
	    void *arg, int level, const char *event, const char *detail);
	void *say_arg;
	uint64_t seed;

	/* what was given last: an own copy */
	struct aws_found found;
	struct aws_key key;
	uint64_t turn;
	uint64_t heard; /* failures */
};

int
aws_cred_open(const struct aws_cred_conf *conf, struct aws_cred **out,
    struct secor_err *err)
{
	struct aws_cred *cred = calloc(1, sizeof(*cred));
	int status;

	if (cred == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	cred->nap = conf->nap;
	cred->say = conf->say;
	cred->say_arg = conf->say_arg;
	cred->seed = conf->seed;
	status = aws_shared_take(conf, &cred->shared, err);
	if (status != SECOR_OK)
		aws_cred_close(cred);
	else
		*out = cred;
	return status;
}

void
aws_cred_close(struct aws_cred *cred)
{
	if (cred == NULL)
		return;
	aws_shared_leave(cred->shared);
	aws_found_clear(&cred->found);
	free(cred);
}

/* It may have been renewed meanwhile: then the new one is not the one that the
 * server has refused. */
void
aws_cred_forget(struct aws_cred *cred)
{
	struct aws_shared *shared = cred->shared;

	(void)pthread_mutex_lock(&shared->lock);
	if (cred->turn == shared->turn)
		shared->has = 0;
	(void)pthread_mutex_unlock(&shared->lock);
}

/* ---- what is told ---- */

static void
time_text(int64_t time_ms, char text[32])
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
}

static void
say(const struct aws_cred *cred, int level, const char *event, const char *why)
{
	char detail[1200], expires[32];

	if (cred->say == NULL || cred->key.expires_ms == 0)
		return;
	time_text(cred->key.expires_ms, expires);
	(void)snprintf(detail, sizeof(detail), "from=\"%s\" expires=%s%s%s%s",
	    cred->key.source, expires, why != NULL ? " why=\"" : "",
	    why != NULL ? why : "", why != NULL ? "\"" : "");
	cred->say(cred->say_arg, level, event, detail);
}

/* Why there is no key: the last failure.
 * Holds: shared->lock. */
static int
tell(struct aws_cred *cred, int64_t now_ms, struct secor_err *err)
{
	const struct aws_shared *shared = cred->shared;
	const struct aws_found *old = &shared->found;
	char expires[32];

	cred->heard = shared->failures;
	if (shared->source == 0)
		return secor_fail(err, shared->failed, "%s", shared->why.text);
	time_text(old->expires_ms, expires);
	if (old->expires_ms != 0 && now_ms >= old->expires_ms)
		return secor_fail(err, shared->failed,
		    "the AWS credentials from %s have expired at %s: %.900s",
		    old->source, expires, shared->why.text);
	return secor_fail(err, shared->failed,
	    "the AWS credentials from %s are refused: %.900s", old->source,
	    shared->why.text);
}

/* ---- renewal ---- */

/* 0 to `most` - 1, by lot; 0 where nobody asked for a lot. */
static int64_t
draw(struct aws_cred *cred, int64_t most)
{
	uint64_t x = cred->seed;

	if (x == 0 || most <= 0)
		return 0;
	x ^= x << 13; /* xorshift64 */
	x ^= x >> 7;
	x ^= x << 17;
	cred->seed = x;
	return (int64_t)(x % (uint64_t)most);
}

/* Takes `found`. Holds: shared->lock. */
static void
keep(struct aws_cred *cred, const struct aws_found *found, int64_t now_ms)
{
	struct aws_shared *shared = cred->shared;
	int64_t early = (found->expires_ms - now_ms) / 2;

	if (early > EARLY_MS)
		early = EARLY_MS;
	aws_found_clear(&shared->found);
	shared->found = *found;
	shared->has = 1;
	shared->turn++;
	shared->renew_ms =
	    found->expires_ms - early - draw(cred, early / LOT_PART);
	shared->not_before = 0;
}

/* Holds: shared->lock, which is let go while the source is asked. */
static int
renew(struct aws_cred *cred, int64_t now_ms)
{
	struct aws_shared *shared = cred->shared;
	struct aws_cred_conf conf = shared->conf;
	struct aws_ask ask = {&conf, shared->http, shared->direct, now_ms};
	struct aws_found found = {.access_key = NULL};
	struct secor_err why = {""};
	int source = shared->source, status;

	conf.nap = cred->nap;
	shared->asking = 1;
	(void)pthread_mutex_unlock(&shared->lock);
	status = aws_chain_ask(&ask, &source, &found, &why);
	(void)pthread_mutex_lock(&shared->lock);
	shared->asking = 0;
	shared->failed = status;
	if (status == SECOR_OK) {
		shared->source = source;
		keep(cred, &found, now_ms);
	} else {
		cred->heard = ++shared->failures;
		shared->why = why;
		shared->failed_ms = now_ms;
		shared->not_before = now_ms + AGAIN_MS;
	}
	(void)pthread_cond_broadcast(&shared->asked);
	return status;
}

static int
is_good(const struct aws_shared *shared, int64_t now_ms)
{
	int64_t expires = shared->found.expires_ms;

	return shared->has && (expires == 0 || now_ms < expires);
}

static int
is_due(const struct aws_shared *shared, int64_t now_ms)
{
	return shared->found.expires_ms != 0 && now_ms >= shared->renew_ms &&
	       now_ms >= shared->not_before;
}

/* Somebody has just been told no, and this one has not heard of it. */
static int
is_news(const struct aws_cred *cred, int64_t now_ms)
{
	const struct aws_shared *shared = cred->shared;
	int64_t age = now_ms - shared->failed_ms;

	return shared->failed != SECOR_OK && cred->heard < shared->failures &&
	       age > -NEWS_MS && age < NEWS_MS;
}

/* ---- a key for one user ---- */

/* Holds: shared->lock. */
static int
take(struct aws_cred *cred, struct secor_err *err)
{
	const struct aws_shared *shared = cred->shared;
	const struct aws_found *from = &shared->found;
	struct aws_found *own = &cred->found;
	int status;

	if (cred->turn == shared->turn)
		return SECOR_OK;
	status = aws_found_set(
	    own, from->access_key, from->secret_key, from->session_token, err);
	if (status != SECOR_OK)
		return status;
	own->expires_ms = from->expires_ms;
	memcpy(own->source, from->source, sizeof(own->source));
	cred->key = (struct aws_key){.access_key = own->access_key,
	    .secret_key = own->secret_key,
	    .session_token = own->session_token,
	    .expires_ms = own->expires_ms,
	    .source = own->source,
	    .turn = shared->turn};
	cred->turn = shared->turn;
	return SECOR_OK;
}

/* Waits while another one asks and there is no good key meanwhile.
 * SECOR_OK: there is one, or it is this user's turn to ask.
 * Holds: shared->lock. */
static int
wait_others(struct aws_cred *cred, int64_t now_ms, struct secor_err *err)
{
	struct aws_shared *shared = cred->shared;
	uint64_t failures = shared->failures;
	int refused;

	while (!is_good(shared, now_ms)) {
		refused =
		    shared->failed != SECOR_OK && shared->failures != failures;
		if (refused || is_news(cred, now_ms))
			return tell(cred, now_ms, err);
		if (!shared->asking)
			break;
		(void)pthread_cond_wait(&shared->asked, &shared->lock);
	}
	return SECOR_OK;
}

/* What came of asking, for the log. */
enum asked { NOT_ASKED, RENEWED, NOT_RENEWED };

/* Holds: shared->lock. */
static int
get(struct aws_cred *cred, int64_t now_ms, enum asked *asked,
    struct secor_err *err)
{
	struct aws_shared *shared = cred->shared;
	int good, status = wait_others(cred, now_ms, err);

	if (status != SECOR_OK)
		return status;
	good = is_good(shared, now_ms);
	if (!good || (!shared->asking && is_due(shared, now_ms))) {
		status = renew(cred, now_ms);
		*asked = status == SECOR_OK ? RENEWED : NOT_RENEWED;
		if (status != SECOR_OK && !is_good(shared, now_ms))
			return tell(cred, now_ms, err);
	}
	return take(cred, err);
}

int
aws_cred_get(struct aws_cred *cred, int64_t now_ms, const struct aws_key **key,
    struct secor_err *err)
{
	enum asked asked = NOT_ASKED;
	struct secor_err why;
	int status;

	(void)pthread_mutex_lock(&cred->shared->lock);
	status = get(cred, now_ms, &asked, err);
	why = cred->shared->why;
	(void)pthread_mutex_unlock(&cred->shared->lock);
	if (status != SECOR_OK)
		return status;
	if (asked == RENEWED)
		say(cred, SECOR_INFO, "AWS credentials taken", NULL);
	else if (asked == NOT_RENEWED)
		say(cred, SECOR_WARN, "AWS credentials not renewed", why.text);
	*key = &cred->key;
	return SECOR_OK;
}
