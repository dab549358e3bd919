/*
 * hive_tls.h -- a certificate that vouches for itself, for servers of tests.
 */
#ifndef TESTS_UNIT_HIVE_TLS_H
#define TESTS_UNIT_HIVE_TLS_H

#include <openssl/ssl.h>

/* A server's side that shows a certificate for `name` ("IP:127.0.0.1",
 * "DNS:h"), which is written to `file` for who is to trust it. */
SSL_CTX *hive_tls_new(const char *name, const char *file);

#endif
