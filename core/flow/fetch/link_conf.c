/*
 * link_conf.c -- what a link needs to know, from the properties of a handle.
 * rd_kafka_conf_get() gives every value as it is in force, passwords too.
 */
#include "core/flow/fetch/link_inside.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* NULL: not set, or empty. */
static char *
text(rd_kafka_t *rk, const char *key)
{
	const rd_kafka_conf_t *conf = rd_kafka_conf(rk);
	size_t size = 0;
	char *value;

	if (rd_kafka_conf_get(conf, key, NULL, &size) != RD_KAFKA_CONF_OK ||
	    size <= 1)
		return NULL;
	value = mem_alloc(size);
	if (rd_kafka_conf_get(conf, key, value, &size) == RD_KAFKA_CONF_OK)
		return value;
	free(value);
	return NULL;
}

static int
number(rd_kafka_t *rk, const char *key)
{
	char *value = text(rk, key);
	long n = value != NULL ? strtol(value, NULL, 10) : 0;

	free(value);
	return (int)n;
}

static int
is(rd_kafka_t *rk, const char *key, const char *wanted)
{
	char *value = text(rk, key);
	int same = value != NULL && strcmp(value, wanted) == 0;

	free(value);
	return same;
}

static void
fill(struct link_conf *conf, rd_kafka_t *rk)
{
	int setup_ms = number(rk, "socket.connection.setup.timeout.ms");

	conf->client_id = text(rk, "client.id");
	conf->timeout_ms = number(rk, "socket.timeout.ms");
	if (setup_ms > 0 && setup_ms < conf->timeout_ms)
		conf->timeout_ms = setup_ms;
	conf->receive_most = number(rk, "receive.message.max.bytes");
	conf->keepalive = is(rk, "socket.keepalive.enable", "true");
	conf->no_delay = is(rk, "socket.nagle.disable", "true");
	conf->send_bytes = number(rk, "socket.send.buffer.bytes");
	conf->receive_bytes = number(rk, "socket.receive.buffer.bytes");
	conf->family = is(rk, "broker.address.family", "v4")   ? AF_INET
		       : is(rk, "broker.address.family", "v6") ? AF_INET6
							       : AF_UNSPEC;
}

int
link_conf_new(rd_kafka_t *rk, struct login *login, struct link_conf **out,
    struct secor_err *err)
{
	struct link_conf *conf = mem_alloc(sizeof(*conf));

	conf->login = login;
	fill(conf, rk);
	if (!is(rk, "security.protocol", "plaintext")) {
		link_conf_free(conf);
		return secor_fail(
		    err, SECOR_FATAL, "TLS and SASL are not known here");
	}
	*out = conf;
	return SECOR_OK;
}

void
link_conf_free(struct link_conf *conf)
{
	if (conf == NULL)
		return;
	free(conf->client_id);
	free(conf);
}
