/*
 * security.c -- TLS and SASL: the settings of Java's client as kafka.tls and
 * kafka.sasl. Keys and certificates of Java lie in key stores that OpenSSL
 * cannot read; what is in them must be taken out.
 */
#include "core/cli/migrate/migration.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONSUMER "kafka.new.consumer."

static int
is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcasecmp(word, *words) == 0)
			return 1;
	return 0;
}

/* ---- TLS ---- */

static void
put_key_store(struct migration *m)
{
	static const char *const KEY = CONSUMER "ssl.keystore.location";
	const char *file = old_text(m, KEY);

	if (*file == '\0')
		return;
	yaml_put(m, 4, "keystore", file);
	if (strcasecmp(old_text(m, CONSUMER "ssl.keystore.type"), "PKCS12") !=
	    0)
		todo(m, KEY,
		    "a key store of Java must become PKCS#12: keytool "
		    "-importkeystore -srckeystore %s -destkeystore ks.p12 "
		    "-deststoretype PKCS12",
		    file);
	if (old_given(m, CONSUMER "ssl.keystore.password"))
		yaml_secret(m, 4, "keystore_password",
		    "KAFKA_SSL_KEYSTORE_PASSWORD",
		    CONSUMER "ssl.keystore.password");
}

static void
put_trust_store(struct migration *m)
{
	static const char *const KEY = CONSUMER "ssl.truststore.location";
	const char *file = old_text(m, KEY);

	if (*file == '\0')
		return;
	yaml_put(m, 4, "ca", file);
	todo(m, KEY,
	    "the authorities must be a PEM file: keytool -list -rfc -keystore "
	    "%s > ca.pem, then ca: ca.pem",
	    file);
}

static void
put_tls(struct migration *m, const char *protocol)
{
	static const char *const TLS[] = {"ssl", "sasl_ssl", NULL};
	static const char *const FILES[] = {CONSUMER "ssl.keystore.location",
	    CONSUMER "ssl.truststore.location"};

	for (size_t i = 0; i < 2 && !is_one_of(protocol, TLS); i++)
		if (old_given(m, FILES[i]))
			warn(m, FILES[i],
			    "was not used: security.protocol has no SSL");
	if (!is_one_of(protocol, TLS))
		return;
	buf_puts(&m->yaml, "  tls:\n");
	yaml_raw(m, 4, "enabled", "true");
	put_trust_store(m);
	put_key_store(m);
}

/* ---- SASL ---- */

/* The value of `name=value` or `name="value"` in the text; caller frees. */
static char *
jaas_value(const char *jaas, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = jaas; (at = strcasestr(at, name)) != NULL; at++) {
		const char *value = at + len;

		if ((at > jaas && isalnum((unsigned char)at[-1])) ||
		    *value != '=')
			continue;
		value++;
		if (*value == '"')
			return mem_dup(value + 1, strcspn(value + 1, "\""));
		return mem_dup(value, strcspn(value, " \t;"));
	}
	return NULL;
}

static void
put_jaas_text(
    struct migration *m, const char *jaas, const char *name, const char *key)
{
	char *value = jaas_value(jaas, name);

	if (value != NULL)
		yaml_put(m, 4, key, value);
	free(value);
}

static void
put_password(struct migration *m, const char *jaas)
{
	static const char *const KEY = CONSUMER "sasl.jaas.config";

	if (strstr(jaas, "LoginModule") == NULL)
		todo(m, KEY,
		    "no login is given here: write kafka.sasl.username and "
		    "kafka.sasl.password");
	put_jaas_text(m, jaas, "username", "username");
	yaml_secret(m, 4, "password", "KAFKA_SASL_PASSWORD", KEY);
	if (strstr(jaas, "password") != NULL &&
	    properties_find(m->properties, KEY)->count > 1)
		warn(m, KEY,
		    "an unescaped comma: the original saw what is before it "
		    "alone");
}

static void
put_kerberos(struct migration *m, const char *jaas)
{
	static const char *const SERVICE =
	    CONSUMER "sasl.kerberos.service.name";

	put_jaas_text(m, jaas, "principal", "principal");
	put_jaas_text(m, jaas, "keyTab", "keytab");
	if (old_given(m, SERVICE))
		yaml_put(m, 4, "service", old_text(m, SERVICE));
}

/* Java's default is Kerberos. */
static void
put_sasl(struct migration *m, const char *protocol)
{
	static const char *const SASL[] = {"sasl_plaintext", "sasl_ssl", NULL};
	static const char *const PASSWORDS[] = {
	    "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", NULL};
	static const char *const KEY = CONSUMER "sasl.mechanism";
	const char *jaas = old_text(m, CONSUMER "sasl.jaas.config");
	const char *mechanism = old_given(m, KEY) ? old_text(m, KEY) : "GSSAPI";

	if (!is_one_of(protocol, SASL)) {
		if (*jaas != '\0')
			warn(m, CONSUMER "sasl.jaas.config",
			    "was not used: security.protocol has no SASL");
		return;
	}
	buf_puts(&m->yaml, "  sasl:\n");
	yaml_put(m, 4, "mechanism", mechanism);
	if (is_one_of(mechanism, PASSWORDS))
		put_password(m, jaas);
	else if (strcmp(mechanism, "GSSAPI") == 0)
		put_kerberos(m, jaas);
	else if (strcmp(mechanism, "AWS_MSK_IAM") == 0)
		note(m, KEY,
		    "its region is AWS_REGION, or token: {use: msk-iam, "
		    "region: ...}");
	else
		todo(m, KEY,
		    "%s: log in by kafka.sasl, and for OAUTHBEARER by the "
		    "section token",
		    mechanism);
}

static void
look_at_classes(struct migration *m)
{
	static const char *const KEYS[] = {CONSUMER "sasl.login.class",
	    CONSUMER "sasl.login.callback.handler.class",
	    CONSUMER "sasl.client.callback.handler.class"};

	for (size_t i = 0; i < sizeof(KEYS) / sizeof(*KEYS); i++)
		if (old_given(m, KEYS[i]) &&
		    strstr(old_text(m, KEYS[i]), "IAMClientCallbackHandler") ==
			NULL)
			todo(m, KEYS[i],
			    "%s is a class of Java: log in by kafka.sasl and "
			    "the section token",
			    old_text(m, KEYS[i]));
}

void
migrate_security(struct migration *m)
{
	static const char *const KEY = CONSUMER "security.protocol";
	const char *protocol = old_text(m, KEY);

	if (*protocol != '\0' && strcasecmp(protocol, "plaintext") != 0)
		warn(m, KEY,
		    "the original's finalizer and progress monitor could not "
		    "reach such brokers at all");
	put_tls(m, protocol);
	put_sasl(m, protocol);
	look_at_classes(m);
}
