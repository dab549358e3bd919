/*
 * webhook.c -- posts each event to an address, as JSON or as a text of one's
 * own.
 *
 * What the answer means:
 *
 *	2xx			heard
 *	408, 425, 429		RETRY: it asks for patience
 *	other 4xx		REJECT: this event will never be welcome
 *	anything else, none	RETRY: the event comes again, for ever
 *
 * Redirects are not followed (3xx is RETRY: mend the url). An event may come
 * more than once; its "id" is the same each time.
 *
 * With `secret` each request carries
 *
 *	X-Secor-Timestamp: <ms since the epoch>
 *	X-Secor-Signature: sha256=<HMAC-SHA256 of the body, hex>
 *
 * or, with a `body` of one's own,
 *
 *	X-Secor-Signature: ts-sha256=<HMAC-SHA256 of "<timestamp>.<body>", hex>
 *
 * Against replay a receiver checks the signature over the bytes as received,
 * then refuses what is old. The event itself holds its time, "sent_ms", which
 * is signed with it: there the header only saves parsing, and is to be trusted
 * no more than any other. A body of one's own may hold no time, so the header
 * is signed with it; the other word in front keeps one from being taken for the
 * other.
 */
#include "plugins/notifier/webhook/webhook.h"
#include "plugins/common/http.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_HEADERS = 3, SIGNATURE_ROOM = 10 + 2 * 32 + 1 };

struct webhook {
	const struct webhook_conf *conf;
	const struct secor_host *host;
	struct http *http;
	unsigned events;
	struct texts texts;
	struct secor_pair *headers; /* those of conf, then the own ones */
	struct text *values;	    /* of those of conf */
};

static const char *const METHODS[] = {"POST", "PUT", NULL};

static const struct secor_option OPTIONS[] = {
    SECOR_OPTION(STRING, struct webhook_conf, url, "url", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_SECRET,
	"Where events go: http:// or https://. Never shown: the paths of chat "
	"services are as good as passwords. Its path may hold {event}, {topic} "
	"and numbers, what is behind '?' any placeholder."),
    SECOR_OPTION_CHOICE(struct webhook_conf, method, "method", "POST", METHODS,
	0, "HTTP method."),
    SECOR_OPTION(STRINGS, struct webhook_conf, events, "events",
	"[batch_done, path_finalized, path_amended]", 0,
	"Which events are told."),
    SECOR_OPTION(PAIRS, struct webhook_conf, headers, "headers", NULL,
	SECOR_OPTION_SECRET,
	"Further headers, such as Authorization; never shown. Their values may "
	"hold placeholders."),
    SECOR_OPTION(STRING, struct webhook_conf, body, "body", NULL, 0,
	"What is sent instead of the event as JSON: a text with placeholders, "
	"{topic}, {json} (docs/DOWNSTREAM.md)."),
    SECOR_OPTION(STRING, struct webhook_conf, content_type, "content_type",
	"application/json", 0,
	"Content-Type; it says how values are escaped in `body`."),
    SECOR_OPTION(STRING, struct webhook_conf, secret, "secret", NULL,
	SECOR_OPTION_SECRET,
	"Key of the HMAC-SHA256 in X-Secor-Signature; without it no "
	"signature."),
    SECOR_OPTION_RANGE(DURATION, struct webhook_conf, timeout, "timeout", "10s",
	"1ms", "1h", 0, "For one whole request; then it is tried again."),
    SECOR_OPTION(PATH, struct webhook_conf, ca_file, "ca_file", NULL, 0,
	"PEM file of the authorities to trust, instead of the system's."),
};

/* ---- instance ---- */

static void
webhook_close(void *self)
{
	struct webhook *webhook = self;

	if (webhook == NULL)
		return;
	http_close(webhook->http);
	for (size_t i = 0;
	     webhook->values != NULL && i < webhook->conf->headers.count; i++)
		text_fini(&webhook->values[i]);
	free(webhook->values);
	free(webhook->headers);
	texts_close(&webhook->texts);
	free(webhook);
}

static int
webhook_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct webhook *webhook = calloc(1, sizeof(*webhook));
	const struct webhook_conf *conf = with->conf;
	struct http_conf http = {
	    .total_ms = conf->timeout, .ca_file = conf->ca_file};
	size_t count = conf->headers.count;
	int rc;

	if (webhook == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	webhook->conf = conf;
	webhook->host = with->host;
	webhook->events = webhook_events(conf);
	webhook->headers =
	    calloc(count + OWN_HEADERS, sizeof(*webhook->headers));
	webhook->values = calloc(count + 1, sizeof(*webhook->values));
	rc = texts_open(&webhook->texts, conf, err);
	if (rc == SECOR_OK &&
	    (webhook->headers == NULL || webhook->values == NULL))
		rc = secor_fail(err, SECOR_FATAL, "out of memory");
	if (rc == SECOR_OK)
		rc = http_open(&http, &webhook->http, err);
	if (rc != SECOR_OK) {
		webhook_close(webhook);
		return rc;
	}
	*self = webhook;
	return SECOR_OK;
}

/* "sha256=<hex>" of the event, or of the time and the body, into dst
 * (SIGNATURE_ROOM). */
static int
sign(const struct webhook_conf *conf, const char *stamp,
    const struct text *body, char *dst)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	const struct text *all = body;
	struct text both = {0};
	unsigned n = 0;
	int ok;

	if (conf->body != NULL) {
		text_addf(&both, "%s.", stamp);
		text_add(&both, body->ptr, body->len);
		all = &both;
	}
	ok = !all->failed &&
	     HMAC(EVP_sha256(), conf->secret, (int)strlen(conf->secret),
		 (const unsigned char *)all->ptr, all->len, mac, &n) != NULL;
	text_fini(&both);
	dst += snprintf(dst, SIGNATURE_ROOM, "%s",
	    conf->body == NULL ? "sha256=" : "ts-sha256=");
	for (unsigned i = 0; ok && i < n; i++)
		dst += snprintf(dst, 3, "%02x", mac[i]);
	return ok;
}

/* The first line of an answer, for people: printable bytes, not too many. */
static void
first_line(const struct http_answer *answer, char *dst, size_t room)
{
	size_t n = 0;

	for (const char *at = answer->body;
	     *at != '\0' && *at != '\r' && *at != '\n' && n + 1 < room; at++)
		dst[n++] = (unsigned char)*at < ' ' ? ' ' : *at;
	dst[n] = '\0';
}

static int
judge(const struct http_answer *answer, struct secor_err *err)
{
	int status = answer->status;
	int patience = status == 408 || status == 425 || status == 429;
	char line[200];

	if (status / 100 == 2)
		return SECOR_OK;
	first_line(answer, line, sizeof(line));
	if (status / 100 == 3)
		return secor_fail(err, SECOR_RETRY,
		    "HTTP %d: redirects are not followed, change `url`",
		    status);
	return secor_fail(err,
	    status / 100 == 4 && !patience ? SECOR_REJECT : SECOR_RETRY,
	    "HTTP %d%s%s", status, line[0] != '\0' ? ": " : "", line);
}

/* The headers of conf, filled. 0: out of memory. */
static int
fill_headers(struct webhook *webhook, const struct event_said *said)
{
	const struct secor_pairs *from = &webhook->conf->headers;
	int ok = 1;

	for (size_t i = 0; i < from->count; i++) {
		struct text *value = &webhook->values[i];

		value->len = 0;
		value->failed = 0;
		texts_header(&webhook->texts, i, said, value);
		webhook->headers[i] =
		    (struct secor_pair){from->items[i].key, value->ptr};
		ok &= !value->failed;
	}
	return ok;
}

static int
post(struct webhook *webhook, const struct text *url, const struct text *body,
    int64_t sent_ms, struct secor_err *err)
{
	const struct webhook_conf *conf = webhook->conf;
	struct secor_pair *own = webhook->headers + conf->headers.count;
	char signature[SIGNATURE_ROOM], stamp[24];
	struct http_request request = {.method = METHODS[conf->method],
	    .url = url->ptr,
	    .headers = webhook->headers,
	    .header_count = conf->headers.count + 1,
	    .body = body->ptr,
	    .length = body->len};
	struct http_answer answer;

	own[0] = (struct secor_pair){"Content-Type", conf->content_type};
	(void)snprintf(stamp, sizeof(stamp), "%" PRId64, sent_ms);
	if (conf->secret != NULL) {
		own[1] = (struct secor_pair){"X-Secor-Timestamp", stamp};
		own[2] = (struct secor_pair){"X-Secor-Signature", signature};
		request.header_count += 2;
		if (!sign(conf, stamp, body, signature))
			return secor_fail(err, SECOR_RETRY, "out of memory");
	}
	/* FATAL too is RETRY: a person mends it, then it is heard */
	if (http_run(webhook->http, &request, &answer, err) != SECOR_OK)
		return SECOR_RETRY;
	return judge(&answer, err);
}

static int
tell(struct webhook *webhook, struct event_said *said, struct secor_err *err)
{
	struct text url = {0}, body = {0};
	int rc;

	if ((webhook->events & said->event) == 0)
		return SECOR_OK;
	said->sent_ms = webhook->host->now_ms(webhook->host);
	texts_url(&webhook->texts, said, &url);
	texts_body(&webhook->texts, said, &body);
	if (url.failed || body.failed || !fill_headers(webhook, said))
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	else
		rc = post(webhook, &url, &body, said->sent_ms, err);
	text_fini(&url);
	text_fini(&body);
	return rc;
}

static int
webhook_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	struct event_said said = {.event = EVENT_BATCH_DONE, .batch = batch};

	return tell(self, &said, err);
}

static int
webhook_path_finalized(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	struct event_said said = {.event = EVENT_PATH_FINALIZED, .path = path};

	return tell(self, &said, err);
}

static int
webhook_path_amended(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	struct event_said said = {.event = EVENT_PATH_AMENDED, .path = path};

	return tell(self, &said, err);
}

static const struct secor_notifier_ops OPS = {
    .size = sizeof(OPS),
    .open = webhook_open,
    .close = webhook_close,
    .batch_done = webhook_batch_done,
    .path_finalized = webhook_path_finalized,
    .path_amended = webhook_path_amended,
};

static const struct secor_plugin PLUGIN = {
    SECOR_PLUGIN_HEAD,
    SECOR_NOTIFIER,
    "webhook",
    SECOR_VERSION,
    "Posts each event to an address, as JSON or as a text of your own; "
    "signed on request.",
    1,
    SECOR_OPTIONS(OPTIONS),
    sizeof(struct webhook_conf),
    webhook_check,
    &OPS,
};

SECOR_EXPORT const struct secor_plugin *
secor_plugin_entry(void)
{
	return &PLUGIN;
}
