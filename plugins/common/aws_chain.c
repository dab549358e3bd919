/*
 * aws_chain.c -- the chain of sources, those without a file of their own, and
 * what all of them use. Nothing here is remembered.
 */
#include "plugins/common/aws_source.h"
#include "plugins/common/url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- small things for the sources ---- */

const char *
aws_env(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/* Minutes of "+01:00" or "-0530"; -1 when it is none. */
static int
zone_minutes(const char *text)
{
	int hours, minutes, end = 0;

	if ((sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 &&
		sscanf(text + 1, "%2d%2d%n", &hours, &minutes, &end) != 2) ||
	    text[1 + end] != '\0' || hours < 0 || hours > 14 || minutes < 0 ||
	    minutes > 59)
		return -1;
	return hours * 60 + minutes;
}

int64_t
aws_time(const char *text)
{
	struct tm tm = {.tm_isdst = 0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int minutes = 0;
	char sign;

	if (rest != NULL && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (rest == NULL || *rest == '\0' || strchr("Z+-", *rest) == NULL)
		return 0;
	sign = *rest;
	if (sign != 'Z')
		minutes = zone_minutes(rest);
	if (minutes < 0 || (sign == 'Z' && rest[1] != '\0'))
		return 0;
	return ((int64_t)timegm(&tm) -
		   (int64_t)minutes * (sign == '-' ? -60 : 60)) *
	       1000;
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

void
aws_wipe(const char *text)
{
	char *own = (char *)(uintptr_t)text;

	if (own == NULL)
		return;
	explicit_bzero(own, strlen(own));
	free(own);
}

void
aws_found_clear(struct aws_found *found)
{
	aws_wipe(found->access_key);
	aws_wipe(found->secret_key);
	aws_wipe(found->session_token);
	memset(found, 0, sizeof(*found));
}

int
aws_found_set(struct aws_found *found, const char *access_key,
    const char *secret_key, const char *session_token, struct secor_err *err)
{
	struct aws_found set = {.expires_ms = found->expires_ms};
	int has_token = session_token != NULL && *session_token != '\0';

	if (!header_value_is(access_key) ||
	    (has_token && !header_value_is(session_token)))
		return secor_fail(err, SECOR_FATAL,
		    "the access key or session token is not one line of text");
	memcpy(set.source, found->source, sizeof(set.source));
	set.access_key = strdup(access_key);
	set.secret_key = strdup(secret_key);
	set.session_token = has_token ? strdup(session_token) : NULL;
	if (set.access_key == NULL || set.secret_key == NULL ||
	    (has_token && set.session_token == NULL)) {
		aws_found_clear(&set);
		return secor_fail(err, SECOR_RETRY, "out of memory");
	}
	aws_found_clear(found);
	*found = set;
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
aws_env_keys(struct aws_found *found, struct secor_err *err)
{
	const char *access_key = aws_env("AWS_ACCESS_KEY_ID");
	const char *secret_key = aws_env("AWS_SECRET_ACCESS_KEY");

	if (access_key == NULL && secret_key == NULL)
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

int
aws_from_env(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	return ask->conf->profile != NULL ? AWS_NOT_SET
					  : aws_env_keys(found, err);
}

/* ---- the search ---- */

static const struct {
	aws_source_fn *from;
	const char *name;
} sources[] = {
    {aws_from_conf, "the configuration"},
    {aws_from_conf_process, "credential_process"},
    {aws_from_env, "the environment"},
    {aws_from_web_identity, "the web identity"},
    {aws_from_file, "the profile"},
    {aws_from_container, "the container's agent"},
    {aws_from_ec2, "the instance's metadata"},
};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

static int
search(const struct aws_ask *ask, int *source, struct aws_found *found,
    struct secor_err *err)
{
	int status = AWS_NOT_SET;
	size_t i;

	for (i = 0; i < SOURCES; i++) {
		status = sources[i].from(ask, found, err);
		*source = (int)i + 1;
		if (status != AWS_NOT_SET)
			return status;
	}
	return secor_fail(err, SECOR_FATAL,
	    "no AWS credentials: set access_key and secret_key, or "
	    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in "
	    "~/.aws/credentials, or give the machine a role");
}

/* Where the last one came from. */
static int
ask_again(const struct aws_ask *ask, int source, struct aws_found *found,
    struct secor_err *err)
{
	int status = sources[source - 1].from(ask, found, err);

	if (status != AWS_NOT_SET)
		return status;
	return secor_fail(err, SECOR_RETRY,
	    "%s, where the last AWS credentials came from, gives none any "
	    "more; no other source is asked",
	    sources[source - 1].name);
}

static int
assume_all(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	const struct aws_cred_conf *conf = ask->conf;
	struct aws_role role;
	int status = SECOR_OK;
	size_t i;

	for (i = 0; i < conf->roles.count && status == SECOR_OK; i++) {
		role = (struct aws_role){.arn = conf->roles.items[i],
		    .duration_ms = conf->role_duration_ms};
		if (i < conf->external_ids.count)
			role.external_id = conf->external_ids.items[i];
		status = aws_assume(ask, &role, found, err);
	}
	return status;
}

int
aws_chain_ask(const struct aws_ask *ask, int *source, struct aws_found *found,
    struct secor_err *err)
{
	int first = *source, status;

	status = first > 0 ? ask_again(ask, first, found, err)
			   : search(ask, &first, found, err);
	if (status == SECOR_OK)
		status = assume_all(ask, found, err);
	if (status == SECOR_OK)
		*source = first;
	else
		aws_found_clear(found);
	return status;
}
