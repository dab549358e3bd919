/*
 * oidc.c -- tokens by OAuth 2.0 client credentials (RFC 6749, 4.4), as OpenID
 * providers give them to services.
 *
 * What the answer means:
 *
 *	2xx with access_token	a token
 *	408, 425, 429, 5xx	RETRY: the provider may do it later
 *	anything else		FATAL: wrong client, secret, scope or address
 *
 * Its life is `expires_in`; without one, the claim `exp` when the token is a
 * JWT. Redirects are not followed: the secret goes to `endpoint` alone.
 */
#include "plugins/common/base64.h"
#include "plugins/common/http.h"
#include "plugins/common/sigv4.h"
#include "plugins/common/url.h"

#include <jansson.h>
#include <secor/token.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { AUTH_BASIC = 0, AUTH_POST = 1 };

struct oidc_conf {
	const char *endpoint;
	const char *client_id, *client_secret;
	int client_auth;
	const char *scope;
	struct secor_pairs parameters;
	struct secor_pairs extensions;
	const char *principal;
	const char *ca_file;
	int64_t timeout;
};

struct oidc {
	const struct oidc_conf *conf;
	const struct secor_host *host;
	struct http *http;
	char *authorization; /* NULL: the secret is in the form */
	char *form;
	char *value; /* the last token */
};

static const char *const AUTHS[] = {"basic", "post", NULL};

static const struct secor_option OPTIONS[] = {
    SECOR_OPTION(STRING, struct oidc_conf, endpoint, "endpoint", NULL,
	SECOR_OPTION_REQUIRED,
	"The provider's token endpoint, http:// or https://."),
    SECOR_OPTION(STRING, struct oidc_conf, client_id, "client_id", NULL,
	SECOR_OPTION_REQUIRED, "Who this service is to the provider."),
    SECOR_OPTION(STRING, struct oidc_conf, client_secret, "client_secret", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_SECRET, "Its secret."),
    SECOR_OPTION_CHOICE(struct oidc_conf, client_auth, "client_auth", "basic",
	AUTHS, 0,
	"How id and secret are sent: in the header Authorization, or in the "
	"form."),
    SECOR_OPTION(STRING, struct oidc_conf, scope, "scope", NULL, 0,
	"What the token is asked for, words with blanks between."),
    SECOR_OPTION(PAIRS, struct oidc_conf, parameters, "parameters", "{}", 0,
	"Further fields of the form, such as {audience: kafka}."),
    SECOR_OPTION(PAIRS, struct oidc_conf, extensions, "extensions", "{}", 0,
	"SASL extensions for the brokers, such as {logicalCluster: lkc-1}."),
    SECOR_OPTION(STRING, struct oidc_conf, principal, "principal", NULL, 0,
	"Name of this service in its log; the client_id otherwise."),
    SECOR_OPTION(PATH, struct oidc_conf, ca_file, "ca_file", NULL, 0,
	"PEM file of the authorities to trust, instead of the system's."),
    SECOR_OPTION_RANGE(DURATION, struct oidc_conf, timeout, "timeout", "10s",
	"100ms", "30s", 0, "For one whole request; then it is tried again."),
};

/* ---- check ---- */

static int
is_letters(const char *text)
{
	if (*text == '\0')
		return 0;
	for (; *text != '\0'; text++)
		if ((*text < 'a' || *text > 'z') &&
		    (*text < 'A' || *text > 'Z'))
			return 0;
	return 1;
}

/* RFC 7628, 3.1: what stands between two ^A. */
static int
is_value(const char *text)
{
	for (; *text != '\0'; text++)
		if ((*text < ' ' || *text > '~') &&
		    strchr("\t\r\n", *text) == NULL)
			return 0;
	return 1;
}

static void
oidc_check(const void *self, const struct secor_check *check)
{
	const struct oidc_conf *conf = self;
	const char *why = url_complaint(conf->endpoint);
	char text[256];

	if (why != NULL)
		check->complain(check, "endpoint", why);
	for (size_t i = 0; i < conf->extensions.count; i++) {
		const struct secor_pair *pair = &conf->extensions.items[i];

		if (is_letters(pair->key) && strcmp(pair->key, "auth") != 0 &&
		    is_value(pair->value))
			continue;
		(void)snprintf(text, sizeof(text),
		    "'%.100s' is no extension: a name of letters but 'auth', a "
		    "value of printable ASCII",
		    pair->key);
		check->complain(check, "extensions", text);
	}
}

/* ---- open ---- */

static void
put_field(FILE *out, const char *key, const char *value)
{
	size_t room = 3 * (strlen(key) + strlen(value)) + 8;
	char *text = malloc(room);

	if (text == NULL)
		abort();
	(void)sigv4_escape(key, 0, text, room);
	(void)fprintf(out, "&%s=", text);
	(void)sigv4_escape(value, 0, text, room);
	(void)fputs(text, out);
	explicit_bzero(text, room);
	free(text);
}

static int
make_form(struct oidc *oidc)
{
	const struct oidc_conf *conf = oidc->conf;
	size_t len = 0;
	FILE *out = open_memstream(&oidc->form, &len);

	if (out == NULL)
		return -1;
	(void)fputs("grant_type=client_credentials", out);
	if (conf->client_auth == AUTH_POST) {
		put_field(out, "client_id", conf->client_id);
		put_field(out, "client_secret", conf->client_secret);
	}
	if (conf->scope != NULL)
		put_field(out, "scope", conf->scope);
	for (size_t i = 0; i < conf->parameters.count; i++)
		put_field(out, conf->parameters.items[i].key,
		    conf->parameters.items[i].value);
	return fclose(out);
}

/* RFC 6749, 2.3.1: both are escaped as in a form, then as in RFC 7617. */
static int
make_authorization(struct oidc *oidc)
{
	const struct oidc_conf *conf = oidc->conf;
	size_t room =
	    3 * (strlen(conf->client_id) + strlen(conf->client_secret)) + 8;
	char *plain = malloc(room);
	size_t len;

	if (plain == NULL)
		return -1;
	len = sigv4_escape(conf->client_id, 0, plain, room);
	plain[len++] = ':';
	len += sigv4_escape(conf->client_secret, 0, plain + len, room - len);
	oidc->authorization = calloc(1, 6 + BASE64_LEN(len) + 1);
	if (oidc->authorization != NULL) {
		(void)memcpy(oidc->authorization, "Basic ", 6);
		base64_put(plain, len, oidc->authorization + 6);
	}
	explicit_bzero(plain, room);
	free(plain);
	return oidc->authorization == NULL ? -1 : 0;
}

static void
wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void
oidc_close(void *self)
{
	struct oidc *oidc = self;

	if (oidc == NULL)
		return;
	http_close(oidc->http);
	wipe(oidc->authorization);
	wipe(oidc->form);
	wipe(oidc->value);
	free(oidc);
}

static int
oidc_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct oidc_conf *conf = with->conf;
	const struct http_conf how = {.ca_file = conf->ca_file,
	    .total_ms = conf->timeout,
	    .connect_ms = conf->timeout};
	struct oidc *oidc = calloc(1, sizeof(*oidc));
	int rc;

	if (oidc == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	oidc->conf = conf;
	oidc->host = with->host;
	rc = http_open(&how, &oidc->http, err);
	if (rc == SECOR_OK &&
	    (make_form(oidc) != 0 || (conf->client_auth == AUTH_BASIC &&
					 make_authorization(oidc) != 0)))
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	if (rc == SECOR_OK)
		*self = oidc;
	else
		oidc_close(oidc);
	return rc;
}

/* ---- the answer ---- */

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static int
refused(const struct oidc *oidc, const struct http_answer *answer,
    const json_t *json, struct secor_err *err)
{
	int again = answer->status == 408 || answer->status == 425 ||
		    answer->status == 429 || answer->status >= 500;
	const char *code = text_of(json, "error");
	const char *more = text_of(json, "error_description");

	return secor_fail(err, again ? SECOR_RETRY : SECOR_FATAL,
	    "%.300s: HTTP %d%s%.100s%s%.300s", oidc->conf->endpoint,
	    answer->status, *code != '\0' ? " " : "", code,
	    *more != '\0' ? ": " : "", more);
}

/* A number, or one in a text as some write it; 0: none. */
static int64_t
seconds_of(const json_t *value)
{
	double number = 0;

	if (json_is_number(value))
		number = json_number_value(value);
	else if (json_is_string(value))
		number = strtod(json_string_value(value), NULL);
	return number >= 1 && number < 1e11 ? (int64_t)number : 0;
}

/* The claim `exp` of a JWT, in ms; 0: it is none, or has none. */
static int64_t
jwt_expires(const char *token)
{
	const char *claims = strchr(token, '.');
	size_t len = claims == NULL ? 0 : strcspn(++claims, "."), made = 0;
	char *text = calloc(1, len + 4), *plain = calloc(1, len + 4);
	json_t *json = NULL;
	int64_t at;

	if (text == NULL || plain == NULL)
		abort();
	for (size_t i = 0; i < len; i++)
		text[i] = claims[i] == '-'   ? '+'
			  : claims[i] == '_' ? '/'
					     : claims[i];
	while (len % 4 != 0)
		text[len++] = '=';
	if (len > 0 && base64_get(text, len, plain, &made))
		json = json_loadb(plain, made, 0, NULL);
	at = seconds_of(json_object_get(json, "exp")) * 1000;
	json_decref(json);
	free(text);
	free(plain);
	return at;
}

static int
take(struct oidc *oidc, const json_t *json, int64_t asked_ms,
    struct secor_token *token, struct secor_err *err)
{
	const struct oidc_conf *conf = oidc->conf;
	const char *value = text_of(json, "access_token");
	const char *type = text_of(json, "token_type");
	int64_t life = seconds_of(json_object_get(json, "expires_in")) * 1000;

	if (*value == '\0')
		return secor_fail(err, SECOR_FATAL,
		    "%.300s: its answer has no access_token", conf->endpoint);
	if (*type != '\0' && strcasecmp(type, "bearer") != 0)
		return secor_fail(err, SECOR_FATAL,
		    "%.300s: gives tokens of the type '%.50s', not Bearer",
		    conf->endpoint, type);
	token->expires_ms = life > 0 ? asked_ms + life : jwt_expires(value);
	if (token->expires_ms == 0)
		return secor_fail(err, SECOR_FATAL,
		    "%.300s: says no expires_in, and the token is no JWT with "
		    "exp",
		    conf->endpoint);
	wipe(oidc->value);
	oidc->value = strdup(value);
	if (oidc->value == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	token->value = oidc->value;
	token->principal =
	    conf->principal != NULL ? conf->principal : conf->client_id;
	token->extensions = conf->extensions.items;
	token->extension_count = conf->extensions.count;
	return SECOR_OK;
}

static int
oidc_fetch(void *self, struct secor_token *token, struct secor_err *err)
{
	struct oidc *oidc = self;
	const struct secor_pair headers[] = {
	    {"Content-Type", "application/x-www-form-urlencoded"},
	    {"Accept", "application/json"},
	    {"Authorization", oidc->authorization}};
	const struct http_request request = {.method = "POST",
	    .url = oidc->conf->endpoint,
	    .headers = headers,
	    .header_count = oidc->authorization != NULL ? 3 : 2,
	    .body = oidc->form,
	    .length = strlen(oidc->form)};
	int64_t asked_ms = oidc->host->now_ms(oidc->host);
	struct http_answer answer;
	json_t *json;
	int rc = http_run(oidc->http, &request, &answer, err);

	if (rc != SECOR_OK)
		return rc;
	json = json_loadb(answer.body, answer.length, 0, NULL);
	rc = answer.status / 100 == 2 ? take(oidc, json, asked_ms, token, err)
				      : refused(oidc, &answer, json, err);
	json_decref(json);
	return rc;
}

static const struct secor_token_ops OPS = {
    .size = sizeof(OPS),
    .open = oidc_open,
    .close = oidc_close,
    .fetch = oidc_fetch,
};

static const struct secor_plugin PLUGIN = {
    SECOR_PLUGIN_HEAD,
    SECOR_TOKEN,
    "oidc",
    SECOR_VERSION,
    "tokens of an OpenID provider, by client credentials",
    1,
    SECOR_OPTIONS(OPTIONS),
    sizeof(struct oidc_conf),
    oidc_check,
    &OPS,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &PLUGIN;
}
