/*
 * webhook.c -- posts each event as JSON to an address.
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
 *	X-Secor-Signature: sha256=<HMAC-SHA256 of the body, hex>
 *	X-Secor-Timestamp: <the body's "sent_ms">
 *
 * Against replay a receiver checks the signature over the bytes as received,
 * then refuses a body whose "sent_ms" is old. It is in the body, hence signed;
 * the header only saves parsing, and is to be trusted no more than any other.
 */
#include "plugins/common/event_json.h"
#include "plugins/common/http.h"
#include "plugins/common/url.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { OWN_HEADERS = 3, SIGNATURE_ROOM = 7 + 2 * 32 + 1 };

struct webhook_conf {
	const char *url;
	int method; /* index into METHODS */
	struct secor_pairs headers;
	const char *secret;
	int64_t timeout;
	const char *ca_file;
};

struct webhook {
	const struct webhook_conf *conf;
	const struct secor_host *host;
	struct http *http;
	struct secor_pair *headers; /* those of conf, then the own ones */
};

static const char *const METHODS[] = {"POST", "PUT", NULL};

static const struct secor_option OPTIONS[] = {
    SECOR_OPTION(STRING, struct webhook_conf, url, "url", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_SECRET,
	"Where events go: http:// or https://. Never shown: the paths of chat "
	"services are as good as passwords."),
    SECOR_OPTION_CHOICE(struct webhook_conf, method, "method", "POST", METHODS,
	0, "HTTP method."),
    SECOR_OPTION(PAIRS, struct webhook_conf, headers, "headers", NULL,
	SECOR_OPTION_SECRET,
	"Further headers, such as Authorization; never shown."),
    SECOR_OPTION(STRING, struct webhook_conf, secret, "secret", NULL,
	SECOR_OPTION_SECRET,
	"Key of the HMAC-SHA256 in X-Secor-Signature; without it no "
	"signature."),
    SECOR_OPTION_RANGE(DURATION, struct webhook_conf, timeout, "timeout", "10s",
	"1ms", "1h", 0, "For one whole request; then it is tried again."),
    SECOR_OPTION(PATH, struct webhook_conf, ca_file, "ca_file", NULL, 0,
	"PEM file of the authorities to trust, instead of the system's."),
};

/* ---- check ---- */

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
check_headers(const struct webhook_conf *conf, const struct secor_check *check)
{
	char text[256];

	for (size_t i = 0; i < conf->headers.count; i++) {
		const struct secor_pair *pair = &conf->headers.items[i];

		text[0] = '\0';
		if (!is_token(pair->key))
			(void)snprintf(text, sizeof(text),
			    "'%.80s' is no header name", pair->key);
		else if (is_own_header(pair->key))
			(void)snprintf(text, sizeof(text),
			    "%.80s is set by the plugin", pair->key);
		else if (!header_value_is(pair->value))
			(void)snprintf(text, sizeof(text),
			    "the value of %.80s has a control byte", pair->key);
		if (text[0] != '\0')
			check->complain(check, "headers", text);
	}
}

static void
webhook_check(const void *conf_, const struct secor_check *check)
{
	const struct webhook_conf *conf = conf_;
	const char *why;

	check_headers(conf, check);
	if (conf->secret != NULL && conf->secret[0] == '\0')
		check->complain(check, "secret",
		    "is empty; leave it out to send no signature");
	why = conf->url != NULL ? url_complaint(conf->url) : NULL;
	if (why != NULL)
		check->complain(check, "url", why);
}

/* ---- instance ---- */

static void
webhook_close(void *self)
{
	struct webhook *webhook = self;

	if (webhook == NULL)
		return;
	http_close(webhook->http);
	free(webhook->headers);
	free(webhook);
}

static int
webhook_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct webhook *webhook = calloc(1, sizeof(*webhook));
	const struct webhook_conf *conf = with->conf;
	struct http_conf http = {
	    .total_ms = conf->timeout, .ca_file = conf->ca_file};
	int rc;

	if (webhook == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	webhook->conf = conf;
	webhook->host = with->host;
	webhook->headers = calloc(
	    conf->headers.count + OWN_HEADERS, sizeof(*webhook->headers));
	rc = webhook->headers == NULL
		 ? secor_fail(err, SECOR_FATAL, "out of memory")
		 : http_open(&http, &webhook->http, err);
	if (rc != SECOR_OK) {
		webhook_close(webhook);
		return rc;
	}
	if (conf->headers.count > 0)
		memcpy(webhook->headers, conf->headers.items,
		    conf->headers.count * sizeof(*webhook->headers));
	*self = webhook;
	return SECOR_OK;
}

/* "sha256=<hex>" into dst (SIGNATURE_ROOM). */
static int
sign(const char *secret, const struct text *body, char *dst)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (HMAC(EVP_sha256(), secret, (int)strlen(secret),
		(const unsigned char *)body->ptr, body->len, mac, &n) == NULL)
		return 0;
	dst += snprintf(dst, SIGNATURE_ROOM, "sha256=");
	for (unsigned i = 0; i < n; i++)
		dst += snprintf(dst, 3, "%02x", mac[i]);
	return 1;
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

/* Takes the body. */
static int
send_body(struct webhook *webhook, struct text *body, int64_t sent_ms,
    struct secor_err *err)
{
	const struct webhook_conf *conf = webhook->conf;
	struct secor_pair *own = webhook->headers + conf->headers.count;
	char signature[SIGNATURE_ROOM], stamp[24];
	struct http_request request = {.method = METHODS[conf->method],
	    .url = conf->url,
	    .headers = webhook->headers,
	    .header_count = conf->headers.count + 1,
	    .body = body->ptr,
	    .length = body->len};
	struct http_answer answer;
	int rc;

	own[0] = (struct secor_pair){"Content-Type", "application/json"};
	(void)snprintf(stamp, sizeof(stamp), "%" PRId64, sent_ms);
	if (conf->secret != NULL) {
		own[1] = (struct secor_pair){"X-Secor-Timestamp", stamp};
		own[2] = (struct secor_pair){"X-Secor-Signature", signature};
		request.header_count += 2;
	}
	if (body->failed ||
	    (conf->secret != NULL && !sign(conf->secret, body, signature)))
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	else
		rc = http_run(webhook->http, &request, &answer, err);
	if (rc == SECOR_OK)
		rc = judge(&answer, err);
	else
		rc = SECOR_RETRY; /* FATAL too: a person mends it, then it
				     is heard */
	text_fini(body);
	return rc;
}

static int
webhook_batch_done(
    void *self, const struct secor_event_batch *batch, struct secor_err *err)
{
	struct webhook *webhook = self;
	int64_t now = webhook->host->now_ms(webhook->host);
	struct text body = {0};

	event_batch_json(&body, batch, now);
	return send_body(webhook, &body, now, err);
}

static int
send_path(struct webhook *webhook, const char *event,
    const struct secor_event_path *path, struct secor_err *err)
{
	int64_t now = webhook->host->now_ms(webhook->host);
	struct text body = {0};

	event_path_json(&body, event, path, now);
	return send_body(webhook, &body, now, err);
}

static int
webhook_path_finalized(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	return send_path(self, "path_finalized", path, err);
}

static int
webhook_path_amended(
    void *self, const struct secor_event_path *path, struct secor_err *err)
{
	return send_path(self, "path_amended", path, err);
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
    "Posts each finished batch as JSON to an address, signed on request.",
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
