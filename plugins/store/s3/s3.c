/*
 * s3.c -- the store on S3 and what speaks like it: options, instance, table.
 */
#include "s3.h"

#include <stdlib.h>
#include <string.h>

#define MIN_PART "5MiB" /* S3's own, and all parts but the last obey it */

static const char *const styles[] = {"auto", "true", "false", NULL};
static const char *const hashes[] = {"auto", "sha256", "unsigned", NULL};
static const char *const checks[] = {"crc32c", "md5", "none", NULL};
static const char *const listings[] = {"auto", "streamed", "sorted", NULL};
static const char *const encryptions[] = {"none", "AES256", "aws:kms", NULL};

static const struct secor_option options[] = {
    SECOR_OPTION(STRING, struct s3_conf, bucket, "bucket", NULL,
	SECOR_OPTION_REQUIRED | SECOR_OPTION_OUTPUT,
	"Name of the bucket; it must exist."),
    SECOR_OPTION(STRING, struct s3_conf, prefix, "prefix", NULL,
	SECOR_OPTION_OUTPUT, "Put in front of every key, with a '/'."),
    SECOR_OPTION(STRING, struct s3_conf, region, "region", NULL, 0,
	"Region of the bucket; by default AWS_REGION, AWS_DEFAULT_REGION, the "
	"profile's, or us-east-1."),
    SECOR_OPTION(STRING, struct s3_conf, endpoint, "endpoint", NULL, 0,
	"https://host[:port] of a server other than AWS's."),
    SECOR_OPTION_CHOICE(struct s3_conf, path_style, "path_style", "auto",
	styles, 0,
	"Bucket in the path instead of the host name; auto: with an endpoint, "
	"or when the name of the bucket is no host name."),
    SECOR_OPTION(STRING, struct s3_conf, access_key, "access_key", NULL, 0,
	"Access key; without it environment, web identity, profile, container "
	"and EC2 are asked in this order."),
    SECOR_OPTION(STRING, struct s3_conf, secret_key, "secret_key", NULL,
	SECOR_OPTION_SECRET, "Secret of `access_key`."),
    SECOR_OPTION(STRING, struct s3_conf, session_token, "session_token", NULL,
	SECOR_OPTION_SECRET, "Session token of temporary keys."),
    SECOR_OPTION(STRING, struct s3_conf, profile, "profile", NULL, 0,
	"Profile of ~/.aws/credentials and ~/.aws/config to use."),
    SECOR_OPTION(STRING, struct s3_conf, sts_endpoint, "sts_endpoint", NULL, 0,
	"https://host[:port] of STS for web identities; by default the "
	"region's."),
    SECOR_OPTION_CHOICE(struct s3_conf, payload_hash, "payload_hash", "auto",
	hashes, 0,
	"Is the body in the signature? auto: sha256 over plain http or "
	"with `checksum: none`, else unsigned."),
    SECOR_OPTION_CHOICE(struct s3_conf, checksum, "checksum", "crc32c", checks,
	0, "By what the server checks each body; md5 sends Content-MD5."),
    SECOR_OPTION_RANGE(SIZE, struct s3_conf, multipart_threshold,
	"multipart_threshold", "64MiB", MIN_PART, "5GiB", 0,
	"Larger objects are uploaded in parts."),
    SECOR_OPTION_RANGE(SIZE, struct s3_conf, part_size, "part_size", "16MiB",
	MIN_PART, "5GiB", 0,
	"Size of a part; larger where 10,000 parts would not do."),
    SECOR_OPTION_CHOICE(struct s3_conf, listing, "listing", "auto", listings, 0,
	"streamed trusts the server to list in the order of bytes; sorted "
	"collects all keys first; auto: sorted with an endpoint."),
    SECOR_OPTION_CHOICE(struct s3_conf, encryption, "encryption", "none",
	encryptions, 0,
	"Server-side encryption to ask for; none: the bucket's default."),
    SECOR_OPTION(STRING, struct s3_conf, kms_key, "kms_key", NULL, 0,
	"Key for `encryption: aws:kms`; by default the account's."),
    SECOR_OPTION(STRING, struct s3_conf, storage_class, "storage_class", NULL,
	0, "As S3 names it: STANDARD_IA, INTELLIGENT_TIERING."),
    SECOR_OPTION(PATH, struct s3_conf, ca_file, "ca_file", NULL, 0,
	"PEM file of the CAs to trust; by default AWS_CA_BUNDLE or the "
	"system's. Verification cannot be turned off."),
    SECOR_OPTION_RANGE(DURATION, struct s3_conf, connect_timeout,
	"connect_timeout", "10s", "100ms", "5m", 0,
	"To connect, TLS included."),
    SECOR_OPTION_RANGE(DURATION, struct s3_conf, stall_timeout, "stall_timeout",
	"60s", "100ms", "1h", 0,
	"A request in which nothing moves for so long is given up."),
    SECOR_OPTION_RANGE(INT, struct s3_conf, max_attempts, "max_attempts", "5",
	"1", "20", 0,
	"Attempts of a request before the engine takes over, which repeats "
	"for ever."),
    SECOR_OPTION_RANGE(DURATION, struct s3_conf, retry_delay, "retry_delay",
	"500ms", "0ms", "10s", 0,
	"Longest wait before the second attempt; then doubled up to 20 s."),
};

/* Only these can stand in a host name that a certificate of *.host covers. */
static int
is_label(const char *bucket)
{
	size_t len = strlen(bucket);

	return len >= 3 && len <= 63 && bucket[0] != '-' &&
	       strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static int
is_bucket(const char *bucket)
{
	size_t len = strlen(bucket);

	return len >= 3 && len <= 255 &&
	       strspn(bucket,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		   "0123456789-._") == len;
}

static int
is_endpoint(const char *endpoint)
{
	const char *host = strstr(endpoint, "://");
	size_t len;

	if (host == NULL || (strncmp(endpoint, "http://", 7) != 0 &&
				strncmp(endpoint, "https://", 8) != 0))
		return 0;
	host += 3;
	len = strcspn(host, "/?#@ ");
	return len > 0 && len < 250 &&
	       (host[len] == '\0' || strcmp(host + len, "/") == 0);
}

static void
check_rest(const struct s3_conf *s3, const struct secor_check *check)
{
	if (s3->access_key != NULL && s3->secret_key == NULL)
		check->complain(
		    check, "secret_key", "is missing beside access_key");
	if (s3->secret_key != NULL && s3->access_key == NULL)
		check->complain(
		    check, "access_key", "is missing beside secret_key");
	if (s3->session_token != NULL && s3->access_key == NULL)
		check->complain(
		    check, "session_token", "needs access_key and secret_key");
	if (s3->profile != NULL && s3->access_key != NULL)
		check->complain(
		    check, "profile", "says another key than access_key");
	if (s3->kms_key != NULL && s3->encryption != S3_KMS)
		check->complain(
		    check, "kms_key", "needs `encryption: aws:kms`");
	if (s3->payload_hash == S3_HASH_UNSIGNED &&
	    s3->checksum == S3_CHECK_NONE)
		check->complain(check, "checksum",
		    "cannot be none with `payload_hash: unsigned`: nothing "
		    "would check the body");
}

static void
s3_check(const void *conf, const struct secor_check *check)
{
	const struct s3_conf *s3 = conf;

	if (s3->bucket != NULL && !is_bucket(s3->bucket))
		check->complain(check, "bucket",
		    "is no name of a bucket: 3 to 255 of a-z, 0-9, '-', '.'");
	if (s3->bucket != NULL && s3->path_style == S3_STYLE_VIRTUAL &&
	    !is_label(s3->bucket))
		check->complain(check, "path_style",
		    "must not be false: the bucket's name is no host name");
	if (s3->prefix != NULL &&
	    (strlen(s3->prefix) > S3_KEY / 2 || s3->prefix[0] == '/' ||
		strstr(s3->prefix, "//") != NULL))
		check->complain(check, "prefix",
		    "must not begin with '/', nor contain '//', nor be longer "
		    "than 512 bytes");
	if (s3->endpoint != NULL && !is_endpoint(s3->endpoint))
		check->complain(check, "endpoint",
		    "must be https://host[:port] or http://host[:port]");
	if (s3->sts_endpoint != NULL && !is_endpoint(s3->sts_endpoint))
		check->complain(check, "sts_endpoint",
		    "must be https://host[:port] or http://host[:port]");
	check_rest(s3, check);
}

/* ---- instance ---- */

/* https://host, without the port that is the scheme's own: clients leave it
 * out of Host, and Host is signed. */
static void
set_origin(struct s3 *s3)
{
	const struct s3_conf *conf = s3->conf;
	int by_path = conf->path_style == S3_STYLE_PATH ||
		      (conf->path_style == S3_STYLE_AUTO &&
			  (conf->endpoint != NULL || !is_label(conf->bucket)));
	char endpoint[300];
	const char *host;
	size_t len;

	if (conf->endpoint != NULL)
		(void)snprintf(
		    endpoint, sizeof(endpoint), "%s", conf->endpoint);
	else
		(void)snprintf(endpoint, sizeof(endpoint),
		    "https://s3.%s.amazonaws.com%s", s3->region,
		    strncmp(s3->region, "cn-", 3) == 0 ? ".cn" : "");
	host = strstr(endpoint, "://") + 3;
	len = strcspn(host, "/");
	if (strncmp(endpoint, "https", 5) == 0 && len > 4 &&
	    strncmp(host + len - 4, ":443", 4) == 0)
		len -= 4;
	if (strncmp(endpoint, "http:", 5) == 0 && len > 3 &&
	    strncmp(host + len - 3, ":80", 3) == 0)
		len -= 3;
	(void)snprintf(s3->origin, sizeof(s3->origin), "%.*s%s%s%.*s",
	    (int)(host - endpoint), endpoint, by_path ? "" : conf->bucket,
	    by_path ? "" : ".", (int)len, host);
	if (by_path)
		(void)snprintf(
		    s3->base, sizeof(s3->base), "/%.250s", conf->bucket);
}

static void
set_prefix(struct s3 *s3)
{
	const char *prefix = s3->conf->prefix;
	size_t len = prefix != NULL ? strlen(prefix) : 0;

	while (len > 0 && prefix[len - 1] == '/')
		len--;
	if (len > 0)
		(void)snprintf(
		    s3->prefix, sizeof(s3->prefix), "%.*s/", (int)len, prefix);
}

static void
set_names(struct s3 *s3)
{
	const struct s3_conf *conf = s3->conf;

	if (conf->region != NULL)
		(void)snprintf(
		    s3->region, sizeof(s3->region), "%s", conf->region);
	else if (aws_region(conf->profile, s3->region, sizeof(s3->region)) != 0)
		(void)snprintf(s3->region, sizeof(s3->region), "us-east-1");
	set_origin(s3);
	set_prefix(s3);
	s3->is_unsigned = conf->payload_hash == S3_HASH_UNSIGNED ||
			  (conf->payload_hash == S3_HASH_AUTO &&
			      conf->checksum != S3_CHECK_NONE &&
			      strncmp(s3->origin, "https", 5) == 0);
}

static void
set_counters(struct s3 *s3)
{
	const struct secor_host *host = s3->host;
	int i;

	for (i = 0; i < S3_KINDS; i++)
		s3->requests[i] = host->counter(
		    host, s3_counter((enum s3_kind)i), "Requests sent to S3.");
	s3->retries = host->counter(
	    host, "retries", "Requests to S3 that were sent again.");
	s3->bytes =
	    host->counter(host, "bytes", "Bytes of objects stored in S3.");
}

static void
s3_close(void *self)
{
	struct s3 *s3 = self;

	if (s3 == NULL)
		return;
	http_close(s3->http);
	aws_cred_close(s3->cred);
	free(s3->piece);
	free(s3);
}

static int
open_clients(struct s3 *s3, struct secor_err *err)
{
	const struct s3_conf *conf = s3->conf;
	const char *bundle = getenv("AWS_CA_BUNDLE");
	struct http_conf http = {.connect_ms = conf->connect_timeout,
	    .stall_ms = conf->stall_timeout,
	    .ca_file = conf->ca_file,
	    .user_agent = "secor/" SECOR_VERSION};
	struct aws_cred_conf cred = {.access_key = conf->access_key,
	    .secret_key = conf->secret_key,
	    .session_token = conf->session_token,
	    .profile = conf->profile,
	    .sts_endpoint = conf->sts_endpoint,
	    .region = s3->region,
	    .ca_file = conf->ca_file};
	int status;

	if (conf->ca_file == NULL && bundle != NULL && *bundle != '\0')
		http.ca_file = cred.ca_file = bundle;
	status = http_open(&http, &s3->http, err);
	if (status == SECOR_OK)
		status = aws_cred_open(&cred, &s3->cred, err);
	return status;
}

static int
s3_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct s3 *s3 = calloc(1, sizeof(*s3));
	int status;

	if (s3 == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	s3->conf = with->conf;
	s3->host = with->host;
	s3->seed =
	    (uint64_t)with->host->now_ms(with->host) ^ (uint64_t)(uintptr_t)s3;
	set_names(s3);
	set_counters(s3);
	s3->piece = malloc(S3_PIECE);
	status = s3->piece != NULL
		     ? open_clients(s3, err)
		     : secor_fail(err, SECOR_RETRY, "out of memory");
	if (status != SECOR_OK)
		s3_close(s3);
	else
		*self = s3;
	return status;
}

static void
s3_url(void *self, const char *key, char *dst, size_t room)
{
	const struct s3 *s3 = self;

	(void)snprintf(
	    dst, room, "s3://%s/%s%s", s3->conf->bucket, s3->prefix, key);
}

static const struct secor_store_ops ops = {
    .size = sizeof(ops),
    .open = s3_open,
    .close = s3_close,
    .probe = s3_probe,
    .put = s3_put,
    .list = s3_list,
    .get = s3_get,
    .head = s3_head,
    .remove = s3_remove,
    .url = s3_url,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_STORE,
    "s3",
    SECOR_VERSION,
    "objects in S3, or in a store that speaks like it",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct s3_conf),
    s3_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
