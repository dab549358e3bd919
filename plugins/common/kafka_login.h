/*
 * kafka_login.h -- TLS and SASL of a plugin that talks to Kafka: the same keys,
 * and the same properties of librdkafka, as the service's own section has
 * (core/config/kafka_security.c; a test compares them).
 *
 * Tokens of a plugin's own are not among them: OAUTHBEARER is librdkafka's.
 */
#ifndef SECOR_COMMON_KAFKA_LOGIN_H
#define SECOR_COMMON_KAFKA_LOGIN_H

#include <secor/plugin.h>

enum { KAFKA_LOGIN_MOST = 20 };

struct kafka_login {
	struct {
		int enabled; /* see kafka_login_is_tls */
		const char *ca;
		const char *certificate, *key, *key_password;
		const char *keystore, *keystore_password;
		int verify_hostname;
	} tls;
	struct {
		int mechanism; /* index into kafka_mechanisms */
		const char *username, *password;
		const char *service, *principal, *keytab;
	} sasl;
};

extern const char *const kafka_mechanisms[];

/* The rows: `member` is the struct kafka_login in `type`. */
#define KAFKA_LOGIN_OPTIONS(type, member)                                      \
	SECOR_OPTION(BOOL, type, member.tls.enabled, "tls.enabled", "false",   \
	    0, "TLS to the brokers; true when another key of tls is given."),  \
	    SECOR_OPTION(PATH, type, member.tls.ca, "tls.ca", NULL, 0,         \
		"PEM file of the authorities to trust, instead of the "        \
		"system's."),                                                  \
	    SECOR_OPTION(PATH, type, member.tls.certificate,                   \
		"tls.certificate", NULL, 0,                                    \
		"PEM file of the client's certificate and its chain."),        \
	    SECOR_OPTION(PATH, type, member.tls.key, "tls.key", NULL, 0,       \
		"PEM file of its private key."),                               \
	    SECOR_OPTION(STRING, type, member.tls.key_password,                \
		"tls.key_password", NULL, SECOR_OPTION_SECRET,                 \
		"Password of the private key."),                               \
	    SECOR_OPTION(PATH, type, member.tls.keystore, "tls.keystore",      \
		NULL, 0,                                                       \
		"PKCS#12 file of certificate and key together, instead of "    \
		"those two."),                                                 \
	    SECOR_OPTION(STRING, type, member.tls.keystore_password,           \
		"tls.keystore_password", NULL, SECOR_OPTION_SECRET,            \
		"Password of the keystore."),                                  \
	    SECOR_OPTION(BOOL, type, member.tls.verify_hostname,               \
		"tls.verify_hostname", "true", 0,                              \
		"Whether the broker's certificate must name the host that "    \
		"was asked for."),                                             \
	    SECOR_OPTION_CHOICE(type, member.sasl.mechanism, "sasl.mechanism", \
		"none", kafka_mechanisms, 0,                                   \
		"How it says who it is. OAUTHBEARER takes its tokens by "      \
		"librdkafka's own properties (sasl.oauthbearer.*)."),          \
	    SECOR_OPTION(STRING, type, member.sasl.username, "sasl.username",  \
		NULL, 0, "User of PLAIN and SCRAM."),                          \
	    SECOR_OPTION(STRING, type, member.sasl.password, "sasl.password",  \
		NULL, SECOR_OPTION_SECRET, "The user's password."),            \
	    SECOR_OPTION(STRING, type, member.sasl.service, "sasl.service",    \
		NULL, 0,                                                       \
		"Kerberos: first part of the brokers' principals "             \
		"(librdkafka's: kafka)."),                                     \
	    SECOR_OPTION(STRING, type, member.sasl.principal,                  \
		"sasl.principal", NULL, 0, "Kerberos: who it is."),            \
	    SECOR_OPTION(PATH, type, member.sasl.keytab, "sasl.keytab", NULL,  \
		0, "Kerberos: file of its keys; kinit renews the ticket.")

/* Whether TLS is spoken. */
int kafka_login_is_tls(const struct kafka_login *login);

/* What librdkafka is told: how many. Borrows from the login. */
size_t kafka_login_properties(
    const struct kafka_login *login, struct secor_pair items[KAFKA_LOGIN_MOST]);

/* Complains of keys that do not go together. */
void kafka_login_check(
    const struct kafka_login *login, const struct secor_check *check);

#endif
