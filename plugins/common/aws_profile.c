/*
 * aws_profile.c -- see aws_profile.h.
 */
#include "plugins/common/aws_profile.h"

#include "plugins/common/aws_source.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char *const words[AWS_WORDS] = {
    [AWS_ACCESS_KEY] = "aws_access_key_id",
    [AWS_SECRET_KEY] = "aws_secret_access_key",
    [AWS_TOKEN] = "aws_session_token",
    [AWS_REGION] = "region",
    [AWS_ROLE_ARN] = "role_arn",
    [AWS_SESSION_NAME] = "role_session_name",
    [AWS_EXTERNAL_ID] = "external_id",
    [AWS_DURATION] = "duration_seconds",
    [AWS_SOURCE_PROFILE] = "source_profile",
    [AWS_CREDENTIAL_SOURCE] = "credential_source",
    [AWS_TOKEN_FILE] = "web_identity_token_file",
    [AWS_PROCESS] = "credential_process",
    [AWS_MFA] = "mfa_serial",
    [AWS_SSO_SESSION] = "sso_session",
    [AWS_SSO_URL] = "sso_start_url",
};

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
forget(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void
take(struct aws_profile *profile, const char *key, const char *value)
{
	size_t i;

	for (i = 0; i < AWS_WORDS; i++) {
		if (strcasecmp(key, words[i]) != 0)
			continue;
		forget(&profile->words[i]);
		if (*value == '\0')
			return;
		profile->words[i] = strdup(value);
		profile->failed |= profile->words[i] == NULL;
	}
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

void
aws_profile_scan(FILE *in, struct aws_profile *profile)
{
	char *line = NULL, *equals;
	size_t room = 0;
	int ours = 0;

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
	if (line != NULL)
		explicit_bzero(line, room);
	free(line);
}

/* One that is not there says nothing; one that may not be read, or is in part,
 * could have said to be somebody else. */
static int
scan_path(const char *path, struct aws_profile *profile, struct secor_err *err)
{
	FILE *in = fopen(path, "re");
	struct stat is;
	int why = errno, bad;

	if (in == NULL && stat(path, &is) != 0)
		return SECOR_OK;
	if (in == NULL)
		return secor_fail(err, SECOR_FATAL, "cannot open %s: %s", path,
		    strerror(why));
	aws_profile_scan(in, profile);
	bad = ferror(in);
	(void)fclose(in);
	if (bad)
		return secor_fail(err, SECOR_FATAL, "cannot read %s", path);
	if (profile->failed)
		return secor_fail(err, SECOR_RETRY, "out of memory");
	return SECOR_OK;
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

int
aws_profile_read(
    struct aws_profile *profile, char *path, size_t room, struct secor_err *err)
{
	int status;

	path_of("AWS_CONFIG_FILE", "config", path, room);
	status = scan_path(path, profile, err);
	if (status != SECOR_OK)
		return status;
	path_of("AWS_SHARED_CREDENTIALS_FILE", "credentials", path, room);
	return scan_path(path, profile, err);
}

void
aws_profile_fini(struct aws_profile *profile)
{
	size_t i;

	for (i = 0; i < AWS_WORDS; i++)
		forget(&profile->words[i]);
}

const char *
aws_profile_name(const char *wanted)
{
	if (wanted != NULL)
		return wanted;
	wanted = aws_env("AWS_PROFILE");
	return wanted != NULL ? wanted : "default";
}

int
aws_region(const char *wanted, char *dst, size_t room)
{
	struct aws_profile profile = {.name = aws_profile_name(wanted)};
	const char *set = aws_env("AWS_REGION");
	char path[4096];

	if (set == NULL)
		set = aws_env("AWS_DEFAULT_REGION");
	if (set == NULL) {
		(void)aws_profile_read(&profile, path, sizeof(path), NULL);
		set = profile.words[AWS_REGION];
	}
	if (set != NULL)
		(void)snprintf(dst, room, "%s", set);
	aws_profile_fini(&profile);
	return set != NULL ? 0 : -1;
}
