/*
 * hive_tls.c -- see hive_tls.h.
 */
#include "tests/unit/plugins/notifier/hive_tls.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static X509 *
certificate(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	X509_EXTENSION *alt;

	cr_assert(X509_set_version(cert, 2));
	cr_assert(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
	cr_assert(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
	cr_assert(X509_gmtime_adj(X509_getm_notAfter(cert), 86400));
	cr_assert(X509_set_pubkey(cert, key));
	cr_assert(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)"test", -1, -1, 0));
	cr_assert(X509_set_issuer_name(cert, subject));
	alt = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
	cr_assert_not_null(alt);
	cr_assert(X509_add_ext(cert, alt, -1));
	X509_EXTENSION_free(alt);
	cr_assert(X509_sign(cert, key, EVP_sha256()));
	return cert;
}

SSL_CTX *
hive_tls_new(const char *name, const char *file)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = certificate(key, name);
	FILE *to = fopen(file, "w");

	cr_assert_not_null(to);
	cr_assert(PEM_write_X509(to, cert));
	cr_assert_eq(fclose(to), 0);
	cr_assert_eq(SSL_CTX_use_certificate(context, cert), 1);
	cr_assert_eq(SSL_CTX_use_PrivateKey(context, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
	return context;
}
