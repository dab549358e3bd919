/*
 * kerberos.h -- SASL's mechanism GSSAPI (RFC 4752) with Kerberos 5.
 *
 * The ticket is that of the environment, or it is got by a keytab and renewed
 * by it, in memory: neither kinit nor a file of tickets is needed then.
 * Whatever goes wrong may be mended outside, so all of it is SECOR_RETRY.
 */
#ifndef SECOR_HIVE_METASTORE_KERBEROS_H
#define SECOR_HIVE_METASTORE_KERBEROS_H

#include "plugins/common/thrift_sasl.h"

struct kerberos;

/* What frames get; `any`: the most that the other side offers. */
enum kerberos_protection {
	KERBEROS_ANY,
	KERBEROS_AUTHENTICATION,
	KERBEROS_INTEGRITY,
	KERBEROS_PRIVACY
};

struct kerberos_conf {
	const char *service;   /* whom it talks to: primary/host[@REALM] */
	const char *principal; /* who it is, or NULL */
	const char *keytab;    /* or NULL: the ticket of the environment */
	int protection;	       /* see kerberos_protection */
};

/* NULL, or what is wrong with the name of a service. */
const char *kerberos_service_complaint(const char *service);

/* Talks to nobody. NULL: out of memory. `conf` outlives it. */
struct kerberos *kerberos_new(const struct kerberos_conf *conf);
void kerberos_free(struct kerberos *kerberos); /* accepts NULL */

/* For a new connection to the host, whose name stands for _HOST; the mechanism
 * is valid until the next call. How long it waits for a KDC is what krb5.conf
 * lets it. */
int kerberos_begin(struct kerberos *kerberos, const char *host,
    struct sasl_mechanism *mechanism, struct secor_err *err);

#endif
