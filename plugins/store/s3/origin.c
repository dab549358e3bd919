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

void
s3_set_origin(struct s3 *s3)
{
	const struct s3_conf *conf = s3->conf;
	int by_path =
	    conf->path_style == S3_STYLE_PATH ||
	    (conf->path_style == S3_STYLE_AUTO &&
		(conf->endpoint != NULL || !s3_is_label(conf->bucket)));
	char endpoint[300], origin[300];
	const char *host;

	if (conf->endpoint != NULL)
		(void)snprintf(
		    endpoint, sizeof(endpoint), "%s", conf->endpoint);
	else
		(void)snprintf(endpoint, sizeof(endpoint),
		    "https://s3%s%s.%s.amazonaws.com%s",
		    conf->fips ? "-fips" : "",
		    conf->dual_stack ? ".dualstack" : "", s3->region,
		    strncmp(s3->region, "cn-", 3) == 0 ? ".cn" : "");
	aws_origin(endpoint, origin, sizeof(origin));
	host = strstr(origin, "://") + 3;
	(void)snprintf(s3->origin, sizeof(s3->origin), "%.*s%s%s%s",
	    (int)(host - origin), origin, by_path ? "" : conf->bucket,
	    by_path ? "" : ".", host);
	if (by_path)
		(void)snprintf(
		    s3->base, sizeof(s3->base), "/%.250s", conf->bucket);
}
