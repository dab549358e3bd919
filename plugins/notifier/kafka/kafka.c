/*
 * kafka.c -- writes events to a Kafka topic, as JSON: one message an object, a
 * batch or a path.
 *
 * An event is heard when all of its messages are acknowledged by all replicas
 * in sync. Anything else is RETRY, and what was not acknowledged comes again:
 * consumers see it at least once, with the same "id". By `key` all that is said
 * of a path (or of a partition of the source) is in one partition, in order.
 *
 * An event with more objects than fit into a message comes as several, each
 * with a share of the objects, "part" (from 1 on) and "parts".
 *
 * A message that is refused when it is sent alone is dropped: one that cannot
 * be made smaller, or a record that its topic does not take. The others of the
 * batch are written all the same, then it is REJECT. So is what has no topic.
 */
#include "plugins/notifier/kafka/kafka.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const EVENTS[] = {"object", "batch", "path"};
static const char *const KEYS[] = {"path", "partition", "none", NULL};

static const struct secor_option OPTIONS[] = {
    SECOR_OPTION(STRINGS, struct kafka_conf, brokers, "brokers", "[]", 0,
	"Brokers to begin with, host:port, with tls and sasl of their own. "
	"Without: the cluster that the service reads, with its login and "
	"tokens."),
    SECOR_OPTION(STRING, struct kafka_conf, topic, "topic", NULL,
	SECOR_OPTION_REQUIRED,
	"Where events are written; {topic} is the topic that they are about."),
    SECOR_OPTION(STRINGS, struct kafka_conf, events, "events", "[object, path]",
	0,
	"What is told: each object that is stored (object), each batch with "
	"its objects (batch), each path that is complete or amended (path)."),
    SECOR_OPTION_CHOICE(struct kafka_conf, key, "key", "path", KEYS, 0,
	"Key of the messages: <topic>/<path>, <topic>/<partition>, or none. "
	"What has the same key is read in the order it was told."),
    KAFKA_LOGIN_OPTIONS(struct kafka_conf, login),
    SECOR_OPTION_CHOICE(struct kafka_conf, compression, "compression", "none",
	kafka_codecs, 0, "Codec of the messages."),
    SECOR_OPTION_RANGE(DURATION, struct kafka_conf, timeout, "timeout", "10s",
	"1s", "1h", 0,
	"For the acknowledgement of a message; then the event comes again."),
    SECOR_OPTION(PAIRS, struct kafka_conf, properties, "properties", "{}", 0,
	"Further properties of librdkafka, such as message.max.bytes. Secrets "
	"may be file:PATH."),
};

/* ---- check ---- */

static unsigned
event_of(const char *name)
{
	for (size_t i = 0; i < sizeof(EVENTS) / sizeof(EVENTS[0]); i++)
		if (strcmp(EVENTS[i], name) == 0)
			return 1U << i;
	return 0;
}

static void
check_events(const struct kafka_conf *conf, const struct secor_check *check)
{
	char text[160];

	if (conf->events.count == 0)
		check->complain(check, "events", "is empty: nothing is told");
	for (size_t i = 0; i < conf->events.count; i++) {
		if (event_of(conf->events.items[i]) != 0)
			continue;
		(void)snprintf(text, sizeof(text),
		    "'%.80s' is none of object, batch, path",
		    conf->events.items[i]);
		check->complain(check, "events", text);
	}
}

static const char *
topic_complaint(const char *topic)
{
	static const char GOOD[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *at = topic;

	if (*topic == '\0')
		return "is empty";
	if (strcmp(topic, ".") == 0 || strcmp(topic, "..") == 0)
		return "is no name of a topic";
	if (strcmp(topic, KAFKA_TOPIC) == 0)
		return "is the topic that is read: events of events would "
		       "never end";
	while (*at != '\0') {
		size_t n = strspn(at, GOOD);

		at += n;
		if (strncmp(at, KAFKA_TOPIC, sizeof(KAFKA_TOPIC) - 1) == 0)
			at += sizeof(KAFKA_TOPIC) - 1;
		else if (*at != '\0')
			return "is no name of a topic: letters, digits, '.', "
			       "'_', '-', and {topic}";
	}
	return strlen(topic) > KAFKA_LONGEST_TOPIC ? "is longer than 249 bytes"
						   : NULL;
}

static void
kafka_check(const void *conf_, const struct secor_check *check)
{
	const struct kafka_conf *conf = conf_;
	const char *why =
	    conf->topic != NULL ? topic_complaint(conf->topic) : NULL;

	if (why != NULL)
		check->complain(check, "topic", why);
	check_events(conf, check);
	kafka_login_check(&conf->login, check);
	properties_check(conf, check);
}

/* ---- instance ---- */

static void
kafka_close(void *self)
{
	struct kafka *kafka = self;

	if (kafka == NULL)
		return;
	producer_free(kafka->producer);
	kept_clear(&kafka->kept);
	free(kafka);
}

/* Whose cluster it is; *cluster NULL: that of the configuration. */
static int
find_cluster(const struct secor_open *with,
    const struct secor_cluster **cluster, struct secor_err *err)
{
	const size_t needed =
	    offsetof(struct secor_open, cluster) + sizeof(with->cluster);
	const struct kafka_conf *conf = with->conf;

	*cluster = NULL;
	if (conf->brokers.count > 0)
		return SECOR_OK;
	if (with->size >= needed)
		*cluster = with->cluster;
	return *cluster != NULL
		   ? SECOR_OK
		   : secor_fail(err, SECOR_FATAL,
			 "brokers are not given, nor a cluster by the engine");
}

static int
kafka_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct kafka_conf *conf = with->conf;
	const struct secor_cluster *cluster;
	struct kafka *kafka = calloc(1, sizeof(*kafka));
	int rc;

	if (kafka == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	kafka->conf = conf;
	kafka->host = with->host;
	for (size_t i = 0; i < conf->events.count; i++)
		kafka->events |= event_of(conf->events.items[i]);
	kafka->written = with->host->counter(with->host, "events",
	    "Messages with events that brokers have acknowledged.");
	kafka->refused = with->host->counter(with->host, "refused",
	    "Messages with events that were dropped: too large, or no record "
	    "for their topic.");
	rc = find_cluster(with, &cluster, err);
	if (rc == SECOR_OK)
		rc = producer_new(
		    conf, with->host, cluster, &kafka->producer, err);
	if (rc != SECOR_OK) {
		kafka_close(kafka);
		return rc;
	}
	*self = kafka;
	return SECOR_OK;
}

/* ---- events ---- */

static int
kafka_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	struct event_said said = {.event = EVENT_BATCH_DONE, .batch = batch};

	return kafka_tell(self, &said, err);
}

static int
kafka_path_finalized(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	struct event_said said = {.event = EVENT_PATH_FINALIZED, .path = path};

	return kafka_tell(self, &said, err);
}

static int
kafka_path_amended(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	struct event_said said = {.event = EVENT_PATH_AMENDED, .path = path};

	return kafka_tell(self, &said, err);
}

static const struct secor_notifier_ops OPS = {
    .size = sizeof(OPS),
    .open = kafka_open,
    .close = kafka_close,
    .batch_done = kafka_batch_done,
    .path_finalized = kafka_path_finalized,
    .path_amended = kafka_path_amended,
};

static const struct secor_plugin PLUGIN = {
    SECOR_PLUGIN_HEAD,
    SECOR_NOTIFIER,
    "kafka",
    SECOR_VERSION,
    "Writes an event for each object, batch or path to a Kafka topic.",
    1,
    SECOR_OPTIONS(OPTIONS),
    sizeof(struct kafka_conf),
    kafka_check,
    &OPS,
};

SECOR_EXPORT const struct secor_plugin *
secor_plugin_entry(void)
{
	return &PLUGIN;
}
