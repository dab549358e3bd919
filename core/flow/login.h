/*
 * login.h -- tokens for brokers that ask for OAUTHBEARER: fetched on a thread
 * of its own, given to a handle, and renewed when four fifths of their life are
 * over. While there is none the handle connects to nobody, and all wait.
 */
#ifndef SECOR_FLOW_LOGIN_H
#define SECOR_FLOW_LOGIN_H

#include "core/config/config.h"

#include <librdkafka/rdkafka.h>

struct login;

/* Before the handle is made. */
void login_conf(const struct config *config, rd_kafka_conf_t *conf);

/* Begins. *login is NULL where the configuration has no `token`. SECOR_FATAL:
 * the plugin does not open. A source that does not answer is no failure. */
int login_open(const struct config *config, rd_kafka_t *rk,
    struct login **login, struct secor_err *err);
/* Before the handle is destroyed. Waits for a fetch that is on its way. Accepts
 * NULL. */
void login_close(struct login *login);

/* Hands over the token that is good now: `take` is called with it before this
 * returns, under the login's lock; strings are borrowed for that call.
 * SECOR_RETRY: there is none. Any thread. */
int login_present(struct login *login,
    void (*take)(void *arg, const struct secor_token *token), void *arg,
    struct secor_err *err);

/* How long to wait, from now on: with a token that was fetched at `fetched_ms`
 * and is good until `expires_ms`; and after so many failures in a row, `lot` of
 * 0..99 spreads those of many processes. */
int64_t
login_renewal_ms(int64_t now_ms, int64_t fetched_ms, int64_t expires_ms);
int64_t login_backoff_ms(int failures, int lot);

/* A token that is good yet. Thread: the source's. */
int login_fetch(const struct secor_token_ops *ops, void *source,
    struct secor_token *token, struct secor_err *err);
/* Counts what was asked for: "ok" or "failed". */
struct metric *login_fetches(const char *result);

#endif
