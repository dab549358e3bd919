/*
 * gssapi.h -- what the files of the mechanism share: kerberos.c has names and
 * tickets, gssapi.c the context of a connection.
 */
#ifndef SECOR_HIVE_METASTORE_GSSAPI_H
#define SECOR_HIVE_METASTORE_GSSAPI_H

#include "plugins/notifier/hive-metastore/kerberos.h"

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

enum { GSSAPI_NAME_ROOM = 512 };

struct kerberos {
	const struct kerberos_conf *conf;
	char *keytab;			/* or NULL */
	char cache[64];			/* of tickets by the keytab */
	char service[GSSAPI_NAME_ROOM]; /* of the connection */
	gss_cred_id_t ticket;
	gss_name_t target;
	gss_ctx_id_t context;
	int is_established;
	int layer;   /* chosen: a kerberos_protection, not ANY */
	size_t room; /* see sasl_mechanism */
};

/* The library's words for what went wrong, and what to do about it. */
int gssapi_failed(
    struct secor_err *err, const char *what, OM_uint32 major, OM_uint32 minor);

struct sasl_mechanism gssapi_mechanism(struct kerberos *kerberos);

#endif
