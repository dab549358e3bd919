/*
 * kafka_login.c -- see kafka_login.h.
 */
#include "plugins/common/kafka_login.h"

#include <string.h>

enum { NONE, PLAIN, SCRAM_256, SCRAM_512, GSSAPI, OAUTHBEARER };

const char *const kafka_mechanisms[] = {"none", "PLAIN", "SCRAM-SHA-256",
    "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER", NULL};

struct list {
	struct secor_pair *items;
	size_t count;
};

static void
put(struct list *list, const char *key, const char *value)
{
	if (value != NULL)
		list->items[list->count++] = (struct secor_pair){key, value};
}

static void
put_tls(struct list *list, const struct kafka_login *login)
{
	put(list, "ssl.ca.location", login->tls.ca);
	put(list, "ssl.certificate.location", login->tls.certificate);
	put(list, "ssl.key.location", login->tls.key);
	put(list, "ssl.key.password", login->tls.key_password);
	put(list, "ssl.keystore.location", login->tls.keystore);
	put(list, "ssl.keystore.password", login->tls.keystore_password);
	put(list, "ssl.endpoint.identification.algorithm",
	    login->tls.verify_hostname ? "https" : "none");
}

static void
put_sasl(struct list *list, const struct kafka_login *login)
{
	put(list, "sasl.mechanism", kafka_mechanisms[login->sasl.mechanism]);
	put(list, "sasl.username", login->sasl.username);
	put(list, "sasl.password", login->sasl.password);
	if (login->sasl.mechanism != GSSAPI)
		return;
	put(list, "sasl.kerberos.service.name", login->sasl.service);
	put(list, "sasl.kerberos.principal", login->sasl.principal);
	put(list, "sasl.kerberos.keytab", login->sasl.keytab);
	/* no keys of its own: kinit has nothing to do */
	if (login->sasl.keytab == NULL)
		put(list, "sasl.kerberos.min.time.before.relogin", "0");
}

int
kafka_login_is_tls(const struct kafka_login *login)
{
	return login->tls.enabled || login->tls.ca != NULL ||
	       login->tls.certificate != NULL || login->tls.key != NULL ||
	       login->tls.keystore != NULL || !login->tls.verify_hostname;
}

size_t
kafka_login_properties(
    const struct kafka_login *login, struct secor_pair items[KAFKA_LOGIN_MOST])
{
	int sasl = login->sasl.mechanism != NONE;
	int tls = kafka_login_is_tls(login);
	struct list list = {items, 0};

	if (!sasl && !tls)
		return 0;
	put(&list, "security.protocol",
	    sasl ? tls ? "sasl_ssl" : "sasl_plaintext" : "ssl");
	if (tls)
		put_tls(&list, login);
	if (sasl)
		put_sasl(&list, login);
	return list.count;
}

/* ---- check ---- */

static void
check_tls(const struct kafka_login *login, const struct secor_check *check)
{
	if (login->tls.certificate != NULL && login->tls.key == NULL)
		check->complain(check, "tls.certificate",
		    "needs 'tls.key', its private key");
	if (login->tls.key != NULL && login->tls.certificate == NULL)
		check->complain(check, "tls.key", "needs 'tls.certificate'");
	if (login->tls.keystore != NULL &&
	    (login->tls.key != NULL || login->tls.certificate != NULL))
		check->complain(check, "tls.keystore",
		    "holds certificate and key: leave out 'tls.certificate' "
		    "and 'tls.key', or this");
	if (login->tls.key_password != NULL && login->tls.key == NULL)
		check->complain(check, "tls.key_password", "needs 'tls.key'");
	if (login->tls.keystore_password != NULL && login->tls.keystore == NULL)
		check->complain(
		    check, "tls.keystore_password", "needs 'tls.keystore'");
}

static void
check_key(const struct secor_check *check, const char *key, const char *value,
    const char *const words[2])
{
	if (value != NULL && words[0] != NULL)
		check->complain(check, key, words[0]);
	if (value == NULL && words[1] != NULL)
		check->complain(check, key, words[1]);
}

void
kafka_login_check(
    const struct kafka_login *login, const struct secor_check *check)
{
	int mechanism = login->sasl.mechanism;
	int password = mechanism >= PLAIN && mechanism <= SCRAM_512;
	int kerberos = mechanism == GSSAPI;
	/* what is wrong with a value that is there, and with one that is not */
	const char *const user[2] = {
	    password ? NULL : "is for sasl.mechanism PLAIN and SCRAM",
	    password ? "is missing, the mechanism needs it" : NULL};
	const char *const ticket[2] = {
	    kerberos ? NULL : "is for sasl.mechanism GSSAPI", NULL};

	check_tls(login, check);
	check_key(check, "sasl.username", login->sasl.username, user);
	check_key(check, "sasl.password", login->sasl.password, user);
	check_key(check, "sasl.service", login->sasl.service, ticket);
	check_key(check, "sasl.principal", login->sasl.principal, ticket);
	check_key(check, "sasl.keytab", login->sasl.keytab, ticket);
	if (kerberos &&
	    (login->sasl.keytab == NULL) != (login->sasl.principal == NULL))
		check->complain(
		    check, "sasl.keytab", "and 'sasl.principal' go together");
}
