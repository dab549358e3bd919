/*
 * kafka_security.c -- TLS and SASL of the kafka section, and the tokens that
 * some of it needs: what each key is to librdkafka, and which go together.
 */
#include "core/base/buf.h"
#include "core/config/expand.h"
#include "core/config/parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what librdkafka is told ---- */

struct list {
	struct config_security *items;
	size_t count;
};

static void
put(struct list *list, const char *key, const char *value, const char *row)
{
	if (value != NULL)
		list->items[list->count++] =
		    (struct config_security){{key, value}, row};
}

static void
put_tls(struct list *list, const struct config_tls *tls)
{
	put(list, "ssl.ca.location", tls->ca, "tls.ca");
	put(list, "ssl.certificate.location", tls->certificate,
	    "tls.certificate");
	put(list, "ssl.key.location", tls->key, "tls.key");
	put(list, "ssl.key.password", tls->key_password, "tls.key_password");
	put(list, "ssl.keystore.location", tls->keystore, "tls.keystore");
	put(list, "ssl.keystore.password", tls->keystore_password,
	    "tls.keystore_password");
	put(list, "ssl.endpoint.identification.algorithm",
	    tls->verify_hostname ? "https" : "none", "tls.verify_hostname");
}

static void
put_sasl(struct list *list, const struct config_sasl *sasl)
{
	static const char *const NAMES[] = {[CONFIG_SASL_PLAIN] = "PLAIN",
	    [CONFIG_SASL_SCRAM_256] = "SCRAM-SHA-256",
	    [CONFIG_SASL_SCRAM_512] = "SCRAM-SHA-512",
	    [CONFIG_SASL_GSSAPI] = "GSSAPI",
	    [CONFIG_SASL_OAUTHBEARER] = "OAUTHBEARER",
	    [CONFIG_SASL_AWS_MSK_IAM] = "OAUTHBEARER"};

	put(list, "sasl.mechanism", NAMES[sasl->mechanism], "sasl.mechanism");
	put(list, "sasl.username", sasl->username, "sasl.username");
	put(list, "sasl.password", sasl->password, "sasl.password");
	if (sasl->mechanism != CONFIG_SASL_GSSAPI)
		return;
	put(list, "sasl.kerberos.service.name", sasl->service, "sasl.service");
	put(list, "sasl.kerberos.principal", sasl->principal, "sasl.principal");
	put(list, "sasl.kerberos.keytab", sasl->keytab, "sasl.keytab");
	/* no keys of its own: kinit has nothing to do */
	if (sasl->keytab == NULL)
		put(list, "sasl.kerberos.min.time.before.relogin", "0",
		    "sasl.mechanism without keytab");
}

size_t
config_kafka_security(const struct config_kafka *kafka,
    struct config_security items[CONFIG_SECURITY_MOST])
{
	int sasl = kafka->sasl.mechanism != CONFIG_SASL_NONE;
	int tls = kafka->tls.enabled;
	struct list list = {items, 0};

	if (!sasl && !tls)
		return 0;
	put(&list, "security.protocol",
	    sasl ? tls ? "sasl_ssl" : "sasl_plaintext" : "ssl",
	    sasl ? "sasl.mechanism" : "tls");
	if (tls)
		put_tls(&list, &kafka->tls);
	if (sasl)
		put_sasl(&list, &kafka->sasl);
	return list.count;
}

const char *
kafka_security_row(const struct config *config, const char *property)
{
	struct config_security list[CONFIG_SECURITY_MOST];
	size_t n = config_kafka_security(&config->kafka, list);

	if (strcmp(property, "sasl.mechanisms") == 0)
		property = "sasl.mechanism"; /* its other name */
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].property.key, property) == 0)
			return list[i].row;
	if (config->token.use != NULL &&
	    strstr(property, "sasl.oauthbearer.") != NULL)
		return "token";
	return NULL;
}

/* ---- binding ---- */

const struct node *
security_node(const struct node *kafka, const char *group)
{
	const struct node *map = node_get(kafka, group);
	size_t len = strlen(group);

	if (map != NULL && map->kind == NODE_MAP && map->count > 0)
		return map;
	for (size_t i = 0; kafka != NULL && i < kafka->count; i++)
		if (kafka->kind == NODE_MAP &&
		    strncmp(kafka->keys[i]->text, group, len) == 0 &&
		    kafka->keys[i]->text[len] == '.')
			return kafka->items[i];
	return NULL;
}

/* Whoever names a file of TLS means TLS. */
void
security_defaults(const struct node *kafka, struct config_kafka *conf)
{
	if (security_node(kafka, "tls") != NULL &&
	    node_get(kafka, "tls.enabled") == NULL &&
	    node_get(node_get(kafka, "tls"), "enabled") == NULL)
		conf->tls.enabled = 1;
}

/* AWS_MSK_IAM says where its token comes from. */
void
token_bind(
    const struct binder *binder, const struct node *root, struct config *config)
{
	int msk = config->kafka.sasl.mechanism == CONFIG_SASL_AWS_MSK_IAM;
	struct config_use usual = {.use = "msk-iam"};
	struct node none = {.kind = NODE_MAP,
	    .spot = node_spot(node_get(root, "kafka"), "sasl.mechanism")};
	const struct node *node = node_get(root, "token");

	if (node == NULL || node_is_null(node))
		node = msk ? &none : NULL;
	if (node != NULL)
		use_bind(binder, use_section("token"), node,
		    msk ? &usual : NULL, &config->token);
}

/* ---- rules ---- */

struct rules {
	const struct binder *binder;
	const struct node *kafka;
};

static void
complain(const struct rules *rules, const char *group, const char *key,
    const char *text)
{
	char *path = mem_text("%s.%s", group, key);

	diag_error(rules->binder->diag, node_spot(rules->kafka, path), "%s: %s",
	    path, text);
	free(path);
}

/* A file that the client would only miss when it connects. */
static void
check_file(const struct rules *rules, const char *row, const char *path,
    int is_private)
{
	struct secor_err err = {""};

	if (path == NULL)
		return;
	if (access(path, R_OK) != 0)
		diag_error(rules->binder->diag, node_spot(rules->kafka, row),
		    "%s: %s: %m", row, path);
	else if (is_private && secret_file_check(path, &err) != SECOR_OK)
		diag_error(rules->binder->diag, node_spot(rules->kafka, row),
		    "%s: %s", row, err.text);
}

static void
check_tls(const struct rules *rules, const struct config_tls *tls)
{
	const struct node *map = node_get(rules->kafka, "tls");

	if (map != NULL && map->kind == NODE_MAP && map->count == 0)
		diag_error(rules->binder->diag, map->spot,
		    "tls: is empty; {enabled: true} is TLS with the system's "
		    "authorities");
	if (tls->certificate != NULL && tls->key == NULL)
		complain(rules, "tls", "certificate",
		    "needs 'tls.key', its private key");
	if (tls->key != NULL && tls->certificate == NULL)
		complain(rules, "tls", "key", "needs 'tls.certificate'");
	if (tls->keystore != NULL &&
	    (tls->key != NULL || tls->certificate != NULL))
		complain(rules, "tls", "keystore",
		    "holds certificate and key: leave out 'tls.certificate' "
		    "and 'tls.key', or this");
	if (tls->key_password != NULL && tls->key == NULL)
		complain(rules, "tls", "key_password", "needs 'tls.key'");
	if (tls->keystore_password != NULL && tls->keystore == NULL)
		complain(
		    rules, "tls", "keystore_password", "needs 'tls.keystore'");
	check_file(rules, "tls.ca", tls->ca, 0);
	check_file(rules, "tls.certificate", tls->certificate, 0);
	check_file(rules, "tls.key", tls->key, 1);
	check_file(rules, "tls.keystore", tls->keystore, 1);
}

#define TAKES(mechanism) (1U << CONFIG_SASL_##mechanism)
#define PASSWORDS (TAKES(PLAIN) | TAKES(SCRAM_256) | TAKES(SCRAM_512))

struct sasl_key {
	const char *name, *value;
	unsigned takes;	   /* the mechanisms that take it */
	unsigned required; /* by which */
};

static void
check_key(const struct rules *rules, const struct sasl_key *key, int mechanism)
{
	const char *const *names =
	    options_find(&config_sections[0].opts, "sasl.mechanism")->choices;
	char text[128];

	if (key->value != NULL && mechanism == CONFIG_SASL_NONE)
		complain(rules, "sasl", key->name, "needs 'sasl.mechanism'");
	else if (key->value != NULL && (key->takes >> mechanism & 1) == 0) {
		(void)snprintf(text, sizeof(text), "%s has no use for it",
		    names[mechanism]);
		complain(rules, "sasl", key->name, text);
	} else if (key->value == NULL && (key->required >> mechanism & 1) &&
		   node_get(node_get(rules->kafka, "sasl"), key->name) ==
		       NULL) {
		(void)snprintf(text, sizeof(text), "is missing, %s needs it",
		    names[mechanism]);
		complain(rules, "sasl", key->name, text);
	}
}

static void
check_sasl(const struct rules *rules, const struct config_sasl *sasl)
{
	const unsigned kerberos = TAKES(GSSAPI);
	const struct sasl_key keys[] = {
	    {"username", sasl->username, PASSWORDS, PASSWORDS},
	    {"password", sasl->password, PASSWORDS, PASSWORDS},
	    {"service", sasl->service, kerberos, 0},
	    {"principal", sasl->principal, kerberos,
		sasl->keytab != NULL ? kerberos : 0},
	    {"keytab", sasl->keytab, kerberos,
		sasl->principal != NULL ? kerberos : 0},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		check_key(rules, &keys[i], sasl->mechanism);
	check_file(rules, "sasl.keytab", sasl->keytab, 1);
}

/* What is said in the clear. */
static void
check_secrecy(const struct rules *rules, const struct config_kafka *kafka)
{
	int mechanism = kafka->sasl.mechanism;
	const char *what = mechanism == CONFIG_SASL_PLAIN ? "the password"
			   : mechanism >= CONFIG_SASL_OAUTHBEARER ? "tokens"
								  : NULL;

	if (what != NULL && !kafka->tls.enabled)
		diag_warning(rules->binder->diag,
		    node_spot(rules->kafka, "sasl.mechanism"),
		    "sasl.mechanism: without tls %s can be read on the way",
		    what);
}

static void
check_token(const struct rules *rules, const struct node *root,
    const struct config *config)
{
	int mechanism = config->kafka.sasl.mechanism;
	const struct node *token = node_get(root, "token");

	if (mechanism == CONFIG_SASL_OAUTHBEARER && config->token.use == NULL &&
	    token == NULL)
		complain(rules, "sasl", "mechanism",
		    "OAUTHBEARER needs a section 'token' (like {use: oidc})");
	if (mechanism < CONFIG_SASL_OAUTHBEARER && config->token.use != NULL)
		diag_error(rules->binder->diag, node_spot(root, "token"),
		    "token: is for kafka.sasl.mechanism OAUTHBEARER");
	if (mechanism == CONFIG_SASL_AWS_MSK_IAM && config->token.use != NULL &&
	    strcmp(config->token.use, "msk-iam") != 0)
		diag_error(rules->binder->diag, node_spot(token, "use"),
		    "use: AWS_MSK_IAM has its tokens from 'msk-iam'; another "
		    "is for OAUTHBEARER");
}

void
kafka_security_check(const struct binder *binder, const struct node *root,
    const struct config *config)
{
	const struct rules rules = {binder, node_get(root, "kafka")};

	check_tls(&rules, &config->kafka.tls);
	check_sasl(&rules, &config->kafka.sasl);
	check_secrecy(&rules, &config->kafka);
	check_token(&rules, root, config);
}
