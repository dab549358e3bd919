/*
 * properties.c -- what librdkafka is told. Invariant: what the promise rests on
 * is set last, so no property of the user can undo it (check refuses to try).
 */
#include "plugins/notifier/kafka/kafka.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *const kafka_codecs[] = {
    "none", "gzip", "snappy", "lz4", "zstd", NULL};

static const struct {
	const char *property, *why;
} REFUSED[] = {
    {"acks", "an event is heard when all replicas in sync have it"},
    {"request.required.acks",
	"an event is heard when all replicas in sync have it"},
    {"enable.idempotence", "without it order and single copies are lost"},
    {"max.in.flight", "idempotence sets it"},
    {"max.in.flight.requests.per.connection", "idempotence sets it"},
    {"retries", "idempotence sets it"},
    {"message.send.max.retries", "idempotence sets it"},
    {"transactional.id", "events are no transactions"},
    {"delivery.report.only.error", "acknowledgements are waited for"},
    {"message.timeout.ms", "use timeout"},
    {"delivery.timeout.ms", "use timeout"},
    {"batch.size", "it follows message.max.bytes"},
    {"compression.codec", "use compression"},
    {"compression.type", "use compression"},
    {"bootstrap.servers", "use brokers"},
    {"metadata.broker.list", "use brokers"},
    {"plugin.library.paths", "it loads foreign code into the client"},
    {"log.queue", "it is secor's"},
};

/* Ours unless the user says otherwise. */
static const struct secor_pair DEFAULTS[] = {
    {"client.id", "secor"},
    {"linger.ms", "5"},
    {"message.max.bytes", "1000000"},
    {"socket.timeout.ms", "10000"},
    {"socket.keepalive.enable", "true"},
    {"log.connection.close", "false"},
    {"partitioner", "murmur2_random"}, /* as the clients in Java */
    {"topic.metadata.propagation.max.ms", "5000"},
};

/* ---- check ---- */

static int
is_login(const char *property)
{
	return strncmp(property, "ssl.", 4) == 0 ||
	       strstr(property, "sasl.") != NULL ||
	       strcmp(property, "security.protocol") == 0;
}

/* Without brokers it is the service's cluster, and its login. */
static void
check_login(const struct kafka_conf *conf, const struct secor_check *check)
{
	static const char why[] =
	    "needs 'brokers': without them it is the cluster that the service "
	    "reads, and the login of the section kafka";

	if (conf->brokers.count > 0)
		return;
	if (kafka_login_is_tls(&conf->login))
		check->complain(check, "tls.enabled", why);
	if (conf->login.sasl.mechanism != 0)
		check->complain(check, "sasl.mechanism", why);
}

static const char *
refusal(const struct kafka_conf *conf, const char *property)
{
	struct secor_pair list[KAFKA_LOGIN_MOST];
	size_t n = kafka_login_properties(&conf->login, list);

	for (size_t i = 0; i < COUNT(REFUSED); i++)
		if (strcmp(REFUSED[i].property, property) == 0)
			return REFUSED[i].why;
	if (conf->brokers.count == 0 && is_login(property))
		return "without 'brokers' the login is that of the section "
		       "kafka";
	if (strcmp(property, "sasl.mechanisms") == 0)
		property = "sasl.mechanism"; /* its other name */
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].key, property) == 0)
			return "tls and sasl say it already";
	return NULL;
}

void
properties_check(const struct kafka_conf *conf, const struct secor_check *check)
{
	rd_kafka_conf_t *probe = rd_kafka_conf_new();
	char text[700], why[512];

	check_login(conf, check);
	for (size_t i = 0; i < conf->properties.count; i++) {
		const struct secor_pair *pair = &conf->properties.items[i];
		const char *no = refusal(conf, pair->key);

		text[0] = '\0';
		if (no != NULL)
			(void)snprintf(text, sizeof(text),
			    "%.80s is not yours to set: %s", pair->key, no);
		else if (rd_kafka_conf_set(probe, pair->key, pair->value, why,
			     sizeof(why)) != RD_KAFKA_CONF_OK)
			(void)snprintf(text, sizeof(text), "%s", why);
		if (text[0] != '\0')
			check->complain(check, "properties", text);
	}
	rd_kafka_conf_destroy(probe);
}

/* ---- setting ---- */

static int
set(rd_kafka_conf_t *to, const char *key, const char *value,
    struct secor_err *err)
{
	char why[512];

	if (rd_kafka_conf_set(to, key, value, why, sizeof(why)) ==
	    RD_KAFKA_CONF_OK)
		return SECOR_OK;
	return secor_fail(err, SECOR_FATAL, "property %s: %s", key, why);
}

static int
set_all(rd_kafka_conf_t *to, const struct secor_pair *pairs, size_t n,
    struct secor_err *err)
{
	int rc = SECOR_OK;

	for (size_t i = 0; rc == SECOR_OK && i < n; i++)
		rc = set(to, pairs[i].key, pairs[i].value, err);
	return rc;
}

static int
set_brokers(rd_kafka_conf_t *to, const struct secor_strings *brokers,
    struct secor_err *err)
{
	struct text list = {0};
	int rc;

	for (size_t i = 0; i < brokers->count; i++) {
		text_adds(&list, i > 0 ? "," : "");
		text_adds(&list, brokers->items[i]);
	}
	rc = list.failed || list.ptr == NULL
		 ? secor_fail(err, SECOR_FATAL, "out of memory")
		 : set(to, "bootstrap.servers", list.ptr, err);
	text_fini(&list);
	return rc;
}

/* Where it goes, and who it is there. */
static int
set_way_in(rd_kafka_conf_t *to, const struct kafka_conf *conf,
    const struct secor_cluster *cluster, struct secor_err *err)
{
	struct secor_pair login[KAFKA_LOGIN_MOST];
	size_t n = kafka_login_properties(&conf->login, login);
	int rc;

	if (cluster != NULL)
		return set_all(to, cluster->properties.items,
		    cluster->properties.count, err);
	rc = set_all(to, login, n, err);
	return rc == SECOR_OK ? set_brokers(to, &conf->brokers, err) : rc;
}

int
properties_set(struct rd_kafka_conf_s *to, const struct kafka_conf *conf,
    const struct secor_cluster *cluster, size_t batch_bytes,
    struct secor_err *err)
{
	char timeout[24], batch[24];
	const struct secor_pair fixed[] = {{"enable.idempotence", "true"},
	    {"acks", "all"}, {"message.timeout.ms", timeout},
	    {"batch.size", batch},
	    {"compression.codec", kafka_codecs[conf->compression]}};
	int rc = set_all(to, DEFAULTS, COUNT(DEFAULTS), err);

	(void)snprintf(
	    timeout, sizeof(timeout), "%lld", (long long)conf->timeout);
	(void)snprintf(batch, sizeof(batch), "%zu", batch_bytes);
	if (rc == SECOR_OK)
		rc = set_all(
		    to, conf->properties.items, conf->properties.count, err);
	if (rc == SECOR_OK)
		rc = set_way_in(to, conf, cluster, err);
	return rc == SECOR_OK ? set_all(to, fixed, COUNT(fixed), err) : rc;
}
