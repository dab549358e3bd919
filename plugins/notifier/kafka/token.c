/*
 * token.c -- tokens for brokers of the service's own cluster, by its section
 * `token`.
 */
#include "plugins/notifier/kafka/kafka.h"

#include <librdkafka/rdkafka.h>

enum { EXTENSIONS_MOST = 64 };

struct taking {
	rd_kafka_t *rk;
	int64_t expires_ms;
	int failed;
	char why[512];
};

static void
take(void *arg, const struct secor_token *token)
{
	struct taking *taking = arg;
	const char *extensions[2 * EXTENSIONS_MOST];
	const char *who = token->principal != NULL ? token->principal : "";
	size_t n = 0;

	taking->expires_ms = token->expires_ms;
	taking->failed = token->extension_count > EXTENSIONS_MOST;
	if (taking->failed) {
		(void)snprintf(taking->why, sizeof(taking->why),
		    "it has more than %d extensions", EXTENSIONS_MOST);
		return;
	}
	for (size_t i = 0; i < token->extension_count; i++) {
		extensions[n++] = token->extensions[i].key;
		extensions[n++] = token->extensions[i].value;
	}
	taking->failed =
	    rd_kafka_oauthbearer_set_token(taking->rk, token->value,
		token->expires_ms, who, extensions, n, taking->why,
		sizeof(taking->why)) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

int
token_give(struct rd_kafka_s *rk, const struct secor_cluster *cluster,
    int64_t *expires_ms, struct secor_err *err)
{
	struct taking taking = {.rk = rk};
	struct secor_err why = {""};

	if (cluster->token(cluster, take, &taking, &why) != SECOR_OK)
		return secor_fail(err, SECOR_RETRY,
		    "no token for the brokers: %.900s", why.text);
	if (taking.failed)
		return secor_fail(err, SECOR_RETRY,
		    "the token for the brokers is not taken: %s", taking.why);
	*expires_ms = taking.expires_ms;
	return SECOR_OK;
}
