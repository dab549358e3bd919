/*
 * options.c -- what can be set, what cannot be right, and the descriptor.
 */
#include "s3.h"

#include <string.h>

#include "plugins/common/url.h"

#define MIN_PART "5MiB" /* S3's own, and all parts but the last obey it */

static const char *const styles[] = {"auto", "true", "false", NULL};
static const char *const hashes[] = {"auto", "sha256", "unsigned", NULL};
static const char *const checks[] = {"crc32c", "md5", "none", NULL};
static const char *const listings[] = {"auto", "streamed", "sorted", NULL};
static const char *const encryptions[] = {"none", "AES256", "aws:kms", NULL};
static const char *const locks[] = {"none", "governance", "compliance", NULL};
static const char *const conditions[] = {"auto", "on", "off", NULL};

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
    AWS_OPTION_ROWS(struct s3_conf, aws),
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
    SECOR_OPTION_RANGE(INT, struct s3_conf, parallel_parts, "parallel_parts",
	"4", "1", "16", 0,
	"Parts of one object under way at once, each on a connection of its "
	"own; engine.uploaders multiplies it."),
    SECOR_OPTION_CHOICE(struct s3_conf, listing, "listing", "auto", listings, 0,
	"streamed trusts the server to list in the order of bytes; sorted "
	"collects all keys first; auto: sorted with an endpoint."),
    SECOR_OPTION_CHOICE(struct s3_conf, encryption, "encryption", "none",
	encryptions, 0,
	"Server-side encryption to ask for; none: the bucket's default."),
    SECOR_OPTION(STRING, struct s3_conf, kms_key, "kms_key", NULL, 0,
	"Key for `encryption: aws:kms`; by default the account's."),
    SECOR_OPTION(BOOL, struct s3_conf, bucket_key, "bucket_key", "false", 0,
	"Ask for an S3 Bucket Key: fewer calls of KMS."),
    SECOR_OPTION(PAIRS, struct s3_conf, kms_context, "kms_context", "{}", 0,
	"Encryption context for KMS, beside S3's own."),
    SECOR_OPTION(STRING, struct s3_conf, customer_key, "customer_key", NULL,
	SECOR_OPTION_SECRET,
	"SSE-C: encrypt and decrypt by this key, 32 bytes in base64. Whoever "
	"loses it loses the objects."),
    SECOR_OPTION_CHOICE(struct s3_conf, acl, "acl", "none", s3_acls, 0,
	"Canned ACL of each object; none: the bucket's rule."),
    SECOR_OPTION(PAIRS, struct s3_conf, tags, "tags", "{}", 0,
	"Tags of each object, up to 10."),
    SECOR_OPTION_CHOICE(struct s3_conf, lock_mode, "lock_mode", "none", locks,
	0, "Object Lock of each object; none: the bucket's default."),
    SECOR_OPTION_RANGE(DURATION, struct s3_conf, lock_for, "lock_for", "0s",
	"0s", "36500d", 0, "How long `lock_mode` holds, from the put on."),
    SECOR_OPTION(BOOL, struct s3_conf, legal_hold, "legal_hold", "false", 0,
	"Put each object under a legal hold."),
    SECOR_OPTION(BOOL, struct s3_conf, requester_pays, "requester_pays",
	"false", 0, "Agree to pay for requests to the bucket of another."),
    SECOR_OPTION_CHOICE(struct s3_conf, conditional_puts, "conditional_puts",
	"auto", conditions, 0,
	"Never write over an object that is not this batch's "
	"(If-None-Match); auto: where the server can."),
    SECOR_OPTION(STRING, struct s3_conf, storage_class, "storage_class", NULL,
	0, "As S3 names it: STANDARD_IA, INTELLIGENT_TIERING."),
    SECOR_OPTION(BOOL, struct s3_conf, dual_stack, "dual_stack", "false", 0,
	"AWS's host names for IPv6 and IPv4."),
    SECOR_OPTION(BOOL, struct s3_conf, fips, "fips", "false", 0,
	"AWS's hosts with FIPS 140 cryptography."),
    SECOR_OPTION(STRING, struct s3_conf, proxy, "proxy", NULL,
	SECOR_OPTION_SECRET,
	"http://, https:// or socks5h://[user:password@]host:port to S3 and "
	"STS; by default http_proxy or https_proxy of the environment."),
    SECOR_OPTION(STRING, struct s3_conf, no_proxy, "no_proxy", NULL, 0,
	"Hosts, separated by commas, that need no `proxy`; by default "
	"no_proxy of the environment."),
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
is_proxy(const char *proxy)
{
	static const char *const schemes[] = {"http://", "https://",
	    "socks4://", "socks4a://", "socks5://", "socks5h://", NULL};
	size_t i, len;

	for (i = 0; schemes[i] != NULL; i++) {
		len = strlen(schemes[i]);
		if (strncmp(proxy, schemes[i], len) == 0)
			return proxy[len] != '\0' && header_value_is(proxy) &&
			       strpbrk(proxy + len, " /?#") == NULL;
	}
	return 0;
}

static void
check_way(const struct s3_conf *s3, const struct secor_check *check)
{
	if (s3->endpoint != NULL && s3->dual_stack)
		check->complain(check, "dual_stack",
		    "is of AWS's hosts, not of `endpoint`");
	if (s3->endpoint != NULL && s3->fips)
		check->complain(
		    check, "fips", "is of AWS's hosts, not of `endpoint`");
	if (s3->proxy != NULL && !is_proxy(s3->proxy))
		check->complain(check, "proxy",
		    "must be http://, https://, socks5:// or socks5h:// and "
		    "[user:password@]host[:port]");
}

static void
check_body(const struct s3_conf *s3, const struct secor_check *check)
{
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
	    !s3_is_label(s3->bucket))
		check->complain(check, "path_style",
		    "must not be false: the bucket's name is no host name");
	if (s3->prefix != NULL &&
	    (strlen(s3->prefix) > S3_KEY / 2 || s3->prefix[0] == '/' ||
		strstr(s3->prefix, "//") != NULL))
		check->complain(check, "prefix",
		    "must not begin with '/', nor contain '//', nor be longer "
		    "than 512 bytes");
	if (s3->endpoint != NULL && !aws_is_endpoint(s3->endpoint))
		check->complain(check, "endpoint",
		    "must be https://host[:port] or http://host[:port]");
	check_body(s3, check);
	aws_options_check(&s3->aws, check);
	check_way(s3, check);
	s3_check_birth(s3, check);
}

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
    &s3_ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
