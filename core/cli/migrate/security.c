/*
 * security.c -- TLS and SASL: the settings of Java's client as librdkafka has
 * them. Keys and certificates of Java lie in key stores that OpenSSL cannot
 * read; what is in them must be taken out.
 */
#include "core/cli/migrate/migration.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONSUMER "kafka.new.consumer."

/* ---- TLS ---- */

static void
put_key_store(struct migration *m)
{
	static const char *const KEY = CONSUMER "ssl.keystore.location";
	const char *file = old_text(m, KEY);

	if (*file == '\0')
		return;
	yaml_put(m, 4, "ssl.keystore.location", file);
	if (strcasecmp(old_text(m, CONSUMER "ssl.keystore.type"), "PKCS12") !=
	    0)
		todo(m, KEY,
		    "a key store of Java must become PKCS#12: keytool "
		    "-importkeystore -srckeystore %s -destkeystore ks.p12 "
		    "-deststoretype PKCS12",
		    file);
	if (old_given(m, CONSUMER "ssl.keystore.password"))
		yaml_secret(m, 4, "ssl.keystore.password",
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
	yaml_put(m, 4, "ssl.ca.location", file);
	todo(m, KEY,
	    "the authorities must be a PEM file: keytool -list -rfc -keystore "
	    "%s > ca.pem, then ssl.ca.location: ca.pem",
	    file);
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
put_jaas_text(struct migration *m, const char *jaas, const char *name,
    const char *property)
{
	char *value = jaas_value(jaas, name);

	if (value != NULL)
		yaml_put(m, 4, property, value);
	free(value);
}

static void
put_login(struct migration *m)
{
	static const char *const KEY = CONSUMER "sasl.jaas.config";
	const char *jaas = old_text(m, KEY);

	if (*jaas == '\0')
		return;
	if (strstr(jaas, "PlainLoginModule") != NULL ||
	    strstr(jaas, "ScramLoginModule") != NULL) {
		put_jaas_text(m, jaas, "username", "sasl.username");
		yaml_secret(m, 4, "sasl.password", "KAFKA_SASL_PASSWORD", KEY);
	} else if (strstr(jaas, "Krb5LoginModule") != NULL) {
		put_jaas_text(m, jaas, "keyTab", "sasl.kerberos.keytab");
		put_jaas_text(m, jaas, "principal", "sasl.kerberos.principal");
	} else {
		todo(m, KEY,
		    "this login module has no equal known here: see "
		    "librdkafka's sasl.* properties");
	}
	if (strstr(jaas, "password") != NULL &&
	    properties_find(m->properties, KEY)->count > 1)
		warn(m, KEY,
		    "an unescaped comma: the original saw what is before it "
		    "alone");
}

static void
look_at_classes(struct migration *m)
{
	static const char *const KEYS[] = {CONSUMER "sasl.login.class",
	    CONSUMER "sasl.login.callback.handler.class",
	    CONSUMER "sasl.client.callback.handler.class"};

	for (size_t i = 0; i < sizeof(KEYS) / sizeof(*KEYS); i++)
		if (old_given(m, KEYS[i]))
			todo(m, KEYS[i],
			    "%s is a class of Java: log in by librdkafka's "
			    "sasl.* properties",
			    old_text(m, KEYS[i]));
}

void
migrate_security(struct migration *m)
{
	static const char *const KEY = CONSUMER "security.protocol";
	char *protocol = mem_text("%s", old_text(m, KEY));

	for (char *at = protocol; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	if (*protocol != '\0')
		yaml_put(m, 4, "security.protocol", protocol);
	if (*protocol != '\0' && strcmp(protocol, "plaintext") != 0)
		warn(m, KEY,
		    "the original's finalizer and progress monitor could not "
		    "reach such brokers at all");
	free(protocol);
	put_key_store(m);
	put_trust_store(m);
	put_login(m);
	look_at_classes(m);
}
