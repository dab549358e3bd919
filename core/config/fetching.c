/*
 * fetching.c -- whether connections of our own may read the partitions: only
 * where they do all that the configuration asks for. A property that is in
 * neither list is librdkafka's alone.
 */
#include "core/config/parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What link and readers take from the handle. */
static const char *const HONOURED[] = {"broker.address.family", "check.crcs",
    "client.id", "client.rack", "enable.ssl.certificate.verification",
    "fetch.error.backoff.ms", "fetch.max.bytes", "fetch.message.max.bytes",
    "fetch.min.bytes", "fetch.wait.max.ms", "max.partition.fetch.bytes",
    "queued.max.messages.kbytes", "receive.message.max.bytes",
    "reconnect.backoff.max.ms", "reconnect.backoff.ms", "sasl.mechanism",
    "sasl.mechanisms", "sasl.password", "sasl.username", "security.protocol",
    "socket.connection.setup.timeout.ms", "socket.keepalive.enable",
    "socket.nagle.disable", "socket.receive.buffer.bytes",
    "socket.send.buffer.bytes", "socket.timeout.ms", "ssl.ca.location",
    "ssl.certificate.location", "ssl.endpoint.identification.algorithm",
    "ssl.key.location", "ssl.key.password", "ssl.keystore.location",
    "ssl.keystore.password", NULL};

/* Groups, metadata, statistics and producing: nothing that Fetch does. */
static const char *const NO_MATTER[] = {
    /* group, commits and metadata: librdkafka's in any case */
    "allow.auto.create.topics", "auto.commit.enable", "auto.commit.interval.ms",
    "auto.offset.reset", "coordinator.query.interval.ms", "enable.auto.commit",
    "enable.auto.offset.store", "enable.partition.eof", "group.id",
    "group.instance.id", "group.protocol.type", "heartbeat.interval.ms",
    "isolation.level", "max.poll.interval.ms", "metadata.max.age.ms",
    "partition.assignment.strategy", "session.timeout.ms", "topic.blacklist",
    "topic.metadata.propagation.max.ms", "topic.metadata.refresh.fast.cnt",
    "topic.metadata.refresh.fast.interval.ms",
    "topic.metadata.refresh.interval.ms", "topic.metadata.refresh.sparse",
    /* what it says of itself */
    "debug", "enable.random.seed", "internal.termination.signal",
    "log.connection.close", "log.thread.name", "log_level",
    "statistics.interval.ms",
    /* of its queues and sockets: ours resolve a name whenever they connect,
     * are never idle, and have one request under way */
    "broker.address.ttl", "connections.max.idle.ms", "max.in.flight",
    "max.in.flight.requests.per.connection", "message.copy.max.bytes",
    "message.max.bytes", "queued.min.messages", "reconnect.backoff.jitter.ms",
    "socket.blocking.max.ms",
    /* Kerberos: the mechanism says it */
    "sasl.kerberos.keytab", "sasl.kerberos.kinit.cmd",
    "sasl.kerberos.min.time.before.relogin", "sasl.kerberos.principal",
    "sasl.kerberos.service.name",
    /* of producers */
    "acks", "batch.num.messages", "batch.size", "compression.codec",
    "compression.level", "compression.type", "delivery.report.only.error",
    "delivery.timeout.ms", "enable.gapless.guarantee", "enable.idempotence",
    "linger.ms", "message.send.max.retries", "message.timeout.ms",
    "partitioner", "produce.offset.report",
    "queue.buffering.backpressure.threshold", "queue.buffering.max.kbytes",
    "queue.buffering.max.messages", "queue.buffering.max.ms",
    "queuing.strategy", "request.required.acks", "request.timeout.ms",
    "retries", "retry.backoff.ms", "sticky.partitioning.linger.ms",
    "transaction.timeout.ms", "transactional.id", NULL};

static int
is_in(const char *const *list, const char *word)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, word) == 0)
			return 1;
	return 0;
}

/* The last that says it, as in librdkafka; NULL: none does. */
static const char *
property_of(const struct secor_pairs *pairs, const char *key, const char *other)
{
	const char *value = NULL;

	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].key, key) == 0 ||
		    strcmp(pairs->items[i].key, other) == 0)
			value = pairs->items[i].value;
	return value;
}

/* Logins by the properties alone; those of kafka.sasl are known but one. */
static int
takes_login(const struct config_kafka *kafka, char *why, size_t room)
{
	static const char *const PASSWORDS[] = {
	    "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", NULL};
	const char *protocol =
	    property_of(&kafka->properties, "security.protocol", "");
	const char *mechanism = property_of(
	    &kafka->properties, "sasl.mechanism", "sasl.mechanisms");

	if (kafka->sasl.mechanism != CONFIG_SASL_NONE) {
		if (kafka->sasl.mechanism != CONFIG_SASL_GSSAPI)
			return 1;
		(void)snprintf(why, room,
		    "kafka.sasl.mechanism: GSSAPI is librdkafka's alone");
		return 0;
	}
	if (protocol == NULL || strncasecmp(protocol, "sasl", 4) != 0)
		return 1;
	if (mechanism == NULL)
		mechanism = "GSSAPI"; /* librdkafka's default */
	if (is_in(PASSWORDS, mechanism))
		return 1;
	(void)snprintf(why, room,
	    "kafka.properties: sasl.mechanism %s is librdkafka's alone%s",
	    mechanism,
	    strcmp(mechanism, "OAUTHBEARER") == 0
		? " unless kafka.sasl.mechanism and the section token say it"
		: "");
	return 0;
}

int
config_own_fetch(const struct config *config, char *why, size_t room)
{
	const struct secor_pairs *pairs = &config->kafka.properties;

	if (config->kafka.fetch == CONFIG_FETCH_LIBRDKAFKA) {
		(void)snprintf(why, room, "kafka.fetch says so");
		return 0;
	}
	if (!takes_login(&config->kafka, why, room))
		return 0;
	for (size_t i = 0; i < pairs->count; i++) {
		const char *key = pairs->items[i].key;

		if (is_in(HONOURED, key) || is_in(NO_MATTER, key))
			continue;
		(void)snprintf(why, room,
		    "kafka.properties: %s is librdkafka's alone", key);
		return 0;
	}
	return 1;
}

void
fetching_check(const struct binder *binder, const struct node *root,
    const struct config *config)
{
	const struct node *kafka = node_get(root, "kafka");
	char why[256];

	if (config->kafka.fetch == CONFIG_FETCH_OWN &&
	    !config_own_fetch(config, why, sizeof(why)))
		diag_error(binder->diag, node_spot(kafka, "fetch"),
		    "fetch: 'own' is not possible: %s; leave that out, or "
		    "choose auto",
		    why);
}
