/*
 * fake_broker.c -- see fake_broker.h.
 */
#include "tests/unit/core/flow/fetch/fake_broker.h"

#include "tests/unit/helpers/loopback.h"

#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *
work(void *arg)
{
	struct fake_broker *broker = arg;

	broker->fd = accept(broker->listener, NULL, NULL);
	if (broker->fd < 0)
		return NULL;
	if (broker->tls != NULL) {
		broker->ssl = SSL_new(broker->tls);
		(void)SSL_set_fd(broker->ssl, broker->fd);
	}
	if (broker->serve != NULL &&
	    (broker->ssl == NULL || SSL_accept(broker->ssl) == 1))
		broker->serve(broker);
	if (broker->ssl != NULL)
		(void)SSL_shutdown(broker->ssl);
	(void)shutdown(broker->fd, SHUT_WR);
	return NULL;
}

void
fake_broker_begin(struct fake_broker *broker)
{
	/* as the program does */
	(void)signal(SIGPIPE, SIG_IGN);
	broker->fd = -1;
	broker->listener = loopback_listen(&broker->port);
	cr_assert_eq(pthread_create(&broker->thread, NULL, work, broker), 0);
}

void
fake_broker_end(struct fake_broker *broker)
{
	/* who was never connected to is waited for in vain */
	(void)shutdown(broker->listener, SHUT_RDWR);
	(void)pthread_join(broker->thread, NULL);
	(void)close(broker->listener);
	if (broker->fd >= 0)
		(void)close(broker->fd);
	SSL_free(broker->ssl);
	SSL_CTX_free(broker->tls);
	free(broker->bytes);
}

static int
read_all(struct fake_broker *broker, void *bytes, size_t len)
{
	char *at = bytes;

	while (len > 0) {
		ssize_t n = broker->ssl != NULL
				? SSL_read(broker->ssl, at, (int)len)
				: recv(broker->fd, at, len, 0);

		if (n <= 0)
			return 0;
		at += n;
		len -= (size_t)n;
	}
	return 1;
}

void
fake_broker_write(struct fake_broker *broker, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = broker->ssl != NULL
				? SSL_write(broker->ssl, at, (int)len)
				: send(broker->fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

int
fake_broker_take(struct fake_broker *broker)
{
	struct wire *wire = &broker->wire;
	struct wire_bytes client;
	char head[4];
	int32_t len;

	if (!read_all(broker, head, sizeof(head)))
		return 0;
	*wire = (struct wire){head, head + sizeof(head), 0};
	len = wire_int32(wire);
	free(broker->bytes);
	broker->bytes = mem_alloc((size_t)len);
	if (!read_all(broker, broker->bytes, (size_t)len))
		return 0;
	*wire = (struct wire){broker->bytes, broker->bytes + len, 0};
	broker->api = wire_int16(wire);
	broker->version = wire_int16(wire);
	broker->id = wire_int32(wire);
	client = wire_string(wire);
	(void)snprintf(broker->client, sizeof(broker->client), "%.*s",
	    (int)client.len, client.ptr);
	return 1;
}

void
fake_broker_answer(struct fake_broker *broker, struct buf *body)
{
	struct buf whole = {0};

	wire_put_int32(&whole, (int32_t)body->len + 4);
	wire_put_int32(&whole, broker->id);
	buf_put(&whole, body->ptr, body->len);
	fake_broker_write(broker, whole.ptr, whole.len);
	buf_fini(&whole);
	body->len = 0;
}

void
fake_broker_drain(struct fake_broker *broker)
{
	char c;

	while (read_all(broker, &c, 1))
		;
}

void
fake_broker_versions(struct fake_broker *broker, int most)
{
	const int16_t rows[][3] = {{API_FETCH, 4, 11},
	    {API_SASL_HANDSHAKE, 0, 1}, {API_VERSIONS, 0, 3},
	    {API_SASL_AUTHENTICATE, 0, (int16_t)most}, {1000, 0, 9}};
	const int n = sizeof(rows) / sizeof(*rows);
	struct buf body = {0};

	if (!fake_broker_take(broker) || broker->api != API_VERSIONS)
		return;
	wire_put_int16(&body, 0);
	wire_put_int32(&body, n);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < 3; j++)
			wire_put_int16(&body, rows[i][j]);
	fake_broker_answer(broker, &body);
	buf_fini(&body);
}

/* ---- TLS ---- */

struct pair {
	X509 *cert;
	EVP_PKEY *key;
};

static void
add(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *one = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	cr_assert_not_null(one);
	cr_assert(X509_add_ext(cert, one, -1));
	X509_EXTENSION_free(one);
}

/* Signed by `by`; NULL: an authority, which signs itself. */
static struct pair
certify(const char *common, const char *name, const struct pair *by)
{
	struct pair made = {X509_new(), EVP_EC_gen("P-256")};
	X509_NAME *subject = X509_get_subject_name(made.cert);
	static long serial;

	cr_assert(X509_set_version(made.cert, 2));
	cr_assert(ASN1_INTEGER_set(X509_get_serialNumber(made.cert), ++serial));
	cr_assert(X509_gmtime_adj(X509_getm_notBefore(made.cert), -3600));
	cr_assert(X509_gmtime_adj(X509_getm_notAfter(made.cert), 86400));
	cr_assert(X509_set_pubkey(made.cert, made.key));
	cr_assert(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)common, -1, -1, 0));
	cr_assert(X509_set_issuer_name(
	    made.cert, by != NULL ? X509_get_subject_name(by->cert) : subject));
	if (by == NULL)
		add(made.cert, NID_basic_constraints, "critical,CA:TRUE");
	if (name != NULL)
		add(made.cert, NID_subject_alt_name, name);
	cr_assert(X509_sign(
	    made.cert, by != NULL ? by->key : made.key, EVP_sha256()));
	return made;
}

static void
save(const char *path, const struct pair *pair, int with_key)
{
	FILE *to = fopen(path, "w");

	cr_assert_not_null(to);
	cr_assert(PEM_write_X509(to, pair->cert));
	if (with_key)
		cr_assert(PEM_write_PrivateKey(
		    to, pair->key, NULL, NULL, 0, NULL, NULL));
	cr_assert_eq(fclose(to), 0);
}

static void
drop(struct pair *pair)
{
	X509_free(pair->cert);
	EVP_PKEY_free(pair->key);
}

SSL_CTX *
fake_broker_tls(const char *name, const char *ca, const char *client)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	struct pair authority;
	struct pair mine, other;
	static int authorities;
	char text[32];

	(void)snprintf(text, sizeof(text), "authority %d", ++authorities);
	authority = certify(text, NULL, NULL);
	mine = certify("broker", name, &authority);
	other = certify("client", NULL, &authority);

	cr_assert_eq(SSL_CTX_use_certificate(context, mine.cert), 1);
	cr_assert_eq(SSL_CTX_use_PrivateKey(context, mine.key), 1);
	save(ca, &authority, 0);
	if (client != NULL) {
		save(client, &other, 1);
		cr_assert_eq(SSL_CTX_load_verify_file(context, ca), 1);
		SSL_CTX_set_verify(context,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	drop(&authority);
	drop(&mine);
	drop(&other);
	return context;
}
