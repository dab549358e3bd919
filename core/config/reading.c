/*
 * reading.c -- the kafka section: where reading begins, how fast it goes, and
 * as whom; of the whole file and of single topics.
 */
#include "core/config/parts.h"
#include "core/config/start.h"

#include <string.h>

/* ---- where ---- */

static void
bind_start(const struct binder *binder, const struct node *kafka,
    const char *text, struct config_start *start)
{
	struct secor_err err = {""};

	if (text != NULL && start_parse(text, start, &err) != SECOR_OK)
		diag_error(
		    binder->diag, node_spot(kafka, "start"), "%s", err.text);
}

/* ---- how fast ---- */

static void
check_limit(const struct binder *binder, struct spot spot, const char *key,
    int64_t own, int64_t whole)
{
	if (own > 0 && whole > 0 && own >= whole)
		diag_warning(binder->diag, spot,
		    "%s: is not below that of the whole process: it never "
		    "counts",
		    key);
}

static void
check_limits(const struct binder *binder, const struct node *kafka,
    const struct config_kafka *whole, const struct config_intake *own)
{
	static const char *const MESSAGES = "max_messages_per_second";
	static const char *const BYTES = "max_bytes_per_second";

	check_limit(binder, node_spot(kafka, MESSAGES), MESSAGES,
	    own->max_messages_per_second, whole->max_messages_per_second);
	check_limit(binder, node_spot(kafka, BYTES), BYTES,
	    own->max_bytes_per_second, whole->max_bytes_per_second);
}

/* ---- as whom ---- */

static void
check_member(const struct binder *binder, const struct node *kafka,
    const struct config_kafka *conf)
{
	const char *id = conf->instance_id;

	if (id != NULL && !config_is_kafka_name(id))
		diag_error(binder->diag, node_spot(kafka, "instance_id"),
		    "instance_id: '%s' is none for Kafka: letters, digits, . _ "
		    "-, at most 249",
		    id);
	if (conf->rack != NULL && *conf->rack == '\0')
		diag_error(
		    binder->diag, node_spot(kafka, "rack"), "rack: is empty");
	for (size_t i = 0; conf->rack != NULL && i < conf->properties.count;
	     i++) {
		const struct node *map = node_get(kafka, "properties");

		if (strcmp(conf->properties.items[i].key, "client.rack") == 0)
			diag_error(binder->diag,
			    node_key_spot(map, "client.rack"),
			    "properties: client.rack is set by kafka.rack "
			    "already");
	}
}

void
reading_check(
    const struct binder *binder, const struct node *root, struct config *config)
{
	const struct node *kafka = node_get(root, "kafka");
	const struct node *list = node_get(root, "overrides");

	bind_start(
	    binder, kafka, config->kafka.start, &config->topics[0].start);
	check_member(binder, kafka, &config->kafka);
	for (size_t i = 1; i < config->topic_count; i++) {
		struct config_topic *topic = &config->topics[i];
		const struct node *own = node_get(list->items[i - 1], "kafka");

		topic->start = config->topics[0].start;
		bind_start(binder, own, topic->intake.start, &topic->start);
		check_limits(binder, own, &config->kafka, &topic->intake);
	}
}

int
config_starts_somewhere(const struct config *config)
{
	for (size_t i = 0; i < config->topic_count; i++) {
		if (config->topics[i].start.kind != CONFIG_START_EARLIEST)
			return 1;
	}
	return 0;
}
