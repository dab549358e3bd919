/*
 * rules.c -- what holds between keys and sections.
 */
#include "core/base/buf.h"
#include "core/config/layout.h"
#include "core/config/parts.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* The place of section.key, of the section, or of the file's first key. */
static struct spot
spot_of(const struct node *root, const char *section, const char *key)
{
	const struct node *map = node_get(root, section);

	return map != NULL ? node_spot(map, key) : node_spot(root, NULL);
}

/* ---- addresses ---- */

int
config_address(
    const char *text, char *host, size_t room, int *port, struct secor_err *err)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	char *end;
	long number;

	if (colon == NULL)
		return secor_fail(err, SECOR_REJECT,
		    "'%s' is no address (like 127.0.0.1:9999)", text);
	number = strtol(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || number < 0 ||
	    number > 65535)
		return secor_fail(err, SECOR_REJECT,
		    "'%s' has no port from 0 to 65535 behind its last ':'",
		    text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL ||
		   memchr(text, '/', len) != NULL) {
		return secor_fail(err, SECOR_REJECT,
		    "'%s' is no address (like 127.0.0.1:9999 or [::1]:9999)",
		    text);
	}
	if (len >= room)
		return secor_fail(err, SECOR_REJECT, "'%s' is too long", text);
	memcpy(host, text, len);
	host[len] = '\0';
	*port = (int)number;
	return SECOR_OK;
}

static void
check_http(const struct binder *binder, const struct node *root,
    const struct config_http *http)
{
	struct secor_err err = {""};
	char host[256];
	int port;

	if (*http->listen == '\0')
		return;
	if (config_address(http->listen, host, sizeof(host), &port, &err) !=
	    SECOR_OK)
		diag_error(binder->diag, spot_of(root, "http", "listen"),
		    "listen: %s", err.text);
}

/* ---- layout ---- */

static const char *
prefix_fault(const char *prefix)
{
	size_t len = strlen(prefix);

	if (len == 0)
		return "is empty";
	if (len > 512)
		return "is longer than 512 bytes";
	if (prefix[0] == '/' || prefix[len - 1] == '/')
		return "begins or ends with '/'";
	if (strstr(prefix, "//") != NULL)
		return "has an empty folder in it";
	for (const char *at = prefix; *at != '\0';) {
		size_t part = strcspn(at, "/");

		if (strspn(at, ".") >= part)
			return "has a folder of dots in it";
		at += part + (at[part] == '/');
	}
	for (const char *at = prefix; *at != '\0'; at++) {
		if ((unsigned char)*at <= ' ' || *at == 127)
			return "has blanks or control bytes in it";
	}
	return NULL;
}

static void
check_prefix(const struct binder *binder, const struct node *root,
    const char *key, const char *prefix)
{
	const char *fault = prefix_fault(prefix);

	if (fault != NULL)
		diag_error(binder->diag, spot_of(root, "layout", key),
		    "%s: '%s' %s", key, prefix, fault);
}

static void
check_layout(const struct binder *binder, const struct node *root,
    const struct config_layout *layout)
{
	const char *extension = layout->extension;

	check_prefix(binder, root, "manifest_prefix", layout->manifest_prefix);
	check_prefix(
	    binder, root, "dead_letter_prefix", layout->dead_letter_prefix);
	if (strcmp(layout->manifest_prefix, layout->dead_letter_prefix) == 0)
		diag_error(binder->diag,
		    spot_of(root, "layout", "dead_letter_prefix"),
		    "dead_letter_prefix: is the same as manifest_prefix");
	if (extension != NULL && *extension != '\0' &&
	    (*extension != '.' || strpbrk(extension, "/ \t\n") != NULL ||
		strlen(extension) > 32))
		diag_error(binder->diag, spot_of(root, "layout", "extension"),
		    "extension: '%s' is none: it begins with '.', has no '/' "
		    "or blank and at most 32 bytes",
		    extension);
}

static void
check_folders(const struct binder *binder, const struct node *root,
    const struct config *config)
{
	struct layout_fault fault;

	if (binder->diag->errors == 0 && layout_check(config, &fault))
		diag_error(binder->diag, spot_of(root, "layout", fault.key),
		    "%s: %s", fault.key, fault.text);
}

/* ---- batch, parser: base and overrides ---- */

/* Where the topic's section says it, else where the base does. */
static struct spot
topic_spot(const struct node *root, const struct node *map, const char *section,
    const char *key)
{
	if (node_get(map, section) != NULL)
		return spot_of(map, section, key);
	return spot_of(root, section, key);
}

static void
check_minutes(const struct binder *binder, const struct node *batch,
    const struct secor_strings *minutes)
{
	const struct node *list = node_get(batch, "at_minutes");

	for (size_t i = 0; list != NULL && i < minutes->count; i++) {
		const char *text = minutes->items[i];
		struct spot spot =
		    list->kind == NODE_LIST ? list->items[i]->spot : list->spot;
		size_t len = strlen(text);

		if (len < 1 || len > 2 || strspn(text, "0123456789") != len ||
		    atoi(text) > 59)
			diag_error(binder->diag, spot,
			    "at_minutes: '%s' is no minute from 0 to 59", text);
	}
}

static void
check_batch(const struct binder *binder, const struct node *root,
    const struct node *map, const struct config_batch *batch)
{
	int timed = batch->max_age_ms > 0 || batch->at_minutes.count > 0;
	struct diag *diag = binder->diag;

	check_minutes(binder, node_get(map, "batch"), &batch->at_minutes);
	if (!timed && batch->max_bytes == 0)
		diag_error(diag, topic_spot(root, map, "batch", NULL),
		    "batch never ends: set max_bytes, max_age or at_minutes");
	else if (!timed)
		diag_warning(diag, topic_spot(root, map, "batch", NULL),
		    "batch ends by size only: the last messages of a quiet "
		    "partition are not stored until more come; set max_age");
	if (batch->max_age_ms > DAY_MS)
		diag_warning(diag, topic_spot(root, map, "batch", "max_age"),
		    "max_age: objects appear only after more than a day, and "
		    "a crash reads as much again");
}

static void
check_accept(const struct binder *binder, const struct node *map,
    const struct config_topic *topic)
{
	const struct node *parser = node_get(map, "parser");

	if (topic->time_source != CONFIG_TIME_KAFKA ||
	    (node_get(parser, "accept_time") == NULL &&
		node_get(parser, "accept_time.past") == NULL &&
		node_get(parser, "accept_time.future") == NULL))
		return;
	diag_warning(binder->diag, node_spot(parser, "accept_time"),
	    "accept_time: has no effect, the event time is Kafka's own "
	    "(time_source: kafka)");
}

/* ---- finalize ---- */

static int
follows_time(const struct config_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++) {
		const struct config_use *use = &uses->items[i];
		struct secor_strings fields = {NULL, 0};
		uint32_t inputs = 0;

		if (use->plugin == NULL || use->conf == NULL)
			return 1; /* not known here */
		if (use->plugin->ops.partitioner->describe != NULL)
			use->plugin->ops.partitioner->describe(
			    use->conf, &inputs, &fields);
		if ((inputs & SECOR_ROUTE_BY_TIME) != 0 &&
		    use->plugin->ops.partitioner->span != NULL)
			return 1;
	}
	return 0;
}

static void
check_finalize(const struct binder *binder, const struct node *root,
    const struct node *map, const struct config_topic *topic)
{
	const struct config_finalize *finalize = &topic->finalize;
	const char *name = finalize->marker_name;
	struct secor_err why;
	const char *key = late_fault(topic, binder->load, &why);

	if ((name[0] != '_' && name[0] != '.') || name[1] == '\0' ||
	    strlen(name) > 64 || strpbrk(name, "/ \t\n") != NULL ||
	    strspn(name, ".") == strlen(name))
		diag_error(binder->diag,
		    topic_spot(root, map, "finalize", "marker_name"),
		    "marker_name: '%s' is none: it begins with '_' or '.', has "
		    "no '/' or blank and 2 to 64 bytes",
		    name);
	if (finalize->delay_ms >= 0 && binder->load &&
	    !follows_time(&topic->partitioners))
		diag_error(binder->diag,
		    topic_spot(root, map, "finalize", "delay"),
		    "delay: no path is ever over, since no partitioner here "
		    "follows event time; add `use: date`, or leave it out");
	else if (key != NULL)
		diag_error(binder->diag, topic_spot(root, map, "finalize", key),
		    "%s: %s", key, why.text);
}

/* ---- the guard of a partitioner ---- */

static const char *
guard_fault(const struct config_use *use)
{
	struct secor_strings fields = {NULL, 0};
	uint32_t inputs = 0;

	if (*use->overflow_value == '\0' || strlen(use->overflow_value) > 64)
		return "overflow_value has 1 to 64 bytes";
	if (use->conf == NULL)
		return NULL;
	use->plugin->ops.partitioner->describe(use->conf, &inputs, &fields);
	if (inputs & (SECOR_ROUTE_BY_TIME | SECOR_ROUTE_BY_OFFSET))
		return "max_values does not go with times and offsets: give "
		       "them to another partitioner of the list";
	return NULL;
}

/* One of a list at most: what the others make is kept in the overflow path. */
static void
check_guards(const struct binder *binder, const struct node *map,
    const struct config_uses *uses)
{
	const struct node *list = node_get(map, "partitioner");
	size_t guards = 0;

	for (size_t i = 0; list != NULL && i < uses->count; i++) {
		const struct node *item =
		    list->kind == NODE_LIST ? list->items[i] : list;
		const char *fault;

		if (uses->items[i].max_values == 0)
			continue;
		fault =
		    guards++ > 0
			? "max_values: one partitioner of a list may have it"
			: guard_fault(&uses->items[i]);
		if (fault != NULL)
			diag_error(binder->diag, node_spot(item, "max_values"),
			    "%s", fault);
	}
}

void
rules_check_topic(const struct binder *binder, const struct node *root,
    const struct node *map, const struct config_topic *topic)
{
	/* an override without the section repeats what the base has said */
	if (map == root || node_get(map, "batch") != NULL)
		check_batch(binder, root, map, &topic->batch);
	if (map == root || node_get(map, "parser") != NULL)
		check_accept(binder, map, topic);
	if (binder->diag->errors == 0) {
		check_guards(binder, map, &topic->partitioners);
		check_finalize(binder, root, map, topic);
	}
}

/* ---- overrides against topics ---- */

static int
has_regex(const struct secor_strings *topics)
{
	for (size_t i = 0; i < topics->count; i++) {
		if (topics->items[i][0] == '^')
			return 1;
	}
	return 0;
}

static void
check_override(const struct binder *binder, const struct node *map,
    const struct whole *whole, size_t index)
{
	const struct secor_strings *topics = &whole->config.kafka.topics;
	const char *match = whole->config.topics[index].match;

	for (size_t i = 1; i < index; i++) {
		const char *earlier = whole->config.topics[i].match;

		if (match != NULL && earlier != NULL &&
		    strcmp(match, earlier) == 0)
			diag_error(binder->diag, node_spot(map, "match"),
			    "match: '%s' is that of override %zu, which comes "
			    "first: this one would never be used",
			    match, i);
	}
	if (whole->matches[index] == NULL || has_regex(topics))
		return;
	for (size_t i = 0; i < topics->count; i++) {
		if (match_takes(whole->matches[index], topics->items[i]))
			return;
	}
	diag_warning(binder->diag, node_spot(map, "match"),
	    "match: '%s' matches none of the topics", match);
}

static void
check_engine(const struct binder *binder, const struct node *root,
    const struct config *config)
{
	const struct config_kafka *kafka = &config->kafka;

	if (kafka->max_poll_interval_ms < kafka->session_timeout_ms)
		diag_error(binder->diag,
		    spot_of(root, "kafka", "max_poll_interval"),
		    "max_poll_interval: is less than session_timeout");
	if (config->engine.revoke_grace_ms >= kafka->max_poll_interval_ms)
		diag_error(binder->diag,
		    spot_of(root, "engine", "revoke_grace"),
		    "revoke_grace: is not less than kafka.max_poll_interval: "
		    "the rebalance would be over");
	if (config->stage.max_bytes > 0 &&
	    config->topics[0].batch.max_bytes > config->stage.max_bytes)
		diag_error(binder->diag, spot_of(root, "stage", "max_bytes"),
		    "max_bytes: is less than batch.max_bytes: no batch would "
		    "ever fit");
}

void
rules_check(const struct binder *binder, const struct node *root,
    const struct whole *whole)
{
	const struct config *config = &whole->config;
	const struct node *list = node_get(root, "overrides");

	check_http(binder, root, &config->http);
	check_layout(binder, root, &config->layout);
	check_folders(binder, root, config);
	check_engine(binder, root, config);
	kafka_rules_check(binder, root, config);
	for (size_t i = 1; i < config->topic_count; i++)
		check_override(binder, list->items[i - 1], whole, i);
}
