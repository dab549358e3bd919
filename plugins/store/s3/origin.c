/*
 * origin.c -- the host that requests go to, and where in it the bucket is.
 */
#include "s3.h"

#include <string.h>

int
s3_is_label(const char *bucket)
{
	size_t len = strlen(bucket);

	return len >= 3 && len <= 63 && bucket[0] != '-' &&
	       strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* https://host, without the port that is the scheme's own: clients leave it
 * out of Host, and Host is signed. */
void
s3_set_origin(struct s3 *s3)
{
	const struct s3_conf *conf = s3->conf;
	int by_path =
	    conf->path_style == S3_STYLE_PATH ||
	    (conf->path_style == S3_STYLE_AUTO &&
		(conf->endpoint != NULL || !s3_is_label(conf->bucket)));
	char endpoint[300];
	const char *host;
	size_t len;

	if (conf->endpoint != NULL)
		(void)snprintf(
		    endpoint, sizeof(endpoint), "%s", conf->endpoint);
	else
		(void)snprintf(endpoint, sizeof(endpoint),
		    "https://s3%s%s.%s.amazonaws.com%s",
		    conf->fips ? "-fips" : "",
		    conf->dual_stack ? ".dualstack" : "", s3->region,
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
