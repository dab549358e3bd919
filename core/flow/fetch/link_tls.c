/*
 * link_tls.c -- TLS on the socket of a link: at least 1.2, names looked at,
 * files of keys read for each link. Complaints say whose certificate it is
 * about. SIGPIPE is ignored by the program (run.c).
 */
#include "core/flow/fetch/link_inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than one record at a read of the socket. */
#define READ_AHEAD 65536

/* ---- files of keys ---- */

static const char *
reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text != NULL ? text : "not what it should be";
}

static int
bad_file(const char *key, const char *path, struct secor_err *err)
{
	if (access(path, R_OK) != 0)
		return secor_fail(
		    err, SECOR_FATAL, "kafka.tls.%s: %s: %m", key, path);
	return secor_fail(
	    err, SECOR_FATAL, "kafka.tls.%s: %s: %s", key, path, reason());
}

/* Never asks a terminal. */
static int
give_password(char *to, int room, int writes, void *arg)
{
	const char *password = arg;
	size_t len = password != NULL ? strlen(password) : 0;

	(void)writes;
	if (password == NULL || len > (size_t)room)
		return -1;
	memcpy(to, password, len);
	return (int)len;
}

/* Where systems have their authorities, for ssl.ca.location=probe. */
static const char *
probe(void)
{
	static const char *const PLACES[] = {
	    "/etc/ssl/certs/ca-certificates.crt",
	    "/etc/pki/tls/certs/ca-bundle.crt",
	    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	    "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem", "/etc/ssl/certs"};

	for (size_t i = 0; i < sizeof(PLACES) / sizeof(*PLACES); i++)
		if (access(PLACES[i], R_OK) == 0)
			return PLACES[i];
	return NULL;
}

static int
load_ca(SSL_CTX *context, const char *ca, struct secor_err *err)
{
	struct stat found;
	int done;

	if (ca != NULL && strcmp(ca, "probe") == 0)
		ca = probe();
	if (ca == NULL)
		done = SSL_CTX_set_default_verify_paths(context);
	else if (stat(ca, &found) == 0 && S_ISDIR(found.st_mode))
		done = SSL_CTX_load_verify_dir(context, ca);
	else
		done = SSL_CTX_load_verify_file(context, ca);
	if (done != 1)
		return bad_file("ca", ca != NULL ? ca : "the system's", err);
	return SECOR_OK;
}

static int
load_keystore(
    SSL_CTX *context, const struct link_tls_conf *tls, struct secor_err *err)
{
	BIO *file = BIO_new_file(tls->keystore, "rb");
	PKCS12 *store = file != NULL ? d2i_PKCS12_bio(file, NULL) : NULL;
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	STACK_OF(X509) *chain = NULL;
	int rc = SECOR_OK;

	if (store == NULL ||
	    PKCS12_parse(store, tls->keystore_password, &key, &cert, &chain) !=
		1 ||
	    SSL_CTX_use_cert_and_key(context, cert, key, chain, 1) != 1)
		rc = bad_file("keystore", tls->keystore, err);
	X509_free(cert);
	EVP_PKEY_free(key);
	sk_X509_pop_free(chain, X509_free);
	PKCS12_free(store);
	BIO_free(file);
	return rc;
}

static int
load_keys(
    SSL_CTX *context, const struct link_tls_conf *tls, struct secor_err *err)
{
	SSL_CTX_set_default_passwd_cb(context, give_password);
	SSL_CTX_set_default_passwd_cb_userdata(context, tls->key_password);
	if (tls->certificate != NULL &&
	    SSL_CTX_use_certificate_chain_file(context, tls->certificate) != 1)
		return bad_file("certificate", tls->certificate, err);
	/* says as well whether it is the certificate's */
	if (tls->key != NULL && SSL_CTX_use_PrivateKey_file(
				    context, tls->key, SSL_FILETYPE_PEM) != 1)
		return bad_file("key", tls->key, err);
	return tls->keystore != NULL ? load_keystore(context, tls, err)
				     : SECOR_OK;
}

static int
load(const struct link_tls_conf *tls, SSL_CTX **out, struct secor_err *err)
{
	SSL_CTX *context;
	int rc = SECOR_OK;

	ERR_clear_error();
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL)
		return secor_fail(err, SECOR_RETRY, "TLS: %s", reason());
	(void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	(void)SSL_CTX_set_mode(
	    context, SSL_MODE_ENABLE_PARTIAL_WRITE |
			 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD);
	SSL_CTX_set_verify(
	    context, tls->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (tls->verify)
		rc = load_ca(context, tls->ca, err);
	if (rc == SECOR_OK)
		rc = load_keys(context, tls, err);
	if (rc == SECOR_OK)
		*out = context;
	else
		SSL_CTX_free(context);
	ERR_clear_error();
	return rc;
}

int
link_tls_check(const struct link_conf *conf, struct secor_err *err)
{
	SSL_CTX *context = NULL;
	int rc = load(&conf->tls, &context, err);

	SSL_CTX_free(context);
	return rc;
}

/* ---- what went wrong ---- */

static int
not_trusted(const struct link *link, long verified, struct secor_err *err)
{
	const char *why = X509_verify_cert_error_string(verified);
	const char *ca = link->conf->tls.ca;

	switch (verified) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return secor_fail(err, SECOR_FATAL,
		    "TLS: its certificate is for another name (%s): is that "
		    "the name it should advertise? else "
		    "kafka.tls.verify_hostname",
		    why);
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return secor_fail(
		    err, SECOR_FATAL, "TLS: its %s: is the clock right?", why);
	default:
		return secor_fail(err, SECOR_FATAL,
		    "TLS: its certificate is not trusted (%s): is it signed by "
		    "kafka.tls.ca (%s)?",
		    why, ca != NULL ? ca : "the system's");
	}
}

static int
is_about_our_certificate(int why)
{
	static const int ALERTS[] = {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
	    SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
	    SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
	    SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
	    SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
	    SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
	    SSL_R_TLSV1_ALERT_UNKNOWN_CA, SSL_R_TLSV1_ALERT_ACCESS_DENIED,
	    SSL_R_TLSV1_ALERT_DECRYPT_ERROR};

	for (size_t i = 0; i < sizeof(ALERTS) / sizeof(*ALERTS); i++)
		if (ALERTS[i] == why)
			return 1;
	return 0;
}

static int
protocol_failed(
    const struct link *link, unsigned long code, struct secor_err *err)
{
	const struct link_tls_conf *tls = &link->conf->tls;
	const char *text = ERR_reason_error_string(code);
	int why = ERR_GET_REASON(code);
	const char *ours = tls->keystore != NULL      ? tls->keystore
			   : tls->certificate != NULL ? tls->certificate
						      : NULL;

	if (text == NULL)
		text = "unknown error";
	if (why == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return secor_fail(err, SECOR_RETRY, LINK_ENDED);
	if (why == SSL_R_WRONG_VERSION_NUMBER || why == SSL_R_HTTP_REQUEST ||
	    why == SSL_R_PACKET_LENGTH_TOO_LONG)
		return secor_fail(err, SECOR_FATAL,
		    "TLS: what it says is no TLS (%s): is it the right port?",
		    text);
	if (is_about_our_certificate(why) && ours != NULL)
		return secor_fail(err, SECOR_FATAL,
		    "TLS: it does not trust the client's certificate %s (%s)",
		    ours, text);
	/* older versions of TLS say no more than that */
	if (is_about_our_certificate(why) ||
	    (why == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE && ours == NULL))
		return secor_fail(err, SECOR_FATAL,
		    "TLS: it wants a client's certificate (%s): is "
		    "kafka.tls.certificate missing?",
		    text);
	return secor_fail(err,
	    why >= SSL_AD_REASON_OFFSET ? SECOR_FATAL : SECOR_RETRY, "TLS: %s",
	    text);
}

/* After a call that gave `rc`: OK means to call it again. */
static int
wait_or_fail(struct link *link, int rc, struct secor_err *err)
{
	int error = errno;
	long verified;
	char text[128];

	switch (SSL_get_error(link->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return link_wait(link, POLLIN, err);
	case SSL_ERROR_WANT_WRITE:
		return link_wait(link, POLLOUT, err);
	case SSL_ERROR_ZERO_RETURN:
		return secor_fail(err, SECOR_RETRY, LINK_ENDED);
	case SSL_ERROR_SYSCALL:
		return secor_fail(err, SECOR_RETRY, "%s",
		    error != 0 ? strerror_r(error, text, sizeof(text))
			       : LINK_ENDED);
	default:
		break;
	}
	verified = SSL_get_verify_result(link->ssl);
	if (verified != X509_V_OK && link->conf->tls.verify)
		return not_trusted(link, verified, err);
	return protocol_failed(link, ERR_peek_error(), err);
}

/* ---- speaking ---- */

static void
begin_call(void)
{
	ERR_clear_error();
	errno = 0;
}

/* Whom the certificate must name, and which one is asked for. */
static int
set_name(const struct link *link, const char *host)
{
	SSL *ssl = link->ssl;
	int named = link->conf->tls.verify && link->conf->tls.verify_name;
	unsigned char address[16];

	if (inet_pton(AF_INET, host, address) == 1 ||
	    inet_pton(AF_INET6, host, address) == 1)
		return !named || X509_VERIFY_PARAM_set1_ip_asc(
				     SSL_get0_param(ssl), host) == 1;
	return SSL_set_tlsext_host_name(ssl, host) == 1 &&
	       (!named || SSL_set1_host(ssl, host) == 1);
}

int
link_tls_open(struct link *link, const char *host, struct secor_err *err)
{
	SSL_CTX *context = NULL;
	int rc = load(&link->conf->tls, &context, err), done;

	if (rc != SECOR_OK)
		return rc;
	link->ssl = SSL_new(context);
	SSL_CTX_free(context);
	if (link->ssl == NULL || SSL_set_fd(link->ssl, link->fd) != 1 ||
	    !set_name(link, host))
		return secor_fail(err, SECOR_RETRY, "TLS: %s", reason());
	for (begin_call(); rc == SECOR_OK; begin_call()) {
		done = SSL_connect(link->ssl);
		if (done == 1)
			return SECOR_OK;
		rc = wait_or_fail(link, done, err);
	}
	if (strcmp(err->text, LINK_ENDED) == 0)
		return secor_fail(err, rc,
		    "it hung up while TLS began: does this port speak TLS?");
	return rc;
}

int
link_tls_read(struct link *link, void *at, size_t *n, struct secor_err *err)
{
	size_t room = *n;
	int done;

	begin_call();
	*n = 0;
	done = SSL_read_ex(link->ssl, at, room, n);
	return done == 1 ? SECOR_OK : wait_or_fail(link, done, err);
}

int
link_tls_write(
    struct link *link, const void *at, size_t *n, struct secor_err *err)
{
	size_t len = *n;
	int done;

	begin_call();
	*n = 0;
	done = SSL_write_ex(link->ssl, at, len, n);
	return done == 1 ? SECOR_OK : wait_or_fail(link, done, err);
}
