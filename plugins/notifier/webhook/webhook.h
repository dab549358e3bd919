/*
 * webhook.h -- what the files of the plugin share.
 */
#ifndef SECOR_NOTIFIER_WEBHOOK_H
#define SECOR_NOTIFIER_WEBHOOK_H

#include "plugins/common/event_text.h"

struct webhook_conf {
	const char *url;
	int method; /* index into METHODS */
	struct secor_strings events;
	struct secor_pairs headers;
	const char *content_type;
	const char *body; /* NULL: the event as JSON */
	const char *secret;
	int64_t timeout;
	const char *ca_file;
};

/* ---- check.c ---- */

void webhook_check(const void *conf, const struct secor_check *check);

/* The events of `events`, as a mask; names that are none are left out. */
unsigned webhook_events(const struct webhook_conf *conf);

/* ---- texts.c: what changes with the event ---- */

struct texts {
	const struct webhook_conf *conf;
	struct event_text *url, *body; /* NULL: the event as JSON */
	struct event_text **headers;   /* one for each of conf */
	event_write_fn *write;	       /* of the body */
};

int texts_open(struct texts *texts, const struct webhook_conf *conf,
    struct secor_err *err);
void texts_close(struct texts *texts); /* also after a failed open */

/* One request. Of text that failed the caller takes care. */
void texts_url(
    const struct texts *texts, const struct event_said *said, struct text *to);
void texts_body(
    const struct texts *texts, const struct event_said *said, struct text *to);
void texts_header(const struct texts *texts, size_t i,
    const struct event_said *said, struct text *to);

#endif
