/*
 * msk-iam.c -- tokens for Amazon MSK with IAM: a request that is signed and
 * never sent.
 *
 * The token is the address of GET https://kafka.REGION.amazonaws.com/
 * ?Action=kafka-cluster:Connect, signed in its query (Signature Version 4) and
 * good for 15 minutes, as base64 for URLs without padding. Whoever has it can
 * connect as its signer; it holds no key.
 */
#include "plugins/common/aws_options.h"
#include "plugins/common/base64.h"
#include "plugins/common/sigv4.h"

#include <secor/token.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_S 900
#define SIGNED_ROOM 8192

struct msk_conf {
	const char *region;
	struct aws_options aws;
	const char *ca_file;
};

struct msk {
	const struct secor_host *host;
	struct aws_cred *cred;
	char region[64];
	char host_name[128];
	char url[SIGNED_ROOM];
	char token[BASE64_LEN(SIGNED_ROOM) + 1];
	char principal[160];
};

static const struct secor_option OPTIONS[] = {
    SECOR_OPTION(STRING, struct msk_conf, region, "region", NULL, 0,
	"AWS region of the cluster; AWS_REGION, or the profile's, otherwise."),
    AWS_OPTION_ROWS(struct msk_conf, aws),
    SECOR_OPTION(PATH, struct msk_conf, ca_file, "ca_file", NULL, 0,
	"PEM file of the authorities to trust for STS, instead of the "
	"system's."),
};

static void
msk_check(const void *self, const struct secor_check *check)
{
	const struct msk_conf *conf = self;

	if (conf->region != NULL && !aws_is_region(conf->region))
		check->complain(check, "region", "is no region of AWS");
	aws_options_check(&conf->aws, check);
}

static void
msk_close(void *self)
{
	struct msk *msk = self;

	if (msk == NULL)
		return;
	aws_cred_close(msk->cred);
	explicit_bzero(msk, sizeof(*msk));
	free(msk);
}

static int
msk_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct msk_conf *conf = with->conf;
	struct msk *msk = calloc(1, sizeof(*msk));
	struct aws_cred_conf chain = aws_options_cred(&conf->aws, with->host);
	int rc;

	if (msk == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	msk->host = with->host;
	rc = aws_options_region(
	    &conf->aws, conf->region, "cluster", msk->region, err);
	(void)snprintf(msk->host_name, sizeof(msk->host_name),
	    "kafka.%s.amazonaws.com", msk->region);
	chain.region = msk->region;
	chain.ca_file = conf->ca_file;
	if (rc == SECOR_OK)
		rc = aws_cred_open(&chain, &msk->cred, err);
	if (rc == SECOR_OK)
		*self = msk;
	else
		msk_close(msk);
	return rc;
}

/* ---- the signed address ---- */

static void
put_parameter(FILE *out, const char *name, const char *value)
{
	size_t room = 3 * strlen(value) + 8;
	char *text = malloc(room);

	if (text == NULL)
		abort();
	(void)sigv4_escape(value, 0, text, room);
	(void)fprintf(out, "&%s=%s", name, text);
	free(text);
}

/* Sorted by name, as the signature wants it. */
static int
put_query(const struct msk *msk, const struct aws_key *key, int64_t now_ms,
    char *query, size_t room)
{
	FILE *out = fmemopen(query, room, "w");
	char when[SIGV4_TIME], scope[512];
	long len;

	if (out == NULL)
		return -1;
	sigv4_time(now_ms, when);
	(void)snprintf(scope, sizeof(scope),
	    "%s/%.8s/%s/kafka-cluster/aws4_request", key->access_key, when,
	    msk->region);
	(void)fputs("Action=kafka-cluster%3AConnect"
		    "&X-Amz-Algorithm=AWS4-HMAC-SHA256",
	    out);
	put_parameter(out, "X-Amz-Credential", scope);
	put_parameter(out, "X-Amz-Date", when);
	(void)fprintf(out, "&X-Amz-Expires=%d", LIFE_S);
	if (key->session_token != NULL)
		put_parameter(out, "X-Amz-Security-Token", key->session_token);
	(void)fputs("&X-Amz-SignedHeaders=host", out);
	(void)fflush(out);
	len = ftell(out);
	(void)fclose(out);
	return len < 0 || (size_t)len + 1 >= room ? -1 : 0;
}

static int
sign(struct msk *msk, const struct aws_key *key, int64_t now_ms,
    struct secor_err *err)
{
	const struct sigv4_key pair = {key->access_key, key->secret_key};
	const struct secor_pair header = {"host", msk->host_name};
	struct sigv4_request request = {.method = "GET",
	    .path = "/",
	    .headers = &header,
	    .header_count = 1,
	    .payload_hash = SIGV4_EMPTY,
	    .region = msk->region,
	    .service = "kafka-cluster",
	    .time_ms = now_ms};
	char query[SIGNED_ROOM - 512], signature[65];
	int rc;

	if (put_query(msk, key, now_ms, query, sizeof(query)) != 0)
		return secor_fail(err, SECOR_FATAL,
		    "the session token of %s is too long", key->source);
	request.query = query;
	rc = sigv4_signature(&pair, &request, signature, err);
	if (rc == SECOR_OK)
		(void)snprintf(msk->url, sizeof(msk->url),
		    "https://%s/?%s&X-Amz-Signature=%s&User-Agent=secor",
		    msk->host_name, query, signature);
	explicit_bzero(query, sizeof(query));
	return rc;
}

/* base64 for URLs, without padding (RFC 4648, 5) */
static void
encode(struct msk *msk)
{
	size_t len = strlen(msk->url), n = BASE64_LEN(len);

	base64_put(msk->url, len, msk->token);
	while (n > 0 && msk->token[n - 1] == '=')
		n--;
	msk->token[n] = '\0';
	for (char *at = msk->token; *at != '\0'; at++)
		*at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at);
}

static int
msk_fetch(void *self, struct secor_token *token, struct secor_err *err)
{
	struct msk *msk = self;
	int64_t now_ms = msk->host->now_ms(msk->host);
	const struct aws_key *key;
	int rc = aws_cred_get(msk->cred, now_ms, &key, err);

	if (rc == SECOR_OK)
		rc = sign(msk, key, now_ms, err);
	if (rc != SECOR_OK)
		return rc;
	encode(msk);
	(void)snprintf(
	    msk->principal, sizeof(msk->principal), "%.127s", key->access_key);
	token->value = msk->token;
	token->principal = msk->principal;
	/* the time in the signature is in seconds */
	token->expires_ms = now_ms / 1000 * 1000 + LIFE_S * INT64_C(1000);
	if (key->expires_ms != 0 && key->expires_ms < token->expires_ms)
		token->expires_ms = key->expires_ms;
	return SECOR_OK;
}

static const struct secor_token_ops OPS = {
    .size = sizeof(OPS),
    .open = msk_open,
    .close = msk_close,
    .fetch = msk_fetch,
};

static const struct secor_plugin PLUGIN = {
    SECOR_PLUGIN_HEAD,
    SECOR_TOKEN,
    "msk-iam",
    SECOR_VERSION,
    "tokens for Amazon MSK, signed with AWS credentials",
    1,
    SECOR_OPTIONS(OPTIONS),
    sizeof(struct msk_conf),
    msk_check,
    &OPS,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &PLUGIN;
}
