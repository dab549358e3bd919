/*
 * login.c -- see login.h. Invariant: the instance of the plugin is used by the
 * login's thread alone; a failure is a wait, never an end. What it gave is kept
 * as a copy, for who logs in by itself.
 */
#include "core/flow/login.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/metrics.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	EXTENSIONS_MOST = 64,
	SHORTEST_MS = 1000,
	BACKOFF_MS = 1000,
	BACKOFF_MOST_MS = 30000,
	/* the clock may be set, the machine may sleep: looked at this often */
	LOOK_MS = 10000
};

struct login {
	rd_kafka_t *rk;
	const struct secor_token_ops *ops;
	void *source;
	const char *name; /* of the plugin */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	/* under lock */
	int stop;
	struct secor_token token; /* a copy; no value: none yet */

	/* the thread's */
	int64_t expires_ms; /* of the token that the handle has; 0: none */
	int failures;	    /* in a row */
	int said_level;
	char said[sizeof(((struct secor_err *)0)->text)]; /* last complaint */
	struct metric *fetched, *failed, *expires;
};

/* ---- when ---- */

int64_t
login_renewal_ms(int64_t now_ms, int64_t fetched_ms, int64_t expires_ms)
{
	int64_t due = fetched_ms + (expires_ms - fetched_ms) / 5 * 4;

	return due - now_ms > SHORTEST_MS ? due - now_ms : SHORTEST_MS;
}

int64_t
login_backoff_ms(int failures, int lot)
{
	int64_t wait = BACKOFF_MS;

	for (int i = 1; i < failures && wait < BACKOFF_MOST_MS; i++)
		wait *= 2;
	if (wait > BACKOFF_MOST_MS)
		wait = BACKOFF_MOST_MS;
	return wait - wait / 2 * lot / 100;
}

/* ---- the handle ---- */

/* Asked by librdkafka when it wants a token: it gets one anyway. */
static void
on_wish(rd_kafka_t *rk, const char *asked, void *opaque)
{
	(void)rk;
	(void)asked;
	(void)opaque;
}

void
login_conf(const struct config *config, rd_kafka_conf_t *conf)
{
	if (config->token.plugin != NULL)
		rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_wish);
}

static int
give(const struct login *login, const struct secor_token *token,
    struct secor_err *err)
{
	const char *extensions[2 * EXTENSIONS_MOST];
	const char *who = token->principal != NULL ? token->principal : "";
	size_t n = 0;
	char why[512] = "";

	if (token->extension_count > EXTENSIONS_MOST)
		return secor_fail(err, SECOR_FATAL,
		    "the token has more than %d extensions", EXTENSIONS_MOST);
	for (size_t i = 0; i < token->extension_count; i++) {
		extensions[n++] = token->extensions[i].key;
		extensions[n++] = token->extensions[i].value;
	}
	if (rd_kafka_oauthbearer_set_token(login->rk, token->value,
		token->expires_ms, who, extensions, n, why,
		sizeof(why)) == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL, "the token is not taken: %s", why);
}

/* ---- a copy for others ---- */

/* Thread: the login's. Holds: lock. */
static void
forget(struct secor_token *token)
{
	struct secor_pair *pairs = (void *)(uintptr_t)token->extensions;

	if (token->value != NULL)
		OPENSSL_cleanse(
		    (void *)(uintptr_t)token->value, strlen(token->value));
	free((void *)(uintptr_t)token->value);
	for (size_t i = 0; i < token->extension_count; i++) {
		free((void *)(uintptr_t)pairs[i].key);
		free((void *)(uintptr_t)pairs[i].value);
	}
	free(pairs);
	memset(token, 0, sizeof(*token));
}

static char *
copy(const char *text)
{
	return mem_dup(text, strlen(text));
}

static void
keep(struct login *login, const struct secor_token *token)
{
	size_t n = token->extension_count;
	struct secor_pair *pairs = mem_alloc(n * sizeof(*pairs));

	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct secor_pair){copy(token->extensions[i].key),
		    copy(token->extensions[i].value)};
	(void)pthread_mutex_lock(&login->lock);
	forget(&login->token);
	login->token = (struct secor_token){.size = sizeof(login->token),
	    .value = copy(token->value),
	    .expires_ms = token->expires_ms,
	    .extensions = pairs,
	    .extension_count = n};
	(void)pthread_mutex_unlock(&login->lock);
}

int
login_present(struct login *login,
    void (*take)(void *arg, const struct secor_token *token), void *arg,
    struct secor_err *err)
{
	int good;

	(void)pthread_mutex_lock(&login->lock);
	good = login->token.value != NULL &&
	       login->token.expires_ms > clock_now_ms();
	if (good)
		take(arg, &login->token);
	(void)pthread_mutex_unlock(&login->lock);
	if (good)
		return SECOR_OK;
	return secor_fail(err, SECOR_RETRY,
	    "there is no token to log in with (%s)", login->name);
}

/* ---- what is said: once a change ---- */

static void
say_failure(
    struct login *login, int rc, int64_t now_ms, const struct secor_err *err)
{
	char quoted[sizeof(err->text) + 64];
	int good = now_ms < login->expires_ms;
	int level = rc == SECOR_RETRY && good ? SECOR_WARN : SECOR_ERROR;

	metric_add(login->failed, 1);
	if (login->failures++ > 0 && level == login->said_level &&
	    strcmp(login->said, err->text) == 0)
		return;
	login->said_level = level;
	(void)snprintf(login->said, sizeof(login->said), "%s", err->text);
	log_line(level, "token not fetched",
	    "source=%s reason=%s left_s=%lld next=retry", login->name,
	    log_quote(quoted, sizeof(quoted), err->text),
	    good ? (long long)(login->expires_ms - now_ms) / 1000 : 0LL);
}

static void
say_success(struct login *login, const struct secor_token *token, int64_t now)
{
	char quoted[256];
	int news = login->expires_ms == 0 || login->failures > 0;

	login->expires_ms = token->expires_ms;
	login->failures = 0;
	metric_add(login->fetched, 1);
	metric_set(login->expires, token->expires_ms);
	log_line(news ? SECOR_INFO : SECOR_DEBUG, "token fetched",
	    "source=%s principal=%s life_s=%lld", login->name,
	    log_quote(quoted, sizeof(quoted), token->principal),
	    (long long)(token->expires_ms - now) / 1000);
}

/* ---- the thread ---- */

/* Until it is over, or the login stops: 0. */
static int
wait_until(struct login *login, int64_t wall_ms)
{
	int go_on;

	(void)pthread_mutex_lock(&login->lock);
	while (!login->stop) {
		int64_t left = wall_ms - clock_now_ms();
		struct timespec at;

		if (left <= 0)
			break;
		if (left > LOOK_MS)
			left = LOOK_MS;
		at = clock_after(left);
		(void)pthread_cond_timedwait(
		    &login->stopped, &login->lock, &at);
	}
	go_on = !login->stop;
	(void)pthread_mutex_unlock(&login->lock);
	return go_on;
}

int
login_fetch(const struct secor_token_ops *ops, void *source,
    struct secor_token *token, struct secor_err *err)
{
	int rc = ops->fetch(source, token, err);

	if (rc == SECOR_OK && token->expires_ms <= clock_now_ms())
		return secor_fail(err, SECOR_FATAL,
		    "the token had expired when it came: is the clock right?");
	return rc;
}

/* One token; when the next one is due. */
static int64_t
renew(struct login *login)
{
	struct secor_token token = {.size = sizeof(token)};
	struct secor_err err = {""};
	int64_t begun = clock_now_ms(), now;
	int rc = login_fetch(login->ops, login->source, &token, &err);

	now = clock_now_ms();
	if (rc == SECOR_OK)
		rc = give(login, &token, &err);
	if (rc == SECOR_OK) {
		keep(login, &token);
		say_success(login, &token, now);
		return now + login_renewal_ms(now, begun, token.expires_ms);
	}
	say_failure(login, rc, now, &err);
	return now + login_backoff_ms(login->failures, (int)(now % 100));
}

static void *
work(void *arg)
{
	struct login *login = arg;

	while (wait_until(login, renew(login)))
		;
	return NULL;
}

struct metric *
login_fetches(const char *result)
{
	return metric_counter("secor_token_fetches_total",
	    "Tokens that were asked for to log in to brokers.",
	    METRIC_LABELS("result", result));
}

static void
metrics_init(struct login *login)
{
	login->fetched = login_fetches("ok");
	login->failed = login_fetches("failed");
	login->expires = metric_gauge_ms("secor_token_expires_seconds",
	    "When the token for brokers expires, in seconds of the epoch.",
	    NULL);
}

int
login_open(const struct config *config, rd_kafka_t *rk, struct login **login,
    struct secor_err *err)
{
	const struct config_use *use = &config->token;
	struct secor_open with = {
	    .size = sizeof(with), .conf = use->conf, .compat = use->compat};
	struct secor_err why = {""};
	struct login *l;

	*login = NULL;
	if (use->plugin == NULL)
		return SECOR_OK;
	with.host = use->plugin->host;
	l = mem_alloc(sizeof(*l));
	l->rk = rk;
	l->ops = use->plugin->ops.token;
	l->name = use->plugin->desc.name;
	if (l->ops->open(&with, &l->source, &why) != SECOR_OK) {
		(void)secor_fail(
		    err, SECOR_FATAL, "token %s: %.900s", l->name, why.text);
		free(l);
		return SECOR_FATAL;
	}
	metrics_init(l);
	(void)pthread_mutex_init(&l->lock, NULL);
	clock_cond_init(&l->stopped);
	if (pthread_create(&l->thread, NULL, work, l) != 0)
		abort();
	*login = l;
	return SECOR_OK;
}

void
login_close(struct login *login)
{
	if (login == NULL)
		return;
	(void)pthread_mutex_lock(&login->lock);
	login->stop = 1;
	(void)pthread_cond_signal(&login->stopped);
	(void)pthread_mutex_unlock(&login->lock);
	(void)pthread_join(login->thread, NULL);
	login->ops->close(login->source);
	forget(&login->token);
	(void)pthread_cond_destroy(&login->stopped);
	(void)pthread_mutex_destroy(&login->lock);
	free(login);
}
