/*
 * aws_file.c -- the key that a profile of the shared files leads to: its own,
 * that of a program, or that of a role, which another profile or source asks
 * for.
 *
 * The profile that is used takes its role first; one that another names as
 * source_profile gives its own key first. So a profile may name itself, and a
 * loop is one of profiles without keys.
 */
#include "plugins/common/aws_profile.h"
#include "plugins/common/aws_source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LEAST_S 900 /* of duration_seconds */
#define MOST_S 43200

/* Who has named whom. */
struct trail {
	const char *name;
	const struct trail *from; /* NULL: the profile that is used */
};

static int from_profile(const struct aws_ask *ask, const struct trail *trail,
    struct aws_found *found, struct secor_err *err);

/* ---- roles ---- */

static int
fill_role(const struct aws_profile *profile, struct aws_role *role,
    struct secor_err *err)
{
	const char *seconds = profile->words[AWS_DURATION];
	char *end = NULL;
	long value = seconds != NULL ? strtol(seconds, &end, 10) : 0;

	*role = (struct aws_role){.arn = profile->words[AWS_ROLE_ARN],
	    .session_name = profile->words[AWS_SESSION_NAME],
	    .external_id = profile->words[AWS_EXTERNAL_ID],
	    .token_file = profile->words[AWS_TOKEN_FILE],
	    .duration_ms = value * 1000};
	if (seconds != NULL &&
	    (*end != '\0' || value < LEAST_S || value > MOST_S))
		return secor_fail(err, SECOR_FATAL,
		    "profile %s: duration_seconds must be %d to %d",
		    profile->name, LEAST_S, MOST_S);
	return SECOR_OK;
}

static int
from_source(const struct aws_ask *ask, const struct aws_profile *profile,
    struct aws_found *found, struct secor_err *err)
{
	const char *source = profile->words[AWS_CREDENTIAL_SOURCE];
	int status;

	if (strcasecmp(source, "Environment") == 0)
		status = aws_env_keys(found, err);
	else if (strcasecmp(source, "EcsContainer") == 0)
		status = aws_from_container(ask, found, err);
	else if (strcasecmp(source, "Ec2InstanceMetadata") == 0)
		status = aws_from_ec2(ask, found, err);
	else
		return secor_fail(err, SECOR_FATAL,
		    "profile %s: credential_source is none of Environment, "
		    "EcsContainer, Ec2InstanceMetadata",
		    profile->name);
	if (status != AWS_NOT_SET)
		return status;
	return secor_fail(err, SECOR_RETRY,
	    "profile %s: its credential_source %s has no credentials",
	    profile->name, source);
}

static int
is_on(const struct trail *trail, const char *name)
{
	for (; trail != NULL; trail = trail->from)
		if (strcmp(trail->name, name) == 0)
			return 1;
	return 0;
}

/* "a -> b -> a": the trail is from the last one up. */
static void
spell(const struct trail *trail, char *dst, size_t room)
{
	size_t len;

	if (trail == NULL)
		return;
	spell(trail->from, dst, room);
	len = strlen(dst);
	(void)snprintf(dst + len, room - len, "%s%s",
	    trail->from != NULL ? " -> " : "", trail->name);
}

static int
fail_loop(const struct trail *trail, struct secor_err *err)
{
	char names[512] = "";

	spell(trail, names, sizeof(names));
	return secor_fail(
	    err, SECOR_FATAL, "source_profile goes round: %s", names);
}

/* The key that asks for the role. */
static int
from_asker(const struct aws_ask *ask, const struct aws_profile *profile,
    const struct trail *trail, struct aws_found *found, struct secor_err *err)
{
	const char *other = profile->words[AWS_SOURCE_PROFILE];
	struct trail next = {other, trail};
	int has_source = profile->words[AWS_CREDENTIAL_SOURCE] != NULL;

	if ((other != NULL) == has_source)
		return secor_fail(err, SECOR_FATAL,
		    "profile %s: role_arn needs one of source_profile, "
		    "credential_source, web_identity_token_file%s",
		    profile->name, has_source ? ", not several" : "");
	return has_source ? from_source(ask, profile, found, err)
			  : from_profile(ask, &next, found, err);
}

static int
by_role(const struct aws_ask *ask, const struct aws_profile *profile,
    const struct trail *trail, struct aws_found *found, struct secor_err *err)
{
	struct aws_role role;
	int status = fill_role(profile, &role, err);

	if (status == SECOR_OK && profile->words[AWS_MFA] != NULL)
		status = secor_fail(err, SECOR_FATAL,
		    "profile %s has mfa_serial: nobody is here to enter its "
		    "code",
		    profile->name);
	if (status != SECOR_OK)
		return status;
	if (role.token_file != NULL)
		return aws_assume_by_token(ask, &role, found, err);
	status = from_asker(ask, profile, trail, found, err);
	return status == SECOR_OK ? aws_assume(ask, &role, found, err) : status;
}

/* ---- the rest ---- */

/* A profile that somebody has named must be there and must be usable. */
static int
complain(const struct aws_ask *ask, const struct aws_profile *profile,
    const struct trail *trail, const char *path, struct secor_err *err)
{
	int named = ask->conf->profile != NULL ||
		    aws_env("AWS_PROFILE") != NULL || trail->from != NULL;

	if (profile->words[AWS_SSO_SESSION] != NULL ||
	    profile->words[AWS_SSO_URL] != NULL)
		return secor_fail(err, SECOR_FATAL,
		    "profile %s gets its credentials by SSO, where a person "
		    "must log in: give it a role, keys or a "
		    "credential_process",
		    profile->name);
	if (profile->words[AWS_TOKEN_FILE] != NULL)
		return secor_fail(err, SECOR_FATAL,
		    "profile %s: web_identity_token_file needs role_arn",
		    profile->name);
	if (!named && profile->words[AWS_ACCESS_KEY] == NULL)
		return AWS_NOT_SET;
	return secor_fail(err, SECOR_FATAL, "profile %s%s%s%s %s %s",
	    profile->name, trail->from != NULL ? " (source_profile of " : "",
	    trail->from != NULL ? trail->from->name : "",
	    trail->from != NULL ? ")" : "",
	    profile->seen ? "has no aws_access_key_id with "
			    "aws_secret_access_key in"
			  : "is not in",
	    path);
}

static int
pick(const struct aws_ask *ask, const struct aws_profile *profile,
    const struct trail *trail, const char *path, struct aws_found *found,
    struct secor_err *err)
{
	char *const *words = profile->words;
	int has_key =
	    words[AWS_ACCESS_KEY] != NULL && words[AWS_SECRET_KEY] != NULL;

	if (words[AWS_ROLE_ARN] != NULL && (trail->from == NULL || !has_key)) {
		if (is_on(trail->from, profile->name))
			return fail_loop(trail, err);
		return by_role(ask, profile, trail, found, err);
	}
	if (has_key) {
		(void)snprintf(found->source, sizeof(found->source),
		    "profile %.40s", profile->name);
		return aws_found_set(found, words[AWS_ACCESS_KEY],
		    words[AWS_SECRET_KEY], words[AWS_TOKEN], err);
	}
	if (words[AWS_PROCESS] != NULL)
		return aws_from_process(ask, words[AWS_PROCESS], found, err);
	return complain(ask, profile, trail, path, err);
}

static int
from_profile(const struct aws_ask *ask, const struct trail *trail,
    struct aws_found *found, struct secor_err *err)
{
	struct aws_profile profile = {.name = trail->name};
	char path[4096];
	int status = aws_profile_read(&profile, path, sizeof(path), err);

	if (status == SECOR_OK)
		status = pick(ask, &profile, trail, path, found, err);
	aws_profile_fini(&profile);
	return status;
}

int
aws_from_file(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	struct trail first = {aws_profile_name(ask->conf->profile), NULL};

	return from_profile(ask, &first, found, err);
}
