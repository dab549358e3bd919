/*
 * aws_options.c -- what is wrong with the options for credentials, and what
 * they say.
 */
#include "plugins/common/aws_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR_MS INT64_C(3600000) /* the default of role_duration */

/* Of `least` to `most` letters, digits and these. */
static int
is_word(const char *text, const char *others, size_t least, size_t most)
{
	size_t len = strlen(text), i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    strchr(others, text[i]) == NULL)
			return 0;
	return len >= least && len <= most;
}

/* arn:aws:iam::123456789012:role/name; the account may be empty elsewhere. */
static int
is_role(const char *arn)
{
	const char *at = strncmp(arn, "arn:", 4) == 0 ? arn + 4 : "";
	int i;

	at += strcspn(at, ":"); /* the partition */
	if (strncmp(at, ":iam::", 6) != 0)
		return 0;
	at += 6;
	i = (int)strspn(at, "0123456789");
	return (i == 0 || i == 12) && strncmp(at + i, ":role/", 6) == 0 &&
	       is_word(at + i + 6, "+=,.@_-/", 1, 576);
}

static void
check_role_list(const struct aws_options *aws, const struct secor_check *check)
{
	const struct secor_strings *roles = &aws->role_arn;
	char text[256];
	size_t i, j;

	for (i = 0; i < roles->count; i++) {
		if (!is_role(roles->items[i])) {
			(void)snprintf(text, sizeof(text),
			    "%.100s is no arn:aws:iam::ACCOUNT:role/NAME",
			    roles->items[i]);
			check->complain(check, "role_arn", text);
		}
		for (j = 0; j < i; j++)
			if (strcmp(roles->items[i], roles->items[j]) == 0) {
				(void)snprintf(text, sizeof(text),
				    "names %.150s twice: a chain has no loop",
				    roles->items[i]);
				check->complain(check, "role_arn", text);
			}
	}
	for (i = 0; i < aws->external_id.count; i++)
		if (aws->external_id.items[i][0] != '\0' &&
		    !is_word(aws->external_id.items[i], "+=,.@:/_-", 2, 1224))
			check->complain(check, "external_id",
			    "must be 2 to 1224 of a-z, A-Z, 0-9 and "
			    "`+=,.@:/_-`");
}

static void
check_roles(const struct aws_options *aws, const struct secor_check *check)
{
	size_t roles = aws->role_arn.count, ids = aws->external_id.count;

	check_role_list(aws, check);
	if (roles == 0 && ids > 0)
		check->complain(check, "external_id", "needs role_arn");
	else if (ids > 0 && ids != roles)
		check->complain(check, "external_id",
		    "must name one for each of role_arn, in the same order "
		    "('' for a role without)");
	if (aws->role_session_name != NULL && roles == 0)
		check->complain(check, "role_session_name", "needs role_arn");
	if (aws->role_session_name != NULL &&
	    !is_word(aws->role_session_name, "+=,.@_-", 2, 64))
		check->complain(check, "role_session_name",
		    "must be 2 to 64 of a-z, A-Z, 0-9 and `+=,.@_-`");
	if (aws->role_duration != HOUR_MS && roles == 0)
		check->complain(check, "role_duration", "needs role_arn");
	if (aws->role_duration > HOUR_MS && roles > 1)
		check->complain(check, "role_duration",
		    "must not be over 1h: a role that a role assumes holds no "
		    "longer");
}

static void
check_keys(const struct aws_options *aws, const struct secor_check *check)
{
	if (aws->access_key != NULL && aws->secret_key == NULL)
		check->complain(
		    check, "secret_key", "is missing beside access_key");
	if (aws->secret_key != NULL && aws->access_key == NULL)
		check->complain(
		    check, "access_key", "is missing beside secret_key");
	if (aws->session_token != NULL && aws->access_key == NULL)
		check->complain(
		    check, "session_token", "needs access_key and secret_key");
	if (aws->profile != NULL && aws->access_key != NULL)
		check->complain(
		    check, "profile", "says another key than access_key");
	if (aws->credential_process != NULL && aws->access_key != NULL)
		check->complain(check, "credential_process",
		    "says another key than access_key");
	if (aws->credential_process != NULL && aws->profile != NULL)
		check->complain(check, "credential_process",
		    "says another key than profile");
}

void
aws_options_check(
    const struct aws_options *aws, const struct secor_check *check)
{
	if (aws->sts_endpoint != NULL && !aws_is_endpoint(aws->sts_endpoint))
		check->complain(check, "sts_endpoint",
		    "must be https://host[:port] or http://host[:port]");
	check_keys(aws, check);
	check_roles(aws, check);
}

static void
say(void *arg, int level, const char *event, const char *detail)
{
	const struct secor_host *host = arg;

	host->log(host, level, event, detail);
}

struct aws_cred_conf
aws_options_cred(const struct aws_options *aws, const struct secor_host *host)
{
	return (struct aws_cred_conf){.access_key = aws->access_key,
	    .secret_key = aws->secret_key,
	    .session_token = aws->session_token,
	    .profile = aws->profile,
	    .sts_endpoint = aws->sts_endpoint,
	    .roles = aws->role_arn,
	    .external_ids = aws->external_id,
	    .role_session_name = aws->role_session_name,
	    .role_duration_ms = aws->role_duration,
	    .credential_process = aws->credential_process,
	    .say = say,
	    .say_arg = (void *)(uintptr_t)host,
	    .seed = ((uint64_t)host->now_ms(host) << 24) ^ (uint64_t)getpid()};
}

int
aws_options_region(const struct aws_options *aws, const char *configured,
    const char *whose, char region[AWS_REGION_ROOM], struct secor_err *err)
{
	if (configured != NULL)
		(void)snprintf(region, AWS_REGION_ROOM, "%s", configured);
	else if (aws_region(aws->profile, region, AWS_REGION_ROOM) != 0)
		return secor_fail(err, SECOR_FATAL,
		    "the %s's region is not known: set region, or AWS_REGION",
		    whose);
	return aws_is_region(region) ? SECOR_OK
				     : secor_fail(err, SECOR_FATAL,
					   "'%s' is no region of AWS", region);
}

const char *
aws_ca_file(const char *configured)
{
	const char *bundle = getenv("AWS_CA_BUNDLE");

	return configured != NULL		   ? configured
	       : bundle != NULL && *bundle != '\0' ? bundle
						   : NULL;
}

/* ---- addresses ---- */

int
aws_is_endpoint(const char *endpoint)
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

void
aws_origin(const char *endpoint, char *dst, size_t room)
{
	const char *host = strstr(endpoint, "://") + 3;
	const char *port = strncmp(endpoint, "https", 5) == 0 ? ":443" : ":80";
	size_t len = strcspn(host, "/"), own = strlen(port);

	if (len > own && strncmp(host + len - own, port, own) == 0)
		len -= own;
	(void)snprintf(dst, room, "%.*s",
	    (int)((size_t)(host - endpoint) + len), endpoint);
}

int
aws_is_region(const char *text)
{
	return *text != '\0' && strlen(text) < 64 &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] ==
		   '\0';
}
