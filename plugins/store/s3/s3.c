/*
 * s3.c -- the store on S3 and what speaks like it: instance, table.
 */
#include "s3.h"

#include <stdlib.h>
#include <string.h>

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
	else if (aws_region(
		     conf->aws.profile, s3->region, sizeof(s3->region)) != 0)
		(void)snprintf(s3->region, sizeof(s3->region), "us-east-1");
	s3_set_origin(s3);
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
	for (i = 0; i < S3_CLASSES; i++)
		s3->answers[i] =
		    host->counter(host, s3_class_counter((enum s3_class)i),
			"Answers of S3, by class.");
	s3->retries = host->counter(
	    host, "retries", "Requests to S3 that were sent again.");
	s3->found = host->counter(host, "found",
	    "Objects that were there already, with the same bytes.");
	s3->bytes =
	    host->counter(host, "bytes", "Bytes of objects stored in S3.");
}

static void
s3_close(void *self)
{
	struct s3 *s3 = self;
	size_t i;

	if (s3 == NULL)
		return;
	for (i = 0; i < S3_MOST_PARALLEL - 1; i++)
		http_close(s3->beside[i]);
	http_close(s3->http);
	aws_cred_close(s3->cred);
	s3_forget(s3->learnt);
	free(s3->piece);
	free(s3);
}

static int
open_clients(struct s3 *s3, struct secor_err *err)
{
	const struct s3_conf *conf = s3->conf;
	struct http_conf http = {.connect_ms = conf->connect_timeout,
	    .stall_ms = conf->stall_timeout,
	    .ca_file = aws_ca_file(conf->ca_file),
	    .proxy = conf->proxy,
	    .no_proxy = conf->no_proxy,
	    .user_agent = "secor/" SECOR_VERSION};
	struct aws_cred_conf cred = aws_options_cred(&conf->aws, s3->host);
	int status;

	cred.region = s3->region;
	cred.ca_file = http.ca_file;
	cred.proxy = conf->proxy;
	cred.no_proxy = conf->no_proxy;
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
	if (status == SECOR_OK)
		status = s3_set_birth(s3, err);
	if (status == SECOR_OK)
		status = s3_learn(s3, err);
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

const struct secor_store_ops s3_ops = {
    .size = sizeof(s3_ops),
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
