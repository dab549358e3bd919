/*
 * check.c -- what is wrong with the options of a webhook.
 */
#include "plugins/common/url.h"
#include "plugins/notifier/webhook/webhook.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

unsigned
webhook_events(const struct webhook_conf *conf)
{
	unsigned events = 0;

	for (size_t i = 0; i < conf->events.count; i++)
		events |= event_named(conf->events.items[i]);
	return events;
}

static void
check_events(const struct webhook_conf *conf, const struct secor_check *check)
{
	char text[256];

	if (conf->events.count == 0)
		check->complain(check, "events", "is empty: nothing is told");
	for (size_t i = 0; i < conf->events.count; i++) {
		const char *name = conf->events.items[i];

		if (event_named(name) != 0)
			continue;
		(void)snprintf(text, sizeof(text),
		    "'%.80s' is none of batch_done, path_finalized, "
		    "path_amended",
		    name);
		check->complain(check, "events", text);
	}
}

/* Complains of the placeholders of so many bytes of the source. 1: good. */
static int
check_text(const struct secor_check *check, const char *key,
    const struct secor_bytes *source, const struct event_text_rules *rules)
{
	char *copy = strndup(source->ptr, source->len);
	struct event_text *text = NULL;
	struct secor_err err;

	if (copy != NULL &&
	    event_text_new(copy, rules, &text, &err) != SECOR_OK)
		check->complain(check, key, err.text);
	event_text_free(text);
	free(copy);
	return text != NULL;
}

/* ---- url ---- */

static void
check_url(const struct webhook_conf *conf, const struct secor_check *check)
{
	struct event_text_rules rules = {.events = webhook_events(conf)};
	const char *why = url_complaint(conf->url);
	size_t host, path, all = strlen(conf->url);

	if (why != NULL) {
		check->complain(check, "url", why);
		return;
	}
	host = (size_t)(strstr(conf->url, "://") + 3 - conf->url);
	host += strcspn(conf->url + host, "/?#");
	path = strcspn(conf->url, "?#");
	if (memchr(conf->url, '{', host) != NULL) {
		check->complain(check, "url",
		    "the host takes no placeholder: events go where the "
		    "configuration says");
		return;
	}
	rules.plain_only = 1;
	if (!check_text(
		check, "url", &(struct secor_bytes){conf->url, path}, &rules))
		return;
	rules.plain_only = 0;
	(void)check_text(
	    check, "url", &(struct secor_bytes){conf->url, all}, &rules);
}

/* ---- headers ---- */

static int
is_token(const char *text)
{
	if (*text == '\0')
		return 0;
	for (; *text != '\0'; text++)
		if (!((*text >= '0' && *text <= '9') ||
			(*text >= 'a' && *text <= 'z') ||
			(*text >= 'A' && *text <= 'Z') ||
			strchr("!#$%&'*+-.^_`|~", *text) != NULL))
			return 0;
	return 1;
}

/* What the plugin or HTTP itself sets. */
static int
is_own_header(const char *name)
{
	static const char *const OWN[] = {"content-type", "content-length",
	    "transfer-encoding", "host", "connection"};

	for (size_t i = 0; i < sizeof(OWN) / sizeof(OWN[0]); i++)
		if (strcasecmp(name, OWN[i]) == 0)
			return 1;
	return strncasecmp(name, "x-secor-", 8) == 0;
}

static void
check_header(const struct webhook_conf *conf, const struct secor_pair *pair,
    const struct secor_check *check)
{
	const struct event_text_rules rules = {.events = webhook_events(conf)};
	const struct secor_bytes value = {pair->value, strlen(pair->value)};
	char text[256];

	text[0] = '\0';
	if (!is_token(pair->key))
		(void)snprintf(
		    text, sizeof(text), "'%.80s' is no header name", pair->key);
	else if (strcasecmp(pair->key, "content-type") == 0)
		(void)snprintf(text, sizeof(text),
		    "%.80s is the option `content_type`", pair->key);
	else if (is_own_header(pair->key))
		(void)snprintf(text, sizeof(text), "%.80s is set by the plugin",
		    pair->key);
	else if (!header_value_is(pair->value))
		(void)snprintf(text, sizeof(text),
		    "the value of %.80s has a control byte", pair->key);
	if (text[0] != '\0')
		check->complain(check, "headers", text);
	else
		(void)check_text(check, "headers", &value, &rules);
}

/* ---- body ---- */

/* An event of each kind as it could come. */
static struct event_said
sample(unsigned event)
{
	static const struct secor_event_batch BATCH = {.size = sizeof(BATCH),
	    .topic = "topic",
	    .end = 1,
	    .messages = 1,
	    .manifest_key = "key"};
	static const struct secor_event_path PATH = {
	    .size = sizeof(PATH), .topic = "topic", .path = "p", .url = "url"};

	return (struct event_said){.event = event,
	    .batch = event == EVENT_BATCH_DONE ? &BATCH : NULL,
	    .path = event == EVENT_BATCH_DONE ? NULL : &PATH};
}

static void
check_json(
    const struct texts *texts, unsigned event, const struct secor_check *check)
{
	const struct event_said said = sample(event);
	struct text body = {0};
	json_error_t at;
	json_t *json;
	char why[300];

	texts_body(texts, &said, &body);
	json = body.failed ? NULL : json_loads(body.ptr, JSON_DECODE_ANY, &at);
	if (json == NULL && !body.failed) {
		(void)snprintf(why, sizeof(why),
		    "is no JSON once it is filled: line %d, column %d: %.160s "
		    "(another `content_type`?)",
		    at.line, at.column, at.text);
		check->complain(check, "body", why);
	}
	json_decref(json);
	text_fini(&body);
}

static void
check_body(const struct webhook_conf *conf, const struct secor_check *check)
{
	const struct event_text_rules rules = {.events = webhook_events(conf)};
	const struct secor_bytes source = {conf->body, strlen(conf->body)};
	struct texts texts;
	unsigned first = rules.events & -rules.events;

	if (!check_text(check, "body", &source, &rules) ||
	    !event_content_is_json(conf->content_type) || first == 0)
		return;
	if (texts_open(&texts, conf, NULL) == SECOR_OK)
		check_json(&texts, first, check);
	texts_close(&texts);
}

static void
check_content_type(
    const struct webhook_conf *conf, const struct secor_check *check)
{
	const char *type = conf->content_type;

	if (strchr(type, '/') == NULL || !header_value_is(type))
		check->complain(check, "content_type",
		    "is no content type, like application/json");
	else if (conf->body == NULL && !event_content_is_json(type))
		check->complain(check, "content_type",
		    "needs `body`: the event itself is JSON");
}

void
webhook_check(const void *conf_, const struct secor_check *check)
{
	const struct webhook_conf *conf = conf_;

	check_events(conf, check);
	for (size_t i = 0; i < conf->headers.count; i++)
		check_header(conf, &conf->headers.items[i], check);
	check_content_type(conf, check);
	if (conf->body != NULL)
		check_body(conf, check);
	if (conf->secret != NULL && conf->secret[0] == '\0')
		check->complain(check, "secret",
		    "is empty; leave it out to send no signature");
	if (conf->url != NULL)
		check_url(conf, check);
}
