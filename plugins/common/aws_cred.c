/*
 * aws_cred.c -- the chain of sources, and the key that it has found.
 */
#include "plugins/common/aws_cred.h"

#include "plugins/common/aws_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EARLY_MS INT64_C(300000) /* before it expires */
#define AGAIN_MS INT64_C(30000)	 /* after a renewal that failed */

struct aws_cred {
	struct aws_cred_conf conf;
	struct http *http, *direct;
	struct aws_found found;
	struct aws_key key;
	int has;	    /* a key */
	int64_t not_before; /* next renewal */
};

/* ---- small things for the sources ---- */

const char *
aws_env(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

int64_t
aws_time(const char *text)
{
	struct tm tm = {.tm_isdst = 0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (rest == NULL || (*rest != 'Z' && *rest != '.' && *rest != '+'))
		return 0;
	return (int64_t)timegm(&tm) * 1000;
}

int
aws_read_small(const char *path, char **out, struct secor_err *err)
{
	FILE *in = fopen(path, "re");
	size_t room = 65537, len;
	char *text;

	if (in == NULL)
		return secor_fail(err, SECOR_FATAL, "cannot open %s: %s", path,
		    strerror(errno));
	text = malloc(room);
	if (text == NULL) {
		(void)fclose(in);
		return secor_fail(err, SECOR_RETRY, "out of memory");
	}
	len = fread(text, 1, room, in);
	(void)fclose(in);
	if (len == room) {
		free(text);
		return secor_fail(
		    err, SECOR_FATAL, "%s is larger than 64 KiB", path);
	}
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	*out = text;
	return SECOR_OK;
}

static void
wipe(char **text)
{
	if (*text != NULL) {
		explicit_bzero(*text, strlen(*text));
		free(*text);
	}
	*text = NULL;
}

void
aws_found_clear(struct aws_found *found)
{
	wipe(&found->access_key);
	wipe(&found->secret_key);
	wipe(&found->session_token);
	memset(found, 0, sizeof(*found));
}

int
aws_found_set(struct aws_found *found, const char *access_key,
    const char *secret_key, const char *session_token, struct secor_err *err)
{
	found->access_key = strdup(access_key);
	found->secret_key = strdup(secret_key);
	if (session_token != NULL && *session_token != '\0') {
		found->session_token = strdup(session_token);
		if (found->session_token == NULL)
			return secor_fail(err, SECOR_RETRY, "out of memory");
	}
	if (found->access_key == NULL || found->secret_key == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	return SECOR_OK;
}

/* ---- sources without a file of their own ---- */

int
aws_from_conf(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	const struct aws_cred_conf *conf = ask->conf;

	if (conf->access_key == NULL || conf->secret_key == NULL)
		return AWS_NOT_SET;
	(void)snprintf(found->source, sizeof(found->source), "configuration");
	return aws_found_set(found, conf->access_key, conf->secret_key,
	    conf->session_token, err);
}

int
aws_from_env(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	const char *access_key = aws_env("AWS_ACCESS_KEY_ID");
	const char *secret_key = aws_env("AWS_SECRET_ACCESS_KEY");

	if (ask->conf->profile != NULL ||
	    (access_key == NULL && secret_key == NULL))
		return AWS_NOT_SET;
	if (access_key == NULL || secret_key == NULL)
		return secor_fail(err, SECOR_FATAL,
		    "the environment has %s without %s",
		    access_key != NULL ? "AWS_ACCESS_KEY_ID"
				       : "AWS_SECRET_ACCESS_KEY",
		    access_key != NULL ? "AWS_SECRET_ACCESS_KEY"
				       : "AWS_ACCESS_KEY_ID");
	(void)snprintf(found->source, sizeof(found->source), "environment");
	return aws_found_set(
	    found, access_key, secret_key, aws_env("AWS_SESSION_TOKEN"), err);
}

static int
search(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	static aws_source_fn *const sources[] = {aws_from_conf, aws_from_env,
	    aws_from_web_identity, aws_from_file, aws_from_container,
	    aws_from_ec2};
	int status = AWS_NOT_SET;
	size_t i;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		status = sources[i](ask, found, err);
		if (status != AWS_NOT_SET)
			return status;
	}
	return secor_fail(err, SECOR_FATAL,
	    "no AWS credentials: set access_key and secret_key, or "
	    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in "
	    "~/.aws/credentials, or give the machine a role");
}

/* ---- the chain ---- */

int
aws_cred_open(const struct aws_cred_conf *conf, struct aws_cred **out,
    struct secor_err *err)
{
	struct http_conf usual = {
	    .ca_file = conf->ca_file, .connect_ms = 5000, .total_ms = 20000};
	struct http_conf near = {
	    .proxy = "", .connect_ms = 1000, .total_ms = 3000};
	struct aws_cred *cred = calloc(1, sizeof(*cred));
	int status;

	if (cred == NULL)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	cred->conf = *conf;
	status = http_open(&usual, &cred->http, err);
	if (status == SECOR_OK)
		status = http_open(&near, &cred->direct, err);
	if (status != SECOR_OK)
		aws_cred_close(cred);
	else
		*out = cred;
	return status;
}

void
aws_cred_close(struct aws_cred *cred)
{
	if (cred == NULL)
		return;
	http_close(cred->http);
	http_close(cred->direct);
	aws_found_clear(&cred->found);
	free(cred);
}

void
aws_cred_forget(struct aws_cred *cred)
{
	cred->has = 0;
}

static int
renew(struct aws_cred *cred, struct secor_err *err)
{
	struct aws_ask ask = {&cred->conf, cred->http, cred->direct};
	struct aws_found found = {.access_key = NULL};
	int status = search(&ask, &found, err);

	if (status != SECOR_OK) {
		aws_found_clear(&found);
		return status;
	}
	aws_found_clear(&cred->found);
	cred->found = found;
	cred->key = (struct aws_key){.access_key = found.access_key,
	    .secret_key = found.secret_key,
	    .session_token = found.session_token,
	    .expires_ms = found.expires_ms,
	    .source = cred->found.source};
	cred->has = 1;
	return SECOR_OK;
}

int
aws_cred_get(struct aws_cred *cred, int64_t now_ms, const struct aws_key **key,
    struct secor_err *err)
{
	int64_t expires = cred->key.expires_ms;
	int good = cred->has && (expires == 0 || now_ms < expires);
	int due = !good || (expires != 0 && now_ms >= expires - EARLY_MS &&
			       now_ms >= cred->not_before);
	int status = SECOR_OK;

	if (due)
		status = renew(cred, err);
	if (status != SECOR_OK && good) {
		cred->not_before = now_ms + AGAIN_MS;
		status = SECOR_OK;
	}
	if (status == SECOR_OK)
		*key = &cred->key;
	return status;
}
