/*
 * link_sasl.c -- logs in to a broker: SaslHandshake version 1, then tokens in
 * SaslAuthenticate. Passwords are in what is sent alone, and that is wiped.
 */
#include "core/flow/fetch/link_inside.h"

#include "core/base/clock.h"
#include "core/flow/fetch/scram.h"
#include "core/flow/fetch/wire.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum {
	UNSUPPORTED_MECHANISM = 33,
	ILLEGAL_SASL_STATE = 34,
	AUTHENTICATION_FAILED = 58,
	/* of a session, before a new login */
	PERCENT = 85,
	TEXT_MOST = 300
};

struct talk {
	struct link *link;
	const struct link_sasl_conf *conf;
	int version; /* of SaslAuthenticate */
	struct buf token;
	struct buf answer;
	struct link_sasl_reply reply; /* in `answer` */
};

struct way {
	const char *mechanism;
	int (*log_in)(struct talk *talk, struct secor_err *err);
};

static void
wipe(struct buf *buf)
{
	if (buf->ptr != NULL)
		OPENSSL_cleanse(buf->ptr, buf->room);
	buf->len = 0;
}

/* ---- one token and its answer ---- */

static int
refused(int error, struct wire_bytes text, struct secor_err *err)
{
	int len = text.len < TEXT_MOST ? (int)text.len : TEXT_MOST;

	if (text.ptr == NULL)
		text.ptr = "";
	if (error == AUTHENTICATION_FAILED)
		return secor_fail(err, SECOR_FATAL,
		    "it refuses the login: %.*s", len, text.ptr);
	return secor_fail(err, SECOR_RETRY,
	    "it answers the login with error %d: %.*s", error, len, text.ptr);
}

int
link_sasl_read(struct link_sasl_reply *reply, int version,
    const struct buf *answer, struct secor_err *err)
{
	struct wire wire = {answer->ptr, answer->ptr + answer->len, 0};
	int16_t error = wire_int16(&wire);
	struct wire_bytes text = wire_string(&wire);
	struct wire_bytes bytes = wire_bytes(&wire);
	int64_t lifetime_ms = version > 0 ? wire_int64(&wire) : 0;

	if (wire.bad)
		return secor_fail(err, SECOR_RETRY,
		    "it answers the login with what is no answer");
	if (error != 0)
		return refused(error, text, err);
	reply->bytes = bytes.ptr != NULL ? bytes.ptr : "";
	reply->len = bytes.len;
	reply->lifetime_ms = lifetime_ms > 0 ? lifetime_ms : 0;
	return SECOR_OK;
}

/* The token goes out, the reply comes in. */
static int
exchange(struct talk *talk, struct secor_err *err)
{
	struct buf body = {0};
	int rc;

	buf_reserve(&body, talk->token.len + 4); /* at once, to be wiped */
	wire_put_bytes(&body, talk->token.ptr, talk->token.len);
	wipe(&talk->token);
	rc = link_ask(talk->link, API_SASL_AUTHENTICATE, talk->version, &body,
	    &talk->answer, err);
	wipe(&body);
	buf_fini(&body);
	wipe(&talk->link->out);
	if (rc != SECOR_OK)
		return rc;
	return link_sasl_read(&talk->reply, talk->version, &talk->answer, err);
}

/* ---- mechanisms ---- */

/* RFC 4616 */
static int
log_in_plain(struct talk *talk, struct secor_err *err)
{
	const char *name = talk->conf->username, *word = talk->conf->password;
	size_t name_len = strlen(name), word_len = strlen(word);

	buf_reserve(&talk->token, name_len + word_len + 2);
	buf_putc(&talk->token, '\0');
	buf_put(&talk->token, name, name_len);
	buf_putc(&talk->token, '\0');
	buf_put(&talk->token, word, word_len);
	return exchange(talk, err);
}

static int
log_in_scram(struct talk *talk, const EVP_MD *hash, struct secor_err *err)
{
	const struct link_sasl_reply *reply = &talk->reply;
	struct scram *scram =
	    scram_new(hash, talk->conf->username, talk->conf->password, NULL);
	int rc;

	scram_begin(scram, &talk->token);
	rc = exchange(talk, err);
	if (rc == SECOR_OK)
		rc = scram_prove(
		    scram, reply->bytes, reply->len, &talk->token, err);
	if (rc == SECOR_OK)
		rc = exchange(talk, err);
	if (rc == SECOR_OK)
		rc = scram_verify(scram, reply->bytes, reply->len, err);
	scram_free(scram);
	return rc;
}

static int
log_in_scram_256(struct talk *talk, struct secor_err *err)
{
	return log_in_scram(talk, EVP_sha256(), err);
}

static int
log_in_scram_512(struct talk *talk, struct secor_err *err)
{
	return log_in_scram(talk, EVP_sha512(), err);
}

/* RFC 7628, 3.1: "n,,", and pairs with ^A behind each of them and the last. */
static void
put_bearer(void *arg, const struct secor_token *token)
{
	struct buf *out = arg;
	size_t size = strlen(token->value) + 32;

	for (size_t i = 0; i < token->extension_count; i++)
		size += strlen(token->extensions[i].key) +
			strlen(token->extensions[i].value) + 2;
	buf_reserve(out, size);
	buf_printf(out, "n,,\001auth=Bearer %s\001", token->value);
	for (size_t i = 0; i < token->extension_count; i++)
		buf_printf(out, "%s=%s\001", token->extensions[i].key,
		    token->extensions[i].value);
	buf_puts(out, "\001");
}

static int
log_in_bearer(struct talk *talk, struct secor_err *err)
{
	char why[TEXT_MOST];
	int rc = login_present(
	    talk->link->conf->login, put_bearer, &talk->token, err);

	if (rc == SECOR_OK)
		rc = exchange(talk, err);
	if (rc != SECOR_OK || talk->reply.len == 0)
		return rc;
	/* It says why not, wants to hear a ^A, and then refuses. */
	(void)snprintf(
	    why, sizeof(why), "%.*s", (int)talk->reply.len, talk->reply.bytes);
	buf_puts(&talk->token, "\001");
	(void)exchange(talk, err);
	return secor_fail(
	    err, SECOR_FATAL, "it refuses the token: %.*s", TEXT_MOST, why);
}

static const struct way ways[] = {{"PLAIN", log_in_plain},
    {"SCRAM-SHA-256", log_in_scram_256}, {"SCRAM-SHA-512", log_in_scram_512},
    {"OAUTHBEARER", log_in_bearer}};

static const struct way *
find(const char *mechanism)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (strcmp(ways[i].mechanism, mechanism) == 0)
			return &ways[i];
	return NULL;
}

int
link_sasl_check(const struct link_conf *conf, struct secor_err *err)
{
	const char *mechanism = conf->sasl.mechanism;
	const struct way *way = find(mechanism);

	if (way == NULL)
		return secor_fail(err, SECOR_FATAL,
		    "sasl.mechanism: %s is not known here: kafka.fetch: "
		    "librdkafka",
		    mechanism);
	if (way->log_in == log_in_bearer) {
		if (conf->login == NULL)
			return secor_fail(err, SECOR_FATAL,
			    "sasl.mechanism: OAUTHBEARER needs the section "
			    "'token' here");
		return SECOR_OK;
	}
	if (conf->sasl.username == NULL || conf->sasl.password == NULL)
		return secor_fail(err, SECOR_FATAL,
		    "sasl.mechanism: %s needs a username and a password",
		    mechanism);
	return SECOR_OK;
}

/* ---- the handshake ---- */

static int
no_mechanism(struct wire *wire, const char *wanted, struct secor_err *err)
{
	int32_t count = wire_count(wire, 2);
	struct buf offered = {0};

	for (int32_t i = 0; i < count && offered.len < TEXT_MOST; i++) {
		struct wire_bytes one = wire_string(wire);

		buf_puts(&offered, i > 0 ? ", " : "");
		buf_put(&offered, one.ptr, one.len);
	}
	(void)secor_fail(err, SECOR_FATAL,
	    "it does not take sasl.mechanism %s, but: %.*s", wanted, TEXT_MOST,
	    offered.len > 0 ? offered.ptr : "none");
	buf_fini(&offered);
	return SECOR_FATAL;
}

static int
handshake(struct talk *talk, struct secor_err *err)
{
	const char *mechanism = talk->conf->mechanism;
	struct buf body = {0};
	struct wire wire;
	int error, rc;

	wire_put_string(&body, mechanism);
	rc = link_ask(
	    talk->link, API_SASL_HANDSHAKE, 1, &body, &talk->answer, err);
	buf_fini(&body);
	if (rc != SECOR_OK)
		return rc;
	wire = (struct wire){
	    talk->answer.ptr, talk->answer.ptr + talk->answer.len, 0};
	error = wire_int16(&wire);
	if (error == UNSUPPORTED_MECHANISM)
		return no_mechanism(&wire, mechanism, err);
	if (error == ILLEGAL_SASL_STATE)
		return secor_fail(err, SECOR_FATAL,
		    "it does not ask for logins: is kafka.sasl right for this "
		    "port?");
	if (error != 0 || wire.bad)
		return secor_fail(err, SECOR_RETRY,
		    "it answers SaslHandshake with error %d", error);
	return SECOR_OK;
}

/* KIP-368: it hangs up on whoever is there longer. */
static void
set_expiry(struct link *link, int64_t lifetime_ms)
{
	if (lifetime_ms == 0)
		return;
	if (lifetime_ms > INT32_MAX)
		lifetime_ms = INT32_MAX; /* a month does */
	link->expires_ms = clock_boot_ms() + lifetime_ms * PERCENT / 100;
}

int
link_sasl_open(struct link *link, struct secor_err *err)
{
	struct talk talk = {.link = link, .conf = &link->conf->sasl};
	int rc;

	talk.version = link_version(link, API_SASL_AUTHENTICATE, 0, 1);
	if (link_version(link, API_SASL_HANDSHAKE, 1, 1) < 0 ||
	    talk.version < 0)
		return secor_fail(err, SECOR_FATAL,
		    "it does not take logins, or is older than Kafka 1.0: is "
		    "kafka.sasl right for this port?");
	rc = handshake(&talk, err);
	if (rc == SECOR_OK)
		rc = find(talk.conf->mechanism)->log_in(&talk, err);
	if (rc == SECOR_OK)
		set_expiry(link, talk.reply.lifetime_ms);
	wipe(&talk.token);
	buf_fini(&talk.token);
	buf_fini(&talk.answer);
	return rc;
}
