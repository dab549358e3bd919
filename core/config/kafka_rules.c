/*
 * kafka_rules.c -- the kafka section: brokers, topics, and the client
 * properties that would break the promise.
 */
#include "core/base/buf.h"
#include "core/config/parts.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- brokers, group, topics ---- */

/* A list item's place, or that of the one value. */
static struct spot
item_spot(const struct node *kafka, const char *key, size_t i)
{
	const struct node *list = node_get(kafka, key);

	if (list != NULL && list->kind == NODE_LIST && i < list->count)
		return list->items[i]->spot;
	return node_spot(kafka, key);
}

static void
check_broker(const struct binder *binder, struct spot spot, const char *broker)
{
	struct secor_err err = {""};
	char host[512];
	int port;

	if (strchr(broker, ':') == NULL && *broker != '\0' &&
	    strpbrk(broker, "/ ") == NULL)
		return; /* the port is 9092 */
	if (config_address(broker, host, sizeof(host), &port, &err) != SECOR_OK)
		diag_error(binder->diag, spot,
		    "brokers: '%s' is no broker (like kafka-1:9092)", broker);
	else if (*host == '\0' || port == 0)
		diag_error(binder->diag, spot,
		    "brokers: '%s' has no host or no port", broker);
}

static void
check_brokers(const struct binder *binder, const struct node *kafka,
    const struct secor_strings *brokers)
{
	for (size_t i = 0; i < brokers->count; i++) {
		char *copy =
			 mem_dup(brokers->items[i], strlen(brokers->items[i])),
		     *rest = copy, *one;

		while ((one = strsep(&rest, ",")) != NULL)
			check_broker(
			    binder, item_spot(kafka, "brokers", i), one);
		free(copy);
	}
}

static int
begins_folder(const char *prefix, const char *topic)
{
	size_t len = strcspn(prefix, "/");

	return strlen(topic) == len && strncmp(prefix, topic, len) == 0;
}

static void
check_topics(const struct binder *binder, const struct node *kafka,
    const struct config *config)
{
	const struct secor_strings *topics = &config->kafka.topics;
	const struct config_layout *layout = &config->layout;

	for (size_t i = 0; i < topics->count; i++) {
		const char *topic = topics->items[i];
		struct spot spot = item_spot(kafka, "topics", i);

		if (begins_folder(layout->manifest_prefix, topic))
			diag_error(binder->diag, spot,
			    "topics: '%s' is where manifests go: move them "
			    "with layout.manifest_prefix",
			    topic);
		if (begins_folder(layout->dead_letter_prefix, topic))
			diag_error(binder->diag, spot,
			    "topics: '%s' is where dead letters go: move them "
			    "with layout.dead_letter_prefix",
			    topic);
		if (strcmp(topic, CONFIG_QUARANTINE) == 0)
			diag_error(binder->diag, spot,
			    "topics: '%s' is where 'secor offsets' keeps "
			    "removed objects",
			    topic);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(topics->items[k], topic) == 0)
				diag_error(binder->diag, spot,
				    "topics: '%s' comes twice", topic);
		}
	}
}

static void
check_lists(const struct binder *binder, const struct node *kafka,
    const struct config_kafka *conf)
{
	static const char *const LISTS[] = {"brokers", "topics"};

	for (size_t i = 0; i < 2; i++) {
		const struct node *list = node_get(kafka, LISTS[i]);

		if (list != NULL && list->kind == NODE_LIST && list->count == 0)
			diag_error(
			    binder->diag, list->spot, "%s: is empty", LISTS[i]);
	}
	if (conf->group != NULL && *conf->group == '\0')
		diag_error(
		    binder->diag, node_spot(kafka, "group"), "group: is empty");
}

/* ---- properties ---- */

struct refusal {
	const char *property;
	const char *why;
};

#define COMMITS "secor commits by itself, anything else would erase its plans"
#define EXPLICIT "the start of every partition is explicit, no silent jump"

static const struct refusal REFUSED[] = {
    {"enable.auto.commit", COMMITS},
    {"auto.commit.enable", COMMITS},
    {"auto.commit.interval.ms", COMMITS},
    {"enable.auto.offset.store", COMMITS},
    {"auto.offset.reset", EXPLICIT},
    {"isolation.level", "records of aborted transactions must not be stored"},
    {"check.crcs", "broken batches must not be stored"},
    {"enable.partition.eof", "replays end by it"},
    {"group.protocol", "the protocol of commits needs the classic one"},
    {"group.id", "use kafka.group"},
    {"group.instance.id", "use kafka.instance_id"},
    {"bootstrap.servers", "use kafka.brokers"},
    {"metadata.broker.list", "use kafka.brokers"},
    {"max.poll.interval.ms", "use kafka.max_poll_interval"},
    {"session.timeout.ms", "use kafka.session_timeout"},
    {"socket.timeout.ms", "it bounds a commit without an answer"},
    {"plugin.library.paths", "it loads foreign code into the client"},
    {"log.queue", "it is secor's"},
    {"consume.callback.max.messages", "secor takes messages from a queue"},
};

static const char *
refusal_of(const char *property, const char *value)
{
	for (size_t i = 0; i < sizeof(REFUSED) / sizeof(*REFUSED); i++) {
		if (strcmp(REFUSED[i].property, property) == 0)
			return REFUSED[i].why;
	}
	if (strncmp(property, "offset.store.", 13) == 0)
		return "offsets are stored in Kafka alone";
	if (strcmp(property, "partition.assignment.strategy") == 0 &&
	    strstr(value, "cooperative") != NULL)
		return "cooperative assignment loses partitions' order of "
		       "events; use range or roundrobin";
	return NULL;
}

static const char *
near_property(
    rd_kafka_conf_t *conf, const char *property, char *dst, size_t room)
{
	size_t n = 0, words = 0;
	const char **dump = rd_kafka_conf_dump(conf, &n);
	const char **keys = mem_alloc((n + 1) * sizeof(*keys));
	const char *near;

	for (size_t i = 0; i + 1 < n; i += 2)
		keys[words++] = dump[i];
	near = nearest_word(property, keys, words);
	if (near != NULL)
		(void)snprintf(dst, room, "; did you mean '%s'?", near);
	else
		*dst = '\0';
	free(keys);
	rd_kafka_conf_dump_free(dump, n);
	return dst;
}

/* A file that the client would only miss when it connects. */
static int
can_read(const struct secor_pair *pair)
{
	size_t len = strlen(pair->key);

	if (len <= 9 || strcmp(pair->key + len - 9, ".location") != 0 ||
	    strcmp(pair->value, "probe") == 0)
		return 1;
	return access(pair->value, R_OK) == 0;
}

static void
set_property(const struct binder *binder, const struct config *config,
    const struct node *map, const struct secor_pair *pair,
    rd_kafka_conf_t *conf)
{
	const char *why = refusal_of(pair->key, pair->value), *row;
	rd_kafka_conf_res_t res;
	char text[512], near[256];

	if (why != NULL) {
		diag_error(binder->diag, node_key_spot(map, pair->key),
		    "properties: %s is not yours to set: %s", pair->key, why);
		return;
	}
	row = kafka_security_row(config, pair->key);
	if (row != NULL) {
		diag_error(binder->diag, node_key_spot(map, pair->key),
		    "properties: %s is what %s says: keep one of them",
		    pair->key, row);
		return;
	}
	if (!can_read(pair)) {
		diag_error(binder->diag, node_spot(map, pair->key),
		    "properties: %s: %s: %m", pair->key, pair->value);
		return;
	}
	res =
	    rd_kafka_conf_set(conf, pair->key, pair->value, text, sizeof(text));
	if (res == RD_KAFKA_CONF_UNKNOWN)
		diag_error(binder->diag, node_key_spot(map, pair->key),
		    "properties: %s%s", text,
		    near_property(conf, pair->key, near, sizeof(near)));
	else if (res != RD_KAFKA_CONF_OK)
		diag_error(binder->diag, node_spot(map, pair->key),
		    "properties: %s", text);
}

static void
drop_log(const rd_kafka_t *client, int level, const char *fac, const char *text)
{
	(void)client;
	(void)level;
	(void)fac;
	(void)text;
}

static void
set_ms(rd_kafka_conf_t *conf, const char *property, int64_t ms)
{
	char text[32], why[128];

	(void)snprintf(text, sizeof(text), "%lld", (long long)ms);
	(void)rd_kafka_conf_set(conf, property, text, why, sizeof(why));
}

/* Rules between properties, and files of certificates: the client knows them,
 * and says so when it is made. It has no broker to talk to. */
static void
try_client(const struct binder *binder, const struct node *kafka,
    rd_kafka_conf_t *conf)
{
	const char *from = "properties";
	const struct node *node = node_get(kafka, from);
	rd_kafka_t *client;
	char text[512] = "";

	rd_kafka_conf_set_log_cb(conf, drop_log);
	client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
	if (client != NULL) {
		rd_kafka_destroy(client);
		return;
	}
	if (security_node(kafka, "tls") != NULL &&
	    strcasestr(text, "ssl") != NULL)
		from = "tls";
	else if (node == NULL)
		from = "sasl";
	if (node == NULL || strcmp(from, "tls") == 0)
		node = security_node(kafka, from);
	diag_error(binder->diag, node != NULL ? node->spot : kafka->spot,
	    "%s: %s", from, text);
	rd_kafka_conf_destroy(conf);
}

/* Its tokens come from elsewhere; it must have somebody to ask. */
static void
no_token(rd_kafka_t *client, const char *asked, void *arg)
{
	(void)client;
	(void)asked;
	(void)arg;
}

/* What tls and sasl say. Nobody talks to a KDC here. */
static size_t
set_security(const struct config *config, rd_kafka_conf_t *client)
{
	struct config_security list[CONFIG_SECURITY_MOST];
	size_t n = config_kafka_security(&config->kafka, list);
	char why[128];

	for (size_t i = 0; i < n; i++)
		(void)rd_kafka_conf_set(client, list[i].property.key,
		    list[i].property.value, why, sizeof(why));
	if (config->kafka.sasl.mechanism == CONFIG_SASL_GSSAPI)
		set_ms(client, "sasl.kerberos.min.time.before.relogin", 0);
	if (config->token.use != NULL)
		rd_kafka_conf_set_oauthbearer_token_refresh_cb(
		    client, no_token);
	return n;
}

static void
check_properties(const struct binder *binder, const struct node *kafka,
    const struct config *config, size_t errors_before)
{
	const struct config_kafka *conf = &config->kafka;
	const struct node *map = node_get(kafka, "properties");
	rd_kafka_conf_t *client = rd_kafka_conf_new();
	size_t n;

	set_ms(client, "session.timeout.ms", conf->session_timeout_ms);
	set_ms(client, "max.poll.interval.ms", conf->max_poll_interval_ms);
	for (size_t i = 0; i < conf->properties.count; i++)
		set_property(
		    binder, config, map, &conf->properties.items[i], client);
	n = set_security(config, client) + conf->properties.count;
	/* a client may run code of others: kinit, engines of OpenSSL */
	if (n > 0 && binder->diag->errors == errors_before && binder->load)
		try_client(binder, kafka, client);
	else
		rd_kafka_conf_destroy(client);
}

void
kafka_rules_check(const struct binder *binder, const struct node *root,
    const struct config *config)
{
	const struct node *kafka = node_get(root, "kafka");
	size_t before = binder->diag->errors;

	check_lists(binder, kafka, &config->kafka);
	check_brokers(binder, kafka, &config->kafka.brokers);
	check_topics(binder, kafka, config);
	kafka_security_check(binder, root, config);
	check_properties(binder, kafka, config, before);
}

void
kafka_rules_each(
    void (*each)(void *arg, const char *property, const char *why), void *arg)
{
	for (size_t i = 0; i < sizeof(REFUSED) / sizeof(*REFUSED); i++)
		each(arg, REFUSED[i].property, REFUSED[i].why);
	each(arg, "offset.store.*", refusal_of("offset.store.method", ""));
	each(arg, "partition.assignment.strategy: cooperative-sticky",
	    refusal_of("partition.assignment.strategy", "cooperative"));
}
