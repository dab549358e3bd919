/*
 * texts.c -- the address, the headers and the body of a request, filled with
 * what an event says.
 */
#include "plugins/notifier/webhook/webhook.h"

#include <stdlib.h>
#include <string.h>

static int
read_one(const char *source, const struct webhook_conf *conf,
    struct event_text **text, struct secor_err *err)
{
	const struct event_text_rules rules = {.events = webhook_events(conf)};

	return event_text_new(source, &rules, text, err);
}

int
texts_open(
    struct texts *texts, const struct webhook_conf *conf, struct secor_err *err)
{
	size_t count = conf->headers.count;
	int rc;

	memset(texts, 0, sizeof(*texts));
	texts->conf = conf;
	texts->write = event_write_for(conf->content_type);
	texts->headers = calloc(count + 1, sizeof(struct event_text *));
	if (texts->headers == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	rc = read_one(conf->url, conf, &texts->url, err);
	if (rc == SECOR_OK && conf->body != NULL)
		rc = read_one(conf->body, conf, &texts->body, err);
	for (size_t i = 0; rc == SECOR_OK && i < count; i++)
		rc = read_one(conf->headers.items[i].value, conf,
		    &texts->headers[i], err);
	return rc;
}

void
texts_close(struct texts *texts)
{
	event_text_free(texts->url);
	event_text_free(texts->body);
	for (size_t i = 0;
	     texts->headers != NULL && i < texts->conf->headers.count; i++)
		event_text_free(texts->headers[i]);
	free(texts->headers);
}

void
texts_url(
    const struct texts *texts, const struct event_said *said, struct text *to)
{
	event_text_add(to, texts->url, said, event_write_url);
}

void
texts_body(
    const struct texts *texts, const struct event_said *said, struct text *to)
{
	if (texts->body == NULL)
		event_said_json(to, said);
	else
		event_text_add(to, texts->body, said, texts->write);
}

void
texts_header(const struct texts *texts, size_t i, const struct event_said *said,
    struct text *to)
{
	event_text_add(to, texts->headers[i], said, event_write_header);
}
