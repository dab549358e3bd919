/*
 * cluster.c -- see cluster.h. Invariant: one instance of the token's plugin,
 * used by whoever has the lock.
 */
#include "core/flow/cluster.h"

#include "core/base/buf.h"
#include "core/base/metrics.h"
#include "core/flow/client.h"
#include "core/flow/login.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct cluster {
	struct secor_cluster given; /* first: plugins hold this address */
	struct secor_pair *items;
	char *brokers;
	const struct config_use *use; /* of the token */
	pthread_mutex_t lock;
	void *source; /* NULL: not open yet. Holds: lock */
	_Atomic int stopping;
};

/* ---- properties ---- */

/* Whether a property is about who is let in, and where. */
static int
is_way_in(const char *property)
{
	static const char *const NAMES[] = {"security.protocol",
	    "enable.ssl.certificate.verification", "broker.address.family",
	    "client.dns.lookup", "api.version.request",
	    "broker.version.fallback"};

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++)
		if (strcmp(NAMES[i], property) == 0)
			return 1;
	return strncmp(property, "ssl.", 4) == 0 ||
	       strstr(property, "sasl.") != NULL;
}

static void
fill(struct cluster *cluster, const struct config_kafka *kafka)
{
	struct config_security list[CONFIG_SECURITY_MOST];
	size_t n = config_kafka_security(kafka, list), count = 0;

	cluster->items = mem_alloc(
	    (1 + kafka->properties.count + n) * sizeof(*cluster->items));
	cluster->brokers = client_brokers(kafka);
	cluster->items[count++] =
	    (struct secor_pair){"bootstrap.servers", cluster->brokers};
	for (size_t i = 0; i < kafka->properties.count; i++)
		if (is_way_in(kafka->properties.items[i].key))
			cluster->items[count++] = kafka->properties.items[i];
	for (size_t i = 0; i < n; i++)
		cluster->items[count++] = list[i].property;
	cluster->given.properties = (struct secor_pairs){cluster->items, count};
}

/* ---- tokens ---- */

/* Holds: lock. */
static int
open_source(struct cluster *cluster, struct secor_err *err)
{
	return cluster->source != NULL
		   ? SECOR_OK
		   : config_open(cluster->use, NULL, &cluster->source, err);
}

/* Holds: lock. */
static int
fetch(struct cluster *cluster, struct secor_token *token, struct secor_err *err)
{
	const struct secor_token_ops *ops = cluster->use->plugin->ops.token;
	int rc = open_source(cluster, err);

	if (rc == SECOR_OK)
		rc = login_fetch(ops, cluster->source, token, err);
	metric_add(login_fetches(rc == SECOR_OK ? "ok" : "failed"), 1);
	return rc;
}

/* Thread: any. */
static int
give(const struct secor_cluster *given,
    void (*take)(void *arg, const struct secor_token *token), void *arg,
    struct secor_err *err)
{
	struct cluster *cluster = (struct cluster *)given;
	struct secor_token token = {.size = sizeof(token)};
	int rc;

	(void)pthread_mutex_lock(&cluster->lock);
	rc = atomic_load(&cluster->stopping)
		 ? secor_fail(err, SECOR_RETRY, "the service stops")
		 : fetch(cluster, &token, err);
	if (rc == SECOR_OK)
		take(arg, &token);
	(void)pthread_mutex_unlock(&cluster->lock);
	return rc;
}

/* ---- life ---- */

struct secor_cluster *
cluster_new(const struct config *config)
{
	struct cluster *made = mem_alloc(sizeof(*made));

	made->given.size = sizeof(made->given);
	made->use = &config->token;
	(void)pthread_mutex_init(&made->lock, NULL);
	fill(made, &config->kafka);
	if (config->token.plugin != NULL)
		made->given.token = give;
	return &made->given;
}

void
cluster_stop(struct secor_cluster *given)
{
	struct cluster *cluster = (struct cluster *)given;

	atomic_store(&cluster->stopping, 1);
}

void
cluster_free(struct secor_cluster *given)
{
	struct cluster *cluster = (struct cluster *)given;

	if (cluster == NULL)
		return;
	if (cluster->source != NULL)
		cluster->use->plugin->ops.token->close(cluster->source);
	(void)pthread_mutex_destroy(&cluster->lock);
	free(cluster->items);
	free(cluster->brokers);
	free(cluster);
}
