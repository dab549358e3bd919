/*
 * aws_file.c -- the shared files of AWS's tools: ~/.aws/credentials and
 * ~/.aws/config.
 *
 * Sections `[name]`, in the second one also `[profile name]`; lines `key =
 * value`; indented lines belong to the key above and are not ours.
 */
#include "plugins/common/aws_source.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct profile {
	const char *name;
	int seen;
	char access_key[256], secret_key[256], session_token[8192];
	char region[64];
	char other[32]; /* a way to credentials that is not supported */
};

static const char *const others[] = {"role_arn", "credential_process",
    "sso_session", "sso_start_url", "web_identity_token_file", NULL};

static char *
trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r\n");
	for (end = text + strlen(text);
	     end > text && isspace((unsigned char)end[-1]); end--)
		end[-1] = '\0';
	return text;
}

static void
keep(char *dst, size_t room, const char *value)
{
	(void)snprintf(dst, room, "%s", value);
}

static void
take(struct profile *profile, const char *key, const char *value)
{
	size_t i;

	if (strcasecmp(key, "aws_access_key_id") == 0)
		keep(profile->access_key, sizeof(profile->access_key), value);
	else if (strcasecmp(key, "aws_secret_access_key") == 0)
		keep(profile->secret_key, sizeof(profile->secret_key), value);
	else if (strcasecmp(key, "aws_session_token") == 0)
		keep(profile->session_token, sizeof(profile->session_token),
		    value);
	else if (strcasecmp(key, "region") == 0)
		keep(profile->region, sizeof(profile->region), value);
	for (i = 0; others[i] != NULL; i++)
		if (strcasecmp(key, others[i]) == 0)
			keep(profile->other, sizeof(profile->other), others[i]);
}

static int
is_section(char *line, const char *name)
{
	char *end = strchr(line, ']');

	if (end == NULL)
		return 0;
	*end = '\0';
	line = trim(line + 1);
	if (strncmp(line, "profile", 7) == 0 && isspace((unsigned char)line[7]))
		line = trim(line + 8);
	return strcmp(line, name) == 0;
}

/* Returns 0, or -1 when the file cannot be opened. */
static int
read_profile(const char *path, struct profile *profile)
{
	FILE *in = fopen(path, "re");
	char *line = NULL, *equals;
	size_t room = 0;
	int ours = 0;

	if (in == NULL)
		return -1;
	while (getline(&line, &room, in) >= 0) {
		if (line[0] == '[') {
			ours = is_section(line, profile->name);
			profile->seen |= ours;
			continue;
		}
		equals = strchr(line, '=');
		if (!ours || equals == NULL || strchr(" \t#;", line[0]) != NULL)
			continue;
		*equals = '\0';
		take(profile, trim(line), trim(equals + 1));
	}
	explicit_bzero(line, room);
	free(line);
	(void)fclose(in);
	return 0;
}

static void
path_of(const char *variable, const char *name, char *path, size_t room)
{
	const char *set = aws_env(variable), *home = aws_env("HOME");

	if (set != NULL)
		(void)snprintf(path, room, "%s", set);
	else
		(void)snprintf(path, room, "%s/.aws/%s",
		    home != NULL ? home : "/nonexistent", name);
}

/* The configuration file first, so that the other one has the last word. */
static void
read_both(struct profile *profile, char *path, size_t room)
{
	path_of("AWS_CONFIG_FILE", "config", path, room);
	(void)read_profile(path, profile);
	path_of("AWS_SHARED_CREDENTIALS_FILE", "credentials", path, room);
	(void)read_profile(path, profile);
}

static const char *
profile_name(const char *wanted)
{
	if (wanted != NULL)
		return wanted;
	wanted = aws_env("AWS_PROFILE");
	return wanted != NULL ? wanted : "default";
}

int
aws_region(const char *profile_wanted, char *dst, size_t room)
{
	struct profile profile = {.name = profile_name(profile_wanted)};
	const char *set = aws_env("AWS_REGION");
	char path[4096];

	if (set == NULL)
		set = aws_env("AWS_DEFAULT_REGION");
	if (set == NULL) {
		read_both(&profile, path, sizeof(path));
		set = profile.region;
	}
	if (*set == '\0')
		return -1;
	(void)snprintf(dst, room, "%s", set);
	return 0;
}

/* A profile that somebody has named must be there and must be usable. */
static int
complain(const struct aws_ask *ask, const struct profile *profile,
    const char *path, struct secor_err *err)
{
	int named =
	    ask->conf->profile != NULL || aws_env("AWS_PROFILE") != NULL;

	if (profile->other[0] != '\0')
		return secor_fail(err, SECOR_FATAL,
		    "profile %s gets its credentials by %s, which is not "
		    "supported: give it keys, or use the environment",
		    profile->name, profile->other);
	if (!named && profile->access_key[0] == '\0')
		return AWS_NOT_SET;
	return secor_fail(err, SECOR_FATAL, "profile %s %s %s", profile->name,
	    profile->seen ? "has no aws_access_key_id with "
			    "aws_secret_access_key in"
			  : "is not in",
	    path);
}

int
aws_from_file(
    const struct aws_ask *ask, struct aws_found *found, struct secor_err *err)
{
	struct profile profile = {.name = profile_name(ask->conf->profile)};
	char path[4096];
	int status;

	read_both(&profile, path, sizeof(path));
	if (profile.access_key[0] == '\0' || profile.secret_key[0] == '\0')
		return complain(ask, &profile, path, err);
	(void)snprintf(found->source, sizeof(found->source), "profile %.40s",
	    profile.name);
	status = aws_found_set(found, profile.access_key, profile.secret_key,
	    profile.session_token, err);
	explicit_bzero(&profile, sizeof(profile));
	return status;
}
