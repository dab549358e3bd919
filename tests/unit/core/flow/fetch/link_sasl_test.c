/*
 * link_sasl_test.c -- logins that are taken and refused, by a broker that knows
 * what it must be told.
 */
#include "core/base/clock.h"
#include "core/base/text.h"
#include "tests/unit/core/flow/fetch/link_side.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sched.h>
#include <string.h>

#define SASL(mechanism) \
	"security.protocol", "sasl_plaintext", "sasl.mechanism", mechanism
#define USER "sasl.username", "al=ice", "sasl.password", "s3cret"

/* What the broker does; one a process. */
static struct {
	const char *mechanism; /* that it takes */
	int error;	       /* of SaslHandshake; else by the mechanism */
	int version;	       /* of SaslAuthenticate */
	int64_t lifetime_ms;
	const EVP_MD *(*hash)(void);
	const char *password; /* that it has */
	const char *token;    /* that it takes */
	int logged_in;
} told;

/* ---- the broker ---- */

static int
take_handshake(struct fake_broker *broker)
{
	struct buf body = {0};
	struct wire_bytes name;
	int same;

	fake_broker_versions(broker, told.version);
	if (!fake_broker_take(broker))
		return 0;
	cr_expect_eq(broker->api, API_SASL_HANDSHAKE);
	cr_expect_eq(broker->version, 1);
	name = wire_string(&broker->wire);
	same = name.len == strlen(told.mechanism) &&
	       memcmp(name.ptr, told.mechanism, name.len) == 0;
	wire_put_int16(&body, (int16_t)(told.error != 0 ? told.error
					: same		? 0
							: 33));
	wire_put_int32(&body, 2);
	wire_put_string(&body, told.mechanism);
	wire_put_string(&body, "GSSAPI");
	fake_broker_answer(broker, &body);
	buf_fini(&body);
	return same;
}

/* A token, as text: a copy; {NULL}: none came. */
static int
take_token(struct fake_broker *broker, struct buf *token)
{
	struct wire_bytes bytes;

	token->len = 0;
	if (!fake_broker_take(broker))
		return 0;
	cr_expect_eq(broker->api, API_SASL_AUTHENTICATE);
	cr_expect_eq(broker->version, told.version);
	bytes = wire_bytes(&broker->wire);
	cr_expect_not(broker->wire.bad);
	buf_put(token, bytes.ptr, bytes.len);
	return 1;
}

static void
answer(
    struct fake_broker *broker, int error, const char *text, const char *token)
{
	struct buf body = {0};

	wire_put_int16(&body, (int16_t)error);
	wire_put_string(&body, text);
	wire_put_bytes(&body, token, strlen(token));
	if (told.version > 0)
		wire_put_int64(&body, told.lifetime_ms);
	fake_broker_answer(broker, &body);
	buf_fini(&body);
}

static void
refuse(struct fake_broker *broker)
{
	answer(broker, 58, "who is that?", "");
}

static int
is(const struct buf *token, const char *wanted, size_t len)
{
	return token->len == len && memcmp(token->ptr, wanted, len) == 0;
}

static void
serve_plain(struct fake_broker *broker)
{
	struct buf token = {0};

	if (take_handshake(broker) && take_token(broker, &token)) {
		told.logged_in = is(&token, "\0al=ice\0s3cret", 14);
		if (told.logged_in)
			answer(broker, 0, NULL, "");
		else
			refuse(broker);
	}
	buf_fini(&token);
	fake_broker_drain(broker);
}

/* What signs `all` with the key that is named so. */
static void
sign(const char *name, const struct buf *all, int stored, unsigned char *out,
    unsigned char *key)
{
	const EVP_MD *hash = told.hash();
	int size = EVP_MD_get_size(hash);
	unsigned char salted[64], hashed[64];

	(void)PKCS5_PBKDF2_HMAC(told.password, -1,
	    (const unsigned char *)"salt", 4, 4096, hash, size, salted);
	(void)HMAC(hash, salted, size, (const unsigned char *)name,
	    strlen(name), key, NULL);
	(void)EVP_Digest(key, (size_t)size, hashed, NULL, hash, NULL);
	(void)HMAC(hash, stored ? hashed : key, size,
	    (const unsigned char *)all->ptr, all->len, out, NULL);
}

static int
proves(const struct buf *last, const struct buf *all)
{
	size_t size = (size_t)EVP_MD_get_size(told.hash());
	const char *proof = strstr(last->ptr, ",p=") + 3;
	unsigned char signature[64], key[64];
	struct buf shown = {0};
	int same;

	cr_assert(base64_decode(&shown, proof, strlen(proof)));
	cr_assert_eq(shown.len, size);
	sign("Client Key", all, 1, signature, key);
	for (size_t i = 0; i < size; i++)
		signature[i] ^= key[i];
	same = memcmp(shown.ptr, signature, size) == 0;
	buf_fini(&shown);
	return same;
}

static void
end_scram(
    struct fake_broker *broker, const struct buf *last, const struct buf *all)
{
	unsigned char signature[64], key[64];
	struct buf out = {0};

	told.logged_in = proves(last, all);
	if (told.logged_in) {
		sign("Server Key", all, 0, signature, key);
		buf_puts(&out, "v=");
		base64_encode(
		    &out, signature, (size_t)EVP_MD_get_size(told.hash()));
		answer(broker, 0, NULL, out.ptr);
	} else {
		refuse(broker);
	}
	buf_fini(&out);
}

static void
serve_scram(struct fake_broker *broker)
{
	struct buf token = {0}, all = {0}, first = {0};
	const char *nonce;

	if (take_handshake(broker) && take_token(broker, &token)) {
		cr_assert_eq(strncmp(token.ptr, "n,,n=al=3Dice,r=", 16), 0);
		nonce = token.ptr + 16;
		buf_printf(&first, "r=%smore,s=c2FsdA==,i=4096", nonce);
		buf_printf(&all, "%s,%s,", token.ptr + 3, first.ptr);
		answer(broker, 0, NULL, first.ptr);
		cr_assert(take_token(broker, &token));
		cr_assert_not_null(strstr(token.ptr, ",p="));
		buf_put(&all, token.ptr,
		    (size_t)(strstr(token.ptr, ",p=") - token.ptr));
		end_scram(broker, &token, &all);
	}
	buf_fini(&token);
	buf_fini(&all);
	buf_fini(&first);
	fake_broker_drain(broker);
}

static void
serve_bearer(struct fake_broker *broker)
{
	struct buf token = {0};

	if (take_handshake(broker) && take_token(broker, &token)) {
		told.logged_in = is(&token, told.token, strlen(told.token));
		answer(broker, 0, NULL,
		    told.logged_in ? "" : "{\"status\":\"invalid_token\"}");
		if (!told.logged_in && take_token(broker, &token)) {
			cr_expect(is(&token, "\001", 1));
			refuse(broker);
		}
	}
	buf_fini(&token);
	fake_broker_drain(broker);
}

/* ---- passwords ---- */

static int
log_in(struct side *side, void (*serve)(struct fake_broker *broker),
    const char *mechanism, const char *password)
{
	struct fake_broker broker = {.serve = serve};
	int rc;

	fake_broker_begin(&broker);
	rc = side_begin(side, NULL, SASL(mechanism), "sasl.username", "al=ice",
	    "sasl.password", password, NULL);
	cr_assert_eq(rc, SECOR_OK, "%s", side->err.text);
	rc = side_open(side, &broker);
	cr_expect_null(strstr(side->err.text, password), "%s", side->err.text);
	if (rc == SECOR_OK)
		cr_expect_eq(link_version(side->link, API_FETCH, 4, 11), 11);
	link_close(side->link);
	side->link = NULL;
	fake_broker_end(&broker);
	return rc;
}

Test(link_sasl, plain_password_is_told_as_it_is)
{
	struct side side;

	told.mechanism = "PLAIN";
	for (told.version = 0; told.version < 2; told.version++) {
		cr_expect_eq(log_in(&side, serve_plain, "PLAIN", "s3cret"),
		    SECOR_OK, "%s", side.err.text);
		cr_expect(told.logged_in);
		side_end(&side);
	}
}

Test(link_sasl, password_that_is_wrong_is_refused)
{
	struct side side;

	told.mechanism = "PLAIN";
	told.version = 1;
	cr_expect_eq(log_in(&side, serve_plain, "PLAIN", "wr0ng"), SECOR_FATAL);
	side_expect(&side, "it refuses the login: who is that?");
	side_end(&side);
}

Test(link_sasl, scram_proves_the_password_without_telling_it)
{
	static const EVP_MD *(*const HASHES[])(void) = {EVP_sha256, EVP_sha512};
	static const char *const NAMES[] = {"SCRAM-SHA-256", "SCRAM-SHA-512"};
	struct side side;

	told.version = 1;
	told.password = "s3cret";
	for (int i = 0; i < 2; i++) {
		told.mechanism = NAMES[i];
		told.hash = HASHES[i];
		cr_expect_eq(log_in(&side, serve_scram, NAMES[i], "s3cret"),
		    SECOR_OK, "%s", side.err.text);
		cr_expect(told.logged_in);
		side_end(&side);
	}
}

Test(link_sasl, scram_with_another_password_is_refused)
{
	struct side side;

	told.version = 1;
	told.password = "s3cret";
	told.mechanism = "SCRAM-SHA-256";
	told.hash = EVP_sha256;
	cr_expect_eq(
	    log_in(&side, serve_scram, "SCRAM-SHA-256", "wr0ng"), SECOR_FATAL);
	side_expect(&side, "it refuses the login: who is that?");
	cr_expect_not(told.logged_in);
	side_end(&side);
}

Test(link_sasl, mechanism_that_the_broker_does_not_take_is_said)
{
	struct side side;

	told.mechanism = "SCRAM-SHA-512";
	told.version = 1;
	cr_expect_eq(
	    log_in(&side, serve_plain, "PLAIN", "s3cret"), SECOR_FATAL);
	side_expect(&side,
	    "it does not take sasl.mechanism PLAIN, but: SCRAM-SHA-512, "
	    "GSSAPI");
	side_end(&side);
}

Test(link_sasl, port_that_asks_for_no_login_is_said)
{
	struct side side;

	told.mechanism = "PLAIN";
	told.version = 1;
	told.error = 34;
	cr_expect_eq(
	    log_in(&side, serve_plain, "PLAIN", "s3cret"), SECOR_FATAL);
	side_expect(&side, "it does not ask for logins");
	side_end(&side);
}

Test(link_sasl, broker_without_logins_is_said)
{
	struct side side;

	told.mechanism = "PLAIN";
	told.version = -1;
	cr_expect_eq(
	    log_in(&side, serve_plain, "PLAIN", "s3cret"), SECOR_FATAL);
	side_expect(&side, "is kafka.sasl right for this port?");
	side_end(&side);
}

Test(link_sasl, mechanism_that_is_not_known_here_is_refused_at_once)
{
	struct secor_err err = {""};
	struct link_conf *conf = NULL;
	struct side side;

	cr_expect_eq(
	    side_begin(&side, NULL, SASL("OAUTHBEARER"), NULL), SECOR_FATAL);
	cr_expect_not_null(strstr(side.err.text, "needs the section 'token'"),
	    "%s", side.err.text);
	side_end(&side);
	cr_expect_eq(side_begin(&side, NULL, SASL("GSSAPI"),
			 "sasl.kerberos.min.time.before.relogin", "0", NULL),
	    SECOR_FATAL);
	cr_expect_eq(link_conf_new(side.rk, NULL, &conf, &err), SECOR_FATAL);
	cr_expect_null(conf);
	cr_expect_not_null(
	    strstr(err.text, "GSSAPI is not known here"), "%s", err.text);
	side_end(&side);
}

/* ---- for how long ---- */

static void
expect_lifetime(int64_t lifetime_ms, int expired)
{
	struct fake_broker broker = {.serve = serve_plain};
	struct side side;

	told.mechanism = "PLAIN";
	told.version = 1;
	told.lifetime_ms = lifetime_ms;
	fake_broker_begin(&broker);
	cr_assert_eq(
	    side_begin(&side, NULL, SASL("PLAIN"), USER, NULL), SECOR_OK);
	cr_assert_eq(side_open(&side, &broker), SECOR_OK, "%s", side.err.text);
	cr_expect_eq(
	    link_expired(side.link), expired, "%lld", (long long)lifetime_ms);
	side_end(&side);
	fake_broker_end(&broker);
}

Test(link_sasl, login_that_ends_is_expired_before)
{
	expect_lifetime(1, 1); /* 0.85 of it */
	expect_lifetime(3600000, 0);
	expect_lifetime(INT64_MAX, 0);
	expect_lifetime(0, 0);
	expect_lifetime(-1, 0);
}

/* ---- tokens ---- */

static struct {
	int64_t life_ms;
	struct secor_pair extensions[2];
} source = {3600000, {{"logicalCluster", "lkc-1"}, {"pool", "p"}}};

static int
source_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	*self = &source;
	return SECOR_OK;
}

static void
source_close(void *self)
{
	(void)self;
}

static int
source_fetch(void *self, struct secor_token *token, struct secor_err *err)
{
	(void)self;
	if (source.life_ms == 0)
		return secor_fail(err, SECOR_RETRY, "not now");
	token->value = "t0ken";
	token->expires_ms = clock_now_ms() + source.life_ms;
	token->extensions = source.extensions;
	token->extension_count = 2;
	return SECOR_OK;
}

static const struct secor_token_ops ops = {.size = sizeof(ops),
    .open = source_open,
    .close = source_close,
    .fetch = source_fetch};
static struct plugin plugin = {
    .desc = {.name = "source"}, .ops = {.token = &ops}};
static const struct config config = {
    .token = {.plugin = &plugin, .use = "source"}};

static void
ignore(void *arg, const struct secor_token *token)
{
	(void)arg;
	(void)token;
}

/* A login that has a token, unless the source gives none. */
static struct login *
login_begin(struct side *side)
{
	struct login *login = NULL;
	struct secor_err err;

	cr_assert_eq(
	    side_begin(side, NULL, SASL("OAUTHBEARER"), NULL), SECOR_FATAL);
	cr_assert_eq(
	    login_open(&config, side->rk, &login, &side->err), SECOR_OK);
	cr_assert_eq(
	    link_conf_new(side->rk, login, &side->conf, &side->err), SECOR_OK);
	while (source.life_ms > 0 &&
	       login_present(login, ignore, NULL, &err) != SECOR_OK)
		(void)sched_yield();
	return login;
}

static int
bear(struct side *side)
{
	struct fake_broker broker = {.serve = serve_bearer};
	struct login *login = login_begin(side);
	int rc;

	told.mechanism = "OAUTHBEARER";
	told.version = 1;
	fake_broker_begin(&broker);
	rc = side_open(side, &broker);
	link_close(side->link);
	side->link = NULL;
	link_conf_free(side->conf);
	side->conf = NULL;
	login_close(login);
	fake_broker_end(&broker);
	return rc;
}

Test(link_sasl, token_and_its_extensions_are_told)
{
	struct side side;

	told.token = "n,,\001auth=Bearer t0ken\001logicalCluster=lkc-1\001"
		     "pool=p\001\001";
	cr_expect_eq(bear(&side), SECOR_OK, "%s", side.err.text);
	cr_expect(told.logged_in);
	side_end(&side);
}

Test(link_sasl, token_that_is_refused_is_said_with_the_reason)
{
	struct side side;

	told.token = "another";
	cr_expect_eq(bear(&side), SECOR_FATAL);
	side_expect(&side, "it refuses the token: {\"status\":\"invalid_token");
	cr_expect_null(strstr(side.err.text, "t0ken"), "%s", side.err.text);
	side_end(&side);
}

Test(link_sasl, without_a_token_it_is_not_tried)
{
	struct side side;

	source.life_ms = 0;
	told.token = "";
	cr_expect_eq(bear(&side), SECOR_RETRY);
	side_expect(&side, "there is no token to log in with (source)");
	cr_expect_not(told.logged_in);
	side_end(&side);
}
