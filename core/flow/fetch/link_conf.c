/*
 * link_conf.c -- what a link needs to know, from the properties of a handle.
 */
#include "core/flow/fetch/link_inside.h"

#include "core/flow/client.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int
is(rd_kafka_t *rk, const char *key, const char *wanted)
{
	char *value = client_property(rk, key);
	int same = value != NULL && strcmp(value, wanted) == 0;

	free(value);
	return same;
}

static void
fill(struct link_conf *conf, rd_kafka_t *rk)
{
	int setup_ms =
	    (int)client_number(rk, "socket.connection.setup.timeout.ms");

	conf->client_id = client_property(rk, "client.id");
	conf->timeout_ms = (int)client_number(rk, "socket.timeout.ms");
	if (setup_ms > 0 && setup_ms < conf->timeout_ms)
		conf->timeout_ms = setup_ms;
	conf->receive_most =
	    (int)client_number(rk, "receive.message.max.bytes");
	conf->keepalive = is(rk, "socket.keepalive.enable", "true");
	conf->no_delay = is(rk, "socket.nagle.disable", "true");
	conf->send_bytes = (int)client_number(rk, "socket.send.buffer.bytes");
	conf->receive_bytes =
	    (int)client_number(rk, "socket.receive.buffer.bytes");
	conf->family = is(rk, "broker.address.family", "v4")   ? AF_INET
		       : is(rk, "broker.address.family", "v6") ? AF_INET6
							       : AF_UNSPEC;
}

static void
fill_security(struct link_conf *conf, rd_kafka_t *rk)
{
	struct link_tls_conf *tls = &conf->tls;
	struct link_sasl_conf *sasl = &conf->sasl;
	int both = is(rk, "security.protocol", "sasl_ssl");

	tls->on = both || is(rk, "security.protocol", "ssl");
	if (tls->on) {
		tls->verify =
		    is(rk, "enable.ssl.certificate.verification", "true");
		tls->verify_name =
		    is(rk, "ssl.endpoint.identification.algorithm", "https");
		tls->ca = client_property(rk, "ssl.ca.location");
		tls->certificate =
		    client_property(rk, "ssl.certificate.location");
		tls->key = client_property(rk, "ssl.key.location");
		tls->key_password = client_property(rk, "ssl.key.password");
		tls->keystore = client_property(rk, "ssl.keystore.location");
		tls->keystore_password =
		    client_property(rk, "ssl.keystore.password");
	}
	if (both || is(rk, "security.protocol", "sasl_plaintext")) {
		sasl->mechanism = client_property(rk, "sasl.mechanism");
		sasl->username = client_property(rk, "sasl.username");
		sasl->password = client_property(rk, "sasl.password");
	}
}

int
link_conf_new(rd_kafka_t *rk, struct login *login, struct link_conf **out,
    struct secor_err *err)
{
	struct link_conf *conf = mem_alloc(sizeof(*conf));
	int rc = SECOR_OK;

	conf->login = login;
	fill(conf, rk);
	fill_security(conf, rk);
	if (conf->tls.on)
		rc = link_tls_check(conf, err);
	if (rc == SECOR_OK && conf->sasl.mechanism != NULL)
		rc = link_sasl_check(conf, err);
	if (rc == SECOR_OK)
		*out = conf;
	else
		link_conf_free(conf);
	return rc;
}

static void
wipe(char *secret)
{
	if (secret != NULL)
		OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
}

void
link_conf_free(struct link_conf *conf)
{
	if (conf == NULL)
		return;
	free(conf->client_id);
	free(conf->tls.ca);
	free(conf->tls.certificate);
	free(conf->tls.key);
	wipe(conf->tls.key_password);
	free(conf->tls.keystore);
	wipe(conf->tls.keystore_password);
	free(conf->sasl.mechanism);
	free(conf->sasl.username);
	wipe(conf->sasl.password);
	free(conf);
}
